"""What is learned after training so that tables drawn from a model look like the table of fit."""

from dataclasses import dataclass

import numpy as np
import torch

from .._mixtures import fitted_mixture
from .._scaling.measure import Measure
from ..likelihoods import Bernoulli, Gaussian, StudentT
from .missingness import Missingness
from .quantile_maps import quantile_maps

_MOST_CODES = 2**13
_COMPONENTS, _MOST_NUMBERS = 10, 2500  # components, and numbers stored for all of them
_MOST_ACTIVE = 64  # values of the code; others are drawn from the prior
# A value of the code whose mean hardly varies says nothing: there the posterior is the prior.
_SMALLEST_VARIANCE = 0.01


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
        variance = mean.var(axis=0)
        most = np.argsort(-variance, kind="stable")[:_MOST_ACTIVE]
        self.active = np.sort(most[variance[most] > _SMALLEST_VARIANCE])
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
        # In half precision, which is ample for codes of deviation 1.
        self.shares, self.means = mixture.weights_, mixture.means_.astype(np.float16)
        self.roots = roots[:, below[0], below[1]].astype(np.float16)

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


def sample_of(train_rows):
    """A sample of the training rows, scaled cells."""
    multiset = train_rows.multiset
    return train_rows.take(train_rows.places(multiset.sample(_MOST_CODES)))


def aggregate_posterior(network, train_rows, seed):
    """The mixture of the codes of the training rows."""
    mean, log_variance = network.posterior(sample_of(train_rows))
    mean, std = (x.cpu().double().numpy() for x in (mean, (0.5 * log_variance).exp()))
    return AggregatePosterior(mean, std, seed)


@dataclass(frozen=True)
class Generation:
    """What a VAE has learned beside its weights, so that drawn tables look like that of fit.

    Attributes
    ----------
    prior : Prior
        Where codes are drawn from.
    maps : dict of int to QuantileMap
        Of the columns that need one.
    missingness : Missingness or None
        None where no cell was missing.
    ids : ndarray of int
        Columns of categories in which nearly each row of fit has a level of its own, such as names.
    in_unit_interval : ndarray of shape (n_features,), bool
        Columns that a user says are within [0, 1], and that are not scaled.
    measure : Measure
        By what cells are measured when rows are scored.
    density : AutoregressiveDensity or None
        Of rows, where it is not that of the decoder.
    """

    prior: Prior
    maps: dict
    missingness: Missingness | None
    ids: np.ndarray
    in_unit_interval: np.ndarray
    measure: Measure
    density: object = None

    def codes(self, n_samples, latent_dim, generator):
        """Codes, ndarray of shape (n_samples, latent_dim)."""
        return self.prior.draw(n_samples, latent_dim, generator)

    def missing(self, shape, as_fit, generator):
        """Which drawn cells are missing: those of ids, and ``as_fit`` those that are so there."""
        gone = np.zeros(shape, dtype=bool)
        if as_fit and self.missingness is not None:
            gone = self.missingness.draw(*shape, generator)
        gone[:, self.ids] = True
        return gone

    def shown(self, cells, scaler):
        """Drawn scaled cells in original units, distributed as those of fit and in their ranges."""
        values = scaler.unscale(scaler.inside(cells))
        for j, of_column in self.maps.items():
            values[:, j] = of_column.apply(cells[:, j])
        return scaler.on_steps(values)


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
    bell_shaped = np.array([kind in (Gaussian, StudentT) for kind in likelihoods])
    bell_shaped &= scaler.numbers & ~scaler.idle & ~scaler.constant & model.rows.tabular
    maps = quantile_maps(network, train_rows, prior, np.flatnonzero(bell_shaped), scaler, seed)
    bernoulli = np.array([kind is Bernoulli for kind in likelihoods])
    missing = scaler.missing & model.rows.tabular
    missingness = Missingness.of_rows(train_rows, missing) if missing.any() else None
    ids = model.schema.identifiers
    within = asked & bernoulli & scaler.as_is
    measure = Measure(scaler, train_rows.multiset, likelihoods)
    return Generation(prior, maps, missingness, ids, within, measure)
