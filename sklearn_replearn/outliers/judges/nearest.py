"""How far the nearest training row is."""

import numpy as np

from .cross_fitting import ROWS_EXPECTED

_WIDEST_TELLING, _RIDGE = 128, 1e-2
_ALIKE, _TINY = 1e-4, 1e-12


class NearestDistance:
    """Distance from the nearest of the reference rows.

    Parameters
    ----------
    space : str
    seen : Seen
        Training rows.
    references : ndarray of int
        Which of them to keep.
    neighbors : Neighbors
        Of those.
    once : ndarray of shape (n,), bool
        Training rows for which no other row is likely to be taken. A row that equals one of them,
        as far as digits go, is that row, and compared with the others.
    """

    def __init__(self, space, seen, references, neighbors, once):
        self.space, self._once = space, once[references]
        self.neighbors = neighbors
        points = seen.points(space)[references]
        self._telling = None
        if points.shape[1] <= _WIDEST_TELLING:
            precision = _precision(points)
            self._telling = (precision / np.sqrt(np.diag(precision))).astype(np.float32)
        own = np.full(len(seen), -1)
        own[references] = np.arange(len(references))
        differences = self._differences(seen, own)
        self.held_out = self._statistic(seen, differences)
        self._nothing = _ALIKE * np.median(self.held_out) + _TINY
        first = seen.first(ROWS_EXPECTED)
        self.expected = self._parts(first, differences[: len(first)]).mean(axis=0)

    def statistic(self, seen):
        return self._statistic(seen, self._differences(seen))

    def parts(self, seen):
        return self._parts(seen, self._differences(seen))

    def _statistic(self, seen, differences):
        return np.sqrt(seen.mean_over_known(seen.by_column(self.space, np.square(differences))))

    def _parts(self, seen, differences):
        """Squared differences from the nearest row that the other columns' do not tell."""
        if self._telling is not None:
            differences = differences @ self._telling
        return np.where(seen.known, seen.by_column(self.space, np.square(differences)), 0.0)

    def _differences(self, seen, own=None):
        points, known = seen.points(self.space), seen.known_points(self.space)
        nearest = self.neighbors.nearest(points, known, own)[:, 0]
        differences = self.neighbors.differences(points, nearest, known)
        if own is not None:
            return differences
        same = self._statistic(seen, differences) <= self._nothing
        same &= self._once[nearest]
        if same.any():
            known = None if known is None else known[same]
            points = points[same]
            others = self.neighbors.nearest(points, known, nearest[same])[:, 0]
            differences[same] = self.neighbors.differences(points, others, known)
        return differences


def _precision(points):
    """Inverse of the covariance of points, as far as there are enough of them."""
    centred = points - points.mean(axis=0)
    # Not by BLAS, whose last bits depend on the number of threads.
    covariance = np.einsum("ni,nj->ij", centred, centred) / len(points)
    ridge = _RIDGE * (np.trace(covariance) / len(covariance) or 1.0)
    return np.linalg.inv(covariance + ridge * np.eye(len(covariance)))
