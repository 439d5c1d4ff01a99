"""Objectives that tell a row's other view from other rows."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from .._dataset.batches import Batch
from .._runtime.parameters import Number, Whole
from ..losses import decoupled, info_nce, nt_xent, sup_con
from .base import Objective
from .heads import PROJECTOR_SIZES, MovingAverage, projector

_COLDEST = 0.01  # lowest temperature that is learned


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
    beta : float, default=0.0
        Weight of hard negatives (β of Robinson et al. 2021); 0 weighs all the same.
    tau_plus : float, default=0.0
        Share of negatives that are positives unawares (τ⁺ of Chuang et al. 2020), to correct for.
    learn_temperature : bool, default=False
        Whether ``temperature`` is only where it begins: its logarithm is then trained with the
        weights, and kept from falling below 0.01 (CLIP). The history has its means.

    References
    ----------
    Chen et al. (2020), *A simple framework for contrastive learning of visual representations*.
    He et al. (2020), *Momentum contrast for unsupervised visual representation learning*.
    Robinson et al. (2021), *Contrastive learning with hard negative samples*.
    Chuang et al. (2020), *Debiased contrastive learning*.
    Radford et al. (2021), *Learning transferable visual models from natural language supervision*.

    Notes
    -----
    With a queue, the keys of the batch are negatives too and both views ask in turn, as in
    MoCo v3 (Chen et al. 2021).

    A queue that is not much smaller than the table holds keys that a row itself had in earlier
    epochs, as negatives of it. To leave these out changed accuracy on wine and digits by less than
    0.002, with queues of 2 to 23 times the rows: all rows are there about equally often.

    A learned temperature is a weight like any other: it moves by no more than about the learning
    rate in each update, and ``weight_decay`` draws it to 1.

    Examples
    --------
    >>> from sklearn_replearn import ContrastiveTransformer
    >>> from sklearn_replearn.objectives import NTXent
    >>> ContrastiveTransformer(objective=NTXent(temperature=0.2)).objective
    NTXent(temperature=0.2)
    """

    _parameter_constraints = {
        "temperature": [Number(0)],
        "projector_sizes": PROJECTOR_SIZES,
        "queue_size": [Whole(0)],
        "momentum": [Number(0, 1, closed="both")],
        "beta": [Number(0, closed="left")],
        "tau_plus": [Number(0, 1, closed="left")],
        "learn_temperature": ["boolean"],
    }

    def __init__(
        self,
        temperature: float = 0.5,
        projector_sizes: Sequence[int] = (128, 64),
        queue_size: int = 0,
        momentum: float = 0.99,
        beta: float = 0.0,
        tau_plus: float = 0.0,
        learn_temperature: bool = False,
    ) -> None:
        self.temperature = temperature
        self.projector_sizes = projector_sizes
        self.queue_size = queue_size
        self.momentum = momentum
        self.beta = beta
        self.tau_plus = tau_plus
        self.learn_temperature = learn_temperature

    @property
    def terms_aside(self) -> tuple[str, ...]:
        """``temperature``, if it is learned."""
        return ("temperature",) if self.learn_temperature else ()

    def heads(self, network: Any, generator: torch.Generator) -> nn.Module:
        """A projector; with a queue, the moving average and the queue; a learned temperature."""
        project = projector(self, network, generator, batch_norm=False)
        if self.learn_temperature and self.temperature < _COLDEST:
            raise ValueError(
                f"NTXent: temperature must be {_COLDEST} or more to be learned; got "
                f"{self.temperature!r}."
            )
        heads = _ContrastHeads(network, project, self.projector_sizes[-1], self.queue_size)
        if self.learn_temperature:
            start = torch.tensor(math.log(self.temperature), dtype=torch.float32)
            heads.log_temperature = nn.Parameter(start)
        return heads

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """``contrast``, in nats, and a learned ``temperature``; see :meth:`Objective.terms`."""
        if not self.learn_temperature:
            return {"contrast": self._contrast(network, heads, batch, self.temperature)}
        temperature = heads.log_temperature.exp()
        contrast = self._contrast(network, heads, batch, temperature)
        return {"contrast": contrast, "temperature": temperature.detach()}

    def _contrast(self, network, heads, batch, temperature):
        weighting = {
            "temperature": temperature,
            "beta": self.beta,
            "tau_plus": self.tau_plus,
        }
        left_query, right_query = _projections(network, heads, batch)
        if self.queue_size == 0:
            return nt_xent(left_query, right_query, **weighting)
        left_key, right_key = heads.target(batch.left), heads.target(batch.right)
        # Validation rows see no queue: it grows, and losses of epochs would not compare.
        queue = heads.queue[: heads.filled if heads.training else 0]
        contrast = 0.5 * (
            info_nce(left_query, right_key, queue, **weighting)
            + info_nce(right_query, left_key, queue, **weighting)
        )
        if heads.training:
            heads.waiting = F.normalize(right_key, dim=1)
        return contrast

    def after_step(self, network: Any, heads: Any) -> None:
        """Move the moving average and put the keys of the batch into the queue."""
        if self.queue_size:
            heads.target.follow(network, heads.project, self.momentum)
            heads.enqueue()
        if self.learn_temperature:
            heads.log_temperature.detach().clamp_(min=math.log(_COLDEST))


