"""How low the density of a mixture is."""

from ..._mixtures import Density
from ..._runtime.arrays import evenly
from .cross_fitting import CrossFitted


class LowDensity(CrossFitted):
    """Density of rows under Gaussian mixtures."""

    space, most_components, most_rows, reg_covar = "standard", 8, 2**13, 1e-3

    def _fitted(self, seen, rows, seed):
        points = seen.points(self.space)[rows[evenly(len(rows), self.most_rows)]]
        return Density(points, self.most_components, seed=seed, reg_covar=self.reg_covar)

    def _statistic(self, model, seen):
        return model.surprise(seen.points(self.space), seen.known_points(self.space))

    def _parts(self, model, seen):
        departures = model.departures(seen.points(self.space), seen.known_points(self.space))
        return seen.by_column(self.space, departures)
