"""Codes reported so that their distances mean something."""

import torch

from .._runtime.arrays import CHUNK, slices
from .code_statistics import MOST_ROWS, moments, standardize_codes

# Directions of less than this share of the largest variance hold rounding errors.
_SMALLEST_VARIANCE = 1e-8
# Added to the size of each direction, as a share of the mean one: without it a linear model behind
# codes, whose penalty counts in their units, would hardly see the small directions.
_FLOOR = 0.2
_CELLS_AT_ONCE = 2**20


def check_isometric(rows):
    """Refuse rows of which distances are not those of columns."""
    if not rows.tabular:
        raise ValueError(
            f"isometric=True is for tables; rows are {type(rows).__name__}. Set isometric=False."
        )


def isometric_codes(network, train_rows):
    """Have the network report codes whose distances are about those of rows.

    Codes are turned and stretched: the square of the size of a direction is the variance of the
    encoded columns that is linear in it, and a fifth of the mean one. Of all rotations that keep
    distances one is taken after which all columns have deviation 1, so a scaler behind codes
    changes nothing.

    Parameters
    ----------
    network : Autoencoder
    train_rows : TrainingRows
    """
    mean, _ = moments(network.code, train_rows)
    spread, shared = _products(network, train_rows, mean)
    variance, directions = torch.linalg.eigh(spread)
    largest = variance[-1]
    if not largest > 0:
        standardize_codes(network, train_rows)  # codes are all the same
        return
    white = directions / variance.clamp_min(_SMALLEST_VARIANCE * largest).sqrt()
    linear = white.T @ shared
    explained, turned = torch.linalg.eigh(linear @ linear.T)
    explained = explained.clamp_min(0)
    axes = white @ turned * (explained + _FLOOR * explained.mean()).sqrt()
    axes = axes @ _equalising(axes.T @ spread @ axes)
    axes /= (axes.T @ spread @ axes).trace().div(len(axes)).sqrt()
    network.report(mean.float(), axes.float())


def _products(network, train_rows, mean):
    """Covariance of codes, and of codes with what the encoder takes."""
    multiset = train_rows.multiset
    n_rows = min(len(multiset), MOST_ROWS)
    weights = torch.from_numpy(multiset.weights[:n_rows] / multiset.weights[:n_rows].sum())
    spread, shared = 0.0, 0.0
    for part in slices(n_rows, max(1, min(CHUNK, _CELLS_AT_ONCE // multiset.width))):
        rows = train_rows.rows(part)
        inputs = rows if network.inputs is None else network.inputs(rows)
        codes = network.code(rows).cpu().double() - mean
        weighed = (codes * weights[part, None]).T
        spread = spread + weighed @ codes
        shared = shared + weighed @ inputs.cpu().double()
    return spread, shared


def _equalising(covariance):
    """A rotation after which all variances are the same, by turns in one plane after the other."""
    covariance, width = covariance.clone(), len(covariance)
    rotation = torch.eye(width, dtype=torch.float64, device="cpu")
    mean = covariance.trace() / width
    for _ in range(width - 1):
        variances = covariance.diag()
        i, j = int(variances.argmax()), int(variances.argmin())
        above, below, between = variances[i] - mean, variances[j] - mean, covariance[i, j]
        if not above - below > 1e-12 * mean:
            break
        # The turn after which the variance of the first is the mean.
        tangent = (-between - (between.square() - above * below).clamp_min(0).sqrt()) / below
        cosine = (1 + tangent.square()).rsqrt()
        turn = torch.eye(width, dtype=torch.float64, device="cpu")
        turn[i, i] = turn[j, j] = cosine
        turn[j, i], turn[i, j] = tangent * cosine, -tangent * cosine
        covariance, rotation = turn.T @ covariance @ turn, rotation @ turn
    return rotation
