"""How far a row is from the bulk of rows that may hold anomalies."""

import numpy as np

from ..._mixtures import Density
from ..._runtime.arrays import evenly
from .cross_fitting import ROWS_EXPECTED


class FarFromBulk:
    """Density of rows under a mixture that is fitted to the bulk of the training rows only.

    Training rows are judged by a model that has seen them; so few parameters hardly remember them.

    Parameters
    ----------
    seen : Seen
        Training rows.
    order : ndarray of shape (n,)
        Which rows are taken to fit best at first: those of small values.
    n_components, seed : int
    """

    space, kept, most_rows, reg_covar = "standard", 0.75, 2**13, 1e-2

    def __init__(self, seen, order, n_components, seed):
        rows = evenly(len(seen), self.most_rows)
        self.density = Density(
            seen.points(self.space)[rows],
            n_components,
            seed=seed,
            reg_covar=self.reg_covar,
            kept=self.kept,
            order=order[rows],
        )
        self.held_out = self.statistic(seen)
        self.expected = np.median(self.parts(seen.first(ROWS_EXPECTED)), axis=0)

    def statistic(self, seen):
        return self.density.surprise(seen.points(self.space), seen.known_points(self.space))

    def parts(self, seen):
        points, known = seen.points(self.space), seen.known_points(self.space)
        return seen.by_column(self.space, self.density.departures(points, known))
