"""The slot before that tells most about the symbol of a slot, and what it tells."""

import torch

_PRIORS = 0.1, 1.0, 10.0, 100.0  # rows that the shares of all rows count for

_EXPECTED, _SELDOM, _ROWS = 10.0, 0.05, 0.5  # rows; share of them that there are; rows of a prior


def log_lifts(one_hot, sizes):
    """What the symbol of one slot before adds to the logarithms of the shares of symbols.

    For each slot the one slot before (its parent) is taken that tells most about rows left out,
    and shares given its symbol are drawn towards those of all rows as far as is best for these.
    Beside it count pairs of symbols that are hardly ever together, whatever their slots.

    Parameters
    ----------
    one_hot : Tensor of shape (n, n_symbols)
        Which symbol each slot has.
    sizes : list of int
        Symbols of each slot.

    Returns
    -------
    Tensor of shape (n_symbols, n_symbols)
        Row ``b``, column ``a``: log p(b | a) - log p(b), where the slot of ``a`` is the parent of
        the slot of ``b``, or where both are hardly ever together; else 0.

    References
    ----------
    Chow and Liu (1968), *Approximating discrete probability distributions with dependence trees*:
    here for a given order of slots.
    """
    together = one_hot.T @ one_hot
    counts, lifts = together.diagonal(), torch.zeros_like(together)
    starts = [sum(sizes[:s]) for s in range(len(sizes))]
    for t, size in enumerate(sizes):
        if size < 2:
            continue
        own = slice(starts[t], starts[t] + size)
        shares = (counts[own] + _ROWS) / (counts[own] + _ROWS).sum()
        best = _left_out(counts[own][:, None], shares, _ROWS * size)
        for s in range(t):
            of_parent = slice(starts[s], starts[s] + sizes[s])
            table = together[own, of_parent]
            for prior in _PRIORS if sizes[s] > 1 else ():
                reached = _left_out(table, shares, prior)
                if reached > best:
                    best = reached
                    given = (table + prior * shares[:, None]) / (table.sum(0) + prior)
                    lifts[own] = 0.0
                    lifts[own, of_parent] = given.log() - shares.log()[:, None]
        lifts[own, : starts[t]] += _seldom_together(
            together[own, : starts[t]], shares, counts[: starts[t]], lifts[own, : starts[t]] != 0
        )
    return lifts


def _seldom_together(table, shares, counts, of_parent):
    """Lifts of symbols that are hardly ever together though each is common."""
    expected = shares[:, None] * counts
    ratio = (table + _ROWS) / (expected + _ROWS)
    seldom = (expected >= _EXPECTED) & (ratio < _SELDOM) & ~of_parent
    return torch.where(seldom, ratio, 1.0).log()


def _left_out(table, shares, prior):
    """Log-likelihood of all rows, each by the others."""
    left = (table - 1).clamp_min(0) + prior * shares[:, None]
    return (table * (left.log() - ((table.sum(0) - 1).clamp_min(0) + prior).log())).sum()
