"""Models of detectors score rows as the detectors do, where their judges allow."""

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from fitted_kinds import holes, mixed
from quick import quick
from sklearn.neighbors import KernelDensity

from sklearn_replearn import AutoencoderTransformer, OutlierDetector
from sklearn_replearn.onnx import inputs_for, to_onnx
from sklearn_replearn.outliers import (
    EstimatorScore,
    Judge,
    LowDensity,
    NearestDistance,
    PairDensity,
    Trimmed,
)


def points(width=3):
    """Correlated numbers."""
    random = np.random.default_rng(0)
    return random.normal(size=(80, width)) @ random.normal(size=(width, width))


def frame():
    """A frame in which no cell is missing, with a column of many levels."""
    X = mixed()[["amount", "colour", "grade"]].dropna(ignore_index=True)
    return X.assign(code=[f"c{j // 2}" for j in range(len(X))])


DETECTORS = {
    "default": (OutlierDetector(), points),
    "contaminated": (OutlierDetector(novelty=False), points),
    "contamination": (OutlierDetector(contamination=0.1), points),
    "frame": (OutlierDetector(), frame),
    "wide": (OutlierDetector(judges=[LowDensity(1)]), lambda: points(140)),
    "missing": (
        OutlierDetector(judges=[NearestDistance(), Trimmed(PairDensity())]),
        lambda: holes(points()),
    ),
    "autoencoder": (
        OutlierDetector(judges=[EstimatorScore(quick(AutoencoderTransformer)), NearestDistance()]),
        points,
    ),
}


def beyond(X):
    """The rows, and others that are farther out or hold levels that fit has not seen."""
    numbers = X.select_dtypes("number") if isinstance(X, pd.DataFrame) else X
    far = numbers.iloc[:20] * 9 if isinstance(X, pd.DataFrame) else numbers[:20] * 1e5
    if not isinstance(X, pd.DataFrame):
        return np.vstack([X, far])
    return pd.concat([X, X[:20].assign(**far, colour="violet", grade="a")], ignore_index=True)


@pytest.mark.parametrize("name", DETECTORS)
def test_scores_and_labels_are_those_of_the_detector(name):
    detector, rows = DETECTORS[name]
    X = rows()
    detector.fit(X)
    model, new = to_onnx(detector, X), beyond(X)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    labels, scores = session.run(None, inputs_for(session, new))
    wanted = detector.decision_function(new)
    np.testing.assert_allclose(scores[:, 0], wanted, rtol=1e-5, atol=2e-6)
    assert (labels == detector.predict(new)).all()
    assert {-1, 1} == set(labels)


class Own(Judge):
    """A judge of a user's."""

    def statistic(self, rows):
        return rows.n_known


@pytest.mark.parametrize(
    ("detector", "X", "message"),
    [
        (OutlierDetector(), holes(points()), "LowDensity solves a system of equations for each"),
        (OutlierDetector(), np.vstack([points(), points()]), "Fit it to rows without copies"),
        (OutlierDetector(judges=[Own()]), points(), r"Own\(\) has no graph. NearestDistance"),
        (OutlierDetector(KernelDensity()), points(), "EstimatorScore has one of an Autoencoder"),
    ],
    ids=["missing", "copies", "own judge", "another's estimator"],
)
def test_what_has_no_graph_is_refused_with_what_to_do(detector, X, message):
    detector.fit(X)
    with pytest.raises(ValueError, match=message):
        to_onnx(detector, X)


def test_a_row_with_missing_cells_has_no_score_where_fit_saw_none():
    X = points()
    model = to_onnx(OutlierDetector(judges=[LowDensity(1)]).fit(X), X)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    _, scores = session.run(None, inputs_for(session, holes(X)))
    assert (np.isnan(scores[:, 0]) == np.isnan(holes(X)).any(axis=1)).all()
