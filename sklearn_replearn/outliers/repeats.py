"""Training rows that are there several times: by chance, or as copies."""

import numpy as np

from .._dataset.hashing import hashes_of

_MANY = 10  # times as many equal rows as usual
_FEW_VALUES, _SHARE_OF_VALUES = 2**4, 1 / 8


def groups_of(table):
    """Number of each row, the same for equal ones, which stand side by side; ascending from 0."""
    here, before = table[1:], table[:-1]
    equal = ((here == before) | (np.isnan(here) & np.isnan(before))).all(axis=1)
    return np.append(0, np.cumsum(~equal))


def units_of(table, is_categorical):
    """Numbers of what is held out together: a row alone, or with its copies.

    Rows of which each cell is one of few values of its column, or of a category, are equal by
    chance, and so will later ones be: each is held out by itself. Elsewhere hardly a later row will
    equal one of training, so that what has seen a copy of a row knows more of it than it will of
    later ones. A value of a lone column that is there much oftener than others, such as zero, is no
    copy either.

    Parameters
    ----------
    table : ndarray of shape (n, n_features)
        Equal rows stand side by side.
    is_categorical : ndarray of shape (n_features,), bool

    Returns
    -------
    ndarray of shape (n,), int
        Ascending from 0.
    """
    group = groups_of(table)
    begins, times = np.diff(group, prepend=-1) > 0, np.bincount(group)
    by_chance = np.ones(len(times), dtype=bool)
    if times.max() > 1:
        for column in table[begins].T[~is_categorical]:
            found, numbers, counts = np.unique(column, return_inverse=True, return_counts=True)
            if len(found) > max(_FEW_VALUES, _SHARE_OF_VALUES * len(table)):
                by_chance[:] = False
            elif len(found) > _FEW_VALUES:
                by_chance &= counts[numbers] > 1
        if table.shape[1] == 1:
            by_chance |= times >= _MANY * np.median(times)
    return np.cumsum(begins | (by_chance | (times == 1))[group]) - 1


def middle_of_equals(group, values):
    """The middle one of the values of each group, for all of its rows.

    Rows of several folds are judged by several models, which do not agree to the last bit.

    Parameters
    ----------
    group : ndarray of shape (n,), int
        Ascending.
    values : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
    """
    _, begins, times = np.unique(group, return_index=True, return_counts=True)
    return np.repeat(values[np.lexsort((values, group))][begins + times // 2], times)


class Repeated:
    """Rows that training has several times, and how surprising they were.

    A later row that equals one of them is at most as surprising, whichever model is asked: so it
    never is more extreme than its equals.

    Parameters
    ----------
    group : ndarray of shape (n,), int
        Of the training rows; ascending, the same for equal ones.
    held_out : ndarray of int
        Numbers of those that were judged by what has not seen them.
    table : ndarray of shape (n, n_features)
        Training rows.
    surprise : ndarray of the shape of ``held_out``
        Equal rows have equal ones.
    """

    def __init__(self, group, held_out, table, surprise):
        several = np.bincount(group)[group[held_out]] > 1
        hashes = hashes_of(table[held_out[several]])
        self.hashes, first = np.unique(hashes, return_index=True)
        self.surprise = surprise[several][first]

    def at_most(self, surprise, table):
        """Surprise of later rows, that of their equals where it is less."""
        return np.minimum(surprise, self.of_equals(surprise, table))

    def of_equals(self, surprise, table):
        """That of the equals of later rows; where a row has none, its own."""
        if not len(self.hashes):
            return surprise
        hashes = hashes_of(table)
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[places] == hashes, self.surprise[places], surprise)
