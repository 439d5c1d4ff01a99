"""Codes drawn from mixtures, and cells mapped to the distribution of fit."""

import numpy as np
import pytest
from repeatability import seeded
from scipy.stats import ks_2samp

from sklearn_replearn._estimators.code_priors import AggregatePosterior, Prior
from sklearn_replearn._estimators.quantile_maps import QuantileMap


def test_the_mixture_has_the_moments_of_the_codes_and_the_prior_elsewhere():
    random = np.random.default_rng(0)
    mean = np.zeros((2000, 4))
    mean[:, 0] = np.where(random.random(2000) < 0.5, -2, 2)
    mean[:, 2] = mean[:, 0] + 0.5 * random.normal(size=2000)
    mixture = AggregatePosterior(mean, np.full_like(mean, 0.3), seed=0)
    assert mixture.active.tolist() == [0, 2]
    codes = mixture.draw(20_000, 4, seeded())
    assert np.cov(codes[:, [0, 2]].T) == pytest.approx(
        np.cov(mean[:, [0, 2]].T) + 0.09 * np.eye(2), abs=0.1
    )
    assert (np.abs(codes[:, 0]) < 1).mean() < 0.02  # two peaks
    assert codes[:, [1, 3]].std(axis=0) == pytest.approx(1, abs=0.03)


def test_codes_that_say_nothing_are_drawn_from_the_prior():
    nothing = AggregatePosterior(np.zeros((50, 3)), np.ones((50, 3)), seed=0)
    drawn = (d.draw(5, 3, seeded(1)) for d in (nothing, Prior()))
    assert np.array_equal(*drawn)


def test_a_map_gives_a_column_the_distribution_of_fit_and_its_atoms_exactly():
    random = np.random.default_rng(0)
    trained = np.where(random.random(5000) < 0.8, 0.3, random.lognormal(size=5000))
    drawn = random.normal(size=5000)
    mapped = QuantileMap.between(drawn, trained).apply(drawn)
    assert (mapped == 0.3).mean() == pytest.approx(0.8, abs=0.02)
    assert ks_2samp(mapped, trained).statistic < 0.03
    assert mapped.mean() == pytest.approx(trained.mean(), rel=0.1)
    assert (np.diff(mapped[drawn.argsort()]) >= 0).all()
