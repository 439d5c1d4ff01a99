"""What is seen in columns, and which likelihood and scaling follow."""

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_replearn._dataset.multiset import canonical
from sklearn_replearn._dataset.sparse import SparseTable
from sklearn_replearn._scaling.profile import Profile
from sklearn_replearn._tables.levels import Levels
from sklearn_replearn.likelihoods import Bernoulli, Categorical, Gaussian, Ordinal, Poisson
from sklearn_replearn.rows import Table

RANDOM = np.random.default_rng(0)
N = 2000


def profile_of(X, n_levels=None):
    levels = Levels.none(X.shape[1]) if n_levels is None else Levels(n_levels)
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
    assert profile.deviation[5] == pytest.approx(np.nanstd(X[:, 5]))
    assert Table().likelihoods(profile, [None] * 8, Bernoulli, None) == [
        Gaussian,
        Bernoulli,
        *[Gaussian] * 6,
    ]
    assert np.flatnonzero(profile.by_ranks(np.ones(8, dtype=bool))).tolist() == [3]


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
    assert np.flatnonzero(profile.by_ranks(np.ones(4, dtype=bool))).tolist() == [1]
    assert not profile.by_ranks(np.zeros(4, dtype=bool)).any()
    assert np.flatnonzero(profile.common).tolist() == [2]
    assert Table().likelihoods(profile, [None] * 4, Bernoulli, None)[0] is Categorical
    profile.levels.ordered[0] = True
    assert Table().likelihoods(profile, [None] * 4, Bernoulli, None)[0] is Ordinal


def chosen(profile, asked=None, binary=Bernoulli):
    n_features = len(profile.numbers)
    return set(Table().likelihoods(profile, [asked] * n_features, binary, None))


def test_a_sparse_table_of_whole_numbers_is_of_counts():
    counts = SparseTable(sp.csr_array(RANDOM.poisson(0.3, size=(N, 5))))
    profile = profile_of(counts)
    assert chosen(profile) == {Poisson}
    assert chosen(profile, binary=Gaussian) == {Poisson}
    binary = profile_of(SparseTable(sp.csr_array(RANDOM.random((N, 5)) < 0.3)))
    assert chosen(binary) == {Bernoulli}
    assert chosen(binary, binary=Gaussian) == {Gaussian}
    dense = profile_of(counts[np.arange(N)])
    assert chosen(dense) == {Gaussian}


@pytest.mark.parametrize("X", [np.array([[-1.0], [2.0]]), np.array([[0.5], [2.0]])])
def test_counts_must_be_counts(X):
    with pytest.raises(ValueError, match="likelihood='poisson' is for counts, whole numbers of at"):
        chosen(profile_of(X), asked=Poisson)
