"""Objectives of VAEs with terms of how the codes of all rows lie together."""

import copy
from typing import Any, Self

import torch
from torch import nn

from .._dataset.batches import Batch
from .._runtime.parameters import Number
from ..losses import log_aggregate_posterior, mmd
from .elbo import STEPS, WEIGHT, Drawn, Variational


class BetaTCVAE(Variational):
    r"""The evidence lower bound with its divergence in three parts, each with a weight.

    .. math::
        E[\log p(x|z)] - \alpha\,I(x; z) - \beta\,KL\big(q(z)\,\big\|\,\prod_j q(z_j)\big)
        - \gamma\,\big(\textstyle\sum_j E[\log q(z_j)] - E[\log p(z)]\big)

    The second, the total correlation, is what makes values of the code depend on each other. A
    large ``beta`` disentangles them and, unlike that of a β-VAE, does not keep the code from
    telling of the row. With all weights 1 it is the evidence lower bound.

    Parameters
    ----------
    beta : float, default=6.0
        Weight of the total correlation.
    alpha : float, default=1.0
        Weight of the mutual information of row and code.
    gamma : float, default=1.0
        Weight of what is left: how far each value of the code is from the prior.
    warmup_steps : int or float, default=0.1
        Updates over which the weights rise from 0; a float is their share of all.

    References
    ----------
    Chen et al. (2018), *Isolating sources of disentanglement in variational autoencoders*.

    Notes
    -----
    :math:`q(z)`, the mean posterior of all rows, is estimated from the batch by minibatch
    stratified sampling; see :func:`~sklearn_replearn.losses.log_aggregate_posterior`. That takes
    memory in proportion to ``batch_size**2 * latent_dim``.

    Examples
    --------
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.objectives import BetaTCVAE
    >>> vae = VAETransformer(2, objective=BetaTCVAE(beta=4.0), max_epochs=2)
    >>> vae.fit([[0.0, 1.0], [1.0, 3.0], [2.0, 0.0]]).history_["train_total_correlation"].size
    2
    """

    _parameter_constraints = {
        "beta": WEIGHT,
        "alpha": WEIGHT,
        "gamma": WEIGHT,
        "warmup_steps": STEPS,
    }
    _n_rows = 1  # at least as many as in the batch

    def __init__(
        self,
        beta: float = 6.0,
        alpha: float = 1.0,
        gamma: float = 1.0,
        warmup_steps: int | float = 0.1,
    ) -> None:
        super().__init__(warmup_steps)
        self.beta = beta
        self.alpha = alpha
        self.gamma = gamma

    def bound(self, n_rows: int, n_updates: int) -> Self:
        """The same, which knows how many rows there are."""
        bound = copy.copy(super().bound(n_rows, n_updates))
        bound._n_rows = n_rows
        return bound

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """``reconstruction`` and, each with its weight, ``mutual_information``,
        ``total_correlation`` and ``dimension_kl``, in nats; see :meth:`Objective.terms`.
        """
        drawn, risen = Drawn.of(network, batch, generator), self.risen(heads)
        log_posterior, log_prior = drawn.log_posterior(), network.log_prior(drawn.codes)
        joint, marginals = log_aggregate_posterior(
            drawn.codes, drawn.mean, drawn.log_variance, self._n_rows
        )
        product = marginals.sum(1)
        return {
            "reconstruction": drawn.reconstruction(batch),
            "mutual_information": risen * self.alpha * (log_posterior - joint).mean(),
            "total_correlation": risen * self.beta * (joint - product).mean(),
            "dimension_kl": risen * self.gamma * (product - log_prior).mean(),
        }


class InfoVAE(Variational):
    r"""Less divergence of each posterior from the prior, more of the codes of all rows together.

    .. math::

        E[\log p(x|z)] - (1-\alpha)\,KL(q(z|x)\|p(z)) - (\alpha+\lambda-1)\,D(q(z)\|p(z))

    where :math:`D` is the squared maximum mean discrepancy between the codes of a batch and draws
    from the prior. With ``alpha=1`` a code may tell all of its row, as an autoencoder's does
    (MMD-VAE).

    Parameters
    ----------
    alpha : float, default=0.5
        At most 1, and at least ``1 - lambda_param``.
    lambda_param : float, default=100.0
        The discrepancy is at most 2, and small: its weight is large.
    warmup_steps : int or float, default=0.1
        Updates over which the weight of the divergence rises from 0 to ``1 - alpha``; a float is
        their share of all.

    References
    ----------
    Zhao et al. (2019), *InfoVAE: balancing learning and inference in variational autoencoders*.

    Examples
    --------
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.objectives import InfoVAE
    >>> vae = VAETransformer(2, objective=InfoVAE(alpha=0.9), max_epochs=2)
    >>> vae.fit([[0.0, 1.0], [1.0, 3.0], [2.0, 0.0]]).history_["train_mmd"].size
    2
    """

    _parameter_constraints = {
        "alpha": [Number(high=1, closed="right")],
        "lambda_param": WEIGHT,
        "warmup_steps": STEPS,
    }

    def __init__(
        self, alpha: float = 0.5, lambda_param: float = 100.0, warmup_steps: int | float = 0.1
    ) -> None:
        super().__init__(warmup_steps)
        self.alpha = alpha
        self.lambda_param = lambda_param

    def heads(self, network: Any, generator: torch.Generator) -> nn.Module:
        """The number of updates so far."""
        if self.alpha + self.lambda_param < 1:
            raise ValueError(
                "InfoVAE: alpha + lambda_param must be at least 1, or the discrepancy would be "
                f"sought; got alpha={self.alpha!r} and lambda_param={self.lambda_param!r}."
            )
        return super().heads(network, generator)

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """The weighted ``reconstruction``, ``kl`` and ``mmd``; see :meth:`Objective.terms`."""
        drawn = Drawn.of(network, batch, generator)
        others = _from_prior(network, drawn.codes, generator)
        return {
            "reconstruction": drawn.reconstruction(batch),
            "kl": self.risen(heads) * (1 - self.alpha) * drawn.divergence().mean(),
            "mmd": (self.alpha + self.lambda_param - 1) * mmd(drawn.codes, others),
        }


def _from_prior(network, codes, generator):
    """As many codes from the prior."""
    settings = {"generator": generator, "device": codes.device, "dtype": codes.dtype}
    noise = torch.randn(codes.shape, **settings)
    if network.prior is None:
        return noise
    log_shares, mean, log_variance = network.prior.components(network)
    chosen = torch.multinomial(log_shares.exp(), len(codes), True, generator=generator)
    return mean[chosen] + noise * (0.5 * log_variance[chosen]).exp()
