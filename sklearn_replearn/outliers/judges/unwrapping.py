"""Our transformers inside of what others wrap around them."""

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from ..._estimators.base import RepresentationTransformer

_INNER = ("best_estimator_", "estimator_", "estimator")


def ours_in(estimator, X):
    """The one of our transformers that scores rows in the end, and the rows as it gets them.

    ``FrozenEstimator`` and searches of parameters pass rows on as they are; of pipelines those
    count whose steps before the last keep the columns, by the names that they give them.

    Returns
    -------
    transformer, rows
        Both None where there is none.
    """
    while not isinstance(estimator, RepresentationTransformer):
        if isinstance(estimator, Pipeline):
            X, estimator = _before_the_last(estimator[:-1], X), estimator.steps[-1][1]
        else:
            estimator = next((getattr(estimator, a) for a in _INNER if hasattr(estimator, a)), None)
        if X is None or estimator is None:
            return None, None
    return (estimator, X) if _takes(estimator, X) else (None, None)


def wraps_ours(estimator):
    """Whether one of our transformers is inside, fitted or not."""
    while estimator is not None and not isinstance(estimator, RepresentationTransformer):
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        else:
            estimator = next((getattr(estimator, a) for a in _INNER if hasattr(estimator, a)), None)
    return estimator is not None


def _takes(estimator, X):
    """Whether an estimator is fitted to tables of these columns."""
    names = list(X.columns) if isinstance(X, pd.DataFrame) else None
    expected = getattr(estimator, "feature_names_in_", names)
    same = names is None or list(expected) == names
    return same and getattr(estimator, "n_features_in_", None) == X.shape[1]


def _before_the_last(steps, X):
    """Rows as the last step of a pipeline gets them; None where their columns are others."""
    if all(step in (None, "passthrough") for _, step in steps.steps):
        return X
    names = list(X.columns) if isinstance(X, pd.DataFrame) else None
    expected = [f"x{j}" for j in range(X.shape[1])] if names is None else names
    try:
        kept = list(steps.get_feature_names_out(names)) == expected
    except (AttributeError, TypeError, ValueError):  # a step that does not say
        return None
    changed = steps.transform(X) if kept else None
    return changed if np.shape(changed) == np.shape(X) else None
