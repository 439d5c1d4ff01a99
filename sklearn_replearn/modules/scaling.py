"""Scaling of columns as modules: raw numbers to scaled cells, and back."""

import numpy as np
import torch
from torch import nn

from .._scaling.scaler import Scaler

_FARTHEST = 1e140


def _farthest(dtype):
    """Beyond that nothing can be computed with in this precision."""
    return min(_FARTHEST, torch.finfo(dtype).max)


class ScaledCells(nn.Module):
    """Rows of numbers to scaled cells, limited beyond the range of fit as an encoder sees them.

    The same as :meth:`Scaler.scale` and :meth:`Scaler.limit`, in the precision of the buffers, with
    a gradient everywhere: 0 where a cell is missing or has a value that many rows have.

    Parameters
    ----------
    scaler : Scaler

    Raises
    ------
    ValueError
        If columns are scaled by what no module computes.
    """

    def __init__(self, scaler):
        super().__init__()
        reject_foreign(scaler)
        n_features = len(scaler.low)
        rounding, rest, never = (
            np.full(n_features, -1.0),
            np.zeros(n_features),
            scaler.constant & False,
        )
        rounding[scaler.constant], rest[scaler.idle] = scaler.rounding, scaler.resting
        never[scaler.constant] = np.isnan(scaler.fixed)
        _keep(self, shift=scaler.shift, factor=scaler.factor, rounding=rounding, rest=rest)
        _keep(self, low=scaler.low, high=scaler.high, never=never, counted=scaler.counted)
        self.ranks = Scores(scaler.ranked) if scaler.ranked else None
        _keep(self, after_ranks=_places(scaler))

    def forward(self, rows):
        """Return scaled cells, Tensor of shape (n, n_features); NaN where one is missing."""
        return self.both(rows)[1]

    def both(self, rows):
        """Scaled cells as they are, and limited."""
        rows = rows.to(self.shift.dtype)
        missing = rows.isnan()
        # Gradients of what is computed with NaN are NaN, also where it is not chosen.
        rows = torch.where(missing, self.shift, rows)
        cells = (rows - self.shift) * self.factor
        if self.counted is not None:
            cells = torch.where(self.counted, cells.clamp_min(0.0).log1p(), cells)
        if self.ranks is not None:
            scores = self.ranks(rows)
            cells = torch.cat([cells, scores], dim=1).index_select(1, self.after_ranks)
        cells = torch.where(cells.abs() <= self.rounding, 0.0, cells) - self.rest
        farthest = _farthest(cells.dtype)
        cells = cells.clamp(-farthest, farthest)
        inside = torch.maximum(torch.minimum(cells, self.high), self.low)
        beyond = cells - inside
        limited = inside + beyond.sign() * beyond.abs().log1p()
        missing = missing | self.never
        return tuple(torch.where(missing, torch.nan, values) for values in (cells, limited))


class UnscaledCells(nn.Module):
    """Scaled cells to numbers in original units, the same as :meth:`Scaler.unscale`.

    Parameters
    ----------
    scaler : Scaler

    Raises
    ------
    ValueError
        If columns are scaled by what no module computes.
    """

    def __init__(self, scaler):
        super().__init__()
        reject_foreign(scaler)
        rest, fixed = np.zeros((2, len(scaler.low)))
        rest[scaler.idle], fixed[scaler.constant] = scaler.resting, scaler.fixed
        _keep(self, shift=scaler.shift, factor=scaler.factor, rest=rest, fixed=fixed)
        _keep(self, constant=scaler.constant, counted=scaler.counted)
        self.ranks = ValuesOfScores(scaler.ranked) if scaler.ranked else None
        _keep(self, after_ranks=_places(scaler))

    def forward(self, cells):
        """Return rows, Tensor of shape (n, n_features)."""
        cells = cells.to(self.shift.dtype)
        farthest = _farthest(cells.dtype)
        rows = (cells + self.rest).clamp(-farthest, farthest) / self.factor + self.shift
        if self.ranks is not None:
            values = self.ranks(cells)
            rows = torch.cat([rows, values], dim=1).index_select(1, self.after_ranks)
        if self.counted is not None:
            rows = torch.where(self.counted, cells.expm1(), rows)
        return torch.where(self.constant, self.fixed, rows)


class OnSteps(nn.Module):
    """Numbers in original units on the steps that columns have, as :meth:`Scaler.on_steps`.

    Parameters
    ----------
    scaler : Scaler
    """

    def __init__(self, scaler):
        super().__init__()
        grain = scaler.grain
        stepped, power = grain.step > 0, 10.0 ** np.abs(grain.decimals.astype(np.float64))
        if type(scaler).on_steps is not Scaler.on_steps:  # those of arrays have none
            stepped = np.zeros_like(stepped)
        _keep(self, stepped=stepped, step=np.where(stepped, grain.step, 1.0), power=power)
        _keep(self, origin=grain.origin, fine=grain.decimals >= 0, whole=scaler.whole)

    def forward(self, rows):
        """Return rows, Tensor of shape (n, n_features)."""
        cells = self.origin + ((rows - self.origin) / self.step).round() * self.step
        fine, coarse = (cells * self.power).round() / self.power, (cells / self.power).round()
        cells = torch.where(self.fine, fine, coarse * self.power)
        rows = torch.where(self.stepped, cells, rows)
        return torch.where(self.whole, rows.round(), rows)


