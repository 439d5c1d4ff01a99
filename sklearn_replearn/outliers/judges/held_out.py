"""Judging training rows by models that have not seen them."""

import numpy as np
from sklearn.base import clone

_FOLDS, _ENOUGH = 10, 1500


def held_out_folds(units):
    """Which rows are held out together: a tenth of them.

    Copies of a row are in one fold; rows that are equal by chance stand side by side, and so get
    into several folds, as they would by chance, too. Of many rows not all are held out: 1,500 say
    well enough how rare a statistic is.

    Parameters
    ----------
    units : ndarray of shape (n,), int
        Rows of one number are copies of each other.

    Returns
    -------
    list of ndarray of int
        Numbers of the rows of each fold.
    """
    distinct, units = np.unique(units, return_inverse=True)
    n_folds, folds, n_held_out = min(len(distinct), _FOLDS), [], 0
    while len(folds) < n_folds and n_held_out < _ENOUGH:
        folds.append(np.flatnonzero(units % n_folds == len(folds)))
        n_held_out += len(folds[-1])
    return folds


def without(n, fold):
    """Numbers of the rows to fit to, at least two."""
    inside = np.setdiff1d(np.arange(n), fold)
    return inside if len(inside) > 1 else np.repeat(inside if len(inside) else fold, 2)[:2]


def seeded(estimator, seed):
    """A clone that draws from ``seed`` wherever it would draw from a global generator."""
    estimator = clone(estimator)
    unset = [
        name
        for name, value in estimator.get_params().items()
        if value is None and name.rpartition("__")[2] == "random_state"
    ]
    return estimator.set_params(**dict.fromkeys(unset, seed))
