"""Categories as numbers of levels: what the numbers are, how many there are, and how often."""

import math

import numpy as np

#: The number of a level that fit has not seen; those that it has are counted from 1 on.
UNSEEN = 0

# Categories with more levels are told by two numbers, see likelihoods.Categorical.
MOST_LEVELS = 256
_CELLS_COUNTED = 2**22  # at a time


def digits_of(n_levels):
    """How a number below ``n_levels`` is told: pairs of divisor and size of each digit.

    Examples
    --------
    >>> from sklearn_replearn._tables.levels import digits_of
    >>> digits_of(5), digits_of(100_000)
    ([(1, 5)], [(317, 316), (1, 317)])
    """
    if n_levels <= MOST_LEVELS:
        return [(1, n_levels)] if n_levels else []
    base = math.isqrt(n_levels - 1) + 1
    return [(base, -(-n_levels // base)), (1, base)]


class Levels:
    """The categories among the columns of a table.

    A cell of a category is the number of its level, from 1 on; 0 is a level that fit has not seen,
    and NaN a missing cell.

    Parameters
    ----------
    sizes : array-like of shape (n_features,), int
        Levels of each column; 0 for numbers.
    ordered : array-like of shape (n_features,), bool, default=None
        Categories whose levels have an order; None: none has.

    Attributes
    ----------
    shares : ndarray, float32
        Share of the training rows that have each level (each digit of its number, where there are
        many), column by column; empty until :meth:`counted`.

    Examples
    --------
    >>> from sklearn_replearn._tables.levels import Levels
    >>> levels = Levels([0, 3, 1000])
    >>> levels.numbers, levels.n_digits(2)
    (array([ True, False, False]), 64)
    """

    def __init__(self, sizes, ordered=None):
        self.sizes = np.array(sizes, dtype=np.int32)
        self.ordered = np.zeros(len(self.sizes), bool) if ordered is None else np.array(ordered)
        self.shares = np.empty(0, np.float32)

    @classmethod
    def none(cls, n_features):
        """Those of a table of numbers."""
        return cls(np.zeros(n_features, dtype=np.int32))

    def __len__(self):
        return len(self.sizes)

    def __getstate__(self):
        return vars(self) if self.any else {"n_features": len(self)}

    def __setstate__(self, state):
        if "n_features" in state:
            self.__init__(np.zeros(state["n_features"], dtype=np.int32))
            return
        for name, value in state.items():
            setattr(self, name, value)

    @property
    def numbers(self):
        """Columns that are no categories, ndarray of shape (n_features,), bool."""
        return self.sizes == 0

    @property
    def any(self):
        """Whether there are categories."""
        return bool(self.sizes.any())

    @property
    def digits(self):
        """Of each column, see :func:`digits_of`."""
        return [digits_of(size) for size in self.sizes.tolist()]

    def n_digits(self, j):
        """Values of all digits of a column together."""
        return sum(size for _, size in digits_of(int(self.sizes[j])))

    def counted(self, multiset):
        """The same with shares, and the entropy of each column in nats; 0 for numbers.

        Parameters
        ----------
        multiset : Multiset
            The training rows.
        """
        leveled, entropies = np.flatnonzero(~self.numbers), np.zeros(len(self))
        counted, shares = Levels(self.sizes, self.ordered), []
        found = [np.zeros(self.sizes[j] + 1) for j in leveled]
        for part in multiset.parts(_CELLS_COUNTED) if len(leveled) else ():
            columns, weights = multiset.columns(part, leveled), multiset.weights[part]
            for counts, cells in zip(found, columns, strict=True):
                numbers = np.nan_to_num(cells).astype(np.intp)
                counts += np.bincount(numbers, weights, minlength=len(counts))
        for j, counts in zip(leveled, found, strict=True):
            size, counts = self.sizes[j], counts[1:]
            some = counts[counts > 0] / max(counts.sum(), 1.0)
            entropies[j] = -(some * np.log(some)).sum()
            of_levels = counts / max(counts.sum(), 1.0)
            for divisor, base in digits_of(size):
                digit = np.arange(size) // divisor % base
                shares.append(np.bincount(digit, of_levels, minlength=base))
        if shares:
            counted.shares = np.concatenate(shares).astype(np.float32)
        return counted, entropies

    def shares_of(self, j):
        """Share of each level (or digit) of a column, ndarray."""
        start = sum(self.n_digits(i) for i in range(j))
        return self.shares[start : start + self.n_digits(j)]
