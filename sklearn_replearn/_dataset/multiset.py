"""Rows as a weighted multiset in canonical order.

Training that draws from this multiset cannot see the order in which rows came, nor tell a row of
weight 2 from a row that stands there twice: fits are then equal bit by bit.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .._runtime.arrays import CELLS, slices
from .hashing import hashes_of, scrambled
from .sparse import SparseTable
from .stretches import picked

# An epoch is at most this many draws where rows repeat or weigh much, so that weights such as
# census weights (each row stands for thousands) do not make an epoch thousands of times longer.
MAX_DRAWS = 2**16
_TINY = np.finfo(np.float64).tiny
# Weights are added up so many at a time, whether they are in memory or not.
_WEIGHTS_AT_ONCE = 2**16


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

    The table is not copied: a multiset holds the numbers of its rows. It may be on disk, see
    :class:`StoredTable`, and so may the weights: they are read a part at a time.

    Attributes
    ----------
    table : ndarray of shape (n_samples, n_features), SparseTable or StoredTable
    numbers : array-like of shape (n_distinct,), int64
        Where the distinct rows stand in the table.
    weights : array-like of shape (n_distinct,), float64, all positive
    """

    table: Any
    numbers: Any
    weights: Any

    def __len__(self):
        return len(self.numbers)

    @property
    def width(self):
        """Columns of the table."""
        return self.table.shape[1]

    @cached_property
    def _ends(self):
        """Weight of all rows up to the end of each of some stretches."""
        parts = slices(len(self), _WEIGHTS_AT_ONCE)
        return np.cumsum([self.weights[part].sum() for part in parts])

    @property
    def total(self):
        """Weight of all rows."""
        return float(self._ends[-1])

    @cached_property
    def n_draws(self):
        """Draws in an epoch: the total weight, but every distinct row has room for one."""
        return int(max(len(self), min(round(self.total), MAX_DRAWS)))

    @cached_property
    def draws_each_once(self):
        """Whether an epoch draws every distinct row exactly once."""
        if self.n_draws != len(self):
            return False
        first = self.weights[:1]
        parts = slices(len(self), _WEIGHTS_AT_ONCE)
        return all((self.weights[part] == first).all() for part in parts)

    def draws(self, offset=0.5, which=slice(None)):
        """Numbers of one epoch's rows, within the multiset, by systematic sampling.

        Draw ``i`` stands at ``(i + offset) / n_draws`` of the total weight. With whole-number
        weights a row of weight ``w`` is drawn exactly ``w`` times, whatever the offset in [0, 1).

        Parameters
        ----------
        offset : float, default=0.5
        which : slice or ndarray of int, rising, default=slice(None)
            Of the draws those that are asked for.
        """
        if isinstance(which, slice):
            which = np.arange(*which.indices(self.n_draws))
        if self.draws_each_once:
            return which
        marks = (which + offset) * (self.total / self.n_draws)
        stretches = np.minimum(
            np.searchsorted(self._ends, marks, side="right"), len(self._ends) - 1
        )
        numbers = np.empty(len(marks), dtype=np.int64)
        for stretch in np.unique(stretches).tolist():
            here = slice(*np.searchsorted(stretches, [stretch, stretch + 1]).tolist())
            start = stretch * _WEIGHTS_AT_ONCE
            ends = np.cumsum(self.weights[start : start + _WEIGHTS_AT_ONCE])
            if stretch:
                ends += self._ends[stretch - 1]
            found = np.searchsorted(ends, marks[here], side="right")
            numbers[here] = start + np.minimum(found, len(ends) - 1)
        return numbers

    def values(self, part=slice(None)):
        """A copy of some of its rows, ndarray of shape (n, n_features)."""
        return self.table[self.numbers[part]]

    def columns(self, rows, which):
        """Copies of some rows of these columns, one column after the other, each of shape (n,)."""
        numbers = self.numbers[rows]
        if isinstance(self.table, SparseTable):
            return self.table.columns(numbers, which)
        if isinstance(self.table, np.ndarray):
            return (self.table[numbers, j] for j in which)
        parts = slices(len(numbers), max(1, CELLS // self.width))
        cells = [self.table[numbers[part]][:, which] for part in parts]
        return iter(np.concatenate([np.empty((0, len(which)), self.table.dtype), *cells]).T)

    def parts(self, n_cells=CELLS):
        """Slices that cover it, each of at most ``n_cells`` cells; by default they fit a cache."""
        return slices(len(self), max(1, n_cells // self.width))

    def least_known(self, missing):
        """Least share of the rows that have a cell, of all columns but those that have none.

        Parameters
        ----------
        missing : ndarray of shape (n_features,), bool
            Columns with missing cells.

        Returns
        -------
        float
        """
        which, known = np.flatnonzero(missing), 0.0
        for part in self.parts() if len(which) else ():
            known = known + self.weights[part] @ ~np.isnan(self.values(part)[:, which])
        shares = np.asarray(known) / self.total
        return float(np.min(shares[shares > 0], initial=1.0))

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
        return self.draws(which=slice(0, None, -(-self.n_draws // most)))

    def stated(self, metadata=None):
        """A text that stands for these rows in any order, their weights and what is beside them.

        Parameters
        ----------
        metadata : ndarray of shape (n_samples, n_metadata), float64, default=None
            As given to :func:`canonical`.
        """
        total = 0
        for part in self.parts():
            hashes = hashes_of(self.values(part))
            if metadata is not None:
                hashes = scrambled(hashes) + hashes_of(metadata[self.numbers[part]])
            weights = np.asarray(self.weights[part], dtype=np.float64).view(np.uint64)
            total += int(np.add.reduce(scrambled(hashes ^ scrambled(weights))))
        distinct = f"{len(self)} distinct rows of {self.width} columns"
        return f"{distinct} (fingerprint {total % 2**64:016x})"

    def subset(self, which):
        """The multiset of some of its rows, by their numbers within it."""
        return Multiset(self.table, picked(self.numbers, which), picked(self.weights, which))


def _weighted_sum(weights, values):
    """``weights @ values``, but not by BLAS, whose last bits depend on the number of threads."""
    return np.einsum("i,ij->j", weights, values)


def canonical(X, sample_weight, metadata=None):
    """Sort rows by a hash of their values, merge equal ones, drop those of weight zero.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), or SparseTable
    sample_weight : ndarray of shape (n_samples,), float64
    metadata : ndarray of shape (n_samples, n_metadata), float64, default=None
        What stands beside the rows, such as labels: only rows equal in that, too, are merged.

    Returns
    -------
    Multiset
    """
    hashes = hashes_of(X)
    if metadata is not None:
        hashes = scrambled(hashes) + hashes_of(metadata)
    return in_order_of(hashes, X, sample_weight, metadata)


def in_order_of(hashes, X, sample_weight, metadata=None):
    """The same, of rows whose hashes are known."""
    if np.ptp(sample_weight) == 0:
        numbers = np.argsort(hashes)
    else:
        # The weight as a second key: a sum of floats depends on the order of its terms.
        numbers = np.lexsort((sample_weight, hashes))
        numbers = numbers[sample_weight[numbers] > 0]
    hashes, weights = hashes[numbers], sample_weight[numbers]
    repeats = _equal_to_the_row_before(X, numbers, np.flatnonzero(hashes[1:] == hashes[:-1]) + 1)
    if metadata is not None:
        repeats = _equal_to_the_row_before(metadata, numbers, repeats)
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
