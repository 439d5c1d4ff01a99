"""The door: what comes in is a table, or an error says what it is instead.

Inside, a table is a matrix of numbers with NaN where cells are missing; see :class:`Schema`.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.utils.validation import check_array, validate_data

from .._dataset.sparse import SparseTable
from .._runtime.arrays import CHUNK, slices
from .._runtime.parameters import checked_array
from .arrays import rows_as_array
from .column_types import Category, Number, learned
from .contents import content_of
from .dates import Date
from .frames import as_pandas
from .names import brief, column_named, column_number, name_columns
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
        try:
            table, schema = _validated(estimator, X, categorical_features, schema)
        except OverflowError as problem:
            raise ValueError(
                f"X holds whole numbers that no float holds ({problem}). Divide them by a "
                "constant, or give them as strings where they are names."
            ) from None
    reject_infinite(table, names_of(estimator))
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
    found = as_pandas(X)
    if found is not None:
        return _of_frame(estimator, *found, features, schema)
    dtype, X = getattr(X, "dtype", None), rows_as_array(X)
    if getattr(X, "ndim", 2) > 2:
        reject_axes(X)
    kind = X.dtype.kind if hasattr(X, "dtype") else None
    of_cells = kind in ("U", "S", "T", "M", "m") or (kind == "O" and not sp.issparse(X))
    leveled = names_categories(features) if schema is None else schema.kinds is not None
    if not of_cells and not leveled:
        return of_numbers(estimator, X, dtype, schema)
    return _of_cells(estimator, X, features, schema)


def reject_axes(X):
    shape = tuple(X.shape)
    kind = "Images" if len(shape) == 4 else "Arrays"
    raise ValueError(
        f"Found array with dim {len(shape)}, of shape {shape}, while a table has 2. Rows that are "
        f"arrays need rows={kind}({shape[1:]}) of sklearn_replearn.rows; or make them flat with "
        "X.reshape(len(X), -1)."
    )


def names_categories(features):
    return features is not None and not isinstance(features, str) and len(features) > 0


def of_numbers(estimator, X, dtype, schema):
    """A table of an array of numbers, or a sparse one; given with ``dtype``."""
    reset = schema is None
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
    if X.dtype.kind in "OUST" and X.ndim == 2 and X.size and not names_categories(features):
        contents = {
            content_of(pd.Series(X[:, j]).infer_objects(), f"Column {j}") for j in range(X.shape[1])
        }
        if contents <= {"number", "nothing"} and (reset or schema.kinds is None):
            return of_numbers(estimator, np.where(pd.isna(X), np.nan, X), X.dtype, schema)
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
        reject_other_labels(frame.columns, schema.names)
    return _of_columns(frame, container, None, features, schema)


def reject_other_labels(labels, names):
    """scikit-learn compares names that are strings; others are compared here."""
    if names is None or all(isinstance(name, str) for name in names):
        return
    other = [j for j, (a, b) in enumerate(zip(labels, names, strict=True)) if a != b]
    if other:
        raise ValueError(
            f"Column {other[0]} of the table is named {brief(labels[other[0]])}; in fit it was "
            f"{brief(names[other[0]])}. Give the columns of fit, in their order."
        )


def _of_columns(frame, container, dtype, features, schema):
    """The numbers of a frame, column by column."""
    columns = [frame.iloc[:, j] for j in range(frame.shape[1])]
    shown = list(map(column_named, frame.columns))
    reset = schema is None
    if reset:
        names = None if container is None else frame.columns
        chosen = categorical(features, frame.shape[1], names)
        kinds, cells = zip(*map(learned, columns, shown, chosen), strict=True)
        float_ = float_of(cells, kinds)
        if float_ == np.float32:
            for kind, column in zip(kinds, cells, strict=True):
                if type(kind) is Number and column.dtype == np.float64:
                    known = np.unique(column[np.isfinite(column)], return_counts=True)
                    kind.learn_atoms(*known, len(column))
        schema = schema_of(container, kinds, names, dtype, float_, cells)
    else:
        # Fitted to an array of numbers, the columns of a frame have to be numbers.
        kinds = [_ANY_NUMBER] * len(columns) if schema.kinds is None else schema.kinds
        cells = list(map(encoded, kinds, columns, shown))
    return joined(cells, common(cells) if schema.float is None else schema.float), schema


def schema_of(container, kinds, names, dtype, float_, cells):
    """The :class:`Schema` of columns, of whose numbers ``cells`` are all or the farthest."""
    schema = Schema(container, kinds, names, dtype)
    schema.float = float_
    if float_ is not None:
        with np.errstate(invalid="ignore"):
            ranges = [(np.fmin.reduce(column), np.fmax.reduce(column)) for column in cells]
        schema.range = np.array(ranges, dtype=np.float64).T
    return schema


def joined(cells, dtype):
    """Columns of numbers as a table."""
    table = np.empty((len(cells[0]), len(cells)), dtype=dtype)
    largest = np.finfo(dtype).max
    # Some rows of all columns, then the next ones: written as they lie in memory.
    for rows in slices(len(table), CHUNK):
        for j, column in enumerate(cells):
            some = column[rows]
            if column.dtype == np.float64 and dtype == np.float32:
                # A cell after fit may be beyond its range; only what is infinite stays so.
                some = np.where(np.isinf(some), some, np.clip(some, -largest, largest))
            table[rows, j] = some
    return table


_ANY_NUMBER = Number(pd.Series(dtype=np.float64))


def categorical(features, n, names):
    """Which of ``n`` columns the user says are categories, list of bool."""
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


def common(cells):
    """The dtype that an array of these columns of numbers would have."""
    common = np.result_type(*[column.dtype for column in cells])
    return common if common == np.float32 else np.float64


def float_of(cells, kinds):
    """What a table of other than numbers becomes, None for one of numbers: each row as it comes.

    Once and for all, as a row must become the same numbers in any company: float32 where rounding
    to it loses nothing that counts, which it does with dates.
    """
    if all(isinstance(kind, Number) for kind in kinds):
        return None
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
    codes = checked_array(codes, "codes", dtype=_FLOATS)
    if np.abs(codes).max() > _LARGEST_FLOAT32:
        raise ValueError(f"Codes reach {np.abs(codes).max():.3g}: no row has such codes.")
    if codes.shape[1] != latent_dim:
        raise ValueError(
            f"{name} decodes codes of shape (n_samples, {latent_dim}) as transform returns them; "
            f"got shape {codes.shape}."
        )
    return codes


def reject_infinite(table, names):
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
