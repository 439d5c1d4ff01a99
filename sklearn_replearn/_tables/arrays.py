"""Rows that are given in no frame: arrays, lists of rows, and what is neither."""

from itertools import chain
from types import NoneType

import numpy as np
import pandas as pd
import scipy.sparse as sp

from .._runtime.namespaces import as_cell, as_numpy
from .names import brief
from .readers import remedy_of_lazy


def without_mask(X):
    """A masked array as an array in which masked cells are missing; anything else as it is."""
    if not isinstance(X, np.ma.MaskedArray):
        return X
    hidden, cells = np.ma.getmaskarray(X), np.array(X.data)
    if not hidden.any():
        return cells
    kind = cells.dtype.kind
    if kind not in "fcmM":
        cells = cells.astype(np.float64 if kind in "biu" else object)
    cells[hidden] = {"O": None, "m": "NaT", "M": "NaT"}.get(cells.dtype.kind, np.nan)
    return cells


def rows_as_array(X):
    """Rows that are given in no frame as an array or sparse matrix of two axes.

    Raises
    ------
    ValueError, TypeError
        If it is no table; says what it is and what to do.
    """
    if getattr(getattr(X, "dtype", None), "names", None):
        raise ValueError(
            "The table is a structured array. Make it a pandas.DataFrame first, for example with "
            "pandas.DataFrame({name: X[name] for name in X.dtype.names})."
        )
    if isinstance(X, list | tuple):
        return _of_rows(X)
    if sp.issparse(X):
        return X
    reject_no_table(X)
    if not hasattr(X, "shape"):
        X = np.asarray(X)
    if np.ndim(X) < 2:
        raise _of_one_axis(X)
    return without_mask(X if isinstance(getattr(X, "dtype", None), np.dtype) else np.asarray(X))


def _of_rows(X):
    """A list of rows as an array; of objects where there is text among them."""
    if len(X) == 0 or not all(map(_is_row, X)):
        raise _of_one_axis(X)
    if hasattr(type(X[0]), "columns"):
        raise TypeError(
            f"The list holds tables, the first a {type(X[0]).__name__}. Make them one first, for "
            "example with pandas.concat(X), or pyarrow.Table.from_batches(X) of record batches."
        )
    rows = [_cells_of(row) for row in X]
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise ValueError(
            f"The rows of the table have different lengths, {lengths[0]} and {lengths[1]} among "
            "them. Give every row a cell for each column."
        )
    # By type, of which there are few: to ask each cell takes many times as long.
    kinds = set(map(type, chain.from_iterable(row for row in rows if not _is_of_numbers(row))))
    if type(np.ma.masked) in kinds:
        rows = [[None if cell is np.ma.masked else cell for cell in row] for row in rows]
        kinds.add(NoneType)
    if any(map(_may_hold_cells, kinds)):
        _reject_nested(rows)
    if any(hasattr(kind, "__dlpack__") for kind in kinds):  # tensors of no axis
        rows = [list(map(as_cell, row)) for row in rows]
    of_objects = any(issubclass(kind, str | bytes | NoneType) for kind in kinds)
    if not of_objects:
        return np.asarray(rows)
    array = np.empty((len(rows), lengths[0]), dtype=object)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            array[i, j] = cell
    return array


def _is_of_numbers(row):
    return isinstance(row, np.ndarray) and row.dtype.kind in "fiub" and row.ndim == 1


def _may_hold_cells(kind):
    if issubclass(kind, list | tuple | dict | set):
        return True
    return hasattr(kind, "ndim") and not issubclass(kind, np.generic)


def _reject_nested(rows):
    """Refuse rows among whose cells are containers."""
    for row in rows:
        for j, cell in enumerate(row):
            if isinstance(cell, list | tuple | dict | set) or getattr(cell, "ndim", 0) > 0:
                raise TypeError(
                    f"Column {j} holds cells of type {type(cell).__name__}: the argument must be a "
                    "table whose cells are each a string or a number. Give each of their numbers a "
                    "column of its own."
                )


def _is_row(row):
    if isinstance(row, list | tuple):
        return True
    sized = hasattr(row, "__len__") and hasattr(row, "__getitem__")
    return sized and not isinstance(row, str | bytes | dict) and np.ndim(row) != 0


def _cells_of(row):
    """One row of a list as a list, tuple or array of its cells."""
    if isinstance(row, np.ma.MaskedArray):
        return without_mask(row)
    if isinstance(row, list | tuple):
        return row
    if isinstance(row, pd.Series | pd.Index):
        return row.tolist()
    return np.asarray(as_numpy(row))


def reject_no_table(X):
    """Refuse what has no rows, or none in order.

    Raises
    ------
    ValueError
        Says what came and what to do.
    """
    wrong = isinstance(X, str | bytes | dict | set | frozenset | type) and not sp.issparse(X)
    lazy = remedy_of_lazy(X)
    if lazy is not None:
        of = type(X).__module__.partition(".")[0]
        raise ValueError(
            f"The table is a {type(X).__name__} of {of}, not read yet. Call {lazy} first."
        )
    rows = any(hasattr(X, name) for name in ("shape", "__array__")) or isinstance(X, list | tuple)
    if rows and not wrong:
        return
    if isinstance(X, dict) and any(hasattr(table, "column_names") for table in X.values()):
        how = f" Give one of its tables, such as X[{next(iter(X))!r}]."
    elif isinstance(X, dict):
        how = " Make it one with pandas.DataFrame(X)."
    elif hasattr(X, "__iter__") and not isinstance(X, str | bytes | type):
        how = " Make it one with list(X)."
    else:
        how = " Give an array, a frame, a sparse matrix or a list of rows."
    raise ValueError(
        "X must be a table: an array-like, frame or sparse matrix of shape (n_samples, "
        f"n_features). Expected 2D array, got {type(X).__name__} {X!r:.80} instead.{how}"
    )


def _of_one_axis(X):
    """The error for a list of cells, or an array that has no columns."""
    if np.ndim(X) == 0 and not isinstance(X, list | tuple):
        return ValueError(
            f"Expected 2D array, got scalar array instead: {brief(np.asarray(X).tolist())}. "
            "Reshape your data using array.reshape(1, -1) if it is one cell of one row."
        )
    n, first = len(X), next(iter(X), None)
    if isinstance(first, dict) or getattr(getattr(first, "dtype", None), "names", None):
        return TypeError(
            f"The argument must be a table, whose cells are each a string or a number; got {n} "
            f"rows of type {type(first).__name__}. Make it one with pandas.DataFrame(X)."
        )
    came = f"Expected 2D array, got 1D array instead: {type(X).__name__} of length {n}"
    if isinstance(first, str | bytes):
        return ValueError(
            f"{came}, whose first cell is {brief(first)}. For a column of categories make it a "
            "frame, such as pandas.DataFrame({'x': X}); of texts make numbers first, for example "
            "with TfidfVectorizer().fit_transform(X) of scikit-learn. Reshape your data otherwise, "
            "with array.reshape(-1, 1) for one column, or array.reshape(1, -1) for one row."
        )
    one = "X.to_frame()" if hasattr(X, "to_frame") else "array.reshape(-1, 1)"
    return ValueError(
        f"{came}. Reshape your data either using {one} if it is one column, or "
        "array.reshape(1, -1) if it is one row."
    )
