"""Codes drawn from the posterior of rows, and their importance weights."""

import math
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
import torch
from torch.nn import functional as F
from torch.quasirandom import SobolEngine

from .._dataset.hashing import hashes_of, scrambled
from .._runtime.arrays import CHUNK, padded_size
from .._runtime.randomness import draw_integer, new_generator
from .._tables.holes import beside_others, with_holes

_TINY, _HASHED = 2.0**-54, 2.0**12


class Draws:
    """Draws from the standard normal for each row, the same each time.

    Quasi-random points, moved for each row by what looks random and follows from the row itself: so
    rows do not share their errors, and a row has the same draws in any company. They come in pairs
    of opposite draws, whose errors of odd order cancel.

    Parameters
    ----------
    n_draws, latent_dim, seed : int

    References
    ----------
    Cranley and Patterson (1976), *Randomization of number theoretic methods for multiple
    integration*. Owen (1998), *Scrambling Sobol' and Niederreiter-Xing points*.
    """

    def __init__(self, n_draws, latent_dim, seed):
        self.n_draws, self.latent_dim, self.seed = n_draws, latent_dim, seed
        self.points = _points(math.ceil(n_draws / 2), latent_dim, seed)

    def __len__(self):
        return self.n_draws

    def times(self, factor):
        """So many times as many."""
        return Draws(factor * self.n_draws, self.latent_dim, self.seed)

    def with_another(self):
        """As many for a code that has a value more."""
        return Draws(self.n_draws, self.latent_dim + 1, self.seed)

    def of(self, rows):
        """Draws for scaled rows, Tensor of shape (n, n_draws, latent_dim), float64, on the CPU."""
        # Of the first bits: a column in other units has other last ones when scaled.
        fraction, exponent = np.frexp(rows.cpu().numpy())
        hashes = hashes_of(np.ldexp(np.rint(fraction * _HASHED), exponent))
        seed = scrambled(np.array([self.seed + 1, self.n_draws], dtype=np.uint64)).sum()
        streams = scrambled(hashes ^ seed)[:, None] + np.arange(self.latent_dim, dtype=np.uint64)
        shift = (scrambled(streams) >> np.uint64(11)) * 2.0**-53
        points = self.points + shift[:, None]
        points -= points >= 1
        points = points.clip(_TINY, 1 - 2 * _TINY, out=points)
        half = torch.special.ndtri(torch.from_numpy(points))
        return torch.cat([half, -half], dim=1)[:, : self.n_draws]


# To scramble them takes longer than to score a row; those of some models are at hand.
@lru_cache(maxsize=8)
def _points(n, latent_dim, seed):
    """Scrambled Sobol points, ndarray of shape (n, latent_dim), not to be written to."""
    width = min(latent_dim, SobolEngine.MAXDIM)
    engine = SobolEngine(width, scramble=True, seed=seed)
    points = engine.draw(n, dtype=torch.float64).cpu().numpy()
    points = points[:, np.arange(latent_dim) % width]
    points.flags.writeable = False
    return points


@dataclass(frozen=True)
class Cells:
    """Scaled cells of some rows, and how they are measured.

    Attributes
    ----------
    rows, lower, upper, log_unit : Tensor of shape (n, n_features), float64
        See :meth:`Measure.of`; no ends where all cells have densities.
    """

    rows: torch.Tensor
    lower: torch.Tensor | None
    upper: torch.Tensor | None
    log_unit: torch.Tensor

    @classmethod
    def of(cls, part, measure):
        """Those of a part of a table."""
        scaled = part.rows
        lower, upper, log_unit = measure.of(part.values, scaled.cpu().numpy())
        if np.isnan(lower).all():
            return cls(scaled, None, None, torch.from_numpy(log_unit).to(scaled.device))
        ends = (torch.from_numpy(x).to(scaled.device) for x in (lower, upper, log_unit))
        return cls(scaled, *ends)

    def copied(self):
        """A copy, from which gradients may be taken outside of inference mode."""
        values = (getattr(self, field.name) for field in fields(self))
        return Cells(*(None if value is None else value.clone() for value in values))

    def log_x(self, likelihood, output):
        """Log-likelihood of each cell, but for ``log_unit``.

        Parameters
        ----------
        likelihood : Likelihood
        output : Tensor of shape (n, n_draws, n_outputs)

        Returns
        -------
        Tensor of shape (n, n_draws, n_features)
        """
        n, n_draws, _ = output.shape
        rows, output = self.rows.repeat_interleave(n_draws, 0), output.flatten(0, 1)
        if self.lower is None:
            log_x = likelihood.log_prob(rows, output)
        else:
            ends = (end.repeat_interleave(n_draws, 0) for end in (self.lower, self.upper))
            log_x = likelihood.log_measure(rows, *ends, output)
        return log_x.view(n, n_draws, -1)


