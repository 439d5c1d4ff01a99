"""Rows as a weighted multiset in canonical order.

Training that draws from this multiset cannot see the order in which rows came, nor tell a row of
weight 2 from a row that stands there twice: fits are then equal bit by bit.
"""

from dataclasses import dataclass

import numpy as np

# An epoch is at most this many draws where rows repeat or weigh much, so that weights such as
# census weights (each row stands for thousands) do not make an epoch thousands of times longer.
MAX_DRAWS = 2**16
_CHUNK = 4096


@dataclass(frozen=True)
class Multiset:
    """Distinct rows in canonical order, and how often each one counts.

    Attributes
    ----------
    values : ndarray of shape (n_distinct, n_features)
    weights : ndarray of shape (n_distinct,), float64, all positive
    """

    values: np.ndarray
    weights: np.ndarray

    def __len__(self):
        return len(self.values)

    @property
    def n_draws(self):
        """Draws in an epoch: the total weight, but every distinct row has room for one."""
        return int(max(len(self), min(round(self.weights.sum()), MAX_DRAWS)))

    def draws(self, offset=0.5):
        """Row numbers of one epoch, by systematic sampling.

        Draw ``i`` stands at ``(i + offset) / n_draws`` of the total weight. With whole-number
        weights a row of weight ``w`` is drawn exactly ``w`` times, whatever the offset in [0, 1).
        """
        n_draws = self.n_draws
        ends = np.cumsum(self.weights)
        marks = (np.arange(n_draws) + offset) * (ends[-1] / n_draws)
        return np.minimum(np.searchsorted(ends, marks, side="right"), len(self) - 1)


def canonical(X, sample_weight):
    """Sort rows by a hash of their values, merge equal ones, drop those of weight zero.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    sample_weight : ndarray of shape (n_samples,), float64

    Returns
    -------
    Multiset
    """
    kept = sample_weight > 0
    if not kept.all():
        X, sample_weight = X[kept], sample_weight[kept]
    hashes = _hashes(X)
    # The weight as a second key: a sum of floats depends on the order of its terms.
    order = np.lexsort((sample_weight, hashes))
    X, sample_weight, hashes = X[order], sample_weight[order], hashes[order]
    repeats = np.flatnonzero(hashes[1:] == hashes[:-1]) + 1
    repeats = repeats[(X[repeats] == X[repeats - 1]).all(axis=1)]
    if len(repeats) == 0:
        return Multiset(X, sample_weight)
    first = np.ones(len(X), dtype=bool)
    first[repeats] = False
    starts = np.flatnonzero(first)
    return Multiset(X[starts], np.add.reduceat(sample_weight, starts))


def _hashes(X):
    """A 64-bit hash of each row; chunks of rows keep the columns in cache."""
    hashes = np.empty(len(X), dtype=np.uint64)
    factor, shift = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)
    for start in range(0, len(X), _CHUNK):
        # Adding zero turns -0.0 into 0.0: equal values, equal bits.
        columns = np.ascontiguousarray(X[start : start + _CHUNK].T, dtype=np.float64) + 0.0
        mixed = np.full(columns.shape[1], factor)
        for bits in columns.view(np.uint64):
            mixed ^= bits
            mixed *= factor
            mixed ^= mixed >> shift
        hashes[start : start + _CHUNK] = mixed
    return hashes
