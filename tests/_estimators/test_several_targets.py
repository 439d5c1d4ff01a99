"""EncoderRegressor with several targets, and log-probabilities of EncoderClassifier."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from quick import quick
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVR, LinearSVC
from sklearn.utils import get_tags

from sklearn_replearn import AutoencoderTransformer, EncoderClassifier, EncoderRegressor

all_modes = pytest.mark.parametrize("fine_tune", [False, "linear_probe", "full"], ids=str)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 6))
Y = np.stack([X[:, 0] + 0.1 * RNG.normal(size=80), 1000 + 100 * X[:, 1], X[:, 2] - X[:, 3]], axis=1)
Y[::4] = np.nan
KNOWN = ~np.isnan(Y[:, 0])


def encoder(**params):
    own = {"latent_dim": 6, "max_epochs": 15, "hidden_layer_sizes": (), "lr": 0.01, **params}
    return quick(AutoencoderTransformer, **own)


@all_modes
def test_each_row_has_all_targets_predicted(fine_tune):
    fitted = EncoderRegressor(encoder(), fine_tune=fine_tune).fit(X, Y)
    predicted = fitted.predict(X)
    assert predicted.shape == Y.shape
    assert fitted.predict(X[:1]).shape == (1, 3)
    assert fitted.score(X, Y) == pytest.approx(r2_score(Y[KNOWN], predicted[KNOWN]))
    counts = np.arange(80) % 3
    expected = r2_score(Y[KNOWN], predicted[KNOWN], sample_weight=counts[KNOWN])
    assert fitted.score(X, Y, sample_weight=counts) == pytest.approx(expected)
    assert fitted.score(X, Y) > 0.8
    for target in range(3):
        assert r2_score(Y[KNOWN, target], predicted[KNOWN, target]) > 0.6
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), predicted)


@all_modes
def test_targets_of_any_container_in_any_order(fine_tune):
    expected = EncoderRegressor(encoder(), fine_tune=fine_tune).fit(X, Y).predict(X)
    for y in (pd.DataFrame(Y), pl.DataFrame(Y), Y.tolist(), Y.astype(object)):
        fitted = EncoderRegressor(encoder(), fine_tune=fine_tune).fit(X, y)
        assert np.array_equal(fitted.predict(X), expected)
    order = RNG.permutation(80)
    shuffled = EncoderRegressor(encoder(), fine_tune=fine_tune).fit(X[order], Y[order])
    assert np.allclose(shuffled.predict(X), expected, rtol=1e-9)


@pytest.mark.parametrize("fine_tune", ["linear_probe", "full"])
def test_two_equal_targets_are_tuned_as_one(fine_tune):
    one = EncoderRegressor(encoder(), fine_tune=fine_tune).fit(X, Y[:, 0])
    two = EncoderRegressor(encoder(), fine_tune=fine_tune).fit(X, Y[:, [0, 0]])
    left, right = two.predict(X).T
    assert np.allclose(left, right, atol=1e-5)
    # Rows come in another order: it is one of what stands beside them, too.
    assert two.score(X, Y[:, [0, 0]]) == pytest.approx(one.score(X, Y[:, 0]), abs=0.02)
    first = one.history_["train_prediction"].iloc[0]
    assert two.history_["train_prediction"].iloc[0] == pytest.approx(first, rel=0.05)


def test_heads_of_ones_own():
    codes = encoder().fit(X).transform(X)
    for head in (LinearRegression(), Ridge(), MultiOutputRegressor(SVR())):
        fitted = EncoderRegressor(encoder(), head, passthrough=False).fit(X, Y)
        assert np.allclose(fitted.predict(X), head.fit(codes[KNOWN], Y[KNOWN]).predict(codes))
        assert get_tags(fitted).target_tags.multi_output
    assert get_tags(EncoderRegressor()).target_tags.multi_output
    assert not get_tags(EncoderRegressor(estimator=SVR())).target_tags.multi_output
    with pytest.raises(ValueError, match=r"should be a 1d array"):
        EncoderRegressor(encoder(), SVR()).fit(X, Y)
    search = GridSearchCV(EncoderRegressor(encoder()), {"passthrough": [False, "auto"]}, cv=2)
    assert search.fit(X[KNOWN], Y[KNOWN]).predict(X).shape == Y.shape


def partly():
    some = Y.copy()
    some[[1, 5], 0] = np.nan
    return some


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (partly(), "y has 2 rows with some of their 3 targets only, the first is row 1"),
        (Y[:-1], r"each of the 80 rows.*got shape \(79, 3\)"),
        (np.full_like(Y, np.nan), "at least 2 rows with a target; got n_samples=0"),
        (np.where(KNOWN[:, None], np.inf, Y), "y contains infinity"),
        (Y[:, :, None], "y must have one value for each row"),
        ([[1.0, 2.0], [3.0]], "y must have one value for each row"),
        (Y.astype("datetime64[s]"), "got dates"),
        (np.full((80, 2), "text"), "y must be numbers"),
    ],
    ids=["partly", "length", "none", "infinite", "cube", "ragged", "dates", "text"],
)
def test_other_targets_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        EncoderRegressor(encoder()).fit(X, y)
    fitted = EncoderRegressor(encoder()).fit(X, Y)
    with pytest.raises(ValueError, match=message if "n_samples" not in message else "no row has"):
        fitted.score(X, y)


def test_a_single_column_is_one_target():
    with pytest.warns(DataConversionWarning, match=r"column-vector"):
        fitted = EncoderRegressor(encoder()).fit(X, Y[:, :1])
    assert np.array_equal(fitted.predict(X), EncoderRegressor(encoder()).fit(X, Y[:, 0]).predict(X))


# ---------------------------------------------------------------- log-probabilities


@pytest.mark.parametrize("head", [None, LogisticRegression(), KNeighborsClassifier(3)], ids=str)
def test_log_probabilities_are_those_of_the_probabilities(head):
    y = np.where(KNOWN, X[:, 0] > 0, -1)
    fitted = EncoderClassifier(encoder(), head).fit(X, y)
    with np.errstate(divide="ignore"):
        expected = np.log(fitted.predict_proba(X))
    found = fitted.predict_log_proba(X)
    assert found.shape == (80, 2)
    assert found == pytest.approx(expected)


def test_there_are_none_where_the_head_has_none():
    assert hasattr(EncoderClassifier(), "predict_log_proba")
    assert not hasattr(EncoderClassifier(estimator=LinearSVC()), "predict_log_proba")
