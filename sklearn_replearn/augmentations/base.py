"""What calls augmentations: one after the other, and on rows that are tables, images or tokens."""

import inspect
import math
import weakref
from contextlib import contextmanager
from types import FunctionType

import torch
from sklearn.base import BaseEstimator
from torch import nn


class Identity(BaseEstimator):
    """The rows as they are.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import Identity
    >>> Identity()(torch.ones(1, 2), torch.Generator())
    tensor([[1., 1.]])
    """

    def __call__(self, rows, generator):
        """Return ``rows``, Tensor of shape (n, ...)."""
        return rows


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

    def __init__(self, steps):
        self.steps = steps

    @property
    def hides(self):
        """Whether a step makes cells missing."""
        return any(map(hides, self.steps))

    def __call__(self, rows, generator, categories=None):
        """Return rows after the last step, Tensor of shape (n, ...)."""
        for step in self.steps:
            rows = called(step, rows, generator, categories)
        return rows


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
    >>> from sklearn_replearn.augmentations import GaussianNoise, OnTables
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
    >>> from sklearn_replearn.augmentations import HorizontalFlip, OnImages
    >>> flip = OnImages(HorizontalFlip(rate=1.0), image_shape=(1, 2, 2))
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
                f"image_shape={self.image_shape!r} wants rows of "
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
    >>> from sklearn_replearn.augmentations import MaskTokens, OnTokens
    >>> mask = OnTokens(MaskTokens(9, rate=1.0), vocabulary_size=9)
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


def view(augmentation, rows, generator, categories=None):
    """The view of rows that an augmentation makes, checked for its shape.

    Parameters
    ----------
    augmentation : callable
        Takes rows and the generator, or rows only. One with the attribute ``wants_categories`` set
        is also given ``categories``, by that name.
    rows : Tensor of shape (n, ...)
    generator : torch.Generator
    categories : Tensor of bool of shape (n_features,), default=None
        Columns whose cells are numbers of levels; None if all are numbers.

    Returns
    -------
    Tensor of the shape of ``rows``

    Raises
    ------
    ValueError
        If the augmentation returns something else than a tensor, another shape, or whole numbers
        for fractions or the other way round.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.augmentations import Identity, view
    >>> view(Identity(), torch.ones(2, 1), torch.Generator()).shape
    torch.Size([2, 1])
    """
    seen = called(augmentation, rows, generator, categories)
    if not isinstance(seen, torch.Tensor):
        raise ValueError(
            f"{augmentation!r} must return a tensor of the shape it was given, "
            f"{tuple(rows.shape)}; it returned {type(seen).__name__}."
        )
    if seen.shape != rows.shape:
        raise ValueError(
            f"{augmentation!r} must return rows of the shape it was given, {tuple(rows.shape)}; it "
            f"returned {tuple(seen.shape)}."
        )
    if seen.is_floating_point() != rows.is_floating_point():
        raise ValueError(
            f"{augmentation!r} must return numbers of the kind it was given, {rows.dtype}; it "
            f"returned {seen.dtype}."
        )
    return seen


def called(augmentation, rows, generator, categories=None):
    """What an augmentation makes of rows, whether it takes a generator or not.

    It is given the generator if it has a parameter of that name, or at least two parameters without
    a default, or if it does not say what it takes. Otherwise it is called with the rows only, and
    has to draw from global generators. Parameters are those of :func:`view`.
    """
    if getattr(augmentation, "wants_categories", False):
        return augmentation(rows, generator, categories=categories)
    form = _form(augmentation)
    if form == "named":
        return augmentation(rows, generator=generator)
    return augmentation(rows, generator) if form == "placed" else augmentation(rows)


def hides(augmentation):
    """Whether an augmentation makes cells missing."""
    return getattr(augmentation, "hides", False)


# Weak, so that a lambda goes with what it holds.
_FORMS = weakref.WeakKeyDictionary()


def _form(augmentation):
    """How an augmentation takes the generator: "named", "placed" or "never".

    Every batch asks, and inspecting takes longer than a small augmentation. Objects share what was
    found with their class, so that they need not be hashable.
    """
    target = augmentation.forward if isinstance(augmentation, nn.Module) else augmentation
    key = getattr(target, "__func__", target)
    if isinstance(type(key).__call__, FunctionType):
        key = type(key).__call__
    try:
        return _FORMS[key]
    except KeyError:
        form = _FORMS[key] = _inspected(target)
    except TypeError:  # no weak reference to it, as to some callables written in C
        form = _inspected(target)
    return form


def _inspected(target):
    try:
        parameters = inspect.signature(target).parameters
    except (TypeError, ValueError):
        return "placed"
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    if "generator" in parameters and parameters["generator"].kind in by_name:
        return "named"
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    places = [p for p in parameters.values() if p.kind in by_place]
    required = sum(p.default is p.empty for p in places)
    return "placed" if required >= 2 or "generator" in parameters else "never"


def check_share(name, value, of):
    """Raise unless a parameter is a number between 0 and 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is a share of {of} between 0 and 1; got {value!r}.")


def checked_range(name, value, low=-math.inf, high=math.inf):
    """The two ends of a range that a parameter states, checked.

    Raises
    ------
    ValueError
        If they are not two numbers in order between ``low`` and ``high``.
    """
    try:
        start, end = value
        good = low <= start <= end <= high
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(
            f"{name} is a pair of numbers, the smaller one first, between {low} and {high}; got "
            f"{value!r}."
        )
    return start, end
