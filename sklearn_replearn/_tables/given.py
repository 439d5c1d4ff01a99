"""Methods that take a table, and give results in the namespace of what they were given."""

from functools import wraps
from inspect import getattr_static, signature
from types import FunctionType

from sklearn import config_context

from .._runtime.namespaces import dispatching, namespace_of
from .._runtime.typing import Function
from .readers import as_read


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
