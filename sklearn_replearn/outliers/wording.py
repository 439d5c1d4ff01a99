"""A cell, and what was expected in its place, in words."""

import numpy as np

from .._tables.column_types import Category
from .._tables.dates import Date

_DIGITS, _USUAL, _NEARLY_ALL = 4, 0.5, 0.9
_ROUNDING = 1e-12
_SECONDS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}


def reasons(name, kind, cells, similar):
    """:func:`reason` for each of some cells of a column, from what similar rows have there."""
    return [reason(name, kind, float(c), s) for c, s in zip(cells, similar, strict=True)]


def reason(name, kind, cell, similar):
    """Such as ``"amount = 9,120 (expected 312 ± 140)"``.

    Parameters
    ----------
    name : str
    kind : Number, Date, Category, Nothing or None
        Of the column; None for arrays of numbers.
    cell : float
    similar : ndarray of shape (n,)
        The same column of similar rows.

    Returns
    -------
    str
        "" where the cell is as expected.
    """
    known = similar[~np.isnan(similar)].astype(np.float64)
    here = "missing" if np.isnan(cell) else _shown(kind, cell)
    missing = 1 - len(known) / len(similar)
    if np.isnan(cell) and missing >= 1 - _NEARLY_ALL:
        return ""
    if missing >= _NEARLY_ALL:
        return f"{name} = {here} (expected missing, {missing:.0%} of similar rows)"
    if not _has_levels(kind):
        mean, deviation = _spread(known)
        if abs(cell - mean) <= _USUAL * deviation:
            return ""
        if here == _number(mean):  # by its first digits only
            here = repr(cell)
        return f"{name} = {here} (expected {_between(kind, known)})"
    levels, counts = np.unique(known, return_counts=True)
    usual = levels[counts.argmax()]
    if isinstance(kind, Category) and cell == 0:
        here = "a level that fit has not seen"
    share, own = counts.max() / len(known), np.mean(known == cell)
    if own > _USUAL * share:
        return ""
    return f"{name} = {here} (expected {_shown(kind, usual)}, {share:.0%} of similar rows)"


def _has_levels(kind):
    return isinstance(kind, Category) or getattr(kind, "boolean", False)


def _between(kind, known):
    """Mean and deviation, in units of the column."""
    mean, deviation = _spread(known)
    if not isinstance(kind, Date):
        return f"{_number(mean)} ± {_number(deviation)}"
    # The one of the ends that is between cells, for there may be no date beyond them.
    other = mean + deviation if mean + deviation <= known.max() else mean - deviation
    middle, end = kind.decode(np.array([mean, other]))
    width = abs((end - middle).total_seconds())
    return f"{_moment(middle, width)} ± {_duration(width)}"


def _spread(values):
    """Mean and standard deviation, without what is rounding."""
    # The square of a value may be no float; a power of two changes none of its digits.
    unit = np.ldexp(1.0, np.frexp(np.abs(values).max())[1])
    mean, deviation = (values / unit).mean(), (values / unit).std()
    if deviation <= _ROUNDING * abs(mean):
        return values[0], 0.0
    return unit * mean, unit * deviation


def _moment(moment, width):
    """A date, or a duration, as exact as says something."""
    if width >= _SECONDS["day"] and hasattr(moment, "date"):
        return str(moment.date())
    return str(moment.round("s")) if hasattr(moment, "round") else str(moment)


def _duration(seconds):
    """Such as "3 hours"."""
    unit = next((unit for unit, size in _SECONDS.items() if seconds >= size), "second")
    count = seconds / _SECONDS[unit]
    count = _number(count) if unit == "second" else f"{round(count):,}"
    return f"{count} {unit}" if count == "1" else f"{count} {unit}s"


def _shown(kind, cell):
    """A cell as its column would have it."""
    if _has_levels(kind) or isinstance(kind, Date):
        return str(kind.decode(np.array([cell])).iloc[0])
    return _number(cell)


def _number(value):
    """Four digits, thousands apart."""
    if (value == np.rint(value) or abs(value) >= 1e4) and abs(value) < 1e15:
        return f"{value:,.0f}"
    if 1e-4 <= abs(value) < 1e15:
        decimals = max(0, _DIGITS - 1 - int(np.floor(np.log10(abs(value)))))
        text = f"{value:,.{decimals}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.{_DIGITS}g}"
