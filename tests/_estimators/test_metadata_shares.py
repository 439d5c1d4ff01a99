"""Which metadata reaches the transformer and the head of EncoderClassifier and EncoderRegressor."""

import numpy as np
import pytest
import sklearn
from quick import quick
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    VAETransformer,
)

both = pytest.mark.parametrize("cls", [EncoderClassifier, EncoderRegressor])
pytestmark = pytest.mark.filterwarnings("ignore:The codes collapsed")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5))
WEIGHTS = RNG.integers(1, 4, 60).astype(float)
REPEATED = np.repeat(np.arange(60), WEIGHTS.astype(int))


def labels(cls):
    """Labels of which every third is missing."""
    if cls is EncoderClassifier:
        return np.where(np.arange(60) % 3 == 0, -1, X[:, 0] > 0)
    return np.where(np.arange(60) % 3 == 0, np.nan, X[:, 0])


def encoder(cls=VAETransformer, **params):
    return quick(cls, hidden_layer_sizes=(8,), **params)


def as_is(transformer):
    """A pipeline whose first step takes no weights."""
    return make_pipeline(FunctionTransformer(), transformer)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


class Noting(TransformerMixin, BaseEstimator):
    """Keeps the weights that its fit was given."""

    def fit(self, X, y=None, sample_weight=None):
        self.weights_ = sample_weight
        return self

    def transform(self, X):
        return X


@both
def test_weights_reach_what_requests_them_within_pipelines(cls, routing):
    y = labels(cls)
    head = LogisticRegression if cls is EncoderClassifier else Ridge
    asking = as_is(encoder().set_fit_request(sample_weight=True))
    for inner in (None, as_is(head().set_fit_request(sample_weight=True))):
        weighted = cls(asking, inner).fit(X, y, sample_weight=WEIGHTS)
        repeated = cls(asking, inner).fit(X[REPEATED], y[REPEATED])
        assert np.allclose(weighted.predict(X), repeated.predict(X), atol=1e-3)
        plain = cls(asking, inner).fit(X, y)
        name = "decision_function" if cls is EncoderClassifier else "predict"
        assert not np.allclose(getattr(weighted, name)(X), getattr(plain, name)(X), atol=1e-3)


@both
def test_each_part_gets_what_it_asks_for(cls, routing):
    y = labels(cls)
    known = y == y if cls is EncoderRegressor else y != -1
    for transformer, expected in (
        (Noting(), WEIGHTS),  # says nothing: as without routing
        (Noting().set_fit_request(sample_weight=True), WEIGHTS),
        (Noting().set_fit_request(sample_weight=False), None),
        (make_pipeline(Noting().set_fit_request(sample_weight=True)), WEIGHTS),
        (make_pipeline(Noting().set_fit_request(sample_weight=False)), None),
    ):
        fitted = cls(transformer, passthrough=False).fit(X, y, sample_weight=WEIGHTS)
        found = getattr(fitted.transformer_, "steps", [("", fitted.transformer_)])[0][1].weights_
        assert (found is None) == (expected is None)
        assert found is None or np.array_equal(found, expected)
    head = LogisticRegression() if cls is EncoderClassifier else Ridge()
    own = cls(Noting().set_fit_request(sample_weight=False), clone(head))
    own.fit(X, y, sample_weight=WEIGHTS)
    head.fit(X[known], y[known], sample_weight=WEIGHTS[known])
    assert np.array_equal(own.estimator_.coef_, head.coef_)
    renamed = clone(head).set_fit_request(sample_weight="of_head")
    aliased = cls(Noting(), renamed).fit(X, y, of_head=WEIGHTS)
    assert aliased.transformer_.weights_ is None
    assert np.array_equal(aliased.estimator_.coef_, head.coef_)


