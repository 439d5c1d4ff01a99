"""log p(x | decoder output), one value per cell. MSE and BCE are two of the cases.

A likelihood takes scaled cells, Tensor of shape (n, n_features), and what a decoder gives for them,
Tensor of shape (n, n_outputs). Missing cells are NaN: their error and log-likelihood are 0.
"""

import math

import torch
from scipy.special import gammaincinv, stdtrit
from torch import nn
from torch.nn import functional as F

from ._kinds import digits_of

# Adam moves every parameter by about the learning rate; a log-scale has further to go than a
# weight, so the parameter is kept in units of ten.
_UNIT = 10.0
# A column of a standardised table that is predicted to 1 % is as good as known; without a floor
# one such column outweighs all others.
_SMALLEST_VARIANCE = 1e-4
_LOG_RATE_RANGE = (-30.0, 20.0)
_LOG_DISPERSION_RANGE = (-8.0, 7.0)  # beyond it large numbers cancel, and it is Poisson's
_FEWEST_DEGREES = 2.0
_LOG_MOST_DEGREES = 8.0  # more are a normal distribution
_FARTHEST = 1e3  # deviations; beyond it the gradient of the normal tail is rounding errors


class _Likelihood(nn.Module):
    """What is the same for all: cells that are missing, columns that were constant.

    Errors are twice the nats up to constants, as the squared error is for a normal of variance 1.

    Subclasses define ``_error`` and ``_log_prob`` of cells that are there, ``mean`` and ``sample``.

    Parameters
    ----------
    n_features : int
    n_outputs : int, default=None
        Numbers that a decoder gives for a row; None is one for each column.
    """

    def __init__(self, n_features, n_outputs=None):
        super().__init__()
        self.n_features = n_features
        self.n_outputs = n_features if n_outputs is None else n_outputs
        self.register_buffer("constant", torch.zeros(n_features, dtype=torch.bool))

    def error(self, x, output):
        """What an autoencoder minimises, per cell; 0 where a cell is missing."""
        known = ~x.isnan()
        return torch.where(known, self._error(torch.where(known, x, 0.0), output), 0.0)

    def log_prob(self, x, output):
        """Log-density or log-probability per cell, in nats; 0 where a cell is missing.

        A column that was constant in training has no density: it counts 0 where it has its value,
        and minus half the squared distance from it elsewhere.
        """
        known = ~x.isnan()
        x = torch.where(known, x, 0.0)
        log_prob = torch.where(self.constant, -0.5 * x.square(), self._log_prob(x, output))
        return torch.where(known, log_prob, 0.0)

    #: Errors for a nat.
    _per_nat = 2.0

    def _error(self, x, output):
        return -self._per_nat * self._log_prob(x, output)

    def set_constant(self, constant):
        """Say which columns were constant in training, Tensor of shape (n_features,), bool."""
        self.constant.copy_(constant)

    def average(self, output, weights):
        """Expected value or likeliest level of each cell under a mixture of outputs.

        Parameters
        ----------
        output : Tensor of shape (n, n_draws, n_outputs)
        weights : Tensor of shape (n, n_draws)
            Of sum 1 over the draws.
        """
        means = self.mean(output.flatten(0, 1)).view(*weights.shape, -1)
        return (weights[:, :, None] * means).sum(1)

    def parts(self):
        """Pairs of a likelihood and the numbers of its columns: itself and all columns."""
        return [(self, list(range(self.n_features)))]


def _uniform(like, generator):
    return torch.rand(like.shape, generator=generator, device=like.device, dtype=like.dtype)


