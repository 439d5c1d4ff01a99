"""Logarithms of the probabilities of intervals, precise also where they are narrow or far out."""

import math

import torch
from scipy.special import stdtr

from .._runtime.arrays import at_hand

_NARROW, _STEEP = 0.5, 2.0  # width, and width times distance, of intervals that three nodes serve
_NODE = math.sqrt(0.6) / 2  # of Gauss and Legendre, in widths from the middle
_ROOT = math.sqrt(0.5)
_LARGE, _SMALLEST = 1e-6, 1e-290


def log_normal_mass(a, b):
    r"""Logarithm of :math:`\Phi(b) - \Phi(a)` for a < b, which may be infinite; in float64."""
    a, b = torch.broadcast_tensors(a, b)
    mass = 0.5 * (torch.erf(b * _ROOT) - torch.erf(a * _ROOT))
    # Of smaller ones the difference is rounding errors.
    small = ~(mass > _LARGE)
    log_mass = torch.log(torch.where(small, 1.0, mass))
    return where(small, _log_small_normal_mass, log_mass, a, b)


def where(which, function, otherwise, a, b):
    """``function`` of the ends of some intervals, and for the others what is given.

    On a CPU only these are computed; elsewhere all, as a list of them would have to be waited for.
    """
    if not at_hand(which):
        # Some interval in the place of others must not reach the gradient.
        a, b = torch.where(which, a, 0.0), torch.where(which, b, 1.0)
        return torch.where(which, function(a, b), otherwise)
    if not which.any():
        return otherwise
    return otherwise.masked_scatter(which, function(a[which], b[which]))


def _log_small_normal_mass(a, b):
    middle, width, wide = _narrow(a, b)
    node = _NODE * width
    nodes = 8 + 10 * torch.cosh(node * middle) * torch.exp(-0.5 * node.square())
    mass = torch.log(width * nodes / 18) - 0.5 * (middle.square() + math.log(2 * math.pi))
    return where(wide, _log_wide_normal_mass, mass, a, b)


def _log_wide_normal_mass(a, b):
    left, right = _to_the_left(a, b)
    # An infinite end must not reach the gradient.
    one_sided = left.isinf()
    log_left = torch.special.log_ndtr(torch.where(one_sided, 0.0, left))
    log_right = torch.special.log_ndtr(right)
    gap = torch.where(one_sided, -1.0, log_left - log_right).clamp_max(-1e-12)
    inside = torch.where(one_sided, 0.0, torch.log(-torch.expm1(gap)))
    return log_right + inside


def log_student_mass(a, b, degrees):
    """Logarithm of the probability that a Student-t deviate lies between a < b; in float64."""
    a, b, nu = torch.broadcast_tensors(a, b, degrees)
    middle, width, wide = _narrow(a, b)
    at = _log_student(middle, nu)
    sides = [torch.exp(_log_student(middle + s * _NODE * width, nu) - at) for s in (-1, 1)]
    mass = at + torch.log(width * (8 + 5 * (sides[0] + sides[1])) / 18)
    if wide.any():
        mass = mass.masked_scatter(wide, _between(*_to_the_left(a[wide], b[wide]), nu[wide]))
    return mass


def _between(left, right, nu):
    """Where tails tell intervals apart, by SciPy, with the gradient beside."""
    ends = [end.detach() for end in (left, right)]
    below, upto = (stdtr(nu.cpu().numpy(), end.cpu().numpy()) for end in ends)
    between = torch.from_numpy(upto - below).to(left.device)
    # Where no float64 is that small: the density at the nearer end.
    near = _log_student(ends[1], nu) + torch.log((ends[1] - ends[0]).clamp_max(1.0))
    mass = torch.where(between > _SMALLEST, between.clamp_min(_SMALLEST).log(), near)
    for end, sign in ((left, -1), (right, 1)):
        finite = ~end.isinf()
        at = torch.where(finite, end, 0.0)
        slope = torch.exp(_log_student(at.detach(), nu) - mass)
        mass = mass + torch.where(finite, sign * slope * (at - at.detach()), 0.0)
    return mass


def _narrow(a, b):
    """Middle and width of intervals, harmless ones for those that are not narrow; which are not."""
    middle, width = 0.5 * (a + b), b - a
    narrow = (width < _NARROW) & (width * middle.abs() < _STEEP)
    return torch.where(narrow, middle, 0.0), torch.where(narrow, width, 1.0), ~narrow


def _to_the_left(a, b):
    """By symmetry where small probabilities are told apart."""
    flip = a + b > 0
    return torch.where(flip, -b, a), torch.where(flip, -a, b)


def _log_student(x, nu):
    constant = torch.lgamma(0.5 * (nu + 1)) - torch.lgamma(0.5 * nu) - 0.5 * torch.log(math.pi * nu)
    return constant - 0.5 * (nu + 1) * torch.log1p(x.square() / nu)
