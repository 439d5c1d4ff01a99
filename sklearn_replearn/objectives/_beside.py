"""A decoder beside an objective that has none."""

import torch

from ..augmentations import view
from ._base import Objective
from ._reconstruction import mean_error


class WithDecoder(Objective):
    """An objective, and a decoder that learns from its codes without influencing them.

    Parameters
    ----------
    objective : Objective
    augmentations : tuple of two callables
        Make the objective's views; the decoder sees the rows as they are.
    """

    terms_aside = ("reconstruction",)

    def __init__(self, objective, augmentations):
        self.objective = objective
        self.augmentations = augmentations

    def heads(self, network, generator):
        """Those of the objective."""
        return self.objective.heads(network, generator)

    def terms(self, network, heads, left, right, generator):
        """Those of the objective, and ``reconstruction``."""
        views = (
            view(augmentation, rows, generator)
            for augmentation, rows in zip(self.augmentations, (left, right), strict=True)
        )
        terms = self.objective.terms(network, heads, *views, generator)
        with torch.no_grad():
            code = network.code(right)
        return {**terms, "reconstruction": mean_error(network, right, network.output(code))}

    def after_step(self, network, heads):
        """That of the objective."""
        self.objective.after_step(network, heads)
