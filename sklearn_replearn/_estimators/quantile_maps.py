"""Maps of drawn columns, so that they are distributed as those of fit."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import kolmogorov, ndtr

from .._runtime.randomness import draw_integer, new_generator

# Of drawn columns and those of fit, which are compared and mapped by their quantiles.
_FEWEST_ROWS, _MOST_ROWS, _MOST_CELLS = 256, 2**13, 2**22
_SHARES = ndtr(np.linspace(-4, 4, 513))
_FIRST_KNOTS, _MOST_KNOTS, _SMALLEST_ERROR = range(0, 513, 64), 33, 5e-3
_LEVEL_OF_TEST = 0.05
_COLUMNS_AT_ONCE = 64
_SMALLEST_ATOM = 1 / 32  # share of the rows from which on a value is given exactly


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
    most = max(_FEWEST_ROWS, min(_MOST_ROWS, _MOST_CELLS // multiset.width))
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
