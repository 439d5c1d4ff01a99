"""What is displayed, within what users hold: searches, pipelines, frozen and meta-estimators."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._tables.frames import as_pandas


def last_of(estimator: Any) -> Any:
    """The fitted estimator that a search found, that is frozen, or that ends a pipeline."""
    while True:
        pipeline = isinstance(estimator, Pipeline)
        inner = estimator.steps[-1][1] if pipeline else _inside(estimator)
        if inner is estimator:
            return estimator
        estimator = inner


def last_with_rows(estimator: Any, X: Any) -> tuple[Any, Any]:
    """The same, and rows as the steps before it give them to it."""
    while True:
        estimator = _inside(estimator)
        if not isinstance(estimator, Pipeline):
            return estimator, X
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        estimator = estimator.steps[-1][1]


def encoder_of(estimator: Any) -> Any:
    """What gives codes of rows: a transformer, or a pipeline up to one.

    Raises
    ------
    TypeError
        If there is none.
    NotFittedError
        If it is not fitted.
    """
    found = _inside(estimator)
    if isinstance(found, Pipeline):
        last = _inside(found.steps[-1][1])
        if not hasattr(found, "transform"):
            found = found[:-1]
            if hasattr(last, "transformer_"):
                found = Pipeline([*found.steps, ("encoder", last.transformer_)])
    elif hasattr(found, "transformer_"):
        found = _inside(found.transformer_)
    if not hasattr(found, "transform"):
        raise TypeError(
            f"estimator must give codes by transform; {type(estimator).__name__} does not. Give an "
            "AutoencoderTransformer, VAETransformer or ContrastiveTransformer, or a pipeline or "
            "predictor that has one."
        )
    check_is_fitted(found)
    return found


def decoder_of(estimator: Any) -> Any:
    """What gives codes of rows and decodes them.

    Raises
    ------
    TypeError
        If there is none.
    NotFittedError
        If it is not fitted.
    """
    found = encoder_of(estimator)
    if not hasattr(found, "inverse_transform"):
        raise TypeError(
            f"estimator must decode codes by inverse_transform; {type(found).__name__} does not, "
            "or a step of it."
        )
    return found


def kind_of_rows(estimator: Any) -> Any:
    """What a row is to a fitted transformer of ours; None for others."""
    return estimator._model.rows if hasattr(estimator, "_model") else None


def categories_of(estimator: Any) -> list[int]:
    """Columns of the table that an estimator takes for categories, whatever they hold."""
    kinds = estimator._model.schema.kinds if hasattr(estimator, "_model") else None
    return [j for j, kind in enumerate(kinds or ()) if kind.n_levels]


def codes_of(encoder: Any, X: Any) -> NDArray[np.float64]:
    """Codes of rows, whatever container ``transform`` gives them in."""
    codes = encoder.transform(X)
    if sp.issparse(codes):
        codes = codes.toarray()
    found = as_pandas(codes)
    codes = np.asarray(codes if found is None else found[0], dtype=np.float64)
    return codes.reshape(len(codes), -1)


def _inside(estimator):
    """What a search has found or what is frozen, or the estimator itself."""
    while True:
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return estimator
