"""A fit that was ended goes on from its checkpoint, to the bits of one that was not."""

import errno
import os
import shutil
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from repeatability import weights
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import EpochScoring
from torch import nn

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    OutlierDetector,
    VAETransformer,
    save,
)
from sklearn_replearn._runtime.sklearn import CallbackSupportMixin
from sklearn_replearn._storage import sealed
from sklearn_replearn._training import checkpoints
from sklearn_replearn._training.net import RepresentationNet
from sklearn_replearn.augmentations import MaskFeatures
from sklearn_replearn.objectives import BYOL, CapacityELBO, NTXent, SupCon
from sklearn_replearn.rows import Images, Tokens

EPOCHS, ENDED_IN = 6, 4
random = np.random.RandomState(0)
X = random.normal(size=(90, 4))
MIXED = pd.DataFrame(X, columns=list("abcd")).assign(e=random.choice(["x", "y", "z"], 90))
MIXED.loc[::7, "a"] = np.nan
IMAGES = load_digits().images[:40]
IDS = random.randint(1, 9, size=(40, 6))


class Ended(BaseException):
    """Stands for the end of a process."""


def small(cls, **params):
    little = {"latent_dim": 2, "hidden_layer_sizes": 8, "batch_size": 32, "max_epochs": EPOCHS}
    return cls(**{**little, **params})


def dropping(n_in, n_out):
    """A network that draws from torch's global generator, and moves buffers in training."""
    layers = nn.Linear(n_in, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, n_out)
    return nn.Sequential(*layers)


def noisy(rows):
    """Views that draw from NumPy's global generator."""
    return rows + 0.1 * torch.from_numpy(np.random.normal(size=rows.shape)).float()


class Numbered(CapacityELBO):
    """An objective of a user's."""


