"""An estimator that a user gives as the judge."""

import numpy as np
from sklearn.base import clone

from ..._estimators.base import RepresentationTransformer
from ..._estimators.vae import VAETransformer
from ..._runtime.arrays import evenly
from ..observations import Seen

_ROWS_TYPICAL = 2**8


class GivenEstimator:
    """What an estimator that a user gives says of rows by its ``score_samples``.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    held_out : ndarray of shape (n,)
        Minus the scores of training rows.
    schema : Schema
    seen : Seen
        Training rows.
    """

    def __init__(self, estimator, held_out, schema, seen):
        self.estimator, self.held_out, self._schema = estimator, held_out, schema
        self._typical = _typical_row(seen)
        some = Seen(seen.table[evenly(len(seen), _ROWS_TYPICAL)], seen.spaces)
        self.expected = self.parts(some).mean(axis=0)

    def statistic(self, seen):
        return minus_scores(self.estimator, self._raw(seen.table) if seen.raw is None else seen.raw)

    def parts(self, seen):
        X = self._raw(seen.table)
        if isinstance(self.estimator, VAETransformer):
            return -self.estimator.elbo_terms(X).to_numpy()[:, : seen.table.shape[1]]
        if isinstance(self.estimator, RepresentationTransformer):
            return np.nan_to_num(self.estimator.reconstruction_error(X))
        # How much less anomalous it is with a typical cell in its place.
        whole = minus_scores(self.estimator, X)
        parts = np.empty(seen.table.shape)
        for j, cell in enumerate(self._typical):
            changed = seen.table.copy()
            changed[:, j] = cell
            parts[:, j] = whole - minus_scores(self.estimator, self._raw(changed))
        return parts

    def _raw(self, table):
        return self._schema.decode(table.astype(np.float64))


def minus_scores(estimator, X):
    """Minus ``score_samples``, finite."""
    scores = np.asarray(estimator.score_samples(X), dtype=np.float64)
    if np.isnan(scores).any():
        raise ValueError(f"score_samples of {type(estimator).__name__} gave NaN for some rows.")
    return np.nan_to_num(-scores)


def _typical_row(seen):
    """Median of each column of numbers, most frequent level of each category."""
    typical = np.empty(seen.table.shape[1])
    numbers = seen.spaces["standard"].columns.numbers
    for j, known in enumerate(seen.known.T):
        cells = seen.table[known, j]
        if not len(cells):
            typical[j] = np.nan
        elif numbers[j]:
            typical[j] = np.sort(cells)[len(cells) // 2]
        else:
            typical[j] = np.bincount(cells.astype(np.intp)).argmax()
    return typical


def seeded(estimator, seed):
    """A clone that draws from ``seed`` wherever it would draw from a global generator."""
    estimator = clone(estimator)
    unset = [
        name
        for name, value in estimator.get_params().items()
        if value is None and name.rpartition("__")[2] == "random_state"
    ]
    return estimator.set_params(**dict.fromkeys(unset, seed))
