"""Mixtures of normal distributions of one number each."""

import math

import torch

from ..likelihoods.masses import log_normal_mass

_LOG_SCALES = -7.0, 4.0
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_TINY = 1e-15
_ROUNDS, _PRIOR_ROWS, _FITTED_WITHIN = 5, 3.0, 20.0
_FARTHEST = 1e9  # float32 has room for its square
_TAIL, _SCALE = 1e-3, 2.0  # share and scale of the heavy-tailed part
_FAR, _NARROWEST = 1e4, 1e-12  # deviations; in float32 their squares are summed
_ROOT, _SURE = math.sqrt(0.5), 1e-4  # below, float32 has no digits for a difference


def spread_out(n_components):
    """Means and log-deviation of components that together have mean 0 and about variance 1."""
    settings = {"dtype": torch.float32, "device": "cpu"}
    end = {1: 0.0, 2: 0.5}.get(n_components, 1.0)  # two at -1 and 1 would have no variance left
    means = torch.linspace(-end, end, n_components, **settings)
    return means, 0.5 * math.log(1 - means.square().mean().item())


def parameters_of(numbers, told, n_components):
    """Parameters of the mixtures that fit numbers by themselves (expectation, maximisation).

    Weights, means and variances are drawn towards those of :func:`spread_out`, as far as some rows
    would.

    Parameters
    ----------
    numbers : Tensor of shape (n, n_numbers)
    told : Tensor of shape (n, n_numbers), bool
        Those that count.
    n_components : int

    Returns
    -------
    Tensor of shape (n_numbers, 3, n_components)
    """
    means, log_scale = spread_out(n_components)
    numbers = torch.where(told, numbers, 0.0).clamp(-_FITTED_WITHIN, _FITTED_WITHIN)
    found = numbers.new_zeros((numbers.shape[1], 3, n_components))
    start, variance = means.to(numbers), math.exp(2 * log_scale)
    for _ in range(_ROUNDS):
        mixture = Mixture(found)
        at = (numbers[..., None] - mixture.means) * torch.exp(-mixture.log_scales)
        shares = (mixture.log_weights - 0.5 * at.square() - mixture.log_scales).softmax(-1)
        shares = shares * told[..., None]
        counts = shares.sum(0) + _PRIOR_ROWS
        mean = ((shares * numbers[..., None]).sum(0) + _PRIOR_ROWS * start) / counts
        squares = (shares * (numbers[..., None] - mean).square()).sum(0)
        squares = squares + _PRIOR_ROWS * ((start - mean).square() + variance)
        found = torch.stack(
            [counts.log(), mean - start, 0.5 * (squares / counts).log() - log_scale], dim=1
        )
    found[:, 0] -= found[:, 0].mean(-1, keepdim=True)
    return found


