"""What the table of fit was like, so that raw tables become numbers and numbers raw tables."""

import numpy as np
import pandas as pd

from .._dataset.sparse import SparseTable
from .column_types import Category, Number, all_missing, content_of
from .frames import as_pandas
from .levels import UNSEEN, Levels
from .names import MANY, column_number


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
        self.container, self.kinds, self.names = container, kinds, names
        self.dtype, self.sparse = dtype, sparse
        self.float = self.range = None

    def within_range(self, values):
        """Drawn numbers within the range of fit, where rounding may have moved them beyond."""
        return (
            values if self.range is None else np.fmax(self.range[0], np.fmin(self.range[1], values))
        )

    def levels(self, n_features):
        """The categories among the columns, :class:`Levels`."""
        if self.kinds is None:
            return Levels.none(n_features)
        sizes = [kind.n_levels for kind in self.kinds]
        return Levels(sizes, [getattr(kind, "ordered", False) for kind in self.kinds])

    def one_row(self, given, n_features):
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
        return values

    def _one_cell(self, j, cell, shown):
        """A given cell as a number."""
        cells = pd.Series([cell])
        if cells.isna().all():
            raise ValueError(f"{shown}: the given cell is missing. Leave the column out instead.")
        kind = Number(pd.Series(np.empty(0, self.dtype))) if self.kinds is None else self.kinds[j]
        number = float(encoded(kind, cells, shown)[0])
        if not np.isfinite(number):
            raise ValueError(f"{shown}: the given cell is inf. Give a finite number.")
        if isinstance(kind, Category) and number == UNSEEN:
            levels = ", ".join(map(repr, kind.levels[:MANY]))
            more = ", …" if kind.n_levels > MANY else ""
            raise ValueError(f"{shown} has no level {cell!r} in fit; it has {levels}{more}.")
        exact = kind.whole or kind.boolean
        if exact and kind.encode(kind.decode(np.array([number])))[0] != number:
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
    _reject_other_content(column, kind, name)
    try:
        return kind.encode(column)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"{name} (dtype {column.dtype}) does not fit the column of fit (dtype {kind.dtype}): "
            f"{error}"
        ) from error


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


def table_of_row(x, names):
    """A table of one row, from a row of any form; a frame where columns have names."""
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
