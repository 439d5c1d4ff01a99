"""Checks of what augmentations are given: cheap ones, as every batch asks."""

import math

import torch

from .._runtime.parameters import is_number, is_whole


def check_number(name, value, wanted, low=-math.inf, high=math.inf):
    """Raise unless ``value`` is a finite number from ``low`` to ``high``, as ``wanted`` says."""
    if not (is_number(value) and low <= value <= high):
        raise ValueError(f"{name} is {wanted}; got {value!r}.")


def check_whole(name, value, wanted, low):
    """Raise unless ``value`` is a whole number of at least ``low``, as ``wanted`` says."""
    if not (is_whole(value) and low <= value < 2**31):
        raise ValueError(f"{name} is {wanted}; got {value!r}.")


def check_probability(p):
    """Raise unless ``p`` is a number between 0 and 1."""
    if not (is_number(p) and 0 <= p <= 1):
        raise ValueError(f"p is a probability between 0 and 1; got {p!r}.")


def checked_range(name, value, low=-math.inf, high=math.inf):
    """The two ends of a range that a parameter states, checked.

    Raises
    ------
    ValueError
        If they are not two finite numbers in order between ``low`` and ``high``.
    """
    try:
        start, end = value
        good = is_number(start) and is_number(end) and low <= start <= end <= high
    except (TypeError, ValueError):
        good = False
    if not good or isinstance(value, set | frozenset | dict):
        raise ValueError(
            f"{name} is a pair of numbers, the smaller one first, between {low} and {high}; got "
            f"{value!r}."
        )
    return start, end


def check_generator(generator):
    """Raise unless draws may be made from ``generator``."""
    if not isinstance(generator, torch.Generator):
        raise TypeError(f"generator must be a torch.Generator; got {generator!r}.")


def check_tensor(name, value):
    """Raise unless ``value`` is a tensor."""
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name} must be a torch.Tensor; got {value!r:.80}.")


def check_rows(rows, generator, categories=None):
    """Raise unless these are rows of a table, what to draw from, and a mask of its columns."""
    check_generator(generator)
    check_tensor("rows", rows)
    if rows.ndim != 2 or not rows.is_floating_point():
        raise TypeError(
            "rows must be a floating-point torch.Tensor of shape (n, n_features); got "
            f"{rows.dtype} of shape {tuple(rows.shape)}."
        )
    check_categories(categories)
    if categories is not None and len(categories) != rows.shape[1]:
        raise ValueError(
            f"categories must say it for each of the {rows.shape[1]} columns; got "
            f"{len(categories)}."
        )


def check_categories(categories):
    """Raise unless ``categories`` is None or a mask."""
    if categories is None:
        return
    check_tensor("categories", categories)
    if categories.dtype != torch.bool or categories.ndim != 1:
        raise TypeError(
            "categories must be a torch.Tensor of bool of shape (n_features,); got "
            f"{categories.dtype} of shape {tuple(categories.shape)}."
        )