class _Lines(nn.Module):
    """Lines between points, of some columns each their own.

    A column has its points, and behind them one at infinity, so that each number is between two.
    """

    def __init__(self, columns):
        super().__init__()
        _keep(self, columns=np.array(columns, dtype=np.int64))

    def points(self, columns, fill=None):
        """Arrays of several lengths side by side, filled up to one more than the longest."""
        length = 1 + max(map(len, columns))
        fills = [column[-1] if fill is None else fill for column in columns]
        return np.stack(
            [
                np.append(column, np.full(length - len(column), last, column.dtype))
                for column, last in zip(columns, fills, strict=True)
            ],
            axis=1,
        )

    def place(self, values, points):
        """Number of the last of the points that is no larger, Tensor of shape (n, n_columns)."""
        return ((values[:, None] >= points).sum(1) - 1).clamp_min(0)


class Scores(_Lines):
    """Normal scores of the columns scaled by their ranks, see :meth:`NormalScores.forward`."""

    def __init__(self, ranked):
        super().__init__(list(ranked))
        scores = list(ranked.values())
        knots = [column.knots.astype(np.float64) for column in scores]
        low, high, middle = zip(*(column.of_knots() for column in scores), strict=True)
        atoms = [column.high > column.low for column in scores]
        _keep(self, knots=self.points(knots, np.inf), atoms=self.points(atoms, False))
        _keep(self, low=self.points(low), high=self.points(high), middle=self.points(middle))
        ends = np.stack([[knot[0], knot[-1]] for knot in knots], axis=1)
        of_ends = np.stack([[score[0], score[-1]] for score in middle], axis=1)
        units = np.array([column.unit for column in scores])
        _keep(self, ends=ends, of_ends=of_ends, units=units)

    def forward(self, rows):
        """Return scores, Tensor of shape (n, n_columns), of all columns of rows."""
        values = rows.index_select(1, self.columns)
        place = self.place(values, self.knots)
        after = (place + 1).clamp_max(len(self.knots) - 1)
        knot, start = self.knots.gather(0, place), self.high.gather(0, place)
        share = (values - knot) / (self.knots.gather(0, after) - knot)
        scores = start + share * (self.low.gather(0, after) - start)
        at_atom = (values == knot) & self.atoms.gather(0, place)
        scores = torch.where(at_atom, self.middle.gather(0, place), scores)
        below, above = self.ends[0] - values, values - self.ends[1]
        below, above = (x.clamp_min(0.0) / self.units for x in (below, above))
        scores = torch.where(below > 0, self.of_ends[0] - below.log1p(), scores)
        return torch.where(above > 0, self.of_ends[1] + above.log1p(), scores)


class ValuesOfScores(_Lines):
    """Values of normal scores, see :meth:`NormalScores.backward`."""

    def __init__(self, ranked):
        super().__init__(list(ranked))
        scores = list(ranked.values())
        ends = [np.stack(column.of_knots()[:2], axis=1).ravel() for column in scores]
        knots = [np.repeat(column.knots.astype(np.float64), 2) for column in scores]
        _keep(self, scores=self.points(ends, np.inf), knots=self.points(knots))
        _keep(self, least=np.array([column[0] for column in ends]))

    def forward(self, cells):
        """Return values, Tensor of shape (n, n_columns), of all columns of cells."""
        scores = cells.index_select(1, self.columns)
        scores = torch.maximum(scores, self.least)
        place = self.place(scores, self.scores)
        after = (place + 1).clamp_max(len(self.knots) - 1)
        knot, start = self.knots.gather(0, place), self.scores.gather(0, place)
        share = (scores - start) / (self.scores.gather(0, after) - start)
        return knot + share * (self.knots.gather(0, after) - knot)


def reject_foreign(scaler):
    """Refuse columns that are scaled by what no module computes.

    Raises
    ------
    ValueError
        Says by what, and what to do.
    """
    own = all(getattr(type(scaler), name) is getattr(Scaler, name) for name in _COMPUTED)
    if scaler.transformer is None and own:
        return
    by = scaler.transformer if own else scaler
    raise ValueError(
        f"Columns are scaled by a {type(by).__name__}, which no torch module computes. Use a named "
        'scaling such as rows=Table(scaling="quantile"), or scale them in a step of a Pipeline '
        "before this one."
    )


_COMPUTED = ("scale", "limit", "unscale")


def _keep(module, **arrays):
    """Arrays as buffers; numbers as float64, in which small differences of large ones are."""
    for name, values in arrays.items():
        if values is not None:
            values = torch.from_numpy(np.array(values))
            values = values.double() if values.is_floating_point() else values
        module.register_buffer(name, values)


def _places(scaler):
    """Where columns are, where those scaled by their ranks stand behind all."""
    places = np.arange(len(scaler.low))
    places[list(scaler.ranked)] = len(places) + np.arange(len(scaler.ranked))
    return places
