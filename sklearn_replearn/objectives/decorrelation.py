"""Objectives that keep the columns of a projection apart, without negatives."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from .._dataset.batches import Batch
from .._runtime.parameters import Number
from ..losses import cross_correlation, off_diagonal_covariance, variance_hinge
from .base import Objective
from .heads import PROJECTOR_SIZES, projector


class _Decorrelation(Objective):
    """Views compared behind a projector."""

    def heads(self, network: Any, generator: torch.Generator) -> nn.Module:
        """A projector."""
        heads = nn.Module()
        heads.project = projector(self, network, generator, batch_norm=True)
        return heads


class BarlowTwins(_Decorrelation):
    """Cross-correlation of two views' projections, drawn to the identity matrix.

    Parameters
    ----------
    lambda_param : float, default=5e-3
        Weight of the squared correlations between different columns.
    projector_sizes : tuple of int, default=(128, 128)
        Widths of the projector behind the code.

    References
    ----------
    Zbontar et al. (2021), *Barlow Twins: self-supervised learning via redundancy reduction*.

    Examples
    --------
    >>> from sklearn_replearn.objectives import BarlowTwins
    >>> BarlowTwins(lambda_param=0.01)
    BarlowTwins(lambda_param=0.01)
    """

    _parameter_constraints = {
        "lambda_param": [Number(0, closed="left")],
        "projector_sizes": PROJECTOR_SIZES,
    }

    def __init__(
        self, lambda_param: float = 5e-3, projector_sizes: Sequence[int] = (128, 128)
    ) -> None:
        self.lambda_param = lambda_param
        self.projector_sizes = projector_sizes

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """``invariance`` and ``redundancy``; see :meth:`Objective.terms`."""
        correlation = cross_correlation(
            heads.project(network.code(batch.left)), heads.project(network.code(batch.right))
        )
        diagonal = correlation.diagonal()
        others = correlation.square().sum() - diagonal.square().sum()
        return {
            "invariance": (1 - diagonal).square().sum(),
            "redundancy": self.lambda_param * others,
        }


class VICReg(_Decorrelation):
    """Variance, invariance and covariance of two views' projections.

    Parameters
    ----------
    invariance_weight : float, default=25.0
        Of the squared difference between the two views.
    variance_weight : float, default=25.0
        Of how far standard deviations fall short of 1.
    covariance_weight : float, default=1.0
        Of squared covariances between columns.
    projector_sizes : tuple of int, default=(128, 128)
        Widths of the projector behind the code.

    References
    ----------
    Bardes et al. (2022), *VICReg: variance-invariance-covariance regularization for
    self-supervised learning*.

    Notes
    -----
    The invariance term is averaged over columns as in the paper's Algorithm 1, not summed as in its
    equation 5. The variance terms of the two views are summed as in equation 6; the authors'
    published code halves them.

    Examples
    --------
    >>> from sklearn_replearn.objectives import VICReg
    >>> VICReg(covariance_weight=2.0)
    VICReg(covariance_weight=2.0)
    """

    _parameter_constraints = {
        "invariance_weight": [Number(0, closed="left")],
        "variance_weight": [Number(0, closed="left")],
        "covariance_weight": [Number(0, closed="left")],
        "projector_sizes": PROJECTOR_SIZES,
    }

    def __init__(
        self,
        invariance_weight: float = 25.0,
        variance_weight: float = 25.0,
        covariance_weight: float = 1.0,
        projector_sizes: Sequence[int] = (128, 128),
    ) -> None:
        self.invariance_weight = invariance_weight
        self.variance_weight = variance_weight
        self.covariance_weight = covariance_weight
        self.projector_sizes = projector_sizes

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """``invariance``, ``variance`` and ``covariance``; see :meth:`Objective.terms`."""
        left = heads.project(network.code(batch.left))
        right = heads.project(network.code(batch.right))
        variance = variance_hinge(left) + variance_hinge(right)
        covariance = off_diagonal_covariance(left) + off_diagonal_covariance(right)
        return {
            "invariance": self.invariance_weight * F.mse_loss(left, right),
            "variance": self.variance_weight * variance,
            "covariance": self.covariance_weight * covariance,
        }
