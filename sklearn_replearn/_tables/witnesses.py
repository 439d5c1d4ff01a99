"""What parts of a column leave behind: a few cells, of which is learned what all cells say."""

import warnings
from contextlib import suppress
from decimal import Decimal

import numpy as np
import pandas as pd
from pandas.api import types

from .column_types import (
    DECIMALS,
    SMALLEST_ATOM,
    as_numbers,
    is_dictionary,
    learned,
    levels_told_apart,
    without_dictionary,
)
from .contents import all_missing, content_of, is_missing, unreadable
from .dates import as_time, off_units

#: Levels of one column at most, which are in memory together.
_MOST_LEVELS = 2**20
_FEWEST_JOINED = 2**14
_LOOKED_AT_FIRST = 64


class Witnesses:
    """The cells of a column that is read in parts which tell of it what all cells do.

    They are the first one of each type; of numbers and dates the least, the greatest and those that
    are not of so many decimals, or not on a unit; of text each level, with how often it is there.
    :func:`learned` learns the same from them as from the column.

    Parameters
    ----------
    name : str
        For messages.
    categorical : bool
        Whether it is a category, whatever its cells are.
    """

    def __init__(self, name, categorical):
        self._name, self._categorical = name, categorical
        self._kept, self._types, self._ranges = [], set(), {}
        self._kept_by = set(DECIMALS)
        self._units, self._decimals = None, (-np.inf, -np.inf)
        self._levels, self._counts, self._waiting = [], [], 0
        self._dictionary = None

    def take(self, column, content):
        """Look at the cells of a part, which hold this; see :func:`content_of_part`."""
        if is_dictionary(column.dtype):
            self._dictionary, column = column.dtype, without_dictionary(column)
        try:
            if content == "nothing":
                self._keep(column, [])
            elif content == "text" or self._categorical or self._dictionary is not None:
                self._take_levels(column)
            elif content == "time":
                self._take_times(column)
            else:
                self._take_numbers(column)
        except (TypeError, ValueError, ArithmeticError) as error:
            if isinstance(error, TooManyLevels):
                raise
            raise unreadable(column, self._name, error) from error

    def _keep(self, column, places):
        """Remember cells, at least one of each dtype."""
        if column.dtype not in self._types:
            self._types.add(column.dtype)
            places = [0, *places]
        if places:
            self._kept.append(column.iloc[sorted(set(map(int, places)))])

    def _beyond(self, key, cells):
        """Places of the least and the greatest cell, where no earlier one is beyond."""
        low, high = np.fmin.reduce(cells), np.fmax.reduce(cells)
        least, most = self._ranges.get(key, (None, None))
        places = []
        if least is None or low < least:
            places.append(int(np.argmax(cells == low)))
            least = low
        if most is None or high > most:
            places.append(int(np.argmax(cells == high)))
            most = high
        self._ranges[key] = least, most
        return places

    def _take_numbers(self, column):
        cells = as_numbers(column)
        places = self._beyond(cells.dtype, cells)
        if types.is_object_dtype(column.dtype):
            places += self._of_other_types(column)
        if self._kept_by and cells.dtype.kind == "f":
            there = np.flatnonzero(np.isfinite(cells))
            exact = cells[there].astype(np.float64)
            for decimals in tuple(self._kept_by):
                place = _first_changed(exact, decimals)
                if place is not None:
                    places.append(there[place])
                    self._kept_by.discard(decimals)
        self._keep(column, places)

    def _of_other_types(self, column):
        """Places of the first cells of their types, and of decimals with more places."""
        places = []
        for place, cell in enumerate(column):
            if is_missing(cell):
                continue
            key = type(cell), str(getattr(cell, "tzinfo", None))
            if key not in self._types:
                self._types.add(key)
                places.append(place)
            if isinstance(cell, Decimal) and cell.is_finite():
                size = -cell.as_tuple().exponent, cell.adjusted()
                if size[0] > self._decimals[0] or size[1] > self._decimals[1]:
                    self._decimals = tuple(map(max, size, self._decimals))
                    places.append(place)
        return places

    def _take_times(self, column):
        times = as_time(column)
        there = np.flatnonzero(times.notna().to_numpy())
        ticks = times.iloc[there].astype("int64").to_numpy()
        places = self._beyond(times.dtype, ticks)
        if types.is_object_dtype(column.dtype):
            first = self._of_other_types(column)
            places += np.searchsorted(there, first).tolist()
        wrong, self._units = off_units(times.iloc[there], self._units)
        self._keep(column, there[np.array([*places, *wrong], dtype=np.intp)].tolist())

    def _take_levels(self, column):
        codes, levels = levels_told_apart(column)
        counts = np.bincount(codes + 1, minlength=len(levels) + 1)[1:].astype(np.float64)
        if isinstance(column.dtype, pd.CategoricalDtype):
            cells = pd.Series(pd.Categorical(levels, dtype=column.dtype))
        else:
            cells = pd.Series(levels, dtype=column.dtype)
        self._levels.append(cells[counts > 0])
        self._counts.append(counts[counts > 0])
        self._waiting += len(self._counts[-1])
        if self._waiting > max(_FEWEST_JOINED, len(self._levels[0])):
            self._join_levels()

    def _join_levels(self):
        cells, counts = _one_column(self._levels, self._name), np.concatenate(self._counts)
        codes, levels = levels_told_apart(cells)
        if len(levels) > _MOST_LEVELS:
            raise TooManyLevels(
                f"{self._name} has more than {_MOST_LEVELS:,} different values, as identifiers "
                "have: a table that is read in parts may not hold so many levels. Leave the column "
                "out, or make larger groups of its values."
            )
        seen, first = np.unique(codes, return_index=True)
        self._levels = [cells.iloc[first].reset_index(drop=True)]
        self._counts, self._waiting = [np.bincount(codes, counts)[seen]], 0

    def learned(self):
        """The kind of the column, the numbers of the witnesses, and how often each is there."""
        columns, times = list(self._kept), [np.ones(len(cells)) for cells in self._kept]
        if self._levels:
            self._join_levels()
            columns, times = [*columns, *self._levels], [*times, *self._counts]
        column = _one_column(columns, self._name)
        if self._dictionary is not None:
            column = column.astype(self._dictionary)
        times = np.concatenate(times)
        return *learned(column, self._name, self._categorical, times), times


