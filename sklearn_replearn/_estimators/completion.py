"""Missing numbers filled with what is expected of them before a row is encoded for imputation."""

from dataclasses import dataclass

import numpy as np
import torch

from .._dataset.sparse import SparseTable
from .._runtime.randomness import new_generator

_MOST_ROWS = 2**12
_MOST_CODES, _MOST_CELLS = 2**11, 2**22
_MOST_NUMBERS = 5000  # stored of the deviations of codes, two bytes each
_SMALLEST_NOISE = 1e-2  # of a scaled column


@dataclass(frozen=True)
class SpreadOfCodes:
    """How codes of the training rows are distributed, and what decoding them leaves of the rows.

    Attributes
    ----------
    mean : ndarray of shape (latent_dim,), float32
    roots : ndarray of shape (n_directions, latent_dim), float16
        Principal directions, each as long as the codes deviate along it.
    left : ndarray of shape (n_features,), float32
        Mean squared error of each scaled column.
    """

    mean: np.ndarray
    roots: np.ndarray
    left: np.ndarray

    @classmethod
    def of_rows(cls, network, train_rows):
        """That of the training rows, or a sample of them."""
        multiset = train_rows.multiset
        most = max(1, min(_MOST_ROWS, _MOST_CELLS // multiset.width))
        rows = train_rows.take(train_rows.places(multiset.sample(most)))
        codes = network.encode(rows)
        errors = (rows - network.likelihood.mean(network.decoded(codes))).square()
        codes, errors = codes.cpu().double(), errors.cpu().double()
        mean, width = codes.mean(0), codes.shape[1]
        centred = codes - mean
        variances, directions = torch.linalg.eigh(centred.T @ centred / len(centred))
        n_kept = min(width, max(1, _MOST_NUMBERS // width))
        roots = (directions * variances.clamp_min(0).sqrt()).T.flip(0)[:n_kept]
        left = errors.nanmean(0).nan_to_num()
        return cls(mean.float().numpy(), roots.half().numpy(), left.float().numpy())

    def completion(self, inference, seed):
        """The :class:`Completion` that follows from it and from the decoder."""
        n_half = min(_MOST_CODES, max(len(self.roots), _MOST_CELLS // inference.n_features)) // 2
        shape, generator = (n_half + 1, len(self.roots)), new_generator(seed)
        half = torch.randn(shape, generator=generator, dtype=torch.float64, device="cpu").numpy()
        draws = np.concatenate([half, -half])
        cells = inference.of_codes(
            lambda network, codes: network.likelihood.mean(network.decoded(codes).double()),
            self.mean + draws @ self.roots.astype(np.float64),
        )
        centre = cells.mean(axis=0)
        loadings = draws.T @ (cells - centre) / len(draws)
        unexplained = np.maximum(cells.var(axis=0) - np.square(loadings).sum(axis=0), 0.0)
        return Completion(centre, loadings, self.left + unexplained + _SMALLEST_NOISE)


@dataclass(frozen=True)
class Completion:
    """Scaled cells as a factor model: a centre, loadings times normal factors, and noise.

    Attributes
    ----------
    centre, noise : ndarray of shape (n_features,)
        ``noise`` are variances.
    loadings : ndarray of shape (n_factors, n_features)

    References
    ----------
    Tipping and Bishop (1999), *Probabilistic principal component analysis*: missing cells.
    """

    centre: np.ndarray
    loadings: np.ndarray
    noise: np.ndarray

    def completed(self, rows, which):
        """A copy of scaled rows, missing cells of these columns expected given all that are there.

        Each row by itself, so that it does not depend on those beside it.
        """
        rows = rows.copy()
        missing = np.isnan(rows)
        for i in np.flatnonzero((missing & which).any(axis=1)):
            known, gone = ~missing[i] & which, missing[i] & which
            weighted = self.loadings[:, known] / self.noise[known]
            precision = weighted @ self.loadings[:, known].T
            precision[np.diag_indices_from(precision)] += 1.0
            factors = np.linalg.solve(precision, weighted @ (rows[i, known] - self.centre[known]))
            rows[i, gone] = self.centre[gone] + factors @ self.loadings[:, gone]
        return rows


def spread_of_codes(network, train_rows, model):
    """The :class:`SpreadOfCodes` of a trained network; None where no number can be missing."""
    dense = not isinstance(train_rows.multiset.table, SparseTable)
    # A network that has learned with cells hidden knows better what to make of them.
    if not (model.rows.tabular and dense and model.scaler.numbers.any()) or model.plan.hides:
        return None
    return SpreadOfCodes.of_rows(network, train_rows)