def test_a_search_around_and_a_search_within(routing):
    y = (X[:, 0] > 0).astype(int)
    asking = as_is(encoder().set_fit_request(sample_weight=True))
    outer = EncoderClassifier(asking).set_fit_request(sample_weight=True)
    outer.set_score_request(sample_weight=True)
    grid = {"transformer__vaetransformer__latent_dim": [1, 2]}
    search = GridSearchCV(outer, grid, cv=2, error_score="raise").fit(X, y, sample_weight=WEIGHTS)
    latent_dim = search.best_params_["transformer__vaetransformer__latent_dim"]
    alone = clone(outer).set_params(transformer__vaetransformer__latent_dim=latent_dim)
    alone.fit(X, y, sample_weight=WEIGHTS)
    assert np.array_equal(search.predict_proba(X), alone.predict_proba(X))
    head = LogisticRegression().set_fit_request(sample_weight=True)
    head.set_score_request(sample_weight=True)
    within = EncoderClassifier(encoder(), GridSearchCV(head, {"C": [0.1, 1.0]}, cv=2))
    assert within.fit(X, y, sample_weight=WEIGHTS).predict(X).shape == (60,)


def test_groups_reach_the_encoder_within_a_pipeline(routing):
    y, groups = labels(EncoderClassifier), np.arange(60) // 2
    direct = EncoderClassifier(encoder(ContrastiveTransformer), passthrough=False)
    direct.fit(X, y, groups=groups)
    asking = encoder(ContrastiveTransformer).set_fit_request(groups=True)
    routed = EncoderClassifier(as_is(asking), passthrough=False).fit(X, y, groups=groups)
    assert np.allclose(routed.predict_proba(X), direct.predict_proba(X))
    with pytest.raises(TypeError, match=r"EncoderClassifier\.fit got unexpected argument"):
        EncoderClassifier(encoder()).fit(X, y, nonsense=groups)


def test_what_takes_no_weights_says_so(routing):
    y = labels(EncoderClassifier)
    for parts in ((PCA(2), None), (encoder(), KNeighborsClassifier())):
        with pytest.raises(ValueError, match=r"takes no sample_weight. Give another one"):
            EncoderClassifier(*parts).fit(X, y, sample_weight=WEIGHTS)
    silent = make_pipeline(StandardScaler(), encoder().set_fit_request(sample_weight=True))
    for parts in ((silent, None), (encoder(), make_pipeline(LogisticRegression()))):
        with pytest.raises(UnsetMetadataPassedError, match=r"not explicitly set as requested"):
            EncoderClassifier(*parts).fit(X, y, sample_weight=WEIGHTS)
    frozen = FrozenEstimator(encoder().fit(X))
    assert EncoderClassifier(frozen).fit(X, y, sample_weight=WEIGHTS).classes_.tolist() == [0, 1]


def test_without_routing_a_pipeline_says_what_to_do():
    y = labels(EncoderClassifier)
    piped = make_pipeline(StandardScaler(), encoder(AutoencoderTransformer))
    message = r"Pipeline takes no sample_weight.*enable_metadata_routing=True.*set_fit_request"
    for parts in ((piped, None), (encoder(), make_pipeline(LogisticRegression()))):
        with pytest.raises(ValueError, match=message):
            EncoderClassifier(*parts).fit(X, y, sample_weight=WEIGHTS)
    named = {"autoencodertransformer__sample_weight": WEIGHTS}
    told = EncoderClassifier(piped).fit(X, y, **named)
    plain = EncoderClassifier(piped).fit(X, y)
    assert not np.allclose(told.predict_proba(X), plain.predict_proba(X))


def test_scores_of_a_pipeline_with_routing(routing):
    scaler = StandardScaler().fit(X)
    for cls in (AutoencoderTransformer, VAETransformer, ContrastiveTransformer):
        pipe = make_pipeline(StandardScaler(), encoder(cls)).fit(X)
        fitted = pipe[-1]
        assert pipe.score(X) == fitted.score(scaler.transform(X))
        rows = fitted.score_samples(scaler.transform(X))
        expected = np.average(rows, weights=WEIGHTS)
        assert fitted.score(scaler.transform(X), sample_weight=WEIGHTS) == pytest.approx(expected)
        with pytest.raises(ValueError, match=r"sample_weight must have one value"):
            fitted.score(X, sample_weight=[1.0])
