"""Columns of two tables counted in common bins, and how columns of a table depend on each other."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from ._columns import is_category, is_date

_MOST_LEVELS, _MOST_BINS, _MOST_WHOLE = 10, 30, 30
_FAR = 20  # times as far as 98 % of the cells lie apart: the rest would be one bar


@dataclass(frozen=True, eq=False)
class Marginal:
    """How the cells of a column are distributed in a real table and in a drawn one.

    Attributes
    ----------
    name : str
    kind : {"number", "date", "category"}
    bins : ndarray
        Edges of the bins of numbers and dates, one more than there are bins; names of levels, of
        which the last one may be that of all others.
    real, drawn : ndarray of shape (n_bins,)
        Share of the cells in each bin, of those that are there.
    missing : tuple of two float
        Share of the rows in which the cell is missing, real and drawn.
    beyond : float
        Share of the real cells that are beyond the bins, where few are far away.
    """

    name: str
    kind: str
    bins: NDArray
    real: NDArray[np.float64]
    drawn: NDArray[np.float64]
    missing: tuple[float, float]
    beyond: float = 0.0

    @property
    def distance(self) -> float:
        """Total variation distance of the bins, and of what is missing: 0 is the same, 1 the most.

        A column of which all cells are missing in one table has distance 1.
        """
        apart = abs(self.missing[0] - self.missing[1])
        if max(self.missing) == 1:
            return apart
        rest = np.abs(self.real - self.drawn).sum() / 2
        rest += abs((1 - self.real.sum()) - (1 - self.drawn.sum())) / 2
        return float(max(apart, rest))


def marginal_of(name: str, real: pd.Series, drawn: pd.Series) -> Marginal:
    """A column of two tables in common bins."""
    missing = (float(real.isna().mean()), float(drawn.isna().mean()))
    if is_category(real):
        counts = [part.value_counts(normalize=True) for part in (real, drawn)]
        levels = list(real.cat.categories)
        if len(levels) > _MOST_LEVELS:
            both = counts[0].reindex(levels) + counts[1].reindex(levels)
            levels = list(both.sort_values(ascending=False, kind="stable").index)[
                : _MOST_LEVELS - 1
            ]
        shares = [np.nan_to_num(part.reindex(levels).to_numpy(np.float64)) for part in counts]
        n_others = len(real.cat.categories) - len(levels)
        if n_others:
            shares = [np.append(part, 1 - part.sum() if part.sum() else 0.0) for part in shares]
            levels.append(f"{n_others} other levels")
        return Marginal(name, "category", np.array(levels, dtype=object), *shares, missing)
    dates = is_date(real)
    cells = [as_numbers(part) for part in (real, drawn)]
    known = [part[~np.isnan(part)] for part in cells]
    edges = _edges(*known)
    shares = [np.histogram(part, edges)[0] / max(len(part), 1) for part in known]
    beyond = 1 - float(shares[0].sum()) if len(known[0]) else 0.0
    bins = edges.astype(np.int64).view("M8[us]") if dates else edges
    kind = "date" if dates else "number"
    return Marginal(name, kind, bins, *shares, missing, beyond if beyond > 1e-9 else 0.0)


def as_numbers(column: pd.Series) -> NDArray[np.float64]:
    """Cells of a column of numbers or dates, these as microseconds; NaN where there is none."""
    if not is_date(column):
        return column.to_numpy(np.float64)
    ticks = column.to_numpy().astype("M8[us]").astype(np.float64)
    return np.where(column.isna(), np.nan, ticks)


def _edges(real, drawn):
    """Edges of bins that cells of both tables are counted in."""
    both = np.concatenate([real, drawn])
    if not len(both):
        return np.array([0.0, 1.0])
    levels = np.unique(both)
    if len(levels) <= _MOST_WHOLE and (levels == np.round(levels)).all():
        low, high = levels[0], levels[-1]
        if high - low < _MOST_WHOLE:
            return np.arange(low, high + 2) - 0.5
    low, high = levels[0], levels[-1]
    q_low, q_high = np.quantile(both, [0.01, 0.99])
    if high - low > _FAR * (q_high - q_low) > 0:
        low, high = q_low, q_high
    if low == high:
        unit = abs(low) or 1.0
        return np.array([low - 0.5 * unit, high + 0.5 * unit])
    n_bins = int(np.clip(np.sqrt(max(len(real), 1)), 3, _MOST_BINS))
    return np.linspace(low, high, n_bins + 1)


def associations(frame: pd.DataFrame) -> NDArray[np.float64]:
    """How columns depend on each other, pair by pair.

    Two columns of numbers or dates: Spearman's rank correlation, from -1 to 1. A category and a
    number: the correlation ratio of its ranks. Two categories: Cramér's V. The last two are from 0
    to 1, and corrected for what many levels reach by chance (Kelley 1935; Bergsma 2013). Of each
    pair the rows in which both are there; NaN where one of them is constant.

    Returns
    -------
    ndarray of shape (n_features, n_features)
    """
    n = frame.shape[1]
    columns = [frame.iloc[:, j] for j in range(n)]
    leveled = [is_category(column) for column in columns]
    cells = [
        column.cat.codes.to_numpy() if is_level else as_numbers(column)
        for column, is_level in zip(columns, leveled, strict=True)
    ]
    known = [~column.isna().to_numpy() for column in columns]
    ranks = [
        rankdata(part) if there.all() and not is_level else None
        for part, there, is_level in zip(cells, known, leveled, strict=True)
    ]
    result = np.full((n, n), np.nan)
    for i in range(n):
        for j in range(i + 1):
            if i != j and ranks[i] is not None and ranks[j] is not None:
                result[i, j] = result[j, i] = _correlation(ranks[i], ranks[j])
                continue
            both = known[i] & known[j]
            a, b = cells[i][both], cells[j][both]
            if not len(a) or (a == a[0]).all() or (b == b[0]).all():
                continue
            if i == j:
                value = 1.0
            elif leveled[i] and leveled[j]:
                value = _cramers_v(a, b)
            elif leveled[i]:
                value = _correlation_ratio(a, b)
            elif leveled[j]:
                value = _correlation_ratio(b, a)
            else:
                value = _correlation(rankdata(a), rankdata(b))
            result[i, j] = result[j, i] = value
    return result


def _correlation(a, b):
    a, b = a - a.mean(), b - b.mean()
    size = np.sqrt((a @ a) * (b @ b))
    return a @ b / size if size else np.nan


def _cramers_v(a, b):
    (_, a), (_, b) = (np.unique(part, return_inverse=True) for part in (a, b))
    n, (r, k) = len(a), (a.max() + 1, b.max() + 1)
    table = np.bincount(a * k + b, minlength=r * k).reshape(r, k) / n
    expected = table.sum(1, keepdims=True) * table.sum(0)
    phi = (table**2 / expected).sum() - 1
    phi = max(0.0, phi - (r - 1) * (k - 1) / max(n - 1, 1))
    r, k = (size - (size - 1) ** 2 / max(n - 1, 1) for size in (r, k))
    return float(np.sqrt(min(phi / (min(r, k) - 1), 1.0))) if min(r, k) > 1 else 0.0


def _correlation_ratio(levels, numbers):
    _, levels = np.unique(levels, return_inverse=True)
    n, k, ranks = len(levels), levels.max() + 1, rankdata(numbers)
    means = np.bincount(levels, ranks) / np.bincount(levels)
    within = ((ranks - means[levels]) ** 2).sum() / ((ranks - ranks.mean()) ** 2).sum()
    return float(np.sqrt(max(0.0, 1 - within * (n - 1) / (n - k)))) if n > k else 0.0
