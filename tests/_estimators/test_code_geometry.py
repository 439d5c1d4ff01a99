"""Codes whose distances are about those of rows."""

import pickle

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer
from sklearn_replearn.objectives import TopKSparsity
from sklearn_replearn.rows import Images, Tokens

RANDOM = np.random.default_rng(0)
# Three directions, of which one is most of the distances between rows, and a little noise.
FACTORS = RANDOM.normal(size=(200, 3)) * [2.0, 1.0, 0.5]
X = FACTORS @ np.linalg.qr(RANDOM.normal(size=(8, 3)))[0].T + 0.05 * RANDOM.normal(size=(200, 8))

both = pytest.mark.parametrize("cls", [AutoencoderTransformer, ContrastiveTransformer])


def fitted(cls, rows=X, **parameters):
    return cls(latent_dim=3, max_epochs=60, isometric=True, **parameters).fit(rows)


@both
def test_distances_are_nearer_to_those_of_rows_and_columns_of_deviation_1(cls):
    isometric, usual = fitted(cls), cls(latent_dim=3, max_epochs=60).fit(X)
    codes = isometric.transform(X)
    assert codes.mean(axis=0) == pytest.approx(0, abs=1e-3)
    assert codes.std(axis=0) == pytest.approx(1, abs=1e-3)
    rows = pdist((X - X.mean(axis=0)) / X.std(axis=0))
    alike, before = (np.corrcoef(pdist(z), rows)[0, 1] for z in (codes, usual.transform(X)))
    assert alike > 0.95
    assert alike > before
    # It is the same code, seen along other axes.
    assert isometric.inverse_transform(codes) == pytest.approx(
        usual.inverse_transform(usual.transform(X)), abs=1e-3
    )


@both
def test_fits_repeat_in_any_order_with_weights_and_after_storage(cls):
    encoder = fitted(cls)
    codes = encoder.transform(X)
    assert np.array_equal(fitted(cls, X[::-1]).transform(X), codes)
    assert np.array_equal(pickle.loads(pickle.dumps(encoder)).transform(X), codes)
    assert np.array_equal(encoder.transform(X[:1]), codes[:1])


@both
@pytest.mark.parametrize(
    "rows",
    [X[:2], X[:, :1], np.repeat(X[:3], 4, axis=0), np.c_[X, X[:, 0], np.ones(len(X))], X * 1e100],
    ids=["two rows", "one column", "few distinct", "columns twice and constant", "huge"],
)
def test_small_and_degenerate_tables_have_finite_codes(cls, rows):
    encoder = cls(latent_dim=5, max_epochs=2, isometric=True).fit(rows)
    assert np.isfinite(encoder.transform(rows)).all()
    assert np.isfinite(encoder.inverse_transform(encoder.transform(rows))).all()


@both
@pytest.mark.parametrize(
    ("rows", "table"),
    [
        (Images((1, 2, 4)), X / np.abs(X).max() / 2 + 0.5),
        (Tokens(5), RANDOM.integers(0, 5, (9, 8))),
    ],
    ids=["images", "tokens"],
)
def test_rows_that_are_no_tables_are_refused(cls, rows, table):
    with pytest.raises(ValueError, match="isometric=True is for tables; rows are"):
        cls(rows=rows, isometric=True).fit(table)


def test_codes_that_are_sparse_along_their_axes_are_not_turned():
    with pytest.raises(ValueError, match=r"set it to False, or sparsity to None; got .*TopK"):
        AutoencoderTransformer(isometric=True, sparsity=TopKSparsity(2)).fit(X)
