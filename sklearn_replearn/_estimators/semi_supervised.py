"""EncoderClassifier and EncoderRegressor: rows without a label train the encoder, too."""

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._dataset.columns import some_for_each_row
from .._dataset.labels import class_factors, have_targets, read_labels, targets
from .._runtime.following import followed
from .._runtime.sklearn import StrOptions, available_if, fit_context
from .._runtime.transaction import in_one_step
from .._runtime.typing import TableLike
from .._tables.given import takes_table
from ..objectives.supervised import Classification, Regression
from .linear_heads import MOST_ITERATIONS, LogisticHead, RidgeHead
from .names_elsewhere import CLASSIFIER, REGRESSOR
from .predictor import EncoderPredictor


def _head_has(*names):
    """A check for whether the head has one of these methods."""

    def check(self):
        head = self.estimator_ if hasattr(self, "estimator_") else self.estimator
        return head is None or any(hasattr(head, name) for name in names)

    return check


class EncoderClassifier(ClassifierMixin, EncoderPredictor):
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
        standardised and as normal scores of their ranks; cells of images and other arrays on the
        scale that they share. How much the default head makes of them (half as much as of the
        codes or twice as much, by variance) and how strong it is (``C``) is then chosen by
        cross-validation of the labels, in five folds of at most 2,000 rows; half as much, where not
        two classes have five labels. Another ``estimator`` is given both with the same variance.
        "auto" is True for tables that are not sparse, with the default head, an encoder of this
        package (or one frozen) and no fine-tuning, which is of codes alone; else False.
    verbose : int, default=0
        1 shows how far the fit is: a bar where there is a terminal or a notebook, else a plain line
        each tenth of the way.

    Attributes
    ----------
    transformer_ : transformer
        Fitted. After ``fine_tune="full"`` its encoder is the one that this led to and its decoder
        the one of before: what it decodes, samples or scores means little then.
    estimator_ : classifier
        Fitted to codes, and what stands beside them to their right; with
        ``fine_tune="linear_probe"`` a ``LogisticRegression`` with the weights of the head.
    classes_ : ndarray of shape (n_classes,)
    history_ : frame of the library of fit, pandas for arrays
        A row an epoch of fine-tuning, if there was any.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (n_features,)
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

    _other_names = CLASSIFIER

    _parameter_constraints = {
        **EncoderPredictor._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        transformer: Any = None,
        estimator: Any = None,
        fine_tune: Literal[False, "linear_probe", "full"] = False,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        passthrough: bool | Literal["auto"] = "auto",
        verbose: int = 0,
    ) -> None:
        super().__init__(transformer, estimator, fine_tune, passthrough, verbose)
        self.class_weight = class_weight

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: TableLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **fit_params: Any
    ) -> Self:
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
            Other parameters of the transformer's ``fit``, such as ``groups`` or ``X_val``. With
            metadata routing they go, as ``sample_weight`` does, to what requests them: also to the
            steps of a pipeline that stands for the transformer or the estimator.

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
        with followed(self, X, y, sample_weight=sample_weight):
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
        return LogisticRegression(max_iter=MOST_ITERATIONS, class_weight=factors)

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

    def score(self, X: TableLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
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
    def classes_(self) -> NDArray[Any]:
        """Labels, ndarray of shape (n_classes,)."""
        return self.estimator_.classes_

    @available_if(_head_has("predict_proba"))
    @takes_table
    def predict_proba(self, X: TableLike) -> NDArray[np.float64]:
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

    @available_if(_head_has("predict_log_proba", "predict_proba"))
    @takes_table
    def predict_log_proba(self, X: TableLike) -> NDArray[np.float64]:
        """Logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        if hasattr(self.estimator_, "predict_log_proba"):
            return self.estimator_.predict_log_proba(self._seen_by_head(X))
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @available_if(_head_has("decision_function"))
    @takes_table
    def decision_function(self, X: TableLike) -> NDArray[np.float64]:
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


class EncoderRegressor(RegressorMixin, EncoderPredictor):
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
    verbose : int, default=0
        1 shows how far the fit is: a bar where there is a terminal or a notebook, else a plain line
        each tenth of the way.

    Attributes
    ----------
    transformer_ : transformer
        Fitted; see :class:`EncoderClassifier`.
    estimator_ : regressor
        Fitted to codes, and what stands beside them to their right; with
        ``fine_tune="linear_probe"`` a ``Ridge`` with the weights of the head.
    history_ : frame of the library of fit, pandas for arrays
        A row an epoch of fine-tuning, if there was any; targets have variance 1 there.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (n_features,)
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

    _other_names = REGRESSOR

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: TableLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **fit_params: Any
    ) -> Self:
        """Fit the encoder to all rows and the head to those with a target.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            As the transformer takes it.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers; NaN where a row has no target. Of several targets a row has all or none.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts, for the transformer and for the head.
        **fit_params
            Other parameters of the transformer's ``fit``, such as ``groups`` or ``X_val``. With
            metadata routing they go, as ``sample_weight`` does, to what requests them: also to the
            steps of a pipeline that stands for the transformer or the estimator.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If ``y`` has infinite values, another length than ``X``, or fewer than two targets; if
            a row has some of its targets only; if ``fine_tune`` does not go with the other
            parameters. After any exception the estimator is as it was before.
        """
        with followed(self, X, y, sample_weight=sample_weight):
            in_one_step(self, lambda fresh: fresh._fit(X, y, sample_weight, fit_params))
        return self

    def _labels(self, y, counts):
        y = targets(y)
        labeled = have_targets(y) & counts
        if labeled.sum() < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 rows with a target; got "
                f"n_samples={labeled.sum()} (NaN is no target)."
            )
        return y, labeled

    def _for_transformer(self, labels, labeled):
        return labels

    _head = RidgeHead
    _labels_beside = staticmethod(some_for_each_row)

    def _default_head(self, labels, weights):
        return Ridge()

    def _counted(self, labels, weights):
        return weights

    def _tuning(self, labels, weights):
        columns = labels.T if labels.ndim == 2 else [labels]
        center, spread = np.transpose([_center_and_spread(y, weights) for y in columns])
        weight = np.atleast_2d(self.estimator_.coef_) / spread[:, None]
        bias = (np.atleast_1d(self.estimator_.intercept_) - center) / spread
        shrinkage = self.estimator_.alpha / (weights.sum() * len(columns))
        self._units = center, spread
        return labels, Regression(weight, bias, shrinkage, center, spread)

    def _take_over(self, weight, bias):
        center, spread = self._units
        weight = weight.astype(np.float64) * spread[:, None]
        bias = bias.astype(np.float64) * spread + center
        several = np.ndim(self.estimator_.intercept_) > 0
        self.estimator_.coef_ = weight if several else weight[0]
        self.estimator_.intercept_ = bias if several else float(bias[0])

    def score(self, X: TableLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Coefficient of determination (R²) on the rows that have a target.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Rows with NaN are left out. Of several targets it is the mean over them.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
        """
        check_is_fitted(self)
        X, y = self._beside(X, y)
        y = targets(y)
        return self._score_of(super().score, X, y, have_targets(y), sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        head = Ridge() if self.estimator is None else self.estimator
        tags.target_tags.multi_output = get_tags(head).target_tags.multi_output
        return tags


def _center_and_spread(targets, weights):
    """Mean and standard deviation; 1 for targets that are all the same."""
    # Sorted, because a sum of floats depends on the order of its terms.
    order = np.lexsort((weights, targets))
    values, counts = targets[order], weights[order]
    center = np.average(values, weights=counts)
    return center, np.sqrt(np.average(np.square(values - center), weights=counts)) or 1.0
