"""Mixtures of normal distributions of one number each."""

import math

import torch

from ..likelihoods.masses import log_normal_mass

_LOG_SCALES = -7.0, 4.0
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_TINY = 1e-15
_FAR, _NARROWEST = 1e4, 1e-12  # deviations; in float32 their squares are summed
_ROOT, _SURE = math.sqrt(0.5), 1e-4  # below, float32 has no digits for a difference


def spread_out(n_components):
    """Means and log-deviation of components that together have mean 0 and about variance 1."""
    means = torch.linspace(-1, 1, n_components) if n_components > 1 else torch.zeros(1)
    return means, 0.5 * math.log(1 - means.square().mean().item())


class Mixture:
    """A mixture of normals for each of some numbers.

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

    def of(self, which):
        """That of some of the numbers, by their place in the last axis but one."""
        some = object.__new__(Mixture)
        for name in ("log_weights", "means", "log_scales"):
            setattr(some, name, getattr(self, name)[..., which, :])
        return some

    def beside(self):
        """The same with an axis for several numbers that are looked at by each."""
        some = object.__new__(Mixture)
        for name in ("log_weights", "means", "log_scales"):
            setattr(some, name, getattr(self, name)[..., None, :])
        return some

    def log_density(self, x):
        """Of numbers, Tensor of shape (...)."""
        at = (x[..., None] - self.means) * torch.exp(-self.log_scales)
        if at.dtype == torch.float32:
            at = at.clamp(-_FAR, _FAR)
        each = self.log_weights - 0.5 * at.square() - self.log_scales - _HALF_LOG_2PI
        return torch.logsumexp(each, -1)

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
        return torch.logsumexp(self.log_weights + each, -1)

    def log_mass(self, lower, upper):
        """Log-probability of intervals, Tensor of shape (...)."""
        return torch.logsumexp(self._log_masses(lower, upper), -1)

    def _log_masses(self, lower, upper):
        scales = torch.exp(self.log_scales)
        ends = ((end[..., None] - self.means) / scales for end in (lower, upper))
        return self.log_weights + log_normal_mass(*ends)

    def draw(self, generator, lower=None, upper=None):
        """One number of each, within an interval if one is given."""
        log_weights = self.log_weights
        if lower is not None:
            log_weights = self._log_masses(lower, upper)
        chosen = drawn(log_weights, generator)[..., None]
        mean, scale = (x.gather(-1, chosen)[..., 0] for x in (self.means, self.log_scales))
        scale, uniform = scale.exp(), _uniform(mean, generator)
        if lower is not None:
            below, upto = (torch.special.ndtr((end - mean) / scale) for end in (lower, upper))
            uniform = below + uniform * (upto - below)
        x = mean + scale * torch.special.ndtri(uniform.clamp(_TINY, 1 - _TINY))
        return x if lower is None else torch.minimum(torch.maximum(x, lower), upper)


def _uniform(like, generator):
    return torch.rand(like.shape, generator=generator, device=like.device, dtype=like.dtype)


def drawn(log_weights, generator):
    """One of the last axis in proportion to weights: the largest with Gumbel noise."""
    uniform = _uniform(log_weights, generator).clamp(1e-300, 1 - 1e-16)
    return (log_weights - torch.log(-torch.log(uniform))).argmax(-1)
