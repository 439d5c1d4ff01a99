"""Kinds of columns: cells of any type to numbers, and numbers back to cells.

A number is itself, true is 1, a date is the ticks since 1970. A category is the number of its
level, from 1 on; 0 is a level that fit has not seen. A missing cell is NaN.
"""

import numpy as np
import pandas as pd
from pandas.api import types

_LOOKED_AT_FIRST = 64  # rows, which rule out most that does not hold for all
_MOST_DECIMALS = 9
_SMALLEST_ATOM = 1 / 64  # share of the rows
_UNITS = ("D", "h", "min", "s")
_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")


def learned(column, name, categorical):
    """The kind of a column, learned from its cells, and the cells as numbers.

    Parameters
    ----------
    column : Series
    name : str
        For messages.
    categorical : bool
        Whether it is a category, whatever its cells are.

    Returns
    -------
    tuple of Number, Date, Category or Nothing, and ndarray of shape (n_samples,)

    Raises
    ------
    ValueError, TypeError
        If the cells are of types that do not belong together, or of none that a table may have.
    """
    content = content_of(column, name)
    try:
        if categorical or content == "text":
            told_apart = _told_apart(column)
            kind = Category(column.dtype, content, *told_apart)
            return kind, kind.encode(column, told_apart)
        kinds = {"time": Date, "nothing": Nothing, "number": Number}
        kind = kinds[content](column)
        kind.learn_grain(column)
        return kind, kind.encode(column)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} (dtype {column.dtype}) cannot be read: {error}") from error


