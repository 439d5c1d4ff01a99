"""Both ends of a network: what its encoder takes of a table, and what its decoder says of it."""

import numpy as np

from .._tables.levels import digits_of
from ..likelihoods import (
    Bernoulli,
    Categorical,
    Gaussian,
    Joint,
    NegativeBinomial,
    Ordinal,
    PointMasses,
    Poisson,
    StudentT,
)
from ..modules import ColumnEncoding


def inputs_for(columns, hides=False):
    """The first module of an encoder, or None where it takes scaled cells as they are.

    Parameters
    ----------
    columns : Columns
    hides : bool, default=False
        Whether augmentations make cells missing: then any column may have missing cells.
    """
    if columns.plain and not hides:
        return None
    missing = columns.missing | hides
    return ColumnEncoding(
        columns.n_levels.tolist(), missing.tolist(), columns.shares, columns.rarity
    )


def likelihood_for(columns, scale):
    """The likelihood of the columns, each of its own kind.

    Parameters
    ----------
    columns : Columns
    scale : float or None
        Of normal columns; None learns it.

    Returns
    -------
    Likelihood
        Of one kind where all columns are of that kind.
    """
    kinds = columns.likelihoods.astype(object)
    for j, scores in columns.ranked.items():
        if kinds[j] == "gaussian" and len(scores.intervals()[0]):
            kinds[j] = "point masses"
    parts = []
    for kind, make in _MAKERS.items():
        chosen = np.flatnonzero(kinds == kind).tolist()
        if chosen:
            parts.append((make(columns, chosen, scale), chosen))
    return parts[0][0] if len(parts) == 1 else Joint(parts)


def _shares(columns, j):
    """Share of each level of a column among the rows; the same for all where they are many."""
    n_levels = columns.n_levels
    widths = [sum(size for _, size in digits_of(count)) for count in n_levels]
    start = sum(widths[:j])
    told_apart = widths[j] == n_levels[j]
    shares = columns.shares[start : start + widths[j]].tolist()
    return shares if told_apart else [1 / n_levels[j]] * n_levels[j]


def _counts(likelihood, columns, chosen, scale):
    rates = columns.rates[chosen]
    # A likelihood of counts given their total is none of the counts: only for errors.
    if scale is None or columns.rarity is None:
        return likelihood(len(chosen), rates)
    total = max(float(rates.sum()), 1e-9)
    return likelihood(len(chosen), rates / total, total)


_MAKERS = {
    "gaussian": lambda columns, chosen, scale: Gaussian(len(chosen), scale),
    "point masses": lambda columns, chosen, scale: PointMasses(
        [columns.ranked[j].intervals() for j in chosen], scale
    ),
    "student_t": lambda columns, chosen, scale: StudentT(len(chosen)),
    "bernoulli": lambda columns, chosen, scale: Bernoulli(len(chosen)),
    "poisson": lambda columns, chosen, scale: _counts(Poisson, columns, chosen, scale),
    "negative_binomial": lambda columns, chosen, scale: _counts(
        NegativeBinomial, columns, chosen, scale
    ),
    "categorical": lambda columns, chosen, scale: Categorical(
        columns.n_levels[chosen].tolist(), columns.n_rows
    ),
    "ordinal": lambda columns, chosen, scale: Ordinal(
        columns.n_levels[chosen].tolist(), columns.n_rows, [_shares(columns, j) for j in chosen]
    ),
}
