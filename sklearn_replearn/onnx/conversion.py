"""Whole estimators to ONNX models."""

from collections.abc import Mapping
from typing import Any, Literal

import onnx
import skl2onnx
from skl2onnx._supported_operators import sklearn_operator_name_map
from skl2onnx.common._registration import get_converter
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._runtime.typing import TableLike
from .inputs import types_of

_OPSETS = {"": 18, "ai.onnx.ml": 3}


def to_onnx(
    estimator: Any,
    X: TableLike,
    *,
    method: Literal["transform", "inverse_transform", "score_samples"] = "transform",
    options: Mapping[Any, Mapping[str, Any]] | None = None,
) -> onnx.ModelProto:
    """A fitted estimator as an ONNX model: a transformer, a predictor, a Pipeline, a search.

    What else is in a Pipeline is converted by skl2onnx.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        Some rows of what the model shall take (codes for ``method="inverse_transform"``); they say
        which inputs it has: one of an array, one for each column of a frame. Columns in which cells
        may be missing have such a cell here or are of floats.
    method : {"transform", "inverse_transform", "score_samples"}, default="transform"
        What the model computes of a transformer of this package; "transform" leaves it to others
        what they do, which for predictors is to predict.
    options : dict, default=None
        Of skl2onnx. Classifiers give probabilities as an array (``zipmap=False``) unless this says
        otherwise.

    Returns
    -------
    onnx.ModelProto
        With inputs as ``inputs_for`` makes them: text for categories, "" where one is missing,
        whole numbers for dates, counted from 1970 in the unit of ``X``. Of rows of float32 codes
        are float32, of others float64.

    Raises
    ------
    ValueError
        If a part of the estimator has no graph.

    See Also
    --------
    inputs_for : Rows as inputs of the model.

    Examples
    --------
    >>> import onnxruntime
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_replearn import AutoencoderTransformer
    >>> from sklearn_replearn.onnx import inputs_for, to_onnx
    >>> X, y = load_wine(return_X_y=True)
    >>> encoder = AutoencoderTransformer(latent_dim=4, max_epochs=20)
    >>> pipeline = make_pipeline(encoder, LogisticRegression()).fit(X, y)
    >>> model = to_onnx(pipeline, X)
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())
    >>> labels, probabilities = session.run(None, inputs_for(session, X))
    >>> bool((labels == pipeline.predict(X)).all()), probabilities.shape
    (True, (178, 3))
    """
    check_is_fitted(estimator)
    while hasattr(estimator, "best_estimator_"):  # of any search; skl2onnx knows one
        estimator = estimator.best_estimator_
    types, units = types_of(X)
    chosen = {} if options is None else dict(options)
    if method != "transform":
        chosen[id(estimator)] = {"method": method, **chosen.get(id(estimator), {})}
    last = _last(estimator)
    if _takes(last, "zipmap") and not {id(last), type(last)} & set(chosen):
        chosen[id(last)] = {"zipmap": False}
    model = skl2onnx.to_onnx(
        estimator, initial_types=types, options=chosen or None, target_opset=_OPSETS
    )
    _rename(model, [name for name, _ in types])
    onnx.helper.set_model_props(model, units)
    return model


def _rename(model, names):
    """Give inputs the names of the columns: skl2onnx has no spaces in names, for example.

    What the model gives has another name where a column has that.
    """
    other = {given.name: name for given, name in zip(model.graph.input, names, strict=True)}
    for given in model.graph.input:
        given.name = other[given.name]
    gives = {name: f"{name}_of_model" for name in names}
    for given in model.graph.output:
        given.name = gives.get(given.name, given.name)
    for node in model.graph.node:
        node.input[:] = [other.get(name, name) for name in node.input]
        node.output[:] = [gives.get(name, name) for name in node.output]


def _last(estimator):
    """What gives the results of an estimator."""
    while True:
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return estimator


def _takes(estimator, option):
    """Whether the converter of an estimator has an option."""
    alias = sklearn_operator_name_map.get(type(estimator))
    return alias is not None and option in (get_converter(alias).get_allowed_options() or {})
