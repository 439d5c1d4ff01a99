"""A normal distribution of all numbers of a row, fitted and conditioned where cells are missing."""

from dataclasses import dataclass

import numpy as np
import torch

_AT_ONCE = 2**21  # numbers in the matrices of some rows
_FITTED = 2**30  # products in a round of the fit: of wide tables few rows are looked at
_ROUNDS = 30
_SHRINKAGE = 3.0  # rows without correlations that are added to those of the table
_SMALLEST = 1e-12


@dataclass(frozen=True)
class Gaussian:
    """Means and covariances of numbers.

    Attributes
    ----------
    mean : ndarray of shape (n_numbers,)
    covariance : ndarray of shape (n_numbers, n_numbers)
    """

    mean: np.ndarray
    covariance: np.ndarray

    def conditional(self, numbers, known):
        """What the known numbers of a row tell of the others.

        Parameters
        ----------
        numbers : Tensor of shape (n, n_numbers), float64
        known : Tensor of shape (n, n_numbers), bool

        Returns
        -------
        mean, deviation : Tensor of shape (n, n_numbers)
            The numbers and 0 where they are known.
        """
        mean, covariance = (torch.from_numpy(np.array(x)) for x in (self.mean, self.covariance))
        means, deviations = torch.where(known, numbers, mean), torch.zeros_like(numbers)
        rows = (~known).any(1).nonzero()[:, 0]
        for part in rows.split(_rows_at_once(len(mean))):
            expected, left = _conditional(mean, covariance, numbers[part], known[part])
            variances = covariance.diagonal() - left.square().sum(1)
            means[part] = torch.where(known[part], numbers[part], expected)
            deviation = variances.clamp_min(_SMALLEST).sqrt()
            deviations[part] = torch.where(known[part], 0.0, deviation)
        return means, deviations


def _rows_at_once(width):
    return max(1, _AT_ONCE // max(1, width) ** 2)


def _conditional(mean, covariance, numbers, known):
    """Conditional means, and factors of what the known numbers explain of the covariance."""
    shown = known.to(covariance.dtype)
    # Of unknown numbers ones on the diagonal, so that all rows have matrices of one size.
    seen = covariance * (shown[:, :, None] * shown[:, None, :])
    seen.diagonal(dim1=-2, dim2=-1).add_(1 - shown)
    root = torch.linalg.cholesky(seen)
    gaps = torch.where(known, numbers - mean, 0.0)
    both = torch.cat([shown[:, :, None] * covariance, gaps[:, :, None]], 2)
    both = torch.linalg.solve_triangular(root, both, upper=False)
    left, gaps = both[..., :-1], both[..., -1]
    return mean + torch.einsum("nij,ni->nj", left, gaps), left


def fitted_gaussian(numbers, known):
    """The :class:`Gaussian` that is likeliest for the known numbers, shrunk to no correlations.

    Parameters
    ----------
    numbers : Tensor of shape (n, n_numbers), float64
    known : Tensor of shape (n, n_numbers), bool

    References
    ----------
    Dempster, Laird and Rubin (1977), *Maximum likelihood from incomplete data via the EM
    algorithm*.
    """
    width = numbers.shape[1]
    most = max(2 * width, _FITTED // max(1, width) ** 3)
    numbers, known = numbers[:most], known[:most]
    count = known.sum(0).clamp_min(1)
    mean = torch.where(known, numbers, 0.0).sum(0) / count
    variances = torch.where(known, numbers - mean, 0.0).square().sum(0) / count
    alone = torch.diag(torch.where(variances > _SMALLEST, variances, 1.0))
    covariance, n = alone, len(numbers)
    whole = known.all(1)  # also where there are no numbers at all
    for _ in range(1 if whole.all() else _ROUNDS):
        filled, spread = numbers.clone(), torch.zeros_like(covariance)
        for part in (~whole).nonzero()[:, 0].split(_rows_at_once(width)):
            expected, left = _conditional(mean, covariance, numbers[part], known[part])
            filled[part] = torch.where(known[part], numbers[part], expected)
            gone = (~known[part]).to(covariance.dtype)
            left = (left * gone[:, None, :]).flatten(0, 1)
            spread += covariance * (gone.T @ gone) - left.T @ left
        mean = filled.mean(0)
        gaps = filled - mean
        squares = gaps.T @ gaps + spread
        before, covariance = covariance, (squares + _SHRINKAGE * alone) / (n + _SHRINKAGE)
        if torch.allclose(covariance, before, rtol=0, atol=1e-3):
            break
    return Gaussian(mean.numpy(), covariance.numpy())
