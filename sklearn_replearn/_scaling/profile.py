"""What the columns of a table are like."""

import numpy as np

from .._dataset.sparse import SparseTable
from .grain import Grain, grain_of

_ROWS_LOOKED_AT, _CELLS_LOOKED_AT = 2**12, 2**22
# Kurtosis of a normal column is 3.
_HEAVY, _MOST_ALIKE = 13.0, 0.5
# Of a table of counts as a Poisson distribution has them: columns, the share of all that may be
# counts and that are for certain, share of zeros, variance by mean (which ratings fall below, and
# intensities exceed), and a count that is no rating.
_COUNTED, _SHARES, _ZEROS, _DISPERSION, _LARGEST_RATING = 10, (0.8, 0.5), 0.3, (0.9, 3.0), 4
# Beyond 2 to this power, or below its inverse, the fourth power of a deviation has no float.
_FAR = 200


class Profile:
    """What is found in the columns of training rows.

    Ranges and moments are those of all rows; what the cells are like is seen on a sample of at most
    4,096, but for a sparse table, of which all stored cells are looked at for whole numbers.

    Parameters
    ----------
    multiset : Multiset
    levels : Levels

    Attributes
    ----------
    numbers : ndarray of shape (n_features,), bool
        Columns that are no categories.
    low, high, mean, deviation : ndarray of shape (n_features,), float64
        0 where all cells are missing.
    unit : ndarray of shape (n_features,), float64
        A power of two near the width of the range of a column, which can be divided by exactly.
    missing, empty : ndarray of shape (n_features,), bool
        Columns with missing cells, and with none but such.
    constant : ndarray of shape (n_features,), bool
        Columns of numbers that held one value only, up to rounding; empty ones too.
    rounding : ndarray of shape (n_features,), float64
        What counts as rounding.
    whole, zero_one : ndarray of shape (n_features,), bool
        Columns of whole numbers, and of 0 and 1.
    grain : Grain
        Steps of the columns of numbers.
    common : ndarray of shape (n_features,), bool
        Columns of numbers, beside categories, of which most rows have one value.
    heavy : ndarray of shape (n_features,), bool
        Columns whose few largest cells are most of their variance, so that a mean and a deviation
        describe them badly; but not where most rows have one value, where ranks say little else
        than whether it is there.
    small_counts : bool
        Whether nearly all columns hold small counts, most of them 0, in a table that is not sparse.
    sparse : bool
        Whether the table is sparse.
    """

    def __init__(self, multiset, levels):
        self._multiset, self.levels, self.numbers = multiset, levels, levels.numbers
        self.sparse = isinstance(multiset.table, SparseTable)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found = multiset.moments(multiset.values)
            self.missing, self.empty = found.missing, np.isnan(found.low) & self.numbers
            self.unit = unit_of(np.nan_to_num(found.low), np.nan_to_num(found.high))
            mean, deviation, units = found.mean, np.sqrt(found.variance), 1.0
            if (np.abs(np.log2(self.unit)) > _FAR).any():
                units = np.where(np.abs(np.log2(self.unit)) > _FAR, self.unit, 1.0)
                scaled = multiset.moments(lambda part: multiset.values(part) / units)
                mean, deviation = scaled.mean * units, np.sqrt(scaled.variance) * units
            moments = found.low, found.high, mean, deviation
            self.low, self.high, self.mean, self.deviation = (
                np.where(np.isnan(found.low), 0.0, moment) for moment in moments
            )
            # Equal up to rounding, such as 0.3 and 0.1 + 0.2.
            largest = np.maximum(np.abs(self.low), np.abs(self.high))
            self.rounding = 4 * np.finfo(np.float64).eps * largest
            alike = self.high - self.low <= self.rounding
            self.constant = alike & self.numbers
            most = min(_ROWS_LOOKED_AT, max(1, _CELLS_LOOKED_AT // multiset.width))
            self._look(multiset.values(multiset.sample(most)).astype(np.float64), units)

    def _look(self, sample, units):
        known = ~np.isnan(sample)
        self.whole = np.all((sample == np.rint(sample)) | ~known, axis=0) & self.numbers
        if self.sparse:
            self.whole = self._multiset.table.of_whole_numbers()
            self.grain = Grain.of_whole(self.whole)
        else:
            self.grain = grain_of(sample, self.numbers)
        self.zero_one = self.whole & (self.low == 0) & (self.high == 1)
        sample, n_known = sample / units, np.maximum(known.sum(axis=0), 1)
        cells = np.where(known, sample, 0.0)
        squares = np.where(known, np.square(cells - cells.sum(axis=0) / n_known), 0.0)
        kurtosis = np.square(squares).sum(axis=0) * n_known / squares.sum(axis=0) ** 2
        self.small_counts = not self.sparse and self._of_small_counts(sample)
        mixed = not self.numbers.all()
        self.common, self.heavy = np.zeros((2, len(known.T)), dtype=bool)
        for j in np.flatnonzero(self.numbers & ~self.constant & (mixed | (kurtosis > _HEAVY))):
            counts = np.unique(sample[known[:, j], j], return_counts=True)[1]
            most_alike = len(counts) > 0 and counts.max() > _MOST_ALIKE * counts.sum()
            self.common[j] = mixed and most_alike and not self.zero_one[j]
            self.heavy[j] = not most_alike and kurtosis[j] > _HEAVY

    def _of_small_counts(self, sample):
        maybe = self.whole & (self.low == 0) & (self.high > 0)
        counted = maybe & (self.high > 1)
        enough = maybe.mean() >= _SHARES[0] and counted.mean() >= _SHARES[1]
        if counted.sum() < _COUNTED or not enough:
            return False
        cells = sample[:, counted]
        least, most = _DISPERSION
        dispersion = np.nanmedian(np.nanvar(cells, axis=0) / self.mean[counted])
        of_zeros = np.mean(cells == 0) >= _ZEROS
        return bool(
            least <= dispersion <= most and of_zeros and self.high[counted].max() > _LARGEST_RATING
        )

    @property
    def fits_float32(self):
        """Whether float32 has room for the numbers of all columns."""
        largest = np.maximum(np.abs(self.low), np.abs(self.high))[self.numbers & ~self.empty]
        return bool(np.all((largest == 0) | ((largest > 1e-30) & (largest < 1e37))))

    @property
    def counts(self):
        """Columns of a sparse table that hold counts, ndarray of shape (n_features,), bool."""
        counts = self.whole & (self.low >= 0) & self.sparse
        # A word that no text has twice is a count all the same; but not where no word is.
        return counts & (self.high[counts] > 1).any()

    def rarity(self, counted):
        """Smoothed inverse document frequency of these columns of a sparse table, 0 for others."""
        multiset, n = self._multiset, self._multiset.total
        stored = multiset.table.n_stored(multiset.numbers, multiset.weights)
        return np.where(counted, 1 + np.log((1 + n) / (1 + stored)), 0.0).astype(np.float32)

    def outside(self, which, support):
        """Those of these columns of numbers that hold a cell which a support does not take."""
        wrong = (self.low[which] < support.low) | (self.high[which] > support.high)
        if support.whole:
            whole = self.whole[which]
            for part in () if self.sparse else self._multiset.parts():
                cells = self._multiset.values(part)[:, which]
                whole &= ((cells == np.rint(cells)) | np.isnan(cells)).all(axis=0)
            wrong |= ~whole
        return which[wrong]

    def by_ranks(self, beside):
        """Columns that are best scaled by their ranks, ndarray of shape (n_features,), bool.

        Heavy-tailed ones; and of those ``beside`` categories all numbers, so that values which many
        rows have get a probability; but for those of which most rows have one value.
        """
        beside = beside & (not self.numbers.all())
        return (self.heavy | (beside & ~self.zero_one & ~self.common)) & self.numbers


def unit_of(low, high):
    """A power of two near the width of each range, 1 where it has none."""
    width = np.where(high > low, 0.5 * high - 0.5 * low, 0.5)
    return np.ldexp(1.0, np.clip(np.frexp(width)[1], -1000, 1000))