class _Located(_Likelihood):
    """A location from the decoder, and a learned scale for each column."""

    def __init__(self, n_features, scale=None):
        super().__init__(n_features)
        if scale is None:
            self.log_scale = nn.Parameter(torch.zeros(n_features, dtype=torch.float32))
        else:
            self.log_scale = None
            variance = torch.full((n_features,), scale**2, dtype=torch.float32)
            self.register_buffer("fixed_variance", variance, persistent=False)

    @property
    def variance(self):
        """Variance of each column, Tensor of shape (n_features,)."""
        if self.log_scale is None:
            return self.fixed_variance
        return torch.exp(2 * _UNIT * self.log_scale) + _SMALLEST_VARIANCE

    def set_variance(self, variance):
        """Take over these variances, Tensor of shape (n_features,)."""
        above = (variance - _SMALLEST_VARIANCE).clamp_min(1e-3 * _SMALLEST_VARIANCE)
        self.log_scale.copy_(above.log() / (2 * _UNIT))

    def _error(self, x, output):
        return (x - output).square()

    def _log_density(self, x, output):
        """Of the normal distribution."""
        variance = self.variance
        return -0.5 * (self._error(x, output) / variance + torch.log(2 * math.pi * variance))

    def mean(self, output):
        """Expected value of each cell."""
        return output

    def sample(self, output, generator):
        """One draw of each cell."""
        noise = torch.randn(
            output.shape, generator=generator, device=output.device, dtype=output.dtype
        )
        return output + noise * self.variance.sqrt() * ~self.constant


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

    def _log_prob(self, x, output):
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

    def __init__(self, n_features):
        super().__init__(n_features)
        self.log_degrees = nn.Parameter(torch.zeros(n_features, dtype=torch.float32))

    @property
    def degrees(self):
        """Degrees of freedom, Tensor of shape (n_features,), float64."""
        log_degrees = (_UNIT * self.log_degrees.double()).clamp_max(_LOG_MOST_DEGREES)
        return _FEWEST_DEGREES + torch.exp(log_degrees)

    def _log_prob(self, x, output):
        nu, squared_scale = self.degrees, self.variance
        squares = self._error(x, output) / squared_scale
        # In float64, because large numbers cancel.
        constant = torch.lgamma(0.5 * (nu + 1)) - torch.lgamma(0.5 * nu)
        constant = constant - 0.5 * torch.log(math.pi * nu * squared_scale)
        nu, constant = nu.to(x.dtype), constant.to(x.dtype)
        return constant - 0.5 * (nu + 1) * torch.log1p(squares / nu)

    def sample(self, output, generator):
        """One draw of each cell."""
        uniform = _uniform(output, generator)
        noise = _by_scipy(stdtrit, self.degrees, uniform).to(output.dtype)
        return output + noise * self.variance.sqrt() * ~self.constant


def _by_scipy(function, parameter, uniform):
    """Deviates by the inverse of their distribution, which torch does not have."""
    uniform = uniform.cpu().double().clamp(1e-9, 1 - 1e-9)
    values = function(parameter.detach().cpu().double().numpy(), uniform.numpy())
    return torch.from_numpy(values).to(parameter.device)


