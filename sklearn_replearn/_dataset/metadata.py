"""What stands beside the rows in training: labels, groups, times."""

from dataclasses import dataclass

import numpy as np

from .pairing import Partners

_STRETCHES = 50


@dataclass(frozen=True)
class RowMetadata:
    """Labels, groups and times of the rows of a table, in their order.

    Attributes
    ----------
    labels : ndarray of shape (n_samples,), int64, or None
        Numbers of classes; -1 where a row has none. In fine-tuning of a regressor targets, float64,
        of shape (n_samples,) or (n_samples, n_outputs).
    groups : ndarray of shape (n_samples,), int64, or None
        Rows of a group are alike.
    times : ndarray of shape (n_samples,), float64, or None
        Rows that are neighbours in time (and of one group) are alike.
    n_neighbors : int
        So many before and as many after.
    """

    labels: np.ndarray | None = None
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    n_neighbors: int = 1

    def as_columns(self):
        """All of them as numbers, ndarray of shape (n_samples, n_metadata), float64, or None."""
        there = [values for values in (self.labels, self.groups, self.times) if values is not None]
        return np.column_stack(there).astype(np.float64) if there else None

    def take(self, rows):
        """Those of some rows."""
        picked = (
            None if values is None else values[rows]
            for values in (self.labels, self.groups, self.times)
        )
        return RowMetadata(*picked, self.n_neighbors)

    def of_counting(self, counts):
        """The same, numbered as if only rows that count were there.

        Parameters
        ----------
        counts : ndarray of shape (n_samples,), bool
        """
        if counts.all():
            return self
        return RowMetadata(
            *(_renumbered(values, counts) for values in (self.labels, self.groups, self.times)),
            self.n_neighbors,
        )

    def units(self):
        """Numbers of what is held out as a whole, ndarray of shape (n_samples,), or None.

        Groups; within a single one, stretches of time in which rows are alike.
        """
        if self.groups is not None and np.ptp(self.groups) > 0:
            return self.groups
        if self.times is None:
            return None
        rank = np.empty(len(self.times), dtype=np.int64)
        rank[np.lexsort((np.arange(len(rank)), self.times))] = np.arange(len(rank))
        return rank // max(2 * self.n_neighbors, -(-len(rank) // _STRETCHES))

    def partners(self):
        """See :class:`Partners`; None where no other row is alike."""
        return None if self.groups is None and self.times is None else Partners(self)


def _renumbered(values, counts):
    """Values in which numbers follow each other over the rows that count; -1 stays."""
    if values is None:
        return None
    renumbered, there = np.zeros_like(values), counts & (values >= 0)
    renumbered[values < 0] = -1
    renumbered[there] = np.unique(values[there], return_inverse=True)[1]
    return renumbered
