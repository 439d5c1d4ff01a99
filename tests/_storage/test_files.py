"""Estimators in one file, read where and by whom it may be, and refused when it is not whole."""

import datetime
import json
import os
import pickle
import random
import stat
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import torch
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from torch import nn

from sklearn_replearn import (
    AutoencoderTransformer,
    EncoderClassifier,
    OutlierDetector,
    VAETransformer,
    load,
    save,
)
from sklearn_replearn._storage.files import _FORMAT
from sklearn_replearn._storage.sealed import digest
from sklearn_replearn.objectives import Objective

small = {"latent_dim": 2, "hidden_layer_sizes": (8,), "max_epochs": 2}


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=40), "b": rng.choice(["x", "y"], 40)})
    frame.loc[3, "a"] = np.nan
    return frame


@pytest.fixture(scope="module")
def encoder(X):
    return AutoencoderTransformer(**small).fit(X)


class OwnEncoder(nn.Sequential):
    def __init__(self, n_in, n_out):
        super().__init__(nn.Linear(n_in, n_out))


class OwnObjective(Objective):
    def __init__(self, weight=1.0):
        self.weight = weight

    def terms(self, network, heads, batch, generator):
        return {"size": self.weight * network.encode(batch.left).square().mean()}


class OwnVAE(VAETransformer):
    """A subclass of a user's."""


def own_optimizer(weights, lr):
    return torch.optim.SGD(weights, lr=lr)


def test_a_file_is_the_same_each_time(encoder, X, tmp_path):
    first, second, third = (tmp_path / name for name in "abc")
    save(encoder, first)
    loaded = load(str(first))
    save(loaded, second)
    save(AutoencoderTransformer(**small).fit(X), third)
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()
    assert pickle.dumps(loaded) == pickle.dumps(encoder)
    np.testing.assert_array_equal(loaded.transform(X), encoder.transform(X))
    pd.testing.assert_frame_equal(loaded.impute(X), encoder.impute(X))


def test_cells_of_python_come_back_as_such(tmp_path):
    days = np.random.default_rng(0).integers(0, 99, 30).tolist()
    first = datetime.datetime(2020, 1, 1)
    cells = {
        "moment": [first + datetime.timedelta(hours=day) for day in days],
        "span": [datetime.timedelta(hours=day) for day in days],
        "day": [datetime.date(2020, 1, 1 + day % 28) for day in days],
        "numpy": [np.datetime64("2020-01-01") + day for day in days],
        "decimal": [Decimal(day) / 4 for day in days],
        "truth": [day > 50 for day in days],
        "whole": days,
        "either": [None if day % 3 else "a" for day in days],
    }
    table = pd.DataFrame({name: pd.Series(held, dtype=object) for name, held in cells.items()})
    fitted = AutoencoderTransformer(**small).fit(table)
    save(fitted, tmp_path / "model")
    decoded = load(tmp_path / "model").inverse_transform(fitted.transform(table))
    for name in table:
        kinds = {type(cell) for cell in decoded[name]} - {type(None)}
        assert kinds == {type(table[name].dropna().iloc[0])}, name
    pd.testing.assert_frame_equal(decoded, fitted.inverse_transform(fitted.transform(table)))


def test_what_was_not_fitted_comes_back(tmp_path):
    save(VAETransformer(latent_dim=3, lr=float("inf")), tmp_path / "model")
    assert load(tmp_path / "model").get_params()["lr"] == float("inf")


def test_a_file_has_the_rights_of_others_beside_it(encoder, tmp_path):
    (tmp_path / "other").touch()
    save(encoder, tmp_path / "model")
    rights = {stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("other", "model")}
    assert len(rights) == 1


