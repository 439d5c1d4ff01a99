"""Vectors of token ids against scikit-learn's way to latent semantic analysis."""

import numpy as np
import pytest
import torch
from repeatability import seeded
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from sklearn_replearn._scaling.latent_semantics import latent_semantics

N_IDS, WIDTH = 40, 3


def drawn(n_ids=N_IDS, width=WIDTH):
    return torch.randn((n_ids, width), generator=seeded(0), dtype=torch.float64)


def topical(n, length=12):
    """Rows of ids that are mostly from one of three ranges, some of them padding."""
    rng = np.random.default_rng(0)
    own = 1 + 12 * rng.integers(3, size=(n, 1)) + rng.integers(12, size=(n, length))
    ids = np.where(rng.random((n, length)) < 0.9, own, rng.integers(1, N_IDS - 2, own.shape))
    ids[rng.random(ids.shape) < 0.2] = 0
    return ids


def counts_of(ids):
    return np.stack([np.bincount(row[row > 0], minlength=N_IDS) for row in ids])


def cosines(rows):
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return rows @ rows.T


def test_sums_of_vectors_are_scores_of_latent_semantic_analysis():
    ids = topical(300)
    ids = np.array([np.concatenate([np.unique(row), np.zeros(12, int)])[:12] for row in ids])
    counts = counts_of(ids)
    vectors = latent_semantics(ids, drawn()).numpy()
    svd = TruncatedSVD(WIDTH, algorithm="arpack", random_state=0)
    expected = svd.fit_transform(TfidfTransformer().fit_transform(counts))
    assert cosines(counts @ vectors) == pytest.approx(cosines(expected), abs=1e-3)


def test_rare_ids_are_longer_and_unseen_ones_zero():
    ids = topical(300)
    vectors = latent_semantics(ids, drawn())
    seen = np.unique(ids[ids > 0])
    lengths = vectors.norm(dim=1).numpy()
    assert lengths[np.setdiff1d(np.arange(N_IDS), seen)].max() == 0
    assert (lengths[seen] > 0).all()
    size = vectors[seen].square().mean().sqrt()
    assert size == pytest.approx(drawn().square().mean().sqrt())


@pytest.mark.parametrize(
    ("ids", "rank"),
    [
        (np.zeros((5, 3), dtype=int), 0),
        (np.full((5, 3), 7), 1),
        (np.array([[1, 0], [2, 0], [1, 2]]), 2),
        (np.array([[3, 4, 5]]), 1),
    ],
    ids=["padding", "one id", "two ids", "one row"],
)
def test_columns_beyond_the_rank_stay_as_drawn(ids, rank):
    start = drawn()
    vectors = latent_semantics(ids, start)
    seen = np.unique(ids[ids > 0])
    assert torch.equal(vectors[seen, rank:], start[seen, rank:])
    assert torch.isfinite(vectors).all()
    assert (vectors[seen, :rank] != start[seen, :rank]).all()
    assert not np.delete(vectors.numpy(), seen, axis=0).any()
