"""RepresentationImputer: missing cells filled, as a step of a pipeline."""

import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.base import MetaEstimatorMixin, OneToOneFeatureMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._runtime.following import followed
from .._runtime.other_names import Estimator
from .._runtime.parameters import VERBOSE
from .._runtime.sklearn import (
    CallbackSupportMixin,
    HasMethods,
    TransformerMixin,
    fit_context,
)
from .._runtime.tasks import current_task
from .._runtime.transaction import in_one_step
from .._runtime.typing import TableLike
from .._storage.stored import Stored
from .._tables.frames import as_pandas
from .._tables.given import TakesTables
from .._tables.names import name_columns
from .._tables.validation import names_of
from .base import RepresentationTransformer
from .names_elsewhere import IMPUTER
from .vae import VAETransformer


class RepresentationImputer(
    TakesTables,
    Stored,
    CallbackSupportMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
    MetaEstimatorMixin,
    Estimator,
):
    """Fills missing cells with what a transformer of this package decodes for them.

    The step of a pipeline before estimators that take no missing cells, as scikit-learn's imputers
    are. It takes the tables that the transformers take, and gives tables of the same kind: frames
    come back as frames, with strings, categories and dates.

    Parameters
    ----------
    estimator : transformer, default=None
        Whose ``impute`` fills cells: a :class:`VAETransformer` (also what None stands for), an
        :class:`AutoencoderTransformer` or a :class:`ContrastiveTransformer`. It is cloned.
    add_indicator : bool, default=False
        Whether a column is added for each column with missing cells in fit: 1 where its cell was
        missing, else 0.
    verbose : int, default=0
        1 shows how far the fit is: a bar where there is a terminal or a notebook, else a plain line
        each tenth of the way.

    Attributes
    ----------
    estimator_ : transformer
        The fitted one.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if they all had one that is a string.
    indicated_ : ndarray of int
        Columns with missing cells in fit.
    kept_ : ndarray of int
        Columns that come back: not those of which fit saw no cell, as nothing can be said of them.

    See Also
    --------
    VAETransformer.impute : Also draws several tables (multiple imputation).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_replearn import RepresentationImputer, VAETransformer
    >>> X, y = load_wine(return_X_y=True)
    >>> X[::3, 1] = np.nan
    >>> imputer = RepresentationImputer(VAETransformer(latent_dim=4, max_epochs=20))
    >>> pipeline = make_pipeline(imputer, StandardScaler(), LogisticRegression()).fit(X, y)
    >>> pipeline[:1].transform(X).shape
    (178, 13)
    """

    estimator_: Any
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    indicated_: NDArray[np.int_]
    kept_: NDArray[np.int_]

    _other_names = IMPUTER

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "impute"]), None],
        "add_indicator": ["boolean"],
        "verbose": VERBOSE,
    }

    _reading_parts = ("fit",)

    def __init__(
        self, estimator: Any = None, *, add_indicator: bool = False, verbose: int = 0
    ) -> None:
        self.estimator = estimator
        self.add_indicator = add_indicator
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: TableLike,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: TableLike | None = None,
    ) -> Self:
        """Fit the transformer.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Missing cells are NaN, None, NaT or NA.
        y : array-like of shape (n_samples,), default=None
            Given to the transformer; most ignore it.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts.
        X_val : array-like, frame or sparse matrix of shape (n_val, n_features), default=None
            Rows that judge each epoch of the transformer, as its ``fit`` says.

        Returns
        -------
        self : object
        """
        given = {} if X_val is None else {"X_val": X_val}
        beside = {"sample_weight": sample_weight, **given}
        with followed(self, X, y, sample_weight=sample_weight):
            in_one_step(self, lambda fresh: fresh._fit(X, y, beside))
        return self

    def _fit(self, X, y, beside):
        estimator = VAETransformer() if self.estimator is None else self.estimator
        if not isinstance(_unfrozen(estimator), RepresentationTransformer):
            raise ValueError(
                "estimator must be a VAETransformer, AutoencoderTransformer or "
                f"ContrastiveTransformer, whose impute fills cells; got {self.estimator!r}."
            )
        self.estimator_ = clone(estimator)
        current_task().begins(1)
        part = current_task().part("fit-estimator")
        with part.lent_to(self.estimator_), part.done():
            self.estimator_.fit(X, y, **beside)
        unfrozen = _unfrozen(self.estimator_)
        scaler = unfrozen._model.scaler
        empty = np.zeros(unfrozen.n_features_in_, dtype=bool)
        empty[scaler.constant] = np.isnan(scaler.fixed)
        self.kept_, self.indicated_ = np.flatnonzero(~empty), np.flatnonzero(scaler.missing)
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(unfrozen, name):
                setattr(self, name, getattr(unfrozen, name))
        if empty.any():
            warnings.warn(
                f"All cells are missing in {name_columns(names_of(self), np.flatnonzero(empty))}: "
                "nothing can be said of them, and what is transformed is without them. Leave them "
                "out before.",
                UserWarning,
                stacklevel=2,
            )
        if self.add_indicator:
            _reject_taken(self.get_feature_names_out(), len(self.kept_))

    def transform(self, X: TableLike) -> Any:
        """Fill missing cells.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray, frame or sparse matrix of shape (n_samples, n_features_out)
            Like ``X``; cells that are there are not changed.
        """
        check_is_fitted(self)
        filled = self.estimator_.impute(X)
        indicators = {}
        if self.add_indicator:
            table, names = _unfrozen(self.estimator_)._table(X), self.get_feature_names_out()
            names = names[len(self.kept_) :]
            indicators = {
                name: np.isnan(_column(table, j)).astype(np.float64)
                for name, j in zip(names, self.indicated_, strict=True)
            }
        found = as_pandas(filled)
        if found is not None:
            return found[1].of_columns(filled, self.kept_, indicators)
        if len(self.kept_) < filled.shape[1]:
            filled = filled[:, self.kept_]
        if not indicators:
            return filled
        columns = np.stack(list(indicators.values()), axis=1).astype(filled.dtype)
        if sp.issparse(filled):
            return sp.hstack([filled, sp.csr_array(columns)], format=filled.format)
        return np.hstack([filled, columns])

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> NDArray[Any]:
        """Names of the columns that :meth:`transform` returns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns; None takes those of fit.

        Returns
        -------
        ndarray of str
            Indicators are named ``missingindicator_`` and the name of their column.
        """
        check_is_fitted(self)
        if input_features is not None and np.ndim(input_features) != 1:
            raise ValueError(
                "input_features must be the names of the columns, a list of "
                f"{self.n_features_in_}; got {input_features!r}."
            )
        names = super().get_feature_names_out(input_features)
        if not self.add_indicator:
            return names[self.kept_]
        indicators = [f"missingindicator_{name}" for name in names[self.indicated_]]
        return np.concatenate([names[self.kept_], np.asarray(indicators, dtype=object)])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(VAETransformer() if self.estimator is None else self.estimator)
        tags.input_tags = inner.input_tags
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _unfrozen(estimator):
    return estimator.estimator if isinstance(estimator, FrozenEstimator) else estimator


def _reject_taken(names, n_kept):
    """Refuse columns that have the name of an indicator: one of the two would be lost."""
    taken = sorted(set(names[:n_kept]) & set(names[n_kept:]))
    if taken:
        raise ValueError(
            f"add_indicator=True adds a column {taken[0]!r}, and the table has one of this name. "
            "Rename or drop that column, or set add_indicator=False."
        )


def _column(table, j):
    """Cells of a column of a table, dense or sparse."""
    if isinstance(table, np.ndarray):
        return table[:, j]
    return next(iter(table.columns(np.arange(len(table)), [j])))
