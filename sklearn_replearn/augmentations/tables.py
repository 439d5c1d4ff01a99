"""Augmentations of tables: noise, and cells or rows that stand in for others."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from .._runtime.sklearn import BaseEstimator
from ._ranges import check_number, check_probability, check_rows, check_whole

_SMALLEST_ALPHA = 1e-30  # whose inverse float32 holds


class GaussianNoise(BaseEstimator):
    """Add normal noise to every number; categories stay.

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

    wants_categories = True

    def __init__(self, scale: float = 0.1) -> None:
        self.scale = scale

    def __call__(
        self,
        rows: torch.Tensor,
        generator: torch.Generator,
        categories: Sequence[slice] | None = None,
    ) -> torch.Tensor:
        """Return noisy rows, Tensor of shape (n, n_features)."""
        check_rows(rows, generator, categories)
        check_number("scale", self.scale, "a standard deviation of at least 0", 0)
        noise = torch.randn(rows.shape, generator=generator, device=rows.device, dtype=rows.dtype)
        if categories is not None:
            noise.masked_fill_(categories, 0.0)
        return rows + self.scale * noise


class MaskFeatures(BaseEstimator):
    """Replace a random subset of the cells by one value.

    Parameters
    ----------
    p : float, default=0.2
        Probability that a cell is replaced, each by itself.
    value : float, default=0.0
        What they become; 0 is the mean of a column under the default scaling. Categories become 0
        whatever the value, which stands for an unknown one. NaN hides cells: all become missing,
        and encoders are told which.

    References
    ----------
    Vincent et al. (2010), *Stacked denoising autoencoders*.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import MaskFeatures
    >>> rows = torch.ones(10_000, 1)
    >>> masked = MaskFeatures(p=0.3)(rows, torch.Generator().manual_seed(0))
    >>> round(float((masked == 0).float().mean()), 1)
    0.3
    """

    wants_categories = True

    def __init__(self, p: float = 0.2, value: float = 0.0) -> None:
        self.p = p
        self.value = value

    @property
    def hides(self) -> bool:
        """Whether masked cells are missing cells."""
        return isinstance(self.value, float | np.floating) and math.isnan(self.value)

    def __call__(
        self,
        rows: torch.Tensor,
        generator: torch.Generator,
        categories: Sequence[slice] | None = None,
    ) -> torch.Tensor:
        """Return masked rows, Tensor of shape (n, n_features)."""
        check_rows(rows, generator, categories)
        if not self.hides:
            check_number("value", self.value, "a number, or NaN for missing cells")
        if categories is None or self.value == 0 or self.hides:
            return _replaced(rows, self.p, generator, lambda columns: self.value)
        values = rows.new_full(rows.shape[1:], self.value).masked_fill_(categories, 0.0)
        return _replaced(rows, self.p, generator, lambda columns: values[columns])


