"""How far a row is from the bulk of rows that may hold anomalies."""

from functools import partial

import numpy as np

from ..._mixtures import Density, DensityAt
from ..._runtime.arrays import evenly
from ..._runtime.parameters import SEED, Whole
from ..._runtime.randomness import draw_integer, draw_seed
from ..evidence import HeldOut
from ..neighbors import Neighbors
from .base import ROWS_EXPECTED, Judge
from .cross_fitting import cross_fitted, seeded
from .density import evidence_of_density

_BULK, _MOST_ROWS, _REG_COVAR = 0.75, 2**13, 1e-2
_MOST_REFERENCES, _SHARE_OF_REFERENCES = 2**11, 0.2
_ROWS_FOR_AN_AXIS = 16


class FarFromBulk(Judge):
    """Minus the log-density under a Gaussian mixture of the bulk of the training rows.

    For training rows among which there are anomalies: three quarters of them are fitted, those that
    fit best. Training rows are judged by the mixture as it were without each of them, for which
    there is a closed form; in more than 128 coordinates by mixtures of one fold less.

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
        self._learn(rows, _n_axes(rows))
        return self

    def _learn(self, rows, n_axes):
        """Fit, and say which rows to: their numbers."""
        some = evenly(len(rows), _MOST_ROWS)
        self.density_ = Density(
            rows.points()[some],
            self.n_components,
            seed=draw_seed(self.random_state),
            reg_covar=_REG_COVAR,
            kept=_BULK,
            order=rows.once(_remoteness, rows)[some],
            n_axes=n_axes,
        )
        return some[self.density_.kept]

    def evidence(self, rows):
        """Minus the log-density; see :meth:`Judge.evidence`."""
        return evidence_of_density(self.density_, rows)

    def fit_held_out(self, rows, generator):
        """Leave each row out of what was fitted; see :meth:`Judge.fit_held_out`."""
        judge = seeded(self, draw_integer(generator))
        n_axes = _n_axes(rows)
        fitted_to = judge._learn(rows, n_axes)
        statistic = judge.evidence(rows).statistic
        if judge.density_.axes is None:
            statistic[fitted_to] = _without_themselves(judge.density_, rows.take(fitted_to))
        else:
            # Densities in other numbers of directions could not be compared.
            fit = partial(FarFromBulk._learn, n_axes=n_axes)
            for _, held_out, evidence in cross_fitted(judge, rows, generator, fit):
                statistic[held_out] = evidence.statistic
        parts = judge.evidence(rows.first(ROWS_EXPECTED)).parts
        return HeldOut(judge, statistic, np.median(parts, axis=0))


def _n_axes(rows):
    """So few principal components that hardly a row has one for itself."""
    return max(1, len(rows) // _ROWS_FOR_AN_AXIS)


def _without_themselves(density, rows):
    """Surprise of rows that were fitted to, each to the density without it and its copies."""
    _, unit, times = np.unique(rows.units, return_inverse=True, return_counts=True)
    found = DensityAt(density, rows.points(), rows.known_points())
    return found.surprise_without(times[unit])


def _remoteness(rows):
    """Mean distance to many other rows; small for those that are taken to be normal at first."""
    points, some = rows.points(), evenly(len(rows), _MOST_REFERENCES)
    own = np.searchsorted(some, [np.arange(len(rows)), np.arange(1, len(rows) + 1)]).T
    # To so many that a small cluster of anomalies does not vouch for itself.
    return Neighbors(points[some]).mean_distance(points, own, _SHARE_OF_REFERENCES)
