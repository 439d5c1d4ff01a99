"""How low the density of a mixture is."""

from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from ..._mixtures import Density
from ..._runtime.arrays import evenly
from ..._runtime.parameters import SEED, Whole
from ..._runtime.randomness import draw_seed
from ..._runtime.sklearn import StrOptions
from ..._runtime.typing import Seed
from ...outliers.observations import Observations
from .base import Judge

_CELLS, _FEWEST, _MOST = 2**18, 2**11, 2**13
_REG_COVAR = 1e-3
_NUMBERS, _ROWS_TO_CHOOSE, _SHARE_ASIDE = (1, 4, 16), 2**12, 5


class LowDensity(Judge):
    """Minus the log-density of rows under a Gaussian mixture.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
        At most; fewer where there are few rows. "auto": of 1, 4 and 16 the number under which rows
        set aside have the higher likelihood, beginning with the lowest until none is gained.
    space : {"standard", "quantile"}, default="quantile"
        How numbers are scaled: to variance 1, or by their ranks.
    random_state : int, RandomState instance or None, default=None
        None: drawn from that of the detector.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import LowDensity
    >>> normal = np.random.RandomState(0).normal(size=(300, 2))
    >>> OutlierDetector(judges=[LowDensity(n_components=2)]).fit(normal).predict([[9.0, 9.0]])
    array([-1])
    """

    _parameter_constraints = {
        "n_components": [Whole(), StrOptions({"auto"})],
        "space": [StrOptions({"standard", "quantile"})],
        "random_state": SEED,
    }

    def __init__(
        self,
        n_components: int | Literal["auto"] = "auto",
        *,
        space: Literal["standard", "quantile"] = "quantile",
        random_state: Seed = None,
    ) -> None:
        self.n_components = n_components
        self.space = space
        self.random_state = random_state

    def fit(self, rows: Observations) -> Self:
        """Fit the mixture; see :meth:`Judge.fit`."""
        points = rows.points(self.space)
        most = int(np.clip(_CELLS // points.shape[1], _FEWEST, _MOST))
        points = points[evenly(len(points), most)]
        seed, number = draw_seed(self.random_state), self.n_components
        if number == "auto":
            number = _best_number(points, seed)
        self.density_ = Density(points, number, seed=seed, reg_covar=_REG_COVAR)
        return self

    def statistic(self, rows: Observations) -> ArrayLike:
        """Minus the log-density; see :meth:`Judge.statistic`."""
        return self.density_.surprise(rows.points(self.space), rows.known_points(self.space))


def _best_number(points, seed):
    """The number of components under which points set aside are least surprising."""
    points = points[evenly(len(points), _ROWS_TO_CHOOSE)]
    aside = np.arange(len(points)) % _SHARE_ASIDE == 0
    best, least = _NUMBERS[0], np.inf
    for number in _NUMBERS:
        density = Density(points[~aside], number, seed=seed, reg_covar=_REG_COVAR)
        surprise = density.surprise(points[aside]).mean()
        if surprise >= least:
            break
        best, least = number, surprise
    return best