def test_only_estimators_are_saved(tmp_path):
    for what in (3, AutoencoderTransformer, [AutoencoderTransformer()]):
        with pytest.raises(TypeError, match="save writes an estimator"):
            save(what, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_file_is_there_as_a_whole_or_not_at_all(encoder, tmp_path, monkeypatch):
    path = tmp_path / "model"
    save(encoder, path)
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    for function in ("fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, function, full)
            with pytest.raises(OSError, match="No space"):
                save(encoder.__class__(), path)
        assert path.read_bytes() == before and os.listdir(tmp_path) == ["model"]
    with pytest.raises(FileNotFoundError, match=r"No folder '.*nowhere' to write 'model' into"):
        save(encoder, tmp_path / "nowhere" / "model")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing")


@pytest.mark.parametrize("dtype", [">f8", ">i4", "<f2", "?"])
def test_arrays_of_any_order_of_bytes(dtype, tmp_path):
    model = LogisticRegression()
    model.coef_ = np.array([[0, 1, 3]], dtype=dtype)
    save(model, tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").coef_, model.coef_)


@pytest.mark.parametrize("dtype", ["G", "D"])
def test_arrays_that_files_do_not_know_are_refused(dtype, tmp_path):
    model = LogisticRegression()
    model.coef_ = np.ones(3, dtype=dtype)
    with pytest.raises(TypeError, match=rf"array of {model.coef_.dtype}.*joblib\.dump"):
        save(model, tmp_path / "model")


class TestWhatIsTheUsers:
    @pytest.mark.parametrize(
        ("make", "names"),
        [
            (lambda: AutoencoderTransformer(**small, encoder=OwnEncoder), ["OwnEncoder"]),
            (lambda: AutoencoderTransformer(**small, optimizer=own_optimizer), ["own_optimizer"]),
            (lambda: OwnVAE(**small), ["OwnVAE"]),
        ],
        ids=["class", "function", "estimator"],
    )
    def test_is_asked_for_by_name(self, make, names, X, tmp_path):
        fitted, path = make().fit(X), tmp_path / "model"
        save(fitted, path)
        objects = {f"{OwnEncoder.__module__}.{name}": globals()[name] for name in names}
        with pytest.raises(ValueError, match=rf"names '{next(iter(objects))}'.*load\(path, obj"):
            load(path)
        loaded = load(path, objects)
        np.testing.assert_array_equal(loaded.transform(X), fitted.transform(X))

    def test_functions_of_numpy_are_asked_for_too(self, X, tmp_path):
        pipe = make_pipeline(StandardScaler(), FunctionTransformer(np.negative))
        pipe.fit(X[["a"]])
        path = tmp_path / "model"
        save(pipe, path)
        loaded = load(path, {"numpy.negative": np.negative})
        np.testing.assert_array_equal(loaded.transform(X[["a"]]), pipe.transform(X[["a"]]))

    def test_modules_are_asked_for_by_the_name_of_their_parameter(self, X, tmp_path):
        torch.manual_seed(0)
        given = {"encoder": nn.Linear(3, 2), "decoder": nn.Linear(2, 3)}
        table = np.random.default_rng(0).normal(size=(30, 3))
        fitted = AutoencoderTransformer(**small, **given).fit(table)
        path = tmp_path / "model"
        save(fitted, path)
        with pytest.raises(ValueError, match=r"names '(de|en)coder'"):
            load(path)
        others = {"encoder": nn.Linear(3, 2), "decoder": nn.Linear(2, 3)}
        loaded = load(path, others)
        np.testing.assert_array_equal(loaded.transform(table), fitted.transform(table))
        assert torch.equal(loaded.encoder.weight, given["encoder"].weight)
        assert not torch.equal(others["encoder"].weight, given["encoder"].weight)
        with pytest.raises(ValueError, match="size mismatch"):
            load(path, {**others, "encoder": nn.Linear(4, 2)})
        with pytest.raises(ValueError, match=r"weights of a torch.nn.Module for '\w+'; got 3"):
            load(path, {"encoder": 3, "decoder": 3})

    def test_two_modules_of_one_name_are_alike(self, tmp_path):
        def two(*widths):
            given = [AutoencoderTransformer(encoder=nn.Linear(width, 2)) for width in widths]
            return make_pipeline(*given, AutoencoderTransformer(decoder=nn.Linear(2, 7)))

        save(two(3, 3), tmp_path / "model")
        loaded = load(tmp_path / "model", {"encoder": nn.Linear(3, 2), "decoder": nn.Linear(2, 7)})
        assert loaded[0].encoder is not loaded[1].encoder
        with pytest.raises(TypeError, match="two that are not alike are named 'encoder'"):
            save(two(3, 4), tmp_path / "model")

    def test_training_goes_on_with_a_module_that_was_loaded(self, tmp_path):
        table, path = np.random.default_rng(0).normal(size=(30, 3)), tmp_path / "model"
        fitted = AutoencoderTransformer(**small, encoder=nn.Linear(3, 2), warm_start=True)
        save(fitted.fit(table), path)
        loaded = load(path, {"encoder": nn.Linear(3, 2)})
        codes = fitted.fit(table).transform(table)
        np.testing.assert_array_equal(loaded.fit(table).transform(table), codes)

    def test_what_has_no_name_is_refused(self, X, tmp_path):
        unnamed = AutoencoderTransformer(encoder=lambda n_in, n_out: nn.Linear(n_in, n_out))
        with pytest.raises(TypeError, match=r"no way to write <function .*<lambda>"):
            save(unnamed, tmp_path / "model")

    def test_trees_are_left_to_skops(self, tmp_path):
        forest = IsolationForest(n_estimators=2).fit(np.eye(3))
        with pytest.raises(TypeError, match=r"sklearn\.tree.*skops\.io\.dump"):
            save(forest, tmp_path / "model")
        assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------ what is wrong with a file


@pytest.fixture(scope="module")
def files(encoder, X, tmp_path_factory):
    """The bytes of files of several estimators."""
    labels = np.tile(["p", "q"], 20)
    models = [
        encoder,
        VAETransformer(**small).fit(X),
        OutlierDetector().fit(X),
        EncoderClassifier(encoder).fit(X, labels),
        make_pipeline(VAETransformer(**small), LogisticRegression()).fit(X, labels),
    ]
    path, found = tmp_path_factory.mktemp("files") / "model", []
    for model in models:
        save(model, path)
        found.append(path.read_bytes())
    return found


def parts(data):
    length = int.from_bytes(data[:8], "little")
    text = json.loads(data[8 : 8 + length])["__metadata__"][_FORMAT]
    return json.loads(text), safetensors.numpy.load(data)


def together(text, arrays, right=True):
    """A file, its hash right for whatever it holds."""
    if right:
        text = text | {"sha256": digest(text["model"], arrays)}
    return safetensors.numpy.save(arrays, {_FORMAT: json.dumps(text)})


def truncated(data, rng):
    return data[: rng.randrange(len(data))]


def flipped(data, rng):
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 3])):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def without_a_key(data, rng):
    """One key fewer, anywhere."""
    text, arrays = parts(data)
    if rng.random() < 0.2:
        del text[rng.choice(list(text))]
        return together(text, arrays, right=False)
    written = [text["model"], *text["model"]["objects"]]
    chosen = rng.choice(written)
    del chosen[rng.choice(list(chosen))]
    return together(text, arrays)


