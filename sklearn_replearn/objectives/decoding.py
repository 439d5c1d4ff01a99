"""A decoder beside an objective that has none."""

import torch

from ..losses import alignment, uniformity
from .base import Objective, bound_to, checked_heads, checked_terms
from .reconstruction import mean_error

_BESIDE = ("reconstruction", "alignment", "uniformity")


class WithDecoder(Objective):
    """An objective, and a decoder that learns from its codes.

    Parameters
    ----------
    objective : Objective
    n_decoded : int, default=None
        The decoder learns from so many rows of each batch; None: all.
    weight : float, default=0.0
        Of the decoder's error in what the encoder learns. 0: it does not influence codes.
    """

    def __init__(self, objective, n_decoded=None, weight=0.0):
        self.objective = objective
        self.n_decoded = n_decoded
        self.weight = weight

    @property
    def terms_aside(self):
        """Those of the objective, and all that is added here."""
        return (*getattr(self.objective, "terms_aside", ()), *_BESIDE)

    @property
    def uses_labels(self):
        """Whether the objective does."""
        return getattr(self.objective, "uses_labels", False)

    def bound(self, n_rows, n_updates):
        """The same of the objective."""
        objective = bound_to(self.objective, n_rows, n_updates)
        return WithDecoder(objective, self.n_decoded, self.weight)

    def heads(self, network, generator):
        """Those of the objective."""
        return checked_heads(self.objective, network, generator)

    def terms(self, network, heads, batch, generator):
        """Those of the objective, and ``reconstruction`` of the rows as they are.

        On validation rows also ``alignment`` and ``uniformity`` of the codes of the views.
        """
        terms = checked_terms(self.objective, network, heads, batch, generator)
        if taken := terms.keys() & _BESIDE:
            raise ValueError(
                f"{type(self.objective).__name__}: terms named {sorted(taken)} are reported beside "
                "every objective; its own need other names."
            )
        rows = batch.rows[: self.n_decoded]
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.weight > 0):
            # What an encoder counts over batches is of the views.
            network.encoder.eval()
            code = network.code(rows if batch.seen is None else batch.seen[: self.n_decoded])
            network.encoder.train(heads.training)
        if self.weight > 0:
            code = torch.lerp(code.detach(), code, self.weight)
        if not heads.training:
            with torch.no_grad():
                left, right = network.code(batch.left), network.code(batch.right)
                terms = {
                    **terms,
                    "alignment": alignment(left, right),
                    "uniformity": 0.5 * (uniformity(left) + uniformity(right)),
                }
        return {**terms, "reconstruction": mean_error(network, rows, network.output(code))}

    def after_step(self, network, heads):
        """That of the objective."""
        self.objective.after_step(network, heads)
