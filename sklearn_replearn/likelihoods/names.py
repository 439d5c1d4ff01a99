"""Likelihoods of numbers by name."""

from typing import Literal

from .base import Likelihood
from .continuous import Bernoulli, Gaussian, PointMasses, StudentT
from .counts import NegativeBinomial, Poisson

#: What type checkers know of these names.
Name = Literal[
    "auto", "gaussian", "student_t", "atoms", "bernoulli", "poisson", "negative_binomial"
]

#: As :class:`~sklearn_replearn.VAETransformer` takes them.
NAMED = {
    "gaussian": Gaussian,
    "student_t": StudentT,
    "atoms": PointMasses,
    "bernoulli": Bernoulli,
    "poisson": Poisson,
    "negative_binomial": NegativeBinomial,
}


def name_of(kind):
    """The name that stands for a class; its own where none does."""
    return next((name for name, value in NAMED.items() if value is kind), kind.__name__)


def class_of(likelihood, shown):
    """The class that a name stands for, None for "auto"; or the class itself.

    Raises
    ------
    ValueError
        Says of ``shown`` what is wanted and what came.
    """
    if isinstance(likelihood, str) and likelihood in ("auto", *NAMED):
        return NAMED.get(likelihood)
    if isinstance(likelihood, type) and issubclass(likelihood, Likelihood):
        return likelihood
    raise ValueError(
        f"{shown} must be one of {', '.join(NAMED)}, auto, or a subclass of "
        f"sklearn_replearn.likelihoods.Likelihood; got {likelihood!r}."
    )
