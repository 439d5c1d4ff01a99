"""Nearest references, by themselves and among others."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from sklearn_replearn.outliers.neighbors import Neighbors


@pytest.fixture
def points():
    return np.random.RandomState(0).normal(size=(300, 7)).astype(np.float32).astype(float)


def test_they_are_the_nearest(points):
    others = np.random.RandomState(1).normal(size=(50, 7)).astype(np.float32).astype(float)
    distances = cdist(others, points)
    neighbors = Neighbors(points)
    np.testing.assert_array_equal(neighbors.nearest(others)[:, 0], distances.argmin(axis=1))
    expected = np.sort(np.argsort(distances, axis=1)[:, :5])
    np.testing.assert_array_equal(np.sort(neighbors.nearest(others, count=5)), expected)
    found = neighbors.differences(others, neighbors.nearest(others)[:, 0])
    np.testing.assert_allclose(np.square(found).sum(axis=1), distances.min(axis=1) ** 2)


def test_a_point_is_not_its_own_neighbour(points):
    own = np.stack([np.arange(300), np.arange(1, 301)], axis=1)
    distances = cdist(points, points)
    np.fill_diagonal(distances, np.inf)
    nearest = Neighbors(points).nearest(points, own=own)[:, 0]
    np.testing.assert_array_equal(nearest, distances.argmin(axis=1))
    mean = Neighbors(points).mean_distance(points, own, 0.1)
    np.testing.assert_allclose(mean, np.sort(distances)[:, :30].mean(axis=1), rtol=1e-6)


def test_missing_coordinates_do_not_count(points):
    known = np.random.RandomState(2).uniform(size=points.shape) < 0.6
    known[0] = False
    nearest = Neighbors(points).nearest(points + 0.3, known)[:, 0]
    for i in range(1, 300):
        distances = np.square(points[:, known[i]] - points[i, known[i]] - 0.3).sum(axis=1)
        assert distances[nearest[i]] == pytest.approx(distances.min(), rel=1e-5, abs=1e-9)


def test_of_equal_references_it_is_the_first(points):
    twice = np.vstack([points, points])
    assert (Neighbors(twice).nearest(points)[:, 0] == np.arange(300)).all()


def test_one_reference_is_enough():
    assert (
        Neighbors(np.ones((1, 2))).nearest(np.zeros((3, 2)), own=np.array([[0, 1]] * 3)).tolist()
        == [[0]] * 3
    )
