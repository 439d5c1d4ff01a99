"""Judges for training rows among which there are anomalies."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from ..._runtime.arrays import evenly
from ..._runtime.parameters import Instance
from ...outliers.observations import Observations
from ..neighbors import Neighbors
from .base import Judge, statistic_of

_BULK, _ROUNDS = 0.75, 3
_MOST_REFERENCES, _SHARE_OF_REFERENCES = 2**11, 0.2


class Trimmed(Judge):
    """A judge that is fitted to the bulk of the rows.

    It is fitted three times to three quarters of the training rows: first to those that are close
    to many others, then to those that surprised it least, so that what does not belong to the rest
    does not shape it.

    Parameters
    ----------
    judge : Judge
        Best one that sees standardised columns: anomalies have ranks like others.

    References
    ----------
    Rousseeuw and Van Driessen (1999), *A fast algorithm for the minimum covariance determinant
    estimator*: the rounds. Neykov et al. (2007), *Robust fitting of mixtures using the trimmed
    likelihood estimator*.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import LowDensity, Trimmed
    >>> rows = np.random.RandomState(0).normal(size=(300, 2))
    >>> rows[:15] += 9.0
    >>> judges = [Trimmed(LowDensity(1, space="standard"))]
    >>> OutlierDetector(judges=judges, contamination=0.05).fit_predict(rows)[:20]
    array([-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,  1,  1,
            1,  1,  1])
    """

    _parameter_constraints = {"judge": [Instance(["fit", "statistic"], "a judge")]}

    def __init__(self, judge: Judge) -> None:
        self.judge = judge

    def fit(self, rows: Observations) -> Self:
        """Fit a clone of the judge to the bulk; see :meth:`Judge.fit`."""
        n_bulk, statistic = max(int(_BULK * len(rows)), 2), rows.once(_remoteness, rows)
        for _ in range(_ROUNDS):
            bulk = np.sort(np.argsort(statistic, kind="stable")[:n_bulk])
            self.judge_ = clone(self.judge)
            self.judge_.fit(rows.take(bulk))
            statistic = statistic_of(self.judge_, rows)
        return self

    def statistic(self, rows: Observations) -> ArrayLike:
        """That of the judge; see :meth:`Judge.statistic`."""
        return self.judge_.statistic(rows)


def _remoteness(rows):
    """Mean distance to many other rows; small for those that are taken to be normal at first."""
    points = rows.points()
    references = Neighbors(points[evenly(len(rows), _MOST_REFERENCES)])
    # To so many that a small cluster of anomalies does not vouch for itself.
    return references.mean_distance(points, _SHARE_OF_REFERENCES)
