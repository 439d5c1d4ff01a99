"""Cells as symbols: levels, values that many rows share, and the rest of a column of numbers."""

from dataclasses import dataclass

import numpy as np
import torch

from .._tables.levels import UNSEEN, digits_of

_MOST_ATOMS = 128  # values of a column with steps that are told one by one
_MOST_ROWS, _FREQUENT = 0.9, 0.01  # share of the rows that have one of them; that have it
_FEWEST_ROWS = 5  # that share a value which is told by itself: it is no one's own
ABSENT = -1  # the symbol of a cell of which nothing is known


@dataclass(frozen=True)
class LevelSlot:
    """A digit of the number of a level; most columns of categories have one.

    Attributes
    ----------
    column, divisor, size : int
        The symbol is ``(level - 1) // divisor % size``.
    n_levels : int
    missing : bool
        Whether one more symbol, the last, says that the cell is missing.
    leading : bool
        Whether it is the first digit.
    """

    column: int
    divisor: int
    size: int
    n_levels: int
    missing: bool
    leading: bool

    rest = False

    @property
    def n_symbols(self):
        """With that of missing cells."""
        return self.size + self.missing

    def possible(self, cells):
        """Which digits make a level, given the levels told so far, (n, size), bool.

        Parameters
        ----------
        cells : ndarray of shape (n,)
            Levels, or the least one of a leading digit; NaN for none.
        """
        digits = np.arange(self.size)
        if self.leading:
            return np.ones((len(cells), self.size), dtype=bool)
        before = np.where(np.isnan(cells), 0, np.maximum(cells - 1, 0)).astype(np.int64)
        before -= before % self.size
        return before[:, None] + digits < self.n_levels

    def symbols(self, cells):
        """Of cells in original units, ndarray of int."""
        gone = np.isnan(cells)
        code = np.where(gone, UNSEEN, cells).astype(np.int64) - 1
        symbols = np.where(code < 0, ABSENT, code // self.divisor % self.size)
        return np.where(gone & self.missing, self.size, symbols)


@dataclass(frozen=True)
class NumberSlot:
    """A number: one of some values (atoms), or any other.

    Attributes
    ----------
    column : int
    atoms : ndarray of shape (n_atoms,), float64, ascending
        In original units.
    step : float
        0 for a column without steps.
    rest : bool
        Whether it may be something else than an atom, which is the symbol behind those of atoms.
    missing : bool
        See :class:`LevelSlot`.
    widths : ndarray of shape (n_atoms,) or None
        Of what each atom stands for, half of it on either side, where atoms have densities.
    """

    column: int
    atoms: np.ndarray
    step: float
    rest: bool
    missing: bool
    widths: np.ndarray | None = None

    @property
    def size(self):
        """Symbols of cells that are there."""
        return len(self.atoms) + self.rest

    @property
    def n_symbols(self):
        """With that of missing cells."""
        return self.size + self.missing

    def symbols(self, cells):
        """Of cells in original units, ndarray of int."""
        gone = np.isnan(cells)
        symbols = np.full(len(cells), self.size - 1)
        if len(self.atoms):
            known = np.where(gone, self.atoms[0], cells)
            place = np.searchsorted(self.atoms, known).clip(max=len(self.atoms) - 1)
            before = (place - 1).clip(min=0)
            closer = np.abs(self.atoms[before] - known) < np.abs(self.atoms[place] - known)
            nearest = np.where(closer, before, place)
            within = 0.25 * self.step if self.widths is None else 0.5 * self.widths[nearest]
            at = np.abs(self.atoms[nearest] - known) <= within
            symbols = np.where(at | (not self.rest), nearest, symbols)
        return np.where(gone, self.size if self.missing else ABSENT, symbols)


@dataclass(frozen=True)
class Slots:
    """What a masked network tells of a row, one slot after the other.

    Attributes
    ----------
    slots : list of LevelSlot or NumberSlot
        In the order in which they are told.
    """

    slots: list

    def __len__(self):
        return len(self.slots)

    @property
    def sizes(self):
        """Symbols of each slot, list of int."""
        return [slot.n_symbols for slot in self.slots]

    @property
    def numbers(self):
        """Numbers of the slots that hold numbers with a rest."""
        return [s for s, slot in enumerate(self.slots) if slot.rest]

    @property
    def columns_of_numbers(self):
        """Columns of the slots :attr:`numbers`."""
        return [self.slots[s].column for s in self.numbers]

    def symbols(self, values):
        """Symbols of rows in original units, Tensor of shape (n, n_slots), int64."""
        columns = [slot.symbols(values[:, slot.column]) for slot in self.slots]
        symbols = np.stack(columns, axis=1) if columns else np.zeros((len(values), 0), np.int64)
        return torch.from_numpy(symbols)


def slots_of(values, scaled, scaler, measure, as_given):
    """The :class:`Slots` of a table.

    Categories come first, those with the least entropy before others; then numbers, those that the
    other numbers tell least about before others. So the order does not depend on that of a user.

    Parameters
    ----------
    values, scaled : ndarray of shape (n, n_features), float64
        Training rows in original units and scaled.
    scaler : Scaler
    measure : Measure
        Says which values of columns without steps have a probability.
    as_given : ndarray of shape (n_features,), bool
        Columns that are scaled to [0, 1] at most, which are told as the ends of that.
    """
    told = ~scaler.constant & ~scaler.idle
    categories = np.flatnonzero(told & ~scaler.numbers)
    entropy = scaler.spread[categories]
    slots = []
    for j in categories[np.argsort(entropy, kind="stable")]:
        n_levels, missing = int(scaler.levels.sizes[j]), bool(scaler.missing[j])
        for k, (divisor, size) in enumerate(digits_of(n_levels)):
            slots.append(LevelSlot(int(j), divisor, size, n_levels, missing and k == 0, k == 0))
    numbers = np.flatnonzero(told & scaler.numbers)
    unit = np.stack([np.zeros(scaled.shape[1]), np.ones(scaled.shape[1])])
    ends = np.sort(scaler.unscale(unit), axis=0)
    for j in numbers[_least_told_first(scaled[:, numbers])]:
        slots.append(
            _number_slot(
                int(j),
                values[:, j],
                scaler.missing[j],
                measure,
                ends[:, j] if as_given[j] else None,
            )
        )
    return Slots(slots)


def _number_slot(j, cells, missing, measure, ends):
    cells, missing = cells[~np.isnan(cells)], bool(missing)
    different, counts = np.unique(cells, return_counts=True)
    if ends is not None:
        return NumberSlot(j, ends, 0.0, False, missing)
    step = float(measure.steps[j])
    if step:
        return NumberSlot(j, _common(different, counts), step, True, missing)
    atoms = measure.probable(j, different, counts)
    if len(atoms) or not _few(different, counts):
        return NumberSlot(j, atoms, step, True, missing)
    # Values that stand for all that is nearer to them than to others.
    gaps = np.diff(different)
    widths = np.minimum(np.append(gaps[:1], gaps), np.append(gaps, gaps[-1:]))
    return NumberSlot(j, different, step, True, missing, widths)


def _few(values, counts):
    """Whether a column has but few values, each of several rows."""
    n_rows = counts.sum()
    some = counts >= min(_FEWEST_ROWS, n_rows / 2)
    return 1 < len(values) <= _MOST_ATOMS and counts[some].sum() >= _MOST_ROWS * n_rows


def _common(values, counts):
    """Values that are told one by one: all that several rows have, or only frequent ones."""
    n_rows = counts.sum()
    common = counts >= min(_FEWEST_ROWS, n_rows / 2)
    if common.sum() > _MOST_ATOMS or counts[common].sum() < _MOST_ROWS * n_rows:
        common &= counts >= _FREQUENT * n_rows
    return values[common]


def _least_told_first(scaled):
    """Order of columns of numbers, by the share of their variance that the others do not tell."""
    if scaled.shape[1] < 2:
        return np.arange(scaled.shape[1])
    known = ~np.isnan(scaled)
    mean = np.where(known, scaled, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    cells = np.where(known, scaled, mean) - mean
    deviation = np.maximum(np.sqrt(np.einsum("ij,ij->j", cells, cells)), 1e-12)
    correlation = np.einsum("ij,ik->jk", cells / deviation, cells / deviation)
    correlation[np.diag_indices_from(correlation)] += 1e-6
    left = 1 / np.diag(np.linalg.inv(correlation))
    return np.argsort(-np.round(left, 6), kind="stable")
