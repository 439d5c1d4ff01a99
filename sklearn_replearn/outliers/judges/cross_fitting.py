"""Judging training rows by models that have not seen them."""

import numpy as np
from sklearn.base import clone

from ..._runtime.randomness import draw_integer
from ..evidence import evidence_of

_FEWEST_FOLDS, _MOST_FOLDS = 4, 10
_ROWS_OF_FOLDS, _CELLS_OF_FOLDS = 2**13, 2**20


def cross_fitted(judge, rows, generator, fit=None):
    """Clones of a judge, each fitted to the rows of all folds but one, and asked about that one.

    Copies of a row are in one fold; rows that are equal by chance stand side by side, and so get
    into several folds, as they would by chance, too.

    Parameters
    ----------
    judge : Judge
    rows : Observations
        Training rows.
    generator : torch.Generator
    fit : callable, default=None
        Takes a clone and rows; None: the method of that name.

    Yields
    ------
    judge : Judge
    held_out : ndarray of int
        Numbers of the rows of one fold.
    evidence : Evidence
        About these.
    """
    folds = _folds(rows.units, rows.table.size)
    seeds = [draw_integer(generator) for _ in range(folds.max() + 1)]
    for fold, seed in enumerate(seeds):
        fitted, inside = seeded(judge, seed), np.flatnonzero(folds != fold)
        some = rows.take(inside if len(inside) > 1 else np.repeat(inside, 2))
        fitted.fit(some) if fit is None else fit(fitted, some)
        held_out = np.flatnonzero(folds == fold)
        yield fitted, held_out, evidence_of(fitted, rows.take(held_out))


def _folds(units, n_cells):
    """Fold of each row; the fewer rows, the more folds, so that models see most of them."""
    distinct, units = np.unique(units, return_inverse=True)
    most = min(_ROWS_OF_FOLDS // len(units), _CELLS_OF_FOLDS // n_cells)
    return units % min(len(distinct), int(np.clip(most, _FEWEST_FOLDS, _MOST_FOLDS)))


def seeded(estimator, seed):
    """A clone that draws from ``seed`` wherever it would draw from a global generator."""
    estimator = clone(estimator)
    unset = [
        name
        for name, value in estimator.get_params().items()
        if value is None and name.rpartition("__")[2] == "random_state"
    ]
    return estimator.set_params(**dict.fromkeys(unset, seed))
