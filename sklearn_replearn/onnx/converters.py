"""What skl2onnx is told of the estimators of this package."""

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx._parse import _parse_sklearn
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType
from torch import nn

from .._estimators.autoencoder import AutoencoderTransformer
from .._estimators.base import RepresentationTransformer
from .._estimators.contrastive import ContrastiveTransformer
from .._estimators.imputer import RepresentationImputer
from .._estimators.row_modules import RowScorer, shape_of_rows
from .._estimators.semi_supervised import EncoderClassifier, EncoderRegressor
from .._estimators.vae import VAETransformer
from ..modules.scaling import OnSteps
from ..outliers import OutlierDetector
from ..outliers.detector_module import DetectorModule
from .columns import numbers_of
from .graph import Graph
from .operators import OPERATORS
from .recording import record
from .tables import outputs_of, write_table

METHODS = ("transform", "inverse_transform", "score_samples")
_OPTIONS_OF_CLASSIFIERS = {
    "zipmap": [True, False, "columns"],
    "nocl": [True, False],
    "output_class_labels": [False, True],
    "raw_scores": [True, False],
}


def register():
    """Register all converters with skl2onnx, which importing ``sklearn_replearn.onnx`` does."""
    for kind in (AutoencoderTransformer, VAETransformer, ContrastiveTransformer):
        update_registered_converter(
            kind,
            f"Replearn{kind.__name__}",
            _shapes,
            _convert,
            parser=_parse_transformer,
            options={"method": list(METHODS)},
        )
    for kind, options in ((EncoderClassifier, _OPTIONS_OF_CLASSIFIERS), (EncoderRegressor, {})):
        update_registered_converter(
            kind,
            f"Replearn{kind.__name__}",
            _shape_of_head,
            _convert_seen_by_head,
            parser=_parse_predictor,
            options=options,
        )
    update_registered_converter(
        OutlierDetector, "ReplearnOutlierDetector", _shapes_of_detector, _convert_detector
    )
    update_registered_converter(
        RepresentationImputer, "ReplearnRepresentationImputer", _refuse, _refuse_converting
    )


# ---------------------------------------------------------------- transformers


def _parse_transformer(scope, model, inputs, custom_parsers=None):
    method = scope.get_options(model, {"method": "transform"})["method"]
    operator = scope.declare_local_operator(f"Replearn{type(model).__name__}", model)
    operator.inputs = inputs
    if method == "inverse_transform":
        outputs = outputs_of(model._model.schema, shape_of_rows(model._model))
    else:
        name, width = ("codes", model._n_features_out) if method == "transform" else ("scores", 1)
        outputs = [(name, _tensor(operator, width))]
    for name, kind in outputs:
        operator.outputs.append(scope.declare_local_variable(name, kind))
    return operator.outputs


def _shapes(operator):
    """Nothing: outputs are declared with their types and shapes."""


def _convert(scope, operator, container):
    transformer = operator.raw_operator
    method = scope.get_options(transformer, {"method": "transform"})["method"]
    graph, model = Graph(scope, container), transformer._model
    if method == "inverse_transform":
        _write_decoded(graph, transformer, operator)
        return
    if method == "transform":
        module = transformer.encoder_module()
    elif type(transformer).score_samples is RepresentationTransformer.score_samples:
        module = RowScorer(model, transformer.network_).eval()
    else:
        raise ValueError(
            f"score_samples of {type(transformer).__name__} draws codes for each row, which a graph"
            " does not. Take that of an AutoencoderTransformer, or codes (transform)."
        )
    name = _written(graph, module, _numbers(graph, operator, transformer), transformer)
    graph.give(name, operator.outputs[0], _dtype(operator))


def _write_decoded(graph, transformer, operator):
    (codes,) = operator.inputs
    model, width = transformer._model, transformer._n_features_out
    module = nn.Sequential(transformer.decoder_module(), nn.Flatten(), OnSteps(model.scaler))
    name = graph.cast(codes.full_name, np.float64)
    numbers = record(graph, OPERATORS, module, name, (width,))
    cells = write_table(graph, numbers, model.schema, shape_of_rows(model))
    for cell, variable in zip(cells, operator.outputs, strict=True):
        graph.give(cell, variable)


def _numbers(graph, operator, transformer):
    return numbers_of(graph, operator.inputs, transformer._model.schema, transformer.n_features_in_)


def _written(graph, module, numbers, transformer):
    return record(graph, OPERATORS, module, numbers, (transformer.n_features_in_,))


def _dtype(operator):
    """Of what an operator gives: float32 for rows of float32, as of the estimators themselves."""
    single = all(isinstance(given.type, FloatTensorType) for given in operator.inputs)
    return np.float32 if single else np.float64


def _tensor(operator, width=None):
    kind = DoubleTensorType if _dtype(operator) == np.float64 else FloatTensorType
    return kind([None, width])


# ---------------------------------------------------------------- predictors


def _parse_predictor(scope, model, inputs, custom_parsers=None):
    """Codes and raw columns, and behind them whatever the head is."""
    transformer, head = model.transformer_, model.estimator_
    transformer = getattr(transformer, "estimator", transformer)
    if isinstance(transformer, RepresentationTransformer):
        operator = scope.declare_local_operator(f"Replearn{type(model).__name__}", model)
        operator.inputs = inputs
        seen = scope.declare_local_variable("seen_by_head", _tensor(operator))
        operator.outputs.append(seen)
        seen = [seen]
    else:
        seen = _parse_sklearn(scope, transformer, inputs, custom_parsers)
    options = scope.get_options(model, {})
    if options:
        scope.add_options(id(head), options)
    return _parse_sklearn(scope, head, seen, custom_parsers)


def _shape_of_head(operator):
    model = operator.raw_operator
    operator.outputs[0].type = _tensor(operator, model.estimator_.n_features_in_)


def _convert_seen_by_head(scope, operator, container):
    graph, model = Graph(scope, container), operator.raw_operator
    transformer = getattr(model.transformer_, "estimator", model.transformer_)
    numbers = _numbers(graph, operator, transformer)
    seen = _written(graph, transformer.encoder_module(), numbers, transformer)
    if model._raw is not None:
        raw = _written(graph, model._raw.module(), numbers, transformer)
        seen = graph.node("Concat", graph.cast(seen, np.float64), raw, axis=1)
    graph.give(seen, operator.outputs[0], _dtype(operator))


# ---------------------------------------------------------------- the detector


def _shapes_of_detector(operator):
    label, scores = operator.outputs
    label.type, scores.type = Int64TensorType([None]), DoubleTensorType([None, 1])


def _convert_detector(scope, operator, container):
    graph, detector = Graph(scope, container), operator.raw_operator
    n_features, (label, scores) = detector.n_features_in_, operator.outputs
    numbers = numbers_of(graph, operator.inputs, detector._schema, n_features)
    module = DetectorModule(detector).eval()
    surprise = record(graph, OPERATORS, module, numbers, (n_features,))
    decision = graph.node("Sub", np.array(-detector.offset_), surprise)
    graph.give(decision, scores)
    anomalous = graph.node("Less", graph.node("Squeeze", decision, np.array([1])), np.array(0.0))
    graph.give(graph.node("Where", anomalous, np.array(-1), np.array(1)), label)


# ---------------------------------------------------------------- what has no graph


def _refuse(operator):
    raise ValueError(
        f"{type(operator.raw_operator).__name__} has no ONNX: it completes cells before they are "
        "encoded. Transformers take missing cells as they are: convert one without imputing."
    )


def _refuse_converting(scope, operator, container):
    _refuse(operator)
