"""The door: what comes in is a table, or an error says what it is instead.

Inside, a table is a matrix of numbers with NaN where cells are missing; a :class:`Schema` turns raw
tables into that and back.
"""

import numbers

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.utils.validation import check_array, validate_data

from ._frames import as_pandas
from ._kinds import Category, Date, Number, content_of, kind_of
from ._rows import SparseTable

_FLOATS = [np.float64, np.float32]
_FEW_CELLS = 4096
_MANY = 5  # columns named in an error message before it says "and N more"
# Rounding to float32 must be this small against the range of a column of a mixed table.
_ROUNDING = 1e-6
_LARGEST_FLOAT32 = 1e30


def _put(column, missing, cells):
    """A copy of a column, its missing cells replaced by those of another."""
    cells = cells.set_axis(column.index)
    if missing.all():
        return cells
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = cells[missing].unique().dropna()
        known = column.cat.categories
        column = column.cat.add_categories([level for level in levels if level not in known])
        cells = cells.astype(column.dtype)
    elif pd.api.types.is_integer_dtype(column.dtype):
        cells = cells.round()
    return column.where(~missing, cells).astype(column.dtype)


class Schema:
    """Kinds of the columns of the table seen in fit, and what makes a table like it again.

    Attributes
    ----------
    container : container or None
        Of frames; None for arrays.
    kinds : list of Number, Date and Category, or None
        None for arrays of numbers, dense or sparse.
    dtype : dtype
        Of arrays.
    sparse : type or None
        Of sparse tables.
    float : dtype or None
        Of the numbers that tables with categories or dates become; None leaves it to the table.
    range : ndarray of shape (2, n_features) or None
        Least and largest number of each column of such tables, before they are rounded to it.
    """

    def __init__(self, container, kinds, names, dtype, sparse=None):
        self.container, self.kinds, self.names = container, kinds, names
        self.dtype, self.sparse = dtype, sparse
        self.float = self.range = None

    def within_range(self, values):
        """Drawn numbers within the range of fit, where rounding may have moved them beyond."""
        return (
            values if self.range is None else np.fmax(self.range[0], np.fmin(self.range[1], values))
        )

    @property
    def n_levels(self):
        """Levels of each column, ndarray of int; 0 for numbers. None if all are numbers."""
        if self.kinds is None:
            return None
        return np.array([kind.n_levels for kind in self.kinds], dtype=np.int32)

    @property
    def ordered(self):
        """Whether the levels of each column have an order; None if all are numbers."""
        if self.kinds is None:
            return None
        return np.array([getattr(kind, "ordered", False) for kind in self.kinds])

    def one_row(self, given, n_features, names):
        """A row of numbers in which only given cells are not missing.

        Parameters
        ----------
        given : dict
            Cells by name or number of the column.

        Returns
        -------
        ndarray of shape (1, n_features), float64

        Raises
        ------
        ValueError
            If there is no such column, or a level that fit has not seen.
        """
        if not isinstance(given, dict):
            raise ValueError(f"given must be a dict such as {{'column': value}}; got {given!r}.")
        values = np.full((1, n_features), np.nan)
        for column, cell in given.items():
            j = column_number(column, n_features, self.names, "given")
            values[0, j] = self._one_cell(j, cell, f"Column {column!r}")
        _reject_infinite(values, names)
        return values

    def _one_cell(self, j, cell, shown):
        """A given cell as a number."""
        cells = pd.Series([cell])
        if cells.isna().all():
            raise ValueError(f"{shown}: the given cell is missing. Leave the column out instead.")
        kind = Number(pd.Series(np.empty(0, self.dtype))) if self.kinds is None else self.kinds[j]
        _reject_other_content(cells, kind, shown)
        number = float(_encoded(kind, cells, shown)[0])
        if isinstance(kind, Category) and number == 0:
            levels = ", ".join(map(repr, kind.levels[:_MANY]))
            raise ValueError(f"{shown} has no level {cell!r} in fit; it has {levels}, …")
        if (kind.whole and number != round(number)) or (kind.boolean and number not in (0, 1)):
            raise ValueError(f"{shown} has dtype {kind.dtype}; {cell!r} is no value of it.")
        return number

    def filled(self, X, table, values):
        """A copy of a raw table, its missing cells filled.

        Parameters
        ----------
        X : array-like or frame
        table : ndarray or SparseTable
            The same as numbers.
        values : ndarray of shape (n_samples, n_features), float64
        """
        found = as_pandas(X)
        if found is None:
            if isinstance(table, SparseTable):
                return type(X)(table.filled(values))
            if self.kinds is None:
                return np.where(np.isnan(table), values, table).astype(table.dtype, copy=False)
            cells, filled = np.array(X, dtype=object), self.decode(values)
            missing = np.isnan(table)
            cells[missing] = np.asarray(filled, dtype=object)[missing]
            return cells if self.dtype == object else cells.astype(self.dtype)
        frame, container = found
        missing = np.isnan(table)
        new = {}
        for j in np.flatnonzero(missing.any(axis=0)):
            kind = Number(frame.iloc[:, j]) if self.kinds is None else self.kinds[j]
            new[j] = _put(frame.iloc[:, j], missing[:, j], kind.decode(values[:, j]))
        return container.filled(X, frame, new)

    def decode(self, values, index=None, drawn=False):
        """A table like that of fit.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_features), float64
        index : Index, default=None
            Of a frame of pandas.
        drawn : bool, default=False
            Whether the values were drawn: then a sparse table is sparse again, an array of float32
            of float32.
        """
        if drawn and self.kinds is None:
            array = _as_dtype(values, self.dtype).astype(self.dtype, copy=False)
            return array if self.sparse is None else self.sparse(array)
        if self.kinds is None:
            return _as_dtype(values, self.dtype)
        columns = {j: kind.decode(values[:, j]) for j, kind in enumerate(self.kinds)}
        frame = pd.DataFrame(columns)
        if self.container is None:
            if self.dtype == object:
                return frame.astype(object).where(frame.notna(), None).to_numpy(dtype=object)
            return frame.to_numpy(dtype=self.dtype)
        frame.columns = self.names
        if index is not None:
            frame.index = index
        return self.container.back(frame)


