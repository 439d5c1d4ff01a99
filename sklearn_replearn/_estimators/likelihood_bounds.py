"""Lower bounds of the log-likelihood of rows, by importance sampling of their codes."""

import math

import numpy as np
import torch

from .importance import Cells, Normal, encoded, log_ratio, outputs

# Shares of the draws, as many of which have to weigh something.
_GOOD, _ENOUGH = 0.6, 0.1
_FROM_PRIOR = -1
_STEPS = 1, 4  # of Gauss and Newton; of rows for which the first are too few
_DIFFERENCE = 0.1  # in standard deviations of the encoder
_SHRUNK = 1.0, 0.5, 0.25, 0.0625, 0.0
_LARGEST = 1e10  # curvature
_MOST_ADAPTED = 128  # values in a code
_FACTOR, _ROUNDS = 4, 2
_MOST_CELLS = 2**24  # of all draws for a row together, 128 MiB
N_FIGURES = 4


def bounds_of(inference, table, measure, draws, prior):
    """Bounds of the log-likelihood of each row of a table.

    Codes are drawn from the encoder's posterior. Where few of the draws weigh something, or cells
    are missing, as many are drawn from the normal distribution that fits the exact posterior at its
    mode, if that is better; and where that is not enough, more, if memory has room for them.

    Parameters
    ----------
    inference : Inference
    table : ndarray of shape (n_rows, n_features)
    measure : Measure
    draws : Draws
    prior : Prior

    Returns
    -------
    ndarray of shape (n_rows, 4 + n_features)
        The bound; its standard error; how many draws weigh something; minus the divergence of what
        codes were drawn from; and the expected log-likelihood of each cell.
    """
    latent_dim, n_draws = draws.latent_dim, len(draws)

    def found(n_steps, draws, table):
        def of_part(network, part):
            cells = Cells.of(part, measure)
            if n_steps == _FROM_PRIOR:
                return _weighed(network, part, cells, None, draws, prior)
            proposal = encoded(network, part, latent_dim)
            if n_steps:
                proposal = at_mode(network, cells, proposal, part.seen.dtype, n_steps, prior)
            return _weighed(network, part, cells, proposal, draws, prior)

        width = N_FIGURES + table.shape[1]
        n_each = max(len(draws), 2 * latent_dim + 1) if n_steps > 0 else len(draws)
        return inference.of_table(of_part, table, width, np.float64, n_each=n_each)

    bounds = found(0, draws, table)
    steps = np.zeros(len(table), dtype=int)
    # Of cells that are missing an encoder may know nothing, and be too sure.
    unsure = np.isnan(table).any(axis=1) if isinstance(table, np.ndarray) else steps > 0
    for n_steps, share in zip(_STEPS, (_GOOD, _ENOUGH), strict=True):
        poor = np.flatnonzero((bounds[:, 2] < share * n_draws) | (unsure & (steps == 0)))
        if len(poor) and latent_dim <= _MOST_ADAPTED:
            again = found(n_steps, draws, table[poor])
            better = again[:, 2] > bounds[poor, 2]
            steps[poor[better]], bounds[poor[better]] = n_steps, again[better]
    if prior.has_peaks and unsure.any():
        # Cells that are there may leave several of them, and a normal distribution finds one.
        poor = np.flatnonzero(unsure)
        again = found(_FROM_PRIOR, draws, table[poor])
        better = again[:, 2] > bounds[poor, 2]
        steps[poor[better]], bounds[poor[better]] = _FROM_PRIOR, again[better]
    for _ in range(_ROUNDS):
        too_wide = _FACTOR * len(draws) * table.shape[1] > _MOST_CELLS
        if too_wide or not (bounds[:, 2] < _ENOUGH * n_draws).any():
            break
        draws = draws.times(_FACTOR)
        for n_steps in (0, *_STEPS, _FROM_PRIOR):
            poor = np.flatnonzero((bounds[:, 2] < _ENOUGH * n_draws) & (steps == n_steps))
            if len(poor):
                bounds[poor] = found(n_steps, draws, table[poor])
    return bounds


