"""Densities of cells, alone and given others, by tables of pairs of bins."""

import numpy as np
import pytest
from outlier_tables import observed
from scipy.stats import norm, spearmanr

from sklearn_replearn.outliers import PairDensity
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
    pairs = Pairs(np.arange(100.0)[:, None])
    surprise = pairs.surprise(np.array([[50.0], [99.0], [200.0], [1e6], [1e308]]))
    assert (np.diff(surprise) > 0).tolist()[1:] == [True] * 3
    assert surprise[0] == pytest.approx(surprise[1], abs=0.5)


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
        total = np.exp(-pairs.surprise(cells)).sum()
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
    assert len(pairs.pairs) == 480  # eight for each column
    assert (pairs.pairs == [59, 0]).all(axis=1).any()


# ---------------------------------------------------------------- a density with tails


def normal(n, seed, correlation=0.99):
    random = np.random.RandomState(seed)
    return random.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], size=n)


def test_it_is_the_density_of_a_column():
    training, later = (np.random.RandomState(seed).normal(size=(2000, 1)) for seed in (0, 1))
    found, expected = Pairs(training).surprise(later), -norm.logpdf(later[:, 0])
    # Measured: .91 and .87. The outermost of 32 bins of equal share are flat up to the last row.
    assert np.corrcoef(found, expected)[0, 1] > 0.89
    assert spearmanr(found, expected)[0] > 0.84


def test_a_row_far_out_along_a_correlation_surprises_more_than_a_central_one():
    pairs = Pairs(normal(1000, 0))
    central, out, far, across = pairs.surprise(
        np.array([[0.0, 0.0], [2.5, 2.5], [8.0, 8.0], [2.0, -2.0]])
    )
    assert central < out < far
    assert central + 1 < across
    middle, rim = normal(500, 1), np.random.RandomState(2).uniform(2, 4, size=(100, 1))
    middle = pairs.surprise(middle[np.abs(middle).max(axis=1) < 1])
    # Where bins had shares and no widths, none of the rim surprised as much as the middle.
    assert pairs.surprise(rim.repeat(2, axis=1)).min() > np.quantile(middle, 0.75)


@pytest.mark.parametrize("unit", [1e-300, 1e-15, 1e-6, 3.0, 1e12, 1e150, 1e300])
def test_units_do_not_matter(unit):
    training, later = normal(300, 0), 2 * normal(50, 1, 0.0)
    expected = Pairs(training).surprise(later)
    # Far-off values may be beyond what a float holds in so large a unit.
    np.testing.assert_allclose(Pairs(training * unit).surprise(later * unit), expected, rtol=1e-6)


def test_where_the_origin_is_does_not_matter():
    training, later = normal(300, 0), 2 * normal(50, 1, 0.0)
    expected = Pairs(training).surprise(later)
    np.testing.assert_allclose(Pairs(training + 4096).surprise(later + 4096), expected, atol=1e-6)


def test_what_is_missing_where_it_never_was_surprises():
    random = np.random.RandomState(0)
    training = random.normal(size=(300, 2))
    training[:, 1] = np.where(random.uniform(size=300) < 0.5, np.nan, training[:, 1])
    pairs = Pairs(training)
    usual, odd, none = pairs.surprise(np.array([[0.0, np.nan], [np.nan, 0.0], [0.0, 0.0]]))
    assert odd > usual + 1
    assert odd > none


@pytest.mark.parametrize("value", [1e30, 1e300, 1.7e308, -1.7e308])
def test_huge_values_surprise_and_stay_finite(value):
    for column in (np.random.RandomState(0).normal(size=60), np.zeros(60), np.arange(60) % 2):
        pairs = Pairs(np.column_stack([column, column]).astype(float))
        huge, usual = pairs.surprise(np.array([[value, 0.0], [0.0, 0.0]]))
        assert np.isfinite(huge)
        assert huge > usual + 5


@pytest.mark.parametrize("shape", [(5, 3000), (20, 2100)])
def test_wide_tables_take_bounded_work(shape):
    (rows,) = observed(np.random.RandomState(0).normal(size=shape))
    pairs = PairDensity().fit(rows).pairs_
    assert len(pairs.bins) <= 2048
    assert len(pairs.pairs) <= 1500
