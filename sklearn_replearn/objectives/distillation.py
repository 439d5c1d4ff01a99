"""Objectives that predict one view's projection from the other's, without negatives."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from .._dataset.batches import Batch
from .._runtime.parameters import WIDEST, Number, Whole
from ..losses import negative_cosine
from ..modules import mlp
from .base import Objective
from .heads import PROJECTOR_SIZES, MovingAverage, projector


class SimSiam(Objective):
    """Predict each view's projection from the other's, with a stop-gradient on the target.

    Parameters
    ----------
    projector_sizes : tuple of int, default=(128, 64)
        Widths of the projector behind the code.
    predictor_size : int, default=32
        Hidden width of the predictor.

    References
    ----------
    Chen and He (2021), *Exploring simple Siamese representation learning*.

    Notes
    -----
    Batch normalisation stands behind the hidden layers only; the paper has one behind the
    projector's output too.

    Examples
    --------
    >>> from sklearn_replearn.objectives import SimSiam
    >>> SimSiam(predictor_size=16)
    SimSiam(predictor_size=16)
    """

    _parameter_constraints = {
        "projector_sizes": PROJECTOR_SIZES,
        "predictor_size": [Whole(1, WIDEST)],
    }

    def __init__(
        self, projector_sizes: Sequence[int] = (128, 64), predictor_size: int = 32
    ) -> None:
        self.projector_sizes = projector_sizes
        self.predictor_size = predictor_size

    def heads(self, network: Any, generator: torch.Generator) -> nn.Module:
        """A projector and a predictor."""
        return _prediction_heads(network, self, generator)

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """``distance``, minus a cosine; see :meth:`Objective.terms`."""
        left_projection = heads.project(network.code(batch.left))
        right_projection = heads.project(network.code(batch.right))
        return {
            "distance": 0.5
            * (
                negative_cosine(heads.predict(left_projection), right_projection.detach())
                + negative_cosine(heads.predict(right_projection), left_projection.detach())
            )
        }


class BYOL(Objective):
    """SimSiam whose targets come from a moving average of the encoder and projector.

    Parameters
    ----------
    projector_sizes : tuple of int, default=(128, 64)
        Widths of the projector behind the code.
    predictor_size : int, default=128
        Hidden width of the predictor.
    momentum : float, default=0.99
        Of the moving average, between 0 and 1.

    References
    ----------
    Grill et al. (2020), *Bootstrap your own latent*.

    Notes
    -----
    The momentum is constant; the paper raises it to 1 over the course of training.

    Examples
    --------
    >>> from sklearn_replearn.objectives import BYOL
    >>> BYOL(momentum=0.9)
    BYOL(momentum=0.9)
    """

    _parameter_constraints = {
        "projector_sizes": PROJECTOR_SIZES,
        "predictor_size": [Whole(1, WIDEST)],
        "momentum": [Number(0, 1, closed="both")],
    }

    def __init__(
        self,
        projector_sizes: Sequence[int] = (128, 64),
        predictor_size: int = 128,
        momentum: float = 0.99,
    ) -> None:
        self.projector_sizes = projector_sizes
        self.predictor_size = predictor_size
        self.momentum = momentum

    def heads(self, network: Any, generator: torch.Generator) -> nn.Module:
        """A projector, a predictor and the moving average."""
        heads = _prediction_heads(network, self, generator)
        heads.target = MovingAverage(network, heads.project)
        return heads

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """``distance``, minus a cosine; see :meth:`Objective.terms`."""
        left_prediction = heads.predict(heads.project(network.code(batch.left)))
        right_prediction = heads.predict(heads.project(network.code(batch.right)))
        return {
            "distance": 0.5
            * (
                negative_cosine(left_prediction, heads.target(batch.right))
                + negative_cosine(right_prediction, heads.target(batch.left))
            )
        }

    def after_step(self, network: Any, heads: Any) -> None:
        """Move the moving average."""
        heads.target.follow(network, heads.project, self.momentum)


def _prediction_heads(network, objective, generator):
    heads = nn.Module()
    heads.project = projector(objective, network, generator, batch_norm=True)
    width = objective.projector_sizes[-1]
    sizes = (width, objective.predictor_size, width)
    heads.predict = mlp(sizes, "relu", generator, batch_norm=True)
    return heads
