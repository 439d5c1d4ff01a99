"""EncoderClassifier and EncoderRegressor: rows without a label train the encoder, too."""

import numpy as np
import scipy.sparse as sp
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    clone,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils import get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, column_or_1d, has_fit_parameter

from .._dataset.columns import one_for_each_row, row_weights
from .._dataset.labels import class_factors, read_labels, targets
from .._runtime.parameters import Instance
from .._runtime.sklearn import (
    StrOptions,
    fit_context,
    safe_indexing,
)
from .._runtime.transaction import in_one_step
from .._tables.arrays import reject_no_table
from ..objectives.supervised import Classification, Regression
from .autoencoder import AutoencoderTransformer
from .base import RepresentationTransformer
from .fine_tuning import fine_tuned
from .linear_heads import LogisticHead, RidgeHead, chosen_head
from .raw_columns import RawColumns

_MOST_ITERATIONS = 1000
#: What may be the variance of raw columns, in units of that of the codes beside them.
_SHARES = (0.5, 2.0)


class _EncoderPredictor(MetaEstimatorMixin, BaseEstimator):
    """What both share: fit, and codes of rows.

    A subclass says which rows have a label (``_labels``), what the transformer sees of them
    (``_for_transformer``), what the head is by default on codes (``_default_head``) and beside raw
    columns (``_head``), how much rows count in fine-tuning (``_counted``),
    and what objective goes on from the head (``_tuning``) and gives it back (``_take_over``).
    """

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
    }

    def __init__(self, transformer=None, estimator=None, fine_tune=False, passthrough="auto"):
        self.transformer = transformer
        self.estimator = estimator
        self.fine_tune = fine_tune
        self.passthrough = passthrough

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
        if sample_weight is not None:
            fit_params = {**fit_params, "sample_weight": weights}
        self._check_head()
        head = self.estimator
        if head is None:
            head = self._default_head(labels[labeled], weights[labeled])
        else:
            head = clone(head)
        transformer = self.transformer
        transformer = AutoencoderTransformer() if transformer is None else clone(transformer)
        self._check_transformer(_unfrozen(transformer))
        for part in (transformer, head) if sample_weight is not None else ():
            if not isinstance(part, FrozenEstimator) and not has_fit_parameter(
                part, "sample_weight"
            ):
                raise ValueError(
                    f"{type(part).__name__} takes no sample_weight. Give another one, or no "
                    "sample_weight."
                )
        self.transformer_ = transformer.fit(X, self._for_transformer(labels, labeled), **fit_params)
        self._raw = self._raw_columns(X, weights)
        rows = np.flatnonzero(labeled)
        some, labels = safe_indexing(X, rows), labels[labeled]
        weights = weights[rows]
        weighted = {} if sample_weight is None else {"sample_weight": weights}
        if self._raw is None or self.estimator is not None:
            self.estimator_ = head.fit(self._seen_by_head(some), labels, **weighted)
        else:
            self._choose_head(some, labels, self._counted(labels, weights))
        self.__dict__.pop("history_", None)
        if self.fine_tune:
            self._fine_tune(some, labels, weights)
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(self.transformer_, name):
                setattr(self, name, getattr(self.transformer_, name))

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
            asked = asked and not encoder._model.schema.sparse
        if asked is not True:
            return None
        return RawColumns(encoder, X, weights)

    def _choose_head(self, X, labels, weights):
        """A default head, and what raw columns count in it beside the codes."""
        codes = self._codes(X)
        versions = [self._raw.scaled(share) for share in _SHARES]
        seen = [np.hstack([codes, raw.of(X)]) for raw in versions]
        self.estimator_, chosen = chosen_head(self._head, seen, labels, weights, self._raw.variance)
        self._raw = versions[chosen]

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
        encoder, weight, bias, history = fine_tuned(encoder, X, targets, counts, objective, frozen)
        self.transformer_, self.history_ = encoder, history.frame()
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
        if getattr(y, "ndim", 1) == 2 and y.shape[1] == 1:
            column_or_1d(y, warn=True)
        return X, one_for_each_row(y, X.shape[0] if hasattr(X, "shape") else len(X), "y")

    def _codes(self, X):
        codes = self.transformer_.transform(X)
        return codes if sp.issparse(codes) else np.asarray(codes)

    def _seen_by_head(self, X):
        codes = self._codes(X)
        return codes if self._raw is None else np.hstack([codes, self._raw.of(X)])

    def predict(self, X):
        """Predictions of the head.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        return self.estimator_.predict(self._seen_by_head(X))

    def get_metadata_routing(self):
        """Which metadata reaches the transformer, such as ``groups``.

        Returns
        -------
        MetadataRouter
        """
        transformer = self.transformer
        return (
            MetadataRouter(owner=type(self).__name__)
            .add_self_request(self)
            .add(
                transformer=AutoencoderTransformer() if transformer is None else transformer,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        transformer = self.transformer
        inner = get_tags(AutoencoderTransformer() if transformer is None else transformer)
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.input_tags.sparse = inner.input_tags.sparse
        return tags


def _unfrozen(transformer):
    """What a FrozenEstimator holds, or the transformer itself."""
    return transformer.estimator if isinstance(transformer, FrozenEstimator) else transformer


def _head_has(name):
    def check(self):
        head = self.estimator_ if hasattr(self, "estimator_") else self.estimator
        return head is None or hasattr(head, name)

    return check


class EncoderClassifier(ClassifierMixin, _EncoderPredictor):
    """A classifier on codes: all rows train the encoder, rows with a label the head.

    Parameters
    ----------
    transformer : transformer, default=None
        Learns codes from all rows; None is :class:`AutoencoderTransformer`. Any transformer will do
        without fine-tuning. ``FrozenEstimator(encoder)`` of scikit-learn takes one that is fitted
        already. It gets ``y`` as well, which objectives such as
        :class:`~sklearn_replearn.objectives.SupCon` use.
    estimator : classifier, default=None
        Predicts labels from codes. None is ``LogisticRegression(max_iter=1000)``; beside raw
        columns its ``C`` is chosen.
    fine_tune : False, "linear_probe" or "full", default=False
        Whether a linear head, started from that of ``LogisticRegression``, is trained on views of
        the rows with a label: alone ("linear_probe"), or together with the encoder ("full"), whose
        weights are drawn to where they started; then ``LogisticRegression`` is fitted anew to the
        codes of these rows. Epochs, learning rate and all other training parameters are those of
        the transformer.
    class_weight : dict, "balanced" or None, default=None
        How much rows of each class count for the head, and in fine-tuning: a number above 0 by
        class, 1 for those not named; "balanced" gives all classes the same weight in sum. Of an
        ``estimator`` it is a parameter of that.
    passthrough : bool or "auto", default="auto"
        Whether the head is given the raw columns beside the codes: levels one-hot, numbers
        standardised and as normal scores of their ranks; cells of images and other arrays as the
        encoder sees them. How much the default head makes of them (half as much as of the codes or
        twice as much, by variance) and how strong it is (``C``) is then chosen by cross-validation
        of the labels, in five folds of at most 2,000 rows; another ``estimator`` is given both
        with the same variance. "auto" is True for tables that are not sparse, with the default
        head, an encoder of this package (or one frozen) and no fine-tuning, which is of codes
        alone; else False.

    Attributes
    ----------
    transformer_ : transformer
        Fitted. After ``fine_tune="full"`` its encoder is the one that this led to and its decoder
        the one of before: what it decodes, samples or scores means little then.
    estimator_ : classifier
        Fitted to codes, and what stands beside them to their right; with
        ``fine_tune="linear_probe"`` a ``LogisticRegression`` with the weights of the head.
    classes_ : ndarray of shape (n_classes,)
    history_ : DataFrame
        A row an epoch of fine-tuning, if there was any.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if they all had one that is a string.

    See Also
    --------
    EncoderRegressor : Predicts numbers.
    sklearn.semi_supervised.SelfTrainingClassifier : Takes confident predictions for labels.

    References
    ----------
    Kumar et al. (2022), *Fine-tuning can distort pretrained features and underperform
    out-of-distribution*: first the head alone, then both.
    Li et al. (2018), *Explicit inductive bias for transfer learning with convolutional networks*:
    the pull to the start.

    Examples
    --------
    Ten labels a class are enough for wines:

    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import AutoencoderTransformer, EncoderClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> few = np.full(len(y), -1)
    >>> for label in range(3):
    ...     few[np.flatnonzero(y == label)[:10]] = label
    >>> encoder = AutoencoderTransformer(latent_dim=16, max_epochs=100)
    >>> classifier = EncoderClassifier(encoder).fit(X, few)
    >>> classifier.predict_proba(X).shape
    (178, 3)
    >>> bool(classifier.score(X, y) > 0.8)
    True
    """

    _parameter_constraints = {
        **_EncoderPredictor._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        transformer=None,
        estimator=None,
        fine_tune=False,
        class_weight=None,
        passthrough="auto",
    ):
        super().__init__(transformer, estimator, fine_tune, passthrough)
        self.class_weight = class_weight

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, **fit_params):
        """Fit the encoder to all rows and the head to those with a label.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            As the transformer takes it.
        y : array-like of shape (n_samples,)
            Classes; -1, None, NaN or "" where a row has no label (beside strings the number -1,
            dtype object). Where y has the values -1 and 1 and no other, both are classes. Give ""
            among strings for what sorts labels, such as ``StratifiedKFold`` in a grid search.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts, for the transformer and for the head.
        **fit_params
            Other parameters of the transformer's ``fit``, such as ``groups``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If ``y`` has another length than ``X``, labels of several kinds or of fewer than two
            classes; if ``fine_tune`` does not go with the other parameters. After any exception the
            estimator is as it was before.
        """
        in_one_step(self, lambda fresh: fresh._fit(X, y, sample_weight, fit_params))
        return self

    def _labels(self, y, counts):
        if self.class_weight is not None and self.estimator is not None:
            raise ValueError(
                "class_weight is that of the default head; set it in the estimator where that has "
                f"one, and leave it at None here; got class_weight={self.class_weight!r}."
            )
        labels, labeled = read_labels(y)
        labeled &= counts
        classes = np.unique(labels[labeled])
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs labels of at least 2 classes; y has "
                f"{len(classes)} class{'es' * (len(classes) != 1)} (-1, None, NaN and '' are no "
                "labels)."
            )
        return labels, labeled

    def _for_transformer(self, labels, labeled):
        numbers = np.full(len(labels), -1)
        numbers[labeled] = np.unique(labels[labeled], return_inverse=True)[1]
        return numbers

    _head = LogisticHead

    def _default_head(self, labels, weights):
        factors = class_factors(self.class_weight, labels, weights)
        return LogisticRegression(max_iter=_MOST_ITERATIONS, class_weight=factors)

    def _counted(self, labels, weights):
        factors = class_factors(self.class_weight, labels, weights)
        if factors is None:
            return weights
        return weights * np.array([factors.get(label, 1.0) for label in labels.tolist()])

    def _tuning(self, labels, weights):
        weights = self._counted(labels, weights)
        numbers = np.searchsorted(self.estimator_.classes_, labels)
        head = self.estimator_
        shrinkage = 0.5 / (head.C * weights.sum())
        objective = Classification(head.coef_, head.intercept_, shrinkage)
        return numbers.astype(np.int64), objective

    def _take_over(self, weight, bias):
        self.estimator_.coef_ = weight.astype(np.float64)
        self.estimator_.intercept_ = bias.astype(np.float64)

    def score(self, X, y, sample_weight=None):
        """Accuracy on the rows that have a label.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Rows without a label are left out; -1 is none, unless it is one of the classes.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
        """
        check_is_fitted(self)
        X, y = self._beside(X, y)
        y, labeled = read_labels(y, self.classes_)
        return self._score_of(super().score, X, y, labeled, sample_weight)

    @property
    def classes_(self):
        """Labels, ndarray of shape (n_classes,)."""
        return self.estimator_.classes_

    @available_if(_head_has("predict_proba"))
    def predict_proba(self, X):
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(self._seen_by_head(X))

    @available_if(_head_has("decision_function"))
    def decision_function(self, X):
        """Decision values of the head.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(self._seen_by_head(X))


