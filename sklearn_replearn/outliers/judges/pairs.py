"""The density of pairs of columns: how rare each cell is, given each of the others.

Columns are cut into bins, repeated values and levels into bins of their own, so that what tables
are full of (codes, rounded numbers, zeros, missing cells) is met as what it is.
"""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from ..._runtime.arrays import evenly, slices
from ...outliers.observations import Observations
from .base import Judge

_BINS = 32
_RESOLUTIONS = (4, 8, 16)
_MOST_COLUMNS = 2**11
_ALL_PAIRS, _MOST_PAIRS, _PAIRS_OF_A_COLUMN = 600, 1500, 8
_ROWS_CORRELATED = 2**10
_LEAST = 0.5  # rows that every bin of a column has in advance
_PRIOR = 4.0  # rows that the coarser estimate of a table of cells counts for, times its width
_NARROWEST = 1e-6  # bin, as a share of a column's spread
_CELLS_AT_ONCE = 2**16
_PAIRS_AT_ONCE = 2**6
_TINY, _LARGEST = 1e-300, 1e300
_QUANTILES = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
_ROUNDING = 1e-12  # of numbers, relative to their size


class PairDensity(Judge):
    """Minus the log-density of each cell, alone and given each other cell, averaged over a row.

    Of tables of more than 2,048 columns it sees so many, evenly spaced; and of their pairs those
    that are most correlated.

    References
    ----------
    Aggarwal (2017), *Outlier Analysis*, on combining subspaces; Lavine (1992), *Some aspects of
    Polya tree distributions*, for estimates from coarse to fine.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import PairDensity
    >>> x = np.random.RandomState(0).normal(size=500)
    >>> detector = OutlierDetector(judges=[PairDensity()]).fit(np.column_stack([x, -x]))
    >>> detector.predict([[1.0, -1.0], [1.0, 1.0]])
    array([ 1, -1])
    """

    def fit(self, rows: Observations) -> Self:
        """Count cells and pairs of cells; see :meth:`Judge.fit`."""
        self.columns_ = evenly(rows.table.shape[1], _MOST_COLUMNS)
        self.pairs_ = Pairs(self._cells(rows))
        return self

    def statistic(self, rows: Observations) -> ArrayLike:
        """The mean over cells; see :meth:`Judge.statistic`."""
        return self.pairs_.surprise(self._cells(rows))

    def _cells(self, rows):
        return rows.table[:, self.columns_].astype(np.float64)


class Bins:
    """Cuts the numbers of a column into at most some 100 bins, ordered by value.

    A value that many rows have gets a bin of its own, and so does each value of a column that has
    few; the rest share bins of about equal numbers of rows. The last bin is for missing cells.

    Parameters
    ----------
    values : ndarray of shape (n,), float64
        With NaN where cells are missing.

    Attributes
    ----------
    log_widths : ndarray of shape (n_bins,)
        Logarithm of the width, in units in which a typical density of the column is 1; 0 for values
        that have a bin of their own and for missing cells.
    """

    def __init__(self, values) -> None:
        known = np.sort(values[~np.isnan(values)])
        found, counts = np.unique(known, return_counts=True)
        atoms, rest = found, known[:0]
        if len(found) > _BINS:
            atoms = found[counts >= max(0.5 * len(known) / _BINS, 2)]
            rest = known[~np.isin(known, atoms)]
        n_shared = int(np.clip(np.ceil(_BINS * len(rest) / max(len(known), 1)), 1, _BINS))
        edges = np.empty(0)
        if n_shared > 1:
            edges = np.unique(_quantiles(rest, np.arange(1, n_shared) / n_shared))
        self.low, self.high = (found[0], found[-1]) if len(found) else (0.0, 0.0)
        self.unit, self.n_bins = _unit(known), len(atoms) + len(edges) + 2
        order = np.argsort(np.concatenate([atoms, [self.low], edges]), kind="stable")
        places = np.empty(len(order), dtype=np.int16)
        places[order] = np.arange(len(order))
        # A value with a bin of its own is the interval up to the next float.
        self.marks = np.unique(np.concatenate([atoms, np.nextafter(atoms, np.inf), edges]))
        begins = np.append(-np.inf, self.marks)
        self.places = places[len(atoms) + np.searchsorted(edges, begins, side="right")]
        self.places[np.searchsorted(begins, atoms)] = places[: len(atoms)]
        self.log_widths = np.zeros(self.n_bins)
        if len(edges):
            widths = np.diff(np.concatenate([[self.low], edges, [self.high]]))
            widths = np.maximum(widths, _NARROWEST * self.unit)
            typical = np.median(widths) * n_shared
            self.log_widths[places[len(atoms) :]] = np.log(widths / typical)

    def __call__(self, values):
        """Number of the bin of each value."""
        numbers = self.places[np.searchsorted(self.marks, values, side="right")]
        numbers[np.isnan(values)] = self.n_bins - 1
        return numbers


