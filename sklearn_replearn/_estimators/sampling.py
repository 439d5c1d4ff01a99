"""What is learned after training so that tables drawn from a model look like the table of fit."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import kolmogorov, ndtr

from .._mixtures import fitted_mixture
from .._runtime.randomness import draw_integer, new_generator
from .._scaling.measure import Measure
from ..likelihoods import Bernoulli, Gaussian, StudentT
from .missingness import Missingness

_MOST_CODES = 2**13
_COMPONENTS, _MOST_NUMBERS = 10, 2500  # components, and numbers stored for all of them
_MOST_ACTIVE = 64  # values of the code; others are drawn from the prior
# A value of the code whose mean hardly varies says nothing: there the posterior is the prior.
_SMALLEST_VARIANCE = 0.01
# Of drawn columns and those of fit, which are compared and mapped by their quantiles.
_FEWEST_ROWS, _MOST_CELLS = 256, 2**22
_SHARES = ndtr(np.linspace(-4, 4, 513))
_FIRST_KNOTS, _MOST_KNOTS, _SMALLEST_ERROR = range(0, 513, 64), 33, 5e-3
_LEVEL_OF_TEST = 0.05
_COLUMNS_AT_ONCE = 64
_FEWEST_IDS = 20
_SMALLEST_ATOM = 1 / 32  # share of the rows from which on a value is given exactly


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


@dataclass(frozen=True)
class QuantileMap:
    """Maps drawn cells of a column so that they are distributed as those of fit.

    Quantile to quantile, linear between at most 33 of them. Atoms, values that many rows of fit
    have, are given exactly and as often as there.

    Attributes
    ----------
    drawn, trained : ndarray of shape (n_knots,), float32
        Quantiles of scaled cells as the model draws them, and of those of fit as shares of their
        range: in original units a float32 has no room for some, and no digits for others.
    range : ndarray of shape (2,), float64
        Least and largest cell of fit, before they are rounded.
    atoms : ndarray of shape (n_atoms,), float64
    ends : ndarray of shape (2, n_atoms), float32
        Drawn cells between which an atom is given.
    """

    drawn: np.ndarray
    trained: np.ndarray
    range: np.ndarray
    atoms: np.ndarray
    ends: np.ndarray

    @classmethod
    def between(cls, drawn, trained):
        """The map from drawn to trained cells."""
        values, counts = np.unique(trained, return_counts=True)
        many = counts > max(1, _SMALLEST_ATOM * len(trained))
        upto = np.cumsum(counts)
        shares = np.stack([upto - counts, upto])[:, many] / len(trained)
        drawn = np.sort(drawn)
        middles = (np.arange(len(drawn)) + 0.5) / len(drawn)
        x, ends = (np.interp(below, middles, drawn) for below in (_SHARES, shares))
        ends[shares == 0], ends[shares == 1] = -np.inf, np.inf
        y = np.quantile(trained, _SHARES, method="nearest")
        knots = _knots(x, y, np.sort(trained), ~np.isin(y, values[many]))
        low, high = values[[0, -1]]
        return cls(
            x[knots].astype(np.float32),
            ((y[knots] - low) / (high - low or 1.0)).astype(np.float32),
            values[[0, -1]],
            values[many],
            ends.astype(np.float32),
        )

    def apply(self, cells):
        """Scaled cells of the column to its original units, ndarray of shape (n,), float64."""
        low, high = self.range
        values = low + (high - low) * np.interp(cells, self.drawn, self.trained)
        values = np.clip(values, low, high)
        for atom, low, high in zip(self.atoms, *self.ends, strict=True):
            values[(cells >= low) & (cells < high)] = atom
        return values


def _knots(x, y, trained, free):
    """Which quantiles a piecewise linear map from x to y is drawn through.

    One after the other where the share below is most wrong (Douglas and Peucker 1973); ``free`` are
    those that are no atoms.
    """
    knots = list(_FIRST_KNOTS)
    while len(knots) < _MOST_KNOTS:
        mapped = np.interp(x, x[knots], y[knots])
        below, upto = (
            np.searchsorted(trained, mapped, side) / len(trained) for side in ("left", "right")
        )
        wrong = np.maximum(below - _SHARES, _SHARES - upto) * free
        wrong[knots] = 0.0
        worst = int(wrong.argmax())
        if wrong[worst] < _SMALLEST_ERROR:
            break
        knots = sorted([*knots, worst])
    return knots


def sample_of(train_rows):
    """A sample of the training rows, scaled cells."""
    multiset = train_rows.multiset
    return train_rows.take(train_rows.places(multiset.sample(_MOST_CODES)))


def aggregate_posterior(network, train_rows, seed):
    """The mixture of the codes of the training rows."""
    mean, log_variance = network.posterior(sample_of(train_rows))
    mean, std = (x.cpu().double().numpy() for x in (mean, (0.5 * log_variance).exp()))
    return AggregatePosterior(mean, std, seed)


def _told_apart(drawn, trained):
    """Columns that differ by the test of Kolmogorov and Smirnov, ndarray of shape (n_columns,).

    Parameters
    ----------
    drawn : ndarray of shape (n_drawn, n_columns)
    trained : ndarray of shape (n_rows, n_columns)
        NaN where cells are missing.
    """
    known = ~np.isnan(trained)
    n_known = np.maximum(known.sum(axis=0), 1)
    steps = np.concatenate([np.full(drawn.shape, 1 / len(drawn)), -(known / n_known)])
    both = np.concatenate([drawn, trained])
    order = both.argsort(axis=0)
    both, steps = (np.take_along_axis(x, order, axis=0) for x in (both, steps))
    last = np.ones(both.shape, dtype=bool)
    last[:-1] = both[1:] != both[:-1]
    gap = (np.abs(steps.cumsum(axis=0)) * last).max(axis=0)
    n_effective = len(drawn) * n_known / (len(drawn) + n_known)
    return kolmogorov(np.sqrt(n_effective) * gap) < _LEVEL_OF_TEST


def _has_atoms(trained):
    """Columns of which some value is an atom, ndarray of shape (n_columns,), bool."""
    ordered = np.sort(trained, axis=0)
    n_known = (~np.isnan(trained)).sum(axis=0)
    times = np.maximum(1, np.floor(_SMALLEST_ATOM * n_known)).astype(np.intp)
    found = np.zeros(len(times), dtype=bool)
    for many in np.unique(times):
        which = times == many
        found[which] = (ordered[many:, which] == ordered[:-many, which]).any(axis=0)
    return found


def quantile_maps(network, train_rows, codes, columns, scaler, seed):
    """Maps for those of these columns that are drawn otherwise than they were in fit.

    Returns
    -------
    dict of int to QuantileMap
    """
    multiset, maps = train_rows.multiset, {}
    if not len(columns):
        return maps
    most = max(_FEWEST_ROWS, min(_MOST_CODES, _MOST_CELLS // multiset.width))
    generator = new_generator(seed, train_rows.device)
    codes = codes.draw(most, network.latent_dim, new_generator(draw_integer(new_generator(seed))))
    outputs = network.output(torch.from_numpy(codes).float().to(train_rows.device))
    drawn = network.likelihood.sample(outputs, generator).cpu().double().numpy()
    shown = scaler.original(scaler.inside(drawn))
    # Steps give common values by themselves, and so do ranks.
    exact = (scaler.grain.step > 0) | np.isin(np.arange(multiset.width), list(scaler.ranked))
    rows = multiset.sample(most)
    for some in np.array_split(columns, math.ceil(len(columns) / _COLUMNS_AT_ONCE)):
        trained = np.stack(list(multiset.columns(rows, some)), axis=1).astype(np.float64)
        mapped = _told_apart(shown[:, some], trained) | (_has_atoms(trained) & ~exact[some])
        mapped &= ~np.isnan(trained).all(axis=0)
        for j, cells in zip(some[mapped], trained.T[mapped], strict=True):
            maps[int(j)] = QuantileMap.between(drawn[:, j], cells[~np.isnan(cells)])
    return maps


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
        Columns of categories in which each row of fit has a level of its own, such as names.
    in_unit_interval : ndarray of shape (n_features,), bool
        Columns that a user says are within [0, 1], and that are not scaled.
    measure : Measure, default=None
        By what cells are measured when rows are scored.
    """

    prior: Prior
    maps: dict
    missingness: Missingness | None
    ids: np.ndarray
    in_unit_interval: np.ndarray
    measure: Measure | None = None

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
    ids = ids_among(train_rows.multiset, scaler.levels)
    return Generation(prior, maps, missingness, ids, asked & bernoulli & scaler.as_is)


def ids_among(multiset, levels):
    """Columns of categories in which each row has a level of its own, ndarray of int.

    Of at least 20 rows; ordered categories are no names.
    """
    few = np.flatnonzero((levels.sizes >= _FEWEST_IDS) & ~levels.ordered)
    columns = multiset.columns(slice(None), few)
    known = [multiset.weights[~np.isnan(cells)].sum() for cells in columns]
    return few[levels.sizes[few] >= np.array(known)]
