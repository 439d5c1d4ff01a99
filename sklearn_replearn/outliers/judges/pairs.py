"""Evidence from pairs of columns: which cell is rare, given each of the others.

Columns are cut into bins, repeated values and levels into bins of their own, so that what tables
are full of (codes, rounded numbers, zeros, missing cells) is met as what it is.
"""

import numpy as np

from ..._runtime.arrays import evenly, slices
from ..evidence import Evidence
from .base import Judge

_BINS = 32
_RESOLUTIONS = (4, 8, 16)
_MOST_COLUMNS = 2**11
_ALL_PAIRS, _MOST_PAIRS = 600, 1500
_ROWS_CORRELATED, _COLUMNS_CORRELATED = 2**10, 2**9
_LEAST = 0.5  # rows that every bin of a column has in advance
_PRIOR = 4.0  # rows that the coarser estimate of a table of cells counts for, times its width
_CELLS_AT_ONCE = 2**21
_TINY = 1e-300


class CellSurprise(Judge):
    """How rare each cell is given each other cell of its row, by tables of pairs of columns.

    Of tables of more than 2,048 columns it sees so many, evenly spaced, and of their pairs those
    that are most correlated.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import CellSurprise
    >>> x = np.random.RandomState(0).normal(size=500)
    >>> detector = OutlierDetector(judges=[CellSurprise()]).fit(np.column_stack([x, -x]))
    >>> detector.predict([[1.0, -1.0], [1.0, 1.0]])
    array([ 1, -1])
    """

    def fit(self, rows):
        """Count pairs of cells; see :meth:`Judge.fit`."""
        self.columns_ = evenly(rows.table.shape[1], _MOST_COLUMNS)
        self.pairs_ = Pairs(self._cells(rows))
        return self

    def evidence(self, rows):
        """Mean surprise of the cells, and that of each; see :meth:`Judge.evidence`."""
        seen = self.pairs_.surprise(self._cells(rows))
        parts = np.zeros(rows.table.shape)
        parts[:, self.columns_] = seen
        return Evidence(seen.mean(axis=1), parts)

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
    """

    def __init__(self, values):
        known = values[~np.isnan(values)]
        found, counts = np.unique(known, return_counts=True)
        if len(found) <= _BINS:
            self.atoms, rest = found, known[:0]
        else:
            self.atoms = found[counts >= max(0.5 * len(known) / _BINS, 2)]
            rest = known[~np.isin(known, self.atoms)]
        n_shared = int(np.clip(np.ceil(_BINS * len(rest) / max(len(known), 1)), 1, _BINS))
        self.edges = np.empty(0)
        if n_shared > 1:
            self.edges = np.unique(np.quantile(rest, np.arange(1, n_shared) / n_shared))
        middles = _medians(np.sort(rest), self.edges)
        order = np.argsort(np.append(self.atoms, middles), kind="stable")
        self.places = np.empty(len(order), dtype=np.intp)
        self.places[order] = np.arange(len(order))
        self.low, self.high = (found[0], found[-1]) if len(found) else (0.0, 0.0)
        self.unit = _unit(known)

    @property
    def n_bins(self):
        return len(self.places) + 1

    def __call__(self, values):
        """Number of the bin of each value."""
        numbers = len(self.atoms) + np.searchsorted(self.edges, values, side="right")
        if len(self.atoms):
            nearest = np.minimum(np.searchsorted(self.atoms, values), len(self.atoms) - 1)
            numbers = np.where(self.atoms[nearest] == values, nearest, numbers)
        missing = np.isnan(values)
        numbers[missing] = 0
        return np.where(missing, len(self.places), self.places[numbers])

    def beyond(self, values):
        """Nats for values outside the range of training: the logarithm of how far."""
        outside = np.fmax(np.fmax(self.low - values, values - self.high), 0.0)
        return np.log1p(outside / self.unit)


def _medians(values, edges):
    """Of the sorted values between each two edges; infinite where there are none."""
    ends = np.concatenate([[0], np.searchsorted(values, edges), [len(values)]])
    begins, counts = ends[:-1], np.diff(ends)
    medians = np.full(len(counts), np.inf)
    some, last = counts > 0, counts - 1
    low, high = begins + last // 2, begins + (last + 1) // 2
    medians[some] = 0.5 * (values[low[some]] + values[high[some]])
    return medians


def _unit(values):
    """Spread of the bulk of a column."""
    if not len(values):
        return 1.0
    low, lower, middle, upper, high = np.quantile(values, [0.1, 0.25, 0.5, 0.75, 0.9])
    rounding = 1e-12 * max(1.0, abs(middle))
    return max(upper - lower, 0.5 * (high - low), 0.5 * values.std(), rounding)


class Pairs:
    """How surprising each cell is, given each of the other cells of its row, in nats.

    For each pair of columns the probabilities of pairs of bins are estimated from coarse to fine,
    each resolution shrunk towards the one before. A column's surprise is minus the log-probability
    of its bin given another column's, averaged over the others in proportion to their mutual
    information with it.

    Parameters
    ----------
    cells : ndarray of shape (n, n_features), float64
        Training rows, with NaN where cells are missing.

    References
    ----------
    Aggarwal (2017), *Outlier Analysis*, on combining subspaces; Lavine (1992), *Some aspects of
    Polya tree distributions*, for estimates from coarse to fine.
    """

    def __init__(self, cells):
        n, n_features = cells.shape
        self.bins = [Bins(cells[:, j]) for j in range(n_features)]
        codes = self._codes(cells)
        widths = [bins.n_bins for bins in self.bins]
        counts = [np.bincount(codes[:, j], minlength=width) for j, width in enumerate(widths)]
        shares = [(count + _LEAST) / (n + _LEAST * len(count)) for count in counts]
        self.alone = [-np.log(share).astype(np.float32) for share in shares]
        self.pairs = _chosen_pairs(codes)
        tables, information = [np.empty(0)], np.empty(len(self.pairs))
        for number, (i, j) in enumerate(self.pairs):
            flat = codes[:, i].astype(np.intp) * widths[j] + codes[:, j]
            joint = np.bincount(flat, minlength=widths[i] * widths[j]).reshape(widths[i], widths[j])
            ratios = _log_ratios(joint.astype(np.float64), shares[i], shares[j])
            information[number] = max(0.0, (joint * ratios).sum() / n)
            tables.append(-ratios.ravel())
        self.tables = np.concatenate(tables).astype(np.float32)
        self._weigh(information, n_features)
        self._lay_out(widths)

    def _codes(self, cells):
        codes = np.empty(cells.shape, dtype=np.int16)
        for j, bins in enumerate(self.bins):
            codes[:, j] = bins(cells[:, j])
        return codes

    def _weigh(self, information, n_features):
        """Of each column its partners, one column after the other, and their weights."""
        owner = np.concatenate([self.pairs[:, 0], self.pairs[:, 1]])
        number = np.tile(np.arange(len(self.pairs)), 2)
        order = np.argsort(owner, kind="stable")
        self.owner, self.number = owner[order], number[order]
        weights = information[self.number]
        total = np.bincount(self.owner, weights, minlength=n_features)[self.owner]
        count = np.bincount(self.owner, minlength=n_features)[self.owner]
        self.weights = np.where(total > 0, weights / np.maximum(total, _TINY), 1 / count)

    def _lay_out(self, widths):
        """Where each pair's table begins, and how its cells are numbered."""
        sizes = [widths[i] * widths[j] for i, j in self.pairs]
        self.starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)[: len(sizes)]
        self.strides = np.array([widths[j] for _, j in self.pairs], dtype=np.intp)

    def surprise(self, cells):
        """Nats of each cell, ndarray of shape (n, n_features)."""
        codes = self._codes(cells)
        surprise = np.empty(cells.shape)
        for j, (bins, alone) in enumerate(zip(self.bins, self.alone, strict=True)):
            surprise[:, j] = alone[codes[:, j]] + bins.beyond(cells[:, j])
        if not len(self.pairs):
            return surprise
        first, second = self.pairs.T
        owners, begins = np.unique(self.owner, return_index=True)
        for part in slices(len(codes), max(1, _CELLS_AT_ONCE // len(self.owner))):
            places = self.starts + codes[part][:, first] * self.strides + codes[part][:, second]
            given = self.tables[places][:, self.number] * self.weights
            surprise[part, owners] += np.add.reduceat(given, begins, axis=1)
        return surprise


def _chosen_pairs(codes):
    """All pairs of columns, or those that are most correlated; ndarray of shape (n_pairs, 2)."""
    n_features = codes.shape[1]
    first, second = np.tril_indices(n_features, -1)
    if len(first) > _ALL_PAIRS:
        codes = codes[:_ROWS_CORRELATED].astype(np.float64)
        deviation = codes.std(axis=0)
        # Of very many columns those that vary most.
        among = np.sort(np.argsort(-deviation, kind="stable")[:_COLUMNS_CORRELATED])
        scaled = (codes - codes.mean(axis=0))[:, among] / np.maximum(deviation[among], _TINY)
        # Not by BLAS, whose last bits depend on the number of threads.
        strength = np.abs(np.einsum("ni,nj->ij", scaled, scaled))
        first, second = np.tril_indices(len(among), -1)
        order = np.argsort(-strength[first, second], kind="stable")
        order = order[: np.clip(2 * n_features, _ALL_PAIRS, _MOST_PAIRS)]
        first, second = among[first[order]], among[second[order]]
    return np.stack([first, second], axis=1)


def _log_ratios(counts, first, second):
    """Logarithm of joint probabilities over the product of the marginal ones.

    Parameters
    ----------
    counts : ndarray of shape (n_first, n_second)
    first, second : ndarray
        Shares of the bins of either column.

    Returns
    -------
    ndarray of the shape of ``counts``
    """
    independent = np.outer(first, second)
    joint, n = independent.copy(), counts.sum()
    for resolution in (*_RESOLUTIONS, None):
        rows, columns = _groups(first, resolution), _groups(second, resolution)
        counted = _summed(counts, rows, columns)
        expected = np.maximum(_summed(joint, rows, columns), _TINY)
        weight = _PRIOR * np.sqrt(counted.size)
        joint *= ((counted + weight * expected) / ((n + weight) * expected))[np.ix_(rows, columns)]
    return np.log(joint / independent)


def _groups(shares, resolution):
    """Number of the coarser bin of each bin: neighbours of about equal share together."""
    if resolution is None or resolution >= len(shares):
        return np.arange(len(shares))
    middle = np.cumsum(shares) - 0.5 * shares
    groups = np.minimum((resolution * middle).astype(np.intp), resolution - 1)
    return np.unique(groups, return_inverse=True)[1]


def _summed(table, rows, columns):
    """Sums of a table over groups of its rows and columns, which lie together."""
    starts = (np.flatnonzero(np.diff(groups, prepend=-1)) for groups in (rows, columns))
    first, second = starts
    return np.add.reduceat(np.add.reduceat(table, first, axis=0), second, axis=1)