def _as_dtype(values, dtype):
    """Numbers as those of an array of this dtype; floats where whole numbers are missing."""
    kind = np.dtype(dtype).kind
    if kind == "f" or np.isnan(values).any():
        return values
    if kind == "b":
        return values >= 0.5
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, np.nextafter(float(limits.max) + 1, 0)).astype(
        dtype
    )


def check_table(estimator, X, *, reset):
    """Validate a table at the door, and turn it into numbers.

    Parameters
    ----------
    estimator : estimator
        With ``reset`` it gets ``n_features_in_`` and, for tables with names, ``feature_names_in_``,
        and its ``_schema``.
    X : array-like, sparse or frame of shape (n_samples, n_features)
    reset : bool
        True in ``fit``.

    Returns
    -------
    ndarray of shape (n_samples, n_features), float32 or float64, or SparseTable

    Raises
    ------
    ValueError, TypeError
        If there are cells that are infinite or of no kind that a table may have, too few rows, or
        other columns than in fit.
    """
    plain = not reset and _is_as_in_fit(X, estimator)
    table = X if plain else _validated(estimator, X, reset)
    _reject_infinite(table, names_of(estimator))
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
        and estimator._schema.kinds is None
    )


def _validated(estimator, X, reset):
    if getattr(getattr(X, "dtype", None), "names", None):
        raise ValueError("The table is a structured array. Make it a pandas.DataFrame first.")
    if hasattr(X, "collect") and not hasattr(X, "shape"):
        raise ValueError(f"The table is a {type(X).__name__}, not read yet. Call collect() first.")
    found = as_pandas(X)
    if found is not None:
        return _of_frame(estimator, *found, reset)
    if isinstance(X, list | tuple) and any(map(_any_text, _rows_of(X))):
        X = _array_of_objects(X)
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    listed = reset and _names_categories(estimator)
    of_cells = kind in ("U", "S", "T", "M", "m") or (kind == "O" and not sp.issparse(X))
    if not of_cells and not (listed if reset else estimator._schema.kinds is not None):
        return _of_numbers(estimator, X, reset)
    return _of_cells(estimator, X, reset)


def _names_categories(estimator):
    features = estimator.categorical_features
    return features is not None and not isinstance(features, str) and len(features) > 0


def _of_numbers(estimator, X, reset):
    """A table of an array of numbers, or a sparse one."""
    if reset:
        dtype = getattr(X, "dtype", None)
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
        estimator._schema = Schema(None, None, names, dtype, sparse)
    return SparseTable(X_checked) if sp.issparse(X_checked) else X_checked


def _of_cells(estimator, X, reset):
    """A table of an array whose cells are not all numbers, or have to be looked at one by one."""
    X = np.asarray(X.toarray() if sp.issparse(X) else X)
    if X.dtype.kind in "OUST" and X.ndim == 2 and X.size and not _names_categories(estimator):
        contents = {
            content_of(pd.Series(X[:, j]).infer_objects(), f"Column {j}") for j in range(X.shape[1])
        }
        if contents <= {"number", "nothing"} and (reset or estimator._schema.kinds is None):
            return _of_numbers(estimator, np.where(pd.isna(X), np.nan, X), reset)
    checked = check_array(
        X,
        dtype=None,
        ensure_all_finite=False,
        ensure_min_samples=2 if reset else 1,
        estimator=estimator,
    )
    validate_data(estimator, checked, reset=reset, skip_check_array=True)
    frame = pd.DataFrame({j: checked[:, j] for j in range(checked.shape[1])})
    return _of_columns(estimator, frame, None, checked.dtype, reset)


