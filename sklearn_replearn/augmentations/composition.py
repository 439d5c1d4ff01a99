"""Augmentations of any rows: none, and several one after the other."""

from collections.abc import Callable, Sequence

import torch

from .._runtime.parameters import Each
from .._runtime.sklearn import BaseEstimator
from ._calling import AUGMENTATION, called, hides
from ._ranges import check_categories, check_generator, check_tensor

_STEPS = Each(AUGMENTATION)


class Identity(BaseEstimator):
    """The rows as they are.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import Identity
    >>> Identity()(torch.ones(1, 2), torch.Generator())
    tensor([[1., 1.]])
    """

    def __call__(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return ``rows``, Tensor of shape (n, ...)."""
        return rows


class ToDecode(Identity):
    """The rows as they are, where they are decoded and not encoded."""


class Compose(BaseEstimator):
    """Apply augmentations one after the other.

    Parameters
    ----------
    steps : sequence of callables

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import Compose, GaussianNoise, MaskFeatures
    >>> both = Compose([GaussianNoise(0.1), MaskFeatures(0.5)])
    >>> both(torch.ones(2, 3), torch.Generator().manual_seed(0)).shape
    torch.Size([2, 3])
    """

    wants_categories = True

    def __init__(self, steps: Sequence[Callable[..., torch.Tensor]]) -> None:
        self.steps = steps

    @property
    def hides(self) -> bool:
        """Whether a step makes cells missing."""
        return _STEPS.is_satisfied_by(self.steps) and any(map(hides, self.steps))

    def __call__(
        self,
        rows: torch.Tensor,
        generator: torch.Generator,
        categories: Sequence[slice] | None = None,
    ) -> torch.Tensor:
        """Return rows after the last step, Tensor of shape (n, ...)."""
        check_tensor("rows", rows)
        check_generator(generator)
        check_categories(categories)
        if not _STEPS.is_satisfied_by(self.steps):
            raise ValueError(f"Compose: steps must be {_STEPS}; got {self.steps!r}.")
        for step in self.steps:
            rows = called(step, rows, generator, categories)
        return rows
