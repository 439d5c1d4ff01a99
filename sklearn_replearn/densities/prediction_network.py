"""The network that predicts hidden cells of a row from those that are shown."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from ..modules.layers import linear

_WAVES = 4  # of each number
_FREQUENCY = 0.15  # deviation of the waves' initial frequencies


class PredictionNetwork(nn.Module):
    """What it says of each cell: how far a number is from what is expected, and levels.

    Parameters
    ----------
    n_seen : int
        Numbers that are seen of a row.
    n_told : int
        Numbers that are told.
    n_symbols : int
        Levels (or digits of them) of all columns of categories.
    hidden : int
        Width of the three hidden layers.
    n_components : int
        Normal distributions in the mixture of each number.
    generator : torch.Generator, on the CPU

    References
    ----------
    Gorishniy, Rubachev and Babenko (2022), *On embeddings for numerical features in tabular deep
    learning*: waves of learned frequencies.
    """

    def __init__(self, n_seen, n_told, n_symbols, hidden, n_components, generator):
        super().__init__()
        self.shape = n_told, 3, n_components
        frequencies = torch.empty((n_seen, _WAVES), dtype=torch.float32, device="cpu")
        self.frequencies = nn.Parameter(frequencies.normal_(0, _FREQUENCY, generator=generator))
        n_inputs = n_seen * (3 + 2 * _WAVES) + n_symbols
        self.first = linear(n_inputs, hidden, generator)
        self.second, self.third = (linear(hidden, hidden, generator) for _ in range(2))
        self.last = linear(hidden, n_told + math.prod(self.shape) + n_symbols, generator)
        with torch.no_grad():
            for layer in (self.first, self.second, self.third):
                layer.weight.mul_(math.sqrt(3))
                layer.bias.zero_()
            self.last.weight.mul_(0.1)
            self.last.bias.zero_()

    def forward(self, numbers, deviations, one_hot, drop=None):
        """What is told of rows.

        Parameters
        ----------
        numbers : Tensor of shape (n, n_seen)
            Shown numbers, and what is expected of those hidden.
        deviations : Tensor of shape (n, n_seen)
            Of what is expected; 0 for shown numbers.
        one_hot : Tensor of shape (n, n_symbols)
            Shown levels.
        drop : callable, default=None
            Drops units in training.

        Returns
        -------
        gaps : Tensor of shape (n, n_told)
            Means, in deviations from what is expected.
        mixtures : Tensor of shape (n, n_told, 3, n_components)
        logits : Tensor of shape (n, n_symbols)
        """
        shown = (deviations == 0).to(numbers.dtype)
        waves = 2 * math.pi * numbers[:, :, None] * self.frequencies
        waves = torch.cat([waves.sin(), waves.cos()], 2) * shown[:, :, None]
        seen = torch.cat([numbers, shown, deviations, waves.flatten(1), one_hot], 1)
        units = F.silu(self.first(seen))
        for layer in (self.second, self.third):
            units = units + F.silu(layer(units if drop is None else drop(units)))
        units = units if drop is None else drop(units)
        n_told, _, n_components = self.shape
        n_parameters = n_told * 3 * n_components
        gaps, mixtures, logits = self.last(units).tensor_split((n_told, n_told + n_parameters), 1)
        return gaps, mixtures.view(len(units), *self.shape), logits
