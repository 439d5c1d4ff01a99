"""A decoder beside an objective that has none."""

import torch

from ..augmentations._calling import view
from ..losses import alignment, uniformity
from .base import Objective
from .reconstruction import mean_error

_BESIDE = ("reconstruction", "alignment", "uniformity")


class WithDecoder(Objective):
    """An objective, and a decoder that learns from its codes without influencing them.

    Parameters
    ----------
    objective : Objective
    augmentations : tuple of two callables
        Make the objective's views; the decoder sees the rows as they are.
    n_decoded : int, default=None
        The decoder learns from so many rows of each batch; None: all.
    """

    def __init__(self, objective, augmentations, n_decoded=None):
        self.objective = objective
        self.augmentations = augmentations
        self.n_decoded = n_decoded

    @property
    def terms_aside(self):
        """Those of the objective, and all that is added here."""
        return (*getattr(self.objective, "terms_aside", ()), *_BESIDE)

    @property
    def uses_labels(self):
        """Whether the objective does."""
        return getattr(self.objective, "uses_labels", False)

    def heads(self, network, generator):
        """Those of the objective."""
        return self.objective.heads(network, generator)

    def terms(self, network, heads, left, right, generator, **labels):
        """Those of the objective, and ``reconstruction``.

        On validation rows also ``alignment`` and ``uniformity`` of the codes of the views.
        """
        views = [
            view(augmentation, rows, generator)
            for augmentation, rows in zip(self.augmentations, (left, right), strict=True)
        ]
        terms = self.objective.terms(network, heads, *views, generator, **labels)
        if taken := terms.keys() & _BESIDE:
            raise ValueError(
                f"{type(self.objective).__name__}: terms named {sorted(taken)} are reported beside "
                "every objective; its own need other names."
            )
        right = right[: self.n_decoded]
        with torch.no_grad():
            # What an encoder counts over batches is of the views.
            network.encoder.eval()
            code = network.code(right)
            network.encoder.train(heads.training)
            if not heads.training:
                left_code, right_code = map(network.code, views)
                terms = {
                    **terms,
                    "alignment": alignment(left_code, right_code),
                    "uniformity": 0.5 * (uniformity(left_code) + uniformity(right_code)),
                }
        return {**terms, "reconstruction": mean_error(network, right, network.output(code))}

    def after_step(self, network, heads):
        """That of the objective."""
        self.objective.after_step(network, heads)
