"""Counts."""

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.special import gammaincinv
from torch import nn
from torch.nn import functional as F

from .._runtime.parameters import Each, Number, validated
from .._scaling.scaler import Scaler
from .._scaling.support import COUNTS
from .base import FEATURES, UNIT, Likelihood, by_scipy, uniform_like

_LOG_RATE_RANGE = (-30.0, 20.0)
_LOG_DISPERSION_RANGE = (-8.0, 7.0)  # beyond it large numbers cancel, and it is Poisson's


class _Counts(Likelihood):
    """Counts x, whose cells are log(1 + x); the decoder gives the logarithm of their rate.

    The rate is relative to ``rates``; with ``total`` to these shares of a row's total.
    """

    support = COUNTS

    @classmethod
    def for_columns(
        cls,
        columns: Sequence[int],
        scaler: Scaler,
        scale: float | None = None,
        for_errors: bool = False,
    ) -> Self:
        """See :meth:`Likelihood.for_columns`; errors of a sparse table are given totals."""
        # Where no column varies nothing is counted, and rates do not matter.
        rates = np.ones(len(columns)) if scaler.rates is None else scaler.rates[columns]
        # A likelihood of counts given their total is none of the counts: only for errors.
        if not for_errors or scaler.rarity is None:
            return cls(len(columns), rates)
        total = max(float(rates.sum()), 1e-9)
        return cls(len(columns), rates / total, total)

    @validated(
        {
            "n_features": FEATURES,
            "rates": [Each(Number(0, closed="left")), None],
            "total": [Number(0), None],
        }
    )
    def __init__(
        self, n_features: int, rates: ArrayLike | None = None, total: float | None = None
    ) -> None:
        super().__init__(n_features)
        if rates is not None and len(rates) != n_features:
            raise ValueError(f"rates must have n_features={n_features} values; got {len(rates)}.")
        rates = torch.ones(n_features) if rates is None else torch.as_tensor(rates)
        log_rates = rates.to(dtype=torch.float32, device="cpu").clamp_min(1e-9).log()
        self.register_buffer("log_rates", log_rates, persistent=False)
        self.total = total

    def _log_rate(self, output, count=None):
        log_rate = output + self.log_rates
        if self.total is not None:
            if count is None:
                log_rate = log_rate + math.log(self.total)
            else:
                log_rate = log_rate + count.sum(1, keepdim=True).clamp_min(1.0).log()
        return log_rate.clamp(*_LOG_RATE_RANGE)

    def cell_log_prob(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Log-density or log-probability of cells that are there, in nats."""
        count = _count(x)
        return self._up_to_a_constant(count, self._log_rate(output, count)) - _log_factorial(count)

    def cell_error(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """What an autoencoder minimises, per cell that is there."""
        # Without what does not depend on the decoder; given the total, per count and not per cell,
        # of which most are 0.
        count = _count(x)
        weight = 1.0 if self.total is None else self.n_features / self.total
        return -2.0 * weight * self._up_to_a_constant(count, self._log_rate(output, count))

    def mean(self, output: torch.Tensor) -> torch.Tensor:
        """Expected count of each cell, as log(1 + count)."""
        return torch.log1p(torch.exp(self._log_rate(output)))


def _count(x):
    return torch.round(torch.expm1(x))


def _log_factorial(count):
    """Logarithm of count!, which is 0 for most counts of a sparse table."""
    values = torch.zeros_like(count)
    several = count > 1
    values[several] = torch.lgamma(count[several] + 1)
    return values


class Poisson(_Counts):
    """Counts around a rate: their cells are log(1 + count), the decoder gives log rates.

    Parameters
    ----------
    n_features : int
    rates : array-like of shape (n_features,), default=None
        Rates at an output of 0; None is 1 for all.
    total : float, default=None
        If given, rates are shares of the total of a row's counts (its exposure), and this is the
        total of a row of which the cells are not known. It is then a likelihood given the total.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import Poisson
    >>> Poisson(n_features=1).log_prob(torch.zeros(1, 1), torch.zeros(1, 1))
    tensor([[-1.]])
    """

    def __init__(
        self, n_features: int, rates: ArrayLike | None = None, total: float | None = None
    ) -> None:
        super().__init__(n_features, rates, total)

    def _up_to_a_constant(self, count, log_rate):
        return count * log_rate - torch.exp(log_rate)

    def sample(self, output: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """One draw of each cell, as log(1 + count)."""
        return torch.log1p(torch.poisson(torch.exp(self._log_rate(output)), generator=generator))


class NegativeBinomial(_Counts):
    """Counts that vary more than Poisson's, with a dispersion learned for each column.

    The variance at rate m is ``m + m**2 / r``; cells are log(1 + count), the decoder gives log m.

    Parameters
    ----------
    n_features : int
    rates : array-like of shape (n_features,), default=None
    total : float, default=None
        As for :class:`Poisson`.

    References
    ----------
    Lopez et al. (2018), *Deep generative modeling for single-cell transcriptomics*.

    Notes
    -----
    The paper also models an excess of zeros and draws the size of a row.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import NegativeBinomial
    >>> NegativeBinomial(n_features=1).log_prob(torch.zeros(1, 1), torch.zeros(1, 1)).exp()
    tensor([[0.5000]], grad_fn=<ExpBackward0>)
    """

    def __init__(
        self, n_features: int, rates: ArrayLike | None = None, total: float | None = None
    ) -> None:
        super().__init__(n_features, rates, total)
        self.log_r = nn.Parameter(torch.zeros(n_features, dtype=torch.float32))

    def _log_r(self, like):
        return (UNIT * self.log_r).clamp(*_LOG_DISPERSION_RANGE).to(like.dtype)

    def _up_to_a_constant(self, count, log_rate):
        log_r = self._log_r(log_rate)
        r = torch.exp(log_r)
        share = F.softplus(log_rate - log_r)  # log(1 + rate / r)
        ways = torch.lgamma(count + r) - torch.lgamma(r)
        return ways - r * share + count * (log_rate - log_r - share)

    def sample(self, output: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """One draw of each cell, as log(1 + count)."""
        r = torch.exp(self._log_r(output))
        gamma = by_scipy(gammaincinv, r, uniform_like(output, generator)).to(output.dtype)
        rate = gamma / r * torch.exp(self._log_rate(output))
        return torch.log1p(torch.poisson(rate, generator=generator))
