"""An augmentation with what it has to know about the rows."""

import math
from contextlib import contextmanager

import torch

from .._runtime.sklearn import BaseEstimator
from ._calling import hides, view


class _On(BaseEstimator):
    """An augmentation with what it has to know about the rows."""

    @property
    def steps(self):
        """The augmentation, where those of :class:`Compose` are."""
        return [self.augmentation]

    @property
    def hides(self):
        """Whether the augmentation makes cells missing."""
        return hides(self.augmentation)


class OnTables(_On):
    """An augmentation of tables that is told which columns are categories.

    Parameters
    ----------
    augmentation : callable
    categories : array-like of bool of shape (n_features,), default=None
        Columns whose cells are numbers of levels; best a Tensor on the device of the rows. None if
        all are numbers.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import GaussianNoise
    >>> from sklearn_replearn.augmentations._binding import OnTables
    >>> noisy = OnTables(GaussianNoise(), categories=[False, True])
    >>> noisy(torch.ones(2, 2), torch.Generator().manual_seed(0))[:, 1]
    tensor([1., 1.])
    """

    def __init__(self, augmentation, categories=None):
        self.augmentation = augmentation
        self.categories = categories

    def __call__(self, rows, generator):
        """Return changed rows, Tensor of shape (n, n_features)."""
        categories = self.categories
        if categories is not None:
            categories = torch.as_tensor(categories, dtype=torch.bool, device=rows.device)
        return view(self.augmentation, rows, generator, categories)


class OnImages(_On):
    """An augmentation of images, for images as flat rows.

    Parameters
    ----------
    augmentation : callable
        Takes Tensor of shape (n, channels, height, width).
    image_shape : tuple of three int
        Channels, height and width.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import RandomHorizontalFlip
    >>> from sklearn_replearn.augmentations._binding import OnImages
    >>> flip = OnImages(RandomHorizontalFlip(p=1.0), image_shape=(1, 2, 2))
    >>> flip(torch.arange(4.0)[None], torch.Generator())
    tensor([[1., 0., 3., 2.]])
    """

    def __init__(self, augmentation, image_shape):
        self.augmentation = augmentation
        self.image_shape = image_shape

    def __call__(self, rows, generator):
        """Return changed images as rows, Tensor of shape (n, channels * height * width).

        Raises
        ------
        ValueError
            If images of this shape are no rows of this width, or do not keep their shape.
        """
        if math.prod(self.image_shape) != rows.shape[1]:
            raise ValueError(
                f"Images of shape {self.image_shape!r} are rows of "
                f"{math.prod(self.image_shape)} values; got rows of {rows.shape[1]}."
            )
        images = rows.reshape(-1, *self.image_shape)
        with _said(self.augmentation, "images of shape (n, channels, height, width)"):
            return view(self.augmentation, images, generator).reshape(rows.shape).to(rows.dtype)


class OnTokens(_On):
    """An augmentation of tokens, for rows of numbers that are their ids.

    Parameters
    ----------
    augmentation : callable
        Takes Tensor of shape (n, length) of int64.
    vocabulary_size : int
        Ids are at most this, which is the id of a masked token.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import MaskTokens
    >>> from sklearn_replearn.augmentations._binding import OnTokens
    >>> mask = OnTokens(MaskTokens(9, p=1.0), vocabulary_size=9)
    >>> mask(torch.tensor([[4.0, 7.0, 0.0]]), torch.Generator())
    tensor([[9., 9., 0.]])
    """

    def __init__(self, augmentation, vocabulary_size):
        self.augmentation = augmentation
        self.vocabulary_size = vocabulary_size

    def __call__(self, rows, generator):
        """Return rows of ids, Tensor of shape (n, length), in the precision of ``rows``."""
        with _said(self.augmentation, "token ids of shape (n, length), int64"):
            ids = view(self.augmentation, rows.long(), generator)
            low, high = (int(end) for end in ids.aminmax())
            if low < 0 or high > self.vocabulary_size:
                raise ValueError(
                    f"ids must stay between 0 and vocabulary_size={self.vocabulary_size}, which is "
                    f"the id of a masked token; it returned {low if low < 0 else high}."
                )
            return ids.to(rows.dtype)


@contextmanager
def _said(augmentation, given):
    """Say of an augmentation that fails what it was given."""
    try:
        yield
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise ValueError(f"{augmentation!r}, given {given}: {error}") from error
