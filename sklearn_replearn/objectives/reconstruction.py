"""Objectives that compare rows with what a decoder makes of their codes."""

from typing import Any

import torch

from .._dataset.batches import Batch
from .base import Objective
from .sparsity import SPARSITY, Sparsity


class Reconstruction(Objective):
    """Error of decoding the left view's code against the right view, averaged over cells.

    The error is the likelihood's: squared error, or binary cross-entropy; for categories twice the
    cross-entropy, as the squared error is twice the nats of a normal of unit variance, and a tenth
    of that beside numbers. Cells that are missing have none.

    Parameters
    ----------
    sparsity : L1Sparsity, KLSparsity or TopKSparsity, default=None

    Examples
    --------
    >>> from sklearn_replearn.objectives import L1Sparsity, Reconstruction
    >>> Reconstruction(sparsity=L1Sparsity(weight=0.01))
    Reconstruction(sparsity=L1Sparsity(weight=0.01))
    """

    _parameter_constraints = {"sparsity": [SPARSITY, None]}

    def __init__(self, sparsity: Sparsity | None = None) -> None:
        self.sparsity = sparsity

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """``reconstruction`` and, with a penalty, ``sparsity``; see :meth:`Objective.terms`."""
        code = network.code(batch.left)
        terms = {"reconstruction": mean_error(network, batch.right, network.output(code))}
        if self.sparsity is not None:
            terms |= self.sparsity.penalties(code)
        return terms


def mean_error(network, cells, output):
    """Error averaged over the cells that are there."""
    error = network.likelihood.error(cells, output)
    # Rows of fit have all cells then; others may lack some.
    if network.inputs is None and (network.training or not cells.isnan().any()):
        return error.mean()
    return error.sum() / (~cells.isnan()).sum().clamp_min(1)
