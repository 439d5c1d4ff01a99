"""A grid search whose networks are trained together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import GridSearchCV

from .._runtime.typing import TableLike
from .meeting import Meeting


class StackedSearchCV(GridSearchCV):
    """A grid search in one process that trains many small networks as one.

    What it finds is what ``GridSearchCV`` finds, to the last bit: the same scores, the same best
    estimator. Candidates and folds wait for each other where their networks are to be trained;
    those with layers of the same widths are then trained together, each on batches of its own. With
    small networks that takes less time, as most of the time of a step goes by for whatever is
    small; see ``docs/benchmarks/stacked.md`` for when, and how much.

    Trained together are networks of :class:`~sklearn_replearn.AutoencoderTransformer` and
    :class:`~sklearn_replearn.VAETransformer`, alone or as steps of a ``Pipeline``, that differ in
    ``random_state``, ``lr``, ``weight_decay``, ``beta``, in rows, and in ``latent_dim`` within the
    next multiple of 16 (a wider code is a stack of its own). They are of tables without
    categories, missing cells and heavy tails, of as many rows. All others are fitted one by one, as
    by ``GridSearchCV``: wider networks, other widths of hidden layers than any other fit has,
    Poisson and Student-t likelihoods, ``corruption``, ``sparsity``, ``early_stopping``,
    ``callbacks``, ``checkpoint``, parts of your own, contrastive encoders, and any on a GPU.
    Nothing has to be set for that.

    Parameters
    ----------
    estimator : estimator
        One of the transformers, or anything that fits some, such as a ``Pipeline``. Others are
        fitted as by ``GridSearchCV``.
    param_grid : dict or list of dicts
        Names of parameters and lists of their values.
    scoring : str, callable, list, tuple or dict, default=None
        As in ``GridSearchCV``, as all that follow.
    refit : bool, str or callable, default=True
    cv : int, cross-validation generator or iterable, default=None
    verbose : int, default=0
    error_score : "raise" or float, default=np.nan
    return_train_score : bool, default=False

    Attributes
    ----------
    n_stacked_ : int
        How many of the fits were trained together with others.
    cv_results_ : dict of str to ndarray
        As in ``GridSearchCV``. Of the time in which networks are trained together each fit gets an
        equal share.
    best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, multimetric_
        As in ``GridSearchCV``, as ``refit_time_``, ``n_features_in_`` and ``feature_names_in_``.

    See Also
    --------
    sklearn.model_selection.GridSearchCV : With ``n_jobs`` on several cores, one fit on each.

    Notes
    -----
    Fits that wait keep their rows; at 64 MB of scaled rows, or 256 fits, those that wait are
    trained before others begin.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.model_selection import StackedSearchCV
    >>> encoder = VAETransformer(hidden_layer_sizes=(16,), max_epochs=20)
    >>> search = StackedSearchCV(encoder, {"latent_dim": [2, 4], "random_state": [0, 1]}, cv=3)
    >>> search.fit(load_wine().data).n_stacked_
    12
    """

    def __init__(
        self,
        estimator: Any,
        param_grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Sequence[Any]]],
        *,
        scoring: Any = None,
        refit: bool | str | Callable[..., Any] = True,
        cv: int | Iterable[Any] | Any = None,
        verbose: int = 0,
        error_score: float | str = np.nan,
        return_train_score: bool = False,
    ) -> None:
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch="all",
            error_score=error_score,
            return_train_score=return_train_score,
        )

    def fit(self, X: TableLike, y: ArrayLike | None = None, **params: Any) -> Self:
        """Fit all candidates on all folds, and the best one on all rows.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
        **params
            As in ``GridSearchCV.fit``.

        Returns
        -------
        self : object
        """
        with Meeting().of_next_search() as meeting:
            super().fit(X, y, **params)
        self.n_stacked_ = meeting.n_stacked
        return self
