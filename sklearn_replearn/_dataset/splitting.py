"""Training rows and rows held out."""

import numpy as np
import torch

from .epochs import is_large, rows_of_block
from .stretches import Stretches


def divided(multiset, validation_fraction, generator, units=None):
    """Training rows and, unless the fraction is 0, validation rows.

    Parameters
    ----------
    multiset : Multiset
    validation_fraction : float
        Share of the total weight held out.
    generator : torch.Generator, on the CPU
    units : ndarray of shape (n_distinct,), int, default=None
        Rows of one unit stay together; at least one unit is held out then. None: each row is one,
        or, of a large table, each block of rows in canonical order, which is a random one.

    Returns
    -------
    tuple of Multiset and Multiset or None

    Raises
    ------
    ValueError
        If fewer than two rows are left for training, or none for validation.
    """
    if not validation_fraction:
        return multiset, None
    rows, least = _Alone(multiset), 0
    if units is not None:
        rows, least = _InUnits(multiset, units), 1
    elif is_large(len(multiset), multiset.width):
        rows = _InBlocks(multiset)
    weights = rows.weights
    order = torch.randperm(len(weights), generator=generator).numpy()
    share = weights / weights.sum()
    largest = validation_fraction + 1e-9
    # Those that weigh more than the fraction stay for training.
    order = np.concatenate([order[share[order] <= largest], order[share[order] > largest]])
    n_held_out = int(np.searchsorted(np.cumsum(share[order]), largest, side="right"))
    held_out = np.zeros(len(weights), dtype=bool)
    held_out[order[: max(least, n_held_out)]] = True
    kept, out = rows.where(~held_out), rows.where(held_out)
    if not len(out) or len(kept) < 2:
        raise ValueError(
            f"validation_fraction={validation_fraction} of {len(multiset)} distinct rows leaves "
            f"{len(kept)} for training (at least 2 are needed) and {len(out)} for "
            "validation (at least 1). Give more rows, another fraction, or early_stopping=False."
        )
    return multiset.subset(kept), multiset.subset(out)


class _Alone:
    """Each row by itself: what it weighs, and the numbers of those that are chosen."""

    def __init__(self, multiset):
        self.weights = multiset.weights[:]

    def where(self, chosen):
        return np.flatnonzero(chosen)


class _InUnits:
    """Rows of a unit together."""

    def __init__(self, multiset, units):
        self._numbers = np.unique(units, return_inverse=True)[1]
        self.weights = np.bincount(self._numbers, multiset.weights)

    def where(self, chosen):
        return np.flatnonzero(chosen[self._numbers])


class _InBlocks:
    """Rows that follow each other together."""

    def __init__(self, multiset):
        self._starts = np.arange(0, len(multiset), rows_of_block(multiset.width))
        self._stops = np.append(self._starts[1:], len(multiset))
        blocks = zip(self._starts.tolist(), self._stops.tolist(), strict=True)
        self.weights = np.array([multiset.weights[a:b].sum() for a, b in blocks])

    def where(self, chosen):
        return Stretches(self._starts[chosen], self._stops[chosen])
