"""Objectives that tell a row's other view from other rows."""

import torch
from torch import nn
from torch.nn import functional as F

from ..losses import info_nce, nt_xent
from ._base import Objective
from ._heads import MovingAverage, projector


class NTXent(Objective):
    """SimCLR's normalised temperature-scaled cross-entropy (InfoNCE).

    Parameters
    ----------
    temperature : float, default=0.5
        Smaller values weigh the nearest negatives more.
    projector_sizes : tuple of int, default=(128, 64)
        Widths of the projector behind the code.
    queue_size : int, default=0
        Negatives kept from earlier batches, encoded by a moving average of the encoder (MoCo). 0:
        the batch alone.
    momentum : float, default=0.99
        Of that moving average; used with a queue only.
    concentration : float, default=0.0
        Weight of hard negatives (β of Robinson et al. 2021); 0 weighs all the same.
    positive_rate : float, default=0.0
        Share of negatives that are positives unawares (τ⁺ of Chuang et al. 2020), to correct for.

    References
    ----------
    Chen et al. (2020), *A simple framework for contrastive learning of visual representations*.
    He et al. (2020), *Momentum contrast for unsupervised visual representation learning*.
    Robinson et al. (2021), *Contrastive learning with hard negative samples*.
    Chuang et al. (2020), *Debiased contrastive learning*.

    Notes
    -----
    With a queue, the keys of the batch are negatives too and both views ask in turn, as in
    MoCo v3 (Chen et al. 2021).

    Examples
    --------
    >>> from sklearn_replearn import ContrastiveTransformer
    >>> from sklearn_replearn.objectives import NTXent
    >>> ContrastiveTransformer(objective=NTXent(temperature=0.2)).objective
    NTXent(temperature=0.2)
    """

    def __init__(
        self,
        temperature=0.5,
        projector_sizes=(128, 64),
        queue_size=0,
        momentum=0.99,
        concentration=0.0,
        positive_rate=0.0,
    ):
        self.temperature = temperature
        self.projector_sizes = projector_sizes
        self.queue_size = queue_size
        self.momentum = momentum
        self.concentration = concentration
        self.positive_rate = positive_rate

    def heads(self, network, generator):
        """A projector and, with a queue, the moving average and the queue."""
        self._check()
        project = projector(self, network, generator, batch_norm=False)
        return _ContrastHeads(network, project, self.projector_sizes[-1], self.queue_size)

    def _check(self):
        for name, holds, wanted in (
            ("temperature", self.temperature > 0, "above 0"),
            ("queue_size", self.queue_size >= 0, "0 or more"),
            ("momentum", 0 <= self.momentum <= 1, "between 0 and 1"),
            ("concentration", self.concentration >= 0, "0 or more"),
            ("positive_rate", 0 <= self.positive_rate < 1, "at least 0 and below 1"),
        ):
            if not holds:
                raise ValueError(f"NTXent: {name} must be {wanted}; got {getattr(self, name)!r}.")

    def _weighting(self):
        return {
            "temperature": self.temperature,
            "concentration": self.concentration,
            "positive_rate": self.positive_rate,
        }

    def terms(self, network, heads, left, right, generator):
        """``contrast``, in nats; see :meth:`Objective.terms`."""
        # Both views in one pass, as in the paper: the products of larger matrices are quicker.
        queries = heads.project(network.code(torch.cat([left, right])))
        left_query, right_query = queries.chunk(2)
        if self.queue_size == 0:
            return {"contrast": nt_xent(left_query, right_query, **self._weighting())}
        left_key, right_key = heads.target(left), heads.target(right)
        # Validation rows see no queue: it grows, and losses of epochs would not compare.
        queue = heads.queue[: heads.filled if heads.training else 0]
        contrast = 0.5 * (
            info_nce(left_query, right_key, queue, **self._weighting())
            + info_nce(right_query, left_key, queue, **self._weighting())
        )
        if heads.training:
            heads.waiting = F.normalize(right_key, dim=1)
        return {"contrast": contrast}

    def after_step(self, network, heads):
        """Move the moving average and put the keys of the batch into the queue."""
        if self.queue_size:
            heads.target.follow(network, heads.project, self.momentum)
            heads.enqueue()


class _ContrastHeads(nn.Module):
    """Projector, moving average and a ring of earlier keys."""

    def __init__(self, network, project, width, queue_size):
        super().__init__()
        self.project = project
        self.place = self.filled = 0
        if queue_size:
            self.target = MovingAverage(network, project)
            self.register_buffer("queue", torch.zeros((queue_size, width), dtype=torch.float32))

    def enqueue(self):
        keys, size = self.waiting[-len(self.queue) :], len(self.queue)
        places = (torch.arange(len(keys), device=keys.device) + self.place) % size
        self.queue[places] = keys
        self.place = (self.place + len(keys)) % size
        self.filled = min(size, self.filled + len(keys))

    def get_extra_state(self):
        return {"place": self.place, "filled": self.filled}

    def set_extra_state(self, state):
        self.place, self.filled = state["place"], state["filled"]