def _projections(network, heads, batch):
    # Both views in one pass, as in the paper: the products of larger matrices are quicker.
    return heads.project(network.code(torch.cat([batch.left, batch.right]))).chunk(2)


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


class _WithinBatch(Objective):
    """Views of a batch told from each other behind a projector, at a fixed temperature."""

    _parameter_constraints = {
        "temperature": [Number(0)],
        "projector_sizes": PROJECTOR_SIZES,
    }

    def __init__(
        self, temperature: float = 0.1, projector_sizes: Sequence[int] = (128, 64)
    ) -> None:
        self.temperature = temperature
        self.projector_sizes = projector_sizes

    def heads(self, network: Any, generator: torch.Generator) -> nn.Module:
        """A projector."""
        heads = nn.Module()
        heads.project = projector(self, network, generator, batch_norm=False)
        return heads


class DCL(_WithinBatch):
    """Decoupled contrastive learning: NT-Xent with the positive left out of the denominator.

    It depends less on the size of the batch than NT-Xent.

    Parameters
    ----------
    temperature : float, default=0.1
        Smaller values weigh the nearest negatives more.
    projector_sizes : tuple of int, default=(128, 64)
        Widths of the projector behind the code.

    References
    ----------
    Yeh et al. (2022), *Decoupled contrastive learning*.

    Notes
    -----
    Positives all count the same; the paper has a variant that weighs them (DCLW).

    Examples
    --------
    >>> from sklearn_replearn.objectives import DCL
    >>> DCL(temperature=0.2)
    DCL(temperature=0.2)
    """

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """``contrast``, in nats, negative where views are close; see :meth:`Objective.terms`."""
        left, right = _projections(network, heads, batch)
        return {"contrast": decoupled(left, right, self.temperature)}


class SupCon(_WithinBatch):
    """Supervised contrastive learning: views of all rows of a class are alike.

    Parameters
    ----------
    temperature : float, default=0.1
        Smaller values weigh the nearest negatives more.
    projector_sizes : tuple of int, default=(128, 64)
        Widths of the projector behind the code.

    References
    ----------
    Khosla et al. (2020), *Supervised contrastive learning*.

    Notes
    -----
    Rows may lack a label (-1, as in :mod:`sklearn.semi_supervised`; where the labels are -1 and 1
    alone, both are classes), unlike in the paper: such a row has its own other view as its only
    positive, and it is a negative of all other rows, of those of its unknown class too. Without any
    labels this is NT-Xent. The loss is averaged over views; the paper sums it.

    Examples
    --------
    >>> from sklearn_replearn.objectives import SupCon
    >>> SupCon(temperature=0.2)
    SupCon(temperature=0.2)
    """

    uses_labels = True

    def terms(
        self, network: Any, heads: Any, batch: Batch, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """``contrast``, in nats; see :meth:`Objective.terms`."""
        left, right = _projections(network, heads, batch)
        return {"contrast": sup_con(left, right, batch.labels, self.temperature)}
