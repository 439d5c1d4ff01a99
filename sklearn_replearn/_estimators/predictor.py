"""What EncoderClassifier and EncoderRegressor share."""

import copy
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted, column_or_1d

from .._dataset.columns import one_for_each_row, row_weights
from .._runtime.namespaces import as_numpy
from .._runtime.other_names import Estimator
from .._runtime.parameters import VERBOSE, Instance
from .._runtime.sklearn import (
    CallbackSupportMixin,
    StrOptions,
    check_method_params,
    safe_indexing,
)
from .._runtime.tasks import current_task
from .._runtime.typing import TableLike
from .._storage.stored import Stored
from .._tables.arrays import reject_no_table
from .._tables.given import TakesTables
from .._tables.results import as_asked
from .autoencoder import AutoencoderTransformer
from .base import RepresentationTransformer
from .fine_tuning import fine_tuned
from .linear_heads import chosen_head
from .metadata_shares import shares_of_fit
from .raw_columns import RawColumns

#: What may be the variance of raw columns, in units of that of the codes beside them.
_SHARES = (0.5, 2.0)


class EncoderPredictor(TakesTables, Stored, CallbackSupportMixin, MetaEstimatorMixin, Estimator):
    """What both share: fit, and codes of rows.

    A subclass says which rows have a label (``_labels``), what the transformer sees of them
    (``_for_transformer``), what the head is by default on codes (``_default_head``) and beside raw
    columns (``_head``), how much rows count (``_counted``), and what objective of fine-tuning goes
    on from the head (``_tuning``) and gives it back (``_take_over``).
    """

    transformer_: Any
    estimator_: Any
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    _parameter_constraints = {
        "transformer": [
            Instance(["fit", "transform"], "a transformer, such as AutoencoderTransformer()"),
            None,
        ],
        "estimator": [
            Instance(["fit", "predict"], "a classifier or regressor of scikit-learn"),
            None,
        ],
        "fine_tune": ["boolean", StrOptions({"linear_probe", "full"})],
        "passthrough": ["boolean", StrOptions({"auto"})],
        "verbose": VERBOSE,
    }

    def __init__(
        self,
        transformer: Any = None,
        estimator: Any = None,
        fine_tune: Literal[False, "linear_probe", "full"] = False,
        passthrough: bool | Literal["auto"] = "auto",
        verbose: int = 0,
    ) -> None:
        self.transformer = transformer
        self.estimator = estimator
        self.fine_tune = fine_tune
        self.passthrough = passthrough
        self.verbose = verbose

    def _fit(self, X, y, sample_weight, fit_params):
        if self.fine_tune is True:
            raise ValueError(
                'fine_tune must be False, "linear_probe" (the head alone) or "full" (head and '
                "encoder); got True."
            )
        if self.fine_tune and self.estimator is not None:
            raise ValueError(
                f"fine_tune={self.fine_tune!r} trains a linear head of its own: leave estimator at "
                f"None, or set fine_tune=False; got estimator={self.estimator!r}."
            )
        if self.fine_tune and self.passthrough is True:
            raise ValueError(
                f"fine_tune={self.fine_tune!r} trains a head on codes alone: leave passthrough at "
                '"auto", or set fine_tune=False; got passthrough=True.'
            )
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None. For "
                "codes without labels use the transformer alone."
            )
        X, y = self._beside(X, y)
        weights = row_weights(sample_weight, y)
        labels, labeled = self._labels(y, weights > 0)
        self._check_head()
        head = self.estimator
        if head is None:
            head = self._default_head(labels[labeled], weights[labeled])
        else:
            head = clone(head)
        transformer = self.transformer
        transformer = AutoencoderTransformer() if transformer is None else clone(transformer)
        self._check_transformer(_unfrozen(transformer))
        given = None if sample_weight is None else weights
        for_codes, for_head = shares_of_fit(self, transformer, head, given, fit_params)
        task = current_task()
        task.begins(3 if self.fine_tune else 2)
        part = task.part("fit-transformer")
        with part.lent_to(transformer), part.done():
            seen = self._for_transformer(labels, labeled)
            self.transformer_ = transformer.fit(X, seen, **for_codes)
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(self.transformer_, name):
                setattr(self, name, getattr(self.transformer_, name))
        self._raw = self._raw_columns(X, weights)
        rows = np.flatnonzero(labeled)
        some, labels = safe_indexing(X, rows), labels[labeled]
        weights, for_head = weights[rows], check_method_params(y, for_head, rows)
        part = task.part("fit-head")
        if self._raw is None or self.estimator is not None:
            with part.lent_to(head), part.done():
                self.estimator_ = head.fit(self._seen_by_head(some), labels, **for_head)
        else:
            with part.begins().done():
                self._choose_head(some, labels, self._counted(labels, weights))
        for name in ("history_", "_kept_epoch"):
            self.__dict__.pop(name, None)
        if self.fine_tune:
            with task.part("fine-tune").done():
                self._fine_tune(some, labels, weights)

    @property
    def history_(self) -> Any:
        """Frame with a row an epoch of fine-tuning, of the library of fit, or pandas."""
        if "history_" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__} has history_ after a fit with fine_tune; the transformer's "
                "own is transformer_.history_."
            )
        container = _unfrozen(self.transformer_)._model.schema.container
        return as_asked(vars(self)["history_"], container)

    @history_.setter
    def history_(self, frame):
        vars(self)["history_"] = frame

    def _check_transformer(self, transformer):
        """Refuse one of another package where what is asked for needs one of ours."""
        if isinstance(transformer, RepresentationTransformer):
            return
        for name, value, what in (
            ("fine_tune", self.fine_tune, "trains on"),
            ("passthrough", self.passthrough is True, "takes the columns as they are scaled by"),
        ):
            if value:
                raise ValueError(
                    f"{name}={value!r} {what} an AutoencoderTransformer, VAETransformer or "
                    f"ContrastiveTransformer; got {type(transformer).__name__}. Set {name}=False."
                )

    def _raw_columns(self, X, weights):
        """The raw columns that stand beside codes, or None."""
        encoder, asked = _unfrozen(self.transformer_), self.passthrough
        if asked == "auto" and not self.fine_tune and self.estimator is None:
            asked = isinstance(encoder, RepresentationTransformer) and encoder._model.rows.tabular
            asked = asked and not (encoder._model.schema.sparse or sp.issparse(X))
        if asked is not True:
            return None
        return RawColumns(encoder, X, weights)

    def _choose_head(self, X, labels, weights):
        """A default head, and what raw columns count in it beside the codes."""
        seen, n_codes = self._seen_by_head(X), self._raw.n_codes
        scalings = [
            np.where(np.arange(seen.shape[1]) < n_codes, 1.0, share**0.5) for share in _SHARES
        ]
        self.estimator_, chosen = chosen_head(
            self._head, seen, scalings, labels, weights, self._raw.variance
        )
        self._raw = self._raw.scaled(_SHARES[chosen])

    def _check_head(self):
        """Refuse a head of another kind than this."""
        if not hasattr(self.estimator, "__sklearn_tags__"):  # None, or not of scikit-learn's kind
            return
        kind, wanted = get_tags(self.estimator).estimator_type, get_tags(self).estimator_type
        if kind not in (wanted, None):
            raise ValueError(
                f"estimator must be a {wanted} or None; {type(self.estimator).__name__} is a "
                f"{kind}, got {self.estimator!r}."
            )

    def _fine_tune(self, X, labels, weights):
        encoder = _unfrozen(self.transformer_)
        targets, objective = self._tuning(labels, weights)
        frozen = self.fine_tune == "linear_probe"
        counts = self._counted(labels, weights)
        counts = counts * (weights.sum() / counts.sum())  # as many updates as without

        def fitted(encoder, weight, bias):
            """Attributes as if fine-tuning had ended now."""
            now = object.__new__(type(self))
            vars(now).update(self._state(), transformer_=encoder)
            now.estimator_ = copy.copy(self.estimator_)
            now._take_over(weight, bias)
            return vars(now)

        encoder, weight, bias, history = fine_tuned(
            encoder, X, targets, counts, objective, frozen, fitted
        )
        self.transformer_, self.history_ = encoder, history.frame()
        self._kept_epoch = history.kept
        if frozen:
            self._take_over(weight, bias)
        else:
            # The head learned from views; predictions are of rows as they are.
            self.estimator_.fit(self._codes(X), labels, sample_weight=weights)

    def _score_of(self, score, X, y, labeled, sample_weight):
        """A score of the rows that have a label."""
        weights = None if sample_weight is None else row_weights(sample_weight, y)
        if labeled.all():
            return score(X, y, weights)
        rows = np.flatnonzero(labeled)
        if not len(rows):
            raise ValueError("score compares with labels in y, and no row has one.")
        weights = None if weights is None else weights[rows]
        return score(safe_indexing(X, rows), y[rows], weights)

    def _beside(self, X, y):
        """Rows in a form of which some can be taken, and ``y`` as an array beside them."""
        reject_no_table(X)
        (X,) = indexable(X)
        y = as_numpy(y)
        if getattr(y, "ndim", 1) == 2 and y.shape[1] == 1:
            column_or_1d(y, warn=True)
        n_samples = X.shape[0] if hasattr(X, "shape") else len(X)
        return X, self._labels_beside(y, n_samples, "y")

    #: Makes an array of labels of what a user gives.
    _labels_beside = staticmethod(one_for_each_row)

    def _codes(self, X):
        codes = self.transformer_.transform(X)
        return codes if sp.issparse(codes) else np.asarray(codes)

    def _seen_by_head(self, X):
        codes = self._codes(X)
        return codes if self._raw is None else np.hstack([codes, self._raw.of(X)])

    def predict(self, X: TableLike) -> NDArray[Any]:
        """Predictions of the head.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        check_is_fitted(self)
        return self.estimator_.predict(self._seen_by_head(X))

    def get_metadata_routing(self) -> MetadataRouter:
        """Which metadata reaches the transformer, such as ``groups``, and the estimator.

        Returns
        -------
        MetadataRouter
        """
        transformer = AutoencoderTransformer() if self.transformer is None else self.transformer
        parts = {"transformer": transformer, "estimator": self.estimator}
        return (
            MetadataRouter(owner=type(self).__name__)
            .add_self_request(self)
            .add(
                **{name: part for name, part in parts.items() if part is not None},
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        transformer = self.transformer
        inner = get_tags(AutoencoderTransformer() if transformer is None else transformer)
        tags.input_tags = inner.input_tags
        tags.input_tags.sparse &= self.passthrough is not True
        return tags


def _unfrozen(transformer):
    """What a FrozenEstimator holds, or the transformer itself."""
    return transformer.estimator if isinstance(transformer, FrozenEstimator) else transformer
