"""Rows with missing cells: all that imputing looks at."""

import numpy as np

from .._dataset.sparse import SparseTable


def with_holes(table):
    """Which rows have a missing cell, ndarray of int.

    Parameters
    ----------
    table : ndarray or SparseTable
    """
    if isinstance(table, SparseTable):
        return table.with_holes()
    return np.flatnonzero(np.isnan(table).any(axis=1))


def rows_of(table, which):
    """Some rows of a table, which stays sparse if it is so."""
    return SparseTable(table.matrix[which]) if isinstance(table, SparseTable) else table[which]


def beside_others(values, which, n_rows):
    """Values of some rows at their places in a whole table.

    The other rows, which nobody looks at, have values that a column can have: those of the first of
    these, or zeros where there are none.
    """
    if not len(which):
        return np.zeros((n_rows, *values.shape[1:]), dtype=values.dtype)
    if len(which) == n_rows:
        return values
    places = np.zeros(n_rows, dtype=np.intp)
    places[which] = np.arange(len(which))
    return values[places]
