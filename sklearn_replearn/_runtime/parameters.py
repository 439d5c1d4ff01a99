"""What parameters may be: constraints that scikit-learn's validation lacks, and who checks them.

Estimators are checked at ``fit``, functions and constructors of modules when they are called
(:func:`validated`), and objects that are parameters themselves, such as objectives, at the fit of
what holds them (:func:`check_parameters`).
"""

from collections.abc import Callable
from numbers import Integral, Real
from os import fspath
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_array

from .namespaces import as_numpy
from .sklearn import (
    HasMethods,
    Interval,
    make_constraint,
    validate_parameter_constraints,
    validate_params,
)
from .typing import Function

#: The largest number that training, in float32, can work with.
LARGEST = float(np.finfo(np.float32).max)

#: Widths of layers; a larger one is a slip that would end in a failed allocation.
WIDEST = 2**20


def validated(constraints: dict[str, list[Any]]) -> Callable[[Function], Function]:
    """Decorates functions and constructors with constraints by the name of the parameter.

    Within a fit that was checked nothing is checked again. Type checkers see that the signature
    stays as it is.
    """
    return validate_params(constraints, prefer_skip_nested_validation=True)


def is_whole(value):
    """Whether a value is a whole number; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value):
    """Whether a value is a finite number that float32 holds; True and False are none."""
    number = isinstance(value, int | float | np.integer | np.floating)
    return number and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


def check_parameters(owner):
    """Refuse parameters of an object that its class does not allow.

    Parameters
    ----------
    owner : object
        With ``get_params``; its class may have ``_parameter_constraints``.

    Raises
    ------
    ValueError
        Names the parameter, and says what is wanted and what came.
    """
    constraints = getattr(owner, "_parameter_constraints", None)
    if constraints:
        params = owner.get_params(deep=False)
        validate_parameter_constraints(constraints, params, type(owner).__name__)


def checked_array(values, name, **how):
    """scikit-learn's ``check_array``, which says of which argument it speaks."""
    try:
        return check_array(as_numpy(values), input_name=name, **how)
    except (TypeError, ValueError, OverflowError) as problem:
        raise ValueError(
            f"{name} must be numbers of shape (n_samples, n_columns): {problem}"
        ) from problem


class Whole(Interval):
    """A whole number, no boolean.

    Parameters
    ----------
    least, most : int
    """

    def __init__(self, least=1, most=2**31 - 1):
        super().__init__(Integral, least, most, closed="both")

    def is_satisfied_by(self, val):
        return is_whole(val) and super().is_satisfied_by(val)


class Number(Interval):
    """A finite number that float32 holds, no boolean.

    Parameters
    ----------
    low, high : float
    closed : {"left", "right", "both", "neither"}, default="neither"
        Which ends are allowed.
    """

    def __init__(self, low=-np.inf, high=np.inf, closed="neither"):
        super().__init__(Real, low, high, closed=closed)

    def is_satisfied_by(self, val):
        return is_number(val) and super().is_satisfied_by(val)


#: What draws may start from.
SEED = [Whole(0, 2**32 - 1), np.random.RandomState, None]

#: Whether a fit shows how far it is.
VERBOSE = [Whole(0), "boolean"]


class _Folder(HasMethods):
    """A path as a string or object, and not an empty one, which would be where Python runs."""

    def __init__(self):
        super().__init__(["__fspath__"])

    def is_satisfied_by(self, val):
        path = isinstance(val, str) or (not isinstance(val, type) and super().is_satisfied_by(val))
        return path and isinstance(fspath(val), str) and fspath(val) != ""

    def __str__(self):
        return "a folder, as a str or a path"


#: Where files are written to.
FOLDER = _Folder()


class Each(HasMethods):
    """A list, tuple or array of one axis, each item of which meets a constraint.

    Parameters
    ----------
    item : constraint
    length : int, default=None
        Exactly so many items; None: any number.
    least : int, default=0
        At least so many.
    words : str, default=None
        What to give, for messages; None: said in general.
    """

    def __init__(self, item, length=None, least=0, words=None):
        super().__init__(["__len__", "__iter__"])
        self.item, self.length, self.least = make_constraint(item), length, least
        self.words = words

    def is_satisfied_by(self, val):
        if not isinstance(val, list | tuple | range) and getattr(val, "ndim", None) != 1:
            return False
        val = val.tolist() if hasattr(val, "tolist") else val
        right = len(val) >= self.least if self.length is None else len(val) == self.length
        return right and all(self.item.is_satisfied_by(item) for item in val)

    def __str__(self):
        if self.words is not None:
            return self.words
        count = f"{self.length} " if self.length is not None else ""
        least = f"at least {self.least} " if self.least else ""
        return f"a sequence of {count}{least}items, each {self.item}"


class Instance(HasMethods):
    """An object with these methods; not the class of one.

    Parameters
    ----------
    methods : list of str
    words : str
        What to give, for messages.
    """

    def __init__(self, methods, words):
        super().__init__(methods)
        self.words = words

    def is_satisfied_by(self, val):
        return not isinstance(val, type) and super().is_satisfied_by(val)

    def __str__(self):
        return self.words


class Rows(HasMethods):
    """A Tensor of some rows of floating-point numbers.

    Parameters
    ----------
    axes : int, default=2
    """

    def __init__(self, axes=2):
        super().__init__(["is_floating_point"])
        self.axes = axes

    def is_satisfied_by(self, val):
        tensor = isinstance(val, torch.Tensor) and val.is_floating_point()
        return tensor and val.ndim == self.axes

    def __str__(self):
        return f"a floating-point torch.Tensor of {self.axes} axes"
