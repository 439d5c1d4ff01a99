"""Missing cells predicted and drawn from those that are there."""

import pickle

import numpy as np
import pytest
import torch

from sklearn_replearn import VAETransformer
from sklearn_replearn.densities import prediction_training
from sklearn_replearn.densities.gaussian import Gaussian, fitted_gaussian
from sklearn_replearn.densities.masked_prediction import fitted_prediction


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(prediction_training, "_FEWEST_UPDATES", 60)
    monkeypatch.setattr(prediction_training, "_UPDATES", 150)


def prediction_of(X, seed=0):
    """The prediction of a table, its cells as a model scales them, and its scaler."""
    model = VAETransformer(latent_dim=1, max_epochs=1, random_state=0).fit(X)
    table, scaler = np.array(model._table(X)[:]), model._model.scaler
    scaled = scaler.scale(table)
    return fitted_prediction(scaled, scaler, seed, torch.device("cpu")), scaled, scaler


def normal_rows(n, random):
    x = random.normal(size=(n, 3))
    return x @ np.array([[1.0, 0.8, -0.5], [0, 0.6, 0.5], [0, 0, 0.7]]) + [5.0, 0.0, -3.0]


def with_holes(X, random, share=0.2):
    return np.where(random.uniform(size=X.shape) < share, np.nan, X)


def test_conditional_means_of_a_normal_distribution():
    random = np.random.RandomState(0)
    X = normal_rows(400, random)
    prediction, _, scaler = prediction_of(with_holes(X, random))
    rows = np.array([[6.0, np.nan, -3.0], [np.nan, np.nan, np.nan], [np.nan, 1.0, np.nan]])
    filled = scaler.unscale(prediction.expected(scaler.scale(rows)))
    mixing = np.array([[1.0, 0.8, -0.5], [0, 0.6, 0.5], [0, 0, 0.7]])
    mean, covariance = np.array([5.0, 0.0, -3.0]), mixing.T @ mixing
    for row, found in zip(rows, filled, strict=True):
        known = ~np.isnan(row)
        slope = np.linalg.pinv(covariance[np.ix_(known, known)]) @ covariance[known]
        true = mean + (row[known] - mean[known]) @ slope
        np.testing.assert_allclose(found, true, atol=0.2)
        np.testing.assert_allclose(found[known], row[known], atol=1e-9)


def test_likeliest_covariance_where_cells_are_missing():
    random = np.random.RandomState(0)
    X = normal_rows(2000, random)
    cells = torch.from_numpy(with_holes(X, random, 0.3))
    found = fitted_gaussian(torch.nan_to_num(cells), ~torch.isnan(cells))
    np.testing.assert_allclose(found.mean, X.mean(axis=0), atol=0.08)
    np.testing.assert_allclose(found.covariance, np.cov(X.T), atol=0.1)


def test_deviation_of_what_is_not_known():
    gaussian = Gaussian(np.zeros(2), np.array([[1.0, 0.6], [0.6, 1.0]]))
    known = torch.tensor([[True, False], [False, False], [True, True]])
    mean, deviation = gaussian.conditional(torch.ones((3, 2), dtype=torch.float64), known)
    np.testing.assert_allclose(mean, [[1, 0.6], [0, 0], [1, 1]])
    np.testing.assert_allclose(deviation, [[0, 0.8], [1, 1], [0, 0]])


def test_what_is_not_linear_is_learned(monkeypatch):
    monkeypatch.setattr(prediction_training, "_FEWEST_UPDATES", 400)
    random = np.random.RandomState(0)
    x = random.normal(size=600)
    X = np.column_stack([x, np.square(x) + 0.1 * random.normal(size=600)])
    prediction, _, scaler = prediction_of(X)
    rows = np.column_stack([np.linspace(-1.5, 1.5, 9), np.full(9, np.nan)])
    filled = scaler.unscale(prediction.expected(scaler.scale(rows)))[:, 1]
    np.testing.assert_allclose(filled, np.square(rows[:, 0]), atol=0.35)


