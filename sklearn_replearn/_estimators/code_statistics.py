"""What is measured on the codes of the training rows, and on what is decoded from them."""

import math

import torch

from .._runtime.arrays import CHUNK, slices
from .._runtime.randomness import new_generator
from ..likelihoods import Gaussian
from ..metrics import effective_rank

#: Rows in canonical order are in random order: the first are a sample of all.
MOST_ROWS = 2**16
# Relative to the typical size of a code: below this a unit says nothing, and dividing by its
# deviation would blow up rounding errors.
_SMALLEST_DEVIATION = 1e-6

_CELLS_AT_ONCE = 2**20
_LOOKED_AT, _AT_ONCE = 4096, 256
_SMALLEST_SHARE = 1e-2
_ONE_DIRECTION = 0.02


def moments(function, train_rows):
    """Weighted mean and variance of ``function(rows)`` over training rows.

    Of more than 65,536 rows only that many count.

    Parameters
    ----------
    function : callable
        Scaled rows to Tensor of shape (n, width).
    train_rows : TrainingRows

    Returns
    -------
    mean, variance : Tensor of shape (width,), float64
    """
    at_once = max(1, min(CHUNK, _CELLS_AT_ONCE // train_rows.multiset.width))
    parts = list(slices(min(len(train_rows.multiset), MOST_ROWS), at_once))

    def read(part):
        return function(train_rows.rows(part)).cpu().numpy()

    found = train_rows.multiset.moments(read, parts)
    return torch.from_numpy(found.mean), torch.from_numpy(found.variance)


def standardize_codes(network, train_rows):
    """Have the network report codes of mean 0 and standard deviation 1 over these rows."""
    mean, variance = moments(network.code, train_rows)
    deviation = variance.sqrt()
    smallest = _SMALLEST_DEVIATION * (mean.square() + variance).mean().sqrt()
    deviation = torch.where(deviation > smallest, deviation, torch.ones_like(deviation))
    network.report(mean.float(), (1 / deviation).diag().float())


def collapse(network, train_rows):
    """Say how the codes collapsed, or return None if they did not.

    Codes have collapsed if they vary hardly or along one direction only, although the rows do.
    """
    rows = train_rows.rows(slice(0, _LOOKED_AT))
    codes = torch.cat([network.code(part) for part in rows.split(_AT_ONCE)]).cpu().double()
    problem = _narrowness(codes)
    if problem and _directions(rows.nan_to_num().cpu().double()) > 1 + _ONE_DIRECTION:
        return problem
    return None


def _narrowness(codes):
    deviation = (codes - codes.mean(0)).square().sum(1).mean().sqrt()
    size = codes.square().sum(1).mean().sqrt()
    if not deviation > _SMALLEST_SHARE * size:
        return f"their deviation is {float(deviation):.2g} at a size of {float(size):.2g}"
    rank = _directions(codes)
    if codes.shape[1] > 1 and rank < 1 + _ONE_DIRECTION:
        return f"{codes.shape[1]} columns vary along one direction (effective rank {rank:.3f})"
    return None


def _directions(x):
    """In how many directions rows vary, each counted by its share of the variance."""
    x = (x - x.mean(0)).numpy()
    # Both products have the variances along the principal axes as singular values.
    return effective_rank(x.T @ x if x.shape[1] <= len(x) else x @ x.T)


def learn_variances(network, train_rows, seed):
    """Give normal columns of a VAE the variance that is likeliest given the other weights.

    That is the mean squared error: no need to wait for gradient steps to get there.
    """
    normal = [
        (part, columns)
        for part, columns in network.likelihood.parts()
        if type(part) is Gaussian and part.log_scale is not None
    ]
    if not normal:
        return
    generator = new_generator(seed, train_rows.device)

    def squared_error(rows):
        mean, log_variance = network.posterior(rows)
        noise = torch.randn(mean.shape, generator=generator, device=rows.device, dtype=rows.dtype)
        output = network.output(mean + noise * (0.5 * log_variance).exp())
        errors = network.likelihood.error(rows, output)
        return errors if network.inputs is None else errors.masked_fill(rows.isnan(), math.nan)

    mean, _ = moments(squared_error, train_rows)
    for part, columns in normal:
        part.set_variance(mean[columns].nan_to_num(nan=1.0))
