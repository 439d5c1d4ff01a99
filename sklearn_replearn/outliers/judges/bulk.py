"""How far a row is from the bulk of rows that may hold anomalies."""

import numpy as np

from ..._mixtures import Density
from ..._runtime.arrays import evenly
from ..._runtime.parameters import SEED, Whole
from ..._runtime.randomness import draw_integer, draw_seed
from ..evidence import HeldOut
from ..neighbors import Neighbors
from .base import ROWS_EXPECTED, Judge
from .cross_fitting import seeded
from .density import evidence_of_density

_BULK, _MOST_ROWS, _REG_COVAR = 0.75, 2**13, 1e-2
_MOST_REFERENCES, _SHARE_OF_REFERENCES = 2**11, 0.2


class FarFromBulk(Judge):
    """Minus the log-density under a Gaussian mixture of the bulk of the training rows.

    For training rows among which there are anomalies: three quarters of them are fitted, those that
    fit best. Training rows are judged by a mixture that has seen them; so few parameters hardly
    remember them.

    Parameters
    ----------
    n_components : int, default=1
        At most; fewer where there are few rows.
    random_state : int, RandomState instance or None, default=None
        None: drawn from that of the detector.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import FarFromBulk
    >>> rows = np.random.RandomState(0).normal(size=(300, 2))
    >>> rows[:15] += 9.0
    >>> OutlierDetector(judges=[FarFromBulk()], contamination=0.05).fit_predict(rows)[:20]
    array([-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,  1,  1,
            1,  1,  1])
    """

    _parameter_constraints = {"n_components": [Whole()], "random_state": SEED}

    def __init__(self, n_components=1, *, random_state=None):
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, rows):
        """Fit the mixture to the bulk; see :meth:`Judge.fit`."""
        some = evenly(len(rows), _MOST_ROWS)
        self.density_ = Density(
            rows.points()[some],
            self.n_components,
            seed=draw_seed(self.random_state),
            reg_covar=_REG_COVAR,
            kept=_BULK,
            order=rows.once(_remoteness, rows)[some],
        )
        return self

    def evidence(self, rows):
        """Minus the log-density; see :meth:`Judge.evidence`."""
        return evidence_of_density(self.density_, rows)

    def fit_held_out(self, rows, generator):
        """Judge the rows that were fitted to; see :meth:`Judge.fit_held_out`."""
        judge = seeded(self, draw_integer(generator)).fit(rows)
        parts = judge.evidence(rows.first(ROWS_EXPECTED)).parts
        return HeldOut(judge, judge.evidence(rows).statistic, np.median(parts, axis=0))


def _remoteness(rows):
    """Mean distance to many other rows; small for those that are taken to be normal at first."""
    points, some = rows.points(), evenly(len(rows), _MOST_REFERENCES)
    own = np.full(len(rows), -1)
    own[some] = np.arange(len(some))
    # To so many that a small cluster of anomalies does not vouch for itself.
    return Neighbors(points[some]).mean_distance(points, own, _SHARE_OF_REFERENCES)
