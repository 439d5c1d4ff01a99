"""Columns of dates, times and durations."""

import datetime

import numpy as np
import pandas as pd
from pandas.api import types

_TICKS_A_DAY = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
# Days since 1970 of the calendar of Python's datetime, which ends in 9999; a time zone may move a
# moment by less than a day.
_FIRST_DAY, _LAST_DAY = (
    (datetime.date(year, month, day) - datetime.date(1970, 1, 1)).days
    for year, month, day in ((1, 1, 2), (9999, 12, 30))
)
_MARGIN = 2  # days
_UNITS_A_DAY = {"D": 1, "h": 24, "min": 24 * 60, "s": 86_400}
_FINER = _UNITS_A_DAY | {"us": 86_400 * 10**6}  # as which dates of objects may be read
_LOOKED_AT_FIRST = 64  # rows, which rule out most that does not hold for all
_LARGEST = 2**63 - 1  # the smallest int64 stands for a missing one


class Date:
    """A column of dates, times or durations: the ticks of its unit, from 1970 or from zero.

    Decoded dates are within what the dtype holds, and from the year 1 to 9999 unless fit saw
    others: no library shows those.
    """

    n_levels = 0
    content = "time"
    boolean, whole = False, True
    unit = None

    def __init__(self, column):
        self.dtype = column.dtype
        times = as_time(column)
        self.plain = times.dtype
        self.of_objects = types.infer_dtype(column, skipna=True)
        if types.is_object_dtype(self.dtype):
            first = type(column.dropna().iloc[0])
            self.of_objects = _OF_OBJECTS.get(first, self.of_objects)
        self._unit = getattr(self.plain, "unit", None) or np.datetime_data(self.plain)[0]
        ticks = times.dropna().astype("int64")
        self._limits = self._limits_beside(int(ticks.min()), int(ticks.max()))

    def _limits_beside(self, low, high):
        """Smallest and largest tick of a decoded cell; those of fit are among them."""
        if types.is_timedelta64_dtype(self.plain):
            return -_LARGEST, _LARGEST
        day = _TICKS_A_DAY[self._unit]
        first, last = _FIRST_DAY * day, (_LAST_DAY + 1) * day - 1
        return max(min(first, low), -_LARGEST), min(max(last, high), _LARGEST)

    def learn_grain(self, column):
        """Whether all cells are days, hours, minutes or seconds, by the clock of their zone."""
        ticks, day = _ticks_by_the_clock(as_time(column).dropna()), _TICKS_A_DAY[self._unit]
        self.unit = first_that_keeps(
            ticks, lambda cells, unit: cells - cells % (day // _UNITS_A_DAY[unit]), _UNITS_A_DAY
        )

    def encode(self, column):
        """Cells to ticks, ndarray of shape (n_samples,), float64."""
        column = as_time(column).astype(self.plain)
        ticks = column.astype("int64").to_numpy(dtype=np.float64)
        return np.where(column.isna().to_numpy(), np.nan, ticks)

    def decode(self, values):
        """Ticks to cells, Series."""
        values = np.asarray(values, dtype=np.float64)
        missing = np.isnan(values)
        largest = np.nextafter(2.0**63, 0)
        ticks = np.clip(np.rint(np.where(missing, 0, values)), -largest, largest).astype(np.int64)
        # As whole numbers: the largest date may have no float of its own.
        ticks = np.clip(ticks, *self._limits)
        kind = "m8" if types.is_timedelta64_dtype(self.plain) else "M8"
        column = pd.Series(ticks.view(f"{kind}[{self._unit}]"))
        if getattr(self.plain, "tz", None) is not None:
            column = column.dt.tz_localize("UTC").dt.tz_convert(self.plain.tz)
        if self.unit is not None:
            # The ends of what can be told are on no unit, and rounding would lead beyond them.
            margin = int(np.timedelta64(_MARGIN, "D").astype(f"m8[{self._unit}]").astype(np.int64))
            low, high = self._limits
            far = (ticks < low + margin) | (ticks > high - margin)
            column = column.where(far, self._on_unit(column.mask(far)))
        column = column.mask(missing)
        if not types.is_object_dtype(self.dtype):
            return column.astype(self.dtype)
        if self.of_objects == "date":
            return column.dt.date.astype(object).where(~missing, None)
        cells = column.to_numpy() if self.of_objects == "numpy" else column.astype(object)
        if self.of_objects in _FROM_PANDAS:
            made = _FROM_PANDAS[self.of_objects]
            cells = [cell if cell is pd.NaT else made(cell) for cell in cells]
        return pd.Series(list(cells), dtype=object).where(~missing, None)

    def _on_unit(self, column):
        if types.is_timedelta64_dtype(self.plain):
            return column.dt.round(self.unit)
        first = np.ones(len(column), dtype=bool)  # of two equal hours, at the end of summer
        return column.dt.round(self.unit, ambiguous=first, nonexistent="shift_forward")


def _ticks_by_the_clock(column):
    """Ticks of dates that are there, by the clock of their zone, ndarray of int64."""
    if getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_localize(None)
    return column.astype("int64").to_numpy()


def off_units(column, units=None):
    """Places of dates that are on no day, hour, …, the first of each, and the units left.

    Parameters
    ----------
    column : Series
        Of pandas' own dtype, without missing cells.
    units : tuple of str, default=None
        On which all are so far; None: not looked at.

    Returns
    -------
    places : list of int
    units : tuple of str
        On which these are, too.
    """
    unit = getattr(column.dtype, "unit", None) or np.datetime_data(column.dtype)[0]
    ticks, day, places, left = _ticks_by_the_clock(column), _TICKS_A_DAY[unit], [], []
    for name in _FINER if units is None else units:
        per_day = _FINER[name]
        wrong = ticks % (day // per_day) != 0 if day >= per_day else np.zeros(len(ticks), bool)
        if wrong.any():
            places.append(int(np.argmax(wrong)))
        else:
            left.append(name)
    return places, tuple(left)


def first_that_keeps(cells, rounded, units):
    """The first unit to which rounding changes no cell, or None."""
    first = cells[:_LOOKED_AT_FIRST]
    for unit in units:
        if all(np.array_equal(some, rounded(some, unit)) for some in (first, cells)):
            return unit
    return None


def _datetime(cell):
    return cell.to_pydatetime(warn=False)


def _timedelta(cell):
    return cell.to_pytimedelta()


#: Cells of these types are given back as such; others as those of pandas.
_OF_OBJECTS = {
    datetime.datetime: "datetime.datetime",
    datetime.timedelta: "datetime.timedelta",
    np.datetime64: "numpy",
    np.timedelta64: "numpy",
}
_FROM_PANDAS = {"datetime.datetime": _datetime, "datetime.timedelta": _timedelta}


def as_time(column):
    """Dates of any representation as a column of pandas' own dtype."""
    if isinstance(column.dtype, pd.ArrowDtype):
        column = column.array.__arrow_array__().to_pandas().set_axis(column.index)
    if types.is_object_dtype(column.dtype):
        durations = types.infer_dtype(column, skipna=True).startswith("timedelta")
        column = pd.to_timedelta(column) if durations else _moments(column)
    return column


def _moments(column):
    """Dates of a column of objects, of any year."""
    if int(pd.__version__.split(".")[0]) >= 3:
        return pd.to_datetime(column)
    # Before pandas 3 they are read as nanoseconds, which end in 1677 and 2262.
    try:
        moments = pd.to_datetime(column)
        coarser = moments.dt.as_unit("us")
        return coarser if moments.dropna().eq(coarser.dropna()).all() else moments
    except pd.errors.OutOfBoundsDatetime:
        pass
    known = column.dropna()
    zoned = any(getattr(cell, "tzinfo", None) is not None for cell in known)
    if zoned:
        known = known.map(lambda cell: cell.astimezone(datetime.UTC).replace(tzinfo=None))
    moments = np.full(len(column), "NaT", dtype="M8[us]")
    moments[column.notna().to_numpy()] = np.array(list(known), dtype="M8[us]")
    moments = pd.Series(moments, index=column.index)
    return moments.dt.tz_localize("UTC") if zoned else moments