@dataclass(frozen=True)
class Normal:
    """A normal distribution for the code of each row.

    Attributes
    ----------
    mean : Tensor of shape (n, latent_dim)
    root : Tensor of shape (n, latent_dim) or (n, latent_dim, latent_dim)
        Standard deviations, or what a standard normal is multiplied with.
    log_root : Tensor of shape (n,)
        Logarithm of its determinant.
    """

    mean: torch.Tensor
    root: torch.Tensor
    log_root: torch.Tensor

    def draw(self, noise):
        """Codes from draws of the standard normal, of shape (n, n_draws, latent_dim)."""
        if self.root.dim() == 2:
            return self.mean[:, None] + self.root[:, None] * noise
        return self.mean[:, None] + noise @ self.root.mT

    def divergence(self):
        """KL divergence from the standard normal, Tensor of shape (n,)."""
        spread = self.root.square().flatten(1).sum(1)
        squares = self.mean.square().sum(1) + spread
        return 0.5 * (squares - self.mean.shape[1]) - self.log_root


def encoded(network, part, latent_dim):
    """What the encoder takes for the posterior of the code of each row, a :class:`Normal`."""
    n = len(part.rows)
    mean, log_variance = (
        moment[:n, :latent_dim].double() for moment in network.posterior(part.seen)
    )
    return Normal(mean, (0.5 * log_variance).exp(), 0.5 * log_variance.sum(1))


def outputs(network, codes, dtype):
    """What the decoder says of codes, (n, n_draws, latent_dim) to (n, n_draws, n_outputs)."""
    n, n_draws, latent_dim = codes.shape
    # The network may be wider than the code: what is not there is zero.
    missing = padded_size(n * n_draws) - n * n_draws
    flat = F.pad(codes.flatten(0, 1).to(dtype), (0, network.latent_dim - latent_dim, 0, missing))
    at_once = CHUNK if flat.device.type == "cpu" else len(flat)
    output = torch.cat([network.output(part) for part in flat.split(at_once)])
    return output[: n * n_draws].double().view(n, n_draws, -1)


def drawn_codes(network, part, draws, prior):
    """Codes drawn for each row, seen through the likelihood.

    Parameters
    ----------
    network : VariationalAutoencoder
    part : rows of a table, see :class:`Inference`
    draws : Draws
    prior : Prior

    Returns
    -------
    output : Tensor of shape (n, n_draws, n_outputs), float64
    log_weights : Tensor of shape (n, n_draws)
        Importance weights of the draws.
    """
    rows, n_draws = part.rows, len(draws)
    posterior, noise = encoded(network, part, draws.latent_dim), draws.of(rows).to(rows.device)
    codes = posterior.draw(noise)
    output = outputs(network, codes, part.seen.dtype)
    log_x = network.likelihood.log_prob(rows.repeat_interleave(n_draws, 0), output.flatten(0, 1))
    log_x = log_x.view(len(rows), n_draws, -1).sum(2)
    return output, log_x + log_ratio(codes, noise, posterior, prior)


def one_drawn(network, part, which, draws, prior, generator):
    """What the likelihood takes of one of these codes for each row, drawn by its weight.

    Only rows ``which`` are computed. Random numbers are drawn for all, so that those of a row
    follow from its place; what the others have means nothing.
    """
    n, dtype = len(part.values), part.inference.dtype
    uniform = torch.rand(
        (n, len(draws)), generator=generator, device=part.rows.device, dtype=torch.float64
    )
    if not len(which):
        nothing = torch.zeros((1, 1, draws.latent_dim), dtype=dtype, device=uniform.device)
        return outputs(network, nothing, dtype)[0].expand(n, -1)
    output, log_weights = drawn_codes(network, part.take(which), draws, prior)
    # The largest with Gumbel noise is a draw in proportion to the weights.
    uniform = uniform[torch.from_numpy(which)].clamp(1e-12, 1 - 1e-12)
    chosen = (log_weights - torch.log(-torch.log(uniform))).argmax(1)
    output = output[torch.arange(len(output), device=output.device), chosen]
    return output[torch.from_numpy(beside_others(np.arange(len(which)), which, n))]


def cells_from_posterior(inference, table, draws, prior, generator):
    """Scaled cells drawn from the likelihood, each row's given one code drawn by its weight.

    Complete rows, of which nothing is asked, are computed only where draws of others depend on it.

    Parameters
    ----------
    inference : Inference
    table : ndarray of shape (n_rows, n_features)
    draws : Draws
    prior : Prior
    generator : torch.Generator

    Returns
    -------
    ndarray of shape (n_rows, n_features), float64
    """
    noise = new_generator(draw_integer(generator), inference.device)

    def drawn(network, part):
        likelihood = network.likelihood
        which = with_holes(part.values) if likelihood.draws_alike else np.arange(len(part.values))
        return likelihood.sample(one_drawn(network, part, which, draws, prior, noise), noise)

    return inference.of_table(drawn, table, table.shape[1], np.float64, n_each=len(draws))


def log_ratio(codes, noise, posterior, prior):
    """Log-density of codes by the prior over that by the distribution they were drawn from."""
    return prior.log_density(codes) + 0.5 * noise.square().sum(2) + posterior.log_root[:, None]
