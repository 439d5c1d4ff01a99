"""What an estimator with ``score_samples`` says of a row."""

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import NotFittedError, check_is_fitted

from ..._estimators.base import RepresentationTransformer
from ..._runtime.parameters import Instance
from .base import Judge

_INNER = ("best_estimator_", "estimator_", "estimator")


class EstimatorScore(Judge):
    """Minus the ``score_samples`` of an estimator.

    Parameters
    ----------
    estimator : estimator
        One that is fitted already is taken as it is, and compared with the training rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import EstimatorScore, NearestDistance
    >>> normal = np.random.RandomState(0).normal(size=(300, 2))
    >>> judges = [NearestDistance(), EstimatorScore(KernelDensity())]
    >>> OutlierDetector(judges=judges).fit(normal).predict([[9.0, 9.0]])
    array([-1])
    """

    _parameter_constraints = {
        "estimator": [Instance(["fit", "score_samples"], "an estimator with score_samples")]
    }

    def __init__(self, estimator):
        self.estimator = estimator

    def __sklearn_clone__(self):
        """A clone, with the same estimator if that is fitted."""
        return type(self)(self.estimator if _is_fitted(self.estimator) else clone(self.estimator))

    def get_params(self, deep=True):
        """Parameters; those of an estimator that is fitted are nobody's to set.

        Parameters
        ----------
        deep : bool, default=True

        Returns
        -------
        dict of str to object
        """
        return super().get_params(deep and not _is_fitted(self.estimator))

    def fit(self, rows):
        """Fit a clone of the estimator; see :meth:`Judge.fit`."""
        self.estimator_ = self.estimator
        if not _is_fitted(self.estimator):
            self.estimator_ = clone(self.estimator).fit(rows.original())
        return self

    def statistic(self, rows):
        """Minus the scores; see :meth:`Judge.statistic`."""
        return _minus_scores(self.estimator_, rows.original())


def wraps_ours(estimator):
    """Whether one of our transformers is inside, fitted or not."""
    while estimator is not None and not isinstance(estimator, RepresentationTransformer):
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        else:
            estimator = next((getattr(estimator, a) for a in _INNER if hasattr(estimator, a)), None)
    return estimator is not None


def _is_fitted(estimator):
    try:
        check_is_fitted(estimator)
    except (NotFittedError, TypeError):  # TypeError: it is no estimator, which is told elsewhere
        return False
    return True


def _minus_scores(estimator, X):
    """Minus ``score_samples``, finite."""
    scores, n = estimator.score_samples(X), _n_rows(X)
    wanted = (
        f"score_samples of {type(estimator).__name__} must return one number for each of the {n} "
        "rows, higher for more normal ones"
    )
    try:
        scores = np.asarray(scores)
        scores = scores.astype(
            np.float64, casting="unsafe" if scores.dtype == object else "same_kind"
        )
    except (TypeError, ValueError) as problem:
        raise TypeError(f"{wanted}: {problem}") from problem
    if scores.shape != (n,):
        raise ValueError(f"{wanted}, of shape ({n},); got {scores.shape}.")
    if np.isnan(scores).any():
        raise ValueError(
            f"{wanted}; got NaN for {np.isnan(scores).sum()} of them. Where missing cells are the "
            "cause, fill them in a pipeline before it."
        )
    return np.nan_to_num(-scores)


def _n_rows(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)