class EncoderRegressor(RegressorMixin, _EncoderPredictor):
    """A regressor on codes: all rows train the encoder, rows with a target the head.

    Parameters
    ----------
    transformer : transformer, default=None
        Learns codes from all rows; see :class:`EncoderClassifier`.
    estimator : regressor, default=None
        Predicts targets from codes. None is ``Ridge()``; beside raw columns ``alpha`` is chosen.
    fine_tune : False, "linear_probe" or "full", default=False
        As in :class:`EncoderClassifier`, with the squared error; the head starts from that of
        ``Ridge``.
    passthrough : bool or "auto", default="auto"
        As in :class:`EncoderClassifier`; what is chosen of the default head is ``alpha``.

    Attributes
    ----------
    transformer_ : transformer
        Fitted; see :class:`EncoderClassifier`.
    estimator_ : regressor
        Fitted to codes, and what stands beside them to their right; with
        ``fine_tune="linear_probe"`` a ``Ridge`` with the weights of the head.
    history_ : DataFrame
        A row an epoch of fine-tuning, if there was any; targets have variance 1 there.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if they all had one that is a string.

    See Also
    --------
    EncoderClassifier : Predicts classes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_replearn import AutoencoderTransformer, EncoderRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> few = np.where(np.arange(len(y)) < 200, y, np.nan)  # the others have no target
    >>> encoder = AutoencoderTransformer(latent_dim=8, max_epochs=50)
    >>> EncoderRegressor(encoder).fit(X, few).predict(X).shape
    (442,)
    """

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, **fit_params):
        """Fit the encoder to all rows and the head to those with a target.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            As the transformer takes it.
        y : array-like of shape (n_samples,)
            Numbers; NaN where a row has no target.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts, for the transformer and for the head.
        **fit_params
            Other parameters of the transformer's ``fit``, such as ``groups``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If ``y`` has infinite values, another length than ``X``, or fewer than two targets; if
            ``fine_tune`` does not go with the other parameters. After any exception the estimator
            is as it was before.
        """
        in_one_step(self, lambda fresh: fresh._fit(X, y, sample_weight, fit_params))
        return self

    def _labels(self, y, counts):
        y = targets(y)
        labeled = ~np.isnan(y) & counts
        if labeled.sum() < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 rows with a target; got "
                f"n_samples={labeled.sum()} (NaN is no target)."
            )
        return y, labeled

    def _for_transformer(self, labels, labeled):
        return labels

    _head = RidgeHead

    def _default_head(self, labels, weights):
        return Ridge()

    def _counted(self, labels, weights):
        return weights

    def _tuning(self, labels, weights):
        # Sorted, because a sum of floats depends on the order of its terms.
        order = np.lexsort((weights, labels))
        values, counts = labels[order], weights[order]
        center = np.average(values, weights=counts)
        spread = np.sqrt(np.average(np.square(values - center), weights=counts)) or 1.0
        weight = np.atleast_2d(self.estimator_.coef_) / spread
        bias = (np.atleast_1d(self.estimator_.intercept_) - center) / spread
        shrinkage = self.estimator_.alpha / weights.sum()
        self._units = center, spread
        return labels, Regression(weight, bias, shrinkage, center, spread)

    def _take_over(self, weight, bias):
        center, spread = self._units
        self.estimator_.coef_ = weight[0].astype(np.float64) * spread
        self.estimator_.intercept_ = float(bias[0]) * spread + center

    def score(self, X, y, sample_weight=None):
        """Coefficient of determination (R²) on the rows that have a target.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Rows with NaN are left out.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
        """
        check_is_fitted(self)
        X, y = self._beside(X, y)
        y = targets(y)
        return self._score_of(super().score, X, y, ~np.isnan(y), sample_weight)
