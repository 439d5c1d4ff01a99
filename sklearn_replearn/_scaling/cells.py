"""Cells that a likelihood does not take, refused."""

import numpy as np

from .._runtime.arrays import CELLS, CHUNK, slices
from .._tables.names import name_columns


def check_unit_interval(low, high, shown_low, shown_high, names, setting, other):
    """Refuse columns whose scaled values, from ``low`` to ``high``, leave [0, 1].

    The message has ``shown_low`` and ``shown_high``, the same ends in original units.

    Raises
    ------
    ValueError
        Names the columns.
    """
    outside = np.flatnonzero((low < -1e-9) | (high > 1 + 1e-9))
    if len(outside):
        first = outside[0]
        raise ValueError(
            f"{setting} takes columns within [0, 1]; outside: {name_columns(names, outside)}, the "
            f"first with values from {shown_low[first]:.6g} to {shown_high[first]:.6g}. "
            f'Use rows=Table(scaling="minmax") or {other}.'
        )


def check_table_in_unit_interval(table, within, names, setting, other):
    """Refuse columns of a table, those ``within``, that leave [0, 1].

    Raises
    ------
    ValueError
        Names the columns.
    """
    if within.any():
        low, high = np.full((2, table.shape[1]), 0.5)
        for part in slices(len(table), CHUNK):
            low = np.fmin(low, np.fmin.reduce(table[part], axis=0))
            high = np.fmax(high, np.fmax.reduce(table[part], axis=0))
        low, high = (np.where(within, end, 0.5) for end in (low, high))
        check_unit_interval(low, high, low, high, names, setting, other)


def reject_other_than_counts(table, counted, names):
    """Refuse columns of counts that hold something else.

    Parameters
    ----------
    table : ndarray or SparseTable of shape (n_samples, n_features)
    counted : ndarray of shape (n_features,), bool
        Columns of counts.
    names : ndarray of str or None

    Raises
    ------
    ValueError
        Names the columns.
    """
    wrong = np.zeros(len(counted), dtype=bool)
    for part in slices(len(table), max(1, CELLS // len(counted))):
        cells = table[part][:, counted]
        others = (cells < 0) | (cells != np.rint(cells)) & ~np.isnan(cells)
        wrong[counted] |= others.any(axis=0)
    if wrong.any():
        raise ValueError(
            f"{name_columns(names, np.flatnonzero(wrong))} of the table held counts in fit: whole "
            "numbers of at least 0. There are other numbers now."
        )
