"""Rows as a weighted multiset in canonical order."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from sklearn_replearn._dataset.hashing import hashes_of
from sklearn_replearn._dataset.multiset import MAX_DRAWS, Multiset, canonical


def same(a, b):
    return np.array_equal(a.values(), b.values()) and np.array_equal(a.weights, b.weights)


def multiset_of(weights):
    n = len(weights)
    return Multiset(np.zeros((n, 1)), np.arange(n), weights)


@pytest.fixture
def table():
    return np.random.default_rng(0).normal(size=(300, 5)).round(1)


def test_order_does_not_matter(table):
    weights = np.random.default_rng(1).uniform(0.1, 2.0, size=300)
    order = np.random.default_rng(2).permutation(300)
    assert same(canonical(table, weights), canonical(table[order], weights[order]))


def test_weight_two_is_a_repeated_row(table):
    weights = np.random.default_rng(1).integers(0, 4, size=300)
    repeated = np.repeat(table, weights, axis=0)
    assert same(
        canonical(table, weights.astype(float)), canonical(repeated, np.ones(len(repeated)))
    )


def test_every_row_is_kept_with_its_weight(table):
    multiset = canonical(table, np.ones(300))
    distinct, counts = np.unique(table, axis=0, return_counts=True)
    order = np.lexsort(multiset.values().T[::-1])
    assert np.array_equal(multiset.values(order), distinct)
    assert np.array_equal(multiset.weights[order], counts)


def test_zero_and_minus_zero_are_one_row():
    assert len(canonical(np.array([[0.0], [-0.0]]), np.ones(2))) == 1


def test_rows_with_equal_hashes_are_not_merged_unless_equal(monkeypatch):
    monkeypatch.setattr(
        "sklearn_replearn._dataset.multiset.hashes_of", lambda X: np.zeros(len(X), np.uint64)
    )
    assert len(canonical(np.array([[1.0], [2.0]]), np.ones(2))) == 2


@pytest.mark.parametrize("offset", [0.0, 0.3, 0.999999])
def test_whole_weights_are_drawn_exactly(offset):
    weights = np.random.default_rng(0).integers(1, 5, size=1000).astype(float)
    drawn = multiset_of(weights).draws(offset)
    assert np.array_equal(np.bincount(drawn, minlength=1000), weights)


def test_fractional_weights_are_drawn_in_proportion():
    weights = np.array([0.1, 0.2, 0.7]) * 30
    drawn = multiset_of(weights).draws()
    assert np.array_equal(np.bincount(drawn), [3, 6, 21])


def test_huge_weights_do_not_make_an_epoch_endless():
    assert multiset_of(np.array([1e9, 2e9, 1e9])).n_draws == MAX_DRAWS


def test_tiny_weights_leave_room_for_every_row():
    multiset = multiset_of(np.array([1e-9, 1e-9, 1e-9]))
    assert sorted(multiset.draws()) == [0, 1, 2]


def test_each_row_is_drawn_once_where_weights_say_so():
    for weights, once in (([1, 1, 1], True), ([0.1] * 3, True), ([2, 2, 2], False)):
        multiset = multiset_of(np.array(weights, float))
        assert multiset.draws_each_once == once
        assert (sorted(multiset.draws()) == [0, 1, 2]) == once


@pytest.mark.parametrize("values", [2, 3, 1000])
def test_rows_of_few_values_have_hashes_of_their_own(values):
    X = np.random.default_rng(0).integers(0, values, size=(20_000, 40)).astype(float)
    assert len(np.unique(hashes_of(X))) == len(np.unique(X, axis=0))


def test_a_hash_tells_columns_apart():
    X = np.array([[1.0, 2.0], [2.0, 1.0], [0.0, 3.0], [3.0, 0.0]])
    assert len(np.unique(hashes_of(X))) == 4


def test_the_table_is_not_copied(table):
    assert canonical(table, np.ones(300)).table is table


def test_moments_are_weighted_and_keep_the_digits_of_columns_far_from_zero(table):
    X = table * [1.0, 1e-3, 1e-6, 1e3, 1.0] + [0.0, 1e6, 1e6, 1e12, -5.0]
    weights = np.random.default_rng(1).uniform(0.1, 2.0, size=300)
    multiset = canonical(X, weights)
    parts = [slice(0, 7), slice(7, 8), slice(8, len(multiset))]
    found = multiset.moments(multiset.values, parts)
    low, high, mean, variance = found.low, found.high, found.mean, found.variance
    assert np.array_equal(low, X.min(axis=0))
    assert np.array_equal(high, X.max(axis=0))
    exact = X - X[0]  # differences are exact enough here
    expected = np.average(exact, axis=0, weights=weights)
    assert mean - X[0] == pytest.approx(expected, rel=1e-3, abs=1e-9)
    spread = np.average((exact - expected) ** 2, axis=0, weights=weights)
    assert variance == pytest.approx(spread, rel=1e-3)


def test_moments_do_not_depend_on_the_number_of_threads():
    X = np.random.default_rng(0).normal(size=(20_000, 60))
    weights = np.random.default_rng(1).uniform(0.1, 2.0, size=len(X))
    results = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            multiset = canonical(X, weights)
            results.append(vars(multiset.moments(multiset.values, [slice(0, len(X))])))
    assert all(np.array_equal(results[0][name], results[1][name]) for name in results[0])
