"""Encoders that have seen no cell hidden impute better than the mean all the same."""

import numpy as np
import pandas as pd
import pytest

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer
from sklearn_replearn._estimators.completion import Completion


def error(filled, X, gone):
    return np.sqrt(np.square((filled - X) / X.std(axis=0))[gone].mean())


@pytest.mark.parametrize("made", ["array", "float32", "beside a category"])
@pytest.mark.parametrize("cls", [AutoencoderTransformer, ContrastiveTransformer])
@pytest.mark.parametrize("seen", ["complete", "missing"])
def test_imputed_numbers_are_better_than_the_mean(cls, seen, made, wine):
    X, _ = wine
    train, test = X[::2], X[1::2]
    gone = np.random.default_rng(0).random(test.shape) < 0.2
    holes = np.where(gone, np.nan, test)
    if seen == "missing":
        train = np.where(np.random.default_rng(1).random(train.shape) < 0.2, np.nan, train)

    def table(cells, first):
        if made == "array":
            return cells
        if made == "float32":
            return cells.astype(np.float32)
        level = np.where(first > np.median(X[:, 0]), "high", "low")
        return pd.DataFrame(cells).add_prefix("x").assign(level=level)

    fitted = cls(max_epochs=60).fit(table(train, X[::2, 0]))
    filled = np.asarray(fitted.impute(table(holes, test[:, 0])))[:, : X.shape[1]].astype(float)
    kept = holes.astype(np.float32 if made == "float32" else float)
    assert np.array_equal(filled[~gone], kept[~gone])
    means = np.broadcast_to(np.nanmean(train, axis=0), test.shape)
    assert error(filled, test, gone) < 0.87 * error(means, test, gone)
    low, high = np.nanmin(train, axis=0), np.nanmax(train, axis=0)
    slack = 1e-6 * (high - low)
    assert ((filled >= low - slack) & (filled <= high + slack))[gone].all()


@pytest.mark.parametrize("cls", [AutoencoderTransformer, ContrastiveTransformer])
def test_a_row_is_imputed_by_itself(cls, wine):
    X, _ = wine
    fitted = cls(hidden_layer_sizes=(17,), max_epochs=3).fit(X)
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.5, np.nan, X)
    holes[3] = np.nan
    filled = fitted.impute(holes)
    assert np.isfinite(filled).all()
    alone = np.concatenate([fitted.impute(row[None]) for row in holes[:20]])
    assert np.array_equal(alone, filled[:20])


def test_missing_cells_are_what_normal_factors_tell():
    loadings = np.array([[2.0, 1.0, 0.0]])
    model = Completion(np.array([0.0, 5.0, 1.0]), loadings, np.full(3, 0.5))
    rows = np.array([[2.0, np.nan, np.nan], [np.nan, np.nan, 3.0]])
    filled = model.completed(rows, np.ones(3, dtype=bool))
    # Regression on the first: covariance 2, variance 4 + 0.5.
    assert filled == pytest.approx(np.array([[2.0, 5 + 2 * 2 / 4.5, 1.0], [0.0, 5.0, 3.0]]))
    kept = model.completed(rows, np.array([True, True, False]))
    assert np.isnan(kept[0, 2])
