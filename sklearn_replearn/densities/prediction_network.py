"""Networks that predict hidden cells of a row from those that are shown."""

import math

import torch
from torch import nn
from torch.nn import functional as F

_WAVES = 4  # of each number
_FREQUENCY = 0.15  # deviation of the waves' initial frequencies


class PredictionNetworks(nn.Module):
    """What some networks say of each cell: how far a number is from what is expected, and levels.

    They are computed together, each with weights of its own.

    Parameters
    ----------
    n_networks : int
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

    References
    ----------
    Gorishniy, Rubachev and Babenko (2022), *On embeddings for numerical features in tabular deep
    learning*: waves of learned frequencies.
    """

    def __init__(self, n_networks, n_seen, n_told, n_symbols, hidden, n_components):
        super().__init__()
        self.shape = n_told, 3, n_components
        n_inputs = n_seen * (3 + 2 * _WAVES) + n_symbols
        shapes = {
            "frequencies": (n_networks, 1, n_seen, _WAVES),
            "first": (n_networks, n_inputs, hidden),
            "second": (n_networks, hidden, hidden),
            "third": (n_networks, hidden, hidden),
            "of_gaps": (n_networks, hidden, n_told),
            "of_mixtures": (n_networks, hidden, n_told * 3 * n_components),
            "of_logits": (n_networks, hidden, n_symbols),
        }
        for name, shape in shapes.items():
            setattr(self, name, _zeros(shape))
            if name != "frequencies":
                setattr(self, f"{name}_bias", _zeros((n_networks, 1, shape[2])))

    @torch.no_grad()
    def initialise(self, generator):
        """Initial weights; ``generator`` is on the CPU."""
        self.frequencies.normal_(0, _FREQUENCY, generator=generator)
        for weights in (self.first, self.second, self.third):
            bound = math.sqrt(3 / weights.shape[1])
            weights.uniform_(-bound, bound, generator=generator)
        for weights in (self.of_gaps, self.of_mixtures, self.of_logits):
            bound = 0.1 / math.sqrt(weights.shape[1])
            weights.uniform_(-bound, bound, generator=generator)
        return self

    def forward(self, numbers, deviations, one_hot, drop=None):
        """What is told of rows.

        Parameters
        ----------
        numbers : Tensor of shape (n_networks or 1, n, n_seen)
            Shown numbers, and what is expected of those hidden.
        deviations : Tensor of shape (n_networks or 1, n, n_seen)
            Of what is expected; 0 for shown numbers.
        one_hot : Tensor of shape (n_networks or 1, n, n_symbols)
            Shown levels.
        drop : callable, default=None
            Drops units in training.

        Returns
        -------
        units : Tensor of shape (n_networks, n, hidden)
            See :meth:`gaps`, :meth:`mixtures` and :meth:`logits`.
        """
        shown = (deviations == 0).to(numbers.dtype)
        waves = 2 * math.pi * numbers[..., None] * self.frequencies
        waves = torch.cat([waves.sin(), waves.cos()], 3) * shown[..., None]
        few = torch.cat([numbers, shown, deviations, one_hot], 2)
        few = few.expand(len(waves), -1, -1)
        units = F.silu(self._map("first", torch.cat([few, waves.flatten(2)], 2)))
        units = units + F.silu(self._map("second", units))
        units = units + F.silu(self._map("third", units if drop is None else drop(units)))
        return units if drop is None else drop(units)

    def gaps(self, units):
        """Means in deviations from what is expected, Tensor of shape (n_networks, n, n_told)."""
        return self._map("of_gaps", units)

    def mixtures(self, units):
        """Parameters of mixtures, Tensor of shape (n_networks, n, n_told, 3, n_components)."""
        return self._map("of_mixtures", units).unflatten(2, self.shape)

    def logits(self, units):
        """Of all levels, Tensor of shape (n_networks, n, n_symbols)."""
        return self._map("of_logits", units)

    def _map(self, name, units):
        return torch.baddbmm(getattr(self, f"{name}_bias"), units, getattr(self, name))


def _zeros(shape):
    return nn.Parameter(torch.zeros(shape, dtype=torch.float32, device="cpu"))