WEIGHTS = np.arange(90) % 3 + 1
FITS = {
    "by hand": (small(AutoencoderTransformer), {}),
    "by hand, clipped": (small(VAETransformer, gradient_clip=0.1, weight_decay=0.1), {}),
    "by autograd": (small(AutoencoderTransformer, optimizer="sgd"), {}),
    "torch's Adam": (small(VAETransformer, optimizer=partial(torch.optim.Adam, amsgrad=True)), {}),
    "LBFGS": (small(AutoencoderTransformer, optimizer=partial(torch.optim.LBFGS, max_iter=2)), {}),
    "constant lr": (
        small(AutoencoderTransformer, lr_schedule=None, corruption=MaskFeatures(0.2)),
        {},
    ),
    "mixed table": (small(VAETransformer), {"X": MIXED}),
    "steps": (small(VAETransformer, objective=CapacityELBO(warmup_steps=9)), {}),
    "own objective": (small(VAETransformer, objective=Numbered(warmup_steps=9)), {}),
    "stops early": (small(VAETransformer, early_stopping=True, n_iter_no_change=4, tol=99.0), {}),
    "best epoch": (small(AutoencoderTransformer, early_stopping=True, lr=0.5), {}),
    "X_val": (
        small(AutoencoderTransformer, early_stopping=True),
        {"X": X[:60], "X_val": X[60:], "sample_weight_val": WEIGHTS[60:]},
    ),
    "weights": (small(AutoencoderTransformer), {"sample_weight": WEIGHTS}),
    "queue": (small(ContrastiveTransformer, objective=NTXent(queue_size=50, momentum=0.9)), {}),
    "BYOL": (small(ContrastiveTransformer, objective=BYOL()), {}),
    "labels": (small(ContrastiveTransformer, objective=SupCon()), {"y": WEIGHTS}),
    "groups": (small(ContrastiveTransformer, early_stopping=True), {"groups": np.arange(90) // 5}),
    "own network": (small(AutoencoderTransformer, encoder=dropping, decoder=dropping), {}),
    "own module": (small(VAETransformer, decoder=nn.Linear(2, 4)), {}),
    "own views": (small(ContrastiveTransformer, augmentation=noisy), {}),
    "images": (
        small(
            ContrastiveTransformer,
            rows=Images((1, 8, 8)),
            hidden_layer_sizes="auto",
            objective=BYOL(),
        ),
        {"X": IMAGES.reshape(40, -1)},
    ),
    "tokens": (
        small(AutoencoderTransformer, rows=Tokens(9), hidden_layer_sizes="auto"),
        {"X": IDS},
    ),
}


@pytest.fixture
def at_every_epoch(monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "_TIMES_AS_LONG", 0.0)


def ended(fit, monkeypatch, epoch=ENDED_IN):
    """Call ``fit``, which ends in the middle of an epoch."""
    step = RepresentationNet.train_step

    def ends(net, batch, **kwargs):
        if len(net.history) == epoch and net.n_updates_ % 2:
            raise Ended
        return step(net, batch, **kwargs)

    with monkeypatch.context() as patched, pytest.raises(Ended):
        patched.setattr(RepresentationNet, "train_step", ends)
        fit()


def epochs_of(fit, monkeypatch):
    """Call ``fit``, and return the numbers of the epochs that were trained."""
    numbers, run = [], RepresentationNet.run_single_epoch

    def counted(net, iterator, training, prefix, step_fn, **kwargs):
        if training:
            numbers.append(len(net.history))
        run(net, iterator, training, prefix, step_fn, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(RepresentationNet, "run_single_epoch", counted)
        fit()
    return numbers


@pytest.mark.parametrize("name", FITS)
def test_a_fit_goes_on_to_the_same_bits(name, tmp_path, monkeypatch, at_every_epoch):
    estimator, given = FITS[name]
    given = {"X": X, **given}
    # Stopping early, there is no later epoch to be ended in.
    whole = estimator.set_params(checkpoint=None).fit(**given)
    codes, frame = whole.transform(given["X"]), whole.history_
    bits, last = weights(whole), min(ENDED_IN, len(frame))
    estimator.set_params(checkpoint=tmp_path / "made" / "here")
    ended(lambda: estimator.fit(**given), monkeypatch, last)
    assert len(os.listdir(tmp_path / "made" / "here")) == 1
    trained = epochs_of(lambda: estimator.fit(**given), monkeypatch)
    assert trained == [*range(last, len(frame) + 1)]
    assert weights(estimator) == bits
    assert np.array_equal(estimator.transform(given["X"]), codes)
    assert estimator.history_.drop(columns="seconds").equals(frame.drop(columns="seconds"))
    assert os.listdir(tmp_path / "made" / "here") == []


def test_warm_starts_go_on_too(tmp_path, monkeypatch, at_every_epoch):
    params = {"warm_start": True, "lr_schedule": None}
    whole = small(VAETransformer, **params).fit(X)
    first, whole = weights(whole), whole.fit(X)
    estimator = small(VAETransformer, **params, checkpoint=tmp_path)
    ended(lambda: estimator.fit(X), monkeypatch)
    assert weights(estimator.fit(X)) == first
    ended(lambda: estimator.fit(X), monkeypatch)
    trained = epochs_of(lambda: estimator.fit(X), monkeypatch)
    assert trained == [4, 5, 6]
    assert weights(estimator) == weights(whole)
    assert estimator.history_.index.to_list() == [*range(1, 13)]


def test_what_follows_training_is_done_again_and_training_is_not(
    tmp_path, monkeypatch, at_every_epoch
):
    def ends(estimator, model, train_rows):
        raise Ended

    estimator = small(VAETransformer, checkpoint=tmp_path)
    with monkeypatch.context() as patched, pytest.raises(Ended):
        patched.setattr(VAETransformer, "_completed", ends)
        estimator.fit(X)
    assert epochs_of(lambda: estimator.fit(X), monkeypatch) == []
    assert weights(estimator) == weights(small(VAETransformer).fit(X))
    assert os.listdir(tmp_path) == []


def test_fine_tuning_goes_on(tmp_path, monkeypatch, at_every_epoch):
    iris, y = load_iris(return_X_y=True)

    def classifier(**params):
        encoder = small(AutoencoderTransformer, early_stopping=True, **params)
        return EncoderClassifier(encoder, fine_tune="full")

    def fit_ends_in_fine_tuning():
        with monkeypatch.context() as patched:
            patched.setattr(checkpoints.Checkpoint, "on_epoch_end", ends)
            estimator.fit(iris, y)

    def ends(checkpoint, net, **kwargs):
        write(checkpoint, net, **kwargs)
        if len(net.history) == 3 and list(net.module_.heads.parameters()):
            raise Ended

    write, estimator = checkpoints.Checkpoint.on_epoch_end, classifier(checkpoint=tmp_path)
    with pytest.raises(Ended):
        fit_ends_in_fine_tuning()
    # The encoder is fitted again, and its fine-tuning goes on.
    trained = epochs_of(lambda: estimator.fit(iris, y), monkeypatch)
    assert trained[:EPOCHS] == [1, 2, 3, 4, 5, 6]
    assert trained[EPOCHS] == 4
    whole = classifier().fit(iris, y)
    assert np.array_equal(estimator.predict_proba(iris), whole.predict_proba(iris))
    assert os.listdir(tmp_path) == []


# ------------------------------------------------------------ which fit goes on from which file


def test_other_rows_and_parameters_begin_anew(tmp_path, monkeypatch, at_every_epoch):
    def fit(rows=X, cls=AutoencoderTransformer, **params):
        given = {"sample_weight": params.pop("sample_weight", None)}
        given["X_val"] = params.pop("X_val", None)
        return small(cls, checkpoint=tmp_path, **params).fit(rows, **given)

    ended(fit, monkeypatch)
    nearly = X.copy()
    nearly[3, 2] += 1e-9
    others = (
        {"rows": nearly},
        {"sample_weight": WEIGHTS},
        {"cls": VAETransformer},
        {"random_state": 1},
        {"max_epochs": EPOCHS + 1},
        {"gradient_clip": 1e9},
        {"activation": "relu"},
        {"X_val": X[:9]},
        {"encoder": dropping},
    )
    for params in others:
        assert epochs_of(lambda p=params: fit(**p), monkeypatch)[0] == 1
    assert len(os.listdir(tmp_path)) == 1  # of all those that ended well there is nothing
    # What makes no difference makes none here; nor do container and order.
    shuffled = pd.DataFrame(X[random.permutation(len(X))])
    assert epochs_of(lambda: fit(shuffled.to_numpy(), verbose=1), monkeypatch)[0] == ENDED_IN


@pytest.mark.parametrize("cls", [AutoencoderTransformer, VAETransformer])
def test_equal_cells_of_other_kinds_of_columns_begin_anew(
    cls, tmp_path, monkeypatch, at_every_epoch
):
    def table(category):
        frame = MIXED.assign(a=np.arange(90) % 2 + 1.0, b=np.arange(90) // 2 % 2 + 1.0)
        return frame.assign(**{category: np.where(frame[category] == 1.0, "x", "y")})

    estimator = small(cls, checkpoint=tmp_path)
    ended(lambda: estimator.fit(table("a")), monkeypatch)
    assert epochs_of(lambda: estimator.fit(table("b")), monkeypatch)[0] == 1
    assert weights(estimator) == weights(small(cls).fit(table("b")))
    assert epochs_of(lambda: estimator.fit(table("a")), monkeypatch)[0] == ENDED_IN


def test_the_same_fit_may_end_while_another_one_writes(tmp_path, monkeypatch, at_every_epoch):
    def ends_meanwhile(file):
        for path in tmp_path.iterdir():
            path.unlink()

    monkeypatch.setattr(sealed.os, "fsync", ends_meanwhile)
    fitted = small(AutoencoderTransformer, checkpoint=tmp_path).fit(X)
    assert weights(fitted) == weights(small(AutoencoderTransformer).fit(X))
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_removed_is_warned_of_once(tmp_path, monkeypatch, at_every_epoch):
    def removes(file):
        shutil.rmtree(tmp_path / "here")

    monkeypatch.setattr(sealed.os, "fsync", removes)
    with pytest.warns(
        UserWarning, match=r"No checkpoint could be written: .*[^.]\. The f"
    ) as caught:
        small(AutoencoderTransformer, checkpoint=tmp_path / "here").fit(X)
    assert len(caught) == 1


def test_parts_go_on_from_what_the_whole_has_written(tmp_path, monkeypatch, at_every_epoch):
    def parts():
        return (MIXED.iloc[start : start + 40] for start in range(0, 90, 40))

    estimator = small(VAETransformer, checkpoint=tmp_path)
    ended(lambda: estimator.fit(MIXED), monkeypatch)
    assert epochs_of(lambda: estimator.fit(parts), monkeypatch)[0] == ENDED_IN
    ended(lambda: estimator.fit(parts), monkeypatch)
    assert epochs_of(lambda: estimator.fit(MIXED), monkeypatch)[0] == ENDED_IN
    assert weights(estimator) == weights(small(VAETransformer).fit(MIXED))


def test_code_of_ones_own_that_changed_under_its_name_begins_anew(
    tmp_path, monkeypatch, at_every_epoch
):
    def encoder(width):
        def made(n_in, n_out):
            return nn.Sequential(nn.Linear(n_in, width), nn.ReLU(), nn.Linear(width, n_out))

        return made

    def fit(width):
        return small(AutoencoderTransformer, encoder=encoder(width), checkpoint=tmp_path).fit(X)

    ended(lambda: fit(5), monkeypatch)
    assert epochs_of(lambda: fit(6), monkeypatch)[0] == 1
    assert epochs_of(lambda: fit(5), monkeypatch)[0] == ENDED_IN


def test_a_search_of_several_fits_needs_one_folder(tmp_path, monkeypatch, at_every_epoch):
    def search(**params):
        encoder = small(AutoencoderTransformer, **params)
        return GridSearchCV(encoder, {"latent_dim": [1, 2]}, cv=2, error_score="raise")

    found = search(checkpoint=tmp_path)
    fits = 0

    def ends(net, batch, **kwargs):
        nonlocal fits
        fits += net.n_updates_ == 0
        if fits == 3 and len(net.history) == ENDED_IN:
            raise Ended
        return step(net, batch, **kwargs)

    step = RepresentationNet.train_step
    with monkeypatch.context() as patched, pytest.raises(Ended):
        patched.setattr(RepresentationNet, "train_step", ends)
        found.fit(X)
    trained = epochs_of(lambda: found.fit(X), monkeypatch)
    assert trained == [*range(1, 7), *range(1, 7), 4, 5, 6, *range(1, 7), *range(1, 7)]
    whole = search().fit(X).cv_results_["mean_test_score"]
    assert np.array_equal(found.cv_results_["mean_test_score"], whole)


def test_a_file_that_is_not_whole_is_warned_of_and_overwritten(
    tmp_path, monkeypatch, at_every_epoch
):
    estimator = small(AutoencoderTransformer, checkpoint=tmp_path)
    bits = weights(small(AutoencoderTransformer).fit(X))
    for damage in (lambda data: data[:-9], lambda data: b"", lambda data: data[:-9] + b"\1" * 9):
        ended(lambda: estimator.fit(X), monkeypatch)
        (file,) = tmp_path.iterdir()
        file.write_bytes(damage(file.read_bytes()))
        with pytest.warns(UserWarning, match=r"is not whole .*: this fit starts from its beginn"):
            trained = epochs_of(lambda: estimator.fit(X), monkeypatch)
        assert trained[0] == 1
        assert weights(estimator) == bits


def test_a_state_that_does_not_fit_leaves_nothing_half_taken_up(
    tmp_path, monkeypatch, at_every_epoch
):
    estimator = small(AutoencoderTransformer, checkpoint=tmp_path)
    ended(lambda: estimator.fit(X), monkeypatch)
    (file,) = tmp_path.iterdir()
    state = checkpoints._read(file)
    file.write_bytes(checkpoints._bytes_of({**state, "generators": [None, None]}))
    with pytest.warns(UserWarning, match=r"is not whole"):
        estimator.fit(X)
    assert weights(estimator) == weights(small(AutoencoderTransformer).fit(X))


# ------------------------------------------------------------ when it is written, and not


def test_a_short_fit_writes_nothing(tmp_path, monkeypatch):
    ended(lambda: small(AutoencoderTransformer, checkpoint=tmp_path).fit(X), monkeypatch)
    assert checkpoints.SECONDS == 30
    assert os.listdir(tmp_path) == []


def test_a_slow_disk_is_written_to_less_often(tmp_path, monkeypatch):
    now, written = [0.0], []

    def write(path, data):
        written.append(now[0])
        now[0] += 5.0

    def step(net, batch, **kwargs):
        now[0] += 10.0
        return train_step(net, batch, **kwargs)

    train_step = RepresentationNet.train_step
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(checkpoints, "write_whole", write)
    monkeypatch.setattr(RepresentationNet, "train_step", step)
    small(AutoencoderTransformer, batch_size=90, max_epochs=25, checkpoint=tmp_path).fit(X)
    assert written == [30.0, 135.0, 240.0]


def test_a_full_disk_is_warned_of_once_and_the_fit_goes_on(tmp_path, monkeypatch, at_every_epoch):
    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sealed.os, "fsync", full)
    with pytest.warns(UserWarning, match=r"No checkpoint could be written: .*No space") as caught:
        fitted = small(AutoencoderTransformer, checkpoint=tmp_path).fit(X)
    assert len(caught) == 1
    assert weights(fitted) == weights(small(AutoencoderTransformer).fit(X))
    assert os.listdir(tmp_path) == []


def test_a_fit_that_cannot_end_well_leaves_no_file(tmp_path, at_every_epoch):
    estimator = small(AutoencoderTransformer, optimizer="sgd", lr=1e30, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=r"loss"):
        estimator.fit(X)
    assert os.listdir(tmp_path) == []


def test_what_cannot_have_checkpoints_is_refused_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    for params, said in (
        ({"checkpoint": tmp_path / "file"}, r"must be a folder .*File exists"),
        ({"checkpoint": "/proc/none"}, r"must be a folder .*'/proc/none' is not: "),
        ({"checkpoint": ""}, r"'checkpoint' parameter .* a folder, as a str or a path"),
        ({"checkpoint": 3}, r"'checkpoint' parameter .* a folder, as a str or a path"),
        ({"checkpoint": tmp_path, "random_state": None}, r"random_state=None"),
        ({"checkpoint": tmp_path, "callbacks": [EpochScoring("r2")]}, r"skorch's callbacks"),
        (
            {"checkpoint": tmp_path, "encoder": Unknown()},
            r"must tell one fit from others .* Give a function",
        ),
    ):
        with pytest.raises(ValueError, match=said):
            small(AutoencoderTransformer, **params).fit(X)


class Unknown:
    """Makes a network, and cannot be stored."""

    def __call__(self, n_in, n_out):
        return nn.Linear(n_in, n_out)

    def __reduce_ex__(self, protocol):
        raise TypeError


def test_a_detector_and_a_saved_model_take_it_along(tmp_path, at_every_epoch):
    encoder = small(VAETransformer, checkpoint=str(tmp_path), n_importance_samples=2)
    detector = OutlierDetector(estimator=encoder).fit(X)
    assert np.array_equal(
        detector.score_samples(X),
        OutlierDetector(estimator=encoder.set_params(checkpoint=None)).fit(X).score_samples(X),
    )
    assert os.listdir(tmp_path) == []
    save(detector, tmp_path / "detector.safetensors")


# ------------------------------------------------------------ what is told of it


def test_a_fit_that_goes_on_is_told_from_where(tmp_path, monkeypatch, capsys, at_every_epoch):
    estimator = small(AutoencoderTransformer, checkpoint=tmp_path, max_epochs=10, verbose=1)
    ended(lambda: estimator.fit(X), monkeypatch, epoch=7)
    capsys.readouterr()
    estimator.fit(X)
    lines = capsys.readouterr().out.splitlines()
    told = [line.split("epoch ")[1].split()[0] for line in lines]
    assert told == ["7/10", "8/10", "9/10", "10/10"]
    assert [line.split()[1] for line in lines] == ["70", "80", "90", "100"]


@pytest.mark.skipif(CallbackSupportMixin is object, reason="before scikit-learn 1.9")
def test_callbacks_of_scikit_learn_are_told_the_numbers_of_the_epochs(
    tmp_path, monkeypatch, at_every_epoch
):
    class Numbers:
        max_propagation_depth = None

        def setup(self, estimator, context):
            self.seen = []

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            self.seen.append((context.task_name, context.task_id))

        def teardown(self, estimator, context):
            pass

    numbers = Numbers()
    estimator = small(AutoencoderTransformer, checkpoint=tmp_path).set_callbacks(numbers)
    ended(lambda: estimator.fit(X), monkeypatch)
    estimator.fit(X)
    epochs = [number for name, number in numbers.seen if name == "epoch"]
    assert epochs == [3, 4, 5]
