"""The door: what comes in is a table, or an error says what it is instead.

Inside, a table is a matrix of numbers with NaN where cells are missing; see :class:`Schema`.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.utils.validation import check_array, validate_data

from .._dataset.sparse import SparseTable
from .column_types import Category, Date, Number, content_of, learned
from .frames import as_pandas
from .names import column_number, name_columns
from .schema import Schema, encoded

_FLOATS = [np.float64, np.float32]
_FEW_CELLS = 4096
# Rounding to float32 must be this small against the range of a column of a mixed table.
_ROUNDING = 1e-6
_LARGEST_FLOAT32 = 1e30


def read_table(estimator, X, categorical_features=None, schema=None):
    """Validate a table at the door, and turn it into numbers.

    Parameters
    ----------
    estimator : estimator
        In fit it gets ``n_features_in_`` and, for tables with names, ``feature_names_in_``.
    X : array-like, sparse or frame of shape (n_samples, n_features)
    categorical_features : array-like, str or None, default=None
        Columns that are categories whatever they hold; of fit.
    schema : Schema, default=None
        What fit has learned; None in fit.

    Returns
    -------
    table : ndarray of shape (n_samples, n_features), float32 or float64, or SparseTable
    schema : Schema

    Raises
    ------
    ValueError, TypeError
        If there are cells that are infinite or of no kind that a table may have, too few rows, or
        other columns than in fit.
    """
    if schema is not None and _is_as_in_fit(X, estimator, schema):
        table = X
    else:
        table, schema = _validated(estimator, X, categorical_features, schema)
    _reject_infinite(table, names_of(estimator))
    return table, schema


def _is_as_in_fit(X, estimator, schema):
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
        and schema.kinds is None
    )


def _validated(estimator, X, features, schema):
    if getattr(getattr(X, "dtype", None), "names", None):
        raise ValueError("The table is a structured array. Make it a pandas.DataFrame first.")
    if hasattr(X, "collect") and not hasattr(X, "shape"):
        raise ValueError(f"The table is a {type(X).__name__}, not read yet. Call collect() first.")
    found = as_pandas(X)
    if found is not None:
        return _of_frame(estimator, *found, features, schema)
    if isinstance(X, list | tuple):
        _reject_nested(X)
        X = _array_of_objects(X) if any(map(_any_text, _rows_of(X))) else X
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    of_cells = kind in ("U", "S", "T", "M", "m") or (kind == "O" and not sp.issparse(X))
    leveled = _names_categories(features) if schema is None else schema.kinds is not None
    if not of_cells and not leveled:
        return _of_numbers(estimator, X, schema)
    return _of_cells(estimator, X, features, schema)


def _names_categories(features):
    return features is not None and not isinstance(features, str) and len(features) > 0


def _of_numbers(estimator, X, schema):
    """A table of an array of numbers, or a sparse one."""
    reset, dtype = schema is None, getattr(X, "dtype", None)
    X_checked = validate_data(
        estimator,
        X,
        reset=reset,
        accept_sparse="csr",
        dtype=_FLOATS,
        ensure_all_finite=False,
        ensure_min_samples=2 if reset else 1,
    )
    if reset:
        plain = isinstance(dtype, np.dtype) and dtype.kind in "fiub"
        sparse = type(X) if sp.issparse(X) else None
        names = getattr(estimator, "feature_names_in_", None)
        dtype = dtype if plain else X_checked.dtype
        schema = Schema(None, None, names, dtype, sparse)
    return SparseTable(X_checked) if sp.issparse(X_checked) else X_checked, schema


def _of_cells(estimator, X, features, schema):
    """A table of an array whose cells are not all numbers, or have to be looked at one by one."""
    reset, X = schema is None, np.asarray(X.toarray() if sp.issparse(X) else X)
    if X.dtype.kind in "OUST" and X.ndim == 2 and X.size and not _names_categories(features):
        contents = {
            content_of(pd.Series(X[:, j]).infer_objects(), f"Column {j}") for j in range(X.shape[1])
        }
        if contents <= {"number", "nothing"} and (reset or schema.kinds is None):
            return _of_numbers(estimator, np.where(pd.isna(X), np.nan, X), schema)
    checked = check_array(
        X,
        dtype=None,
        ensure_all_finite=False,
        ensure_min_samples=2 if reset else 1,
        estimator=estimator,
    )
    validate_data(estimator, checked, reset=reset, skip_check_array=True)
    frame = pd.DataFrame({j: checked[:, j] for j in range(checked.shape[1])})
    return _of_columns(frame, None, checked.dtype, features, schema)


def _of_frame(estimator, frame, container, features, schema):
    """A table of a frame."""
    reset = schema is None
    if len(frame) < (2 if reset else 1) or frame.shape[1] == 0:
        check_array(
            np.zeros(frame.shape), ensure_min_samples=2 if reset else 1, estimator=estimator
        )
    twice = np.flatnonzero(frame.columns.duplicated())
    if len(twice):
        raise ValueError(
            f"The table names {name_columns(frame.columns, twice)} more than once. "
            "Give every column a name of its own."
        )
    validate_data(estimator, frame, reset=reset, skip_check_array=True)
    if not reset:
        _reject_other_labels(frame.columns, schema.names)
    return _of_columns(frame, container, None, features, schema)


def _reject_other_labels(labels, names):
    """scikit-learn compares names that are strings; others are compared here."""
    if names is None or all(isinstance(name, str) for name in names):
        return
    other = [j for j, (a, b) in enumerate(zip(labels, names, strict=True)) if a != b]
    if other:
        raise ValueError(
            f"Column {other[0]} of the table is named {labels[other[0]]!r}; in fit it was "
            f"{names[other[0]]!r}. Give the columns of fit, in their order."
        )


def _of_columns(frame, container, dtype, features, schema):
    """The numbers of a frame, column by column."""
    columns = [frame.iloc[:, j] for j in range(frame.shape[1])]
    shown = [_shown(frame.columns[j]) for j in range(len(columns))]
    reset = schema is None
    if reset:
        names = None if container is None else frame.columns
        chosen = _categorical(features, frame, names)
        kinds, cells = zip(*map(learned, columns, shown, chosen), strict=True)
        schema = Schema(container, kinds, names, dtype)
    else:
        # Fitted to an array of numbers, the columns of a frame have to be numbers.
        kinds = map(Number, columns) if schema.kinds is None else schema.kinds
        cells = list(map(encoded, kinds, columns, shown))
    if reset and not all(isinstance(kind, Number) for kind in kinds):
        # Once and for all: a row must become the same numbers in any company.
        schema.float = _float_of(cells, kinds)
        if schema.float == np.float32:
            for kind, column in zip(kinds, cells, strict=True):
                if type(kind) is Number and column.dtype == np.float64:
                    kind.learn_atoms(column)
        with np.errstate(invalid="ignore"):
            ranges = [(np.fmin.reduce(column), np.fmax.reduce(column)) for column in cells]
        schema.range = np.array(ranges, dtype=np.float64).T
    dtype = _common(cells) if schema.float is None else schema.float
    table = np.empty((len(frame), len(cells)), dtype=dtype)
    with np.errstate(over="ignore"):
        for j, column in enumerate(cells):
            table[:, j] = column
    return table, schema


def _shown(name):
    return f"Column {str(name)!r}" if isinstance(name, str) else f"Column {name}"


def _categorical(features, frame, names):
    """Which columns the user says are categories, list of bool."""
    n = frame.shape[1]
    if features is None or isinstance(features, str):
        return [False] * n
    features = list(features)
    if features and all(isinstance(feature, bool | np.bool_) for feature in features):
        if len(features) != n:
            raise ValueError(
                f"categorical_features as a mask must have a value for each of the {n} columns; "
                f"got {len(features)}."
            )
        return features
    picked = {column_number(column, n, names, "categorical_features") for column in features}
    return [j in picked for j in range(n)]


def _common(cells):
    """The dtype that an array of these columns of numbers would have."""
    common = np.result_type(*[column.dtype for column in cells])
    return common if common == np.float32 else np.float64


def _float_of(cells, kinds):
    """Float32 where rounding to it loses nothing that counts, which it does with dates."""
    numeric = [c for c, kind in zip(cells, kinds, strict=True) if not isinstance(kind, Category)]
    dates = any(isinstance(kind, Date) for kind in kinds)
    return np.float64 if dates or not all(map(_fits_float32, numeric)) else np.float32


def _fits_float32(column):
    if column.dtype.kind == "b" or column.dtype == np.float32:
        return True
    with np.errstate(all="ignore"):
        low, high = float(np.fmin.reduce(column)), float(np.fmax.reduce(column))
    if np.isnan(low):  # all missing
        return True
    largest = max(abs(low), abs(high))
    if not largest < _LARGEST_FLOAT32:
        return False
    if low == high:
        return float(np.float32(low)) == low
    return largest * 2.0**-24 <= _ROUNDING * (high - low) and high - low > 1 / _LARGEST_FLOAT32


def check_codes(codes, latent_dim, name):
    """Validate codes before they are decoded.

    Raises
    ------
    ValueError
        If the codes do not have ``latent_dim`` columns or are not finite numbers.
    """
    codes = check_array(codes, dtype=_FLOATS, input_name="codes")
    if np.abs(codes).max() > _LARGEST_FLOAT32:
        raise ValueError(f"Codes reach {np.abs(codes).max():.3g}: no row has such codes.")
    if codes.shape[1] != latent_dim:
        raise ValueError(
            f"{name} decodes codes of shape (n_samples, {latent_dim}) as transform returns them; "
            f"got shape {codes.shape}."
        )
    return codes


def _reject_nested(X):
    """A list of rows has rows of one length, and cells that are no lists."""
    rows = [row for row in X if isinstance(row, list | tuple)]
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise ValueError(
            f"The rows of the table have different lengths, {lengths[0]} and {lengths[1]} among "
            "them. Give every row a cell for each column."
        )
    for row in rows:
        for j, cell in enumerate(row):
            if isinstance(cell, list | tuple | dict | set):
                raise TypeError(
                    f"Column {j} holds cells of type {type(cell).__name__}: the argument must be a "
                    "table whose cells are each a string or a number."
                )


def _rows_of(X):
    return (row if isinstance(row, list | tuple) else (row,) for row in X)


def _array_of_objects(X):
    rows = [list(row) if isinstance(row, list | tuple) else row for row in X]
    lengths = {len(row) if isinstance(row, list) else None for row in rows}
    if len(lengths) > 1 or None in lengths:
        return np.array(rows, dtype=object)
    array = np.empty((len(rows), lengths.pop()), dtype=object)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            array[i, j] = cell
    return array


def _any_text(cells):
    return any(isinstance(cell, str | bytes) for cell in cells)


def _reject_infinite(table, names):
    sparse = isinstance(table, SparseTable)
    cells = table.matrix.data if sparse else table
    if cells.size <= _FEW_CELLS:
        if np.isfinite(cells).all():
            return
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(cells.sum()):  # one pass, no temporary; overflow looks again below
                return
    if sparse:
        columns = np.unique(table.matrix.indices[np.isinf(cells)])
    else:
        columns = np.flatnonzero([np.isinf(table[:, j]).any() for j in range(table.shape[1])])
    if len(columns):
        raise ValueError(
            f"Input X contains inf (infinite values) in {name_columns(names, columns)}. "
            "Clip or remove them first; cells that are missing may be NaN."
        )


def names_of(estimator):
    """Names of the columns seen in fit, or None."""
    return getattr(estimator, "feature_names_in_", None)
