"""Rows to batches: whole-tensor slices for training, chunks of rows for inference."""

import math

import numpy as np
import torch
from torch.utils.data import Dataset

from ._rows import Multiset

CHUNK = 1024
# Kernels treat the last few rows of a matrix otherwise than those before them.
_ROW_MULTIPLE = 16


class TrainingRows(Dataset):
    """Rows as one tensor, with the multiset that says how often each is drawn.

    Parameters
    ----------
    rows : ndarray of shape (n_distinct, n_features), float32
    weights : ndarray of shape (n_distinct,), float64
    device : torch.device, default="cpu"
    """

    def __init__(self, rows, weights, device="cpu"):
        self.multiset = Multiset(rows, weights)
        self.rows = torch.from_numpy(rows).to(device)

    def __len__(self):
        return self.multiset.n_draws

    def __getitem__(self, index):
        return self.rows[index]


def n_batches(n_draws, batch_size):
    """Batches in an epoch: near-equal ones, and never one of a single row beside others.

    A last batch of one row has no variance for batch normalisation and no negatives.
    """
    return max(1, min(math.ceil(n_draws / batch_size), n_draws // 2))


def divided(rows, weights, validation_fraction, generator, device):
    """Training rows and, unless the fraction is 0, validation rows.

    Parameters
    ----------
    rows : ndarray of shape (n_distinct, n_features)
    weights : ndarray of shape (n_distinct,)
    validation_fraction : float
        Share of the total weight held out.
    generator : torch.Generator, on the CPU
    device : torch.device

    Returns
    -------
    tuple of TrainingRows and TrainingRows or None

    Raises
    ------
    ValueError
        If fewer than two rows are left for training, or none for validation.
    """
    if not validation_fraction:
        return TrainingRows(rows.astype(np.float32), weights, device), None
    order = torch.randperm(len(rows), generator=generator).numpy()
    share = weights / weights.sum()
    largest = validation_fraction + 1e-9
    # Rows that weigh more than the fraction stay for training.
    order = np.concatenate([order[share[order] <= largest], order[share[order] > largest]])
    n_held_out = int(np.searchsorted(np.cumsum(share[order]), largest, side="right"))
    n_left = len(rows) - n_held_out
    if n_held_out < 1 or n_left < 2:
        raise ValueError(
            f"validation_fraction={validation_fraction} of {len(rows)} distinct rows leaves "
            f"{n_left} for training (at least 2 are needed) and {n_held_out} for validation (at "
            "least 1). Give more rows, another fraction, or early_stopping=False."
        )
    parts = np.sort(order[n_held_out:]), np.sort(order[:n_held_out])
    return tuple(TrainingRows(rows[p].astype(np.float32), weights[p], device) for p in parts)


class Batches:
    """skorch's iterator over the batches of one epoch.

    Parameters
    ----------
    dataset : TrainingRows
    batch_size : int
    generator : torch.Generator
    shuffle : bool
        False for validation, where every pass starts the generator anew: the same noise in every
        epoch makes their losses comparable.
    """

    def __init__(self, dataset, batch_size, generator, shuffle):
        self.dataset = dataset
        self.generator = generator
        self.shuffle = shuffle
        self.n_batches = n_batches(len(dataset), batch_size)

    def __len__(self):
        return self.n_batches

    def __iter__(self):
        rows, multiset, generator = self.dataset.rows, self.dataset.multiset, self.generator
        if self.shuffle:
            device = generator.device
            offset = float(torch.rand((), generator=generator, device=device, dtype=torch.float64))
            order = torch.randperm(len(self.dataset), generator=generator, device=device)
            index = torch.from_numpy(multiset.draws(offset)).to(device)[order]
        else:
            generator.manual_seed(generator.initial_seed())
            index = torch.from_numpy(multiset.draws()).to(rows.device)
        labels = rows.new_empty(0)
        for batch in index.to(rows.device).tensor_split(self.n_batches):
            yield rows.index_select(0, batch), labels


def in_chunks(function, n_rows, width, dtype, chunk=CHUNK):
    """Fill an array of shape (n_rows, width) with ``function(slice)``, some rows at a time.

    The results are rounded to the 24 bits of a float32 before they are stored as ``dtype``: how
    many rows are computed together changes the last bits of a float64 result, about 1 in 1e15, and
    the rounded one almost never.
    """
    result = np.empty((n_rows, width), dtype=dtype)
    for start in range(0, n_rows, chunk):
        rows = slice(start, min(start + chunk, n_rows))
        result[rows] = rounded(function(rows))
    return result


def rounded(values):
    """To 24 significant bits, in the range of float64."""
    if values.dtype == np.float32:
        return values
    fraction, exponent = np.frexp(values)
    return np.ldexp(np.round(fraction * 2.0**24), exponent - 24)


def padded(rows, device, dtype):
    """A tensor of these rows and zeros below them, up to a multiple of 16 rows."""
    n_rows = len(rows)
    tensor = torch.zeros(
        (n_rows + -n_rows % _ROW_MULTIPLE, rows.shape[1]), dtype=dtype, device=device
    )
    # A copy, because torch refuses arrays that may not be written to.
    tensor[:n_rows] = torch.from_numpy(np.array(rows)).to(device=device, dtype=dtype)
    return tensor


def expectation(function, data):
    """Weighted mean over training rows of ``function(rows)``, one value per column, in float64."""
    weights = torch.from_numpy(data.multiset.weights / data.multiset.weights.sum())
    total = 0.0
    for start in range(0, len(data.rows), CHUNK):
        values = function(data.rows[start : start + CHUNK]).cpu().double()
        total = total + weights[start : start + CHUNK] @ values
    return total
