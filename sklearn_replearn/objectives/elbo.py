"""The evidence lower bound."""

import torch
from torch import nn

from .._runtime.parameters import Number, Whole
from ..losses import gaussian_kl
from .base import Objective


class ELBO(Objective):
    """Evidence lower bound of a variational autoencoder, with its sign turned, in nats per row.

    Parameters
    ----------
    beta : float, default=1.0
        Weight of the divergence from the prior (β-VAE, Higgins et al. 2017).
    warmup_steps : int, default=0
        Updates over which that weight rises from 0 to ``beta``. Validation rows always see
        ``beta`` itself, so that epochs compare.

    References
    ----------
    Kingma and Welling (2014), *Auto-encoding variational Bayes*.

    Examples
    --------
    >>> from sklearn_replearn.objectives import ELBO
    >>> ELBO(beta=4.0)
    ELBO(beta=4.0)
    """

    _parameter_constraints = {
        "beta": [Number(0, closed="left")],
        "warmup_steps": [Whole(0, 2**63 - 1)],
    }

    def __init__(self, beta=1.0, warmup_steps=0):
        self.beta = beta
        self.warmup_steps = warmup_steps

    def heads(self, network, generator):
        """The number of updates so far."""
        return _Steps()

    def terms(self, network, heads, batch, generator):
        """``reconstruction`` and the weighted ``kl``, in nats; see :meth:`Objective.terms`."""
        mean, log_variance = network.posterior(batch.left)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
        output = network.output(mean + noise * (0.5 * log_variance).exp())
        return {
            "reconstruction": -network.likelihood.log_prob(batch.right, output).sum(1).mean(),
            "kl": self.weight(heads) * gaussian_kl(mean, log_variance).mean(),
        }

    def weight(self, heads):
        """Weight of the divergence in the update that comes."""
        if heads.training and heads.steps < self.warmup_steps:
            return self.beta * heads.steps / self.warmup_steps
        return self.beta

    def after_step(self, network, heads):
        """Count the update."""
        heads.steps += 1


class _Steps(nn.Module):
    """A count that is kept with the state of training."""

    def __init__(self):
        super().__init__()
        self.steps = 0

    def get_extra_state(self):
        return {"steps": self.steps}

    def set_extra_state(self, state):
        self.steps = state["steps"]
