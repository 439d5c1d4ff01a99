"""A 64-bit hash of each row."""

import numpy as np
import pandas as pd

from .._runtime.arrays import CELLS, slices
from .sparse import SparseTable


def hashes_of(X):
    """A 64-bit hash of each row: over its columns, the sum of mixes of cell and column."""
    n_rows, n_columns = X.shape
    hashes = np.empty(n_rows, dtype=np.uint64)
    factors = scrambled(np.arange(1, n_columns + 1, dtype=np.uint64)) | np.uint64(1)
    if isinstance(X, SparseTable):
        # The mix of zero is zero: what is not stored adds nothing.
        matrix = X.matrix
        ends = np.append(np.uint64(0), np.cumsum(_mixes(matrix.data, factors[matrix.indices])))
        return ends[matrix.indptr[1:]] - ends[matrix.indptr[:-1]]
    for part in slices(n_rows, max(1, CELLS // n_columns)):
        np.add.reduce(_mixes(X[part], factors), axis=1, out=hashes[part])
    return hashes


def draws_of(X, seed):
    """A number in [0, 1) for each row, which no other row changes.

    Equal rows have numbers of their own, by their order.

    Parameters
    ----------
    X : ndarray or SparseTable
    seed : int
        Below 2**64.
    """
    hashes = hashes_of(X)
    earlier = pd.Series(hashes).groupby(hashes).cumcount().to_numpy().astype(np.uint64)
    mixed = scrambled(hashes ^ scrambled(earlier ^ scrambled(np.array([seed], dtype=np.uint64))))
    return (mixed >> np.uint64(11)) * 2.0**-53


def _mixes(cells, factors):
    """Numbers that look random, from cells and the factors of their columns."""
    half, shift = np.uint64(32), np.uint64(29)
    # Adding zero turns -0.0 into 0.0: equal values, equal bits.
    bits = cells.astype(np.float64, order="C")
    bits += 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isnan(bits.sum()):  # one NaN for all
            bits[np.isnan(bits)] = np.nan
    bits = bits.view(np.uint64)
    shifted = bits >> half  # the lower half of a small whole number is empty
    bits ^= shifted
    bits *= factors
    bits ^= np.right_shift(bits, shift, out=shifted)
    return bits


def scrambled(numbers):
    """Numbers that look random, the same each time (the finaliser of Steele et al. 2014)."""
    numbers = numbers * np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
