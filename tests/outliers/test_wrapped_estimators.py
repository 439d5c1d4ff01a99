"""An estimator of the detector that is one of ours inside of something else, or is wrong."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from outlier_tables import factors
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import AutoencoderTransformer, OutlierDetector, VAETransformer
from sklearn_replearn.outliers.judges.estimator import wraps_ours

small = {"latent_dim": 2, "hidden_layer_sizes": (8,), "max_epochs": 2}


@pytest.fixture(scope="module")
def rows():
    return factors(60, 0, 5)[0]


@pytest.fixture(scope="module", params=[AutoencoderTransformer, VAETransformer])
def ours(request, rows):
    return request.param(**small).fit(rows)


WRAPPERS = {
    "frozen": FrozenEstimator,
    "pipeline": lambda ours: Pipeline([("ours", ours)]),
    "passthrough": lambda ours: make_pipeline("passthrough", ours),
    "frozen pipeline": lambda ours: FrozenEstimator(Pipeline([("ours", FrozenEstimator(ours))])),
}


def search(ours):
    return GridSearchCV(ours, {"latent_dim": [2]}, cv=2)


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
@pytest.mark.parametrize("sparse", [False, True])
def test_ours_is_found_in_wrappers(wrap, sparse, ours, rows):
    assert wraps_ours(wrap(ours)) and wraps_ours(ours)
    X = sp.csr_matrix(rows) if sparse else rows
    plain, wrapped = (OutlierDetector(each).fit(X) for each in (ours, wrap(ours)))
    np.testing.assert_array_equal(wrapped.score_samples(X), plain.score_samples(X))
    np.testing.assert_array_equal(wrapped.explain(X[:9]), plain.explain(X[:9]))


@pytest.mark.parametrize("sparse", [False, True])
def test_a_search_is_fitted_and_explained_by_its_best(sparse, rows):
    X = sp.csr_matrix(rows) if sparse else rows
    fitted = search(AutoencoderTransformer(**small)).fit(X)
    detector = OutlierDetector(fitted).fit(X)
    expected = OutlierDetector(fitted.best_estimator_).fit(X)
    np.testing.assert_array_equal(detector.explain(X[:5]), expected.explain(X[:5]))


def test_ours_behind_steps(ours, rows):
    frame = pd.DataFrame(rows, columns=list("abcde"))
    for X in (rows, frame):
        pipe = make_pipeline(SimpleImputer(), StandardScaler(), type(ours)(**small)).fit(X)
        assert wraps_ours(pipe)
        detector = OutlierDetector(pipe).fit(X)
        odd = X[:5] * 30
        scores = detector.score_samples(odd)
        np.testing.assert_allclose(detector.explain(odd).sum(axis=1), -scores, rtol=1e-6)


def test_what_is_none_of_ours_is_not_taken_for_it(ours, rows):
    for other in (FrozenEstimator(PCA(2).fit(rows)), PCA(2), make_pipeline(ours, PCA(2)), None):
        assert not wraps_ours(other)
    with pytest.raises(TypeError, match="Sparse data was passed"):
        OutlierDetector(make_pipeline(StandardScaler(), KernelDensity())).fit(sp.csr_matrix(rows))


class Doubles(BaseEstimator):
    """Around one of ours, but with scores of its own."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y=None):
        self.estimator_ = self.estimator
        return self

    def score_samples(self, X):
        return -np.abs(np.asarray(X)[:, 1])


def test_a_wrapper_with_scores_of_its_own_is_explained_by_these(ours, rows):
    explained = (
        OutlierDetector(Doubles(ours)).fit(rows).explain(rows[:1] + np.array([0, 50, 0, 0, 0]))
    )
    assert explained.to_numpy().argmax() == 1
    assert explained.iloc[0, 1] > 0.8 * explained.to_numpy().sum()  # the rest is shared alike


class Says(BaseEstimator):
    """Whatever it is told to say."""

    def __init__(self, says=None):
        self.says = says

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def score_samples(self, X):
        return self.says(len(X))


WRONG = {
    "too few": (lambda n: np.zeros(n - 1), ValueError, r"shape \(\d+,\); got \(\d+,\)"),
    "one": (lambda n: np.zeros(1), ValueError, r"got \(1,\)"),
    "a number": (lambda n: 0.5, ValueError, r"got \(\)"),
    "2-D": (lambda n: np.zeros((n, 1)), ValueError, r"got \(\d+, 1\)"),
    "NaN": (lambda n: np.append(np.nan, np.zeros(n - 1)), ValueError, "got NaN for 1 of them"),
    "text": (lambda n: ["a"] * n, (TypeError, ValueError), "one number for each"),
    "ragged": (lambda n: [[1.0], [1.0, 2.0]], (TypeError, ValueError), "one number for each"),
    "None": (lambda n: None, (TypeError, ValueError), "one number for each|shape"),
    "complex": (lambda n: np.ones(n) * 1j, (TypeError, ValueError), "one number for each"),
}


@pytest.mark.parametrize("novelty", [True, False])
@pytest.mark.parametrize("says, kind, words", WRONG.values(), ids=WRONG)
def test_wrong_scores_are_refused_by_name(says, kind, words, novelty, rows):
    with pytest.raises(kind, match=words) as caught:
        OutlierDetector(Says(says), novelty=novelty).fit(rows)
    assert "score_samples of Says must return one number for each of the" in str(caught.value)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_scores_are_the_largest_that_there_are(value, rows):
    detector = OutlierDetector(Says(lambda n: np.append(value, np.zeros(n - 1)))).fit(rows)
    assert np.isfinite(detector.score_samples(rows)).all()


def test_zeros_do_not_tell(rows):
    detector = OutlierDetector(Says(np.zeros)).fit(rows)
    np.testing.assert_array_equal(detector.predict(rows), 1)
