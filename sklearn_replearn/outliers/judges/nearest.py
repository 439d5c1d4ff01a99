"""How far the nearest training row is."""

import numpy as np
from sklearn.base import clone

from ..._runtime.sklearn import StrOptions
from ..evidence import Evidence, HeldOut
from .base import ROWS_EXPECTED, Judge

_WIDEST, _RIDGE = 128, 1e-2
_SAME, _TINY = 1e-4, 1e-12
_FEW_COPIES = 0.01


class NearestDistance(Judge):
    """Distance from the nearest of up to 8,192 training rows.

    What is due to a cell is how far it differs from that row's beyond what differences of the other
    columns tell. Training rows are left out one at a time. Where hardly a training row is there
    twice, a row that equals one, as far as digits go, is that row, and compared with the others.

    Parameters
    ----------
    space : {"standard", "quantile"}, default="standard"
        How numbers are scaled: to variance 1, or by their ranks.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import NearestDistance
    >>> normal = np.random.RandomState(0).normal(size=(300, 2))
    >>> OutlierDetector(judges=[NearestDistance("quantile")]).fit(normal).predict([[9.0, 9.0]])
    array([-1])
    """

    _parameter_constraints = {"space": [StrOptions({"standard", "quantile"})]}

    def __init__(self, space="standard"):
        self.space = space

    def fit(self, rows):
        """Keep reference rows; see :meth:`Judge.fit`."""
        self._learn(rows)
        return self

    def fit_held_out(self, rows, generator):
        """Leave out one row at a time; see :meth:`Judge.fit_held_out`."""
        judge = clone(self)
        return HeldOut(judge, *judge._learn(rows))

    def _learn(self, rows):
        references = rows.references
        self.neighbors_ = rows.neighbors(self.space)
        # Training rows for which no other row is likely to be taken.
        unique = (rows.copies == 1) & (np.mean(rows.copies > 1) < _FEW_COPIES)
        self.unique_ = unique[references]
        points = rows.points(self.space)[references]
        self.residuals_ = None
        if points.shape[1] <= _WIDEST:
            precision = _precision(points)
            self.residuals_ = (precision / np.sqrt(np.diag(precision))).astype(np.float32)
        own = np.full(len(rows), -1)
        own[references] = np.arange(len(references))
        known = rows.known_points(self.space)
        nearest = self.neighbors_.nearest(rows.points(self.space), known, own)[:, 0]
        differences = self.neighbors_.differences(rows.points(self.space), nearest, known)
        held_out = self._distance(rows, differences)
        self.same_ = _SAME * np.median(held_out) + _TINY
        first = rows.first(ROWS_EXPECTED)
        return held_out, self._parts(first, differences[: len(first)]).mean(axis=0)

    def evidence(self, rows):
        """The distance, and what of it is due to each cell; see :meth:`Judge.evidence`."""
        points, known = rows.points(self.space), rows.known_points(self.space)
        nearest = self.neighbors_.nearest(points, known)[:, 0]
        differences = self.neighbors_.differences(points, nearest, known)
        distance = self._distance(rows, differences)
        same = (distance <= self.same_) & self.unique_[nearest]
        if same.any():
            known = None if known is None else known[same]
            points = points[same]
            others = self.neighbors_.nearest(points, known, nearest[same])[:, 0]
            differences[same] = self.neighbors_.differences(points, others, known)
            distance = self._distance(rows, differences)
        return Evidence(distance, lambda: self._parts(rows, differences))

    def _distance(self, rows, differences):
        return np.sqrt(rows.mean_over_known(rows.by_column(np.square(differences), self.space)))

    def _parts(self, rows, differences):
        """Squared differences from the nearest row that the other columns' do not tell."""
        if self.residuals_ is not None:
            differences = differences @ self.residuals_
        return np.where(rows.known, rows.by_column(np.square(differences), self.space), 0.0)


def _precision(points):
    """Inverse of the covariance of points, as far as there are enough of them."""
    centred = points - points.mean(axis=0)
    # Not by BLAS, whose last bits depend on the number of threads.
    covariance = np.einsum("ni,nj->ij", centred, centred) / len(points)
    ridge = _RIDGE * (np.trace(covariance) / len(covariance) or 1.0)
    return np.linalg.inv(covariance + ridge * np.eye(len(covariance)))
