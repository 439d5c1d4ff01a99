"""Objectives of a linear head on codes, for fine-tuning with labels."""

import torch
from torch import nn
from torch.nn import functional as F

from ._base import Objective


class _LinearHead(Objective):
    """A linear map from codes, started from weights that are given.

    Parameters
    ----------
    weight : ndarray of shape (n_outputs, latent_dim)
    bias : ndarray of shape (n_outputs,)
    """

    uses_labels = True

    def __init__(self, weight, bias):
        self.weight = weight
        self.bias = bias

    def heads(self, network, generator):
        """The linear map."""
        heads = nn.Module()
        for name in ("weight", "bias"):
            start = torch.tensor(getattr(self, name), dtype=torch.float32, device="cpu")
            setattr(heads, name, nn.Parameter(start))
        return heads

    def terms(self, network, heads, left, right, generator, labels):
        """``prediction``; see :meth:`Objective.terms`."""
        outputs = F.linear(network.encode(left), heads.weight, heads.bias)
        return {"prediction": self._error(outputs, labels)}


class Classification(_LinearHead):
    """Cross-entropy in nats; with two classes of the log-odds of the second."""

    @staticmethod
    def _error(outputs, labels):
        if outputs.shape[1] == 1:
            return F.binary_cross_entropy_with_logits(outputs[:, 0], labels.to(outputs.dtype))
        return F.cross_entropy(outputs, labels)


class Regression(_LinearHead):
    """Mean squared error."""

    @staticmethod
    def _error(outputs, labels):
        return F.mse_loss(outputs[:, 0], labels.to(outputs.dtype))
