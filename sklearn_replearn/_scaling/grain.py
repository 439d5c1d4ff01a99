"""The step of a column: prices have two decimals, dates are days, a dose comes in fives."""

from dataclasses import dataclass

import numpy as np

_DECIMALS = range(-13, 10)
_LOOKED_AT_FIRST = 16  # rows, which rule out most columns that have no step
_UNITS = 4  # of rounding, by which a cell may be off
_LARGEST_TOLERANCE = 0.25
_LARGEST_CHANCE = 1e-6


@dataclass(frozen=True)
class Grain:
    """Cells of a column are ``origin`` plus multiples of ``step``, where it has one.

    Attributes
    ----------
    step : ndarray of shape (n_features,), float64
        In units of the column; 0 where there is none.
    origin : ndarray of shape (n_features,), float64
    decimals : ndarray of shape (n_features,), int
        Digits behind the point of all cells.
    """

    step: np.ndarray
    origin: np.ndarray
    decimals: np.ndarray

    @classmethod
    def of_whole(cls, whole):
        """That of columns of whole numbers; others have none."""
        nothing = np.zeros(len(whole))
        return cls(whole.astype(np.float64), nothing, nothing.astype(np.int8))

    def __getstate__(self):
        # Most columns have none: stored are those that do.
        which = np.flatnonzero(self.step)
        return len(self.step), which, self.step[which], self.origin[which], self.decimals[which]

    def __setstate__(self, state):
        n_features, which, *found = state
        for name, values in zip(("step", "origin", "decimals"), found, strict=True):
            whole = np.zeros(n_features, dtype=values.dtype)
            whole[which] = values
            object.__setattr__(self, name, whole)

    def snapped(self, X):
        """A copy of a table in original units, its cells at the nearest multiples."""
        X = np.array(X, dtype=np.float64)
        for j in np.flatnonzero(self.step):
            cells = (
                self.origin[j] + np.rint((X[:, j] - self.origin[j]) / self.step[j]) * self.step[j]
            )
            X[:, j] = np.round(cells, self.decimals[j])
        return X


def grain_of(sample, which):
    """The grain of these columns of a sample of rows.

    Parameters
    ----------
    sample : ndarray of shape (n_rows, n_features), float64
        NaN where cells are missing.
    which : ndarray of shape (n_features,), bool
        Columns that are looked at; others have none.

    Notes
    -----
    The step is the greatest common divisor of the differences of the cells, in units of the last
    decimal that any of them has. A column of one value has none; of two values it is their
    difference.
    """
    n_features = sample.shape[1]
    step, origin = np.zeros((2, n_features))
    decimals = np.zeros(n_features, dtype=np.int8)
    candidates = np.flatnonzero(which)
    candidates = candidates[_any_decimals(sample[:_LOOKED_AT_FIRST, candidates])]
    for j in candidates:
        cells = np.unique(sample[~np.isnan(sample[:, j]), j])
        if len(cells) > 1:
            step[j], decimals[j] = _step_of(cells)
            origin[j] = cells[0] if step[j] else 0.0
    return Grain(step, origin, decimals)


def _any_decimals(cells):
    """Whether the cells of each column are multiples of some power of ten."""
    found, precision = np.zeros(cells.shape[1], dtype=bool), _precision(cells)
    for digits in _DECIMALS:
        found |= _multiples(cells, digits, precision)[0]
    return found


def _step_of(cells):
    """Greatest common step of different cells, and how many decimals they have; 0, 0 if none."""
    column = cells[:, None]
    precision = _precision(column)
    for digits in _DECIMALS:
        found, units, chance = _multiples(column, digits, precision)
        if found[0]:
            if chance[0] > _LARGEST_CHANCE:
                break
            units = units[:, 0].astype(np.int64)
            return float(np.gcd.reduce(units - units[0])) * 10.0**-digits, digits
    return 0.0, 0


def _precision(cells):
    """Relative precision of the cells of each column: that of float32 where all are such."""
    with np.errstate(over="ignore", invalid="ignore"):
        single = np.all((cells.astype(np.float32) == cells) | np.isnan(cells), axis=0)
    return np.where(single, np.finfo(np.float32).eps, np.finfo(np.float64).eps)


def _multiples(cells, digits, precision):
    """Which columns are multiples of a power of ten, how many, and how probable that is by chance.

    By chance: of cells that are anywhere, as many as there are, within the tolerance.
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
        scaled = np.nan_to_num(cells * 10.0**digits, posinf=np.inf, neginf=-np.inf)
        tolerance = _UNITS * precision * np.abs(scaled)
        units = np.rint(scaled)
        near = (np.abs(scaled - units) <= tolerance) & (tolerance < _LARGEST_TOLERANCE)
        near &= (units != 0) | (cells == 0) | np.isnan(cells)
        chance = np.where(units == 0, 1.0, 2 * tolerance).prod(axis=0)
    return near.all(axis=0), units, chance