def content_of_part(column, name):
    """What a part of a column holds; see :func:`content_of`."""
    column = without_dictionary(column)
    content = content_of(column, name)
    return "nothing" if all_missing(column) else content


class TooManyLevels(ValueError):
    """A column has more levels than memory has room for."""


def _first_changed(cells, decimals):
    """The place of the first cell that rounding changes, or None."""
    for some in (cells[:_LOOKED_AT_FIRST], cells):
        changed = some != np.round(some, decimals)
        if changed.any():
            return int(np.argmax(changed))
    return None


def _one_column(parts, name):
    """Parts of a column as pandas puts them together, but for categories: all that there are."""
    dtypes = list(dict.fromkeys(part.dtype for part in parts))
    categories = all(isinstance(dtype, pd.CategoricalDtype) for dtype in dtypes)
    if categories and any(dtype.ordered for dtype in dtypes) and len(dtypes) > 1:
        raise ValueError(
            f"{name} has levels of one order in one part of the table and of another in another. "
            "Give all parts the same, for example with "
            "df[column].astype(pd.CategoricalDtype([...], ordered=True))."
        )
    with warnings.catch_warnings():
        # Before pandas 3 it says what will change about columns without a cell.
        warnings.simplefilter("ignore", FutureWarning)
        if categories and len(dtypes) > 1:
            plain = pd.concat([part.astype(object) for part in parts], ignore_index=True)
            levels = pd.concat([pd.Series(dtype.categories) for dtype in dtypes]).unique()
            with suppress(TypeError):
                levels = np.sort(levels)
            return plain.astype(pd.CategoricalDtype(levels))
        return pd.concat(parts, ignore_index=True)


class Frequent:
    """The values of a column that many rows have and float32 changes, found in two readings.

    The first finds those that may be frequent (Misra and Gries 1982; merged after Agarwal et al.
    2012), the second counts them.
    """

    _most = 2 * round(1 / SMALLEST_ATOM)

    def __init__(self):
        self.values, self.counts = np.empty(0), np.empty(0, dtype=np.int64)

    def look(self, cells):
        """First reading."""
        cells = cells[np.isfinite(cells)]
        with np.errstate(over="ignore"):
            cells = cells[cells.astype(np.float32) != cells]
        values, counts = np.unique(cells, return_counts=True)
        self.values, places = np.unique(np.concatenate([self.values, values]), return_inverse=True)
        self.counts = np.bincount(
            places, np.concatenate([self.counts, counts]), len(self.values)
        ).astype(np.int64)
        if len(self.values) > self._most:
            rest = self.counts - np.partition(self.counts, -self._most - 1)[-self._most - 1]
            self.values, self.counts = self.values[rest > 0], rest[rest > 0]

    def look_again(self):
        """Begin the second reading."""
        self.counts = np.zeros(len(self.values), dtype=np.int64)

    def count(self, cells):
        """Second reading."""
        if len(self.values):
            places = np.minimum(np.searchsorted(self.values, cells), len(self.values) - 1)
            there = places[self.values[places] == cells]
            self.counts += np.bincount(there, minlength=len(self.values))
