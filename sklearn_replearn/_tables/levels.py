"""Numbers of the levels of a category."""

import math

# Categories with more levels are told by two numbers, see likelihoods.Categorical.
MOST_LEVELS = 256


def digits_of(n_levels):
    """How a number below ``n_levels`` is told: pairs of divisor and size of each digit.

    Examples
    --------
    >>> from sklearn_replearn._tables.levels import digits_of
    >>> digits_of(5), digits_of(100_000)
    ([(1, 5)], [(317, 316), (1, 317)])
    """
    if n_levels <= MOST_LEVELS:
        return [(1, n_levels)] if n_levels else []
    base = math.isqrt(n_levels - 1) + 1
    return [(base, -(-n_levels // base)), (1, base)]