def _of_frame(estimator, frame, container, reset):
    """A table of a frame."""
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
        _reject_other_labels(frame.columns, estimator._schema.names)
    return _of_columns(estimator, frame, container, None, reset)


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


def _of_columns(estimator, frame, container, dtype, reset):
    """The numbers of a frame, column by column."""
    columns = [frame.iloc[:, j] for j in range(frame.shape[1])]
    shown = [_shown(frame.columns[j]) for j in range(len(columns))]
    if reset:
        names = None if container is None else frame.columns
        chosen = _categorical(estimator, frame, names)
        kinds = list(map(kind_of, columns, shown, chosen))
        schema = estimator._schema = Schema(container, kinds, names, dtype)
    schema = estimator._schema
    # Fitted to an array of numbers, the columns of a frame have to be numbers.
    kinds = list(map(Number, columns)) if schema.kinds is None else schema.kinds
    if not reset:
        for column, kind, name in zip(columns, kinds, shown, strict=True):
            _reject_other_content(column, kind, name)
    cells = list(map(_encoded, kinds, columns, shown))
    if reset and not all(isinstance(kind, Number) for kind in kinds):
        # Once and for all: a row must become the same numbers in any company.
        schema.float = _float_of(cells, kinds)
        with np.errstate(invalid="ignore"):
            ranges = [(np.fmin.reduce(column), np.fmax.reduce(column)) for column in cells]
        schema.range = np.array(ranges, dtype=np.float64).T
    dtype = _common(cells) if schema.float is None else schema.float
    table = np.empty((len(frame), len(cells)), dtype=dtype)
    with np.errstate(over="ignore"):
        for j, column in enumerate(cells):
            table[:, j] = column
    return table


def _encoded(kind, column, name):
    if column.isna().all():
        return np.full(len(column), np.nan)
    try:
        return kind.encode(column)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} (dtype {column.dtype}) does not fit the column of fit (dtype {kind.dtype}): "
            f"{error}"
        ) from error


def _shown(name):
    return f"Column {str(name)!r}" if isinstance(name, str) else f"Column {name}"


def _categorical(estimator, frame, names):
    """Which columns the user says are categories, list of bool."""
    features, n = estimator.categorical_features, frame.shape[1]
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


def _reject_other_content(column, kind, name):
    """A column that held numbers in fit does not hold text now, and so on."""
    if kind.content == "nothing" or column.isna().all():
        return
    if isinstance(column.dtype, pd.CategoricalDtype):
        content = _content_of_levels(column.cat.categories)
    else:
        content = content_of(column, name)
    wanted = kind.content
    if isinstance(kind, Category):
        wanted = _content_of_levels(kind.levels) if kind.n_levels else content
    if content != wanted:
        raise ValueError(
            f"{name} held {_IN_WORDS[wanted]} in fit (dtype {kind.dtype}) and holds "
            f"{_IN_WORDS[content]} now (dtype {column.dtype}). Convert it to the type of fit."
        )


def _content_of_levels(levels):
    """What levels are; "text" where they are of a type that no column may have."""
    try:
        return content_of(pd.Series(levels.to_numpy()), "")
    except (TypeError, ValueError):
        return "text"


_IN_WORDS = {
    "number": "numbers",
    "text": "text",
    "time": "dates or durations",
    "nothing": "nothing",
}


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


def frame_of_row(cells):
    """A Series of one row's cells as a table of one row, each column of its own type."""
    columns = {name: pd.Series([cell]) for name, cell in cells.items()}
    for name, column in columns.items():
        if column.isna().all():
            columns[name] = pd.Series([None], dtype=object)
    return pd.DataFrame(columns)


def column_number(column, n_features, names, setting):
    """The number of a column that is given by name or number.

    Raises
    ------
    ValueError
        If there is none.
    """
    labels = [] if names is None else list(names)
    if column in labels:
        return labels.index(column)
    # A number is a place, unless columns have names that are numbers.
    by_place = not any(isinstance(label, numbers.Integral) for label in labels)
    if by_place and isinstance(column, numbers.Integral) and 0 <= column < n_features:
        return int(column)
    known = f"the table has {n_features} columns"
    if labels:
        known = f"its columns are {', '.join(map(repr, labels[:_MANY]))}"
        known += ", …" if n_features > _MANY else ""
    raise ValueError(f"{setting} names {column!r}, which is no column of the table: {known}.")


def name_columns(names, which):
    """Columns for an error message, by name or number, the first few of them."""
    picked = [repr(str(names[j])) if names is not None else str(j) for j in which[:_MANY]]
    more = f" and {len(which) - _MANY} more" if len(which) > _MANY else ""
    return ("column " if len(which) == 1 else "columns ") + ", ".join(picked) + more


def names_of(estimator):
    """Names of the columns seen in fit, or None."""
    return getattr(estimator, "feature_names_in_", None)


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
