"""Priors of codes that are learned with the weights of a VAE, for ``VAETransformer(prior=...)``."""

import math
from typing import Protocol

import torch
from torch import nn

from ._runtime.parameters import Instance, Whole, check_parameters
from ._runtime.sklearn import BaseEstimator

__all__ = ["Mixture", "VampPrior"]


class Prior(Protocol):
    """What is given as ``prior``."""

    def module(self, n_inputs: int, latent_dim: int, generator: torch.Generator) -> nn.Module: ...


#: What ``prior=`` takes beside names.
PRIOR = Instance(
    ["module"],
    "Mixture() or VampPrior() of sklearn_replearn.priors, or one of your own with "
    "module(n_inputs, latent_dim, generator)",
)

_REFUSED = (
    "The prior cannot be trained with this network: {}. Its module needs components(network), "
    "logarithms of shares, means and logarithms of variances of shapes (n,), (n, latent_dim) and "
    "(n, latent_dim). VampPrior() needs an encoder of numbers; that of ids takes Mixture()."
)
_N_COMPONENTS = [Whole(1, 2**16)]


class Mixture(BaseEstimator):
    """A mixture of normal distributions, each with a variance for each value of the code.

    Shares, means and variances are trained with the network. The more components, the more closely
    codes that are drawn lie where rows are, and the longer a step takes.

    Parameters
    ----------
    n_components : int, default=16

    References
    ----------
    Dilokthanakul et al. (2016), *Deep unsupervised clustering with Gaussian mixture variational
    autoencoders*. Tomczak and Welling (2018), *VAE with a VampPrior*, who compare with it.

    Examples
    --------
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.priors import Mixture
    >>> vae = VAETransformer(2, prior=Mixture(n_components=4), max_epochs=2)
    >>> vae.fit([[0.0, 1.0], [1.0, 3.0], [2.0, 0.0]]).sample(2, random_state=0).shape
    (2, 2)
    """

    _parameter_constraints = {"n_components": _N_COMPONENTS}

    def __init__(self, n_components: int = 16) -> None:
        self.n_components = n_components

    def module(self, n_inputs: int, latent_dim: int, generator: torch.Generator) -> nn.Module:
        """What is trained: a module with ``components(network)``.

        Parameters
        ----------
        n_inputs, latent_dim : int
            Widths of what the encoder takes and of a code.
        generator : torch.Generator
            To draw initial values from.

        Returns
        -------
        torch.nn.Module
            Its ``components(network)`` gives the logarithms of the shares, Tensor of shape
            (n_components,), means and logarithms of variances, of shape (n_components,
            latent_dim).
        """
        check_parameters(self)
        return _Components(self.n_components, latent_dim, generator)


class VampPrior(BaseEstimator):
    """The mean of the posteriors of some made-up rows, which are trained with the network.

    It is close to the mean of the posteriors of all rows, which is the best prior, at the cost of
    encoding ``n_components`` more rows in each step. The made-up rows start as noise, not as rows
    of the table. Its encoder must take numbers: not ``rows=Tokens(...)``, whose takes ids.

    Parameters
    ----------
    n_components : int, default=16

    References
    ----------
    Tomczak and Welling (2018), *VAE with a VampPrior*.

    Examples
    --------
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.priors import VampPrior
    >>> vae = VAETransformer(2, prior=VampPrior(n_components=4), max_epochs=30)
    >>> vae.fit([[0.0, 1.0], [1.0, 3.0], [2.0, 0.0]]).sample(2, random_state=0).shape
    (2, 2)
    """

    _parameter_constraints = {"n_components": _N_COMPONENTS}

    def __init__(self, n_components: int = 16) -> None:
        self.n_components = n_components

    def module(self, n_inputs: int, latent_dim: int, generator: torch.Generator) -> nn.Module:
        """See :meth:`Mixture.module`."""
        check_parameters(self)
        return _PseudoInputs(self.n_components, n_inputs, generator)


class _Components(nn.Module):
    """Components that are weights themselves; together they start near the standard normal."""

    def __init__(self, n_components, latent_dim, generator):
        super().__init__()
        means = _drawn((n_components, latent_dim), generator)
        self.logits = nn.Parameter(torch.zeros(n_components, dtype=torch.float32, device="cpu"))
        self.means = nn.Parameter(math.sqrt(0.5) * means)
        self.log_variances = nn.Parameter(torch.full_like(means, math.log(0.5)))

    def components(self, network):
        return self.logits.log_softmax(0), self.means, self.log_variances


class _PseudoInputs(nn.Module):
    """Components that are posteriors of made-up rows."""

    def __init__(self, n_components, n_inputs, generator):
        super().__init__()
        self.inputs = nn.Parameter(_drawn((n_components, n_inputs), generator))

    def components(self, network):
        # What an encoder counts over batches is of rows.
        training = network.encoder.training
        network.encoder.eval()
        means, log_variances = network.moments(self.inputs)
        network.encoder.train(training)
        shares = means.new_full((len(means),), -math.log(len(means)))
        return shares, means, log_variances


def _drawn(shape, generator):
    return torch.randn(shape, generator=generator, dtype=torch.float32, device="cpu")


def check_prior(network):
    """Refuse a learned prior that the network cannot train.

    Parameters
    ----------
    network : VariationalAutoencoder

    Raises
    ------
    ValueError
        Says what is wanted and what came.
    """
    try:
        with torch.enable_grad():
            code = torch.zeros((1, network.latent_dim), dtype=torch.float32, device="cpu")
            network.log_prior(code).sum().backward()
    except (TypeError, ValueError, IndexError, RuntimeError) as problem:
        raise ValueError(_REFUSED.format(f"computing it failed: {problem}")) from problem
    if any(weight.grad is None for weight in network.prior.parameters()):
        raise ValueError(_REFUSED.format("not all of its parameters have a gradient"))
    network.zero_grad(set_to_none=True)
