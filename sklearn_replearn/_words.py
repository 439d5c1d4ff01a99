"""A cell, and what was expected in its place, in words."""

import numpy as np

from ._kinds import Category, Date

_DIGITS = 4


def told(name, kind, cell, similar):
    """Such as ``"amount = 9,120 (expected 312 ± 140)"``.

    Parameters
    ----------
    name : str
    kind : Number, Date, Category, Nothing or None
        Of the column; None for arrays of numbers.
    cell : float
    similar : ndarray of shape (n,)
        The same column of similar rows.
    """
    known = similar[~np.isnan(similar)].astype(np.float64)
    here = "missing" if np.isnan(cell) else _shown(kind, cell)
    if len(known) < 0.5 * len(similar):
        return f"{name} = {here} (expected missing)"
    if isinstance(kind, Category):
        levels, counts = np.unique(known, return_counts=True)
        usual = levels[counts.argmax()]
        if cell == 0:
            here = "a level that fit has not seen"
        share = counts.max() / len(known)
        return f"{name} = {here} (expected {_shown(kind, usual)}, {share:.0%} of similar rows)"
    return f"{name} = {here} (expected {_shown(kind, known.mean())} ± {_width(kind, known.std())})"


def _shown(kind, cell):
    """A cell as its column would have it."""
    if isinstance(kind, Category):
        return str(kind.decode(np.array([cell])).iloc[0])
    if isinstance(kind, Date):
        return str(kind.decode(np.array([cell])).iloc[0])
    return _number(cell)


def _width(kind, deviation):
    if isinstance(kind, Date):
        step = kind.decode(np.array([0.0, deviation]))
        return str(step.iloc[1] - step.iloc[0])
    return _number(deviation)


def _number(value):
    """Four digits, thousands apart."""
    if value == np.rint(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    if 1e-4 <= abs(value) < 1e9:
        decimals = max(0, _DIGITS - 1 - int(np.floor(np.log10(abs(value)))))
        text = f"{value:,.{decimals}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.{_DIGITS}g}"