class SwapNoise(BaseEstimator):
    """Replace a random subset of the cells by values of the same column in other rows.

    The rows of the batch stand for the column's empirical distribution: a replaced cell takes the
    value that a row drawn uniformly from the batch has there, its own row included.

    Parameters
    ----------
    p : float, default=0.15
        Probability that a cell is replaced, each by itself.

    References
    ----------
    Bahri et al. (2022), *SCARF: self-supervised contrastive learning using random feature
    corruption*.

    Notes
    -----
    The paper replaces a fixed number of cells in each row; here each cell is replaced with
    probability ``p``, independently.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import SwapNoise
    >>> rows = torch.arange(8.0).reshape(4, 2)
    >>> swapped = SwapNoise(p=0.5)(rows, torch.Generator().manual_seed(0))
    >>> bool(torch.isin(swapped[:, 0], rows[:, 0]).all())
    True
    """

    def __init__(self, p: float = 0.15) -> None:
        self.p = p

    def __call__(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return rows with swapped cells, Tensor of shape (n, n_features)."""
        check_rows(rows, generator)
        n, width = rows.shape

        def values(columns):
            donors = torch.randint(n, columns.shape, generator=generator, device=rows.device)
            return rows.take(donors.mul_(width).add_(columns))

        return _replaced(rows, self.p, generator, values)


class CutMix(BaseEstimator):
    """Replace a random subset of the cells of each row by those of one other row, as in SAINT.

    All replaced cells of a row come from the same row of the batch, never from itself, so that they
    fit each other, unlike those of :class:`SwapNoise`.

    Parameters
    ----------
    p : float, default=0.3
        Probability that a cell is replaced, each by itself.

    References
    ----------
    Yun et al. (2019), *CutMix: regularization strategy to train strong classifiers with localizable
    features*.

    Somepalli et al. (2021), *SAINT: improved neural networks for tabular data via row attention and
    contrastive pre-training*.

    Notes
    -----
    CutMix of images replaces a rectangle; columns have no neighbours, so any of them are replaced
    here, as in SAINT. A row alone has no other, and stays.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import CutMix
    >>> rows = torch.tensor([[1.0, 1.0], [2.0, 2.0]])
    >>> CutMix(p=1.0)(rows, torch.Generator().manual_seed(0))
    tensor([[2., 2.],
            [1., 1.]])
    """

    def __init__(self, p: float = 0.3) -> None:
        self.p = p

    def __call__(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return rows with cells of others, Tensor of shape (n, n_features)."""
        check_rows(rows, generator)
        bits, below = _bits(rows, self.p, generator)
        others = rows[_donors(rows, generator)]
        return torch.where(bits.to(torch.int32).view(rows.shape) < below, others, rows)


class MixUp(BaseEstimator):
    """Mix each row with one other row of the batch.

    Numbers become weighted averages in which the own row has the larger weight. A category cannot
    be averaged: it is that of the other row with a probability of that row's weight. Where either
    cell is missing, the own one stays.

    Parameters
    ----------
    alpha : float, default=0.2
        Weights are drawn from Beta(alpha, alpha), one for each row: near 0, rows stay almost as
        they are; at 1, all weights are as likely.

    References
    ----------
    Zhang et al. (2018), *mixup: beyond empirical risk minimization*.

    Verma et al. (2021), *Towards domain-agnostic contrastive learning*.

    Notes
    -----
    The papers weigh either row more; here the larger weight is the own row's, as a view has to
    show the row that it is a view of.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import MixUp
    >>> rows = torch.tensor([[0.0], [1.0]])
    >>> mixed = MixUp(alpha=1.0)(rows, torch.Generator().manual_seed(0))
    >>> bool(mixed[0] < 0.5), bool(mixed[1] > 0.5)
    (True, True)
    """

    wants_categories = True

    def __init__(self, alpha: float = 0.2) -> None:
        self.alpha = alpha

    def __call__(
        self,
        rows: torch.Tensor,
        generator: torch.Generator,
        categories: Sequence[slice] | None = None,
    ) -> torch.Tensor:
        """Return mixed rows, Tensor of shape (n, n_features)."""
        check_rows(rows, generator, categories)
        check_number("alpha", self.alpha, "a finite number above 0", _SMALLEST_ALPHA)
        draw = {"generator": generator, "device": rows.device, "dtype": rows.dtype}
        others = rows[_donors(rows, generator)]
        weights = 1 - _larger_of_beta(self.alpha, *torch.rand((2, len(rows), 1), **draw))
        mixed = torch.lerp(rows, others, weights)
        missing = mixed.isnan()
        if categories is not None:
            levels = torch.where(torch.rand(rows.shape, **draw) < weights, others, rows)
            mixed = torch.where(categories, levels, mixed)
        return torch.where(missing, rows, mixed)


class FeatureSubsets(BaseEstimator):
    """Keep one of several overlapping groups of neighbouring columns and mask the others.

    Each call draws one group for the whole batch, so that two views of the same rows mostly show
    different columns. Masked cells are 0: the mean of a number under the default scaling, and an
    unknown category.

    Parameters
    ----------
    n_subsets : int, default=3
        Number of groups.
    overlap : float, default=0.5
        How much wider a group is than its ``1 / n_subsets`` of the columns, as a share of that,
        between 0 and 1. Groups are evenly spaced, all equally wide and together hold every column.

    References
    ----------
    Ucar et al. (2021), *SubTab: subsetting features of tabular data for self-supervised
    representation learning*.

    Notes
    -----
    The paper gives an encoder only the columns of a group; here it is given all, so that it can
    encode whole rows afterwards.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import FeatureSubsets
    >>> FeatureSubsets()(torch.ones(1, 6), torch.Generator().manual_seed(0)).sum()
    tensor(3.)
    """

    def __init__(self, n_subsets: int = 3, overlap: float = 0.5) -> None:
        self.n_subsets = n_subsets
        self.overlap = overlap

    def __call__(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return masked rows, Tensor of shape (n, n_features)."""
        check_rows(rows, generator)
        check_whole("n_subsets", self.n_subsets, "an integer of at least 1", 1)
        check_number("overlap", self.overlap, "a share of a group between 0 and 1", 0, 1)
        width = rows.shape[1]
        # Rounded first: 1.1 * 10 is a little more than 11.
        kept = min(math.ceil(round((1 + self.overlap) * width / self.n_subsets, 6)), width)
        number = torch.randint(self.n_subsets, (), generator=generator, device=rows.device)
        start = number * (width - kept) // max(self.n_subsets - 1, 1)
        columns = torch.arange(width, device=rows.device)
        return rows.masked_fill((columns < start) | (columns >= start + kept), 0.0)


def _donors(rows, generator):
    """For each row the number of another one, all others as likely; its own if there is no other.

    A random cycle through all rows, as a permutation may leave rows where they are.
    """
    order = torch.randperm(len(rows), generator=generator, device=rows.device)
    return torch.empty_like(order).scatter_(0, order, order.roll(1))


def _larger_of_beta(alpha, first, second):
    """The larger of a draw from Beta(alpha, alpha) and 1 minus it, from two uniform draws.

    Devroye (1986), *Non-uniform random variate generation*, page 437: neither draws are rejected
    nor do small ``alpha`` make a quotient of zeros. Powers that overflow mean 1.
    """
    spread = (first ** (-1 / alpha) - 1) * torch.cos(2 * math.pi * second).square()
    return 0.5 + 0.5 * (1 + 1 / spread).rsqrt()


def _bits(rows, p, generator):
    """16 random bits for each cell as int16, of shape (n * n_features,), and a bound below which
    they are with probability ``p``."""
    check_probability(p)
    # Random bits are what takes the time: each 64 are cut in four.
    bits = torch.empty(-(-rows.numel() // 4), dtype=torch.int64, device=rows.device)
    bits.random_(-(2**63), None, generator=generator)
    return bits.view(torch.int16)[: rows.numel()], round(p * 2**16) - 2**15


def _replaced(rows, p, generator, values):
    """Rows in which each cell is replaced with probability ``p``, independently.

    Parameters
    ----------
    rows : Tensor of shape (n, n_features)
    p : float
        Taken to 16 bits.
    generator : torch.Generator
    values : callable
        What cells become, from a Tensor of the numbers of their columns.
    """
    bits, below = _bits(rows, p, generator)
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
