"""Methods that take a table, and give results in the namespace of what they were given.

Of a table in parts a method that gives a result for each row gives results in parts.
"""

from functools import partial, wraps
from inspect import getattr_static, signature
from types import FunctionType

from sklearn import config_context
from sklearn.utils.validation import check_is_fitted

from .._runtime.namespaces import dispatching, namespace_of
from .._runtime.transaction import as_it_is
from .._runtime.typing import Function
from .parts import Parts, parts_of, reject_parts
from .readers import as_read

# Whose result for a row is the same whatever rows are beside it; of some, if these arguments have
# these values.
_BY_ROW = {
    "transform": {},
    "inverse_transform": {},
    "to_numbers": {},
    "impute": {"n_draws": None},
    "reconstruction_error": {},
    "score_samples": {},
    "elbo_terms": {},
    "posterior": {},
    "predict": {},
    "predict_proba": {},
    "predict_log_proba": {},
    "decision_function": {},
    "p_values": {"ties": "count"},
    "predict_at": {"control": "fpr"},
    "explain": {},
    "top_reasons": {},
    "reasons_by_column": {},
}
_AFTER_FIT = {"fit_transform": "transform", "fit_predict": "predict"}


def takes_table(method: Function) -> Function:
    """A method whose first argument is read once, whatever holds the table.

    While the caller has arrays dispatched, results are arrays of its library, and nothing within is
    dispatched: it is computed as for arrays of NumPy.
    """

    name = list(signature(method).parameters)[1]

    @wraps(method)
    def reading(self, *args, **kwargs):
        if args:
            X, *args = args
        elif name in kwargs:
            X = kwargs.pop(name)
        else:
            return method(self, **kwargs)  # says what is missing
        parts = parts_of(X) if name == "X" else None  # a row is in no parts
        if parts is not None:
            return _of_parts(self, method, reading, X, parts, args, kwargs)
        if not dispatching():
            return method(self, as_read(X), *args, **kwargs)
        namespace = namespace_of(X)
        with config_context(array_api_dispatch=False):
            result = method(self, as_read(X), *args, **kwargs)
        return result if namespace is None else namespace.holding(result)

    reading.takes_table = True
    return reading


class TakesTables:
    """A mixin: public methods of classes that have it whose first argument is X take tables.

    So do those whose first is a row, x or x_a.
    Those of scikit-learn's mixins do, too: ``fit_transform`` must not read a stream twice.
    """

    #: Methods that read parts by themselves.
    _reading_parts: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name in dir(cls):
            method = getattr_static(cls, name)
            if not name.startswith("_") and _is_to_take(method):
                setattr(cls, name, takes_table(method))


def _is_to_take(method):
    if not isinstance(method, FunctionType) or hasattr(method, "takes_table"):
        return False
    first = list(signature(method).parameters)[1:2]
    return first in (["X"], ["x"], ["x_a"])


def _of_parts(estimator, method, reading, X, parts, args, kwargs):
    """What a method gives for a table ``X``, which is in ``parts``.

    ``reading`` is the method that takes any table, one part among them.
    """
    name = method.__name__
    if name in estimator._reading_parts:
        return method(estimator, parts, *args, **kwargs)
    if name in _AFTER_FIT:
        return getattr(estimator.fit(X, *args, **kwargs), _AFTER_FIT[name])(X)
    if name not in _BY_ROW:
        reject_parts(X, f"{type(estimator).__name__}.{name}")
    arguments = signature(method).bind(estimator, parts, *args, **kwargs).arguments
    for argument, value in _BY_ROW[name].items():
        if arguments.get(argument, value) != value:
            raise ValueError(
                f"{name} with {argument}={arguments[argument]!r} goes by all rows together, and "
                f"this table is read in parts. Leave {argument} at {value!r}, or give rows that "
                "are in memory."
            )
    check_is_fitted(estimator)
    fitted = as_it_is(estimator)  # whatever fit does to it before the parts are read
    if name == "transform":
        names = partial(_names_of_codes, fitted)
    else:
        names = partial(_names_of_result, name)
    return Parts(lambda: (reading(fitted, part, *args, **kwargs) for part in parts), names)


def _names_of_codes(estimator, _):
    return estimator.get_feature_names_out()


def _names_of_result(name, n):
    return [name] if n == 1 else [f"{name}{j}" for j in range(n)]
