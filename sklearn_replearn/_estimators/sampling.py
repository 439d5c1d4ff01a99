"""What is learned after training so that tables drawn from a model look like the table of fit."""

from dataclasses import dataclass

import numpy as np

from .._scaling.measure import Measure
from ..likelihoods import Bernoulli, Gaussian, StudentT
from .code_priors import AggregatePosterior, Prior, learned_prior
from .missingness import Missingness
from .quantile_maps import quantile_maps

_MOST_CODES = 2**13


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
        Of codes: they are drawn from it, and rows are scored by it.
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
    prediction : Prediction or None
        Of missing cells, where it is not the decoder's.
    """

    prior: Prior
    maps: dict
    missingness: Missingness | None
    ids: np.ndarray
    in_unit_interval: np.ndarray
    measure: Measure
    density: object = None
    prediction: object = None

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


def learned_generation(network, train_rows, model, asked_prior, asked):
    """The :class:`Generation` of a trained network.

    Parameters
    ----------
    network : VariationalAutoencoder
    train_rows : TrainingRows
    model : Model
        But for its weights.
    asked_prior : {"auto", "normal", "mixture"} or Prior
        Of codes. "auto" is a mixture of those of the training rows, where these are of a table.
    asked : ndarray of shape (n_features,), bool
        Columns of which a user says what likelihood they have.
    """
    scaler, seed = model.scaler, model.seed
    prior = Prior()
    if network.prior is not None:
        prior = learned_prior(network)
    elif asked_prior == "mixture" or (asked_prior == "auto" and model.rows.tabular):
        prior = aggregate_posterior(network, train_rows, seed)
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
