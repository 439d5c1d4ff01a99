"""The masked network: what it says of a slot follows from the slots before it."""

import torch
from torch import nn
from torch.nn import functional as F

from .slots import ABSENT

_FARTHEST = 8.0  # deviations from what is expected, as the network sees them


class MaskedNetwork(nn.Module):
    """Layers of which each unit sees the slots up to one (a masked autoencoder).

    Parameters
    ----------
    sizes : list of int
        Symbols of each slot.
    numbers : list of int
        Slots that hold numbers, too.
    there : list of int
        How many symbols of each of these are of cells that are there; one more is a missing cell.
    stepped : list of bool
        Which of them have steps.
    hidden : int
        Width of each of the two hidden layers.
    n_components : int
        Normal distributions in the mixture of each number.

    Attributes
    ----------
    width : int
        Features that are seen of a row: of each slot which symbol it has, and for numbers the
        number and how far it is from what the slots before tell linearly, in deviations.

    References
    ----------
    Germain et al. (2015), *MADE: masked autoencoder for distribution estimation*.
    """

    def __init__(self, sizes, numbers, there, stepped, hidden, n_components):
        super().__init__()
        self.sizes, self.numbers, self.n_components = list(sizes), list(numbers), n_components
        n_slots, n_numbers = len(sizes), len(numbers)
        counts, of_numbers, there = map(_whole_numbers, (sizes, numbers, there))
        of_symbols = torch.arange(n_slots, device="cpu").repeat_interleave(counts)
        seen = torch.cat([of_symbols, of_numbers, of_numbers])
        self.n_symbols, self.width = len(of_symbols), len(seen)
        per_number = 3 * n_components
        told = torch.cat([of_symbols, of_numbers.repeat_interleave(per_number)])
        # A unit of degree s sees the slots up to s; sorted, so that those before lie together.
        degree = torch.arange(hidden, device="cpu") * max(1, n_slots - 1) // hidden
        starts = counts.cumsum(0) - counts
        for name, value in (
            ("starts", starts),
            ("slot_of_symbol", of_symbols),
            ("slots_of_numbers", of_numbers),
            ("rest", starts[of_numbers] + there - 1),
            ("stepped", torch.tensor(stepped, dtype=torch.bool, device="cpu")),
            ("there", there),
            ("seen", seen),
            ("told", told),
            ("degree", degree),
            ("first", degree[:, None] >= seen),
            ("second", degree[:, None] >= degree),
            ("last", told[:, None] > degree),
            ("direct", told[:, None] > seen),
        ):
            self.register_buffer(name, value, persistent=False)
        shapes = {
            "first_weight": (hidden, self.width),
            "first_bias": (hidden,),
            "second_weight": (hidden, hidden),
            "second_bias": (hidden,),
            "last_weight": (len(told), hidden),
            "last_bias": (len(told),),
            "direct_weight": (len(told), self.width),
        }
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(_zeros(shape)))
        for name, shape in (
            ("linear_weight", (n_numbers, self.width - n_numbers)),
            ("linear_bias", (n_numbers,)),
            ("linear_deviation", (n_numbers,)),
            ("linear_lift", (self.n_symbols, self.n_symbols)),
        ):
            self.register_buffer(name, _zeros(shape))

    @torch.no_grad()
    def initialise(self, generator, linear, shares, lifts, mixtures):
        """Initial weights: symbols as often as they are, numbers as the linear map tells them.

        Parameters
        ----------
        generator : torch.Generator, on the CPU
        linear : Triangular
        shares : Tensor of shape (n_symbols,)
        lifts : Tensor of shape (n_symbols, n_symbols)
        mixtures : Tensor of shape (n_numbers, 3, n_components)
        """
        for name, mask in (("first", self.first), ("second", self.second)):
            bound = mask.sum(1).clamp_min(1).float().rsqrt()
            for part, scale in (("weight", bound[:, None]), ("bias", bound)):
                weights = getattr(self, f"{name}_{part}")
                values = _zeros(weights.shape).uniform_(-1, 1, generator=generator)
                weights.copy_(values.to(weights.device) * scale)
        values = _zeros(self.last_weight.shape).normal_(0, 1e-3, generator=generator)
        self.last_weight.copy_(values)
        self.last_bias[: self.n_symbols] = shares.log()
        self.last_bias[self.n_symbols :] = mixtures.flatten()
        self.linear_weight.copy_(linear.weights)
        self.linear_bias.copy_(linear.bias)
        self.linear_deviation.copy_(linear.deviation)
        self.linear_lift.copy_(lifts)

    def features(self, symbols, seen, numbers):
        """What is seen of rows, and how far numbers are from what is expected of them.

        Parameters
        ----------
        symbols : Tensor of shape (n, n_slots), int64
        seen, numbers : Tensor of shape (n, n_numbers)
            Numbers as they are seen, which are 0 where a cell is not, and as they are.

        Returns
        -------
        features : Tensor of shape (n, width)
        gaps : Tensor of shape (n, n_numbers)
        """
        known = symbols != ABSENT
        places = symbols.clamp_min(0) + self.starts
        one_hot = seen.new_zeros((len(symbols), self.n_symbols))
        one_hot.scatter_(1, places, known.to(seen.dtype))
        features = torch.cat([one_hot, seen], 1)
        gaps = (numbers - self.expected(features)) / self.linear_deviation
        of_numbers = symbols[:, self.numbers]
        there = (of_numbers != ABSENT) & (of_numbers < self.there)
        shown = torch.where(there, self.shown(gaps), 0.0)
        return torch.cat([features, shown], 1), gaps

    def log_sums(self, logits):
        """Logarithm of the sum of exponentials of the logits of each slot, (n, n_slots)."""
        shape, slots = (len(logits), len(self.sizes)), self.slot_of_symbol
        index = slots.expand(len(logits), -1)
        largest = logits.detach().new_full(shape, -torch.inf)
        largest = largest.scatter_reduce(1, index, logits.detach(), "amax")
        shares = torch.exp(logits - largest[:, slots])
        # By a product, because sums into places have no order on a GPU.
        return (shares @ F.one_hot(slots, len(self.sizes)).to(shares)).log() + largest

    @staticmethod
    def shown(gaps):
        """How far numbers are from what is expected, as units see it."""
        return gaps.clamp(-_FARTHEST, _FARTHEST)

    def expected(self, features):
        """What slots before tell linearly of each number, Tensor of shape (n, n_numbers).

        Parameters
        ----------
        features : Tensor of shape (n, at least n_symbols + n_numbers)
        """
        features = features[:, : self.linear_weight.shape[1]]
        return F.linear(features, self.linear_weight, self.linear_bias)

    def forward(self, features, drop=None):
        """What is told of all slots: symbols' logits, and parameters of mixtures.

        Parameters
        ----------
        features : Tensor of shape (n, width)
        drop : object, default=None
            Its ``inputs`` and ``units`` drop some in training.

        Returns
        -------
        logits : Tensor of shape (n, n_symbols)
        mixtures : Tensor of shape (n, n_numbers, 3, n_components)
        """
        kept = features if drop is None else drop.inputs(features)
        units = F.silu(F.linear(kept, self.first_weight * self.first, self.first_bias))
        dropped = units if drop is None else drop.units(units)
        second = F.silu(F.linear(dropped, self.second_weight * self.second, self.second_bias))
        units = units + second
        units = units if drop is None else drop.units(units)
        told = F.linear(units, self.last_weight * self.last, self.last_bias)
        told = told + F.linear(kept, self.direct_weight * self.direct)
        logits, mixtures = told[:, : self.n_symbols], told[:, self.n_symbols :]
        logits = logits + F.linear(features[:, : self.n_symbols], self.linear_lift)
        return logits, mixtures.view(len(told), len(self.numbers), 3, self.n_components)


def _whole_numbers(values):
    return torch.tensor(values, dtype=torch.int64, device="cpu")


def _zeros(shape):
    return torch.zeros(shape, dtype=torch.float32, device="cpu")
