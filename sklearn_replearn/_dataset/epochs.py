"""In which order an epoch takes rows, also of tables that are read in stretches."""

import numpy as np
import torch

# Beyond so many draws, or cells, an epoch is shuffled in two steps.
_MOST_DRAWS, _MOST_CELLS = 2**20, 2**26
# Shuffled together are so many cells and rows at most, of many blocks, which have at most so many.
_CELLS_TOGETHER, _ROWS_TOGETHER = 2**24, 2**18
_BLOCKS_TOGETHER, _ROWS_OF_BLOCK = 2**6, 2**10


def is_large(n_rows, width):
    """Whether rows are drawn in two steps: blocks at random, and the rows of many blocks."""
    return n_rows > _MOST_DRAWS or n_rows * width > _MOST_CELLS


def _rows_together(width):
    return max(1, min(_ROWS_TOGETHER, _CELLS_TOGETHER // width))


def rows_of_block(width):
    """Rows that stay together, as they stand in canonical order, which is a random one."""
    return max(1, min(_ROWS_OF_BLOCK, _rows_together(width) // _BLOCKS_TOGETHER))


def stretches(n_draws, n_batches, width, generator=None):
    """The draws of an epoch, those of some batches at a time.

    Parameters
    ----------
    n_draws, n_batches, width : int
    generator : torch.Generator, default=None
        None: draws follow each other as they are.

    Yields
    ------
    draws : ndarray of int64, rising
    order : Tensor of int64
        In which they are taken.
    n_batches : int
        Into which, nearly equal, they are cut.
    """
    device = None if generator is None else generator.device
    if not is_large(n_draws, width):
        order = _order(n_draws, generator, device)
        yield np.arange(n_draws), order, n_batches
        return
    block = rows_of_block(width)
    n_blocks = -(-n_draws // block)
    blocks = _order(n_blocks, generator, device).cpu().numpy()
    # Where blocks begin and end among the draws of the epoch.
    sizes = np.full(n_blocks, block)
    sizes[blocks == n_blocks - 1] = n_draws - (n_blocks - 1) * block
    ends = np.cumsum(sizes)
    shifts = blocks * block - (ends - sizes)
    at_once = max(1, _rows_together(width) * n_batches // n_draws)
    for first in range(0, n_batches, at_once):
        last = min(first + at_once, n_batches)
        places = np.arange(_start(first, n_draws, n_batches), _start(last, n_draws, n_batches))
        draws = np.sort(places + shifts[np.searchsorted(ends, places, side="right")])
        yield draws, _order(len(draws), generator, device), last - first


def _start(batch, n_draws, n_batches):
    """Where a batch starts, of nearly equal ones of which the first are the larger."""
    size, larger = divmod(n_draws, n_batches)
    return batch * size + min(batch, larger)


def _order(n, generator, device):
    if generator is None:
        return torch.arange(n)
    return torch.randperm(n, generator=generator, device=device)
