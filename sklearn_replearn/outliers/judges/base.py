"""What a judge is."""

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from ..._runtime.sklearn import BaseEstimator
from ...outliers.observations import Observations


class Judge(BaseEstimator, ABC):
    """Says how anomalous rows are, from one point of view; write your own by subclassing.

    A judge computes a ``statistic`` of rows, for which it may first learn from training rows in
    ``fit``. All else is done for it: it is cloned, fitted without some of the rows and asked about
    these, so that what it says of rows that it has not seen tells how rare what it says of other
    rows is, in nats of surprise; and asked about rows with one cell changed, which tells what is
    due to each cell.

    As with scikit-learn's estimators, parameters of ``__init__`` are stored as they are, and what
    is learned ends in an underscore. A parameter ``random_state=None`` is set from the detector's.

    See Also
    --------
    Observations : What rows are to a judge.

    Notes
    -----
    Rows come some at a time: what a judge says of one must not depend on those beside it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import Judge, NearestDistance
    >>> class FarFromMedian(Judge):
    ...     def __init__(self, power=2.0):
    ...         self.power = power
    ...
    ...     def fit(self, rows):
    ...         self.median_ = np.median(rows.points(), axis=0)
    ...         return self
    ...
    ...     def statistic(self, rows):
    ...         return (np.abs(rows.points() - self.median_) ** self.power).sum(axis=1)
    >>> normal = np.random.RandomState(0).normal(size=(300, 2))
    >>> detector = OutlierDetector(judges=[NearestDistance(), FarFromMedian()]).fit(normal)
    >>> detector.predict([[0.0, 0.0], [0.0, 9.0]])
    array([ 1, -1])
    """

    def fit(self, rows: Observations) -> Self:
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
    def statistic(self, rows: Observations) -> ArrayLike:
        """Say how anomalous rows are.

        Parameters
        ----------
        rows : Observations

        Returns
        -------
        array-like of shape (n,)
            In any unit; larger is less normal.
        """


def statistic_of(judge, rows):
    """Ask a judge about rows, and check what it says."""
    advice = "for a row with missing cells, too; rows.known says which cells are there"
    return checked(judge.statistic(rows), len(rows), f"{type(judge).__name__}.statistic", advice)


def checked(values, n, what, advice):
    """As float64, one for each row; else an error that says ``what`` must give it."""
    wanted = f"{what} must return one number for each of the {n} rows"
    try:
        values = np.asarray(values)
        casting = "unsafe" if values.dtype == object else "same_kind"
        values = values.astype(np.float64, casting=casting)
    except (TypeError, ValueError) as problem:
        raise TypeError(f"{wanted}: {problem}") from problem
    if values.shape != (n,):
        raise ValueError(f"{wanted}, of shape ({n},); got {values.shape}.")
    if np.isnan(values).any():
        raise ValueError(f"{wanted}, {advice}; got NaN for {np.isnan(values).sum()} of them.")
    return np.nan_to_num(values)  # infinity as the largest number


def seeded(estimator, seed):
    """A clone that draws from ``seed`` wherever it would draw from a global generator."""
    estimator = clone(estimator)
    unset = [
        name
        for name, value in estimator.get_params().items()
        if value is None and name.rpartition("__")[2] == "random_state"
    ]
    return estimator.set_params(**dict.fromkeys(unset, seed))
