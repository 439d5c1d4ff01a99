"""Models in onnxruntime compute what the estimators compute."""

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from fitted_kinds import KINDS, N_ROWS, fitted, heavy, holes, images, mixed, numbers, texts
from quick import quick
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    VAETransformer,
)
from sklearn_replearn.onnx import inputs_for, to_onnx
from sklearn_replearn.rows import Images, Tokens


def session_of(model):
    """What computes a model."""
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def run(model, X):
    """What a model gives for rows, a list of arrays."""
    session = session_of(model)
    return session.run(None, inputs_for(session, X))


def relative(a, b):
    """Largest difference in units of the largest number."""
    return np.abs(a - b).max() / np.abs(b).max()


@pytest.mark.parametrize("kind", KINDS)
def test_codes_are_those_of_transform(kind):
    encoder, X = fitted(kind)
    model = to_onnx(encoder, X)
    (codes,) = run(model, X)
    wanted = encoder.transform(X)
    assert codes.dtype == wanted.dtype
    assert relative(codes, wanted) < 1e-5
    (one,) = run(model, X[:1])
    assert one.shape == (1, 3) and relative(one, wanted[:1]) < 1e-5


@pytest.mark.parametrize("kind", ["numbers", "heavy, contrastive", "atoms"])
def test_codes_of_float32_are_float32(kind):
    encoder, X = fitted(kind)
    X = X.astype(np.float32)
    (codes,) = run(to_onnx(encoder, X), X)
    assert codes.dtype == encoder.transform(X).dtype == np.float32
    assert relative(codes, encoder.transform(X)) < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_those_of_inverse_transform(kind):
    encoder, X = fitted(kind)
    codes = encoder.transform(X)
    model = to_onnx(encoder, codes, method="inverse_transform")
    given, wanted = run(model, codes), encoder.inverse_transform(codes)
    if not isinstance(wanted, pd.DataFrame):
        (given,) = given
        assert given.shape == wanted.shape
        near = np.isclose(given, wanted, rtol=1e-5, atol=1e-6 * np.abs(wanted).max())
        assert near.mean() > 0.99  # a number between two steps may become either
        return
    assert [output.name for output in session_of(model).get_outputs()] == list(wanted)
    for cells, (name, column) in zip(given, wanted.items(), strict=True):
        if name == "since":
            column = column.astype("int64")
        if column.dtype.kind == "f":
            np.testing.assert_allclose(cells[:, 0], column, rtol=1e-5)
        else:
            assert (cells[:, 0] == column.to_numpy()).mean() > 0.99


AUTOENCODERS = [kind for kind, (encoder, _) in KINDS.items() if type(encoder) is not VAETransformer]


@pytest.mark.parametrize("kind", AUTOENCODERS)
def test_scores_are_those_of_score_samples(kind):
    encoder, X = fitted(kind)
    (scores,) = run(to_onnx(encoder, X, method="score_samples"), X)
    assert relative(scores[:, 0], encoder.score_samples(X)) < 1e-5


LABELS = np.where(np.arange(N_ROWS) % 3 == 0, "no", "yes")
encoder = quick(AutoencoderTransformer)
PREDICTORS = {
    "pipeline": (make_pipeline(encoder, LogisticRegression()), numbers),
    "pipeline, contrastive": (
        make_pipeline(quick(ContrastiveTransformer), LogisticRegression()),
        heavy,
    ),
    "pipeline of a frame": (make_pipeline(encoder, LogisticRegression()), mixed),
    "pipeline, forest": (make_pipeline(encoder, RandomForestClassifier(5)), numbers),
    "scaler before": (
        make_pipeline(StandardScaler(), encoder, LogisticRegression()),
        lambda: numbers()[:, :4],
    ),
    "columns before": (
        make_pipeline(
            ColumnTransformer([("scaled", StandardScaler(), ["a", "b"]), ("as is", PCA(1), ["c"])]),
            encoder,
            LogisticRegression(),
        ),
        lambda: pd.DataFrame(heavy(), columns=list("abc")),
    ),
    "search": (
        GridSearchCV(
            make_pipeline(encoder, LogisticRegression()), {"logisticregression__C": [1]}, cv=2
        ),
        numbers,
    ),
    "classifier": (EncoderClassifier(encoder), numbers),
    "classifier, missing": (EncoderClassifier(encoder), lambda: holes(heavy())),
    "classifier of a frame": (EncoderClassifier(quick(VAETransformer)), mixed),
    "classifier, codes": (EncoderClassifier(encoder, passthrough=False), numbers),
    "classifier, forest": (EncoderClassifier(encoder, RandomForestClassifier(5)), numbers),
    "classifier, pipeline": (
        EncoderClassifier(encoder, make_pipeline(PCA(2), LogisticRegression()), passthrough=True),
        numbers,
    ),
    "classifier, probe": (EncoderClassifier(encoder, fine_tune="linear_probe"), numbers),
    "classifier, another's codes": (EncoderClassifier(PCA(2)), lambda: numbers()[:, :4]),
    "classifier of images": (
        EncoderClassifier(encoder.__class__(3, rows=Images((1, 5, 6)), max_epochs=2)),
        images,
    ),
    "classifier of texts": (
        EncoderClassifier(encoder.__class__(3, rows=Tokens(9), max_epochs=2)),
        texts,
    ),
}


