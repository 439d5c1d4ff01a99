"""A cell, and what was expected in its place, in words."""

import numpy as np

from .._tables.column_types import Category
from .._tables.dates import Date

_DIGITS, _USUAL = 4, 0.5
_SECONDS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}


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
    if len(known) < 0.5 * len(similar):
        return "" if np.isnan(cell) else f"{name} = {here} (expected missing)"
    if not _has_levels(kind):
        if abs(cell - known.mean()) <= _USUAL * known.std():
            return ""
        if here == _number(known.mean()):  # by its first digits only
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
    mean, deviation = known.mean(), known.std()
    if not isinstance(kind, Date):
        return f"{_number(mean)} ± {_number(deviation)}"
    # The one of the ends that is between cells, for there may be no date beyond them.
    other = mean + deviation if mean + deviation <= known.max() else mean - deviation
    middle, end = kind.decode(np.array([mean, other]))
    width = abs((end - middle).total_seconds())
    return f"{_moment(middle, width)} ± {_duration(width)}"


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
