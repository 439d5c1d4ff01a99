"""The only place that touches private or version-dependent names of scikit-learn."""

from collections.abc import Callable
from typing import Any

from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
    make_constraint,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils.metaestimators import available_if as _available_if
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

from .typing import Function

__all__ = [
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "available_if",
    "check_sample_weight",
    "fit_context",
    "make_constraint",
    "safe_indexing",
    "validate_parameter_constraints",
    "validate_params",
]


# Type checkers see of these decorators that they leave a signature as it is.


def available_if(check: Callable[[Any], bool]) -> Callable[[Function], Function]:
    """A method that is there if the check of its owner says so."""
    return _available_if(check)


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Function], Function]:
    """A method that checks the parameters of its owner first."""
    return _fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)
