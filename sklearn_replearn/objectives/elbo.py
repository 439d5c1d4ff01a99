"""Lower bounds of the likelihood."""

import copy
import math
from typing import Any, Self

import torch
from torch import nn

from .._dataset.batches import Batch
from .._runtime.parameters import Number, Whole, is_whole
from ..losses import gaussian_kl, gaussian_log_density
from .base import Objective

WEIGHT = [Number(0, closed="left")]
#: A share of the updates, or a number of them.
STEPS = [Whole(0, 2**63 - 1), Number(0, 1, closed="both")]


class Variational(Objective):
    """What objectives of variational autoencoders share: a weight that rises at the beginning.

    Parameters
    ----------
    warmup_steps : int or float
        A float is the share of the updates.
    """

    uses_posterior = True

    def __init__(self, warmup_steps: int | float) -> None:
        self.warmup_steps = warmup_steps

    def bound(self, n_rows: int, n_updates: int) -> Self:
        """The same, with a number of updates for its share of them."""
        if is_whole(self.warmup_steps):
            return self
        bound = copy.copy(self)
        bound.warmup_steps = math.floor(self.warmup_steps * n_updates)
        return bound

    def heads(self, network: Any, generator: torch.Generator) -> nn.Module:
        """The number of updates so far."""
        return Steps()

    def risen(self, heads: Any) -> float:
        """How far the weight has risen in the update that comes; on validation rows it has."""
        if heads.training and is_whole(self.warmup_steps) and heads.steps < self.warmup_steps:
            return heads.steps / self.warmup_steps
        return 1.0

    def after_step(self, network: Any, heads: Any) -> None:
        """Count the update."""
        heads.steps += 1


class ELBO(Variational):
    """Evidence lower bound of a variational autoencoder, with its sign turned, in nats per row.

    Parameters
    ----------
    beta : float, default=1.0
        Weight of the divergence from the prior (β-VAE, Higgins et al. 2017).
    warmup_steps : int or float, default=0.1
        Updates over which that weight rises from 0 to ``beta``; a float is their share of all.
        Validation rows always see ``beta`` itself, so that epochs compare.

    References
    ----------
    Kingma and Welling (2014), *Auto-encoding variational Bayes*.

    Examples
    --------
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.objectives import ELBO
    >>> ELBO(beta=4.0)
    ELBO(beta=4.0)
    >>> VAETransformer(objective=ELBO(beta=4.0))  # the same as VAETransformer(beta=4.0)
    VAETransformer(objective=ELBO(beta=4.0))
    """

    _parameter_constraints = {"beta": WEIGHT, "warmup_steps": STEPS}

    def __init__(self, beta: float = 1.0, warmup_steps: int | float = 0.1) -> None:
        super().__init__(warmup_steps)
        self.beta = beta

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """``reconstruction`` and the weighted ``kl``, in nats; see :meth:`Objective.terms`."""
        drawn = Drawn.of(network, batch, generator)
        return {
            "reconstruction": drawn.reconstruction(batch),
            "kl": self.weight(heads) * drawn.divergence().mean(),
        }

    def weight(self, heads: Any) -> float:
        """Weight of the divergence in the update that comes."""
        return self.beta * self.risen(heads)


class CapacityELBO(Variational):
    r"""Reconstruction error, and what the divergence from the prior differs from its capacity.

    :math:`\gamma\,|KL - C|`, where the capacity :math:`C`, in nats, rises from 0: so values of the
    code are taken into use one after the other, the most worthwhile first.

    Parameters
    ----------
    capacity : float, default=10.0
        Nats that a code may tell in the end. A code that has more to tell is kept from it, and one
        that has less is made to: look at the ``kl`` of ``ELBO()`` first.
    gamma : float, default=30.0
        Weight of the difference.
    warmup_steps : int or float, default=0.5
        Updates over which the capacity rises; a float is their share of all. Validation rows always
        see ``capacity`` itself.

    References
    ----------
    Burgess et al. (2018), *Understanding disentangling in β-VAE*; their ``gamma`` is 1000, for
    images of 64 x 64 pixels.

    Examples
    --------
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.objectives import CapacityELBO
    >>> vae = VAETransformer(2, objective=CapacityELBO(capacity=2.0), max_epochs=2)
    >>> vae.fit([[0.0, 1.0], [1.0, 3.0], [2.0, 0.0]]).transform([[1.0, 1.0]]).shape
    (1, 2)
    """

    _parameter_constraints = {"capacity": WEIGHT, "gamma": WEIGHT, "warmup_steps": STEPS}

    def __init__(
        self, capacity: float = 10.0, gamma: float = 30.0, warmup_steps: int | float = 0.5
    ) -> None:
        super().__init__(warmup_steps)
        self.capacity = capacity
        self.gamma = gamma

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """``reconstruction`` and ``capacity``, the weighted difference; ``kl`` aside, in nats."""
        drawn = Drawn.of(network, batch, generator)
        divergence = drawn.divergence().mean()
        excess = (divergence - self.capacity * self.risen(heads)).abs()
        return {
            "reconstruction": drawn.reconstruction(batch),
            "capacity": self.gamma * excess,
            "kl": divergence.detach(),
        }

    terms_aside = ("kl",)


