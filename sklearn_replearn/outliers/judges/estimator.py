"""What an estimator with ``score_samples`` says of a row."""

from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import NotFittedError, check_is_fitted

from ..._estimators.base import RepresentationTransformer
from ..._runtime.parameters import Instance
from ..._runtime.tasks import current_task
from ...outliers.observations import Observations
from .base import Judge, checked

_ADVICE = "for a row with missing cells, too: fill them in a pipeline before it"
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

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def __sklearn_clone__(self):
        """A clone, with the same estimator if that is fitted."""
        return type(self)(self.estimator if _is_fitted(self.estimator) else clone(self.estimator))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters; those of an estimator that is fitted are nobody's to set.

        Parameters
        ----------
        deep : bool, default=True

        Returns
        -------
        dict of str to object
        """
        return super().get_params(deep and not _is_fitted(self.estimator))

    def fit(self, rows: Observations) -> Self:
        """Fit a clone of the estimator; see :meth:`Judge.fit`."""
        self.estimator_ = self.estimator
        if not _is_fitted(self.estimator):
            self.estimator_ = clone(self.estimator)
            with current_task().lent_to(self.estimator_):
                self.estimator_.fit(rows.original())
        return self

    def statistic(self, rows: Observations) -> ArrayLike:
        """Minus the scores; see :meth:`Judge.statistic`."""
        scores = self.estimator_.score_samples(rows.original())
        what = f"score_samples of {type(self.estimator_).__name__}"
        return -checked(scores, len(rows), what, _ADVICE)


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
