"""log p(x | decoder output), one value per cell. MSE and BCE are two of the cases.

A likelihood takes scaled cells, Tensor of shape (n, n_features), and what a decoder gives for them,
Tensor of shape (n, n_outputs). Missing cells are NaN: their error and log-likelihood are 0.
"""

from ._counts import NegativeBinomial, Poisson
from ._levels import Categorical, Ordinal
from ._mixed import Mixed
from ._numbers import Bernoulli, Gaussian, PointMasses, StudentT
from ._tokens import Tokens

__all__ = [
    "Bernoulli",
    "Categorical",
    "Gaussian",
    "Mixed",
    "NegativeBinomial",
    "Ordinal",
    "PointMasses",
    "Poisson",
    "StudentT",
    "Tokens",
]
