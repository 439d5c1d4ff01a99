"""How low the density of a mixture is."""

from ..._mixtures import Density, DensityAt
from ..._runtime.arrays import evenly
from ..._runtime.parameters import SEED, Whole
from ..._runtime.randomness import draw_seed
from ..evidence import Evidence
from .base import Judge

_MOST_ROWS, _REG_COVAR = 2**13, 1e-3


class LowDensity(Judge):
    """Minus the log-density of rows under a Gaussian mixture.

    What is due to a cell is its squared deviation from what the other columns tell under the
    mixture.

    Parameters
    ----------
    n_components : int, default=8
        At most; fewer where there are few rows.
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

    _parameter_constraints = {"n_components": [Whole()], "random_state": SEED}

    def __init__(self, n_components=8, *, random_state=None):
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, rows):
        """Fit the mixture; see :meth:`Judge.fit`."""
        points = rows.points()[evenly(len(rows), _MOST_ROWS)]
        seed = draw_seed(self.random_state)
        self.density_ = Density(points, self.n_components, seed=seed, reg_covar=_REG_COVAR)
        return self

    def evidence(self, rows):
        """Minus the log-density; see :meth:`Judge.evidence`."""
        return evidence_of_density(self.density_, rows)


def evidence_of_density(density, rows):
    """Minus the log-density of rows, and how far each cell departs from what the others tell."""
    found = DensityAt(density, rows.points(), rows.known_points())
    return Evidence(found.surprise(), lambda: rows.by_column(found.departures()))
