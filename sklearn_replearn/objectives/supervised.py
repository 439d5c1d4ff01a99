"""Objectives of a linear head on codes, for fine-tuning with labels."""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .base import Objective

# Of half the squared distance of the encoder from where it started (Li et al. 2018, "Explicit
# inductive bias for transfer learning with convolutional networks", L2-SP). Without it a hundred
# rows are learned by heart, and codes forget what all rows taught.
_PULL = 0.1


class _LinearHead(Objective):
    """A linear map from codes, started from weights that are given.

    Parameters
    ----------
    weight : ndarray of shape (n_outputs, latent_dim)
    bias : ndarray of shape (n_outputs,)
    shrinkage : float
        Weight of the squared weights of the head: that with which they were found.
    """

    uses_labels = True

    def __init__(self, weight, bias, shrinkage):
        self.weight = weight
        self.bias = bias
        self.shrinkage = shrinkage

    def guessing(self):
        """The same objective with a head that says the same of all rows."""
        blank = copy.copy(self)
        blank.weight, blank.bias = np.zeros_like(self.weight), np.zeros_like(self.bias)
        return blank

    def heads(self, network, generator):
        """The linear map, and where the encoder starts."""
        heads = nn.Module()
        for name in ("weight", "bias"):
            start = torch.tensor(getattr(self, name), dtype=torch.float32, device="cpu")
            setattr(heads, name, nn.Parameter(start))
        for number, weight in enumerate(_trained(network)):
            heads.register_buffer(f"start_{number}", weight.detach().clone())
        return heads

    def terms(self, network, heads, batch, generator):
        """``prediction``, ``shrinkage`` and, unless the encoder is frozen, ``distance``."""
        if not _trained(network):
            network.eval()  # what an encoder keeps beside its weights is frozen, too
        outputs = F.linear(network.encode(batch.left), heads.weight, heads.bias)
        terms = {
            "prediction": self._error(outputs, batch.labels),
            "shrinkage": self.shrinkage * heads.weight.square().sum(),
        }
        moved = [
            (weight - getattr(heads, f"start_{number}")).square().sum()
            for number, weight in enumerate(_trained(network))
        ]
        return {**terms, "distance": 0.5 * _PULL * sum(moved)} if moved else terms


def _trained(network):
    """Weights of the encoder, if they are trained."""
    return [weight for weight in network.encoder.parameters() if weight.requires_grad]


class Classification(_LinearHead):
    """Cross-entropy in nats; with two classes of the log-odds of the second."""

    @staticmethod
    def _error(outputs, labels):
        if outputs.shape[1] == 1:
            return F.binary_cross_entropy_with_logits(outputs[:, 0], labels.to(outputs.dtype))
        return F.cross_entropy(outputs, labels)


class Regression(_LinearHead):
    """Mean squared error, in units of ``spread`` from ``center``, ndarray of a float a target."""

    def __init__(self, weight, bias, shrinkage, center, spread):
        super().__init__(weight, bias, shrinkage)
        self.center = center
        self.spread = spread

    def _error(self, outputs, labels):
        labels = labels.view(outputs.shape)
        center, spread = (torch.from_numpy(x).to(labels.device) for x in (self.center, self.spread))
        return F.mse_loss(outputs, ((labels - center) / spread).to(outputs.dtype))
