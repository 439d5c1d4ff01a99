"""The nearest of a bounded number of reference points."""

import numpy as np
import torch

from .._runtime.arrays import slices
from .._runtime.isolation import few_threads, plain_torch

_CELLS_AT_ONCE = 2**18  # distances, which then stay in a cache
_ALIKE = 1e-5  # squared distances that differ by less, relative to the points, may be equal
_CPU = torch.device("cpu")


class Neighbors:
    """Reference points, and those of them that are nearest to others.

    All distances are found in float32 by one matrix product. For :meth:`distance` those that may be
    the least are then computed from the coordinates in float64, so that they do not depend on what
    else is computed.

    Parameters
    ----------
    points : ndarray of shape (n_references, width)
    """

    def __init__(self, points):
        self.points = points.astype(np.float32)
        self.lengths = np.square(self.points).sum(axis=1)

    def distance(self, points, known=None, beyond=0.0):
        """Squared distance of the nearest reference.

        Parameters
        ----------
        points : ndarray of shape (n, width)
        known : ndarray of shape (n, width), bool, default=None
            Coordinates that count; None: all.
        beyond : float, default=0.0
            What is not farther is taken for the point itself, and left out.

        Returns
        -------
        ndarray of shape (n,)
        """
        nearest = np.empty(len(points))

        def look(part, distances, own, slack):
            some, counting = points[part], None if known is None else known[part]
            nearest[part], rows, itself = self._least(some, counting, distances, slack, beyond)
            if len(rows):
                distances[rows, itself] = np.inf
                rows = np.unique(rows)
                counting = None if known is None else counting[rows]
                found = self._least(some[rows], counting, distances[rows], slack[rows], 0.0)
                nearest[part][rows] = found[0]

        self._look_at_distances(look, points, known)
        return nearest

    def _least(self, points, known, distances, slack, beyond):
        """The least of the distances; which are at most ``beyond``, as rows and columns."""
        # What is shown is the least that distances may be; that of the first may be more by this.
        first = distances.argmin(axis=1)
        least = distances[np.arange(len(first)), first] + 2 * (slack + _ALIKE * self.lengths[first])
        rows, columns = np.divmod(np.flatnonzero(distances <= least[:, None]), len(self.points))
        exact = np.empty(len(rows))
        for part in slices(len(rows), max(1, _CELLS_AT_ONCE // self.points.shape[1])):
            differences = points[rows[part]].astype(np.float32) - self.points[columns[part]].astype(
                np.float64
            )
            if known is not None:
                differences *= known[rows[part]]
            exact[part] = np.square(differences).sum(axis=1)
        close = exact < beyond
        begins = np.searchsorted(rows, np.arange(len(points)))
        return np.minimum.reduceat(exact, begins), rows[close], columns[close]

    def nearest(self, points, known=None, count=1):
        """Numbers of the nearest references, of equally near ones the first.

        Parameters
        ----------
        points : ndarray of shape (n, width)
        known : ndarray of shape (n, width), bool, default=None
        count : int
            At most so many.

        Returns
        -------
        ndarray of shape (n, at most count), int
        """
        nearest = np.empty((len(points), min(count, len(self.points))), dtype=np.intp)

        def look(part, distances, own, slack):
            # In steps of the slack, so that rounding hardly ever tells which is the nearer one.
            slack = slack[:, None] + _ALIKE * self.lengths.max()
            steps = np.floor(distances / np.maximum(slack, np.finfo(np.float32).tiny))
            steps = steps.astype(np.int64) * len(self.points) + np.arange(len(self.points))
            steps.partition(nearest.shape[1] - 1, axis=1)
            nearest[part] = np.sort(steps[:, : nearest.shape[1]], axis=1) % len(self.points)

        self._look_at_distances(look, points, known)
        return nearest

    def mean_distance(self, points, share):
        """Mean distance to this share of the references, the nearest ones; two at least.

        One of them may be the point itself.
        """
        n = len(self.points)
        count, mean = min(max(2, round(share * n)), n), np.empty(len(points))

        def look(part, distances, own, slack):
            closest = np.partition(distances, count - 1, axis=1)[:, :count] + own
            mean[part] = np.sqrt(np.maximum(closest, 0.0)).mean(axis=1, dtype=np.float64)

        self._look_at_distances(look, points, None)
        return mean

    def _look_at_distances(self, look, points, known):
        """Show some points at a time: their slice, squared distances, own lengths, rounding.

        The square of a point's own length is left out: it is the same for all references. A
        distance is the least that it may be, up to the rounding of the point.
        """
        with plain_torch(_CPU, gradients=False), few_threads(0, _CPU):
            # Copies: arrays that processes share may not be written to, of which torch warns.
            references = torch.tensor(self.points)
            squares = references.square()
            lengths = torch.tensor(self.lengths)[:, None]
            # (x, 1) times (-2 r, r²), or a one for each coordinate that counts.
            # No distance is shown larger than it is.
            lengths = (1 - _ALIKE) * (lengths if known is None else squares)
            factors = torch.cat([-2 * references, lengths], dim=1).T
            step = max(16, _CELLS_AT_ONCE // len(references))
            buffer = torch.empty(step, len(references), dtype=torch.float32, device=_CPU)
            for part in slices(len(points), step):
                counting = np.ones((1, 1)) if known is None else known[part]
                some = np.where(counting, points[part], 0.0).astype(np.float32)
                counting = np.broadcast_to(counting, (len(some), counting.shape[1]))
                asked = np.concatenate([some, counting.astype(np.float32)], axis=1)
                distances = torch.mm(torch.from_numpy(asked), factors, out=buffer[: len(some)])
                own = np.square(some).sum(axis=1, keepdims=True)
                look(part, distances.numpy(), own, _ALIKE * own[:, 0])
