"""Rows of a table as points, between which distances mean something."""

import numpy as np

from .._scaling.scaler import Scaler
from .._tables.levels import digits_of

FARTHEST = 1e15  # squares of it, summed, are exact enough to compare


class Space:
    """Turns cells into coordinates of which each column has about the same share of distances.

    A number has one coordinate, its scaled value. A category has one for each level (each digit of
    the level's number, where there are many), in units in which two rows drawn at random differ by
    as much as in a number of variance 1; levels that only one training row has are not told apart
    from those of none. Missing cells are where the column's mean is.

    Parameters
    ----------
    scaling : {"standard", "quantile"}
    multiset : Multiset
        The training rows.
    schema : Schema
    names : ndarray of str or None
    seed : int

    Attributes
    ----------
    owner : ndarray of shape (width,), int
        Column of each coordinate.
    """

    def __init__(self, scaling, multiset, schema, names, seed):
        self.columns = Scaler(scaling, multiset, names, seed, levels=schema.levels(multiset.width))
        self.owner, self.digits, self.repeated = [], {}, {}
        levels = self.columns.levels
        shares, start = levels.shares.astype(np.float64), 0
        counts = levels.counts(multiset)
        for j, n_levels in enumerate(levels.sizes):
            if n_levels == 0:
                self.owner.append([j])
                continue
            self.digits[j] = []
            self.repeated[j] = counts[j][1:] > 1
            for divisor, size in digits_of(n_levels):
                share, start = shares[start : start + size], start + size
                unlike = max(float((share * (1 - share)).sum()), 1.0 / multiset.n_draws)
                self.digits[j].append((divisor, size, share, unlike**-0.5))
                self.owner.append([j] * size)
        self.owner = np.concatenate(self.owner).astype(np.intp)
        self.begins = np.flatnonzero(np.diff(self.owner, prepend=-1))

    @property
    def width(self):
        """Number of coordinates."""
        return len(self.owner)

    def points(self, table):
        """Coordinates of rows, ndarray of shape (n, width), float64."""
        cells = np.clip(self.columns.scale(table), -FARTHEST, FARTHEST)
        if not self.digits:
            return np.nan_to_num(cells, copy=False)
        points = np.zeros((len(cells), self.width))
        for j, begin in enumerate(self.begins):
            if j not in self.digits:
                points[:, begin] = np.nan_to_num(cells[:, j])
                continue
            known = np.flatnonzero(~np.isnan(cells[:, j]))
            level = cells[known, j].astype(np.intp) - 1
            repeated = (level >= 0) & self.repeated[j][np.maximum(level, 0)]
            for divisor, size, share, unit in self.digits[j]:
                points[known, begin : begin + size] = -share * unit
                points[known[repeated], begin + level[repeated] // divisor % size] += unit
                begin += size
        return points