def of_another_shape(data, rng):
    """A matrix with a row more."""
    text, arrays = parts(data)
    name = rng.choice([name for name, array in arrays.items() if array.ndim == 2])
    arrays[name] = np.concatenate([arrays[name], arrays[name][:1]])
    return together(text, arrays, right=False)


def of_weights_of_another_shape(data, rng):
    """The same with a hash that is right."""
    text, arrays = parts(data)
    model = next(
        written["state"] for written in text["model"]["objects"] if "arrays" in written["state"]
    )
    name = rng.choice([held["number"] for held in model["arrays"].values()])
    arrays[name] = arrays[name].repeat(2, axis=0) if arrays[name].ndim else arrays[name][None, None]
    return together(text, arrays)


class Executed:
    def __reduce__(self):
        return (os._exit, (3,))


def a_pickle(data, rng):
    return pickle.dumps(Executed(), protocol=rng.choice([2, 3, 4, 5]))


def of_others(data, rng):
    return rng.choice([b"", b"\x08\x01", b"PK\x03\x04" + data, rng.randbytes(300), data[8:]])


def naming_others(data, rng):
    """Names of what is nothing that a model is made of."""
    text, arrays = parts(data)
    rng.choice(text["model"]["objects"])["class"] = rng.choice(
        ["os:system", "subprocess:Popen", "builtins:eval", "sklearn_replearn:nothing", 3]
    )
    return together(text, arrays)


KINDS = [
    truncated,
    flipped,
    without_a_key,
    of_another_shape,
    of_weights_of_another_shape,
    a_pickle,
    of_others,
    naming_others,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_two_hundred_and_forty_files_that_are_wrong(kind, files, tmp_path):
    path = tmp_path / "model.safetensors"
    n = 2 if kind is of_weights_of_another_shape else len(files)  # a detector has none
    for seed in range(30):
        rng = random.Random(seed)
        wrong = kind(files[seed % n], rng)
        assert wrong not in files
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match=r"model.safetensors' cannot be read: .{10,}"):
            load(path)


def test_what_another_version_wrote_and_this_one_cannot_read_is_said(files, tmp_path):
    text, arrays = parts(files[0])
    text["model"] |= {"version": "7.1.0", "root": {"!": "a form to come"}}
    (tmp_path / "model").write_bytes(together(text, arrays))
    with pytest.raises(ValueError, match=r"'a form to come'\. It was written by version 7\.1\.0"):
        load(tmp_path / "model")


def test_a_file_that_is_right_but_for_its_aim_executes_nothing(tmp_path):
    """Reading calls methods of what a file holds, such as ``tolist`` of an array."""
    written = tmp_path / "written"
    save(AutoencoderTransformer(), written)
    before = written.read_bytes()
    ours = "sklearn_replearn._storage"
    estimator = {"class": "sklearn.pipeline:Pipeline", "state": {"steps": []}}
    number = {"!": "object", "number": 0}
    calls = [
        (f"{ours}.files:save", [number, str(written)]),
        (f"{ours}.files:load", [str(tmp_path / "none")]),
        (f"{ours}.plain:Reader.value", [number, {"!": "posix:system"}]),
        (f"{ours}.names:named", ["posix:system"]),
    ]
    for function, given in calls:
        call = {
            "!": "partial",
            "function": {"!": "ours", "text": function},
            "given": {"!": "tuple", "items": given},
            "named": {},
        }
        trap = {"class": "sklearn.base:BaseEstimator", "state": {"tolist": call}}
        kinds = {"distinct": [], "which": {"!": "object", "number": 1}}
        schema = {"class": "sklearn_replearn._tables.schema:Schema", "state": {"kinds": kinds}}
        model = {
            "version": "0.2.0",
            "root": {"!": "object", "number": 2},
            "objects": [estimator, trap, schema],
        }
        path = tmp_path / "model"
        path.write_bytes(together({"model": model}, {}))
        with pytest.raises(ValueError, match="nothing that a model is made of"):
            load(path)
    assert written.read_bytes() == before
