"""Categories, with and without an order."""

import math
from collections.abc import Sequence
from typing import Self

import torch
from torch import nn
from torch.nn import functional as F

from .._runtime.parameters import Each, Number, Whole, validated
from .._scaling.scaler import Scaler
from .._scaling.support import LEVELS
from .._tables.levels import UNSEEN, digits_of
from .base import UNIT, Likelihood, uniform_like

# A column of K levels spreads over K - 1 directions, and at the weight of its nats it takes as many
# columns of a narrow code from numbers, each of which says more.
_WEIGHT_BESIDE_NUMBERS = 0.1
_LEVELS = {"n_levels": [Each(Whole(), least=1)], "n_rows": [Number(0, closed="left")]}


class Categorical(Likelihood):
    r"""Categories: a softmax over the levels of each column.

    Cells are numbers of levels, from 1 on; 0 is a level that fit has not seen, with a probability
    of 1 / (n_rows + 1).

    Parameters
    ----------
    n_levels : sequence of int
        Levels of each column.
    n_rows : int, default=1
        Rows of fit.

    Notes
    -----
    A column with more than 256 levels is told by two digits, the quotient and the remainder of its
    number by the square root of the number of levels; each has a softmax, and their product is the
    probability. So 100,000 levels take 634 outputs (the partitions of Shi et al. 2020,
    *Compositional embeddings using complementary partitions*). Pairs of digits that are no level
    have some probability, too, and of a mixture the likeliest pair is told digit by digit.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import Categorical
    >>> Categorical([2]).log_prob(torch.tensor([[1.0]]), torch.zeros(1, 2))
    tensor([[-0.6931]])
    """

    support = LEVELS
    draws_alike = True
    _weight_beside = _WEIGHT_BESIDE_NUMBERS

    @classmethod
    def for_columns(
        cls,
        columns: Sequence[int],
        scaler: Scaler,
        scale: float | None = None,
        for_errors: bool = False,
    ) -> Self:
        """See :meth:`Likelihood.for_columns`."""
        return cls(scaler.levels.sizes[columns].tolist(), scaler.n_rows)

    @validated(_LEVELS)
    def __init__(self, n_levels: Sequence[int], n_rows: int = 1) -> None:
        digits_of_columns = [digits_of(count) for count in n_levels]
        sizes = [size for digits in digits_of_columns for _, size in digits]
        super().__init__(len(n_levels), sum(sizes))
        self.n_levels, self.digits, self.sizes = tuple(n_levels), digits_of_columns, sizes
        self.log_unseen = -math.log(n_rows + 1.0)
        shape = len(n_levels), max(map(len, digits_of_columns))
        # Of each digit of a column: divisor, modulus, first output; a digit that a column does not
        # have is always 0, at an output of probability 1.
        table = torch.zeros((3, *shape), dtype=torch.int64)
        table[:2] = 1
        table[2] = self.n_outputs
        start = 0
        for j, digits in enumerate(digits_of_columns):
            for k, (divisor, size) in enumerate(digits):
                table[:, j, k] = torch.tensor([divisor, size, start])
                start += size
        self.register_buffer("table", table, persistent=False)

    def _log_softmax(self, output):
        """Logarithms of the probabilities of the digits, one digit after the other, then a 0."""
        output = output[:, : self.n_outputs]
        parts = [part.log_softmax(1) for part in output.split(self.sizes, dim=1)]
        return torch.cat([*parts, output.new_zeros((len(output), 1))], dim=1)

    def cell_log_prob(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Log-density or log-probability of cells that are there, in nats."""
        divisor, size, start = self.table
        codes = (x.long() - 1).clamp_min(0)[:, :, None]
        places = (codes // divisor % size + start).flatten(1)
        log_prob = self._log_softmax(output).gather(1, places).view(*x.shape, -1).sum(2)
        return torch.where(x > UNSEEN, log_prob, self.log_unseen)

    def mean(self, output: torch.Tensor) -> torch.Tensor:
        """The likeliest level of each cell."""
        return self._picked(output, lambda scores: scores)

    def average(self, output: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """The likeliest level of each cell under a mixture of outputs."""
        shares = self._log_softmax(output.flatten(0, 1))[:, :-1].exp()
        shares = (weights[:, :, None] * shares.view(*weights.shape, -1)).sum(1)
        return self.mean(shares.log())

    def sample(self, output: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """One draw of each cell."""

        def noisy(scores):  # the largest with Gumbel noise is a draw from the softmax
            uniform = uniform_like(scores, generator).clamp(1e-12, 1 - 1e-7)
            return scores - torch.log(-torch.log(uniform))

        return self._picked(output, noisy)

    def _picked(self, output, scored):
        cells, start = [], 0
        for count, digits in zip(self.n_levels, self.digits, strict=True):
            code, last = 0, count - 1
            for divisor, size in digits:
                scores = scored(output[:, start : start + size])
                if divisor == 1 and len(digits) > 1:  # only remainders that make a level
                    remainders = torch.arange(size, device=output.device)
                    scores = torch.where(code[:, None] + remainders <= last, scores, -math.inf)
                code = code + divisor * scores.argmax(1)
                start += size
            cells.append(code + 1)
        return torch.stack(cells, dim=1).to(output.dtype)


class Ordinal(Likelihood):
    r"""Ordered categories: a position from the decoder among learned thresholds.

    :math:`P(x_j \le k) = \mathrm{sigmoid}(t_{jk} - \mathrm{output}_j)` with increasing thresholds
    (the proportional-odds model). Cells are numbers of levels as in :class:`Categorical`.

    Parameters
    ----------
    n_levels : sequence of int
    n_rows : int, default=1
    shares : sequence of sequences of float, default=None
        Share of each level of each column, which thresholds begin with. None: all the same.

    References
    ----------
    McCullagh (1980), *Regression models for ordinal data*.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import Ordinal
    >>> likelihood = Ordinal([3])
    >>> likelihood.log_prob(torch.tensor([[1.0], [2.0], [3.0]]), torch.zeros(3, 1)).exp().sum()
    tensor(1., grad_fn=<SumBackward0>)
    """

    support = LEVELS
    draws_alike = True
    _weight_beside = _WEIGHT_BESIDE_NUMBERS

    @classmethod
    def for_columns(
        cls,
        columns: Sequence[int],
        scaler: Scaler,
        scale: float | None = None,
        for_errors: bool = False,
    ) -> Self:
        """See :meth:`Likelihood.for_columns`; thresholds begin with the shares of the levels."""
        levels, shares = scaler.levels, []
        for j in columns:
            size, share = int(levels.sizes[j]), levels.shares_of(j).tolist()
            # Those of digits are none of levels.
            shares.append(share if len(share) == size else [1 / size] * size)
        return cls(levels.sizes[columns].tolist(), scaler.n_rows, shares)

    @validated({**_LEVELS, "shares": [Each(Each(Number(0, 1, closed="both"))), None]})
    def __init__(
        self,
        n_levels: Sequence[int],
        n_rows: int = 1,
        shares: Sequence[Sequence[float]] | None = None,
    ) -> None:
        super().__init__(len(n_levels))
        if shares is not None and [len(share) for share in shares] != list(n_levels):
            raise ValueError(
                f"shares must have a share for each of {list(n_levels)} levels; got {shares!r}."
            )
        self.n_levels = tuple(n_levels)
        self.log_unseen = -math.log(n_rows + 1.0)
        last = torch.tensor([count - 1 for count in n_levels])
        self.register_buffer("last", last, persistent=False)
        # Thresholds begin where an output of 0 gives each level its share.
        begin = torch.zeros((len(n_levels), max(max(n_levels) - 1, 1)), dtype=torch.float32)
        for j, count in enumerate(n_levels):
            share = torch.full((count,), 1 / count) if shares is None else torch.tensor(shares[j])
            upto = share.float().cumsum(0)[:-1].clamp(1e-4, 1 - 1e-4)
            begin[j, : count - 1] = torch.logit(upto)
        steps = begin.diff(dim=1).clamp_min(1e-3).log()
        self.register_buffer("first_begin", begin[:, 0].clone(), persistent=False)
        self.register_buffer("steps_begin", steps, persistent=False)
        self.first = nn.Parameter(torch.zeros(len(n_levels), dtype=torch.float32))
        self.log_steps = nn.Parameter(torch.zeros_like(steps))

    def _thresholds(self):
        """Ends of the levels, Tensor of shape (n_features, most levels + 1)."""
        first = (self.first_begin + UNIT * self.first)[:, None]
        steps = torch.exp(self.steps_begin + UNIT * self.log_steps).cumsum(1)
        inner = torch.cat([first, first + steps], dim=1)
        numbers = torch.arange(inner.shape[1], device=inner.device)
        inner = torch.where(numbers < self.last[:, None], inner, math.inf)
        ends = inner.new_full((len(inner), 1), math.inf)
        return torch.cat([-ends, inner, ends], dim=1)

    def cell_log_prob(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Log-density or log-probability of cells that are there, in nats."""
        thresholds = self._thresholds().to(output.dtype)
        level = x.long().clamp_min(1)
        level = torch.minimum(level, self.last + 1)
        lower, upper = (
            thresholds.expand(len(x), *thresholds.shape).gather(2, place[:, :, None])[:, :, 0]
            for place in (level - 1, level)
        )
        log_prob = _log_logistic_mass(lower - output, upper - output)
        return torch.where(x > UNSEEN, log_prob, self.log_unseen)

    def _probabilities(self, output):
        ends = torch.sigmoid(self._thresholds().to(output.dtype) - output[:, :, None])
        return ends.diff(dim=2)

    def mean(self, output: torch.Tensor) -> torch.Tensor:
        """The likeliest level of each cell."""
        return (self._probabilities(output).argmax(2) + 1).to(output.dtype)

    def average(self, output: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """The likeliest level of each cell under a mixture of outputs."""
        shares = self._probabilities(output.flatten(0, 1))
        shares = shares.view(*weights.shape, *shares.shape[1:])
        shares = (weights[:, :, None, None] * shares).sum(1)
        return (shares.argmax(2) + 1).to(output.dtype)

    def sample(self, output: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """One draw of each cell."""
        uniform = uniform_like(output, generator)
        ends = self._probabilities(output).cumsum(2)[:, :, :-1]
        level = (uniform[:, :, None] >= ends).sum(2)
        return (torch.minimum(level, self.last) + 1).to(output.dtype)


def _log_logistic_mass(a, b):
    """Logarithm of sigmoid(b) - sigmoid(a) for a < b."""
    a, b = a.clamp(-1e4, 1e4), b.clamp(-1e4, 1e4)
    gap = (b - a).clamp_min(1e-6)
    return torch.log1p(-torch.exp(-gap)) + F.logsigmoid(b) + F.logsigmoid(-a)
