"""By what the cells of each column are measured: a density, or the probability of a value."""

from dataclasses import dataclass, fields

import numpy as np

from .._dataset.sparse import SparseTable
from .._runtime.arrays import CELLS, slices
from .differences import interval_ends
from .grain import grain_of

_ROWS_LOOKED_AT, _CELLS_LOOKED_AT = 2**12, 2**22
_FEWEST_ROWS = 64  # of a larger table, to judge what is repeated
_LOOKED_AT_FIRST = 2**8  # rows, in which most columns without atoms repeat no value
_SMALLEST_ATOM = 1 / 32  # share of the rows
_COPIES = 4  # times as often as other values an atom is there
_MOST_REPEATED = 1.5  # times as often as the rarest, on average, the values beside atoms are there
_PRECISION = 4 * np.finfo(np.float64).eps


class Measure:
    """What a cell stands for when rows are scored, and in which unit its probability counts.

    A cell of a column with a grain stands for the interval of one step around it, whose probability
    is divided by the step: a density per unit of the column, and for whole numbers a probability.
    Cells of other columns have densities, but for atoms: values that many rows share in a column
    that is continuous beside them. An atom has a probability.

    Parameters
    ----------
    scaler : Scaler
    multiset : Multiset
        The training rows.
    likelihoods : sequence of subclasses of Likelihood
        Of each column.

    Notes
    -----
    An atom stands for what is nearer to it than to any other value of fit: for all between its
    neighbours, but for the share of a cell that is there and is not the atom. Neither which values
    are atoms nor anything else depends on how many different values there are.
    """

    def __init__(self, scaler, multiset, likelihoods):
        self._scaler = scaler
        measured = scaler.with_density
        self._step, self.atoms = np.zeros(len(measured)), Atoms.none()
        if scaler.grained and measured.any():
            most = max(1, min(_ROWS_LOOKED_AT, _CELLS_LOOKED_AT // multiset.width))
            sample = multiset.values(multiset.sample(most)).astype(np.float64)
            looked_at, grain = measured, scaler.grain
            if isinstance(multiset.table, SparseTable):
                # Most columns of a wide one are empty in the sample: zeros say nothing.
                looked_at = measured & (sample != 0).any(axis=0)
                grain = grain_of(sample, looked_at)
            self._step = np.where(measured, grain.step, 0.0)
            if len(sample) >= min(_FEWEST_ROWS, multiset.n_draws):
                self.atoms = atoms_of(sample, np.flatnonzero(looked_at & (self._step == 0)))
        # Of which a user asks that each value has a probability.
        self._by_value = np.array([kind.by_ranks for kind in likelihoods]) & measured
        self._ranked = {j: scores for j, scores in scaler.ranked.items() if measured[j]}
        self._gaps = _Gaps(scaler, multiset, self.atoms.without(list(self._ranked)))

    @property
    def steps(self):
        """Step of each column of numbers, counts included; 0 where there is none."""
        scaler = self._scaler
        of_counts = scaler.grain.step if scaler.grained else 0.0
        return np.where(scaler.with_density, self._step, of_counts)

    @property
    def log_step(self):
        """What the log-probability of a step is divided by, its logarithm; 0 for probabilities."""
        dense = (self._step > 0) & ~self._by_value
        return np.where(dense, np.log(np.where(dense, self._step, 1.0)), 0.0)

    def probable(self, j, values, counts):
        """Those of the values of a column without steps that have a probability each.

        Parameters
        ----------
        j : int
        values, counts : ndarray of shape (n_values,)
            The different cells of a sample of rows, and how often each is there.
        """
        return values[counts > 1] if self._by_value[j] else self.atoms.of_column(j)

    def words(self):
        """What is said of the measure of each column, a list of str."""
        scaler = self._scaler
        return [
            self._words_of(j) if dense else "none: constant in fit" if constant else "probability"
            for j, (dense, constant) in enumerate(
                zip(scaler.with_density, scaler.constant, strict=True)
            )
        ]

    def _words_of(self, j):
        if self._by_value[j]:
            every = self._step[j] or (self._ranked[j].high > self._ranked[j].low).all()
            return "probability" if every else "density, probability of repeated values"
        values = self.atoms.of_column(j)
        at = ", ".join(f"{value:.6g}" for value in values)
        return f"density, probability at {at}" if len(values) else "density"

    def of(self, X, scaled):
        """The intervals that cells stand for, and what is added to their logarithms.

        Parameters
        ----------
        X : ndarray of shape (n, n_features)
            Cells of the table.
        scaled : ndarray of shape (n, n_features)
            The same, scaled.

        Returns
        -------
        lower, upper : ndarray of shape (n, n_features)
            Scaled ends of the intervals; NaN for cells that have a density.
        log_unit : ndarray of shape (n, n_features)
            Added to a log-probability of the interval, or to the log-density of the scaled cell, it
            gives the logarithm of what is measured. 0 for missing cells.
        """
        lower, upper = np.full((2, *scaled.shape), np.nan)
        log_unit = np.array(np.broadcast_to(self._scaler.log_slope(X), scaled.shape))
        grained = np.flatnonzero(self._step)
        if len(grained):
            self._add_steps(X, scaled, grained, lower, upper, log_unit)
        for j, scores in self._ranked.items():
            if not self._step[j]:
                probable = None if self._by_value[j] else self.atoms.of_column(j)
                ends = scores.measured(X[:, j].astype(np.float64), probable)
                lower[:, j], upper[:, j] = ends[:2]
                log_unit[:, j] = np.where(np.isnan(ends[0]), log_unit[:, j], ends[2])
        self._gaps.add(X, lower, upper, log_unit)
        log_unit[np.isnan(scaled)] = 0.0
        return lower, upper, log_unit

    def _add_steps(self, X, scaled, which, lower, upper, log_unit):
        step, ends = self._step[which], interval_ends(self._scaler, X, scaled, self._step)
        low, high = (end[:, which] for end in ends)
        with np.errstate(over="ignore", invalid="ignore"):
            # Where a scaling is flat, or a cell so far that no float64 tells its ends apart.
            least = 1e-3 * np.exp(log_unit[:, which]) * step
            for place, j in enumerate(which):
                if j in self._ranked:
                    scores, cells = self._ranked[j], X[:, j].astype(np.float64)
                    low[:, place], high[:, place] = scores.around(cells, step[place])
                    least[:, place] = scores.least_slope * step[place]
            least = np.maximum(least, _PRECISION * np.abs(scaled[:, which]))
            high = np.maximum(high, low + least)
        lower[:, which], upper[:, which] = low, high
        log_unit[:, which] = np.where(self._by_value[which], 0.0, -np.log(step))


@dataclass(frozen=True)
class Atoms:
    """Values that many rows share, of columns that are continuous beside them.

    Attributes
    ----------
    columns : ndarray of shape (n_atoms,), int
    values, below, above : ndarray of shape (n_atoms,)
        The values, and the next ones that rows have on either side.
    log_rest : ndarray of shape (n_atoms,)
        Logarithm of the share of a cell between the neighbours that is not the atom, by the rule of
        succession.
    """

    columns: np.ndarray
    values: np.ndarray
    below: np.ndarray
    above: np.ndarray
    log_rest: np.ndarray

    @classmethod
    def none(cls):
        """No column has any."""
        return cls(np.zeros(0, dtype=np.intp), *np.zeros((4, 0)))

    def of_column(self, j):
        """The values of one column."""
        return self.values[self.columns == j]

    def without(self, columns):
        """Those of other columns."""
        kept = ~np.isin(self.columns, columns)
        return Atoms(*(getattr(self, name.name)[kept] for name in fields(self)))


def atoms_of(sample, which):
    """The :class:`Atoms` of these columns of a sample of rows, in which NaN is a missing cell."""
    first = np.sort(sample[:_LOOKED_AT_FIRST, which], axis=0)
    found = []
    for j in which[(first[1:] == first[:-1]).any(axis=0)]:
        cells = sample[~np.isnan(sample[:, j]), j]
        different, counts = np.unique(cells, return_counts=True)
        rest = counts < _SMALLEST_ATOM * len(cells)
        # Rows that are there several times are no reason to call a value repeated.
        copies = counts[rest].min() if rest.any() else 0
        if rest.sum() < 2 or counts[rest].mean() > _MOST_REPEATED * copies:
            continue
        at = np.flatnonzero(~rest & (counts >= _COPIES * copies))
        around = np.concatenate([[-np.inf], different, [np.inf]])
        log_rest = -np.log(counts[at] + 2.0)
        found.append([np.full(len(at), j), different[at], around[at], around[at + 2], log_rest])
    if not found:
        return Atoms.none()
    return Atoms(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


class _Gaps:
    """The scaled ends of what atoms stand for, where columns are not scaled by ranks."""

    def __init__(self, scaler, multiset, atoms):
        self.atoms = atoms
        columns, numbers = atoms.columns, np.arange(len(atoms.columns))
        ends, row = [], multiset.values(slice(0, 1)).astype(np.float64)
        for side in (atoms.below, atoms.above):
            scaled = np.empty(len(side))
            for part in slices(len(side), max(1, CELLS // multiset.width)):
                rows = np.repeat(row, len(side[part]), axis=0)
                cells = np.where(np.isinf(side), atoms.values, side)[part]
                rows[numbers[: len(rows)], columns[part]] = cells
                scaled[part] = scaler.scale(rows)[numbers[: len(rows)], columns[part]]
            ends.append(scaled)
        rising = np.where(ends[1] >= ends[0], 1.0, -1.0)
        ends = [
            np.where(np.isinf(side), np.copysign(np.inf, side * rising), end)
            for side, end in zip((atoms.below, atoms.above), ends, strict=True)
        ]
        self.lower, self.upper = np.minimum(*ends), np.maximum(*ends)

    def add(self, X, lower, upper, log_unit):
        """Write into what :meth:`Measure.of` gives."""
        atoms = self.atoms
        if not len(atoms.columns):
            return
        cells = X[:, atoms.columns]
        beside = (cells > atoms.below) & (cells < atoms.above) & (cells != atoms.values)
        rows, places = np.nonzero(beside)
        np.add.at(log_unit, (rows, atoms.columns[places]), atoms.log_rest[places])
        rows, places = np.nonzero(cells == atoms.values)
        at = rows, atoms.columns[places]
        lower[at], upper[at] = self.lower[places], self.upper[places]
        log_unit[at] = np.log1p(-np.exp(atoms.log_rest[places]))
