"""Penalties and activations that make codes sparse."""

from typing import Protocol

import torch
from torch import nn

from .._runtime.parameters import Instance, Number, Whole, check_parameters
from .._runtime.sklearn import BaseEstimator
from ..losses import bernoulli_kl
from ..modules import TopK

#: What ``sparsity=`` takes.
SPARSITY = Instance(
    ["activation", "penalties"],
    "L1Sparsity(), KLSparsity() or TopKSparsity() of sklearn_replearn.objectives, or one of your "
    "own with activation(latent_dim) and penalties(code)",
)


class Sparsity(Protocol):
    """What is given as ``sparsity``."""

    def activation(self, latent_dim: int) -> nn.Module | None: ...

    def penalties(self, code: torch.Tensor) -> dict[str, torch.Tensor]: ...


class L1Sparsity(BaseEstimator):
    """Penalty on the absolute values of the code, summed over the code, averaged over rows.

    Parameters
    ----------
    weight : float, default=1e-3
        Against the mean squared error per cell.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.objectives import L1Sparsity
    >>> L1Sparsity(weight=0.5).penalties(torch.tensor([[1.0, -3.0]]))
    {'sparsity': tensor(2.)}
    """

    _parameter_constraints = {"weight": [Number(0, closed="left")]}

    def __init__(self, weight: float = 1e-3) -> None:
        self.weight = weight

    def activation(self, latent_dim: int) -> nn.Module | None:
        """No activation: codes are what the encoder gives."""
        check_parameters(self)
        return None

    def penalties(self, code: torch.Tensor) -> dict[str, torch.Tensor]:
        """Named penalties of codes, Tensor of shape (n, latent_dim)."""
        return {"sparsity": self.weight * code.abs().sum(1).mean()}


class KLSparsity(BaseEstimator):
    """Penalty that draws the mean activity of each code unit to a target rate.

    Codes go through a sigmoid, so that they are activities between 0 and 1.

    Parameters
    ----------
    target : float, default=0.05
        Rate wanted, between 0 and 1.
    weight : float, default=0.1
        Against the mean squared error per cell.

    References
    ----------
    Ng (2011), *Sparse autoencoder*, lecture notes.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.objectives import KLSparsity
    >>> KLSparsity(target=0.5).penalties(torch.tensor([[0.2], [0.8]]))
    {'sparsity': tensor(0.)}
    """

    _parameter_constraints = {"target": [Number(0, 1)], "weight": [Number(0, closed="left")]}

    def __init__(self, target: float = 0.05, weight: float = 0.1) -> None:
        self.target = target
        self.weight = weight

    def activation(self, latent_dim: int) -> nn.Module | None:
        """A sigmoid."""
        check_parameters(self)
        return nn.Sigmoid()

    def penalties(self, code: torch.Tensor) -> dict[str, torch.Tensor]:
        """Named penalties of codes, Tensor of shape (n, latent_dim)."""
        return {"sparsity": self.weight * bernoulli_kl(self.target, code.mean(0))}


class TopKSparsity(BaseEstimator):
    """Exactly ``k`` values of each code are kept, those of largest magnitude.

    Parameters
    ----------
    k : int, default=4
        At most ``latent_dim``.

    References
    ----------
    Makhzani and Frey (2014), *k-sparse autoencoders*.

    Examples
    --------
    >>> from sklearn_replearn import AutoencoderTransformer
    >>> from sklearn_replearn.objectives import TopKSparsity
    >>> encoder = AutoencoderTransformer(latent_dim=8, sparsity=TopKSparsity(k=2), max_epochs=2)
    >>> codes = encoder.fit_transform([[0.0, 1.0], [1.0, 3.0], [2.0, 0.0]])
    >>> (codes != 0).sum(axis=1)
    array([2, 2, 2])
    """

    _parameter_constraints = {"k": [Whole()]}

    def __init__(self, k: int = 4) -> None:
        self.k = k

    def activation(self, latent_dim: int) -> nn.Module | None:
        """The top-k activation."""
        check_parameters(self)
        if self.k > latent_dim:
            raise ValueError(
                f"TopKSparsity: k must be between 1 and latent_dim={latent_dim}; got {self.k!r}."
            )
        return TopK(self.k)

    def penalties(self, code: torch.Tensor) -> dict[str, torch.Tensor]:
        """No penalty: the activation does it."""
        return {}
