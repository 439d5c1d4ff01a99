"""What the columns before tell of a column of numbers by a linear map."""

from dataclasses import dataclass

import numpy as np
import torch

_MOST_ROWS = 2**12
_RIDGES = 10.0 ** np.arange(-6, 4)
_SMALLEST = 1e-5  # deviation that is left of a scaled column


@dataclass(frozen=True)
class Triangular:
    """A linear map of the features before a column to the column, and what it leaves.

    Attributes
    ----------
    weights : Tensor of shape (n_numbers, n_features)
        0 for features that are not before the column.
    bias, deviation : Tensor of shape (n_numbers,)
    """

    weights: torch.Tensor
    bias: torch.Tensor
    deviation: torch.Tensor


def triangular(features, numbers, told, before):
    """Ridge regressions, with the weight that leaves the least error for a row left out.

    Parameters
    ----------
    features : Tensor of shape (n, n_features), float64
    numbers : Tensor of shape (n, n_numbers), float64
    told : Tensor of shape (n, n_numbers), bool
        Cells that count.
    before : Tensor of shape (n_numbers, n_features), bool
        Features that may tell something of each number.

    Notes
    -----
    Allen (1974), *The relationship between variable selection and data augmentation and a method
    for prediction*: the error of a row left out follows from one decomposition.
    """
    features, numbers, told = (x[:_MOST_ROWS] for x in (features, numbers, told))
    n_numbers, width = before.shape
    weights = features.new_zeros((n_numbers, width))
    bias, deviation = features.new_zeros(n_numbers), features.new_ones(n_numbers)
    for k in range(n_numbers):
        rows, which = told[:, k].nonzero()[:, 0], before[k].nonzero()[:, 0]
        if len(rows) < 2:
            continue
        y, x = numbers[rows, k], features[rows][:, which]
        centre, y_mean = x.mean(0), y.mean()
        coefficients, squares = _ridge(x - centre, y - y_mean)
        weights[k, which] = coefficients
        bias[k] = y_mean - centre @ coefficients
        # Of few rows even what is left out is known by few.
        deviation[k] = max(squares**0.5, _SMALLEST, 1.0 / len(rows) ** 2)
    return Triangular(weights, bias, deviation)


def _ridge(x, y):
    """Coefficients, and the mean squared error of rows left out."""
    n = len(y)
    values, vectors = torch.linalg.eigh(x.T @ x)
    values, rotated = values.clamp_min(0.0), x @ vectors
    projected, best = rotated.T @ y, None
    for ridge in _RIDGES * n:
        shrunk = projected / (values + ridge)
        leverage = (rotated.square() / (values + ridge)).sum(1) + 1 / n
        error = ((y - rotated @ shrunk) / (1 - leverage).clamp_min(1e-3)).square().mean()
        if best is None or error < best[1]:
            best = vectors @ shrunk, error
    return best[0], float(best[1])
