"""Gaussian mixtures: fitted the same way each time."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from ._runtime.arrays import slices
from ._runtime.isolation import undisturbed

_WIDEST = 128
_POINTS_FOR_AN_AXIS = 16  # so that hardly a point has an axis for itself
_RIDGES = (1.0, 10.0, 100.0, 1000.0)
_LOG_2PI = np.log(2 * np.pi)
_CELLS_AT_ONCE = 2**16
_CELLS_OF_SYSTEMS = 2**20


def fitted_mixture(points, n_components, *, seed, reg_covar, tol, max_iter=100, **parameters):
    """A fitted ``GaussianMixture``, computed on one thread.

    The last bits of sums depend on how many threads there are. Where a covariance cannot be
    inverted, ``reg_covar`` is raised.
    """
    with undisturbed():
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
    """Minus log-density of points under a Gaussian mixture.

    Of points of more than 128 coordinates the mixture is that of as many principal components;
    what is left is normal with one variance for all directions. A missing coordinate costs what it
    would on average, given the others (in more than 128 coordinates: as much as the mean).

    Parameters
    ----------
    points : ndarray of shape (n, width)
    n_components : int
        At most; fewer where there are few points.
    seed : int
    reg_covar : float
    """

    def __init__(self, points, n_components, *, seed, reg_covar):
        self.axes = None
        if points.shape[1] > _WIDEST and len(points) > 1:
            n_axes = int(np.clip(len(points) // _POINTS_FOR_AN_AXIS, 1, _WIDEST))
            self._learn_axes(points, n_axes, seed, reg_covar)
        reduced = self._reduced(points)
        width = reduced.shape[1]
        most = len(points) // (4 * width + 20)
        mixture = fitted_mixture(
            reduced if len(reduced) > 1 else np.repeat(reduced, 2, axis=0),
            int(np.clip(most, 1, n_components)),
            seed=seed,
            reg_covar=reg_covar,
            tol=1e-2,
            max_iter=50,
            init_params="k-means++",
        )
        self.means, self.roots = mixture.means_, mixture.precisions_cholesky_
        diagonals = np.einsum("cii->ci", self.roots)
        self.offsets = (
            np.log(mixture.weights_) + np.log(diagonals).sum(axis=1) - 0.5 * width * _LOG_2PI
        )
        # All components in one product: points @ root - mean @ root.
        self._side_by_side = np.concatenate(self.roots, axis=1)
        self._shifts = np.einsum("ci,cij->cj", self.means, self.roots).ravel()

    def _learn_axes(self, points, n_axes, seed, reg_covar):
        with undisturbed():
            found = PCA(n_axes, svd_solver="randomized", random_state=seed).fit(points)
        self.centre, self.axes = found.mean_, found.components_
        self.rest = 1.0
        rest = self._left(points).sum() / len(points)
        self.rest = max(rest / max(points.shape[1] - n_axes, 1), reg_covar)

    def _reduced(self, points):
        return points if self.axes is None else (points - self.centre) @ self.axes.T

    def _left(self, points):
        """Squares of what the axes leave of points, summed, in units of its variance."""
        centred = points - self.centre
        left = centred - (centred @ self.axes.T) @ self.axes
        return np.square(left).sum(axis=1) / self.rest

    def surprise(self, points, known=None):
        """Minus the logarithm of the density.

        Parameters
        ----------
        points : ndarray of shape (n, width)
        known : ndarray of shape (n, width), bool, default=None
            Coordinates that are not missing; None: all.

        Returns
        -------
        ndarray of shape (n,)
        """
        reduced, n_components = self._reduced(points), len(self.means)
        logs = np.empty((len(points), n_components))
        for part in slices(len(points), max(16, _CELLS_AT_ONCE // self._shifts.size)):
            across = reduced[part] @ self._side_by_side
            across -= self._shifts
            np.square(across, out=across)
            across.reshape(-1, n_components, reduced.shape[1]).sum(axis=2, out=logs[part])
        if known is not None and self.axes is None:
            lacking = np.flatnonzero(~known.all(axis=1))
            for c, (mean, root) in enumerate(zip(self.means, self.roots, strict=True)):
                offset = _completed(reduced[lacking] - mean, known[lacking], root @ root.T)
                free = (~known[lacking]).sum(axis=1)
                logs[lacking, c] = np.square(offset @ root).sum(axis=1) + free
        logs = self.offsets - 0.5 * logs
        largest = logs.max(axis=1, keepdims=True)
        surprise = -(largest[:, 0] + np.log(np.exp(logs - largest).sum(axis=1)))
        return surprise if self.axes is None else surprise + 0.5 * self._left(points)


def _completed(offset, known, precision):
    """Offsets with missing values as expected given the others."""
    width = offset.shape[1]
    for part in slices(len(offset), max(1, _CELLS_OF_SYSTEMS // width**2)):
        gone = ~known[part]
        there = np.where(gone, 0.0, offset[part])
        pull = np.where(gone, there @ precision, 0.0)
        # One system of equations for each row, in which what is known is left as it is.
        systems = np.where(gone[:, :, None] & gone[:, None, :], precision, 0.0)
        systems[:, np.arange(width), np.arange(width)] += ~gone
        offset[part] = there - np.linalg.solve(systems, pull[:, :, None])[:, :, 0]
    return offset
