"""Columns of numbers that are no counts."""

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import stdtrit
from torch import nn
from torch.nn import functional as F

from .._runtime.parameters import Number, validated
from .._scaling.scaler import Scaler
from .._scaling.support import UNIT_INTERVAL
from .._tables.names import name_columns
from .base import FEATURES, UNIT, Likelihood, by_scipy, uniform_like
from .masses import log_normal_mass, log_student_mass, where

# A column of a standardised table that is predicted to 1 % is as good as known; without a floor
# one such column outweighs all others.
SMALLEST_VARIANCE = 1e-4
_FEWEST_DEGREES = 2.0
_LOG_MOST_DEGREES = 8.0  # more are a normal distribution
_ROUNDED_UP, _ROUNDED = 1e-4, 1e-3  # by which scaled cells may be off from their value
_NARROWEST = 1e-5  # deviations; an atom of two rows in 65,536 is seven times as wide
_FARTHEST = 1e3  # deviations; beyond it the gradient of the normal tail is rounding errors


class _Located(Likelihood):
    """A location from the decoder, and a learned scale for each column."""

    draws_alike = True

    @validated({"n_features": FEATURES, "scale": [Number(0), None]})
    def __init__(self, n_features: int, scale: float | None = None) -> None:
        super().__init__(n_features)
        if scale is None:
            self.log_scale = nn.Parameter(torch.zeros(n_features, dtype=torch.float32))
        else:
            self.log_scale = None
            variance = torch.full((n_features,), scale**2, dtype=torch.float32)
            self.register_buffer("fixed_variance", variance, persistent=False)

    @property
    def variance(self) -> torch.Tensor:
        """Variance of each column, Tensor of shape (n_features,)."""
        if self.log_scale is None:
            return self.fixed_variance
        return torch.exp(2 * UNIT * self.log_scale) + SMALLEST_VARIANCE

    def set_variance(self, variance: torch.Tensor) -> None:
        """Take over these variances, Tensor of shape (n_features,)."""
        above = (variance - SMALLEST_VARIANCE).clamp_min(1e-3 * SMALLEST_VARIANCE)
        self.log_scale.copy_(above.log() / (2 * UNIT))

    def cell_error(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """What an autoencoder minimises, per cell that is there."""
        return (x - output).square()

    def _log_density(self, x, output):
        """Of the normal distribution."""
        variance = self.variance
        return -0.5 * (self.cell_error(x, output) / variance + torch.log(2 * math.pi * variance))

    def mean(self, output: torch.Tensor) -> torch.Tensor:
        """Expected value of each cell."""
        return output

    def sample(self, output: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """One draw of each cell."""
        noise = torch.randn(
            output.shape, generator=generator, device=output.device, dtype=output.dtype
        )
        return output + noise * self.variance.sqrt() * ~self.constant

    def cell_log_mass(
        self, lower: torch.Tensor, upper: torch.Tensor, output: torch.Tensor
    ) -> torch.Tensor:
        """Log-probability of the intervals that cells stand for."""
        deviation = self.variance.to(output.dtype).sqrt()
        return log_normal_mass((lower - output) / deviation, (upper - output) / deviation)


class Gaussian(_Located):
    r"""Independent normal columns: :math:`x_j \sim N(\mathrm{output}_j, \sigma_j^2)`.

    With a fixed scale, minus the log-likelihood is the squared error up to constants.

    Parameters
    ----------
    n_features : int
    scale : float, default=None
        Standard deviation of every column. ``None`` learns one per column (Rybkin et al. 2021,
        *Simple and effective VAE training with calibrated decoders*).

    Notes
    -----
    The paper shares one variance among all columns; here each column has its own, because columns
    of a table differ in how well they can be predicted.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import Gaussian
    >>> Gaussian(n_features=1, scale=1.0).log_prob(torch.zeros(1, 1), torch.zeros(1, 1))
    tensor([[-0.9189]])
    """

    @classmethod
    def for_columns(
        cls,
        columns: Sequence[int],
        scaler: Scaler,
        scale: float | None = None,
        for_errors: bool = False,
    ) -> Self:
        """See :meth:`Likelihood.for_columns`; errors are those of a scale of 1."""
        return cls(len(columns), 1.0 if for_errors else scale)

    def cell_log_prob(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Log-density or log-probability of cells that are there, in nats."""
        return self._log_density(x, output)


class StudentT(_Located):
    r"""Independent Student-t columns: normal ones with heavier tails.

    Location from the decoder; scale (``variance`` is its square) and degrees of freedom (above 2)
    are learned for each column.

    Parameters
    ----------
    n_features : int

    References
    ----------
    Lange, Little and Taylor (1989), *Robust statistical modeling using the t distribution*.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import StudentT
    >>> StudentT(n_features=1).log_prob(torch.zeros(1, 1), torch.zeros(1, 1))
    tensor([[-1.0009]], grad_fn=<WhereBackward0>)
    """

    def __init__(self, n_features: int) -> None:
        super().__init__(n_features)
        self.log_degrees = nn.Parameter(torch.zeros(n_features, dtype=torch.float32))

    @property
    def degrees(self) -> torch.Tensor:
        """Degrees of freedom, Tensor of shape (n_features,), float64."""
        log_degrees = (UNIT * self.log_degrees.double()).clamp_max(_LOG_MOST_DEGREES)
        return _FEWEST_DEGREES + torch.exp(log_degrees)

    def cell_log_prob(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Log-density or log-probability of cells that are there, in nats."""
        nu, squared_scale = self.degrees, self.variance
        squares = self.cell_error(x, output) / squared_scale
        # In float64, because large numbers cancel.
        constant = torch.lgamma(0.5 * (nu + 1)) - torch.lgamma(0.5 * nu)
        constant = constant - 0.5 * torch.log(math.pi * nu * squared_scale)
        nu, constant = nu.to(x.dtype), constant.to(x.dtype)
        return constant - 0.5 * (nu + 1) * torch.log1p(squares / nu)

    def cell_log_mass(
        self, lower: torch.Tensor, upper: torch.Tensor, output: torch.Tensor
    ) -> torch.Tensor:
        """Log-probability of the intervals that cells stand for."""
        scale, nu = self.variance.to(output.dtype).sqrt(), self.degrees.to(output.dtype)
        return log_student_mass((lower - output) / scale, (upper - output) / scale, nu)

    def sample(self, output: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """One draw of each cell."""
        uniform = uniform_like(output, generator)
        noise = by_scipy(stdtrit, self.degrees, uniform).to(output.dtype)
        return output + noise * self.variance.sqrt() * ~self.constant


class PointMasses(_Located):
    r"""Normal columns, of which some values have a probability of their own.

    A value that many rows have stands for an interval of a hidden normal deviate, as in probit
    models:

    .. math::

        P(x_j = v) = \Phi((b_v - m_j)/\sigma_j) - \Phi((a_v - m_j)/\sigma_j)

    Cells that are no such value have the normal density. It is the likelihood of columns
    that are scaled by their ranks. The lowest and the highest value of fit, if they are such, stand
    for all that is beyond them, so that cells which fit has not seen there add to a total above 1.

    Parameters
    ----------
    intervals : sequence of tuple of three ndarrays
        For each column the values, in ascending order, and the two ends of their intervals.
    scale : float, default=None
        As for :class:`Gaussian`.

    References
    ----------
    Tobin (1958), *Estimation of relationships for limited dependent variables*.

    Examples
    --------
    >>> import torch
    >>> import numpy as np
    >>> from sklearn_replearn.likelihoods import PointMasses
    >>> half = np.array([-0.7]), np.array([-np.inf]), np.array([0.0])
    >>> PointMasses([half], scale=1.0).log_prob(torch.tensor([[-0.7]]), torch.zeros(1, 1))
    tensor([[-0.6931]])
    """

    by_ranks = True

    def __init__(
        self,
        intervals: Sequence[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]],
        scale: float | None = None,
    ) -> None:
        super().__init__(len(_checked(intervals)), scale)
        longest = max((len(values) for values, _, _ in intervals), default=0) or 1
        # How far a cell may be rounded from its value, which is nearer than any other one.
        gaps = [np.diff(values).min(initial=1.0) for values, _, _ in intervals]
        for name, most in (("rounded_up", _ROUNDED_UP), ("rounded", _ROUNDED)):
            side = np.clip(np.divide(gaps, 4), 1e-6, most).astype(np.float32)
            self.register_buffer(name, torch.from_numpy(side), persistent=False)
        table = torch.full((3, len(intervals), longest), math.inf, dtype=torch.float32)
        for j, triple in enumerate(intervals):
            for row, side in enumerate(triple):
                table[row, j, : len(side)] = torch.as_tensor(side)
        for name, side in zip(("values", "lower", "upper"), table, strict=True):
            self.register_buffer(name, side.contiguous(), persistent=False)

    @classmethod
    def for_columns(
        cls,
        columns: Sequence[int],
        scaler: Scaler,
        scale: float | None = None,
        for_errors: bool = False,
    ) -> Self:
        """See :meth:`Likelihood.for_columns`; the atoms are those of the ranks."""
        nothing = (np.empty(0),) * 3
        other = [j for j in columns if j not in scaler.ranked and not scaler.constant[j]]
        if other:
            raise ValueError(
                f'likelihood="atoms" is for columns that are scaled by their ranks; otherwise '
                f"scaled: {name_columns(scaler.names, other)}. Use rows=Table() or "
                'Table(scaling="quantile").'
            )
        intervals = [
            scaler.ranked[j].intervals() if j in scaler.ranked else nothing for j in columns
        ]
        return cls(intervals, 1.0 if for_errors else scale)

    def cell_log_prob(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Log-density or log-probability of cells that are there, in nats."""
        deviation = self.variance.sqrt()
        at, lower, upper = self._intervals(x)
        # Infinite ends and cells that are no atom must not reach the gradient.
        below, above = lower.isinf() | ~at, upper.isinf() | ~at
        lower = torch.where(below, 0.0, lower.to(x.dtype))
        upper = torch.where(above, 0.0, upper.to(x.dtype))
        mass = _log_normal_mass(
            (lower - output) / deviation, (upper - output) / deviation, below, above
        )
        return torch.where(at, mass, self._log_density(x, output))

    def _intervals(self, x):
        """Whether a cell is an atom, and the ends of its interval."""
        columns = x.detach().t().contiguous().float()
        place = torch.searchsorted(self.values, columns - self.rounded_up[:, None])
        place = place.clamp_max(self.values.shape[1] - 1)
        found = self.values.gather(1, place)
        at = (columns - found).abs() < self.rounded[:, None]
        return at.t(), self.lower.gather(1, place).t(), self.upper.gather(1, place).t()


def _checked(intervals):
    """Intervals as :class:`PointMasses` takes them."""
    try:
        good = all(
            len(one) == 3 and all(np.ndim(side) == 1 for side in one) and len({*map(len, one)}) == 1
            for one in intervals
        )
    except TypeError:
        good = False
    if not good or not len(intervals):
        raise ValueError(
            "intervals must be a sequence with a tuple of three arrays of one length for each "
            f"column: values, lower and upper ends; got {intervals!r}."
        )
    return intervals


def _log_normal_mass(a, b, below, above):
    r"""Logarithm of :math:`\Phi(b) - \Phi(a)` for a < b, also far out.

    Where ``below`` the interval begins at minus infinity, where ``above`` it ends at infinity.
    """
    # Not that of masses.py, with which rows are scored: its difference of error functions needs
    # float64 and float32 is what networks train in, where only that of logarithms is precise.
    a, b = (end.clamp(-_FARTHEST, _FARTHEST) for end in (a, b))
    # By symmetry to the left tail, where the logarithms of both are told apart.
    flip = torch.where(below | above, above, a > 0)
    left, right = torch.where(flip, -b, a), torch.where(flip, -a, b)
    log_right = torch.special.log_ndtr(right)
    gap = (torch.special.log_ndtr(left) - log_right).clamp_max(-1e-6)
    one_sided = below | above
    inside = torch.log1p(-torch.exp(torch.where(one_sided, -1.0, gap)))
    mass = log_right + torch.where(one_sided, 0.0, inside)
    # Of narrow ones the difference of logarithms is rounding errors.
    narrow = ~one_sided & (a < b) & (b - a < _NARROWEST)
    mass = where(narrow, _log_narrow_normal_mass, mass, a, b)
    return torch.where(below & above, 0.0, mass)


def _log_narrow_normal_mass(a, b):
    return log_normal_mass(a.double(), b.double()).to(a.dtype)


class Bernoulli(Likelihood):
    r"""Independent cells between 0 and 1, given by their log-odds.

    Minus the log-likelihood is the binary cross-entropy.

    Parameters
    ----------
    n_features : int

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import Bernoulli
    >>> Bernoulli(n_features=1).log_prob(torch.ones(1, 1), torch.zeros(1, 1))
    tensor([[-0.6931]])
    """

    support = UNIT_INTERVAL
    draws_alike = True

    def __init__(self, n_features: int) -> None:
        super().__init__(n_features)

    _per_nat = 1.0  # the binary cross-entropy, as it is known

    def cell_error(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """What an autoencoder minimises, per cell that is there."""
        return F.binary_cross_entropy_with_logits(output, x, reduction="none")

    def cell_log_prob(self, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Log-density or log-probability of cells that are there, in nats."""
        return -self.cell_error(x.clamp(0, 1), output)

    def mean(self, output: torch.Tensor) -> torch.Tensor:
        """Expected value of each cell."""
        return torch.sigmoid(output)

    def sample(self, output: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """One draw of each cell, 0 or 1."""
        return (uniform_like(output, generator) < torch.sigmoid(output)).to(output.dtype)


Gaussian.with_atoms = PointMasses
