"""Training rows and rows held out."""

import numpy as np
import torch


def divided(multiset, validation_fraction, generator, units=None):
    """Training rows and, unless the fraction is 0, validation rows.

    Parameters
    ----------
    multiset : Multiset
    validation_fraction : float
        Share of the total weight held out.
    generator : torch.Generator, on the CPU
    units : ndarray of shape (n_distinct,), int, default=None
        Rows of one unit stay together; at least one unit is held out then. None: each row is one.

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
    numbers, weights, least = np.arange(len(multiset)), multiset.weights, 0
    if units is not None:
        numbers = np.unique(units, return_inverse=True)[1]
        weights, least = np.bincount(numbers, multiset.weights), 1
    order = torch.randperm(len(weights), generator=generator).numpy()
    share = weights / weights.sum()
    largest = validation_fraction + 1e-9
    # Those that weigh more than the fraction stay for training.
    order = np.concatenate([order[share[order] <= largest], order[share[order] > largest]])
    n_held_out = int(np.searchsorted(np.cumsum(share[order]), largest, side="right"))
    held_out = np.isin(numbers, order[: max(least, n_held_out)])
    if not held_out.any() or (~held_out).sum() < 2:
        raise ValueError(
            f"validation_fraction={validation_fraction} of {len(multiset)} distinct rows leaves "
            f"{(~held_out).sum()} for training (at least 2 are needed) and {held_out.sum()} for "
            "validation (at least 1). Give more rows, another fraction, or early_stopping=False."
        )
    return multiset.subset(np.flatnonzero(~held_out)), multiset.subset(np.flatnonzero(held_out))
