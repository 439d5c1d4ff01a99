"""How rare each cell is given each other one."""

import numpy as np

from .cross_fitting import CrossFitted
from .pairs import Pairs


class CellSurprise(CrossFitted):
    """Surprise at each cell given each other one; see :class:`Pairs`."""

    def _fitted(self, seen, rows, seed):
        return Pairs(seen.table[rows].astype(np.float64))

    def _statistic(self, model, seen):
        return self._parts(model, seen).mean(axis=1)

    def _parts(self, model, seen):
        return model.surprise(seen.table.astype(np.float64))
