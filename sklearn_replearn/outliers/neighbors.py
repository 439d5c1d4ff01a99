"""The nearest of a bounded number of reference points."""

import numpy as np
import torch

from .._runtime.arrays import slices
from .._runtime.isolation import few_threads, plain_torch

_CELLS_AT_ONCE = 2**20  # distances, which then stay in a cache
_ALIKE = 1e-12  # distances that differ by less, relative to the points, are equal
_CPU = torch.device("cpu")


class Neighbors:
    """Reference points, and which of them is nearest to others.

    Distances are squared. They are found for all references by one matrix product, and that of the
    nearest is then computed from the coordinates, so that it does not depend on what else is
    computed.

    Parameters
    ----------
    points : ndarray of shape (n_references, width)
    """

    def __init__(self, points):
        self.points = points.astype(np.float32)

    def __len__(self):
        return len(self.points)

    def nearest(self, points, known=None, own=None, count=1):
        """Numbers of the nearest references.

        Parameters
        ----------
        points : ndarray of shape (n, width)
        known : ndarray of shape (n, width), bool, default=None
            Coordinates that count; None: all.
        own : ndarray of shape (n, 2), int, default=None
            The first of the references that a point is itself, which do not count, and the first
            after them.
        count : int

        Returns
        -------
        ndarray of shape (n, at most count), int
        """
        count = min(count, len(self))

        def chosen(distances, closeness):
            if count > 1:
                return torch.topk(distances, count, largest=False, sorted=True).indices
            near = distances <= distances.amin(dim=1, keepdim=True) + closeness
            return near.to(torch.uint8).argmax(dim=1, keepdim=True)  # the first of equals

        return self._of_distances(chosen, points, known, own, count, np.intp)

    def mean_distance(self, points, own, share):
        """Mean distance to this share of the references, the nearest ones."""
        count = int(np.clip(round(share * len(self)), 1, max(len(self) - 1, 1)))

        def mean(distances, closeness):
            found = torch.topk(distances, count, largest=False, sorted=True).values
            return found.clamp_min(0).sqrt().mean(dim=1, keepdim=True)

        return self._of_distances(mean, points, None, own, 1, np.float64)[:, 0]

    def differences(self, points, nearest, known=None):
        """Differences from one reference each, ndarray of shape (n, width); 0 where not known."""
        differences = points.astype(np.float32) - self.points[nearest].astype(np.float64)
        return differences if known is None else np.where(known, differences, 0.0)

    def _of_distances(self, function, points, known, own, width, dtype):
        result = np.empty((len(points), width), dtype=dtype)
        points = points.astype(np.float32).astype(np.float64)
        with plain_torch(_CPU, gradients=False), few_threads(0, _CPU):
            references = torch.from_numpy(self.points).double()
            squares = references.square()
            lengths = squares.sum(dim=1)
            largest = float(lengths.max())
            for part in slices(len(points), max(16, _CELLS_AT_ONCE // len(self))):
                some = torch.from_numpy(points[part])
                of_references = lengths
                if known is not None:
                    counting = torch.from_numpy(known[part]).double()
                    some = some * counting
                    of_references = counting @ squares.T
                own_lengths = some.square().sum(dim=1, keepdim=True)
                distances = torch.addmm(of_references, some, references.T, alpha=-2.0)
                distances += own_lengths
                if own is not None and len(self) > 1:
                    distances[_places(*own[part].T)] = torch.inf
                result[part] = function(distances, _ALIKE * (own_lengths + largest)).numpy()
        return result


def _places(begins, ends):
    """Rows and columns of what lies between a begin and an end in each row."""
    counts = ends - begins
    rows = np.repeat(np.arange(len(counts)), counts)
    return rows, np.arange(len(rows)) - (np.cumsum(counts) - counts - begins)[rows]