class PointMasses(_Located):
    r"""Normal columns, of which some values have a probability of their own.

    A value that many rows have stands for an interval of a hidden normal deviate:
    :math:`P(x_j = v) = \Phi((b_v - m_j)/\sigma_j) - \Phi((a_v - m_j)/\sigma_j)`, as in probit
    models; cells that are no such value have the normal density. It is the likelihood of columns
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

    def __init__(self, intervals, scale=None):
        super().__init__(len(intervals), scale)
        longest = max((len(values) for values, _, _ in intervals), default=0) or 1
        table = torch.full((3, len(intervals), longest), math.inf, dtype=torch.float32)
        for j, triple in enumerate(intervals):
            for row, side in enumerate(triple):
                table[row, j, : len(side)] = torch.as_tensor(side)
        for name, side in zip(("values", "lower", "upper"), table, strict=True):
            self.register_buffer(name, side.contiguous(), persistent=False)

    def _log_prob(self, x, output):
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
        place = torch.searchsorted(self.values, columns - 1e-4).clamp_max(self.values.shape[1] - 1)
        found = self.values.gather(1, place)
        at = (columns - found).abs() < 1e-3
        return at.t(), self.lower.gather(1, place).t(), self.upper.gather(1, place).t()


def _log_normal_mass(a, b, below, above):
    r"""Logarithm of :math:`\Phi(b) - \Phi(a)` for a < b, also far out.

    Where ``below`` the interval begins at minus infinity, where ``above`` it ends at infinity.
    """
    a, b = (end.clamp(-_FARTHEST, _FARTHEST) for end in (a, b))
    # By symmetry to the left tail, where the logarithms of both are told apart.
    flip = torch.where(below | above, above, a > 0)
    left, right = torch.where(flip, -b, a), torch.where(flip, -a, b)
    log_right = torch.special.log_ndtr(right)
    gap = (torch.special.log_ndtr(left) - log_right).clamp_max(-1e-6)
    one_sided = below | above
    inside = torch.log1p(-torch.exp(torch.where(one_sided, -1.0, gap)))
    mass = log_right + torch.where(one_sided, 0.0, inside)
    return torch.where(below & above, 0.0, mass)


class Bernoulli(_Likelihood):
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

    def __init__(self, n_features):
        super().__init__(n_features)

    _per_nat = 1.0  # the binary cross-entropy, as it is known

    def _error(self, x, output):
        return F.binary_cross_entropy_with_logits(output, x, reduction="none")

    def _log_prob(self, x, output):
        return -self._error(x.clamp(0, 1), output)

    def mean(self, output):
        """Expected value of each cell."""
        return torch.sigmoid(output)

    def sample(self, output, generator):
        """One draw of each cell, 0 or 1."""
        return (_uniform(output, generator) < torch.sigmoid(output)).to(output.dtype)


class Categorical(_Likelihood):
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

    def __init__(self, n_levels, n_rows=1):
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

    def _log_prob(self, x, output):
        divisor, size, start = self.table
        codes = (x.long() - 1).clamp_min(0)[:, :, None]
        places = (codes // divisor % size + start).flatten(1)
        log_prob = self._log_softmax(output).gather(1, places).view(*x.shape, -1).sum(2)
        return torch.where(x >= 1, log_prob, self.log_unseen)

    def mean(self, output):
        """The likeliest level of each cell."""
        return self._picked(output, lambda scores: scores)

    def average(self, output, weights):
        """The likeliest level of each cell under a mixture of outputs."""
        shares = self._log_softmax(output.flatten(0, 1))[:, :-1].exp()
        shares = (weights[:, :, None] * shares.view(*weights.shape, -1)).sum(1)
        return self.mean(shares.log())

    def sample(self, output, generator):
        """One draw of each cell."""

        def noisy(scores):  # the largest with Gumbel noise is a draw from the softmax
            uniform = _uniform(scores, generator).clamp(1e-12, 1 - 1e-7)
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


class Ordinal(_Likelihood):
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

    def __init__(self, n_levels, n_rows=1, shares=None):
        super().__init__(len(n_levels))
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
        first = (self.first_begin + _UNIT * self.first)[:, None]
        steps = torch.exp(self.steps_begin + _UNIT * self.log_steps).cumsum(1)
        inner = torch.cat([first, first + steps], dim=1)
        numbers = torch.arange(inner.shape[1], device=inner.device)
        inner = torch.where(numbers < self.last[:, None], inner, math.inf)
        ends = inner.new_full((len(inner), 1), math.inf)
        return torch.cat([-ends, inner, ends], dim=1)

    def _log_prob(self, x, output):
        thresholds = self._thresholds().to(output.dtype)
        level = x.long().clamp_min(1)
        level = torch.minimum(level, self.last + 1)
        lower, upper = (
            thresholds.expand(len(x), *thresholds.shape).gather(2, place[:, :, None])[:, :, 0]
            for place in (level - 1, level)
        )
        log_prob = _log_logistic_mass(lower - output, upper - output)
        return torch.where(x >= 1, log_prob, self.log_unseen)

    def _probabilities(self, output):
        ends = torch.sigmoid(self._thresholds().to(output.dtype) - output[:, :, None])
        return ends.diff(dim=2)

    def mean(self, output):
        """The likeliest level of each cell."""
        return (self._probabilities(output).argmax(2) + 1).to(output.dtype)

    def average(self, output, weights):
        """The likeliest level of each cell under a mixture of outputs."""
        shares = self._probabilities(output.flatten(0, 1))
        shares = shares.view(*weights.shape, *shares.shape[1:])
        shares = (weights[:, :, None, None] * shares).sum(1)
        return (shares.argmax(2) + 1).to(output.dtype)

    def sample(self, output, generator):
        """One draw of each cell."""
        uniform = _uniform(output, generator)
        ends = self._probabilities(output).cumsum(2)[:, :, :-1]
        level = (uniform[:, :, None] >= ends).sum(2)
        return (torch.minimum(level, self.last) + 1).to(output.dtype)


def _log_logistic_mass(a, b):
    """Logarithm of sigmoid(b) - sigmoid(a) for a < b."""
    a, b = a.clamp(-1e4, 1e4), b.clamp(-1e4, 1e4)
    gap = (b - a).clamp_min(1e-6)
    return torch.log1p(-torch.exp(-gap)) + F.logsigmoid(b) + F.logsigmoid(-a)


class _Counts(_Likelihood):
    """Counts x, whose cells are log(1 + x); the decoder gives the logarithm of their rate.

    The rate is relative to ``rates``; with ``total`` to these shares of a row's total.
    """

    def __init__(self, n_features, rates=None, total=None):
        super().__init__(n_features)
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

    def _log_prob(self, x, output):
        count = _count(x)
        return self._up_to_a_constant(count, self._log_rate(output, count)) - _log_factorial(count)

    def _error(self, x, output):
        # Without what does not depend on the decoder; given the total, per count and not per cell,
        # of which most are 0.
        count = _count(x)
        weight = 1.0 if self.total is None else self.n_features / self.total
        return -2.0 * weight * self._up_to_a_constant(count, self._log_rate(output, count))

    def mean(self, output):
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

    def __init__(self, n_features, rates=None, total=None):
        super().__init__(n_features, rates, total)

    def _up_to_a_constant(self, count, log_rate):
        return count * log_rate - torch.exp(log_rate)

    def sample(self, output, generator):
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

    def __init__(self, n_features, rates=None, total=None):
        super().__init__(n_features, rates, total)
        self.log_r = nn.Parameter(torch.zeros(n_features, dtype=torch.float32))

    def _log_r(self, like):
        return (_UNIT * self.log_r).clamp(*_LOG_DISPERSION_RANGE).to(like.dtype)

    def _up_to_a_constant(self, count, log_rate):
        log_r = self._log_r(log_rate)
        r = torch.exp(log_r)
        share = F.softplus(log_rate - log_r)  # log(1 + rate / r)
        ways = torch.lgamma(count + r) - torch.lgamma(r)
        return ways - r * share + count * (log_rate - log_r - share)

    def sample(self, output, generator):
        """One draw of each cell, as log(1 + count)."""
        r = torch.exp(self._log_r(output))
        gamma = _by_scipy(gammaincinv, r, _uniform(output, generator)).to(output.dtype)
        rate = gamma / r * torch.exp(self._log_rate(output))
        return torch.log1p(torch.poisson(rate, generator=generator))


class Mixed(_Likelihood):
    """Columns of several kinds: each has its own likelihood, a row has the sum.

    Parameters
    ----------
    parts : sequence of tuple of likelihood and list of int
        Likelihoods, and the numbers of the columns that each has; each column is in one part.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.likelihoods import Categorical, Gaussian, Mixed
    >>> mixed = Mixed([(Gaussian(1, scale=1.0), [1]), (Categorical([2]), [0])])
    >>> mixed.log_prob(torch.tensor([[2.0, 0.0]]), torch.zeros(1, 3))
    tensor([[-0.6931, -0.9189]])
    """

    def __init__(self, parts):
        columns = [j for _, those in parts for j in those]
        super().__init__(len(columns), sum(part.n_outputs for part, _ in parts))
        self.of_columns = nn.ModuleList([part for part, _ in parts])
        self.columns = [list(those) for _, those in parts]
        order = torch.tensor(columns)
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("back", order.argsort(), persistent=False)

    def parts(self):
        """Pairs of a likelihood and the numbers of its columns."""
        return list(zip(self.of_columns, self.columns, strict=True))

    def _split(self, output):
        return output[:, : self.n_outputs].split([part.n_outputs for part in self.of_columns], 1)

    def _together(self, function, outputs, x=None):
        if x is None:
            cells = [function(*pair) for pair in zip(self.of_columns, outputs, strict=True)]
        else:
            xs = x.index_select(1, self.order).split(
                [part.n_features for part in self.of_columns], 1
            )
            cells = [function(*three) for three in zip(self.of_columns, xs, outputs, strict=True)]
        return torch.cat(cells, dim=1).index_select(1, self.back)

    def set_constant(self, constant):
        """Say which columns were constant in training, Tensor of shape (n_features,), bool."""
        super().set_constant(constant)
        for part, columns in self.parts():
            part.set_constant(constant[columns])

    def _error(self, x, output):
        def error(part, x, output):
            return self._per_nat / part._per_nat * part._error(x, output)

        return self._together(error, self._split(output), x)

    def _log_prob(self, x, output):
        return self._together(lambda part, x, o: part._log_prob(x, o), self._split(output), x)

    def mean(self, output):
        """Expected value or likeliest level of each cell."""
        return self._together(lambda part, o: part.mean(o), self._split(output))

    def average(self, output, weights):
        """Expected value or likeliest level of each cell under a mixture of outputs."""
        outputs = output[:, :, : self.n_outputs].split(
            [part.n_outputs for part in self.of_columns], 2
        )
        return self._together(lambda part, o: part.average(o, weights), outputs)

    def sample(self, output, generator):
        """One draw of each cell."""
        return self._together(lambda part, o: part.sample(o, generator), self._split(output))