@pytest.mark.parametrize("name", PREDICTORS)
def test_labels_and_probabilities_are_those_of_predict(name):
    predictor, rows = PREDICTORS[name]
    X = rows()
    predictor.fit(X, LABELS)
    labels, probabilities = run(to_onnx(predictor, X), X)
    assert (labels == predictor.predict(X)).all()
    np.testing.assert_allclose(probabilities, predictor.predict_proba(X), atol=2e-6)


@pytest.mark.parametrize(
    "regressor",
    [make_pipeline(encoder, Ridge()), EncoderRegressor(encoder)],
    ids=["pipeline", "regressor"],
)
@pytest.mark.parametrize("rows", [numbers, mixed])
def test_targets_are_those_of_predict(regressor, rows):
    X = rows()
    regressor.fit(X, np.linspace(3, 5, N_ROWS))
    (targets,) = run(to_onnx(regressor, X), X)
    assert relative(targets.ravel(), regressor.predict(X)) < 1e-5


def test_a_frozen_encoder_is_as_good():
    encoder, X = fitted("numbers")
    classifier = EncoderClassifier(FrozenEstimator(encoder)).fit(X, LABELS)
    labels, _ = run(to_onnx(classifier, X), X)
    assert (labels == classifier.predict(X)).all()


@pytest.mark.parametrize("transformer", [AutoencoderTransformer, ContrastiveTransformer])
def test_values_that_many_rows_have_are_found_in_frames_of_several_kinds(transformer):
    random = np.random.default_rng(0)
    fares = np.concatenate([np.repeat([8.05, 13.1], 20), random.lognormal(2, 1, 60)])
    frame = pd.DataFrame({"fare": fares, "sex": random.choice(["f", "m"], 100)})
    encoder = quick(transformer).fit(frame)
    codes = encoder.transform(frame)
    assert relative(run(to_onnx(encoder, frame), frame)[0], codes) <= 1e-5
    far = frame.assign(fare=1e300)
    assert relative(run(to_onnx(encoder, frame), far)[0], encoder.transform(far)) <= 1e-5


def test_a_column_without_a_name_is_refused_in_words():
    frame = pd.DataFrame(np.eye(9)[:, :2], columns=["", "b"])
    with pytest.raises(ValueError, match="name is empty"):
        to_onnx(quick(AutoencoderTransformer).fit(frame), frame)


def test_other_searches_are_their_best_estimator():
    frame, y = mixed(), np.arange(N_ROWS) % 2
    pipe = make_pipeline(quick(AutoencoderTransformer), LogisticRegression())
    grid = {"logisticregression__C": [0.1, 1.0]}
    search = RandomizedSearchCV(pipe, grid, n_iter=2, cv=2, random_state=0).fit(frame, y)
    probabilities = run(to_onnx(search, frame), frame)[1]
    assert relative(probabilities, search.predict_proba(frame)) <= 1e-5


def test_numbers_beyond_those_of_int64():
    X = np.random.default_rng(0).integers(2**62, 2**64, (40, 2), dtype=np.uint64)
    for table in (X, pd.DataFrame(X, columns=["a", "b"])):
        encoder = quick(AutoencoderTransformer).fit(table)
        assert relative(run(to_onnx(encoder, table), table)[0], encoder.transform(table)) <= 1e-5


def test_empty_text_beside_missing_cells_is_refused():
    frame = pd.DataFrame({"a": ["", None, "x", "y"] * 10, "b": np.arange(40.0)})
    encoder = quick(AutoencoderTransformer).fit(frame)
    with pytest.raises(ValueError, match="cannot tell apart"):
        run(to_onnx(encoder, frame), frame)