class IWAE(Variational):
    r"""Importance-weighted bound, with its sign turned, in nats per row.

    :math:`\log\frac1k\sum_{i=1}^k \frac{p(x|z_i)\,p(z_i)}{q(z_i|x)}`, which is tighter than the
    evidence lower bound the more codes are drawn for each row; a step takes that much longer. Codes
    need not lie as the encoder says, only where they must: the encoder learns less.

    Parameters
    ----------
    n_samples : int, default=8
        Codes drawn for each row.
    warmup_steps : int or float, default=0.1
        Updates over which the weight of :math:`\log p(z)/q(z|x)` rises from 0 to 1; a float is
        their share of all.

    References
    ----------
    Burda et al. (2016), *Importance weighted autoencoders*. Rainforth et al. (2018), *Tighter
    variational bounds are not necessarily better*.

    Examples
    --------
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.objectives import IWAE
    >>> vae = VAETransformer(2, objective=IWAE(n_samples=4), max_epochs=2)
    >>> vae.fit([[0.0, 1.0], [1.0, 3.0], [2.0, 0.0]]).transform([[1.0, 1.0]]).shape
    (1, 2)
    """

    _parameter_constraints = {"n_samples": [Whole(1, 2**20)], "warmup_steps": STEPS}

    def __init__(self, n_samples: int = 8, warmup_steps: int | float = 0.1) -> None:
        super().__init__(warmup_steps)
        self.n_samples = n_samples

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """``reconstruction``, ``kl`` and ``importance``, in nats; see :meth:`Objective.terms`.

        The first two are means over the codes drawn, the third, at most 0, is what weighting these
        gains; together they are minus the bound.
        """
        drawn, n = Drawn.of(network, batch, generator, self.n_samples), len(batch.left)
        log_x = drawn.log_x(batch).view(n, -1)
        divergence = self.risen(heads) * drawn.log_ratio().view(n, -1)
        log_weights = log_x - divergence
        bound = log_weights.logsumexp(1) - math.log(self.n_samples)
        return {
            "reconstruction": -log_x.mean(),
            "kl": divergence.mean(),
            "importance": (log_weights.mean(1) - bound).mean(),
        }


class Drawn:
    """Codes drawn from the posteriors of the left view of a batch.

    Attributes
    ----------
    network : VariationalAutoencoder
    n_samples : int
        Codes of each row, which lie together.
    mean, log_variance, codes : Tensor of shape (n * n_samples, latent_dim)
    """

    def __init__(self, network: Any, n_samples: int, mean, log_variance, codes) -> None:
        self.network, self.n_samples = network, n_samples
        self.mean, self.log_variance, self.codes = mean, log_variance, codes

    @classmethod
    def of(cls, network: Any, batch: Batch, generator: torch.Generator, n_samples: int = 1):
        """So many for each row."""
        mean, log_variance = network.posterior(batch.left)
        if n_samples > 1:
            mean, log_variance = (x.repeat_interleave(n_samples, 0) for x in (mean, log_variance))
        noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
        codes = mean + noise * (0.5 * log_variance).exp()
        return cls(network, n_samples, mean, log_variance, codes)

    def log_x(self, batch: Batch):
        """Log-likelihood of the right view given each code, Tensor of shape (n * n_samples,)."""
        rows = batch.right
        if self.n_samples > 1:
            rows = rows.repeat_interleave(self.n_samples, 0)
        return self.network.likelihood.log_prob(rows, self.network.output(self.codes)).sum(1)

    def reconstruction(self, batch: Batch):
        """Minus its mean."""
        return -self.log_x(batch).mean()

    def log_posterior(self):
        """Log-density of each code by the posterior that it was drawn from."""
        return gaussian_log_density(self.codes, self.mean, self.log_variance)

    def log_ratio(self):
        """The same less that by the prior."""
        return self.log_posterior() - self.network.log_prior(self.codes)

    def divergence(self):
        """Of each posterior from the prior: in closed form if that is normal, else by the draw."""
        if self.network.prior is None:
            return gaussian_kl(self.mean, self.log_variance)
        return self.log_ratio()


class Steps(nn.Module):
    """A count that is kept with the state of training."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def get_extra_state(self):
        return {"steps": self.steps}

    def set_extra_state(self, state):
        self.steps = state["steps"]