def _weighed(network, part, cells, proposal, draws, prior):
    """See :func:`bounds_of`, Tensor of shape (n, 4 + n_features); None draws from the prior."""
    if proposal is None:
        codes = prior.codes(draws.with_another().of(part.rows).to(part.rows.device))
        ratio = torch.zeros_like(codes[:, :, 0])
    else:
        noise = draws.of(part.rows).to(part.rows.device)
        codes = proposal.draw(noise)
        ratio = log_ratio(codes, noise, proposal, prior)
    log_x = cells.log_x(network.likelihood, outputs(network, codes, part.seen.dtype))
    log_weights = log_x.sum(2) + ratio + cells.log_unit.sum(1, keepdim=True)
    bound = torch.logsumexp(log_weights, 1) - math.log(len(draws))
    weights = log_weights.softmax(1)
    # By the same draws as the bound, so that a sum of terms is not above it.
    divergence = ratio.mean(1).clamp_max(0)
    exact = None if proposal is None else prior.divergence_of(proposal)
    if exact is not None:
        divergence = torch.minimum(divergence, -exact)
    figures = [bound, _standard_error(weights), 1 / weights.square().sum(1), divergence]
    return torch.cat([torch.stack(figures, dim=1), log_x.mean(1) + cells.log_unit], dim=1)


def _standard_error(weights):
    """Of the logarithm of their mean, from weights of sum 1."""
    n_draws = weights.shape[1]
    if n_draws % 2 == 0:  # opposite draws are no two independent ones
        weights = weights[:, : n_draws // 2] + weights[:, n_draws // 2 :]
    n_draws = weights.shape[1]
    if n_draws == 1:
        return torch.full_like(weights[:, 0], math.nan)
    excess = (n_draws * weights.square().sum(1) - 1).clamp_min(0)
    return (excess / (n_draws - 1)).sqrt()


def at_mode(network, cells, start, dtype, n_steps, prior):
    """The normal distribution that fits the posterior of each row's code at its mode.

    Steps of Gauss and Newton from the encoder's mean: the decoder is taken to be linear around it,
    by central differences, and the likelihood's curvature is that of its gradient along these. So
    nothing has to be differentiated but the likelihood, which training differentiates as well.

    Parameters
    ----------
    network : VariationalAutoencoder
    cells : Cells
    start : Normal
    dtype : torch.dtype
        Of the network.
    n_steps : int
    prior : Prior

    Returns
    -------
    Normal
    """
    mean = start.mean
    for step in range(n_steps + 1):
        gradient, curvature = _linearised(network, cells, mean, _DIFFERENCE * start.root, dtype)
        pull, precision = prior.curvature(mean)
        values, vectors = torch.linalg.eigh(curvature)
        precision = precision + (vectors * values.clamp_min(0.0)[:, None]) @ vectors.mT
        # By Cholesky: eigenvectors of like values would turn with the last bits.
        lower = torch.linalg.cholesky(precision)
        if step == n_steps:
            break
        towards = torch.cholesky_solve((gradient + pull)[:, :, None], lower)[:, :, 0]
        tried = mean[:, None] + mean.new_tensor(_SHRUNK)[:, None] * towards[:, None]
        log_x = cells.log_x(network.likelihood, outputs(network, tried, dtype))
        best = (log_x.sum(2) + prior.log_density(tried)).argmax(1)
        mean = tried[torch.arange(len(tried), device=tried.device), best]
    identity = torch.eye(mean.shape[1], dtype=mean.dtype, device=mean.device).expand_as(lower)
    root = torch.linalg.solve_triangular(lower.mT, identity, upper=True)
    return Normal(mean, root, -lower.diagonal(dim1=1, dim2=2).log().sum(1))


def _linearised(network, cells, mean, difference, dtype):
    """Gradient of the log-likelihood at codes, and minus its curvature there."""
    latent_dim = mean.shape[1]
    steps = torch.diag_embed(difference)
    around = torch.cat([mean[:, None], mean[:, None] + steps, mean[:, None] - steps], dim=1)
    output = outputs(network, around, dtype)
    gradients = _gradients(network.likelihood, cells, output)
    slopes, turns = (
        (x[:, 1 : latent_dim + 1] - x[:, latent_dim + 1 :]) / (2 * difference)[:, :, None]
        for x in (output, gradients)
    )
    gradient = (slopes @ gradients[:, 0, :, None])[:, :, 0].nan_to_num(0.0)
    # Of rows so far out that nothing fits them the curvature may be anything.
    curvature = (slopes @ turns.mT).nan_to_num(0.0).clamp(-_LARGEST, _LARGEST)
    return gradient, -0.5 * (curvature + curvature.mT)


def _gradients(likelihood, cells, output):
    """Of the log-likelihood of rows by what the decoder says of them."""
    with torch.inference_mode(False), torch.enable_grad():
        cells, output = cells.copied(), output.clone().requires_grad_(True)
        total = cells.log_x(likelihood, output).sum()
        return torch.autograd.grad(total, output)[0].nan_to_num(0.0)
