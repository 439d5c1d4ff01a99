"""Layers, with weights drawn from the generator they are given."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import nn

from .._runtime.parameters import WIDEST, Each, Whole, validated
from .._runtime.sklearn import StrOptions

ACTIVATIONS = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
}

#: What widths, names of activations and generators may be.
WIDTH = [Whole(1, WIDEST)]
ACTIVATION = [StrOptions(set(ACTIVATIONS))]
GENERATOR = [torch.Generator]


@validated({"n_in": [Whole()], "n_out": [Whole()], "generator": GENERATOR})
def linear(n_in: int, n_out: int, generator: torch.Generator) -> nn.Linear:
    """A linear layer with torch's usual initial weights, drawn from ``generator``.

    Parameters
    ----------
    n_in, n_out : int
    generator : torch.Generator, on the CPU

    Returns
    -------
    torch.nn.Linear

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import linear
    >>> linear(3, 2, torch.Generator().manual_seed(0))
    Linear(in_features=3, out_features=2, bias=True)
    """
    bound = 1 / math.sqrt(n_in)
    # Without its __init__, which draws from the global generator. torch's skip_init does that too,
    # and imports a computer algebra system for it.
    layer = nn.Linear.__new__(nn.Linear)
    nn.Module.__init__(layer)
    layer.in_features, layer.out_features = n_in, n_out
    for name, shape in (("weight", (n_out, n_in)), ("bias", (n_out,))):
        values = torch.empty(shape, dtype=torch.float32, device="cpu")
        values.uniform_(-bound, bound, generator=generator)
        setattr(layer, name, nn.Parameter(values))
    return layer


@validated(
    {
        "sizes": [Each(Whole(), least=2)],
        "activation": ACTIVATION,
        "generator": GENERATOR,
        "batch_norm": ["boolean"],
    }
)
def mlp(
    sizes: Sequence[int],
    activation: Literal["relu", "gelu", "silu", "elu", "tanh"],
    generator: torch.Generator,
    batch_norm: bool = False,
) -> nn.Sequential:
    """Linear layers with an activation between them and none after the last.

    Parameters
    ----------
    sizes : sequence of int
        Widths from input to output, at least two.
    activation : {"relu", "gelu", "silu", "elu", "tanh"}
    generator : torch.Generator, on the CPU
    batch_norm : bool, default=False
        Whether to normalise over the batch before each activation.

    Returns
    -------
    torch.nn.Sequential

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import mlp
    >>> mlp((3, 8, 2), "relu", torch.Generator().manual_seed(0))(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    """
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers.append(linear(n_in, n_out, generator))
        if batch_norm:
            layers.append(nn.BatchNorm1d(n_out, device="cpu", dtype=torch.float32))
        layers.append(ACTIVATIONS[activation]())
    return nn.Sequential(*layers[: -2 if batch_norm else -1])


class LinearSkip(nn.Module):
    """A linear skip connection: layers, and a linear map from their input to their output added.

    Parameters
    ----------
    deep : torch.nn.Sequential
        Begins and ends with a linear layer.
    direct : torch.nn.Linear
        Of the same widths.

    References
    ----------
    He et al. (2016), *Deep residual learning for image recognition*, equation 2.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import LinearSkip, linear, mlp
    >>> generator = torch.Generator().manual_seed(0)
    >>> deep, direct = mlp((3, 8, 2), "relu", generator), linear(3, 2, generator)
    >>> LinearSkip(deep, direct)(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    """

    @validated({"deep": [nn.Module], "direct": [nn.Module]})
    def __init__(self, deep: nn.Sequential, direct: nn.Linear) -> None:
        super().__init__()
        self.deep = deep
        self.direct = direct

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum of both, Tensor of shape (n, n_out)."""
        return self.deep(x) + self.direct(x)


class TopK(nn.Module):
    """Keep the k values of largest magnitude in each row and set the others to zero.

    Parameters
    ----------
    k : int

    References
    ----------
    Makhzani and Frey (2014), *k-sparse autoencoders*.

    Notes
    -----
    The paper keeps the k largest values; here the sign does not matter.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import TopK
    >>> TopK(1)(torch.tensor([[1.0, -3.0, 2.0]]))
    tensor([[ 0., -3.,  0.]])
    """

    @validated({"k": [Whole()]})
    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k

    def forward(self, code: torch.Tensor) -> torch.Tensor:
        """Return codes with k values kept, Tensor of shape (n, latent_dim)."""
        kept = code.abs().topk(self.k, dim=1).indices
        return torch.zeros_like(code).scatter(1, kept, code.gather(1, kept))
