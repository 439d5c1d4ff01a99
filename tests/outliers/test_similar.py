"""Training rows that are similar to others."""

import numpy as np
from outlier_tables import mixed, observed

from sklearn_replearn.outliers.similar import Similar


def test_similar_rows_are_alike_in_all_columns_but_one():
    rows, _ = observed(mixed(400, 0), mixed(5, 1))
    similar = Similar(rows)
    found = similar.to(rows.table[:20], 1)[:, 0]
    np.testing.assert_array_equal(similar.table[found], rows.table[:20])
    changed = rows.table[:20].copy()
    changed[:, 3] = 1e9
    found = similar.to(changed, 1, without=3)[:, 0]
    np.testing.assert_array_equal(
        np.delete(similar.table[found], 3, 1), np.delete(rows.table[:20], 3, 1)
    )


def test_there_are_at_most_as_many_as_are_kept():
    (rows,) = observed(np.random.RandomState(0).normal(size=(5, 2)))
    assert Similar(rows).to(rows.table, 8).shape == (5, 5)
    (rows,) = observed(np.random.RandomState(0).normal(size=(5000, 2)))
    assert len(Similar(rows).table) == 4096


def test_where_all_rows_are_as_similar_any_are_found():
    (rows,) = observed(np.repeat([0.0, 1.0], [60, 140])[:, None])
    similar = Similar(rows)
    found = similar.table[similar.to(np.array([[0.0]]), 50, without=0)[0], 0]
    assert 0.5 < found.mean() < 0.9
