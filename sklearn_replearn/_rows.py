"""Rows as a weighted multiset in canonical order.

Training that draws from this multiset cannot see the order in which rows came, nor tell a row of
weight 2 from a row that stands there twice: fits are then equal bit by bit.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

# An epoch is at most this many draws where rows repeat or weigh much, so that weights such as
# census weights (each row stands for thousands) do not make an epoch thousands of times longer.
MAX_DRAWS = 2**16
# Looked at together: so many stay in the cache of a core.
CELLS, CHUNK = 2**16, 2**10  # cells of a table, rows in a network
_TINY = np.finfo(np.float64).tiny


class SparseTable:
    """A sparse matrix of which rows are read as a dense array, a few at a time.

    Parameters
    ----------
    matrix : scipy CSR matrix or array
        Where it has repeated entries, a copy of it without them is taken.
    """

    def __init__(self, matrix):
        if not matrix.has_canonical_format:
            matrix = matrix.copy()
            matrix.sum_duplicates()
        self.matrix = matrix
        self.shape, self.dtype = matrix.shape, matrix.dtype

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        return self.matrix[rows].toarray()

    def take(self, rows, axis=0):
        """The same, by numbers of rows, as of an ndarray."""
        return self[rows]

    def filled(self, values):
        """A copy of the matrix, its missing cells replaced by those of a dense array."""
        matrix = self.matrix.copy()
        rows = np.repeat(np.arange(len(self)), np.diff(matrix.indptr))
        gone = np.isnan(matrix.data)
        matrix.data[gone] = values[rows[gone], matrix.indices[gone]]
        return matrix

    def of_whole_numbers(self):
        """Columns that hold nothing but whole numbers, ndarray of shape (n_features,), bool."""
        cells = self.matrix.data
        broken = self.matrix.indices[(cells != np.rint(cells)) & ~np.isnan(cells)]
        return np.bincount(broken, minlength=self.shape[1]) == 0

    def n_stored(self, rows, weights):
        """Weight of the rows in which each column is other than zero."""
        matrix = self.matrix[rows]
        there = matrix.data != 0
        of_cells = np.repeat(weights, np.diff(matrix.indptr))[there]
        return np.bincount(matrix.indices[there], of_cells, minlength=self.shape[1])

    def columns(self, rows, which):
        """Cells of these columns one after the other, each dense."""
        by_columns = self.matrix[rows].tocsc()
        return (by_columns[:, [j]].toarray()[:, 0] for j in which)


@dataclass(frozen=True)
class Moments:
    """What :meth:`Multiset.moments` finds, each ndarray of shape (width,).

    Attributes
    ----------
    low, high, mean, variance : float64
        NaN where all cells are missing.
    missing : bool
        Columns with missing cells.
    """

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    missing: np.ndarray


@dataclass(frozen=True)
class Multiset:
    """Distinct rows of a table in canonical order, and how often each one counts.

    The table is not copied: a multiset holds the numbers of its rows.

    Attributes
    ----------
    table : ndarray of shape (n_samples, n_features), or SparseTable
    numbers : ndarray of shape (n_distinct,), int64
        Where the distinct rows stand in the table.
    weights : ndarray of shape (n_distinct,), float64, all positive
    """

    table: np.ndarray | SparseTable
    numbers: np.ndarray
    weights: np.ndarray

    def __len__(self):
        return len(self.numbers)

    @property
    def width(self):
        """Columns of the table."""
        return self.table.shape[1]

    @cached_property
    def n_draws(self):
        """Draws in an epoch: the total weight, but every distinct row has room for one."""
        return int(max(len(self), min(round(self.weights.sum()), MAX_DRAWS)))

    @cached_property
    def draws_each_once(self):
        """Whether an epoch draws every distinct row exactly once."""
        return self.n_draws == len(self) and np.ptp(self.weights) == 0

    def draws(self, offset=0.5):
        """Numbers of one epoch's rows, within the multiset, by systematic sampling.

        Draw ``i`` stands at ``(i + offset) / n_draws`` of the total weight. With whole-number
        weights a row of weight ``w`` is drawn exactly ``w`` times, whatever the offset in [0, 1).
        """
        n_draws = self.n_draws
        if self.draws_each_once:
            return np.arange(n_draws)
        ends = np.cumsum(self.weights)
        marks = (np.arange(n_draws) + offset) * (ends[-1] / n_draws)
        return np.minimum(np.searchsorted(ends, marks, side="right"), len(self) - 1)

    def values(self, part=slice(None)):
        """A copy of some of its rows, ndarray of shape (n, n_features)."""
        return self.table[self.numbers[part]]

    def columns(self, rows, which):
        """Copies of some rows of these columns, one column after the other, each of shape (n,)."""
        numbers = self.numbers[rows]
        if isinstance(self.table, SparseTable):
            return self.table.columns(numbers, which)
        return (self.table[numbers, j] for j in which)

    def parts(self, n_cells=CELLS):
        """Slices that cover it, each of at most ``n_cells`` cells; by default they fit a cache."""
        return slices(len(self), max(1, n_cells // self.width))

    def moments(self, read, parts=None):
        """Range, weighted mean and variance of the columns of what ``read`` gives of its parts.

        One pass; the means of parts are put together after Chan et al. (1982), so that columns far
        from zero keep the digits in which they vary. Missing cells do not count; a column of which
        all are missing has NaN for everything.

        Parameters
        ----------
        read : callable
            Takes a slice and returns an array of shape (n, width).
        parts : iterable of slices, default=None
            None is :meth:`parts`.

        Returns
        -------
        Moments
        """
        low, high, origin = np.inf, -np.inf, None
        total, mean, squares = 0.0, 0.0, 0.0
        missing = False
        for part in self.parts() if parts is None else parts:
            values, weights = read(part), self.weights[part]
            part_low = values.min(axis=0)
            known = None
            if np.isnan(part_low).any():
                known = ~np.isnan(values)
                missing = missing | ~known.all(axis=0)
                low = np.fmin(low, np.fmin.reduce(values, axis=0))
                high = np.fmax(high, np.fmax.reduce(values, axis=0))
            else:
                low = np.minimum(low, part_low)
                high = np.maximum(high, values.max(axis=0))
            values = values.astype(np.float64)
            if known is None:
                origin = values[0].copy() if origin is None else origin
                weight = weights.sum()
            else:
                origin = np.where(known[0], values[0], 0.0) if origin is None else origin
                weight = _weighted_sum(weights, known.astype(np.float64))
            values -= origin  # what is small is summed exactly enough
            if known is not None:
                values[~known] = 0.0
            part_mean = _weighted_sum(weights, values) / np.maximum(weight, _TINY)
            values -= part_mean
            if known is not None:
                values[~known] = 0.0
            np.square(values, out=values)
            gap, total = part_mean - mean, total + weight
            sure = np.maximum(total, _TINY)
            mean = mean + gap * (weight / sure)
            squares = (
                squares
                + _weighted_sum(weights, values)
                + gap**2 * (weight * (total - weight) / sure)
            )
        low, high, mean = low.astype(np.float64), high.astype(np.float64), mean + origin
        missing = np.zeros(len(low), dtype=bool) | missing
        if missing.any():
            total = np.where(total > 0, total, np.nan)
            low, high, mean = (np.where(np.isnan(total), np.nan, x) for x in (low, high, mean))
        return Moments(low, high, mean, squares / total, missing)

    def sample(self, most):
        """Numbers of at most so many rows, within the multiset, as many of each as its weight asks.

        Rows in canonical order are in random order: evenly spaced ones are a sample of all.
        """
        draws = self.draws()
        return draws[np.arange(0, len(draws), -(-len(draws) // most))]

    def subset(self, which):
        """The multiset of some of its rows, by their numbers within it."""
        return Multiset(self.table, self.numbers[which], self.weights[which])


def _weighted_sum(weights, values):
    """``weights @ values``, but not by BLAS, whose last bits depend on the number of threads."""
    return np.einsum("i,ij->j", weights, values)


def slices(n_rows, step):
    """Slices that cover ``n_rows`` rows, ``step`` at a time."""
    return (slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step))


def canonical(X, sample_weight, beside=None):
    """Sort rows by a hash of their values, merge equal ones, drop those of weight zero.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), or SparseTable
    sample_weight : ndarray of shape (n_samples,), float64
    beside : ndarray of shape (n_samples, n_marks), float64, default=None
        What stands beside the rows, such as labels: only rows equal in that, too, are merged.

    Returns
    -------
    Multiset
    """
    hashes = _hashes(X)
    if beside is not None:
        hashes = _mixed(hashes) + _hashes(beside)
    if np.ptp(sample_weight) == 0:
        numbers = np.argsort(hashes)
    else:
        # The weight as a second key: a sum of floats depends on the order of its terms.
        numbers = np.lexsort((sample_weight, hashes))
        numbers = numbers[sample_weight[numbers] > 0]
    hashes, weights = hashes[numbers], sample_weight[numbers]
    repeats = _equal_to_the_row_before(X, numbers, np.flatnonzero(hashes[1:] == hashes[:-1]) + 1)
    if beside is not None:
        repeats = _equal_to_the_row_before(beside, numbers, repeats)
    if len(repeats) == 0:
        return Multiset(X, numbers, weights)
    first = np.ones(len(numbers), dtype=bool)
    first[repeats] = False
    starts = np.flatnonzero(first)
    return Multiset(X, numbers[starts], np.add.reduceat(weights, starts))


def _equal_to_the_row_before(X, numbers, places):
    """Those of the places in ``numbers`` whose row of ``X`` equals that of the place before."""
    equal = np.empty(len(places), dtype=bool)
    for part in slices(len(places), max(1, CELLS // X.shape[1])):
        here = places[part]
        one, other = X[numbers[here]], X[numbers[here - 1]]
        equal[part] = ((one == other) | (np.isnan(one) & np.isnan(other))).all(axis=1)
    return places[equal]


def _hashes(X):
    """A 64-bit hash of each row: over its columns, the sum of mixes of cell and column."""
    n_rows, n_columns = X.shape
    hashes = np.empty(n_rows, dtype=np.uint64)
    factors = _mixed(np.arange(1, n_columns + 1, dtype=np.uint64)) | np.uint64(1)
    if isinstance(X, SparseTable):
        # The mix of zero is zero: what is not stored adds nothing.
        matrix = X.matrix
        ends = np.append(np.uint64(0), np.cumsum(_mixes(matrix.data, factors[matrix.indices])))
        return ends[matrix.indptr[1:]] - ends[matrix.indptr[:-1]]
    for part in slices(n_rows, max(1, CELLS // n_columns)):
        np.add.reduce(_mixes(X[part], factors), axis=1, out=hashes[part])
    return hashes


def _mixes(cells, factors):
    """Numbers that look random, from cells and the factors of their columns."""
    half, shift = np.uint64(32), np.uint64(29)
    # Adding zero turns -0.0 into 0.0: equal values, equal bits.
    bits = cells.astype(np.float64, order="C")
    bits += 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isnan(bits.sum()):  # one NaN for all
            bits[np.isnan(bits)] = np.nan
    bits = bits.view(np.uint64)
    shifted = bits >> half  # the lower half of a small whole number is empty
    bits ^= shifted
    bits *= factors
    bits ^= np.right_shift(bits, shift, out=shifted)
    return bits


def _mixed(numbers):
    """Numbers that look random, the same each time (the finaliser of Steele et al. 2014)."""
    numbers = numbers * np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
