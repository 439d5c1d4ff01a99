"""Long arrays a part at a time, and tensors as arrays."""

import numpy as np
import torch

# Looked at together: so many stay in the cache of a core.
CELLS, CHUNK = 2**16, 2**10  # cells of a table, rows in a network


# Of rows and widths, with which kernels compute each row in the same way.
MULTIPLE = 16


def padded_size(number):
    """The next multiple of 16."""
    return number + -number % MULTIPLE


def slices(n_rows, step):
    """Slices that cover ``n_rows`` rows, ``step`` at a time."""
    return (slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step))


def at_hand(tensor):
    """Whether to look at values of a tensor costs nothing: for a GPU a program would wait.

    There sums of what many rows add to one place come out in any order, too.
    """
    return tensor.device.type == "cpu"


def to_arrays(tree):
    """Copy of nested containers with NumPy arrays for tensors."""
    return _map(tree, torch.Tensor, lambda tensor: tensor.detach().cpu().numpy().copy())


def to_tensors(tree):
    """Copy of nested containers with tensors for NumPy arrays."""
    return _map(tree, np.ndarray, lambda array: torch.from_numpy(array.copy()))


def _map(tree, leaf, function):
    if isinstance(tree, leaf):
        return function(tree)
    if isinstance(tree, dict):
        return {key: _map(value, leaf, function) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(_map(value, leaf, function) for value in tree)
    return tree


def evenly(n, most):
    """At most so many of the numbers below ``n``, evenly spaced."""
    return np.arange(n) if n <= most else np.arange(most) * n // most


def rounded(values):
    """To the 24 bits of a float32, in the range of float64.

    How many rows are computed together changes the last bits of a float64 result, about 1 in 1e15,
    and the rounded one almost never.
    """
    if values.dtype == np.float32:
        return values
    fraction, exponent = np.frexp(values)
    return np.ldexp(np.round(fraction * 2.0**24), exponent - 24)
