"""OutlierDetector and EncoderClassifier on tables of every type."""

import copy
import pickle
import random

import numpy as np
import pytest
import torch
from from_a_file import from_a_file
from pandas.testing import assert_frame_equal
from repeatability import global_state
from sklearn.base import clone
from tables_at_random import COLUMNS, frame_at_random

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    OutlierDetector,
    VAETransformer,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def _table(seed):
    rng = np.random.RandomState(seed)
    return rng, frame_at_random(rng, rng.choice([3, 12, 40]), tuple(COLUMNS))


@pytest.mark.parametrize("novelty", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_detector(seed, novelty):
    rng, X = _table(1000 + seed)
    untouched = X.copy(deep=True)
    before = global_state()
    detector = OutlierDetector(novelty=novelty).fit(X)
    scores, p = detector.score_samples(X), detector.p_values(X)
    assert global_state() == before
    assert_frame_equal(X, untouched)
    assert np.isfinite(scores).all()
    assert ((p > 0) & (p <= 1)).all()
    assert set(detector.predict(X)) <= {-1, 1}
    order = rng.permutation(len(X))
    np.testing.assert_array_equal(detector.score_samples(X.iloc[order]), scores[order])
    np.testing.assert_array_equal(detector.p_values(X.iloc[[0]]), p[[0]])
    again = clone(detector).fit(X.iloc[order])
    np.testing.assert_array_equal(again.p_values(X), p)
    for back in (pickle.loads(pickle.dumps(detector)), from_a_file(detector)):
        np.testing.assert_array_equal(back.score_samples(X), scores)
    shares = detector.explain(X)
    assert shares.shape == X.shape
    assert np.isfinite(shares.to_numpy()).all()
    assert len(detector.top_reasons(X)) == len(X)
    # What is rarer has no larger p-value.
    ascending = np.argsort(scores)
    assert (np.diff(p[ascending]) >= 0).all()


@pytest.mark.parametrize(
    "encoder", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
)
@pytest.mark.parametrize("seed", range(5))
def test_classifier(seed, encoder):
    rng, X = _table(2000 + seed)
    y = rng.choice([["no", "yes", "maybe"], [0, 1, 2]][seed % 2], len(X)).astype(object)
    y[:2] = sorted(set([["no", "yes"], [0, 1]][seed % 2]))
    random.seed(seed)
    before, untouched = global_state(), copy.deepcopy((X, y))
    classifier = EncoderClassifier(encoder(latent_dim=2, max_epochs=2)).fit(X, y)
    shares = classifier.predict_proba(X)
    assert global_state() == before
    assert_frame_equal(X, untouched[0])
    assert list(y) == list(untouched[1])
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert list(classifier.classes_) == sorted(set(y))
    assert set(classifier.predict(X)) <= set(y)
    assert 0 <= classifier.score(X, y) <= 1
    # What the head sees of a row is its own; its sums are by scikit-learn, see the README.
    seen = classifier._seen_by_head(X)
    np.testing.assert_array_equal(classifier._seen_by_head(X.iloc[[0]]), seen[[0]])
    np.testing.assert_allclose(classifier.predict_proba(X.iloc[[0]]), shares[[0]], rtol=1e-12)
    np.testing.assert_array_equal(clone(classifier).fit(X, y).predict_proba(X), shares)
    for back in (pickle.loads(pickle.dumps(classifier)), from_a_file(classifier)):
        np.testing.assert_array_equal(back.predict_proba(X), shares)


def test_generators_are_compared_at_all():
    before = global_state()
    torch.rand(1)
    assert global_state() != before
