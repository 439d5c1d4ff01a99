"""Rows as a weighted multiset in canonical order."""

import numpy as np
import pytest

from sklearn_replearn._rows import MAX_DRAWS, Multiset, canonical


def same(a, b):
    return np.array_equal(a.values, b.values) and np.array_equal(a.weights, b.weights)


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
    order = np.lexsort(multiset.values.T[::-1])
    assert np.array_equal(multiset.values[order], distinct)
    assert np.array_equal(multiset.weights[order], counts)


def test_zero_and_minus_zero_are_one_row():
    assert len(canonical(np.array([[0.0], [-0.0]]), np.ones(2))) == 1


def test_rows_with_equal_hashes_are_not_merged_unless_equal(monkeypatch):
    monkeypatch.setattr("sklearn_replearn._rows._hashes", lambda X: np.zeros(len(X), np.uint64))
    assert len(canonical(np.array([[1.0], [2.0]]), np.ones(2))) == 2


@pytest.mark.parametrize("offset", [0.0, 0.3, 0.999999])
def test_whole_weights_are_drawn_exactly(offset):
    weights = np.random.default_rng(0).integers(1, 5, size=1000).astype(float)
    drawn = Multiset(np.zeros((1000, 1)), weights).draws(offset)
    assert np.array_equal(np.bincount(drawn, minlength=1000), weights)


def test_fractional_weights_are_drawn_in_proportion():
    weights = np.array([0.1, 0.2, 0.7]) * 30
    drawn = Multiset(np.zeros((3, 1)), weights).draws()
    assert np.array_equal(np.bincount(drawn), [3, 6, 21])


def test_huge_weights_do_not_make_an_epoch_endless():
    assert Multiset(np.zeros((3, 1)), np.array([1e9, 2e9, 1e9])).n_draws == MAX_DRAWS


def test_tiny_weights_leave_room_for_every_row():
    multiset = Multiset(np.zeros((3, 1)), np.array([1e-9, 1e-9, 1e-9]))
    assert sorted(multiset.draws()) == [0, 1, 2]
