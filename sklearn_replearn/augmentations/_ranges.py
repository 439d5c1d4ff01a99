"""Checks of the numbers that augmentations are given."""

import math


def check_probability(p):
    """Raise unless ``p`` is a number between 0 and 1."""
    if not 0 <= p <= 1:
        raise ValueError(f"p is a probability between 0 and 1; got {p!r}.")


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
