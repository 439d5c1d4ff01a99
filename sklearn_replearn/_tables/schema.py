"""What the table of fit was like, so that raw tables become numbers and numbers raw tables."""

import copy
import hashlib

import numpy as np
import pandas as pd

from .._dataset.sparse import SparseTable
from .arrays import rows_as_array
from .column_types import Category, Number, as_dictionary, is_dictionary, without_dictionary
from .contents import TO, all_missing, content_of, unreadable
from .dates import Date
from .frames import as_pandas
from .holes import beside_others
from .levels import UNSEEN, Levels
from .looks import warn_of_looks
from .names import MANY, brief
from .readers import as_read


def _shared(kinds):
    """The same kinds, one object for all columns that are alike."""
    alike = {}
    return tuple(
        alike.setdefault(tuple(vars(kind).items()), kind) if type(kind) is Number else kind
        for kind in kinds
    )


class Schema:
    """Kinds of the columns of the table seen in fit, and what makes a table like it again.

    Attributes
    ----------
    container : container or None
        Of frames; None for arrays.
    kinds : sequence of Number, Date, Category and Nothing, or None
        None for arrays of numbers, dense or sparse.
    names : Index or ndarray of str, or None
        Labels of the columns.
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
        self.container, self.names = container, names
        self.kinds = None if kinds is None else _shared(kinds)
        self.dtype, self.sparse = dtype, sparse
        self.float = self.range = None

    def __getstate__(self):
        if self.kinds is None:
            return vars(self)
        # Each kind once: most columns of a wide table are alike.
        distinct = list(dict.fromkeys(self.kinds))
        places = {kind: place for place, kind in enumerate(distinct)}
        which = np.array([places[kind] for kind in self.kinds], np.min_scalar_type(len(distinct)))
        return vars(self) | {"kinds": {"distinct": distinct, "which": which}}

    def __setstate__(self, state):
        vars(self).update(state)
        if isinstance(self.kinds, dict):  # before 0.2 not: the estimator around it says so
            distinct = self.kinds["distinct"]
            self.kinds = tuple(distinct[place] for place in self.kinds["which"].tolist())

    def within_range(self, values):
        """Drawn numbers within the range of fit, where rounding may have moved them beyond."""
        return (
            values if self.range is None else np.fmax(self.range[0], np.fmin(self.range[1], values))
        )

    def widened(self, multiset):
        """The same with the range of the numbers of a multiset, too."""
        if self.range is None:
            return self
        wider, found = copy.copy(self), multiset.moments(multiset.values)
        low, high = self.range
        wider.range = np.stack([np.fmin(low, found.low), np.fmax(high, found.high)])
        return wider

    def within_reach(self, values):
        """Expected numbers, dates among them at most as far from the range of fit as it is long.

        A network is arbitrary where it has seen nothing, and a calendar ends.
        """
        if self.kinds is None or not any(isinstance(kind, Date) for kind in self.kinds):
            return values
        values = values.copy()
        for j, kind in enumerate(self.kinds):
            if isinstance(kind, Date):
                low, high = self.range[:, j]
                values[:, j] = np.clip(values[:, j], low - (high - low), high + (high - low))
        return values

    @property
    def identifiers(self):
        """Columns of categories that tell rows apart by a level each, ndarray of int."""
        kinds = self.kinds or ()
        which = [j for j, kind in enumerate(kinds) if getattr(kind, "one_a_row", False)]
        return np.array(which, dtype=np.intp)

    def warn_of_looks(self):
        """Warn of columns of text that are something else by their look."""
        if self.kinds is not None:
            warn_of_looks(self.kinds, self.names)

    def levels(self, n_features):
        """The categories among the columns, :class:`Levels`."""
        if self.kinds is None:
            return Levels.none(n_features)
        sizes = [kind.n_levels for kind in self.kinds]
        return Levels(sizes, [getattr(kind, "ordered", False) for kind in self.kinds])

    def stated(self):
        """A text that stands for columns of these names and levels."""
        names = "without names" if self.names is None else ", ".join(map(str, self.names))
        levels = [list(getattr(kind, "levels", ())) for kind in self.kinds or ()]
        digest = hashlib.sha256(repr(levels).encode()).hexdigest()
        return f"{names} ({self.dtype}, fingerprint of levels {digest[:16]})"

    def label(self, j):
        """A column for messages."""
        return f"Column {j if self.names is None else self.names[j]!r}"

    def shown(self, j, number):
        """A number of a column as a cell, for messages."""
        if self.kinds is None:
            return f"{number:.6g}"
        return str(self.kinds[j].decode(np.array([number]))[0])

    def one_cell(self, j, cell, shown, exact=True):
        """A given cell of a column as a number.

        Parameters
        ----------
        j : int
        cell : object
        shown : str
            The column, for messages.
        exact : bool, default=True
            Whether it shall be one that the column can hold, and not only comparable to such.

        Raises
        ------
        ValueError
            If the cell is missing or of another type, or a level that fit has not seen.
        """
        cells = pd.Series([cell])
        if cells.isna().all():
            raise ValueError(f"{shown}: the given cell is missing. Leave the column out instead.")
        kind = Number(pd.Series(np.empty(0, self.dtype))) if self.kinds is None else self.kinds[j]
        if kind.content == "nothing":
            raise ValueError(f"{shown}: fit saw no cell of it. Leave the column out.")
        number = float(encoded(kind, cells, shown)[0])
        if not np.isfinite(number):
            raise ValueError(f"{shown}: the given cell is inf. Give a finite number.")
        if isinstance(kind, Category) and number == UNSEEN:
            levels = ", ".join(map(brief, kind.levels[:MANY]))
            more = ", …" if kind.n_levels > MANY else ""
            raise ValueError(f"{shown} has no level {brief(cell)} in fit; it has {levels}{more}.")
        exact = exact and (kind.whole or kind.boolean)
        if exact and kind.encode(kind.decode(np.array([number])))[0] != number:
            raise ValueError(f"{shown} has dtype {kind.dtype}; {brief(cell)} is no value of it.")
        return number

    def filled(self, X, table, values, which):
        """A copy of a raw table, its missing cells filled.

        Parameters
        ----------
        X : array-like or frame
        table : ndarray or SparseTable
            The same as numbers.
        values : ndarray of shape (n, n_features), float64
            Of the rows with missing cells.
        which : ndarray of int
            These rows.
        """
        values = self.within_reach(values)
        if isinstance(table, SparseTable):
            return type(X)(table.filled(values, which))
        values, found = beside_others(values, which, len(table)), as_pandas(X)
        if found is None:
            return self._array_filled(X, table, values)
        frame, container = found
        missing = np.isnan(table)
        new = {}
        for j in np.flatnonzero(missing.any(axis=0)).tolist():
            column = frame.iloc[:, j]
            kind = Number(column) if self.kinds is None else _own_kind(self.kinds[j], column)
            if kind.content != "nothing":  # else there is nothing to fill it with
                new[j] = _put(column, missing[:, j], kind.decode(values[:, j]))
        return container.filled(X, frame, new)

    def _array_filled(self, X, table, values):
        """A copy of an array or of a list of rows, its missing cells filled."""
        given, missing = getattr(X, "dtype", None), np.isnan(table)
        if given is None and self.kinds is None:
            return np.where(missing, values, table).astype(table.dtype, copy=False)
        cells = np.array(X.data) if isinstance(X, np.ma.MaskedArray) else _array_of(X)
        if cells.dtype.kind in "US" and missing.any():
            cells = cells.astype(object)  # a level of fit may be longer
        elif cells.dtype.kind == "f":
            cells = cells.astype(np.result_type(cells.dtype, table.dtype), copy=False)
        if self.kinds is not None:
            missing = missing & np.array([kind.content != "nothing" for kind in self.kinds])
        if cells.dtype == object:
            filled = self._objects_like(cells, values)
        elif self.kinds is None:
            filled = _as_dtype(values, cells.dtype)
        else:
            filled = self.decode(values)
            filled = np.asarray(filled if self.container is None else as_pandas(filled)[0])
        if missing.any():
            cells[missing] = filled[missing]
        numbers = all(type(kind) is Number and not kind.boolean for kind in self.kinds or ())
        if given is None and (numbers or np.dtype(self.dtype or object).kind == "f"):
            return cells.astype(np.float64)
        return cells

    def _objects_like(self, cells, values):
        """Cells, each column decoded as fit says and as those of an array of objects are."""
        kinds = self.kinds or [Number(pd.Series(np.empty(0, self.dtype)))] * len(cells.T)
        columns = [
            _own_kind(kind, pd.Series(column)).decode(numbers)
            for kind, column, numbers in zip(kinds, cells.T, values.T, strict=True)
        ]
        return np.stack([column.to_numpy(dtype=object) for column in columns], axis=1)

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
            missing = np.dtype(self.dtype).kind in "iub" and frame.isna().any(axis=None)
            return frame.to_numpy(dtype=np.float64 if missing else self.dtype)
        frame.columns = self.names
        if index is not None:
            frame.index = index
        return self.container.back(frame)


def _own_kind(kind, column):
    """The kind that fills a column: that of fit, but decimals and truth where the column has them.

    Cells of one column are of one type.
    """
    if type(kind) is not Number:
        return kind
    own = Number(column)
    return own if own.decimal or own.boolean else kind


def _put(column, missing, cells):
    """A copy of a column, its missing cells replaced by those of another."""
    cells = cells.set_axis(column.index)
    if missing.all():
        return cells
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = cells[missing].unique().dropna()
        known = column.cat.categories
        column = column.cat.add_categories([level for level in levels if level not in known])
        cells = cells.where(missing).astype(column.dtype)
    elif pd.api.types.is_integer_dtype(column.dtype):
        numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        cells = Number(column).decode(numbers).set_axis(column.index)
    elif is_dictionary(column.dtype):
        known, cells = without_dictionary(column), without_dictionary(cells)
        return as_dictionary(known.where(~missing, cells.astype(known.dtype)), column.dtype)
    return column.where(~missing, cells).astype(column.dtype)


def _array_of(X):
    """A copy of an array, or of a list of rows as an array of objects."""
    if hasattr(X, "dtype"):
        return np.array(X)
    rows = rows_as_array(X)
    return rows.astype(object)


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


def encoded(kind, column, name):
    """Cells of a column that comes after fit as numbers of its kind.

    Raises
    ------
    ValueError
        If it holds something else than in fit.
    """
    if kind.content == "nothing" or all_missing(column):
        return np.full(len(column), np.nan)
    column = without_dictionary(column)
    _reject_other_content(column, kind, name)
    try:
        return kind.encode(column)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise unreadable(column, name, error) from error


def _reject_other_content(column, kind, name):
    """A column that held numbers in fit does not hold text now, and so on."""
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
            f"{_IN_WORDS[content]} now (dtype {column.dtype}). Convert it to the type of fit, for "
            f"example with {TO[wanted]}."
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


def table_of_row(x, names):
    """A table of one row, from a row of any form; a frame where columns have names."""
    x = as_read(x)
    if isinstance(x, pd.Series):
        return frame_of_row(x)
    if hasattr(x, "columns") or (hasattr(x, "shape") and np.ndim(x) != 1):
        return x
    array = np.asarray(x)
    if array.dtype.kind in "US":
        array = np.asarray(x, dtype=object)
    x = array.reshape(1, -1) if array.ndim == 1 else array
    if names is not None and x.ndim == 2 and x.shape[1] == len(names):
        return frame_of_row(pd.Series(x[0], index=names))
    return x


def frame_of_row(cells):
    """A Series of one row's cells as a table of one row, each column of its own type."""
    columns = {name: pd.Series([cell]) for name, cell in cells.items()}
    for name, column in columns.items():
        if column.isna().all():
            columns[name] = pd.Series([None], dtype=object)
    return pd.DataFrame(columns)
