"""A column as the normal scores of its ranks, and back."""

from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

_MOST_VALUES = 64  # so many different values are told apart one by one
_LEVELS = 49  # of a column with more
_SMALLEST_ATOM = 1 / 32  # share of the rows from which on a value is told apart
_ROWS_RANKED = 2**16
_FARTHEST = 4.0  # normal score


class NormalScores:
    """Maps a column to normal scores: a value to the deviate below which as large a share lies.

    Scores are standardised: their mean over the sample is 0 and their deviation 1.

    A value that many rows have (an atom) covers an interval of deviates; it is mapped to the one
    that halves its probability, and the whole interval is mapped back to it. Beyond the values
    seen, scores grow as a logarithm.

    Parameters
    ----------
    values : ndarray of shape (n,), float64
        A sample of the column, without missing cells.
    smallest_atom : float, default=1/32
        Share of the rows from which on a repeated value is an atom, in a column of more than 64
        different ones. 0: each that is repeated.

    Notes
    -----
    The normal scores of van der Waerden (1952), on at most 64 values, or quantiles and atoms, and
    linear between them.
    """

    def __init__(self, values, smallest_atom=_SMALLEST_ATOM):
        values = np.sort(values)
        n = len(values)
        different, counts = np.unique(values, return_counts=True)
        if len(different) > _MOST_VALUES:
            ends = min(_FARTHEST, float(ndtri(1 - 0.5 / n)))
            places = ndtr(np.linspace(-ends, ends, _LEVELS)) * n - 0.5
            quantiles = values[np.clip(np.rint(places), 0, n - 1).astype(np.intp)]
            atoms = different[counts >= max(2, smallest_atom * n)]
            knots = np.unique(np.concatenate([quantiles, atoms, values[[0, -1]]]))
            whole = np.isin(knots, atoms)
        else:
            knots, whole = different, (counts > 1) | (len(different) == 1)
        below, upto = (np.searchsorted(values, knots, side) / n for side in ("left", "right"))
        middle = 0.5 * (below + upto)
        self.knots = knots
        self.low = np.where(whole, below, middle).astype(np.float32)
        self.high = np.where(whole, upto, middle).astype(np.float32)
        # In which a value beyond the ends is measured.
        self.unit = float((knots[-1] - knots[0]) / 6 or max(1.0, abs(knots[0])))
        # Scores have mean 0 and deviation 1 over the sample, also where many rows share a value.
        self.mean, self.deviation = 0.0, 1.0
        scores = self.forward(values)
        self.mean, self.deviation = float(scores.mean()), float(scores.std()) or 1.0

    def of_knots(self):
        """Scores of the ends and of the middle of the interval of each knot."""
        low, high = self.low.astype(np.float64), self.high.astype(np.float64)
        return tuple(
            (np.clip(ndtri(shares), -_FARTHEST, _FARTHEST) - self.mean) / self.deviation
            for shares in (low, high, 0.5 * (low + high))
        )

    def intervals(self):
        """Scores of the atoms, and of the ends of their intervals, three arrays.

        The lowest interval begins at minus infinity if its value is an atom, the highest ends at
        infinity.
        """
        atoms = self.high > self.low
        low, high, middle = self.of_knots()
        low[self.low <= 0], high[self.high >= 1] = -np.inf, np.inf
        return middle[atoms], low[atoms], high[atoms]

    @cached_property
    def _curve(self):
        """Values and their deviates, between which lines are drawn."""
        low, high = (ndtri(ends.astype(np.float64)) for ends in (self.low, self.high))
        middle = ndtri(0.5 * (self.low.astype(np.float64) + self.high))
        before, after = np.nextafter(self.knots, -np.inf), np.nextafter(self.knots, np.inf)
        values = np.stack([before, self.knots, after], axis=1)
        deviates = np.clip(np.stack([low, middle, high], axis=1), -_FARTHEST, _FARTHEST)
        # A value that is no atom is one point; what is below the lowest is where that is.
        counts = np.ones(values.shape, dtype=bool)
        counts[:, [0, 2]] = (self.high > self.low)[:, None]
        counts[0, 0] = counts[-1, 2] = False
        return values[counts], deviates[counts]

    def forward(self, values):
        """Scores of values."""
        scores = (np.interp(values, *self._curve) - self.mean) / self.deviation
        with np.errstate(over="ignore", invalid="ignore"):
            far = np.maximum(self.knots[0] - values, values - self.knots[-1])
            beyond = np.flatnonzero(far > 0)
            signs = np.where(values[beyond] > self.knots[-1], 1.0, -1.0)
            far = np.minimum(far[beyond] / self.unit, np.finfo(np.float64).max)
            scores[beyond] += signs * np.log1p(far)
        return scores

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name != "_curve"}

    def backward(self, scores):
        """Values of scores; within the values seen."""
        low, high, _ = self.of_knots()
        return np.interp(scores, np.stack([low, high], 1).ravel(), np.repeat(self.knots, 2))

    @property
    def least_slope(self):
        """Of scores between values that many rows have, where no row has been."""
        return 1e-3 / self.unit

    def log_slope(self, values):
        """Logarithm of d(score)/d(value); 0 at atoms, which have a probability and no density."""
        low, high, _ = self.of_knots()
        place = np.clip(np.searchsorted(self.knots, values, side="right") - 1, 0, None)
        last = len(self.knots) - 1
        inside = np.minimum(place, max(last - 1, 0))
        after = np.minimum(inside + 1, last)
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = (low[after] - high[inside]) / (self.knots[after] - self.knots[inside])
            beyond = np.maximum(np.maximum(self.knots[0] - values, values - self.knots[-1]), 0)
            slope = np.maximum(np.nan_to_num(slope), self.least_slope)
            slope = np.where(beyond > 0, 1 / (self.unit + beyond), slope)
        place = np.minimum(place, last)
        at_atom = (values == self.knots[place]) & (self.high > self.low)[place]
        return np.where(at_atom | np.isnan(values), 0.0, np.log(slope))

    def around(self, values, step):
        """Scores of the ends of intervals of this width around values.

        The lowest value of fit stands for all below it if many rows have it, the highest for all
        above.
        """
        lower, upper = self.forward(values - 0.5 * step), self.forward(values + 0.5 * step)
        if self.high[0] > self.low[0]:
            lower = np.where(values == self.knots[0], -np.inf, lower)
        if self.high[-1] > self.low[-1]:
            upper = np.where(values == self.knots[-1], np.inf, upper)
        return lower, upper

    def measured(self, values, probable=None):
        """The intervals that values stand for, and what is added to their log-probabilities.

        Parameters
        ----------
        values : ndarray of shape (n,)
        probable : sequence of float, default=None
            Atoms that have a probability; None: all. The others have a density, the same for all
            that is nearer to them than to the next value of fit.

        Returns
        -------
        lower, upper, log_unit : ndarray of shape (n,)
            NaN for values that stand for themselves.
        """
        low, high, _ = self.of_knots()
        low[self.low <= 0], high[self.high >= 1] = -np.inf, np.inf
        atoms = self.high > self.low
        certain = atoms & (True if probable is None else np.isin(self.knots, probable))
        gaps = np.diff(self.knots)
        left, right = np.append(gaps[:1], gaps), np.append(gaps, gaps[-1:])
        edges = self.knots - 0.5 * left
        place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, None)
        place = np.minimum(place, len(self.knots) - 1)
        near = values <= self.knots[place] + 0.5 * right[place]
        near &= values >= edges[place]
        at = np.where(certain[place], values == self.knots[place], atoms[place] & near)
        log_unit = np.where(certain, 0.0, -np.log(0.5 * (left + right)))
        ends = (side[place] for side in (low, high, log_unit))
        return tuple(np.where(at, end, np.nan) for end in ends)


def normal_scores(multiset, which, by_value):
    """Those of some columns of a multiset, a dict of :class:`NormalScores` by number.

    In columns ``by_value`` each repeated value is an atom, however many there are.
    """
    sample = multiset.columns(multiset.sample(_ROWS_RANKED), which)
    found = {}
    for j, cells in zip(which, sample, strict=True):
        if np.isnan(cells).all():  # nearly all weight is on rows in which it is missing
            parts = (next(iter(multiset.columns(part, [j]))) for part in multiset.parts())
            cells = np.concatenate([cells[~np.isnan(cells)] for cells in parts])
        cells = cells[~np.isnan(cells)].astype(np.float64)
        found[int(j)] = NormalScores(cells, 0.0 if by_value[j] else _SMALLEST_ATOM)
    return found
