"""Densities of mixtures."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from sklearn_replearn._mixtures import Density

SETTINGS = {"seed": 0, "reg_covar": 1e-6}


@pytest.fixture
def points():
    random = np.random.RandomState(0)
    return random.normal(size=(3000, 4)) @ random.normal(size=(4, 4))


def test_one_component_is_the_normal_distribution(points):
    density = Density(points, 1, **SETTINGS)
    normal = multivariate_normal(points.mean(axis=0), np.cov(points.T, bias=True))
    np.testing.assert_allclose(density.surprise(points), -normal.logpdf(points), rtol=1e-4)


def test_a_missing_cell_costs_what_it_would_on_average(points):
    density = Density(points, 1, **SETTINGS)
    known = np.ones((1, 4), dtype=bool)
    known[0, 2] = False
    row = points[:1]
    mean, covariance = points.mean(axis=0), np.cov(points.T, bias=True)
    there = known[0]
    weights = np.linalg.solve(covariance[np.ix_(there, there)], covariance[there, 2])
    centre = mean[2] + (row[0, there] - mean[there]) @ weights
    deviation = np.sqrt(covariance[2, 2] - covariance[2, there] @ weights)
    drawn = np.repeat(row, 20_000, axis=0)
    drawn[:, 2] = np.random.RandomState(0).normal(centre, deviation, size=20_000)
    expected = density.surprise(drawn).mean()
    assert density.surprise(np.where(known, row, 0.0), known)[0] == pytest.approx(
        expected, abs=0.03
    )


def test_more_coordinates_than_axes():
    random = np.random.RandomState(0)
    points = random.normal(size=(400, 3)) @ random.normal(size=(3, 200))
    points += 0.1 * random.normal(size=points.shape)
    density = Density(points[:300], 4, **SETTINGS)
    odd = points[300:].copy()
    odd[:, 5] += 2.0
    assert np.median(density.surprise(odd)) > density.surprise(points[300:]).max()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_points(n):
    points = np.random.RandomState(0).normal(size=(n, 5))
    assert np.isfinite(Density(points, 8, seed=0, reg_covar=1e-3).surprise(points)).all()
