"""Views of rows: callables ``augmentation(rows, generator) -> rows``.

Corruptions of a denoising autoencoder and views of a contrastive encoder are the same thing. Each
is stateless, draws only from the generator that it is given, and sees scaled rows: with the
default scaling, units are standard deviations of the column. Any callable of this form works where
these are accepted.
"""

import numpy as np
import torch
from sklearn.base import BaseEstimator

__all__ = ["Compose", "GaussianNoise", "Identity", "MaskFeatures", "SwapNoise", "view"]


class Identity(BaseEstimator):
    """The rows as they are.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import Identity
    >>> Identity()(torch.ones(1, 2), torch.Generator())
    tensor([[1., 1.]])
    """

    def __call__(self, rows, generator):
        """Return ``rows``, Tensor of shape (n, n_features)."""
        return rows


class GaussianNoise(BaseEstimator):
    """Add normal noise to every cell.

    Parameters
    ----------
    scale : float, default=0.1
        Standard deviation of the noise, in units of the scaled rows.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import GaussianNoise
    >>> rows = torch.zeros(10_000, 1)
    >>> noisy = GaussianNoise(scale=0.5)(rows, torch.Generator().manual_seed(0))
    >>> round(float(noisy.std()), 1)
    0.5
    """

    def __init__(self, scale=0.1):
        self.scale = scale

    def __call__(self, rows, generator):
        """Return noisy rows, Tensor of shape (n, n_features)."""
        noise = torch.randn(rows.shape, generator=generator, device=rows.device, dtype=rows.dtype)
        return rows + self.scale * noise


class MaskFeatures(BaseEstimator):
    """Replace a random subset of the cells by one value.

    Parameters
    ----------
    rate : float, default=0.2
        Share of cells replaced, between 0 and 1.
    value : float, default=0.0
        What they become; 0 is the mean of a column under the default scaling.

    References
    ----------
    Vincent et al. (2010), *Stacked denoising autoencoders*.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import MaskFeatures
    >>> rows = torch.ones(10_000, 1)
    >>> masked = MaskFeatures(rate=0.3)(rows, torch.Generator().manual_seed(0))
    >>> round(float((masked == 0).float().mean()), 1)
    0.3
    """

    def __init__(self, rate=0.2, value=0.0):
        self.rate = rate
        self.value = value

    def __call__(self, rows, generator):
        """Return masked rows, Tensor of shape (n, n_features)."""
        return _replaced(rows, self.rate, generator, lambda columns: self.value)


class SwapNoise(BaseEstimator):
    """Replace a random subset of the cells by values of the same column in other rows.

    The rows of the batch stand for the column's empirical distribution: a replaced cell takes the
    value that a row drawn uniformly from the batch has there, its own row included.

    Parameters
    ----------
    rate : float, default=0.15
        Share of cells replaced, between 0 and 1.

    References
    ----------
    Bahri et al. (2022), *SCARF: self-supervised contrastive learning using random feature
    corruption*.

    Notes
    -----
    The paper replaces a fixed number of cells in each row; here each cell is replaced with
    probability ``rate``, independently.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import SwapNoise
    >>> rows = torch.arange(8.0).reshape(4, 2)
    >>> swapped = SwapNoise(rate=0.5)(rows, torch.Generator().manual_seed(0))
    >>> bool(torch.isin(swapped[:, 0], rows[:, 0]).all())
    True
    """

    def __init__(self, rate=0.15):
        self.rate = rate

    def __call__(self, rows, generator):
        """Return rows with swapped cells, Tensor of shape (n, n_features)."""
        n, width = rows.shape

        def values(columns):
            donors = torch.randint(n, columns.shape, generator=generator, device=rows.device)
            return rows.take(donors.mul_(width).add_(columns))

        return _replaced(rows, self.rate, generator, values)


class Compose(BaseEstimator):
    """Apply augmentations one after the other.

    Parameters
    ----------
    steps : sequence of callables

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import Compose, GaussianNoise, MaskFeatures
    >>> both = Compose([GaussianNoise(0.1), MaskFeatures(0.5)])
    >>> both(torch.ones(2, 3), torch.Generator().manual_seed(0)).shape
    torch.Size([2, 3])
    """

    def __init__(self, steps):
        self.steps = steps

    def __call__(self, rows, generator):
        """Return rows after the last step, Tensor of shape (n, n_features)."""
        for step in self.steps:
            rows = step(rows, generator)
        return rows


def view(augmentation, rows, generator):
    """The view of rows that an augmentation makes, checked for its shape.

    Parameters
    ----------
    augmentation : callable
    rows : Tensor of shape (n, n_features)
    generator : torch.Generator

    Returns
    -------
    Tensor of shape (n, n_features)

    Raises
    ------
    ValueError
        If the augmentation returns another shape.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import Identity, view
    >>> view(Identity(), torch.ones(2, 1), torch.Generator()).shape
    torch.Size([2, 1])
    """
    seen = augmentation(rows, generator)
    if seen.shape != rows.shape:
        raise ValueError(
            f"{augmentation!r} must return rows of the shape it was given, {tuple(rows.shape)}; it "
            f"returned {tuple(seen.shape)}."
        )
    return seen


def _replaced(rows, rate, generator, values):
    """Rows in which each cell is replaced with probability ``rate``, independently.

    Parameters
    ----------
    rows : Tensor of shape (n, n_features)
    rate : float
        Taken to 16 bits.
    generator : torch.Generator
    values : callable
        What cells become, from a Tensor of the numbers of their columns.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate is a share of cells between 0 and 1; got {rate!r}.")
    # Random bits are what takes the time: each 64 are cut in four.
    bits = torch.empty(-(-rows.numel() // 4), dtype=torch.int64, device=rows.device)
    bits.random_(-(2**63), None, generator=generator)
    bits = bits.view(torch.int16)[: rows.numel()]
    below = round(rate * 2**16) - 2**15
    replace = _replaced_few if rows.device.type == "cpu" else _replaced_at_once
    return replace(rows, bits, below, values)


def _replaced_few(rows, bits, below, values):
    """On a CPU: NumPy lists the cells that change faster than torch looks at all."""
    cells = np.flatnonzero(bits.numpy() < below)
    replaced = rows.clone(memory_format=torch.contiguous_format)
    replaced.view(-1).numpy()[cells] = values(torch.from_numpy(cells % rows.shape[1]))
    return replaced


def _replaced_at_once(rows, bits, below, values):
    """On a GPU: a list of cells would have to be waited for."""
    columns = torch.arange(rows.shape[1], device=rows.device).expand(rows.shape)
    # In 16 bits the largest ``below`` is no number.
    return torch.where(bits.to(torch.int32).view(rows.shape) < below, values(columns), rows)
