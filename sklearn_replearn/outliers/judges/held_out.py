"""Which training rows are held out together, to be judged by models that have not seen them."""

import numpy as np

_FEW, _FOLDS_OF_FEW, _FOLDS_OF_MANY = 2**11, 10, 5
_ENOUGH = 4000


def held_out_folds(units):
    """Which rows are held out together: of up to 2,048 a tenth, of more a fifth.

    Copies of a row are in one fold; rows that are equal by chance stand side by side, and so get
    into several folds, as they would by chance, too. Of many rows not all are held out: 4,000 say
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
    n = len(distinct)
    n_folds = min(n, _FOLDS_OF_FEW if n <= _FEW else _FOLDS_OF_MANY)
    asked = min(n_folds, -(-_ENOUGH * n_folds // n))
    return [np.flatnonzero(units % n_folds == number) for number in range(asked)]


def without(n, fold):
    """Numbers of the rows to fit to, at least two."""
    inside = np.setdiff1d(np.arange(n), fold)
    return inside if len(inside) > 1 else np.repeat(inside if len(inside) else fold, 2)[:2]
