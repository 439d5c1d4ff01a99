"""The only place that touches private or version-dependent names of scikit-learn."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Self

from numpy.typing import NDArray
from sklearn import base
from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._array_api import _convert_to_numpy as convert_to_numpy
from sklearn.utils._array_api import get_namespace_and_device
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
    make_constraint,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.metaestimators import available_if as _available_if
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

from .documentation import PAGE, place_of
from .typing import Function, TableLike

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Without callbacks; ``verbose`` shows how far a fit is."""


#: The attribute by which scikit-learn keeps the callbacks of an estimator.
CALLBACKS = "_skl_callbacks"

#: Those by which it keeps track of them while an estimator is fitted.
CALLBACKS_AT_WORK = "_parent_callback_ctx", "_callback_fit_ctx", "_skl_callbacks_to_teardown"

__all__ = [
    "CALLBACKS",
    "CALLBACKS_AT_WORK",
    "BaseEstimator",
    "CallbackSupportMixin",
    "ClassNamePrefixFeaturesOutMixin",
    "HasMethods",
    "Interval",
    "Options",
    "OutlierMixin",
    "StrOptions",
    "TransformerMixin",
    "available_if",
    "callback_context",
    "check_method_params",
    "check_sample_weight",
    "convert_to_numpy",
    "fit_context",
    "get_namespace_and_device",
    "make_constraint",
    "output_asked",
    "parameter_names",
    "safe_indexing",
    "validate_parameter_constraints",
    "validate_params",
]


# Scikit-learn states no types. Type checkers see those of the methods that our estimators have of
# it, and that its decorators leave a signature as it is.

if TYPE_CHECKING:

    class BaseEstimator(base.BaseEstimator):
        def get_params(self, deep: bool = True) -> dict[str, Any]: ...

        def set_params(self, **params: Any) -> Self: ...

    class TransformerMixin(base.TransformerMixin):
        def fit_transform(self, X: TableLike, y: Any = None, **fit_params: Any) -> NDArray[Any]: ...

        # Any, because what `transform` of it returns may be a frame.
        def set_output(
            self, *, transform: Literal["default", "pandas", "polars"] | None = None
        ) -> Any: ...

    class ClassNamePrefixFeaturesOutMixin(base.ClassNamePrefixFeaturesOutMixin):
        def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]: ...

    class OutlierMixin(base.OutlierMixin):
        def fit_predict(self, X: TableLike, y: Any = None, **kwargs: Any) -> NDArray[Any]: ...

else:
    from sklearn.base import ClassNamePrefixFeaturesOutMixin, OutlierMixin, TransformerMixin

    class BaseEstimator(base.BaseEstimator):
        """An object with parameters, which notebooks show with links to what they mean."""

        _doc_link_module = __name__.partition(".")[0]
        _doc_link_template = PAGE

        def _doc_link_url_param_generator(self):
            return place_of(type(self))

        def _get_params_html(self, deep=True, *link, **links):
            # Scikit-learn adds parameters of parts to this table, where nothing says what they
            # mean. Parts that are fitted have a box of their own. Before 1.8 there are no links.
            own = super()._get_params_html(False, *link, **links)
            return _Tables(own, _parts_without_box(self), linked=bool(link or links))

    def _parts_without_box(owner):
        """Names and objects with parameters among those of another."""
        for name, value in owner.get_params(deep=False).items():
            listed = isinstance(value, list | tuple)
            for j, part in enumerate(value if listed else [value]):
                if isinstance(part, BaseEstimator) and (listed or not hasattr(part, "fit")):
                    yield (f"{name}[{j}]" if listed else name), part

    class _Tables:
        """Parameters of an object as a table in HTML, and below it those of its parts."""

        def __init__(self, own, parts, linked):
            self.own = own
            self.parts = list(parts)
            self.linked = linked

        def _repr_html_inner(self):
            return self.own._repr_html_inner() + "".join(
                self._of_part(*part) for part in self.parts
            )

        def _of_part(self, name, part):
            link = [part._get_doc_link()] if self.linked else []
            table, title = part._get_params_html(True, *link), f"{name}: {type(part).__name__}"
            table = table._repr_html_inner().replace(">Parameters<", f">{title}<", 1)
            return table.replace("copyToClipboard('", f"copyToClipboard('{name}__")


def available_if(check: Callable[[Any], bool]) -> Callable[[Function], Function]:
    """A method that is there if the check of its owner says so."""
    return _available_if(check)


def callback_context(estimator: Any) -> Any:
    """Where the callbacks of a fit that begins are called, or None before scikit-learn 1.9."""
    if not hasattr(estimator, "_init_callback_context"):
        return None
    # How many tasks there are is known when rows have been read.
    return estimator._init_callback_context(max_subtasks=None)


def parameter_names(estimator: Any) -> list[str]:
    """Names of the parameters of an estimator, sorted."""
    return estimator._get_param_names()


def output_asked(transformer: Any) -> str:
    """The container that ``set_output`` or the configuration asks for, or "default"."""
    return _get_output_config("transform", transformer)["dense"]


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Function], Function]:
    """A method that checks the parameters of its owner first."""
    return _fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)