def content_of(column, name):
    """What a column holds: "number", "time", "text" or, where all is missing, "nothing"."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "text"
    if types.is_bool_dtype(dtype) or types.is_numeric_dtype(dtype):
        if types.is_complex_dtype(dtype):
            raise ValueError(f"Complex data not supported: {name} has dtype {dtype}.")
        return "number"
    if getattr(dtype, "kind", None) in ("M", "m"):
        return "time"
    if isinstance(dtype, pd.IntervalDtype):
        return "text"
    if types.is_string_dtype(dtype) and not types.is_object_dtype(dtype):
        return "text"
    if not types.is_object_dtype(dtype):
        raise ValueError(f"{name} has dtype {dtype}. {_WANTED}")
    found = types.infer_dtype(column, skipna=True)
    if found == "empty":
        return "nothing"
    if found in (*_NUMBERS, "boolean"):
        return "number"
    if found in ("string", "bytes", "interval"):
        return "text"
    if found in ("datetime", "datetime64", "date", "timedelta", "timedelta64"):
        return "time"
    if found == "complex":
        raise ValueError(f"Complex data not supported: {name} holds complex numbers.")
    kinds = sorted({type(cell).__name__ for cell in column if not _is_missing(cell)})
    if {"int", "float", "bool", "str", "bytes"} >= set(kinds):
        raise ValueError(
            f"{name} mixes cells of type {' and '.join(kinds)}. Give it one type, for example with "
            "df[column].astype(str)."
        )
    raise TypeError(
        f"{name} holds cells of type {', '.join(kinds[:3])}: the argument must be a table whose "
        "cells are each a string or a number (or a date, a boolean, or missing)."
    )


_WANTED = (
    "Columns hold numbers, booleans, dates, strings or categories; convert it to one of them, for "
    "example with df[column].astype(str)."
)


def _is_missing(cell):
    return cell is None or cell is pd.NA or cell is pd.NaT or cell != cell


def all_missing(column):
    """Whether a column has no cell; usually the first one tells."""
    first = column.iloc[:1]
    return bool(first.isna().all() and column.isna().all())


class Number:
    """A column of numbers or booleans.

    Attributes
    ----------
    dtype : dtype
    whole : bool
        Whether the cells come back as whole numbers.
    """

    n_levels = 0
    content = "number"
    decimals = None
    atoms = ()

    def __init__(self, column):
        self.dtype = column.dtype
        if types.is_object_dtype(self.dtype):
            found = types.infer_dtype(column, skipna=True)
            self.of_objects = {"boolean": bool, "integer": int}.get(found, float)
            self.boolean, self.whole = found == "boolean", found == "integer"
            return
        self.boolean = types.is_bool_dtype(self.dtype)
        self.whole = types.is_integer_dtype(self.dtype)

    def learn_grain(self, column):
        """Of how many decimals all cells are, which float32 may not keep apart."""
        cells = self.encode(column).astype(np.float64)
        cells = cells[np.isfinite(cells)]
        # Whole numbers are whole in float32, too.
        self.decimals = _first_that_keeps(cells, np.round, range(_MOST_DECIMALS + 1)) or None

    def learn_atoms(self, cells):
        """Which values many rows have that float32, as which the cells are kept, changes."""
        if self.decimals is None:
            values, counts = np.unique(cells[np.isfinite(cells)], return_counts=True)
            many = values[counts > max(1, _SMALLEST_ATOM * len(cells))]
            self.atoms = many[many.astype(np.float32) != many]

    def encode(self, column):
        """Cells to numbers, ndarray of shape (n_samples,), float."""
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiub":
            return column.to_numpy()
        if types.is_object_dtype(column.dtype):
            return column.where(column.notna(), np.nan).astype(np.float64).to_numpy()
        return column.to_numpy(dtype=np.float64, na_value=np.nan)

    def decode(self, values):
        """Numbers to cells, Series."""
        values = np.asarray(values, dtype=np.float64)
        missing = np.isnan(values)
        if self.boolean:
            values = np.where(missing, np.nan, values >= 0.5)
        elif self.decimals is not None:
            values = np.round(values, self.decimals)
        elif self.whole:
            values = np.rint(values)
        for atom in self.atoms:
            values = np.where(values == np.float64(np.float32(atom)), atom, values)
        if types.is_object_dtype(self.dtype):
            cells = [
                None if gone else self.of_objects(v)
                for v, gone in zip(values, missing, strict=True)
            ]
            return pd.Series(cells, dtype=object)
        if self.whole:
            values = _within(values, self.dtype)
        if not missing.any():
            return pd.Series(_exactly(values, self.dtype))
        cells = pd.Series(values, dtype="Float64").mask(missing)
        return cells.astype(_NULLABLE.get(self.dtype, self.dtype))


def _first_that_keeps(cells, rounded, units):
    """The first unit to which rounding changes no cell, or None."""
    first = cells[:_LOOKED_AT_FIRST]
    for unit in units:
        if all(np.array_equal(some, rounded(some, unit)) for some in (first, cells)):
            return unit
    return None


class Nothing(Number):
    """A column of which fit saw no cell: whatever comes later is ignored."""

    content = "nothing"

    def learn_grain(self, column):
        """Nothing."""

    def encode(self, column):
        """NaN for each cell."""
        return np.full(len(column), np.nan)


_NULLABLE = {np.dtype(bool): "boolean"} | {
    np.dtype(name.lower()): name
    for name in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
}


def _within(values, dtype):
    """Whole numbers within the range of an integer dtype."""
    plain = np.dtype(getattr(dtype, "numpy_dtype", dtype))
    if plain.kind not in "iu":
        return values
    limits = np.iinfo(plain)
    # The largest float that is no larger than the limit.
    highest = np.nextafter(float(limits.max), 0) if plain.itemsize == 8 else float(limits.max)
    return np.clip(values, float(limits.min), highest)


def _exactly(values, dtype):
    if isinstance(dtype, np.dtype):
        return values.astype(dtype)
    plain = getattr(dtype, "numpy_dtype", None)
    if plain is not None and plain.kind in "iub":
        values = values.astype(plain)
    return pd.array(values, dtype=dtype)


class Date:
    """A column of dates, times or durations: the ticks of its unit, from 1970 or from zero."""

    n_levels = 0
    content = "time"
    boolean, whole = False, True
    unit = None

    def __init__(self, column):
        self.dtype = column.dtype
        self.of_objects = types.infer_dtype(column, skipna=True)
        self.plain = _as_time(column).dtype

    def learn_grain(self, column):
        """Whether all cells are days, hours, minutes or seconds, by the clock of their zone."""
        column = _as_time(column).dropna()
        if getattr(column.dtype, "tz", None) is not None:
            column = column.dt.tz_localize(None)
        self.unit = _first_that_keeps(column, lambda cells, unit: cells.dt.floor(unit), _UNITS)

    def encode(self, column):
        """Cells to ticks, ndarray of shape (n_samples,), float64."""
        column = _as_time(column).astype(self.plain)
        ticks = column.astype("int64").to_numpy(dtype=np.float64)
        return np.where(column.isna().to_numpy(), np.nan, ticks)

    def decode(self, values):
        """Ticks to cells, Series."""
        values = np.asarray(values, dtype=np.float64)
        missing = np.isnan(values)
        limit = np.nextafter(2.0**63, 0)
        ticks = np.clip(np.rint(np.where(missing, 0, values)), -limit, limit).astype(np.int64)
        unit = getattr(self.plain, "unit", None) or np.datetime_data(self.plain)[0]
        kind = "m8" if types.is_timedelta64_dtype(self.plain) else "M8"
        column = pd.Series(ticks.view(f"{kind}[{unit}]"))
        if getattr(self.plain, "tz", None) is not None:
            column = column.dt.tz_localize("UTC").dt.tz_convert(self.plain.tz)
        if self.unit is not None:
            column = self._on_unit(column)
        column = column.mask(missing)
        if not types.is_object_dtype(self.dtype):
            return column.astype(self.dtype)
        if self.of_objects == "date":
            return column.dt.date.astype(object).where(~missing, None)
        return column.astype(object).where(~missing, None)

    def _on_unit(self, column):
        if types.is_timedelta64_dtype(self.plain):
            return column.dt.round(self.unit)
        first = np.ones(len(column), dtype=bool)  # of two equal hours, at the end of summer
        return column.dt.round(self.unit, ambiguous=first, nonexistent="shift_forward")


def _as_time(column):
    """Dates of any representation as a column of pandas' own dtype."""
    if isinstance(column.dtype, pd.ArrowDtype):
        column = column.array.__arrow_array__().to_pandas().set_axis(column.index)
    if types.is_object_dtype(column.dtype):
        durations = types.infer_dtype(column, skipna=True).startswith("timedelta")
        column = pd.to_timedelta(column) if durations else pd.to_datetime(column)
    return column


