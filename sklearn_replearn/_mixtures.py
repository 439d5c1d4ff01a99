"""Gaussian mixtures: fitted the same way each time, also to rows of which some do not belong."""

import warnings
from contextlib import contextmanager

import numpy as np
from sklearn import config_context
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from ._runtime.arrays import slices
from ._runtime.turns import Turns

# Both the number of threads and the filters of warnings belong to the process.
_ONE_AT_A_TIME = Turns()
_WIDEST = 128
_RIDGES = (1.0, 10.0, 100.0, 1000.0)
_ROUNDS = 4
_LOG_2PI = np.log(2 * np.pi)
_CELLS_AT_ONCE = 2**20


@contextmanager
def _undisturbed():
    """Neither threads, warnings nor what a caller has switched on in scikit-learn."""
    with (
        _ONE_AT_A_TIME.turn(),
        threadpool_limits(1),
        warnings.catch_warnings(),
        config_context(array_api_dispatch=False),
    ):
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def fitted_mixture(points, n_components, *, seed, reg_covar, tol, max_iter=100, **parameters):
    """A fitted ``GaussianMixture``, computed on one thread.

    The last bits of sums depend on how many threads there are. Where a covariance cannot be
    inverted, ``reg_covar`` is raised.
    """
    with _undisturbed():
        for ridge in _RIDGES:
            mixture = GaussianMixture(
                n_components,
                reg_covar=reg_covar * ridge,
                tol=tol,
                max_iter=max_iter,
                random_state=seed,
                **parameters,
            )
            try:
                return mixture.fit(points)
            except ValueError:
                if ridge == _RIDGES[-1]:
                    raise


