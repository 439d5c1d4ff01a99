"""What a judge is."""

from abc import ABC, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator

from ..evidence import HeldOut
from .cross_fitting import cross_fitted

ROWS_EXPECTED = 2**11


class Judge(BaseEstimator, ABC):
    """Says how anomalous rows are, from one point of view; write your own by subclassing.

    A judge says ``evidence`` of rows, for which it may first learn from training rows in ``fit``.
    All else is done for it: it is cloned, fitted without a fold and asked about that fold, so that
    what it says of training rows tells how rare what it says of other rows is, in nats of surprise.

    As with scikit-learn's estimators, parameters of ``__init__`` are stored as they are, and what
    is learned ends in an underscore. A parameter ``random_state=None`` is set from the detector's.

    See Also
    --------
    Observations : What rows are to a judge.
    Evidence : What a judge says of them.

    Notes
    -----
    Rows come some at a time: what a judge says of one must not depend on those beside it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import Evidence, Judge, NearestDistance
    >>> class FarFromMedian(Judge):
    ...     def __init__(self, power=2.0):
    ...         self.power = power
    ...
    ...     def fit(self, rows):
    ...         self.median_ = np.median(rows.points(), axis=0)
    ...         return self
    ...
    ...     def evidence(self, rows):
    ...         far = np.abs(rows.points() - self.median_) ** self.power
    ...         return Evidence(far.sum(axis=1), rows.by_column(far))
    >>> normal = np.random.RandomState(0).normal(size=(300, 2))
    >>> detector = OutlierDetector(judges=[NearestDistance(), FarFromMedian()]).fit(normal)
    >>> detector.predict([[0.0, 0.0], [0.0, 9.0]])
    array([ 1, -1])
    """

    def fit(self, rows):
        """Learn from training rows; a judge that has nothing to learn leaves it out.

        Parameters
        ----------
        rows : Observations
            At least two.

        Returns
        -------
        self : object
        """
        return self

    @abstractmethod
    def evidence(self, rows):
        """Say how anomalous rows are.

        Parameters
        ----------
        rows : Observations

        Returns
        -------
        Evidence
        """

    def fit_held_out(self, rows, generator):
        """Fit a clone, and judge the training rows as rows that it has not seen.

        By cross-fitting, unless a judge knows a better way, such as leaving out each row by itself.
        Other rows are judged by the clone without the first fold, so that what they find is
        distributed as what held-out rows find: the mean of all clones would vary less.

        Parameters
        ----------
        rows : Observations
            Training rows.
        generator : torch.Generator
            For seeds.

        Returns
        -------
        HeldOut
        """
        judge, statistic = None, np.empty(len(rows))
        parts = np.empty((min(len(rows), ROWS_EXPECTED), rows.table.shape[1]))
        for fitted, held_out, evidence in cross_fitted(self, rows, generator):
            judge = judge or fitted
            statistic[held_out] = evidence.statistic
            first = held_out < len(parts)
            parts[held_out[first]] = evidence.parts[first]
        return HeldOut(judge, statistic, parts.mean(axis=0))
