"""Latent semantic analysis: numbers for token ids, from the rows in which they stand."""

import numpy as np
import torch
from scipy import sparse

_ITERATIONS = 5
_SMALLEST = 1e-6  # variance along a direction, relative to the largest


def latent_semantics(ids, start):
    """Token ids as vectors, so that the sum of a row's is its place in latent semantic analysis.

    Rows are counts of ids, damped and weighed by rarity (tf-idf), of length 1; a vector is an id's
    share in the directions along which rows vary most, times its rarity.

    Parameters
    ----------
    ids : ndarray of shape (n, length), int64
        0 is padding.
    start : Tensor of shape (n_ids, width), float64
        Drawn at random, of which directions are made.

    Returns
    -------
    Tensor of shape (n_ids, width), float64
        As large as ``start`` on average over the ids that are there, with columns beyond the rank
        of the rows as they were; 0 for the other ids.

    References
    ----------
    Deerwester et al. (1990), *Indexing by latent semantic analysis*.
    Halko et al. (2011), *Finding structure with randomness*, algorithm 4.4.
    """
    seen, rows, rarity = _weighed(ids)
    found = torch.zeros_like(start)
    found[seen] = start[seen]
    width = min(start.shape[1], *rows.shape)
    if width == 0:
        return found
    directions = start[seen, :width]
    for _ in range(_ITERATIONS):
        directions = _product(rows.T, _product(rows, _orthonormal(directions)))
    directions = _orthonormal(directions)
    projected = _product(rows, directions)
    variances, turned = torch.linalg.eigh(projected.T @ projected)
    kept = variances > _SMALLEST * variances[-1]
    vectors = (directions @ turned[:, kept]).flip(1) * rarity[:, None]
    width = vectors.shape[1]
    size = start[:, :width].square().mean().sqrt() / vectors.square().mean().sqrt()
    found[seen, :width] = vectors * size
    return found


def _weighed(ids):
    """Ids that are there, the tf-idf of rows, and the rarity of those ids."""
    there = ids > 0
    seen, columns = np.unique(ids[there], return_inverse=True)
    place = np.nonzero(there)[0], columns.ravel()
    counts = sparse.csr_matrix((np.ones(len(columns)), place), shape=(len(ids), len(seen)))
    counts.sum_duplicates()
    rarity = 1.0 + np.log((1 + len(ids)) / (1 + np.bincount(counts.indices, minlength=len(seen))))
    counts.data = (1.0 + np.log(counts.data)) * rarity[counts.indices]
    lengths = np.sqrt(counts.multiply(counts).sum(axis=1))
    rows = sparse.diags_array(1 / np.maximum(np.asarray(lengths).ravel(), 1.0)) @ counts
    return torch.from_numpy(seen), rows.tocsr(), torch.from_numpy(rarity)


def _product(matrix, dense):
    return torch.from_numpy(matrix @ dense.numpy())


def _orthonormal(vectors):
    return torch.linalg.qr(vectors)[0]
