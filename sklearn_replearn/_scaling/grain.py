"""The step of a column: prices have two decimals, dates are days, a dose comes in fives."""

from dataclasses import dataclass

import numpy as np

_DECIMALS = range(-13, 10)
_LOOKED_AT_FIRST = 16  # rows, which rule out most columns that have no step
_UNITS = 4  # of rounding, by which a cell may be off
_LARGEST_TOLERANCE = 0.25
_LARGEST_CHANCE = 1e-6
_CELLS_AT_ONCE = 2**20


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
        stepped = self.step > 0
        for digits in np.unique(self.decimals[stepped]):
            which = np.flatnonzero(stepped & (self.decimals == digits))
            step, origin = self.step[which], self.origin[which]
            cells = origin + np.rint((X[:, which] - origin) / step) * step
            X[:, which] = np.round(cells, digits)
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
    left = np.flatnonzero(which)
    # Whole numbers and halves are exact, also in float32, whose tolerance is too large for many.
    for precision in (np.finfo(np.float64).eps, np.finfo(np.float32).eps):
        if precision > 1e-10:
            left = left[_of_float32(sample[:, left])]
        for some in np.array_split(left, max(1, sample[:, left].size // _CELLS_AT_ONCE)):
            found = _steps_of(sample[:, some], precision)
            step[some], origin[some], decimals[some] = found
        left = left[step[left] == 0]
    return Grain(step, origin, decimals)


def _steps_of(sample, precision):
    """Greatest common steps, origins and decimals of columns; 0 where there are none."""
    step, origin = np.zeros((2, sample.shape[1]))
    decimals = np.zeros(sample.shape[1], dtype=np.int8)
    first = sample[:_LOOKED_AT_FIRST]
    maybe = {digits: _multiples(first, digits, precision)[0] for digits in _DECIMALS}
    left = np.flatnonzero(np.any(list(maybe.values()), axis=0))
    cells = _different(sample[:, left])
    varies = (~np.isnan(cells)).sum(axis=0) > 1
    left, cells = left[varies], cells[:, varies]
    for digits in _DECIMALS:
        those = np.flatnonzero(maybe[digits][left])
        if not len(those):
            continue
        found, units, chance = _multiples(cells[:, those], digits, precision)
        those, units, chance = those[found], units[:, found], chance[found]
        gaps = np.where(np.isnan(units), 0, units - units[0]).astype(np.int64)
        steps = np.gcd.reduce(gaps, axis=0) * 10.0**-digits
        steps[chance > _LARGEST_CHANCE] = 0.0
        columns, there = left[those], steps > 0
        step[columns] = steps
        origin[columns[there]] = cells[0, those[there]]
        decimals[columns[there]] = digits
        kept = np.ones(len(left), dtype=bool)
        kept[those] = False
        left, cells = left[kept], cells[:, kept]
    return step, origin, decimals


def _different(sample):
    """The different cells of each column in ascending order, NaN in place of repeated ones."""
    cells = np.sort(sample, axis=0)
    cells[1:][cells[1:] == cells[:-1]] = np.nan
    return cells


def _of_float32(sample):
    """Columns whose cells are all such of float32, ndarray of shape (n_columns,), bool."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.all((sample.astype(np.float32) == sample) | np.isnan(sample), axis=0)


def _multiples(cells, digits, precision):
    """Which columns are multiples of a power of ten, how many, and how probable that is by chance.

    By chance: of cells that are anywhere, as many as there are, within the tolerance.
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
        scaled = cells * 10.0**digits
        tolerance = _UNITS * precision * np.abs(scaled)
        units = np.rint(scaled)
        near = (np.abs(scaled - units) <= tolerance) & (tolerance < _LARGEST_TOLERANCE)
        near = (near & ((units != 0) | (cells == 0))) | np.isnan(cells)
        chance = np.where((units == 0) | np.isnan(cells), 1.0, 2 * tolerance).prod(axis=0)
    return near.all(axis=0), units, chance
