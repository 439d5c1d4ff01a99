"""Calling augmentations: with or without a generator, and what they return checked."""

import inspect
import weakref
from types import FunctionType

import torch
from torch import nn

from .._runtime.parameters import Instance

#: What takes rows and gives a view of them.
AUGMENTATION = Instance(
    ["__call__"],
    "a callable that gives a view of rows, such as SwapNoise() of sklearn_replearn.augmentations",
)


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
    >>> from sklearn_replearn.augmentations import Identity
    >>> from sklearn_replearn.augmentations._calling import view
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
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return "placed"
    parameters = signature.parameters
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    if "generator" in parameters and parameters["generator"].kind in by_name:
        return "named"
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    places = [p for p in parameters.values() if p.kind in by_place]
    required = sum(p.default is p.empty for p in places)
    form = "placed" if required >= 2 or "generator" in parameters else "never"
    try:
        signature.bind(*(["rows", "generator"] if form == "placed" else ["rows"]))
    except TypeError as problem:
        raise ValueError(
            "augmentation= and corruption= take what can be called with rows, or with rows and a "
            f"generator; got {target!r}, which cannot: {problem}."
        ) from None
    return form
