"""Nats are shared among cells without a rest, by what changes when a cell is another."""

import numpy as np
import pytest
from outlier_tables import observed

from sklearn_replearn.outliers.explanations import contributions
from sklearn_replearn.outliers.similar import Similar


def explained(training, rows, surprise):
    training, later = observed(training, rows)
    return contributions(surprise, later.table, Similar(training))


@pytest.mark.parametrize("nats", [-1.0, 0.0, 2.0])
def test_where_nothing_changes_it_is_shared_evenly(nats):
    rows = np.random.RandomState(0).normal(size=(9, 4))
    found = explained(rows, rows + 1, lambda table: np.full(len(table), nats))
    np.testing.assert_allclose(found, nats / 4)


def test_a_sum_over_columns_is_explained_by_its_terms():
    random = np.random.RandomState(0)
    rows = 5 + 5 * random.uniform(size=(20, 4))
    nats = np.square(rows).sum(axis=1)

    def surprise(table):
        return np.square(table).sum(axis=1)

    found = explained(0.1 * random.normal(size=(200, 4)), rows, surprise)
    np.testing.assert_allclose(found.sum(axis=1), nats)
    np.testing.assert_allclose(found, np.square(rows), rtol=0.05)


@pytest.mark.parametrize("width", [3, 64, 65, 200])
def test_of_many_columns_those_in_which_a_row_differs_are_tried(width):
    training = np.tile(np.random.RandomState(0).randint(3, size=(1, width)), (50, 1)).astype(float)
    training[::2, 0] += 1
    row = training[:1].copy()
    row[0, -1] = 9.0
    tried = []

    def surprise(table):
        tried.append(len(table))
        return 5.0 * (table[:, -1] == 9)

    found = explained(training, row, surprise)
    assert found[0].argmax() == width - 1
    assert found.sum() == pytest.approx(5)
    assert sum(tried) <= 1 + 8 * 64


def test_missing_cells_and_what_is_missing_in_similar_rows():
    random = np.random.RandomState(0)
    training = random.normal(size=(100, 3))
    training[:, 2] = np.nan
    rows = np.array([[0.0, np.nan, np.nan], [0.0, 0.0, 1.0], [np.nan, np.nan, np.nan]])

    def surprise(table):  # at each cell that is not as in training
        return np.isnan(table[:, :2]).sum(axis=1) + 3.0 * ~np.isnan(table[:, 2])

    found = explained(training, rows, surprise)
    np.testing.assert_allclose(found, [[0, 1, 0], [0, 0, 3], [1, 1, 0]])
