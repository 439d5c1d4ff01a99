"""Kinds of columns: cells of any type to numbers, and numbers back to cells.

A number is itself, true is 1, a date is the ticks since 1970. A category is the number of its
level, from 1 on; 0 is a level that fit has not seen. A missing cell is NaN.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal

import numpy as np
import pandas as pd
from pandas.api import types

from .contents import all_missing, content_of, is_missing, unreadable
from .dates import Date, first_that_keeps
from .looks import look_of, one_a_row

#: Places behind the point that are told apart.
DECIMALS = range(10)
#: Share of the rows.
SMALLEST_ATOM = 1 / 64


def learned(column, name, categorical, times=None):
    """The kind of a column, learned from its cells, and the cells as numbers.

    Parameters
    ----------
    column : Series
    name : str
        For messages.
    categorical : bool
        Whether it is a category, whatever its cells are.
    times : ndarray of shape (n_samples,), default=None
        How often each cell is there; None: once.

    Returns
    -------
    tuple of Number, Date, Category or Nothing, and ndarray of shape (n_samples,)

    Raises
    ------
    ValueError, TypeError
        If the cells are of types that do not belong together, or of none that a table may have.
    """
    dtype, leveled = column.dtype, categorical or is_dictionary(column.dtype)
    column = without_dictionary(column)
    content = content_of(column, name)
    try:
        if all_missing(column):
            kind = Nothing(column)
            return kind, kind.encode(column)
        if leveled or content == "text":
            told_apart = levels_told_apart(column)
            kind = Category(dtype, content, *told_apart, asked=leveled, times=times)
            return kind, kind.encode(column, told_apart)
        kind = {"time": Date, "number": Number}[content](column)
        kind.learn_grain(column)
        return kind, kind.encode(column)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise unreadable(column, name, error) from error


class Number:
    """A column of numbers or booleans.

    Attributes
    ----------
    dtype : dtype
    whole : bool
        Whether the cells come back as whole numbers.
    decimal : bool
        Whether they are decimals rather than floats.
    """

    n_levels = 0
    content = "number"
    decimals = None
    atoms = ()
    of_objects = float  # where the dtype of fit is not here, as without pyarrow

    def __init__(self, column):
        self.dtype = column.dtype
        if types.is_object_dtype(self.dtype):
            found = types.infer_dtype(column, skipna=True)
            of_objects = {"boolean": bool, "integer": int, "decimal": _Decimals}.get(found, float)
            self.decimal = of_objects is _Decimals
            self.of_objects = _Decimals(column) if self.decimal else of_objects
            self.boolean, self.whole = found == "boolean", found == "integer"
            return
        self.decimal = hasattr(getattr(self.dtype, "pyarrow_dtype", None), "precision")
        self.boolean = types.is_bool_dtype(self.dtype)
        self.whole = types.is_integer_dtype(self.dtype)

    def learn_grain(self, column):
        """Of how many decimals all cells are, which float32 may not keep apart."""
        cells = self.encode(column).astype(np.float64)
        cells = cells[np.isfinite(cells)]
        # Whole numbers are whole in float32, too.
        self.decimals = first_that_keeps(cells, np.round, DECIMALS) or None

    def learn_atoms(self, values, counts, n_rows):
        """Which values many rows have that float32, as which the cells are kept, changes.

        Parameters
        ----------
        values, counts : ndarray of shape (n_values,)
            Finite values, among them all that many rows have, and how many have each.
        n_rows : int
        """
        if self.decimals is None:
            many = values[counts > max(1, SMALLEST_ATOM * n_rows)]
            self.atoms = tuple(many[many.astype(np.float32) != many].tolist())

    def encode(self, column):
        """Cells to numbers, ndarray of shape (n_samples,), float."""
        return as_numbers(column)

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
        values = _within(values, self.dtype)
        if not missing.any():
            return pd.Series(_exactly(values, self.dtype))
        cells = pd.Series(values, dtype="Float64").mask(missing)
        return cells.astype(_NULLABLE.get(self.dtype, self.dtype))


def as_numbers(column):
    """Cells of a column of numbers or booleans, ndarray of shape (n_samples,)."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiub":
        return column.to_numpy()
    if types.is_object_dtype(column.dtype):
        return column.where(column.notna(), np.nan).astype(np.float64).to_numpy()
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


