"""Judging training rows by models that have not seen them."""

import numpy as np
from sklearn.base import clone

from ..._runtime.randomness import draw_integer
from ..evidence import evidence_of

_FEWEST_FOLDS, _MOST_FOLDS, _ROWS_OF_FOLDS = 4, 10, 2**13


def cross_fitted(judge, rows, generator):
    """Clones of a judge, each fitted to the rows of all folds but one, and asked about that one.

    Copies of a row are in one fold; rows that are equal by chance stand side by side, and so get
    into several folds, as they would by chance, too.

    Parameters
    ----------
    judge : Judge
    rows : Observations
        Training rows.
    generator : torch.Generator

    Yields
    ------
    judge : Judge
    held_out : ndarray of int
        Numbers of the rows of one fold.
    evidence : Evidence
        About these.
    """
    folds = _folds(rows.units)
    seeds = [draw_integer(generator) for _ in range(folds.max() + 1)]
    for fold, seed in enumerate(seeds):
        fitted, inside = seeded(judge, seed), np.flatnonzero(folds != fold)
        fitted.fit(rows.take(inside if len(inside) > 1 else np.repeat(inside, 2)))
        held_out = np.flatnonzero(folds == fold)
        yield fitted, held_out, evidence_of(fitted, rows.take(held_out))


def _folds(units):
    """Fold of each row; the fewer rows, the more folds, so that models see most of them."""
    distinct, units = np.unique(units, return_inverse=True)
    most = int(np.clip(_ROWS_OF_FOLDS // len(units), _FEWEST_FOLDS, _MOST_FOLDS))
    return units % min(len(distinct), most)


def seeded(estimator, seed):
    """A clone that draws from ``seed`` wherever it would draw from a global generator."""
    estimator = clone(estimator)
    unset = [
        name
        for name, value in estimator.get_params().items()
        if value is None and name.rpartition("__")[2] == "random_state"
    ]
    return estimator.set_params(**dict.fromkeys(unset, seed))
