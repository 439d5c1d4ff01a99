"""Normal scores that an encoder sees beside scaled cells, of columns that are far from normal."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from .normal_scores import NormalScores

_ROWS_LOOKED_AT = 2**14
_CELLS_LOOKED_AT = 2**24  # of tables of more than 1,024 columns
_FEWEST_ROWS = 512  # of those
_KNOTS = 33
# Correlation of a column with its normal scores, below which each says what the other does not.
_NEARLY_NORMAL = 0.97
_FEWEST_VALUES = 3  # two of them are the same on any scale


@dataclass(frozen=True, eq=False)
class ScoreCurves:
    """Lines from scaled cells to normal scores.

    Attributes
    ----------
    columns : ndarray of shape (n_curves,), intp
        That have one.
    cells, scores : ndarray of shape (n_curves, n_knots), float32
        Between which lines are drawn; both rise, and are level beyond the ends.
    """

    columns: np.ndarray
    cells: np.ndarray
    scores: np.ndarray

    def __len__(self):
        return len(self.columns)


def score_curves(scaler, multiset):
    """Curves of the columns of numbers that are not scaled by their ranks and far from normal.

    What is linear in the ranks of such a column is not linear in its cells, nor the other way
    round: with both, an encoder and a linear model behind it find either.

    Parameters
    ----------
    scaler : Scaler
    multiset : Multiset
        The training rows; at most 16,384 are looked at, fewer of more than 1,024 columns.

    Returns
    -------
    ScoreCurves
    """
    asked = scaler.numbers & ~scaler.constant & ~scaler.idle
    asked[list(scaler.ranked)] = False
    found = {}
    most = min(_ROWS_LOOKED_AT, max(_FEWEST_ROWS, _CELLS_LOOKED_AT // multiset.width))
    rows = scaler.scale(multiset.values(multiset.sample(most)))
    for j in np.flatnonzero(asked):
        curve = _curve(rows[~np.isnan(rows[:, j]), j])
        if curve is not None:
            found[j] = curve
    ends = np.zeros((2, len(found), _KNOTS), dtype=np.float32)
    for number, curve in enumerate(found.values()):
        ends[:, number] = curve
    return ScoreCurves(np.array(list(found), dtype=np.intp), *ends)


def _curve(cells):
    """Knots and their scores, or None for a column that is nearly normal or has few values."""
    values = np.unique(cells)
    if len(values) < _FEWEST_VALUES:
        return None
    scores = NormalScores(cells, smallest_atom=0.0)
    if np.corrcoef(scores.forward(cells), cells)[0, 1] > _NEARLY_NORMAL:
        return None
    if len(values) > _KNOTS:
        # Evenly spaced deviates: lines follow the tails as closely as the middle.
        end = ndtri(1 - 0.5 / len(cells))
        values = np.quantile(cells, ndtr(np.linspace(-end, end, _KNOTS)))
    knots = np.pad(values, (0, _KNOTS - len(values)), mode="edge")
    return knots, scores.forward(knots)
