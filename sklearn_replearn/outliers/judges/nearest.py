"""How far the nearest training row is."""

from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from ..._runtime.arrays import evenly
from ..._runtime.sklearn import StrOptions
from ...outliers.observations import Observations
from ..neighbors import Neighbors
from ..repeats import groups_of
from .base import Judge

_CELLS, _FEWEST, _MOST = 2**16, 2**11, 2**13
_SAME, _TINY = 1e-4, 1e-12
_FEW_COPIES = 0.01


class NearestDistance(Judge):
    """Distance from the nearest of up to 8,192 training rows, fewer where there are many columns.

    Where hardly a training row is there twice, a row that equals one, as far as digits go, is that
    row, and compared with the others.

    Parameters
    ----------
    space : {"standard", "quantile"}, default="standard"
        How numbers are scaled: to variance 1, or by their ranks.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import NearestDistance
    >>> normal = np.random.RandomState(0).normal(size=(300, 2))
    >>> OutlierDetector(judges=[NearestDistance("quantile")]).fit(normal).predict([[9.0, 9.0]])
    array([-1])
    """

    _parameter_constraints = {"space": [StrOptions({"standard", "quantile"})]}

    def __init__(self, space: Literal["standard", "quantile"] = "standard") -> None:
        self.space = space

    def fit(self, rows: Observations) -> Self:
        """Keep reference rows; see :meth:`Judge.fit`."""
        points, group = rows.points(self.space), groups_of(rows.table)
        distinct, times = np.unique(group, return_index=True, return_counts=True)[1:]
        most = int(np.clip(_CELLS // points.shape[1], _FEWEST, _MOST))
        references = distinct[evenly(len(distinct), most)]
        self.neighbors_, self.same_ = Neighbors(points[references]), 0.0
        if times[times > 1].sum() < _FEW_COPIES * len(rows):
            some = rows.take(evenly(len(points), _FEWEST))
            usual = np.median(
                self.neighbors_.distance(
                    some.points(self.space), some.known_points(self.space), _TINY
                )
            )
            self.same_ = _SAME**2 * float(usual) + _TINY
        return self

    def statistic(self, rows: Observations) -> ArrayLike:
        """The distance; see :meth:`Judge.statistic`."""
        points, known = rows.points(self.space), rows.known_points(self.space)
        return np.sqrt(self.neighbors_.distance(points, known, self.same_) / rows.n_known)
