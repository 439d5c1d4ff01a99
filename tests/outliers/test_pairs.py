"""Surprise at cells given others, by tables of pairs of bins."""

import numpy as np
import pytest

from sklearn_replearn.outliers.judges.pairs import Bins, Pairs


def test_repeated_values_have_bins_of_their_own():
    random = np.random.RandomState(0)
    values = np.concatenate([np.zeros(500), random.exponential(size=500), [np.nan] * 10])
    bins = Bins(values)
    numbers = bins(values)
    assert len(set(numbers[:500])) == 1
    assert numbers[0] not in numbers[500:1000]
    assert set(numbers[-10:]) == {bins.n_bins - 1}
    assert bins.n_bins <= 40
    shared = np.bincount(numbers[500:1000], minlength=bins.n_bins)
    assert shared.max() <= 40


def test_bins_are_in_the_order_of_values():
    values = np.concatenate([np.full(200, 0.5), np.random.RandomState(0).uniform(size=800)])
    bins = Bins(values)
    ordered = bins(np.sort(values))
    ordered = ordered[np.sort(values) != 0.5]
    assert (np.diff(ordered) >= 0).all()


def test_far_values_surprise_more():
    bins = Bins(np.arange(100.0))
    beyond = bins.beyond(np.array([50.0, 99.0, 200.0, 1e6, np.nan]))
    assert beyond[:2].tolist() == [0, 0]
    assert beyond[4] == 0
    assert 0 < beyond[2] < beyond[3]


def test_surprise_is_that_of_the_model_it_comes_from():
    random = np.random.RandomState(0)
    first = random.randint(3, size=20_000)
    second = np.where(random.uniform(size=20_000) < 0.9, first, random.randint(3, size=20_000))
    pairs = Pairs(np.column_stack([first, second]).astype(float))
    probability = {True: 0.9 + 0.1 / 3, False: 0.1 / 3}
    for a, b in ((0.0, 0.0), (0.0, 1.0), (2.0, 2.0)):
        surprise = pairs.surprise(np.array([[a, b]]))
        np.testing.assert_allclose(surprise, -np.log(probability[a == b]), atol=0.05)


def test_probabilities_given_another_column_add_up():
    random = np.random.RandomState(0)
    rows = random.randint(6, size=(500, 2)).astype(float)
    rows[:, 1] = np.where(random.uniform(size=500) < 0.7, rows[:, 0], rows[:, 1])
    pairs = Pairs(rows)
    for given in range(6):
        cells = np.column_stack([np.arange(6.0), np.full(6, given)])
        total = np.exp(-pairs.surprise(cells)[:, 0]).sum()
        assert total == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("shape", [(2, 1), (3, 2), (50, 40)])
def test_small_and_wide_tables(shape):
    rows = np.random.RandomState(0).normal(size=shape)
    pairs = Pairs(rows)
    assert np.isfinite(pairs.surprise(rows + 1)).all()
    missing = np.full((1, shape[1]), np.nan)
    assert np.isfinite(pairs.surprise(missing)).all()


def test_of_many_columns_the_correlated_pairs_are_looked_at():
    random = np.random.RandomState(0)
    rows = random.normal(size=(500, 60))
    rows[:, 59] = rows[:, 0]
    pairs = Pairs(rows)
    assert len(pairs.pairs) == 600
    assert (pairs.pairs == [59, 0]).all(axis=1).any()
