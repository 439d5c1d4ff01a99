"""log p(x | decoder output), one value per cell. MSE and BCE are two of the cases.

A likelihood takes scaled cells, Tensor of shape (n, n_features), and what a decoder gives for them,
Tensor of shape (n, n_outputs). Missing cells are NaN: their error and log-likelihood are 0. One of
your own is a subclass of :class:`Likelihood`.
"""

from .._scaling.support import COUNTS, LEVELS, REAL, UNIT_INTERVAL, Support
from .base import Likelihood
from .categorical import Categorical, Ordinal
from .continuous import Bernoulli, Gaussian, PointMasses, StudentT
from .counts import NegativeBinomial, Poisson
from .joint import Joint
from .tokens import Tokens

__all__ = [
    "COUNTS",
    "LEVELS",
    "REAL",
    "UNIT_INTERVAL",
    "Bernoulli",
    "Categorical",
    "Gaussian",
    "Joint",
    "Likelihood",
    "NegativeBinomial",
    "Ordinal",
    "PointMasses",
    "Poisson",
    "StudentT",
    "Support",
    "Tokens",
]
