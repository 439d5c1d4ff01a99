"""Codes drawn from the posterior of rows, and their importance weights."""

import math

import torch
from torch.nn import functional as F

from .._runtime.randomness import new_generator


def opposite_pairs(n_draws, latent_dim, seed):
    """Draws from the standard normal, the same each time, Tensor of shape (n_draws, latent_dim)."""
    shape = math.ceil(n_draws / 2), latent_dim
    half = torch.randn(shape, generator=new_generator(seed), dtype=torch.float64, device="cpu")
    # Pairs of opposite draws: their errors of odd order cancel.
    return torch.cat([half, -half])[:n_draws]


def drawn_codes(network, part, noise):
    """Codes drawn for each row, seen through the likelihood.

    Parameters
    ----------
    network : VariationalAutoencoder
    part : rows of a table, see :class:`Inference`
    noise : Tensor of shape (n_draws, latent_dim), float64

    Returns
    -------
    output : Tensor of shape (n, n_draws, n_outputs), float64
    log_weights : Tensor of shape (n, n_draws)
        Importance weights of the draws.
    log_x : Tensor of shape (n, n_draws, n_features)
        Log-likelihood of each cell.
    """
    rows, seen = part.rows, part.seen
    n, n_draws, latent = len(rows), *noise.shape
    mean, log_variance = (moment.double() for moment in network.posterior(seen))
    # The network may be wider than the code: what is not there is zero.
    noise = F.pad(noise, (0, mean.shape[1] - latent)).to(rows.device)
    codes = mean[:, None] + (0.5 * log_variance).exp()[:, None] * noise
    output = network.output(codes.flatten(0, 1).to(seen.dtype))[: n * n_draws].double()
    repeated = rows.repeat_interleave(n_draws, 0)
    log_x = network.likelihood.log_prob(repeated, output).view(n, n_draws, -1)
    log_prior = -0.5 * codes[:n].square().sum(2)
    log_posterior = -0.5 * (noise.square().sum(1) + log_variance[:n].sum(1, keepdim=True))
    log_weights = log_x.sum(2) + log_prior - log_posterior
    return output.view(n, n_draws, -1), log_weights, log_x