def test_intervals_cover():
    random = np.random.RandomState(0)
    x = random.normal(size=(1500, 2))
    X = np.column_stack([x[:, 0], 0.8 * x[:, 0] + 0.6 * x[:, 1]])
    prediction, scaled, _ = prediction_of(X)
    rows, column = np.arange(500), random.randint(2, size=500)
    holes = scaled[:500].copy()
    holes[rows, column] = np.nan
    generator = torch.Generator().manual_seed(0)
    draws = np.array([prediction.drawn(holes, generator) for _ in range(50)])
    low, high = np.quantile(draws[:, rows, column], [0.05, 0.95], axis=0, method="weibull")
    true = scaled[rows, column]
    assert 0.86 < ((low <= true) & (true <= high)).mean() < 0.94
    kept = ~np.isnan(holes)
    assert (draws[:, kept] == holes[kept]).all()


def mixed(n, random):
    import pandas as pd

    level = random.randint(3, size=n)
    name = np.array(["a", "b", "c"], dtype=object)[level]
    size = np.array(["small", "large"], dtype=object)[(level > 0).astype(int)]
    number = level + 0.2 * random.normal(size=n)
    return pd.DataFrame(
        {"name": pd.Categorical(name), "size": pd.Categorical(size), "number": number}
    )


def test_levels_follow_from_the_others():
    table = mixed(300, np.random.RandomState(0))
    table.loc[::7, "name"] = None
    prediction, scaled, _ = prediction_of(table)
    holes = scaled.copy()
    holes[:, 0] = np.nan
    there = ~np.isnan(scaled[:, 0])
    assert (prediction.expected(holes)[there, 0] == scaled[there, 0]).mean() > 0.95
    drawn = prediction.drawn(holes, torch.Generator().manual_seed(0))
    assert (drawn[there, 0] == scaled[there, 0]).mean() > 0.85
    assert np.isin(drawn[:, 0], [1, 2, 3]).all()


@pytest.mark.parametrize(
    "X",
    [
        np.array([[1.0, 2.0], [2.0, np.nan], [3.0, 5.0]]),
        np.arange(20.0)[:, None] ** 2,
        np.column_stack([np.full(12, 3.0), np.arange(12.0), np.arange(12.0) % 5]),
    ],
    ids=["three rows", "one column", "constant column"],
)
def test_small_tables(X):
    prediction, scaled, scaler = prediction_of(X)
    rows = np.vstack([scaled, np.full((1, X.shape[1]), np.nan)])
    low, high = scaler.low - 1e-6, scaler.high + 1e-6
    filled = prediction.expected(rows)
    assert np.isfinite(filled).all()
    assert ((filled >= low) & (filled <= high))[:-1][~np.isnan(scaled)].all()
    assert np.isfinite(prediction.drawn(rows, torch.Generator().manual_seed(0))).all()


def test_repeats_and_is_its_own_after_pickling():
    X = with_holes(normal_rows(100, np.random.RandomState(0)), np.random.RandomState(1))
    state = torch.get_rng_state()
    first, scaled, _ = prediction_of(X)
    second, _, _ = prediction_of(X)
    other, _, _ = prediction_of(X, seed=1)
    assert torch.equal(state, torch.get_rng_state())
    stored = pickle.loads(pickle.dumps(first))
    assert pickle.dumps(pickle.loads(pickle.dumps(stored))) == pickle.dumps(stored)
    expected = first.expected(scaled)
    assert np.array_equal(expected, second.expected(scaled))
    assert np.array_equal(expected, stored.expected(scaled))
    assert not np.array_equal(expected, other.expected(scaled))
    alone = np.vstack([first.expected(row[None]) for row in scaled])
    np.testing.assert_allclose(alone, expected, rtol=0, atol=1e-12)
    draws = [
        prediction.drawn(scaled, torch.Generator().manual_seed(3)) for prediction in (first, stored)
    ]
    assert np.array_equal(*draws)


def test_too_wide_tables_have_none():
    random = np.random.RandomState(0)
    assert prediction_of(random.normal(size=(20, 200)))[0] is None
