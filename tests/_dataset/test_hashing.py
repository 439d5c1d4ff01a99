"""Hashes of rows, and numbers drawn by them."""

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_replearn._dataset.hashing import draws_of
from sklearn_replearn._dataset.sparse import SparseTable


def test_a_row_has_the_same_draw_beside_any_others():
    X = np.random.default_rng(0).integers(0, 9, (300, 3)).astype(float)
    X[0, 1] = np.nan
    different = np.unique(X, axis=0)
    draws = draws_of(different, 7)
    assert np.array_equal(draws[::-1], draws_of(different[::-1], 7))
    assert np.array_equal(draws[5:6], draws_of(different[5:6], 7))
    full = np.nan_to_num(X)
    assert np.array_equal(draws_of(full, 7), draws_of(SparseTable(sp.csr_array(full)), 7))
    assert not np.isin(draws, draws_of(different, 8)).any()


@pytest.mark.parametrize(
    "X",
    [
        np.ones((4000, 2)),
        np.random.default_rng(0).integers(0, 9, (4000, 2)).astype(float),
        np.arange(4000.0)[:, None],
    ],
    ids=["copies", "repeated", "different"],
)
def test_draws_are_uniform_also_among_copies(X):
    draws = draws_of(X, 0)
    assert len(np.unique(draws)) == len(X)
    assert ((draws >= 0) & (draws < 1)).all()
    counts = np.histogram(draws, 20, (0, 1))[0]
    assert ((counts - 200) ** 2 / 200).sum() < 43.8  # one table in 1000 has more
