"""What is learned after training so that tables drawn from a model look like the table of fit."""

from dataclasses import dataclass

import numpy as np
import torch

from .._mixtures import fitted_mixture
from .._runtime.randomness import draw_integer, new_generator
from .._scaling.measure import Measure
from ..likelihoods import Bernoulli, Gaussian

_MOST_CODES = 2**13
_MOST_CANDIDATES = 2**14
_COMPONENTS, _MOST_NUMBERS = 10, 2500  # components, and numbers stored for all of them
# A value of the code whose mean hardly varies says nothing: there the posterior is the prior.
_SMALLEST_VARIANCE = 0.01
_LEVELS = 257  # quantiles


class Prior:
    """Codes drawn from the standard normal, the prior of the model."""

    def draw(self, n, latent_dim, generator):
        """Codes, ndarray of shape (n, latent_dim), float64."""
        shape = n, latent_dim
        return torch.randn(shape, generator=generator, dtype=torch.float64, device="cpu").numpy()


class AggregatePosterior(Prior):
    """Codes drawn from a Gaussian mixture fitted to the codes of the training rows.

    Parameters
    ----------
    mean, std : ndarray of shape (n_rows, latent_dim)
        Posteriors of training rows.
    seed : int

    References
    ----------
    Ghosh et al. (2020), *From variational to deterministic autoencoders*: ex-post density
    estimation.
    """

    def __init__(self, mean, std, seed):
        self.active = np.flatnonzero(mean.var(axis=0) > _SMALLEST_VARIANCE)
        draws = mean + std * np.random.RandomState(seed).normal(size=mean.shape)
        self.shares = np.ones(1)
        if not len(self.active):
            return
        width = len(self.active)
        n_numbers = width + width * (width + 1) // 2
        n_components = min(_COMPONENTS, _MOST_NUMBERS // n_numbers, len(mean) // (4 * width))
        n_components = max(1, n_components)
        mixture = fitted_mixture(
            draws[:, self.active],
            n_components,
            seed=seed,
            reg_covar=1e-4,
            tol=1e-2,
            init_params="k-means++",
        )
        roots = np.linalg.cholesky(mixture.covariances_)
        below = np.tril_indices(width)
        self.shares, self.means = mixture.weights_, mixture.means_.astype(np.float32)
        self.roots = roots[:, below[0], below[1]].astype(np.float32)

    def draw(self, n, latent_dim, generator):
        """Codes, ndarray of shape (n, latent_dim), float64."""
        codes = super().draw(n, latent_dim, generator)
        if not len(self.active):
            return codes
        uniform = torch.rand(n, generator=generator, dtype=torch.float64, device="cpu").numpy()
        chosen = np.searchsorted(np.cumsum(self.shares)[:-1], uniform)
        width = len(self.active)
        for number, mean in enumerate(self.means):
            rows, root = np.flatnonzero(chosen == number), np.zeros((width, width))
            root[np.tril_indices(width)] = self.roots[number]
            normal = codes[np.ix_(rows, self.active)]
            codes[np.ix_(rows, self.active)] = mean + np.einsum("ij,nj->ni", root, normal)
        return codes


class QuantileMaps:
    """Maps drawn cells of some columns so that they are distributed as those of fit.

    Parameters
    ----------
    columns : ndarray of int
    drawn, trained : ndarray of shape (n_rows, n_columns)
        Cells of these columns, drawn from the model and of training rows (NaN where missing).
    """

    def __init__(self, columns, drawn, trained):
        self.columns = columns
        levels = np.linspace(0, 1, _LEVELS)
        self.maps = [
            np.stack([np.quantile(a, levels), np.nanquantile(b, levels, method="nearest")]).astype(
                np.float32
            )
            for a, b in zip(drawn.T, trained.T, strict=True)
        ]

    def apply(self, cells):
        """A copy of cells of all columns, mapped."""
        cells = cells.copy()
        for j, (drawn, trained) in zip(self.columns, self.maps, strict=True):
            cells[:, j] = np.interp(cells[:, j], drawn, trained)
        return cells


def sample_of(train_rows):
    """A sample of the training rows, scaled cells."""
    multiset = train_rows.multiset
    return train_rows.take(train_rows.places(multiset.sample(_MOST_CODES)))


def aggregate_posterior(network, train_rows, seed):
    """The mixture of the codes of the training rows."""
    mean, log_variance = network.posterior(sample_of(train_rows))
    mean, std = (x.cpu().double().numpy() for x in (mean, (0.5 * log_variance).exp()))
    return AggregatePosterior(mean, std, seed)


def quantile_maps(network, train_rows, codes, columns, seed):
    """Maps for these columns, from what the network makes of drawn codes."""
    generator = new_generator(seed, train_rows.device)
    codes = codes.draw(
        _MOST_CODES, network.latent_dim, new_generator(draw_integer(new_generator(seed)))
    )
    outputs = network.output(torch.from_numpy(codes).float().to(train_rows.device))
    drawn = network.likelihood.sample(outputs, generator)[:, columns].cpu().numpy()
    trained = sample_of(train_rows)[:, columns].cpu().numpy()
    return QuantileMaps(columns, drawn, trained)


@dataclass(frozen=True)
class Generation:
    """What a VAE has learned beside its weights, so that drawn tables look like that of fit.

    Attributes
    ----------
    prior : Prior
        Where codes are drawn from.
    maps : QuantileMaps or None
    in_unit_interval : ndarray of shape (n_features,), bool
        Columns that a user says are within [0, 1], and that are not scaled.
    measure : Measure, default=None
        By what cells are measured when rows are scored.
    """

    prior: Prior
    maps: QuantileMaps | None
    in_unit_interval: np.ndarray
    measure: Measure | None = None

    def codes(self, n_samples, latent_dim, generator):
        """Codes, ndarray of shape (n_samples, latent_dim)."""
        return self.prior.draw(n_samples, latent_dim, generator)

    def codes_given(self, given, n_samples, latent_dim, generator, inference):
        """Codes drawn by the likelihood of ``given``, scaled cells of shape (1, n_features)."""
        codes = self.codes(max(_MOST_CANDIDATES, 4 * n_samples), latent_dim, generator)
        cells = torch.from_numpy(given)

        def likelihood(network, codes):
            output = network.output(codes).double()
            x = cells.to(output.device).expand(len(output), -1)
            return network.likelihood.log_prob(x, output)

        weights = inference.of_codes(likelihood, codes).sum(axis=1)
        ends = np.cumsum(np.exp(weights - weights.max()))
        uniform = torch.rand(n_samples, generator=generator, dtype=torch.float64, device="cpu")
        return codes[np.searchsorted(ends, uniform.numpy() * ends[-1]).clip(0, len(codes) - 1)]

    def like_training(self, cells, scaler):
        """Drawn scaled cells distributed as those of fit, and within their ranges."""
        if self.maps is not None:
            cells = self.maps.apply(cells)
        # Ends are stored rounded: the next float32 inside is not beyond the end itself.
        low = np.where(scaler.numbers, np.nextafter(scaler.low, scaler.high), scaler.low)
        high = np.where(scaler.numbers, np.nextafter(scaler.high, scaler.low), scaler.high)
        return np.clip(cells, low, high)


def learned_generation(network, train_rows, model, mixture, asked):
    """The :class:`Generation` of a trained network.

    Parameters
    ----------
    network : VariationalAutoencoder
    train_rows : TrainingRows
    model : Model
        But for its weights.
    mixture : bool
        Whether codes are drawn from a mixture of those of the training rows.
    asked : ndarray of shape (n_features,), bool
        Columns of which a user says what likelihood they have.
    """
    scaler, seed = model.scaler, model.seed
    prior = aggregate_posterior(network, train_rows, seed) if mixture else Prior()
    likelihoods = model.plan.likelihoods
    common = [j for j in scaler.common if likelihoods[j] is Gaussian]
    maps = quantile_maps(network, train_rows, prior, common, seed) if common else None
    bernoulli = np.array([kind is Bernoulli for kind in likelihoods])
    return Generation(prior, maps, asked & bernoulli & scaler.as_is)
