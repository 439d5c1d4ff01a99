"""Columns of numbers and weights that are never made whole: most of them say little."""

import numpy as np


class Equal:
    """The same number for each row, as an array that is not there.

    Parameters
    ----------
    n : int
    value : float
    """

    def __init__(self, n, value=1.0):
        self._n, self._value = n, value

    def __len__(self):
        return self._n

    def __getitem__(self, part):
        n = len(range(*part.indices(self._n))) if isinstance(part, slice) else len(part)
        return np.full(n, self._value)


class Stretches:
    """Numbers that follow each other in stretches, as an array that is not there.

    Parameters
    ----------
    starts, stops : array-like of shape (n_stretches,), int
        Rising; a stop is the number behind the last one.

    Examples
    --------
    >>> from sklearn_replearn._dataset.stretches import Stretches
    >>> numbers = Stretches([0, 10], [3, 12])
    >>> len(numbers), numbers[1:].tolist()
    (5, [1, 2, 10, 11])
    """

    def __init__(self, starts, stops):
        self._starts = np.asarray(starts, dtype=np.int64)
        lengths = np.asarray(stops, dtype=np.int64) - self._starts
        self._ends = np.cumsum(lengths)
        self._shifts = self._starts - (self._ends - lengths)

    def __len__(self):
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, part):
        places = np.arange(*part.indices(len(self))) if isinstance(part, slice) else part
        if len(self._ends) == 1:
            return places + self._shifts[0]
        return places + self._shifts[np.searchsorted(self._ends, places, side="right")]


class Picked:
    """Some of an array that is not there.

    Parameters
    ----------
    of : array-like
    which : Stretches
    """

    def __init__(self, of, which):
        self._of, self._which = of, which

    def __len__(self):
        return len(self._which)

    def __getitem__(self, part):
        return self._of[self._which[part]]


def picked(array, which):
    """Those of these numbers of an array: made, unless neither is there."""
    if isinstance(array, np.ndarray):
        return array[which[:]]
    return array[which] if isinstance(which, np.ndarray) else Picked(array, which)
