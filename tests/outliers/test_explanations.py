"""Nats are shared among columns without a rest."""

import numpy as np
import pytest

from sklearn_replearn.outliers.explanations import attributions


def test_shares_add_up():
    random = np.random.RandomState(0)
    parts = random.exponential(size=(500, 7))
    nats = random.normal(size=500)
    contributions = attributions(nats, parts, parts.mean(axis=0))
    np.testing.assert_allclose(contributions.sum(axis=1), nats, rtol=1e-9, atol=1e-12)
    assert np.abs(contributions).max() < 20


def test_where_all_exceed_what_is_expected_shares_are_in_proportion():
    parts = np.array([[3.0, 2.0, 1.0]])
    np.testing.assert_allclose(
        attributions(np.array([4.0]), parts, np.array([1.0, 1.0, 1.0])), [[8 / 3, 4 / 3, 0]]
    )


@pytest.mark.parametrize("nats", [-1.0, 0.0, 2.0])
def test_what_is_as_expected_is_shared_evenly(nats):
    shares = attributions(np.array([nats]), np.ones((1, 4)), np.ones(4))
    np.testing.assert_allclose(shares, nats / 4)
