"""Columns encoded as what a network of tables takes."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from .._runtime.arrays import at_hand
from .._runtime.parameters import Each, Number, Whole, validated
from .._scaling.score_curves import ScoreCurves
from .._tables.levels import digits_of


class ColumnEncoding(nn.Module):
    """One-hot encoding of the levels among scaled cells, mean imputation and missing indicators.

    A missing number counts as 0, which is the mean of its column, a missing or unseen level as the
    average of the levels of its column. For each column that had missing cells in training one more
    input says whether the cell is missing.

    Parameters
    ----------
    n_levels : sequence of int
        Levels of each column; 0 for numbers.
    missing : sequence of bool
        Columns that had missing cells.
    shares : sequence of float
        Share of the rows that have each of the levels (or digits, see below), column by column.
    rarity : array-like of shape (n_features,), default=None
        Weights of counts; those of a row then have length 1, as in tf-idf. 0 for other columns.
    curves : ScoreCurves, default=None
        Of columns of numbers for which one more input each is the normal score of the cell.

    Attributes
    ----------
    width : int

    Notes
    -----
    A column of more than 256 levels is two groups of inputs, one for each digit of the number of
    its level; see :class:`~sklearn_replearn.likelihoods.Categorical`. Cells that are between two
    levels, as noise makes them, count as the nearest.

    Examples
    --------
    >>> import torch
    >>> from sklearn_replearn.modules import ColumnEncoding
    >>> inputs = ColumnEncoding([0, 2], missing=[True, False], shares=[0.25, 0.75])
    >>> inputs(torch.tensor([[0.5, 2.0], [float("nan"), 0.0]]))
    tensor([[0.5000, 0.0000, 1.0000, 0.0000],
            [0.0000, 0.2500, 0.7500, 1.0000]])
    """

    @validated(
        {
            "n_levels": [Each(Whole(0), least=1)],
            "missing": [Each("boolean")],
            "shares": [Each(Number(0, 1, closed="both"))],
            "rarity": [Each(Number(0, closed="left")), None],
            "curves": [ScoreCurves, None],
        }
    )
    def __init__(
        self,
        n_levels: Sequence[int],
        missing: Sequence[bool],
        shares: Sequence[float],
        rarity: ArrayLike | None = None,
        curves: ScoreCurves | None = None,
    ) -> None:
        super().__init__()
        n_shares = sum(size for count in n_levels for _, size in digits_of(count))
        for name, values, wanted in (
            ("missing", missing, len(n_levels)),
            ("shares", shares, n_shares),
            ("rarity", n_levels if rarity is None else rarity, len(n_levels)),
        ):
            if len(values) != wanted:
                raise ValueError(f"{name} must have {wanted} values; got {len(values)}.")
        numbers = [j for j, count in enumerate(n_levels) if count == 0]
        start = len(numbers)
        digits, slots = [], []
        for j, count in enumerate(n_levels):
            for divisor, size in digits_of(count):
                digits.append((j, count, divisor, size, start))
                slots += [len(digits) - 1] * size
                start += size
        gone = [j for j, flag in enumerate(missing) if flag]
        self.n_scores = 0 if curves is None else len(curves)
        self.width = start + len(gone) + self.n_scores
        if self.n_scores:
            for name, values in (("bent", curves.columns), *_pieces(curves)):
                self.register_buffer(name, torch.tensor(values, device="cpu"), persistent=False)
        self.n_numbers, self.n_slots = len(numbers), len(slots)
        for name, values in (
            ("numbers", numbers),
            ("digits", list(zip(*digits, strict=True)) if digits else torch.empty((5, 0))),
            ("slots", slots),
            ("gone", gone),
        ):
            self.register_buffer(name, torch.as_tensor(values).long(), persistent=False)
        self.weighted = rarity is not None
        if self.weighted:
            rarity = torch.tensor(rarity, dtype=torch.float32, device="cpu")[numbers]
            self.register_buffer("rarity", rarity, persistent=False)
        shares = torch.tensor(np.asarray(shares), dtype=torch.float32, device="cpu")
        self.register_buffer("shares", shares, persistent=False)

    def forward(self, cells: torch.Tensor) -> torch.Tensor:
        """Return inputs, Tensor of shape (n, width)."""
        missing = cells.isnan()
        filled = torch.where(missing, 0.0, cells)
        inputs = cells.new_zeros((len(cells), self.width))
        end = self.n_numbers + self.n_slots
        numbers = filled.index_select(1, self.numbers) if self.n_slots else filled
        inputs[:, : self.n_numbers] = self._weighted(numbers) if self.weighted else numbers
        if self.n_slots:
            column, count, divisor, size, start = self.digits
            codes = torch.minimum(filled.index_select(1, column).round().long(), count)
            known = codes >= 1
            places = (codes - 1).clamp_min(0) // divisor % size + start
            inputs.scatter_(1, places, known.to(cells.dtype))
            if not (at_hand(known) and known.all()):
                unknown = (~known).index_select(1, self.slots)
                levels = inputs[:, self.n_numbers : end]
                levels += unknown * self.shares.to(cells.dtype)
        known_only = end + len(self.gone)
        inputs[:, end:known_only] = missing.index_select(1, self.gone)
        if self.n_scores:
            inputs[:, known_only:] = self._scores(filled, missing)
        return inputs

    def _scores(self, filled, missing):
        cells = filled.index_select(1, self.bent).t().contiguous()
        ends, starts, heights, slopes = (
            part.to(cells.dtype) for part in (self.ends, self.starts, self.heights, self.slopes)
        )
        piece = torch.searchsorted(ends, cells, right=True)
        beyond = cells.sub_(starts.gather(1, piece)).mul_(slopes.gather(1, piece))
        scores = beyond.add_(heights.gather(1, piece)).t()
        return scores.masked_fill(missing.index_select(1, self.bent), 0.0)

    def as_expression(self, cells: torch.Tensor) -> torch.Tensor:
        """The same as one expression, which looks at no value: for what traces, or maps rows."""
        missing = cells.isnan()
        filled = torch.where(missing, 0.0, cells)
        numbers = filled.index_select(1, self.numbers)
        inputs = [self._weighted(numbers) if self.weighted else numbers]
        if self.n_slots:
            column, count, divisor, _, _ = self.digits
            codes = torch.minimum(filled.index_select(1, column).round().long(), count)
            digits = torch.where(codes >= 1, (codes - 1).clamp_min(0) // divisor, -1)
            digits = torch.where(digits >= 0, digits % self.digits[3], -1).index_select(
                1, self.slots
            )
            levels = (digits == self._digit_of_slot()).to(cells.dtype)
            inputs.append(torch.where(digits < 0, self.shares.to(cells.dtype), levels))
        inputs.append(missing.index_select(1, self.gone).to(cells.dtype))
        if self.n_scores:
            bent = filled.index_select(1, self.bent)
            piece = (bent[:, None] >= self.ends.t()).sum(1)
            starts, heights, slopes = (
                part.t().gather(0, piece) for part in (self.starts, self.heights, self.slopes)
            )
            scores = heights + (bent - starts) * slopes
            inputs.append(torch.where(missing.index_select(1, self.bent), 0.0, scores))
        return torch.cat(inputs, dim=1)

    def _digit_of_slot(self):
        start = self.digits[4].index_select(0, self.slots)
        return self.n_numbers + torch.arange(self.n_slots, device=start.device) - start

    def _weighted(self, numbers):
        counts = numbers * self.rarity
        length = torch.linalg.vector_norm(counts, dim=1, keepdim=True).clamp_min(1e-6)
        return torch.where(self.rarity > 0, counts / length, numbers)


def _pieces(curves):
    """Curves as lines: where each ends, and where it starts, its height there and its slope."""
    cells, scores = curves.cells, curves.scores
    steps, rises = np.diff(cells), np.diff(scores)
    slopes = np.divide(rises, steps, out=np.zeros_like(steps), where=steps > 0)
    level = np.zeros((len(cells), 1), dtype=np.float32)
    return (
        ("ends", cells),
        ("starts", np.hstack([cells[:, :1], cells])),
        ("heights", np.hstack([scores[:, :1], scores])),
        ("slopes", np.hstack([level, slopes, level])),
    )
