"""Columns of numbers too large, too small or too much alike to compute with, refused at fit."""

import numpy as np

from .._tables.names import name_columns

# Beyond, reciprocals lose digits or have no float64.
_LARGEST, _SMALLEST_RANGE = 1e303, 1e-303
_LARGEST_SCALED = 1e15  # its square, summed over the cells of a batch, still fits a float32
_SMALLEST_SCALED = 1e-6  # a network cannot tell apart what varies less
_LOST = 1e-3  # of the range of a column
# Transformers of scikit-learn take ranges below the inverse of this for none.
_ORDINARY = 2.0**40
_MOST_CELLS_FITTED = 2**25  # by a transformer; of larger tables a sample


def rows_to_fit(multiset, columns, profile):
    """What a transformer is fitted to, ndarray of shape (n, n_columns), float64.

    All rows, as often as they are drawn; of a large table a sample, and the ends of each column.
    """
    sample = multiset.sample(max(2, _MOST_CELLS_FITTED // max(1, len(columns))))
    rows = np.stack(list(multiset.columns(sample, columns)), axis=1).astype(np.float64)
    if len(rows) < multiset.n_draws:
        rows = np.concatenate([rows, np.stack([profile.low, profile.high])[:, columns]])
    return rows


def is_ordinary(units):
    """Which units any transformer can do with, ndarray of bool."""
    return (units < _ORDINARY) & (units > 1 / _ORDINARY)


def reject_extreme(profile, names):
    """Refuse columns whose numbers float64 can hold and not compute with.

    Raises
    ------
    ValueError
        Names the columns.
    """
    largest = np.maximum(np.abs(profile.low), np.abs(profile.high))
    varies = profile.numbers & ~profile.constant
    large = varies & (largest > _LARGEST)
    small = varies & (profile.high - profile.low < _SMALLEST_RANGE)
    for bad, what, how in (
        (large, f"values up to {largest.max():.3g}", "Divide"),
        (small, f"values that differ by less than {_SMALLEST_RANGE:g}", "Multiply"),
    ):
        if bad.any():
            raise ValueError(
                f"{name_columns(names, np.flatnonzero(bad))}: {what} are beyond what can be "
                f"computed with in float64. {how} them by a constant."
            )


def reject_unrepresentable(low, high, factor, multiset, names):
    """Refuse columns whose scaled values, from ``low`` to ``high``, a network cannot take.

    Raises
    ------
    ValueError
        Names the columns.
    """
    scaled = np.maximum(np.abs(low), np.abs(high))
    bad = np.flatnonzero(~(scaled < _LARGEST_SCALED) | ~np.isfinite(factor) | (factor == 0))
    if len(bad):
        largest = max(np.nanmax(np.abs(multiset.values(part)[:, bad])) for part in multiset.parts())
        raise ValueError(
            f"{name_columns(names, bad)}: values up to {largest:.3g} cannot be scaled into the "
            "range of float32. Divide them by a constant, take logarithms, or use "
            'rows=Table(scaling="quantile").'
        )


def reject_flat(scaled, variance, units, names):
    """Refuse columns that hardly vary when scaled, of those that are ``scaled``.

    Raises
    ------
    ValueError
        Names the columns.
    """
    collapsed = (variance == 0) & (units < 1 / _ORDINARY)
    little = (variance > 0) & (variance < _SMALLEST_SCALED**2)
    flat = np.flatnonzero(scaled & (little | collapsed))
    if len(flat):
        raise ValueError(
            f"{name_columns(names, flat)}: scaled values differ by less than {_SMALLEST_SCALED:g}, "
            "which a network cannot tell apart. Multiply them by a constant, or use "
            'rows=Table(scaling="standard").'
        )


def fitted_to(transformer, rows, extreme, columns, names):
    """A transformer fitted to some columns, if it gives back the ``extreme`` ones of them.

    Raises
    ------
    ValueError
        Names the columns.
    """
    try:
        transformer.fit(rows)
        ends = np.stack([np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)])
        error = 0.0
        if extreme.any():
            back = transformer.inverse_transform(transformer.transform(ends))
            error = np.abs(np.asarray(back) - ends).max(axis=0)
        lost = extreme & ~(error <= _LOST * np.ptp(ends, axis=0))
    except (ValueError, ArithmeticError):
        if not extreme.any():
            raise
        lost = extreme
    if lost.any():
        raise ValueError(
            f"{name_columns(names, columns[lost])}: {type(transformer).__name__} does not "
            f"give back such values, up to {np.nanmax(np.abs(rows[:, lost])):.3g}. Divide or "
            "multiply them by a constant first."
        )
    return transformer
