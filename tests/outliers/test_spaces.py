"""Cells as coordinates of which each column has about the same share of distances."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from sklearn_replearn._dataset.multiset import canonical
from sklearn_replearn._tables.validation import read_table
from sklearn_replearn.outliers.spaces import Space


def space_of(table, scaling="standard"):
    cells, schema = read_table(BaseEstimator(), table)
    multiset = canonical(cells, np.ones(len(cells)))
    return Space(scaling, multiset, schema, None, 0), cells


def by_column(space, coordinates):
    """Sums of the coordinates of each column."""
    return np.add.reduceat(coordinates, space.begins, axis=1)


@pytest.fixture
def table():
    random = np.random.RandomState(0)
    return pd.DataFrame(
        {
            "number": 1e6 * random.normal(size=2000),
            "level": random.choice(["a", "b", "c"], size=2000, p=[0.7, 0.2, 0.1]),
            "heavy": random.standard_t(1, size=2000),
            "many": random.choice([f"id {i}" for i in range(400)], size=2000),
        }
    )


@pytest.mark.parametrize("scaling", ["standard", "quantile"])
def test_columns_have_equal_shares_of_distances(table, scaling):
    space, cells = space_of(table, scaling)
    points = space.points(cells)
    order = np.random.RandomState(1).permutation(len(points))
    shares = by_column(space, np.square(points - points[order])).mean(axis=0)
    np.testing.assert_allclose(shares[[0, 1, 2]], 2, rtol=0.15)
    assert shares[3] == pytest.approx(4, rel=0.15)  # two digits


def test_equal_levels_are_at_no_distance_and_others_apart(table):
    space, cells = space_of(table)
    points = space.points(cells)
    columns = by_column(space, np.square(points - points[0]))
    same = (table["level"] == table["level"][0]).to_numpy()
    assert columns[same, 1].max() < 1e-20
    assert columns[~same, 1].min() > 1


def test_missing_cells_are_where_the_mean_is(table):
    table.loc[:9] = None
    space, cells = space_of(table)
    points = space.points(cells)
    assert not points[:10].any()
    np.testing.assert_allclose(points[10:].mean(axis=0), 0, atol=5e-3)


def test_a_level_that_fit_has_not_seen_is_like_none(table):
    space, cells = space_of(table)
    cells = cells[:1].copy()
    cells[0, 1] = 0
    points, others = space.points(cells), space.points(space_of(table)[1])
    assert by_column(space, np.square(points - others))[:, 1].min() > 0.5
