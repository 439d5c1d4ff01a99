"""Fits that go on with each part of a stream."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from quick import quick
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    VAETransformer,
    load,
    save,
)
from sklearn_replearn.objectives import SupCon
from sklearn_replearn.rows import Images

ALL = [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
WINE = load_wine().data
all_transformers = pytest.mark.parametrize("cls", ALL)


def table(n, seed, levels="uvw"):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    return pd.DataFrame(
        {
            "a": a,
            "b": np.where(rng.uniform(size=n) < 0.2, np.nan, a + rng.normal(size=n)),
            "c": np.array(list(levels))[(a > 0).astype(int) + (rng.uniform(size=n) > 0.5)],
        }
    )


def after(model, seeds=range(3)):
    for seed in seeds:
        model.partial_fit(table(60, seed))
    return model


def codes(model, seed=9):
    return model.transform(table(50, seed))


@all_transformers
def test_the_same_calls_give_the_same_model_also_across_files(cls, tmp_path):
    once = after(quick(cls), range(5))
    begun = after(quick(cls))
    save(begun, tmp_path / "begun.safetensors")
    for copy in (pickle.loads(pickle.dumps(begun)), load(tmp_path / "begun.safetensors"), begun):
        assert np.array_equal(codes(after(copy, (3, 4))), codes(once))
    assert once.n_iter_ == len(once.history_) == 5
    assert not np.array_equal(codes(after(quick(cls), (1, 0, 2, 3, 4))), codes(once))
    mixed = quick(cls).partial_fit(table(60, 0).sample(frac=1, random_state=0))
    assert np.array_equal(codes(mixed), codes(after(quick(cls), (0,))))


@all_transformers
def test_it_learns_about_what_fit_learns(cls):
    X = StandardScaler().fit_transform(load_digits().data[:900])
    X, held_out = X[:700], X[700:]
    fitted = cls(8, max_epochs=10).fit(X)
    streamed, untrained = cls(8), cls(8).partial_fit(X[:70])
    for _ in range(10):
        for chunk in np.array_split(X, 10):
            streamed.partial_fit(chunk, columns_from=None)
    gained = streamed.score(held_out) - untrained.score(held_out)
    assert gained > 0.9 * (fitted.score(held_out) - untrained.score(held_out)) > 0


@all_transformers
def test_codes_are_described_by_all_rows_so_far(cls):
    streamed = quick(cls)
    low, high = np.array_split(WINE[np.argsort(WINE[:, 12])], 2)  # unlike each other
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for chunk in (low, high) * 3:
            streamed.partial_fit(chunk)
    if cls is not VAETransformer:
        assert streamed.transform(WINE).mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-3)
        assert streamed.transform(WINE).std(axis=0) == pytest.approx(np.ones(3), abs=1e-2)
    kept = streamed._model.stream.kept
    assert len(kept) == len(np.unique(WINE, axis=0))
    assert kept.total == 3 * len(WINE)


@all_transformers
def test_what_comes_later_is_counted_and_said_once(cls):
    model = after(quick(cls), (0,))
    assert len(model.novelties_) == 0
    new = table(60, 1, "uvx")
    with pytest.warns(UserWarning, match="In column 'c' are levels that fit has not seen: x"):
        model.partial_fit(new)
    again = table(60, 2, "uvx")
    model.partial_fit(again)  # warnings are errors
    row = model.novelties_.set_index("column").loc["c"]
    assert row["rows_unseen"] == (new["c"] == "x").sum() + (again["c"] == "x").sum() > 0
    assert row["levels"] == "x"
    assert not (model.inverse_transform(model.transform(new))["c"] == "x").any()
    far = table(60, 3).assign(a=lambda frame: frame["a"] + 50)
    with pytest.warns(UserWarning, match="in column 'a' many numbers are beyond"):
        model.partial_fit(far)
    assert model.novelties_.set_index("column").loc["a", "rows_beyond"] >= 60
    model.partial_fit(far)
    assert model.novelties_.set_index("column").loc["a", "rows_beyond"] < 70  # seen by now
    assert clone(model).fit(new).novelties_.empty


@all_transformers
def test_rows_of_a_new_level_teach_nothing_about_that_column(cls):
    first, other = table(80, 0), table(80, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        new = quick(cls).partial_fit(first).partial_fit(other.assign(c="new"))
        newer = quick(cls).partial_fit(first).partial_fit(other.assign(c="newer"))
    assert np.array_equal(codes(new), codes(newer))


def test_warm_start_counts_and_warns_as_well():
    model = quick(AutoencoderTransformer, warm_start=True).fit(table(60, 0))
    with pytest.warns(UserWarning, match="levels that fit has not seen: x"):
        model.fit(table(60, 1, "uvx"))
    assert model.novelties_.set_index("column").loc["c", "levels"] == "x"


@all_transformers
def test_columns_come_from_another_table(cls):
    whole = pd.concat([table(60, 0), table(60, 1, "uvx")])
    model = quick(cls).partial_fit(table(60, 2), columns_from=whole)
    model.partial_fit(table(60, 3, "uvx"))
    assert "c" not in set(model.novelties_["column"])
    assert np.array_equal(
        codes(model),
        codes(
            quick(cls)
            .partial_fit(table(60, 2), columns_from=lambda: iter([whole]))
            .partial_fit(table(60, 3, "uvx"))
        ),
    )
    with pytest.raises(ValueError, match="knows them already"):
        model.partial_fit(table(60, 3), columns_from=whole)


@all_transformers
def test_it_goes_on_after_fit_and_fit_starts_anew(cls):
    X = table(120, 0)
    model = quick(cls, max_epochs=30).fit(X)
    before, fitted = model.score(X), codes(model)
    model.partial_fit(table(60, 1))
    assert model.score(X) > before - 0.2 * abs(before)
    assert model.n_iter_ == 31
    assert np.array_equal(codes(model.fit(X)), fitted)


@all_transformers
@pytest.mark.parametrize("n", [1, 2, 3])
def test_later_parts_may_be_small(cls, n):
    model = after(quick(cls)).partial_fit(table(n, 5))
    assert np.isfinite(codes(model)).all()


@all_transformers
def test_weights_are_repeats(cls):
    X, repeats = table(60, 1), np.arange(60) % 3
    weighed = after(quick(cls), (0,)).partial_fit(X, sample_weight=repeats)
    repeated = after(quick(cls), (0,)).partial_fit(X.loc[X.index.repeat(repeats)])
    assert np.array_equal(codes(weighed), codes(repeated))


def test_arrays_images_and_sparse_rows_are_streamed():
    X = load_digits().data[:120]
    for model, rows in (
        (AutoencoderTransformer(2, rows=Images((1, 8, 8))), X.reshape(-1, 1, 8, 8)),
        (AutoencoderTransformer(2), sp.csr_array(X)),
        (VAETransformer(2), X.astype(np.float32)),
    ):
        for start in (0, 40, 80):
            model.partial_fit(rows[start : start + 40])
        assert model.transform(rows).shape == (120, 2)
        assert pickle.loads(pickle.dumps(model)).partial_fit(rows).n_iter_ == 4


def test_labels_stand_beside_the_rows_of_a_call():
    X, y = load_wine(return_X_y=True)
    model = quick(ContrastiveTransformer, objective=SupCon())
    model.partial_fit(X[::2], y[::2]).partial_fit(X[1::2], y[1::2])
    assert model.n_iter_ == 2
    with pytest.raises(ValueError, match="y"):
        model.partial_fit(X, y[:-1])
    assert model.n_iter_ == 2


def test_what_cannot_go_on_is_refused_and_changes_nothing():
    model = after(quick(AutoencoderTransformer))
    before = codes(model)
    for X, said in (
        (table(9, 0)[["a", "b"]], "feature names should match"),
        (table(9, 0).assign(a="text"), "held numbers"),
        (table(9, 0).assign(a=np.inf), "inf"),
    ):
        with pytest.raises(ValueError, match=said):
            model.partial_fit(X)
    with pytest.raises(ValueError, match="hidden_layer_sizes changed since"):
        model.set_params(hidden_layer_sizes=(7,)).partial_fit(table(60, 0))
    model.set_params(hidden_layer_sizes="auto")
    assert np.array_equal(codes(model), before)
    numbers = quick(AutoencoderTransformer).partial_fit(WINE)
    holes = np.where(np.arange(13) == 3, np.nan, WINE)
    with pytest.raises(ValueError, match="columns_from, in which some are missing"):
        numbers.partial_fit(holes)
    with pytest.raises(ValueError, match="density='autoregressive' is learned after"):
        quick(VAETransformer, density="autoregressive").partial_fit(WINE)
    with pytest.raises(ValueError, match="minimum of 2"):
        quick(AutoencoderTransformer).partial_fit(WINE[:1])