class Mixture:
    """A mixture of normals for each of some numbers, with a little of a heavy-tailed distribution.

    The latter, a Student-t of two degrees of freedom in one in a thousand, keeps a cell that is far
    from all others from counting for more than all of them.

    Parameters
    ----------
    parameters : Tensor of shape (..., 3, n_components)
        What is added to equal weights (as logarithms), to the means and to the log-deviations of
        :func:`spread_out`.
    """

    def __init__(self, parameters):
        means, log_scale = spread_out(parameters.shape[-1])
        weights, location, scale = parameters.unbind(-2)
        self.log_weights = weights.log_softmax(-1)
        self.means = location + means.to(location)
        self.log_scales = (scale + log_scale).clamp(*_LOG_SCALES)

    def _changed(self, change):
        other = object.__new__(Mixture)
        for name, value in vars(self).items():
            setattr(other, name, change(value))
        return other

    def of(self, which):
        """That of some of the numbers, by their place in the last axis but one."""
        return self._changed(lambda x: x[..., which, :])

    def beside(self):
        """The same with an axis for several numbers that are looked at by each."""
        return self._changed(lambda x: x[..., None, :])

    def log_density(self, x):
        """Of numbers, Tensor of shape (...)."""
        at = (x[..., None] - self.means) * torch.exp(-self.log_scales)
        if at.dtype == torch.float32:
            at = at.clamp(-_FAR, _FAR)
        each = self.log_weights - 0.5 * at.square() - self.log_scales - _HALF_LOG_2PI
        log_tail = -1.5 * torch.log(2 + (x / _SCALE).square()) - math.log(_SCALE)
        return _with_tail(torch.logsumexp(each, -1), log_tail)

    def log_of_steps(self, lower, upper):
        """As :meth:`log_mass`, to the precision that training needs, in float32."""
        scales = torch.exp(-self.log_scales)
        a, b = (
            ((end[..., None] - self.means) * scales).clamp(-_FAR, _FAR) for end in (lower, upper)
        )
        mass = 0.5 * (torch.erf(b * _ROOT) - torch.erf(a * _ROOT))
        middle, wide = 0.5 * (a + b), mass > _SURE
        dense = torch.log((b - a).clamp_min(_NARROWEST)) - 0.5 * middle.square() - _HALF_LOG_2PI
        each = torch.where(wide, torch.where(wide, mass, 1.0).log(), dense.clamp_max(0.0))
        log_mass = torch.logsumexp(self.log_weights + each, -1)
        return _with_tail(log_mass, _log_tail_mass(lower, upper))

    def log_mass(self, lower, upper):
        """Log-probability of intervals, Tensor of shape (...)."""
        log_mass = torch.logsumexp(self._log_masses(lower, upper), -1)
        return _with_tail(log_mass, _log_tail_mass(lower, upper))

    def _log_masses(self, lower, upper):
        scales = torch.exp(self.log_scales)
        ends = ((end[..., None] - self.means) / scales for end in (lower, upper))
        return self.log_weights + log_normal_mass(*ends)

    def draw(self, generator, lower=-math.inf, upper=math.inf):
        """One number of each, within an interval if one is given."""
        lower, upper = (
            torch.as_tensor(end, dtype=self.means.dtype, device=self.means.device).expand(
                self.means.shape[:-1]
            )
            for end in (lower, upper)
        )
        log_masses = math.log1p(-_TAIL) + self._log_masses(lower, upper)
        log_tail = math.log(_TAIL) + _log_tail_mass(lower, upper)
        chosen = drawn(torch.cat([log_masses, log_tail[..., None]], -1), generator)
        of_tail = chosen == log_masses.shape[-1]
        place = chosen.clamp_max(log_masses.shape[-1] - 1)[..., None]
        mean, scale = (x.gather(-1, place)[..., 0] for x in (self.means, self.log_scales))
        scale, uniform = scale.exp(), _uniform(mean, generator)
        below, upto = (torch.special.ndtr((end - mean) / scale) for end in (lower, upper))
        share = (below + uniform * (upto - below)).clamp(_TINY, 1 - _TINY)
        x = mean + scale * torch.special.ndtri(share)
        below, upto = (_tail_below(end) for end in (lower, upper))
        share = (below + uniform * (upto - below)).clamp(_TINY, 1 - _TINY)
        far = _SCALE * (2 * share - 1) / torch.sqrt(2 * share * (1 - share))
        x = torch.where(of_tail, far, x)
        return torch.minimum(torch.maximum(x, lower), upper)


def _with_tail(log_normals, log_tail):
    """Logarithm of the mixture of both."""
    return torch.logaddexp(log_normals + math.log1p(-_TAIL), log_tail + math.log(_TAIL))


def _tail_below(x):
    """Distribution function of the heavy-tailed part, precise far to the left."""
    x = (x / _SCALE).clamp(-_FARTHEST, _FARTHEST)
    root = torch.sqrt(2 + x.square())
    return torch.where(x < 0, 1 / (root * (root - x)), 0.5 + 0.5 * x / root)


def _log_tail_mass(lower, upper):
    """Log-probability of intervals by the heavy-tailed part; of narrow ones by its density."""
    flip = lower + upper > 0
    low, high = torch.where(flip, -upper, lower), torch.where(flip, -lower, upper)
    upto = _tail_below(high)
    mass = upto - _tail_below(low)
    wide = mass > _SURE * upto
    width = ((high - low) / _SCALE).clamp_min(_NARROWEST)
    middle = torch.where(wide, 0.0, 0.5 * (low + high) / _SCALE)
    dense = width.clamp_max(_FARTHEST).log() - 1.5 * torch.log(2 + middle.square())
    return torch.where(wide, torch.where(wide, mass, 1.0).log(), dense)


def _uniform(like, generator):
    return torch.rand(like.shape, generator=generator, device=like.device, dtype=like.dtype)


def drawn(log_weights, generator):
    """One of the last axis in proportion to weights: the largest with Gumbel noise."""
    uniform = _uniform(log_weights, generator).clamp(1e-300, 1 - 1e-16)
    return (log_weights - torch.log(-torch.log(uniform))).argmax(-1)
