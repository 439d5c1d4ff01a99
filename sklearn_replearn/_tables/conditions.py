"""What rows that are asked for shall hold: a value, a range or a set of values of a column."""

from dataclasses import dataclass
from numbers import Real

import numpy as np

from .._runtime.namespaces import as_cell
from .column_types import Category
from .names import by_number


@dataclass(frozen=True)
class Condition:
    """What the cells of a column shall be, as numbers.

    Attributes
    ----------
    column : int
    low, high : float
        A closed range.
    values : ndarray or None
        The values allowed; None: all within the range.
    """

    column: int
    low: float
    high: float
    values: np.ndarray | None = None

    @property
    def exact(self):
        """Whether there is one value only."""
        return self.low == self.high

    def holds(self, cells):
        """Which cells are allowed, ndarray of bool."""
        if self.values is not None:
            return np.isin(cells, self.values)
        return (cells >= self.low) & (cells <= self.high)


def conditions_of(given, schema, n_features):
    """The conditions that a user gives by column.

    Parameters
    ----------
    given : dict
        By name or number of the column: a cell, a tuple of two ends of a range (None is an open
        end), or a list, set or array of cells.
    schema : Schema
    n_features : int

    Returns
    -------
    list of Condition

    Raises
    ------
    ValueError
        If there is no such column, one is given twice, by name and by number, or there is a level
        that fit has not seen, or no value at all.
    """
    if not isinstance(given, dict):
        raise ValueError(
            "given must be a dict of columns, such as {'column': value}, {'column': (low, high)} "
            f"or {{'column': [value, value]}}; got {given!r}."
        )
    conditions = []
    for j, (column, wanted) in by_number(given, n_features, schema.names, "given").items():
        shown, wanted = f"Column {column!r}", _plain(wanted)
        if isinstance(wanted, tuple):
            conditions.append(_range(j, wanted, schema, shown))
        elif _is_collection(wanted):
            conditions.append(_set(j, wanted, schema, shown))
        else:
            number = schema.one_cell(j, wanted, shown)
            conditions.append(Condition(j, number, number))
    return conditions


def _plain(wanted):
    """A cell, range or collection without what other libraries hold cells in."""
    if isinstance(wanted, tuple | list | set | frozenset):
        return type(wanted)(map(_plain, wanted))
    for name in ("to_pylist", "as_py"):  # of pyarrow
        if hasattr(wanted, name):
            return getattr(wanted, name)()
    return as_cell(wanted)


def _is_collection(wanted):
    """Whether it holds several cells; text and zero-dimensional arrays are one."""
    return hasattr(wanted, "__iter__") and not isinstance(wanted, str | bytes) and _axes(wanted) > 0


def _axes(wanted):
    return getattr(wanted, "ndim", 1)


def _set(j, wanted, schema, shown):
    if _axes(wanted) > 1 or isinstance(wanted, dict):
        raise ValueError(f"{shown}: values are given as a list of cells; got {wanted!r}.")
    numbers = [schema.one_cell(j, cell, shown) for cell in wanted]
    if not numbers:
        raise ValueError(f"{shown}: the list of given values is empty. Give one or more.")
    values = np.unique(numbers)
    return Condition(j, values[0], values[-1], values)


def _range(j, wanted, schema, shown):
    if len(wanted) != 2:
        raise ValueError(
            f"{shown}: a tuple is a range (low, high), and a list is a set of values; got a tuple "
            f"of {len(wanted)}, {wanted!r}."
        )
    kind = None if schema.kinds is None else schema.kinds[j]
    if isinstance(kind, Category) and not kind.ordered:
        raise ValueError(
            f"{shown} holds categories, which have no order: give a list of levels instead of the "
            f"range {wanted!r}."
        )
    low, high = (
        open_end if _is_open(end) else schema.one_cell(j, end, shown, exact=False)
        for end, open_end in zip(wanted, (-np.inf, np.inf), strict=True)
    )
    if not low <= high:
        raise ValueError(f"{shown}: a range goes from its lower to its upper end; got {wanted!r}.")
    low, high = _inwards(low, high, schema.dtype if kind is None else kind.dtype)
    return Condition(j, low, high)


def _is_open(end):
    return end is None or (isinstance(end, Real) and np.isinf(end))


def _inwards(low, high, dtype):
    """Ends that cells of a short dtype can be between after they are rounded to it."""
    if not isinstance(dtype, np.dtype) or dtype.kind != "f":
        return low, high
    ends = np.array([low, high])
    rounded = ends.astype(dtype)
    inside = np.nextafter(rounded, np.array([np.inf, -np.inf], dtype))
    # Compared in float64: a short float would be equal to what it was rounded from.
    with np.errstate(invalid="ignore"):  # of open ends
        outside = (rounded.astype(np.float64) - ends) * [1, -1] < 0
    first, last = np.where(outside & np.isfinite(ends), inside, rounded)
    return float(first), float(last)
