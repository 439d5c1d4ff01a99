"""Training rows that are similar to others: what could be expected in their place."""

import numpy as np

from .._dataset.hashing import scrambled
from .._runtime.arrays import evenly
from .neighbors import Neighbors

_CELLS, _FEWEST, _MOST = 2**20, 2**10, 2**12


class Similar:
    """Finds the training rows that are most similar to others.

    Parameters
    ----------
    rows : Observations
        Training rows, of which up to 4,096 are kept.

    Attributes
    ----------
    table : ndarray of shape (n, n_features)
        The rows that are kept.
    """

    def __init__(self, rows):
        self._space = rows.spaces["quantile"]
        most = int(np.clip(_CELLS // self._space.width, _FEWEST, _MOST))
        kept = evenly(len(rows), most)
        # Equal rows stand side by side; of those that are equally similar any shall be found.
        kept = kept[np.argsort(scrambled(np.arange(len(kept), dtype=np.uint64)))]
        self.table = rows.table[kept]
        self._neighbors = Neighbors(rows.points("quantile")[kept])

    def to(self, table, count, without=None):
        """Numbers of the most similar rows, ndarray of shape (n, at most count).

        Parameters
        ----------
        table : ndarray of shape (n, n_features)
        count : int
        without : int, default=None
            A column that does not count.
        """
        owner = self._space.owner
        known = ~np.isnan(table[:, owner])
        if without is not None:
            known &= owner != without
        return self._neighbors.nearest(self._space.points(table), known, count)

    def gaps(self, table, numbers):
        """How far each cell is from those of some rows; ndarray of the table's shape."""
        points = self._space.points(table)
        gaps = np.zeros(table.shape)
        for others in numbers.T:
            far = np.square(points - self._neighbors.points[others])
            gaps += np.add.reduceat(far, self._space.begins, axis=1)
            gaps += np.isnan(table) != np.isnan(self.table[others])
        return gaps
