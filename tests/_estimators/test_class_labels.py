"""Labels of every kind among scikit-learn's tools, heads of the right kind, weights of classes."""

import warnings

import numpy as np
import pandas as pd
import pytest
from quick import quick
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline

from sklearn_replearn import AutoencoderTransformer, EncoderClassifier, EncoderRegressor


def encoder(**params):
    return quick(AutoencoderTransformer, **{"hidden_layer_sizes": (16,), "lr": 5e-3, **params})


# ---------------------------------------------------------------- tools around it

WORDS = np.array(["a", "b", "c"])
AMONG_TOOLS = {
    "numbers": lambda y: y,
    "without a label": lambda y: np.where(np.arange(len(y)) % 3 == 0, -1, y),
    "booleans": lambda y: y == 1,
    "strings": lambda y: WORDS[y],
    "strings as objects": lambda y: WORDS[y].astype(object),
    "strings without a label": lambda y: np.where(np.arange(len(y)) % 3 == 0, "", WORDS[y]),
    "categories": lambda y: pd.Series(pd.Categorical(WORDS[y])),
    "nullable": lambda y: pd.Series(y).astype("Int64"),
}


@pytest.mark.parametrize("labels", AMONG_TOOLS.values(), ids=AMONG_TOOLS)
def test_searches_and_folds_take_labels_of_any_kind(labels, wine):
    X, y = wine[0][::2], labels(wine[1][::2])
    classifier = EncoderClassifier(encoder(max_epochs=1))
    search = GridSearchCV(classifier, {"transformer__latent_dim": [2]}, cv=2, error_score="raise")
    assert search.fit(X, y).best_score_ > 0.4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of scikit-learn's, about rare classes
        folds = StratifiedKFold(2, shuffle=True, random_state=0)  # wines come in an order
        scores = cross_val_score(classifier, X, y, cv=folds, error_score="raise")
        predicted = cross_val_predict(classifier, X, y, cv=2)
    assert scores.min() > 0.4
    assert set(predicted.tolist()) <= set(classifier.fit(X, y).classes_.tolist())


@pytest.mark.parametrize("whole", [np.arange(178) % 3, np.arange(178) % 2 == 0])
def test_objects_that_are_numbers_or_booleans_are_scored(whole, wine):
    X, labels = wine[0], whole.astype(object)
    classifier = EncoderClassifier(encoder(max_epochs=1)).fit(X, labels)
    assert classifier.classes_.dtype == whole.dtype
    assert classifier.score(X, labels) == classifier.score(X, whole)
    assert np.isfinite(cross_val_score(classifier, X, labels, cv=KFold(2))).all()


def test_calibration_wraps_it(wine):
    X, y = wine
    calibrated = CalibratedClassifierCV(EncoderClassifier(encoder()), cv=2).fit(X, WORDS[y])
    assert calibrated.predict_proba(X).shape == (178, 3)


@pytest.mark.parametrize(
    ("predictor", "head", "kind"),
    [
        (EncoderClassifier, Ridge(), "a regressor"),
        (EncoderClassifier, GridSearchCV(Ridge(), {"alpha": [1.0]}), "a regressor"),
        (EncoderClassifier, KMeans(2), "a clusterer"),
        (EncoderRegressor, LogisticRegression(), "a classifier"),
        (EncoderRegressor, make_pipeline(LogisticRegression()), "a classifier"),
    ],
)
def test_heads_of_another_kind_are_refused(predictor, head, kind, wine):
    with pytest.raises(ValueError, match=f"^estimator must be a .* or None; .* is {kind}"):
        predictor(encoder(), head).fit(*wine)


# ---------------------------------------------------------------- weights of classes


@pytest.mark.parametrize("fine_tune", [False, "linear_probe", "full"])
def test_a_class_that_counts_more_is_predicted_more(fine_tune, wine):
    X, y = wine
    predicted = [
        EncoderClassifier(encoder(), fine_tune=fine_tune, class_weight=weight).fit(X, y).predict(X)
        for weight in ({2: 1e-3}, {2: 1.0}, {2: 1e3})
    ]
    counts = [(labels == 2).sum() for labels in predicted]
    assert counts[0] < counts[1] < counts[2]


@pytest.mark.parametrize("fine_tune", [False, "full"])
def test_balanced_weights_are_those_of_the_sums(fine_tune, wine):
    X, y = wine
    count = np.bincount(y)
    given = {label: 178 / (3 * count[label]) for label in range(3)}
    codes = [
        EncoderClassifier(encoder(), fine_tune=fine_tune, class_weight=weight)
        .fit(X, y)
        .predict_proba(X)
        for weight in ("balanced", given)
    ]
    assert np.array_equal(*codes)


@pytest.mark.parametrize(
    ("weight", "beside", "message"),
    [
        ({9: 1.0}, {}, "number above 0 for some of the classes .* got 1.0 for 9"),
        ({0: -1}, {}, "got -1 for 0"),
        ({0: True}, {}, "got True for 0"),
        ("balanced", {"estimator": LogisticRegression()}, "that of the default head"),
    ],
)
def test_weights_of_no_class_are_refused(weight, beside, message, wine):
    with pytest.raises(ValueError, match=f"class_weight .*{message}"):
        EncoderClassifier(encoder(), class_weight=weight, **beside).fit(*wine)
