"""The support of a likelihood: what the cells of its columns may be."""

from dataclasses import dataclass
from math import inf
from numbers import Real

from .._runtime.parameters import Number
from .._runtime.sklearn import Options, validate_parameter_constraints

_CONSTRAINTS = {
    "words": [str],
    "has_density": ["boolean"],
    "low": [Number(), Options(Real, {-inf})],
    "high": [Number(), Options(Real, {inf})],
    "whole": ["boolean"],
    "as_given": ["boolean"],
    "logarithmic": ["boolean"],
}


@dataclass(frozen=True)
class Support:
    """Which columns a likelihood takes, and what becomes of their cells.

    Parameters
    ----------
    words : str
        What the cells are, for messages.
    has_density : bool
        Whether a cell has a density, which depends on the units of the column. Otherwise it has a
        probability.
    low, high : float, default=-inf, inf
        Least and largest cell.
    whole : bool, default=False
        Whether cells are whole numbers.
    as_given : bool, default=False
        Whether cells are left as they are by ``scaling="auto"``.
    logarithmic : bool, default=False
        Whether networks and likelihood see log(1 + cell), whatever the scaling.

    Examples
    --------
    >>> from sklearn_replearn.likelihoods import COUNTS, Support
    >>> COUNTS.whole, COUNTS.has_density
    (True, False)
    >>> angles = Support("angles in radians", has_density=True, low=-3.1416, high=3.1416)
    >>> angles.as_given
    False
    """

    words: str
    has_density: bool
    low: float = -inf
    high: float = inf
    whole: bool = False
    as_given: bool = False
    logarithmic: bool = False

    def __post_init__(self):
        validate_parameter_constraints(_CONSTRAINTS, vars(self), "Support")
        if self.low > self.high:
            raise ValueError(f"low must be at most high={self.high!r}; got low={self.low!r}.")


REAL = Support("numbers", has_density=True)
UNIT_INTERVAL = Support("numbers within [0, 1]", has_density=False, low=0, high=1, as_given=True)
COUNTS = Support(
    "counts, whole numbers of at least 0", has_density=False, low=0, whole=True, logarithmic=True
)
LEVELS = Support("categories", has_density=False, low=0, whole=True)
