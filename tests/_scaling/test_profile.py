"""What is seen in columns, and which likelihood and scaling follow."""

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_replearn._dataset.multiset import canonical
from sklearn_replearn._dataset.sparse import SparseTable
from sklearn_replearn._scaling.profile import Profile

RANDOM = np.random.default_rng(0)
N = 2000


def profile_of(X, n_levels=None):
    levels = np.zeros(X.shape[1], dtype=int) if n_levels is None else np.array(n_levels)
    return Profile(canonical(X, np.ones(X.shape[0])), levels)


def test_each_kind_of_column_is_seen():
    X = np.column_stack(
        [
            RANDOM.normal(size=N),
            RANDOM.integers(0, 2, N),
            RANDOM.integers(1, 4, N),
            np.exp(2.5 * RANDOM.normal(size=N)),
            np.where(RANDOM.random(N) < 0.9, 0, np.exp(3 * RANDOM.normal(size=N))),
            np.where(RANDOM.random(N) < 0.1, np.nan, RANDOM.normal(size=N)),
            np.full(N, np.nan),
            np.full(N, 0.1),
        ]
    )
    profile = profile_of(X)
    assert np.flatnonzero(profile.zero_one).tolist() == [1]
    assert np.flatnonzero(profile.whole).tolist() == [1, 2, 6]
    assert np.flatnonzero(profile.heavy).tolist() == [3]
    assert np.flatnonzero(profile.missing).tolist() == [5, 6]
    assert np.flatnonzero(profile.empty).tolist() == [6]
    assert np.flatnonzero(profile.constant).tolist() == [6, 7]
    assert not profile.common.any()
    assert profile.mean[5] == pytest.approx(np.nanmean(X[:, 5]))
    assert profile.variance[5] == pytest.approx(np.nanvar(X[:, 5]))
    likelihoods = profile.likelihoods(["auto"] * 8, np.zeros(8, dtype=bool), None)
    assert likelihoods.tolist() == ["gaussian", "bernoulli", *["gaussian"] * 6]
    assert np.flatnonzero(profile.by_ranks(["auto"] * 8)).tolist() == [3]


def test_beside_categories_numbers_go_by_ranks_unless_most_are_alike():
    X = np.column_stack(
        [
            RANDOM.integers(1, 4, N),
            RANDOM.normal(size=N),
            np.where(RANDOM.random(N) < 0.9, 0, RANDOM.normal(size=N)),
            RANDOM.integers(0, 2, N),
        ]
    )
    profile = profile_of(X, [3, 0, 0, 0])
    assert np.flatnonzero(profile.by_ranks(["auto"] * 4)).tolist() == [1]
    assert not profile.by_ranks(["gaussian"] * 4).any()
    assert np.flatnonzero(profile.common).tolist() == [2]
    ordered = np.array([True, False, False, False])
    assert profile.likelihoods(["auto"] * 4, ordered, None)[0] == "ordinal"
    assert profile.likelihoods(["auto"] * 4, ~ordered, None)[0] == "categorical"


def test_a_sparse_table_of_whole_numbers_is_of_counts():
    counts = SparseTable(sp.csr_array(RANDOM.poisson(0.3, size=(N, 5))))
    profile = profile_of(counts)
    none = np.zeros(5, dtype=bool)
    assert set(profile.likelihoods(["auto"] * 5, none, None)) == {"poisson"}
    assert set(profile.likelihoods(["error"] * 5, none, None)) == {"poisson"}
    binary = profile_of(SparseTable(sp.csr_array(RANDOM.random((N, 5)) < 0.3)))
    assert set(binary.likelihoods(["auto"] * 5, none, None)) == {"bernoulli"}
    dense = profile_of(counts[np.arange(N)])
    assert set(dense.likelihoods(["auto"] * 5, none, None)) == {"gaussian"}


@pytest.mark.parametrize("X", [np.array([[-1.0], [2.0]]), np.array([[0.5], [2.0]])])
def test_counts_must_be_counts(X):
    with pytest.raises(ValueError, match=r"is for counts, .* in column 'n'"):
        profile_of(X).likelihoods(["poisson"], np.zeros(1, dtype=bool), np.array(["n"]))
