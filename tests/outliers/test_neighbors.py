"""Nearest references, by themselves and among others."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from sklearn_replearn.outliers.neighbors import Neighbors


def single(array):
    """Values that a float32 holds."""
    return array.astype(np.float32).astype(np.float64)


@pytest.fixture
def points():
    return single(np.random.RandomState(0).normal(size=(300, 7)))


@pytest.fixture
def others():
    return single(np.random.RandomState(1).normal(size=(50, 7)))


def expected(others, points, known=None, beyond=0.0):
    """The least squared distance, by definition."""
    known = np.ones(others.shape, dtype=bool) if known is None else known
    least = []
    for other, there in zip(others, known, strict=True):
        squares = np.square((points - other)[:, there]).sum(axis=1)
        left = squares[squares >= beyond]
        least.append(left.min() if len(left) else 0.0)
    return np.array(least)


def test_the_distance_is_that_of_the_nearest(points, others):
    found = Neighbors(points).distance(others)
    np.testing.assert_allclose(found, cdist(others, points, "sqeuclidean").min(axis=1), rtol=1e-12)
    np.testing.assert_array_equal(Neighbors(points).distance(points), 0)


@pytest.mark.parametrize("beyond", [0.0, 1e-9])
def test_missing_coordinates_do_not_count(points, others, beyond):
    known = np.random.RandomState(2).uniform(size=others.shape) < 0.6
    known[0], known[1] = False, True
    found = Neighbors(points).distance(others, known, beyond)
    np.testing.assert_allclose(found[1:], expected(others, points, known)[1:], rtol=1e-12)
    assert found[0] == 0  # of a row of which nothing is known


def test_what_is_not_beyond_is_the_point_itself(points):
    distances = cdist(points, points, "sqeuclidean")
    np.fill_diagonal(distances, np.inf)
    for moved in (points, single(points + 1e-5)):
        found = Neighbors(points).distance(moved, beyond=1e-6)
        np.testing.assert_allclose(found, distances.min(axis=1), rtol=1e-3)
    some = np.repeat(points[:20], 3, axis=0)  # all copies are
    found = Neighbors(np.vstack([some, points[20:]])).distance(points, beyond=1e-6)
    np.testing.assert_allclose(found, distances.min(axis=1), rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_where_all_are_equal_the_distance_is_none(n):
    same = np.ones((n, 2))
    np.testing.assert_array_equal(Neighbors(same).distance(same, beyond=1e-6), 0)
    np.testing.assert_array_equal(Neighbors(same).distance(np.zeros((3, 2)), beyond=1e-6), 2)


@pytest.mark.parametrize("size", [1e-15, 1e6, 1e15])
def test_tiny_and_huge_points(points, others, size):
    with np.errstate(all="raise", under="ignore"):
        found = Neighbors(points * size).distance(single(others * size))
    wanted = expected(single(others * size), single(points * size))
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_one_huge_point_does_not_blur_the_others(points, others):
    points[0], others[3] = 1e15, -1e15
    points, others = single(points), single(others)
    known = np.ones(others.shape, dtype=bool)
    for counting in (None, known):
        found = Neighbors(points).distance(others, counting)
        np.testing.assert_allclose(found, expected(others, points), rtol=1e-12)


@pytest.mark.parametrize("width", [1, 7, 40])
@pytest.mark.parametrize("missing", [False, True])
def test_the_same_bits_alone_and_in_company(width, missing):
    random = np.random.RandomState(0)
    points, others = random.normal(size=(1500, width)), random.normal(size=(200, width))
    others[:20] = points[:20]
    known = random.uniform(size=others.shape) < 0.8 if missing else None
    neighbors = Neighbors(points)

    def asked(rows):
        counting = None if known is None else known[rows]
        return neighbors.distance(others[rows], counting, 1e-6)

    together = asked(np.arange(200))
    for rows in (np.arange(200)[::-1], np.arange(3, 90, 7), np.array([5])):
        np.testing.assert_array_equal(asked(rows), together[rows])
    np.testing.assert_array_equal([asked(np.array([i]))[0] for i in range(200)], together)


def test_nearest_are_the_nearest(points, others):
    distances = cdist(others, points)
    neighbors = Neighbors(points)
    found = neighbors.nearest(others)[:, 0]
    np.testing.assert_allclose(distances[np.arange(50), found], distances.min(axis=1), rtol=1e-3)
    five = np.take_along_axis(distances, neighbors.nearest(others, count=5), axis=1)
    np.testing.assert_allclose(np.sort(five), np.sort(distances)[:, :5], rtol=1e-3)
    assert neighbors.nearest(others, count=999).shape == (50, 300)


def test_missing_coordinates_do_not_count_for_the_nearest(points):
    known = np.random.RandomState(2).uniform(size=points.shape) < 0.6
    known[0] = False
    nearest = Neighbors(points).nearest(points + 0.3, known)[:, 0]
    for i in range(1, 300):
        distances = np.square(points[:, known[i]] - points[i, known[i]] - 0.3).sum(axis=1)
        assert distances[nearest[i]] == pytest.approx(distances.min(), rel=1e-3, abs=2e-3)


def test_of_equal_references_it_is_the_first(points):
    twice = np.vstack([points, points])
    assert (Neighbors(twice).nearest(points)[:, 0] == np.arange(300)).all()


def test_the_nearest_are_the_same_alone_and_in_company():
    random = np.random.RandomState(0)
    neighbors, others = Neighbors(random.normal(size=(3000, 30))), random.normal(size=(300, 30))
    together = neighbors.nearest(others, count=8)
    alone = [neighbors.nearest(row[None], count=8)[0] for row in others]
    np.testing.assert_array_equal(alone, together)


def test_mean_distances_are_those_to_a_share(points):
    distances = cdist(points, points)
    found = Neighbors(points).mean_distance(points, 0.1)
    np.testing.assert_allclose(found, np.sort(distances)[:, :30].mean(axis=1), atol=2e-3)
    assert Neighbors(points[:1]).mean_distance(points[:1], 0.1) == pytest.approx(0, abs=1e-2)
    # Of few the nearest other one, not the point itself alone.
    found = Neighbors(points[:3]).mean_distance(points[:3], 0.1)
    np.testing.assert_allclose(found, np.sort(distances[:3, :3])[:, 1] / 2, rtol=1e-3)