class Category:
    """A column of levels.

    Attributes
    ----------
    dtype : dtype
    levels : Index
        Those seen in fit, in the order of the dtype where it has one, else sorted.
    ordered : bool
    """

    boolean, whole = False, False

    def __init__(self, dtype, content, codes, levels):
        self.dtype = dtype
        self.ordered = isinstance(dtype, pd.CategoricalDtype) and dtype.ordered is True
        self.content = "text" if isinstance(dtype, pd.CategoricalDtype) else content
        present = np.bincount(codes + 1, minlength=len(levels) + 1)[1:] > 0
        self.levels = levels[present] if self.ordered else _sorted(levels[present])

    @property
    def n_levels(self):
        """Levels seen in fit."""
        return len(self.levels)

    def encode(self, column, told_apart=None):
        """Cells to numbers of levels, ndarray of shape (n_samples,), float32 or float64."""
        codes, levels = _told_apart(column) if told_apart is None else told_apart
        numbers = self.levels.get_indexer(levels) + 1
        small = np.float32 if self.n_levels < 2**24 else np.float64
        # One place more, for the code -1 of missing cells.
        return np.append(numbers, np.nan).astype(small)[codes]

    def decode(self, values):
        """Numbers of levels to cells, Series."""
        values = np.asarray(values, dtype=np.float64)
        missing = ~(values >= 1)
        places = np.where(missing, 0, values).astype(np.intp) - 1
        if isinstance(self.dtype, pd.CategoricalDtype):
            known = self.dtype.categories.get_indexer(self.levels)
            codes = np.where(missing, -1, np.append(known, -1)[places])
            return pd.Series(pd.Categorical.from_codes(codes, dtype=self.dtype))
        if len(self.levels) == 0:
            return pd.Series([None] * len(values), dtype=object).astype(self.dtype)
        cells = pd.Series(self.levels.take(np.maximum(places, 0)))
        if types.is_object_dtype(self.dtype):
            return cells.astype(object).where(~missing, None)
        if missing.any():
            return cells.mask(missing).astype(_NULLABLE.get(self.dtype, self.dtype))
        return cells.astype(self.dtype)


def _told_apart(column):
    """Number of the level of each cell, -1 where it is missing, and the levels, an Index."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(), column.cat.categories
    codes, levels = pd.factorize(column)
    return codes, pd.Index(levels)


def _sorted(levels):
    try:
        return levels.sort_values()
    except TypeError:  # levels that have no order among each other
        return levels
