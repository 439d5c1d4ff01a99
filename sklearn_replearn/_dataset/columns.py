"""Columns beside a table: one value for each row."""

from numbers import Real

import numpy as np
import pandas as pd

from .._runtime.arrow import column_from_arrow
from .._runtime.namespaces import as_numpy
from .._runtime.sklearn import check_sample_weight


def as_column(values, name):
    """An array of one axis, from a list, an array, a series of any library.

    Parameters
    ----------
    values : array-like of shape (n_samples,) or (n_samples, 1)
    name : str
        For messages.

    Raises
    ------
    ValueError
        If it is something else. Says what came.
    """
    values = as_numpy(values)
    if not hasattr(values, "__array__"):
        column = column_from_arrow(values)
        values = values if column is None else column
    try:
        # NumPy would make strings of numbers beside strings, and numbers of booleans.
        array = np.asarray(values, dtype=object if _is_mixed(values) else None)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{name} must have one value for each row; {problem}") from None
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        came = "" if array.ndim else f", of {values!r:.80}"
        raise ValueError(
            f"{name} must have one value for each row, as a list, series or 1d array; got shape "
            f"{array.shape}{came}."
        )
    return array


def _is_mixed(values):
    """Whether a list holds strings or booleans, and others, too."""
    if not isinstance(values, list | tuple):
        return False
    return any(
        0 < sum(isinstance(value, kind) for value in values) < len(values)
        for kind in (str, bool | np.bool_)
    )


def one_for_each_row(values, n_samples, name):
    """An array of one value for each row of a table; see :func:`as_column`."""
    array = as_column(values, name)
    if len(array) != n_samples:
        raise ValueError(
            f"{name} must have one value for each of the {n_samples} rows, shape "
            f"({n_samples},); got shape {np.shape(values)}."
        )
    return array


def some_for_each_row(values, n_samples, name):
    """The same, or an array of shape (n_samples, n_outputs) of several values for each."""
    if not isinstance(values, list | tuple) and not hasattr(values, "__array__"):
        return one_for_each_row(values, n_samples, name)  # such as a column of Arrow
    try:
        array = np.asarray(values)
    except ValueError:  # lists of several lengths
        return one_for_each_row(values, n_samples, name)
    if array.ndim != 2 or array.shape[1] < 2:
        return one_for_each_row(values, n_samples, name)
    if len(array) != n_samples:
        raise ValueError(
            f"{name} must have values for each of the {n_samples} rows, shape ({n_samples},) or "
            f"({n_samples}, n_outputs); got shape {array.shape}."
        )
    return array


def reject_missing(array, name, advice):
    """Refuse missing values."""
    gone = np.flatnonzero(pd.isna(array))
    if len(gone):
        raise ValueError(
            f"{name} has {len(gone)} missing values (NaN or None), the first in row {gone[0]}. "
            f"{advice}"
        )


def row_weights(sample_weight, X):
    """Weights of the rows of a table, ndarray of shape (n_samples,), float64.

    Raises
    ------
    ValueError
        If they are not one finite number of at least 0 for each row, or too large to be added.
    """
    if sample_weight is not None and not isinstance(sample_weight, Real):
        given = one_for_each_row(sample_weight, X.shape[0], "sample_weight")
        if given.dtype.kind == "c":
            raise ValueError("sample_weight must be real numbers; got complex ones.")
        try:
            sample_weight = given.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as problem:
            raise ValueError(f"sample_weight must be numbers; {problem}.") from None
    weights = check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not weights.any():
        raise ValueError("sample_weight is 0 for every row; give at least one non-zero weight.")
    with np.errstate(over="ignore"):
        if not np.isfinite(weights.sum()):
            raise ValueError(
                f"sample_weight adds up to more than a float holds; its largest is "
                f"{weights.max():.3g}. Only how weights compare matters where they are large: "
                "divide them by a constant."
            )
    return weights