def _quantiles(values, shares):
    """Of sorted values; ``numpy.quantile`` takes longer for a column than all the rest here."""
    return np.interp(shares * (len(values) - 1), np.arange(len(values)), values)


def _unit(values):
    """Spread of the bulk of a column; its values are sorted."""
    if not len(values):
        return 1.0
    low, lower, middle, upper, high = _quantiles(values, _QUANTILES)
    size = np.abs(values).max() or 1.0  # whose square may be beyond what a float holds
    deviation = size * (values / size).std()
    unit = max(upper - lower, 0.5 * (high - low), 0.5 * deviation, _ROUNDING * abs(middle))
    return max(unit or _ROUNDING, _TINY)


class Pairs:
    """How surprising rows are, by densities of columns and of pairs of columns, in nats.

    For each pair the probabilities of pairs of bins are estimated from coarse to fine, each
    resolution shrunk towards the one before. A cell's surprise is minus its log-density, and minus
    the logarithm of how much more probable another cell makes its bin, averaged over the others in
    proportion to their mutual information with it.

    Parameters
    ----------
    cells : ndarray of shape (n, n_features), float64
        Training rows, with NaN where cells are missing.
    """

    def __init__(self, cells) -> None:
        n, n_features = cells.shape
        self.bins = [Bins(cells[:, j]) for j in range(n_features)]
        self.width = max(bins.n_bins for bins in self.bins)
        self.low, self.high, self.unit = np.array(
            [(bins.low, bins.high, bins.unit) for bins in self.bins]
        ).T
        codes = self._codes(cells)
        shares = np.zeros((n_features, self.width))
        self.alone = np.zeros((n_features, self.width))
        for j, bins in enumerate(self.bins):
            counts = np.bincount(codes[:, j], minlength=bins.n_bins) + _LEAST
            shares[j, : bins.n_bins] = counts / counts.sum()
            self.alone[j, : bins.n_bins] = bins.log_widths - np.log(counts / counts.sum())
        groups = [_grouping(shares, resolution) for resolution in _RESOLUTIONS]
        self.pairs, tables, information = _chosen_pairs(codes), [], []
        for part in slices(len(self.pairs), _PAIRS_AT_ONCE):
            counts = self._counts(codes, self.pairs[part])
            ratios = _log_ratios(counts, shares, groups, self.pairs[part])
            tables.append(-ratios.reshape(len(ratios), -1))
            information.append(np.maximum((counts * ratios).sum(axis=(1, 2)) / n, 0.0))
        if len(self.pairs):
            self._weigh(np.concatenate(tables), np.concatenate(information), n_features)

    def _codes(self, cells):
        codes = np.empty(cells.shape, dtype=np.int16)
        for j, bins in enumerate(self.bins):
            codes[:, j] = bins(cells[:, j])
        return codes

    def _places(self, codes, pairs):
        """Places of pairs of bins in tables of pairs, one after the other; (n, n_pairs)."""
        starts = np.arange(len(pairs)) * self.width**2
        return starts + codes[:, pairs[:, 0]] * np.intp(self.width) + codes[:, pairs[:, 1]]

    def _counts(self, codes, pairs):
        places, size = self._places(codes, pairs), len(pairs) * self.width**2
        counts = np.bincount(places.ravel(), minlength=size)
        return counts.reshape(len(pairs), self.width, self.width).astype(np.float64)

    def _weigh(self, tables, information, n_features):
        """Keep the pairs that tell most, and weigh them by what they tell either column."""
        first = np.argsort(-information, kind="stable")[: _PAIRS_OF_A_COLUMN * n_features]
        first = np.sort(first[information[first] > 0])
        self.pairs, information = self.pairs[first], information[first]
        total = np.bincount(self.pairs.ravel(), np.repeat(information, 2), minlength=n_features)
        weights = information * (1 / np.maximum(total, _TINY))[self.pairs].sum(axis=1)
        self.tables = (tables[first] * weights[:, None]).astype(np.float32).ravel()

    def surprise(self, cells):
        """Nats of each row, the mean of its cells; ndarray of shape (n,)."""
        codes, columns = self._codes(cells), np.arange(len(self.bins))
        # Beyond the range of training, the logarithm of how far.
        with np.errstate(over="ignore"):
            outside = np.fmax(np.fmax(self.low - cells, cells - self.high), 0.0) / self.unit
        outside = np.log1p(np.minimum(outside, _LARGEST))
        surprise = (self.alone[columns, codes] + outside).sum(axis=1)
        for part in slices(len(codes), max(1, _CELLS_AT_ONCE // max(len(self.pairs), 1))):
            if len(self.pairs):
                places = self._places(codes[part], self.pairs)
                surprise[part] += self.tables[places].sum(axis=1, dtype=np.float64)
        return surprise / len(self.bins)


def _chosen_pairs(codes):
    """All pairs of columns, or those that are most correlated; ndarray of shape (n_pairs, 2)."""
    n_features = codes.shape[1]
    first, second = np.tril_indices(n_features, -1)
    if len(first) > _ALL_PAIRS:
        # Whole numbers, of which BLAS gives exact sums, however many threads there are.
        codes = codes[:_ROWS_CORRELATED].astype(np.float64)
        sums = codes.sum(axis=0)
        together = len(codes) * (codes.T @ codes) - np.outer(sums, sums)
        unit = np.sqrt(np.maximum(np.diag(together), 1.0))
        strength = np.abs(together[first, second]) / (unit[first] * unit[second])
        order = np.argsort(-strength, kind="stable")
        order = order[: np.clip(2 * n_features, _ALL_PAIRS, _MOST_PAIRS)]
        first, second = first[order], second[order]
    return np.stack([first, second], axis=1)


def _grouping(shares, resolution):
    """Which bins lie together at a coarser resolution, neighbours of about equal share.

    Parameters
    ----------
    shares : ndarray of shape (n_features, width)
        0 beyond the bins of a column.

    Returns
    -------
    ndarray of shape (n_features, width, resolution)
        1 where a bin is in a group.
    """
    middle = np.cumsum(shares, axis=1) - 0.5 * shares
    groups = np.minimum((resolution * middle).astype(np.intp), resolution - 1)
    few = (shares > 0).sum(axis=1) <= resolution
    groups[few] = np.minimum(np.arange(shares.shape[1]), resolution - 1)
    return (groups[:, :, None] == np.arange(resolution)) * (shares > 0)[:, :, None] * 1.0


def _log_ratios(counts, shares, groupings, pairs):
    """Logarithm of joint probabilities over the product of the marginal ones.

    Parameters
    ----------
    counts : ndarray of shape (n_pairs, width, width)
    shares : ndarray of shape (n_features, width)
    groupings : list of ndarray of shape (n_features, width, resolution)
        From coarse to fine.
    pairs : ndarray of shape (n_pairs, 2)

    Returns
    -------
    ndarray of shape (n_pairs, width, width)
    """
    first, second = pairs.T
    independent = shares[first][:, :, None] * shares[second][:, None, :]
    joint, n = independent.copy(), counts.sum(axis=(1, 2), keepdims=True)
    for grouping in groupings:
        left, right = grouping[first].transpose(0, 2, 1), grouping[second]
        factor = _shrunk(left @ counts @ right, left @ joint @ right, n)
        joint *= left.transpose(0, 2, 1) @ factor @ right.transpose(0, 2, 1)
    joint *= _shrunk(counts, joint, n)
    ratios = np.zeros(joint.shape)
    np.log(joint / np.maximum(independent, _TINY), out=ratios, where=independent > 0)
    return ratios


def _shrunk(counts, expected, n):
    """By how much probabilities exceed the expected ones, by counts shrunk towards these."""
    sizes = (expected > 0).sum(axis=(1, 2), keepdims=True)
    weight = _PRIOR * np.sqrt(sizes)
    return (counts + weight * expected) / ((n + weight) * np.maximum(expected, _TINY))
