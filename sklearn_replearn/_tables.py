"""The door: what comes in is a table of finite numbers, or an error says what it is instead."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_array, validate_data

_FLOATS = [np.float64, np.float32]
_FEW_CELLS = 4096
_MANY = 5  # columns named in an error message before it says "and N more"


def check_table(estimator, X, *, reset):
    """Validate a table at the door: numbers only, two dimensions, the columns seen in fit.

    Parameters
    ----------
    estimator : estimator
        With ``reset`` it gets ``n_features_in_`` and, for tables with names, ``feature_names_in_``.
    X : array-like of shape (n_samples, n_features)
    reset : bool
        True in ``fit``.

    Returns
    -------
    ndarray of shape (n_samples, n_features), float32 or float64

    Raises
    ------
    ValueError
        If there are cells that are not finite numbers, too few rows, or other columns than in fit.
    """
    plain = not reset and _is_as_in_fit(X, estimator)
    table = X if plain else _validated(estimator, X, reset)
    _reject_nonfinite(table, names_of(estimator), type(estimator).__name__)
    return table


def _is_as_in_fit(X, estimator):
    """Whether nothing about the form of a table has to be looked at or said.

    Most of the time that one row takes would go into finding that out in general.
    """
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype in _FLOATS
        and X.dtype.isnative
        and len(X) > 0
        and X.shape[1] == estimator.n_features_in_
        and names_of(estimator) is None
    )


def _validated(estimator, X, reset):
    _reject_other_than_numbers(X, type(estimator).__name__)
    return validate_data(
        estimator,
        X,
        reset=reset,
        dtype=_FLOATS,
        ensure_all_finite=False,
        ensure_min_samples=2 if reset else 1,
    )


def check_codes(codes, latent_dim, name):
    """Validate codes before they are decoded.

    Raises
    ------
    ValueError
        If the codes do not have ``latent_dim`` columns or are not finite numbers.
    """
    codes = check_array(codes, dtype=_FLOATS, input_name="codes")
    if codes.shape[1] != latent_dim:
        raise ValueError(
            f"{name} decodes codes of shape (n_samples, {latent_dim}) as transform returns them; "
            f"got shape {codes.shape}."
        )
    return codes


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
            f'Use scaling="minmax" or {other}.'
        )


def name_columns(names, which):
    """Columns for an error message, by name or number, the first few of them."""
    picked = [repr(str(names[j])) if names is not None else str(j) for j in which[:_MANY]]
    more = f" and {len(which) - _MANY} more" if len(which) > _MANY else ""
    return ("column " if len(which) == 1 else "columns ") + ", ".join(picked) + more


def names_of(estimator):
    """Names of the columns seen in fit, or None."""
    return getattr(estimator, "feature_names_in_", None)


def _reject_other_than_numbers(X, name):
    """By kind of column first: conversion would turn dates and digits in strings into numbers."""
    advice = f"{name} takes columns of numbers; encode them first, for example with "
    advice += "sklearn.compose.ColumnTransformer and OneHotEncoder."
    if isinstance(X, pd.DataFrame):
        other = [j for j in range(X.shape[1]) if not _holds_numbers(X.iloc[:, j])]
        if other:
            which = name_columns(X.columns, other)
            raise ValueError(f"{which} of the table: dtype {X.dtypes.iloc[other[0]]}. {advice}")
        twice = np.flatnonzero(X.columns.duplicated())
        if len(twice):
            raise ValueError(
                f"The table names {name_columns(X.columns, twice)} more than once. "
                "Give every column a name of its own."
            )
        return
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    if kind in ("M", "m"):
        raise ValueError(f"The table holds dates or durations (dtype {X.dtype}). {advice}")
    if kind in ("U", "S", "T") or (kind == "O" and _any_text(np.ravel(X))):
        raise ValueError(f"The table holds strings (dtype {X.dtype}). {advice}")
    if isinstance(X, list | tuple):
        rows = (row if isinstance(row, list | tuple) else (row,) for row in X)
        if any(map(_any_text, rows)):
            raise ValueError(f"The table holds strings among its cells. {advice}")


def _holds_numbers(column):
    if pd.api.types.is_object_dtype(column.dtype):
        return not _any_text(column)
    return pd.api.types.is_numeric_dtype(column.dtype)


def _any_text(cells):
    return any(isinstance(cell, str | bytes) for cell in cells)


def _reject_nonfinite(table, names, name):
    if table.size <= _FEW_CELLS:
        if np.isfinite(table).all():
            return
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(table.sum()):  # one pass, no temporary; overflow looks again below
                return
    for what, found, advice in (
        ("NaN (missing values)", np.isnan, "fill them first, for example with SimpleImputer"),
        ("inf (infinite values)", np.isinf, "clip or remove them first"),
    ):
        columns = np.flatnonzero(found(table).any(axis=0))
        if len(columns):
            raise ValueError(
                f"Input X contains {what} in {name_columns(names, columns)}. "
                f"{name} takes finite numbers only: {advice}."
            )