class Density:
    """Minus log-density of points under a Gaussian mixture, and which coordinates depart from it.

    Of points of more than 128 coordinates the mixture is that of as many principal components;
    what is left is normal with one variance for all directions. A missing coordinate costs what it
    would on average, given the others (in more than 128 coordinates: as much as the mean).

    Parameters
    ----------
    points : ndarray of shape (n, width)
    n_components : int
        At most.
    seed : int
    reg_covar : float
    kept : float, default=1.0
        Share of the points that are fitted to: those that fit best. The others are left out round
        by round, so that what does not belong to the rest does not shape it.
    order : ndarray of shape (n,), default=None
        Which points are taken to fit best at first: those of small values.

    References
    ----------
    Rousseeuw and Van Driessen (1999), *A fast algorithm for the minimum covariance determinant
    estimator*: the rounds. Neykov et al. (2007), *Robust fitting of mixtures using the trimmed
    likelihood estimator*.
    """

    def __init__(self, points, n_components, *, seed, reg_covar, kept=1.0, order=None):
        self.axes = None
        if points.shape[1] > _WIDEST and len(points) > 1:
            self._learn_axes(points, seed, reg_covar)
        reduced = self._reduced(points)
        n_components = int(np.clip(len(points) // (4 * reduced.shape[1] + 20), 1, n_components))
        n_kept = max(int(kept * len(points)), min(10, len(points)))
        for _ in range(1 if order is None else _ROUNDS):
            some = reduced
            if order is not None:
                some = reduced[np.sort(np.argsort(order, kind="stable")[:n_kept])]
            mixture = fitted_mixture(
                some if len(some) > 1 else np.repeat(some, 2, axis=0),
                n_components,
                seed=seed,
                reg_covar=reg_covar,
                tol=1e-2,
                max_iter=50,
                init_params="k-means++",
            )
            self.means = mixture.means_
            self.roots = mixture.precisions_cholesky_
            diagonals = np.einsum("cii->ci", self.roots)
            self.offsets = (
                np.log(mixture.weights_)
                + np.log(diagonals).sum(axis=1)
                - 0.5 * reduced.shape[1] * _LOG_2PI
            )
            if order is not None:
                order = self.surprise(points)

    def _learn_axes(self, points, seed, reg_covar):
        n_axes = min(_WIDEST, len(points) - 1)
        with _undisturbed():
            found = PCA(n_axes, svd_solver="randomized", random_state=seed).fit(points)
        self.centre, self.axes = found.mean_, found.components_
        self.rest = 1.0
        rest = np.square(self._left(points)).sum() / len(points)
        self.rest = max(rest / max(points.shape[1] - n_axes, 1), reg_covar)

    def _reduced(self, points):
        return points if self.axes is None else (points - self.centre) @ self.axes.T

    def _left(self, points):
        """What the axes leave of points, in units of its deviation."""
        centred = points - self.centre
        return (centred - (centred @ self.axes.T) @ self.axes) / np.sqrt(self.rest)

    def surprise(self, points, known=None):
        """Minus the logarithm of the density, ndarray of shape (n,)."""
        return DensityAt(self, points, known).surprise()

    def departures(self, points, known=None):
        """See :meth:`DensityAt.departures`."""
        return DensityAt(self, points, known).departures()


class DensityAt:
    """A density at some points, of which what is asked for twice is computed once.

    Parameters
    ----------
    density : Density
    points : ndarray of shape (n, width)
    known : ndarray of shape (n, width), bool, default=None
        Coordinates that are not missing; None: all.
    """

    def __init__(self, density, points, known=None):
        self.density, self.points, self.known = density, points, known
        reduced = density._reduced(points)
        self._logs, self._across = np.empty((len(points), len(density.means))), []
        for c, (mean, root) in enumerate(zip(density.means, density.roots, strict=True)):
            offset, free = reduced - mean, 0.0
            if known is not None and density.axes is None:
                offset, free = _completed(offset, known, root @ root.T)
            across = offset @ root
            self._logs[:, c] = density.offsets[c] - 0.5 * (np.square(across).sum(axis=1) + free)
            self._across.append(across)
        self._left = None if density.axes is None else np.square(density._left(points))

    def surprise(self):
        """Minus the logarithm of the density, ndarray of shape (n,)."""
        surprise = -_log_sum(self._logs)
        return surprise if self._left is None else surprise + 0.5 * self._left.sum(axis=1)

    def departures(self):
        """Squared deviation of each coordinate from what the others tell, in units of its variance.

        Returns
        -------
        ndarray of shape (n, width)
        """
        axes = self.density.axes
        shares = np.exp(self._logs - _log_sum(self._logs)[:, None])
        result = 0.0
        for share, across, root in zip(shares.T, self._across, self.density.roots, strict=True):
            pull, diagonal = across @ root.T, np.square(root).sum(axis=1)
            if axes is not None:
                diagonal = np.square(axes.T @ root).sum(axis=1)
                diagonal = np.maximum(diagonal, np.finfo(np.float64).tiny)
                pull = pull @ axes
            np.square(pull, out=pull)
            pull *= share[:, None]
            pull /= diagonal
            result = result + pull
        if self._left is not None:
            result = result + self._left
        return result if self.known is None else np.where(self.known, result, 0.0)


def _log_sum(logs):
    largest = logs.max(axis=1, keepdims=True)
    return (largest + np.log(np.exp(logs - largest).sum(axis=1, keepdims=True)))[:, 0]


def _completed(offset, known, precision):
    """Offsets with missing values as expected given the others, and how many are missing."""
    offset, width = offset.copy(), offset.shape[1]
    lacking = np.flatnonzero(~known.all(axis=1))
    for part in slices(len(lacking), max(1, _CELLS_AT_ONCE // width**2)):
        rows = lacking[part]
        gone = ~known[rows]
        there = np.where(gone, 0.0, offset[rows])
        pull = np.where(gone, there @ precision, 0.0)
        # One system of equations for each row, in which what is known is left as it is.
        systems = np.where(gone[:, :, None] & gone[:, None, :], precision, 0.0)
        systems[:, np.arange(width), np.arange(width)] += ~gone
        offset[rows] = there - np.linalg.solve(systems, pull[:, :, None])[:, :, 0]
    return offset, (~known).sum(axis=1)
