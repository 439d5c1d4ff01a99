"""What an estimator with ``score_samples`` says of a row."""

from copy import copy

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import NotFittedError, check_is_fitted

from ..._estimators.vae import VAETransformer
from ..._runtime.arrays import evenly
from ..._runtime.parameters import Instance
from ..._runtime.randomness import draw_integer
from ..evidence import Evidence, HeldOut, evidence_of
from .base import Judge
from .cross_fitting import cross_fitted, seeded
from .unwrapping import ours_in

_ROWS_EXPECTED = 2**8
_BULK, _ROUNDS = 0.75, 3


class EstimatorScore(Judge):
    """Minus the ``score_samples`` of an estimator.

    Of our own transformers, also in a pipeline or a search, what is due to a cell is its error of
    reconstruction or its share of the bound; of others, how much less anomalous the row would be
    with the column's median or most frequent level.

    Parameters
    ----------
    estimator : estimator
        One that is fitted already is taken as it is, and compared with the training rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import EstimatorScore, NearestDistance
    >>> normal = np.random.RandomState(0).normal(size=(300, 2))
    >>> judges = [NearestDistance(), EstimatorScore(KernelDensity())]
    >>> OutlierDetector(judges=judges).fit(normal).predict([[9.0, 9.0]])
    array([-1])
    """

    _parameter_constraints = {
        "estimator": [Instance(["fit", "score_samples"], "an estimator with score_samples")]
    }

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, rows):
        """Fit a clone of the estimator; see :meth:`Judge.fit`."""
        self.estimator_ = self.estimator
        if not _is_fitted(self.estimator):
            self.estimator_ = clone(self.estimator).fit(rows.original())
        self.typical_ = _typical_row(rows)
        return self

    def evidence(self, rows):
        """Minus the scores; see :meth:`Judge.evidence`."""
        scores = _minus_scores(self.estimator_, rows.original())
        return Evidence(scores, lambda: self._parts(rows))

    def _parts(self, rows):
        X = rows.decoded(rows.table)
        ours, given = ours_in(self.estimator_, X)
        if ours is self.estimator_:
            return _parts_of_ours(ours, given)
        whole = _minus_scores(self.estimator_, X)
        # What is wrapped around one of ours may have scores of its own.
        if ours is not None and np.array_equal(_minus_scores(ours, given), whole):
            return _parts_of_ours(ours, given)
        # How much less anomalous it is with a typical cell in its place.
        parts = np.empty(rows.table.shape)
        for j, cell in enumerate(self.typical_):
            changed = rows.table.copy()
            changed[:, j] = cell
            parts[:, j] = whole - _minus_scores(self.estimator_, rows.decoded(changed))
        return parts

    def fit_held_out(self, rows, generator):
        """Cross-fit, then fit to all rows; see :meth:`Judge.fit_held_out`."""
        if _is_fitted(self.estimator):
            judge = copy(self).fit(rows)
            statistic = evidence_of(judge, rows).statistic
        else:
            judge, statistic = self._fitted(rows, generator)
        some = rows.take(evenly(len(rows), _ROWS_EXPECTED))
        return HeldOut(judge, statistic, judge._parts(some).mean(axis=0))

    def _fitted(self, rows, generator):
        judge, statistic = seeded(self, draw_integer(generator)), np.empty(len(rows))
        for _, held_out, evidence in cross_fitted(judge, rows, generator):
            statistic[held_out] = evidence.statistic
        return judge.fit(rows), statistic


class TrimmedEstimatorScore(EstimatorScore):
    """The same, for training rows among which there are anomalies.

    The estimator is fitted three times, the second and third time without the quarter of the rows
    that fitted worst.

    Parameters
    ----------
    estimator : estimator
        One that is fitted already is taken as it is, and compared with the training rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import TrimmedEstimatorScore
    >>> rows = np.random.RandomState(0).normal(size=(300, 2)) * [3, 1]
    >>> rows[:15, 1] += 9.0
    >>> detector = OutlierDetector(judges=[TrimmedEstimatorScore(PCA(1))], contamination=0.05)
    >>> detector.fit_predict(rows)[:15].tolist() == [-1] * 15
    True
    """

    def _fitted(self, rows, generator):
        unfitted, best = seeded(self, draw_integer(generator)), np.arange(len(rows))
        for _ in range(_ROUNDS):
            judge = clone(unfitted).fit(rows.take(best))
            statistic = evidence_of(judge, rows).statistic
            n_best = max(int(_BULK * len(rows)), min(2, len(rows)))
            best = np.sort(np.argsort(statistic, kind="stable")[:n_best])
        judge.typical_ = _typical_row(rows)
        return judge, statistic


def _is_fitted(estimator):
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def _parts_of_ours(ours, X):
    """What of the scores of one of our transformers is due to each cell."""
    if isinstance(ours, VAETransformer):
        return -ours.elbo_terms(X).to_numpy()[:, : X.shape[1]]
    return np.nan_to_num(ours.reconstruction_error(X))


def _minus_scores(estimator, X):
    """Minus ``score_samples``, finite."""
    scores, n = estimator.score_samples(X), _n_rows(X)
    wanted = (
        f"score_samples of {type(estimator).__name__} must return one number for each of the {n} "
        "rows, higher for more normal ones"
    )
    try:
        scores = np.asarray(scores)
        scores = scores.astype(
            np.float64, casting="unsafe" if scores.dtype == object else "same_kind"
        )
    except (TypeError, ValueError) as problem:
        raise TypeError(f"{wanted}: {problem}") from problem
    if scores.shape != (n,):
        raise ValueError(f"{wanted}, of shape ({n},); got {scores.shape}.")
    if np.isnan(scores).any():
        raise ValueError(
            f"{wanted}; got NaN for {np.isnan(scores).sum()} of them. Where missing cells are the "
            "cause, fill them in a pipeline before it."
        )
    return np.nan_to_num(-scores)


def _n_rows(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _typical_row(rows):
    """Median of each column of numbers, most frequent level of each category."""
    typical, is_categorical = np.empty(rows.table.shape[1]), rows.is_categorical
    for j, known in enumerate(rows.known.T):
        cells = rows.table[known, j]
        if not len(cells):
            typical[j] = np.nan
        elif is_categorical[j]:
            typical[j] = np.bincount(cells.astype(np.intp)).argmax()
        else:
            typical[j] = np.sort(cells)[len(cells) // 2]
    return typical
