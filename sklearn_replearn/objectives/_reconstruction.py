"""Objectives that compare rows with what a decoder makes of their codes."""

import torch
from sklearn.base import BaseEstimator
from torch import nn

from ..losses import bernoulli_kl, gaussian_kl
from ..modules import TopK
from ._base import Objective


class Reconstruction(Objective):
    """Error of decoding the left view's code against the right view, averaged over cells.

    The error is the likelihood's: squared error, or binary cross-entropy; for categories twice the
    cross-entropy, as the squared error is twice the nats of a normal of unit variance. Cells that
    are missing have none.

    Parameters
    ----------
    sparsity : L1Sparsity, KLSparsity or TopKSparsity, default=None

    Examples
    --------
    >>> from sklearn_replearn.objectives import L1Sparsity, Reconstruction
    >>> Reconstruction(sparsity=L1Sparsity(weight=0.01))
    Reconstruction(sparsity=L1Sparsity(weight=0.01))
    """

    def __init__(self, sparsity=None):
        self.sparsity = sparsity

    def terms(self, network, heads, left, right, generator):
        """``reconstruction`` and, with a penalty, ``sparsity``; see :meth:`Objective.terms`."""
        code = network.code(left)
        terms = {"reconstruction": mean_error(network, right, network.output(code))}
        if self.sparsity is not None:
            terms |= self.sparsity.penalties(code)
        return terms


def mean_error(network, cells, output):
    """Error averaged over the cells that are there."""
    error = network.likelihood.error(cells, output)
    if network.inputs is None:
        return error.mean()
    return error.sum() / (~cells.isnan()).sum().clamp_min(1)


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

    def __init__(self, weight=1e-3):
        self.weight = weight

    def activation(self, latent_dim):
        """No activation: codes are what the encoder gives."""
        if self.weight < 0:
            raise ValueError(f"L1Sparsity: weight must be 0 or more; got {self.weight!r}.")
        return None

    def penalties(self, code):
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

    def __init__(self, target=0.05, weight=0.1):
        self.target = target
        self.weight = weight

    def activation(self, latent_dim):
        """A sigmoid."""
        if self.weight < 0:
            raise ValueError(f"KLSparsity: weight must be 0 or more; got {self.weight!r}.")
        if not 0 < self.target < 1:
            raise ValueError(
                f"KLSparsity: target is a rate strictly between 0 and 1; got {self.target!r}."
            )
        return nn.Sigmoid()

    def penalties(self, code):
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

    def __init__(self, k=4):
        self.k = k

    def activation(self, latent_dim):
        """The top-k activation."""
        if not 1 <= self.k <= latent_dim:
            raise ValueError(
                f"TopKSparsity: k must be between 1 and latent_dim={latent_dim}; got {self.k!r}."
            )
        return TopK(self.k)

    def penalties(self, code):
        """No penalty: the activation does it."""
        return {}


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

    def __init__(self, beta=1.0, warmup_steps=0):
        self.beta = beta
        self.warmup_steps = warmup_steps

    def heads(self, network, generator):
        """The number of updates so far."""
        return _Steps()

    def terms(self, network, heads, left, right, generator):
        """``reconstruction`` and the weighted ``kl``, in nats; see :meth:`Objective.terms`."""
        mean, log_variance = network.posterior(left)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
        output = network.output(mean + noise * (0.5 * log_variance).exp())
        return {
            "reconstruction": -network.likelihood.log_prob(right, output).sum(1).mean(),
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