class _Decimals:
    """Numbers as decimals, with as many places behind the point as the cells of a column.

    They have no more places before it, either: a type of decimals may have no room for them.
    """

    def __init__(self, column):
        cells = [cell for cell in column if not is_missing(cell) and cell.is_finite()]
        places = max((-cell.as_tuple().exponent for cell in cells), default=0)
        before = max((cell.adjusted() + 1 for cell in cells if cell), default=1)
        self._step = Decimal(1).scaleb(-max(places, 0))
        self._largest = Decimal(1).scaleb(max(before, 1)) - self._step

    def __call__(self, value):
        exact = Context(prec=2000, rounding=ROUND_HALF_EVEN)
        value = max(-self._largest, min(self._largest, Decimal(value)))
        return value.quantize(self._step, context=exact)


class Nothing(Number):
    """A column of which fit saw no cell: whatever comes later is ignored."""

    content = "nothing"
    boolean = whole = False

    def __init__(self, column):
        self.dtype = column.dtype

    def learn_grain(self, column):
        """Nothing."""

    def encode(self, column):
        """NaN for each cell."""
        return np.full(len(column), np.nan)

    def decode(self, values):
        """Missing cells, Series."""
        cells = pd.Series([None] * len(values), dtype=object)
        return cells if types.is_object_dtype(self.dtype) else cells.astype(self.dtype)


_NULLABLE = {np.dtype(bool): "boolean"} | {
    np.dtype(name.lower()): name
    for name in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
}


def _within(values, dtype):
    """Numbers within the range of a dtype."""
    decimal = getattr(getattr(dtype, "pyarrow_dtype", None), "precision", None)
    if decimal is not None:
        largest = np.nextafter(10.0 ** (decimal - dtype.pyarrow_dtype.scale), 0)
        return np.clip(values, -largest, largest)
    plain = np.dtype(getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype)))
    if plain.kind == "f":
        return np.clip(values, float(np.finfo(plain).min), float(np.finfo(plain).max))
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


class Category:
    """A column of levels.

    Attributes
    ----------
    dtype : dtype
    levels : Index
        Those seen in fit, in the order of the dtype where it has one, else sorted.
    ordered : bool
    look : str or None
        What its text looks like, see :func:`look_of`; None where a user says it is a category.
    asked : bool
        Whether a user says it is a category.
    one_a_row : bool
        Whether nearly every row has a level of its own, as identifiers have; ordered levels are
        none.
    """

    boolean, whole = False, False

    def __init__(self, dtype, content, codes, levels, asked=False, times=None):
        self.dtype = dtype
        self.asked = asked or isinstance(dtype, pd.CategoricalDtype)
        self.ordered = isinstance(dtype, pd.CategoricalDtype) and dtype.ordered is True
        self.content = "text" if isinstance(dtype, pd.CategoricalDtype) else content
        counts = np.bincount(codes + 1, times, minlength=len(levels) + 1)[1:]
        self.look = None if self.asked else look_of(levels, counts)
        self.one_a_row = not self.ordered and one_a_row(counts)
        present = counts > 0
        self.levels = levels[present] if self.ordered else _sorted(levels[present])

    @property
    def n_levels(self):
        """Levels seen in fit."""
        return len(self.levels)

    def encode(self, column, told_apart=None):
        """Cells to numbers of levels, ndarray of shape (n_samples,), float32 or float64."""
        if told_apart is None:
            told_apart = levels_told_apart(without_dictionary(column))
        codes, levels = told_apart
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
        cells = pd.Series(self.levels.take(np.maximum(places, 0)))
        if types.is_object_dtype(self.dtype):
            return cells.astype(object).where(~missing, None)
        cells = cells.mask(missing) if missing.any() else cells
        if is_dictionary(self.dtype):
            return as_dictionary(cells, self.dtype)
        return cells.astype(_with_missing(self.dtype) if missing.any() else self.dtype)


def _with_missing(dtype):
    """A dtype that holds missing cells, too: whole numbers and their intervals have none."""
    if isinstance(dtype, pd.IntervalDtype) and types.is_integer_dtype(dtype.subtype):
        return pd.IntervalDtype("float64", dtype.closed)
    return _NULLABLE.get(dtype, dtype)


def is_dictionary(dtype):
    """Whether a dtype is that of pyarrow's dictionaries, its categories."""
    return hasattr(getattr(dtype, "pyarrow_dtype", None), "index_type")


def without_dictionary(column):
    """A column with its cells themselves in place of pyarrow's dictionary."""
    if not is_dictionary(column.dtype):
        return column
    return column.astype(pd.ArrowDtype(column.dtype.pyarrow_dtype.value_type))


def as_dictionary(cells, dtype):
    """Cells as those of a column of pyarrow's dictionaries."""
    encoded = cells.array.__arrow_array__().dictionary_encode()
    return pd.Series(type(cells.array)(encoded.cast(dtype.pyarrow_dtype)), index=cells.index)


def levels_told_apart(column):
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
