"""Normal scores of ranks, and back."""

import numpy as np
import pytest
from scipy import integrate, stats

from sklearn_replearn._scaling.normal_scores import NormalScores

RANDOM = np.random.default_rng(0)
SKEWED = RANDOM.lognormal(size=3000)
WHOLE = RANDOM.integers(0, 9, size=3000).astype(float)
MOSTLY_ZERO = np.where(RANDOM.random(3000) < 0.9, 0.0, RANDOM.lognormal(5, 2, size=3000))


@pytest.mark.parametrize("values", [SKEWED, WHOLE, MOSTLY_ZERO, np.array([1.0, 2, 3]), np.ones(4)])
def test_scores_are_standardised_increase_and_go_back(values):
    scores = NormalScores(values)
    cells = scores.forward(values)
    assert cells.mean() == pytest.approx(0, abs=1e-9)
    assert cells.std() == pytest.approx(1 if np.ptp(values) else 0, abs=1e-9)
    assert (np.diff(scores.forward(np.unique(values))) > 0).all()
    assert scores.backward(cells) == pytest.approx(values)


def test_a_continuous_column_becomes_normal():
    assert stats.kstest(NormalScores(SKEWED).forward(SKEWED), "norm").pvalue > 0.5
    assert len(NormalScores(SKEWED).knots) < 60
    assert len(NormalScores(SKEWED).intervals()[0]) == 0


def test_values_beyond_those_seen_are_told_apart_and_finite():
    scores = NormalScores(SKEWED)
    far = scores.forward(SKEWED.max() * np.array([1.0, 2.0, 1e6, 1e300]))
    assert (np.diff(far) > 0).all()
    assert far[-1] < 1000
    assert np.isnan(scores.forward(np.array([np.nan]))).all()
    assert scores.backward(np.array([-99.0, 99.0])).tolist() == [SKEWED.min(), SKEWED.max()]


@pytest.mark.parametrize("values", [WHOLE, MOSTLY_ZERO])
def test_intervals_of_atoms_have_their_shares(values):
    scores = NormalScores(values)
    middle, low, high = scores.intervals()
    # Of a standard normal before standardisation.
    cdf = [stats.norm.cdf(side * scores.deviation + scores.mean) for side in (low, high)]
    for value, found, share in zip(middle, *cdf, strict=True):
        atom = scores.backward(np.array([value]))[0]
        assert share - found == pytest.approx((values == atom).mean(), abs=1e-6)


def test_each_repeated_value_is_an_atom_where_that_is_asked_for():
    values = np.append(np.repeat(SKEWED[:100], 2), SKEWED[100:400])
    scores = NormalScores(values, smallest_atom=0.0)
    middle, low, high = scores.intervals()
    assert np.isin(SKEWED[:100], scores.knots).all()
    assert np.allclose(scores.backward(middle), np.sort(SKEWED[:100]))
    shares = np.diff(
        stats.norm.cdf([side * scores.deviation + scores.mean for side in (low, high)]), axis=0
    )
    assert shares == pytest.approx(2 / 500, abs=1e-6)
    assert len(NormalScores(values).intervals()[0]) == 0


def test_the_density_in_original_units_integrates_to_one():
    scores = NormalScores(SKEWED)
    grid = np.linspace(SKEWED.min(), SKEWED.max(), 400_000)
    z = scores.forward(grid) * scores.deviation + scores.mean
    density = stats.norm.pdf(z) * scores.deviation * np.exp(scores.log_slope(grid))
    assert integrate.trapezoid(density, grid) == pytest.approx(1, abs=0.02)


def test_atoms_have_a_probability_and_no_slope():
    assert not NormalScores(WHOLE).log_slope(np.unique(WHOLE)).any()
