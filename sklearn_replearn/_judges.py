"""What speaks for a row being anomalous: kinds of evidence, each from held-out rows and by column.

A judge looks at the training rows and keeps ``held_out``, a statistic of each of them from whatever
has not seen it; larger is less normal. It gives other rows' ``statistic``, and the ``parts`` of it
that are due to each column, of which ``expected`` is the mean.
"""

import numpy as np

from ._autoencoder import AutoencoderTransformer
from ._batches import n_batches
from ._mixtures import Density
from ._pairs import Pairs
from ._seen import Seen, evenly

_ROWS_EXPECTED = 2**11
_HIDDEN, _CODE, _UPDATES, _FEWEST_EPOCHS = 256, 16, 400, 5
_BATCH, _SMALLEST_ERROR, _LARGEST_ERROR = 256, 1e-3, 1e30
_WIDEST_TELLING, _RIDGE = 128, 1e-2
_ALIKE, _TINY = 1e-4, 1e-12


class NearestDistance:
    """Distance from the nearest of the reference rows.

    Parameters
    ----------
    space : str
    seen : Seen
        Training rows.
    references : ndarray of int
        Which of them to keep.
    neighbors : Neighbors
        Of those.
    once : ndarray of shape (n,), bool
        Training rows for which no other row is likely to be taken. A row that equals one of them,
        as far as digits go, is that row, and compared with the others.
    """

    def __init__(self, space, seen, references, neighbors, once):
        self.space, self._once = space, once[references]
        self.neighbors = neighbors
        points = seen.points(space)[references]
        self._telling = None
        if points.shape[1] <= _WIDEST_TELLING:
            precision = _precision(points)
            self._telling = (precision / np.sqrt(np.diag(precision))).astype(np.float32)
        own = np.full(len(seen), -1)
        own[references] = np.arange(len(references))
        differences = self._differences(seen, own)
        self.held_out = self._statistic(seen, differences)
        self._nothing = _ALIKE * np.median(self.held_out) + _TINY
        first = seen.first(_ROWS_EXPECTED)
        self.expected = self._parts(first, differences[: len(first)]).mean(axis=0)

    def statistic(self, seen):
        return self._statistic(seen, self._differences(seen))

    def parts(self, seen):
        return self._parts(seen, self._differences(seen))

    def _statistic(self, seen, differences):
        return np.sqrt(seen.mean_over_known(seen.by_column(self.space, np.square(differences))))

    def _parts(self, seen, differences):
        """Squared differences from the nearest row that the other columns' do not tell."""
        if self._telling is not None:
            differences = differences @ self._telling
        return np.where(seen.known, seen.by_column(self.space, np.square(differences)), 0.0)

    def _differences(self, seen, own=None):
        points, known = seen.points(self.space), seen.known_points(self.space)
        nearest = self.neighbors.nearest(points, known, own)[:, 0]
        differences = self.neighbors.differences(points, nearest, known)
        if own is not None:
            return differences
        same = self._statistic(seen, differences) <= self._nothing
        same &= self._once[nearest]
        if same.any():
            known = None if known is None else known[same]
            points = points[same]
            others = self.neighbors.nearest(points, known, nearest[same])[:, 0]
            differences[same] = self.neighbors.differences(points, others, known)
        return differences


class CrossFitted:
    """Evidence from a model of the training rows, of which each is judged by one without its fold.

    Other rows are judged by the model without the first fold, so that what they find is distributed
    as what held-out rows find: the mean of all models would vary less. A subclass says how a model
    is fitted (``_fitted``), and what it says of rows.
    """

    def __init__(self, seen, folds, seeds):
        self.held_out = np.empty(len(seen))
        parts = np.zeros(seen.table.shape)
        for fold, seed in enumerate(seeds):
            inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            model = self._fitted(seen, inside, seed)
            if fold == 0:
                self.model = model
            held = Seen(seen.table[outside], seen.spaces)
            parts[outside] = self._parts(model, held)
            self.held_out[outside] = self._statistic(model, held)
        self.expected = parts[:_ROWS_EXPECTED].mean(axis=0)

    def statistic(self, seen):
        return self._statistic(self.model, seen)

    def parts(self, seen):
        return self._parts(self.model, seen)


class CellSurprise(CrossFitted):
    """Surprise at each cell given each other one; see :class:`Pairs`."""

    def _fitted(self, seen, rows, seed):
        return Pairs(seen.table[rows].astype(np.float64))

    def _statistic(self, model, seen):
        return self._parts(model, seen).mean(axis=1)

    def _parts(self, model, seen):
        return model.surprise(seen.table.astype(np.float64))


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


class ReconstructionError(CrossFitted):
    """Errors of small autoencoders, on a logarithmic scale and in units of each column's error."""

    def _fitted(self, seen, rows, seed):
        table = seen.table[rows if len(rows) > 1 else np.repeat(rows, 2)]
        columns = seen.spaces["standard"].columns
        model = AutoencoderTransformer(
            latent_dim=_CODE,
            hidden_layer_sizes=(_HIDDEN,),
            categorical_features=np.flatnonzero(~columns.numbers).tolist() or "from_dtype",
            scaling="standard",
            # Fewer updates than for codes: what is rare shall not be learned.
            max_epochs=max(_FEWEST_EPOCHS, -(-_UPDATES // n_batches(len(table), _BATCH))),
            batch_size=_BATCH,
            random_state=seed,
        ).fit(table)
        errors = model.reconstruction_error(table[evenly(len(table), _ROWS_EXPECTED)])
        known = ~np.isnan(errors)
        errors = np.where(known, errors, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        floor = _SMALLEST_ERROR * errors.mean() + np.finfo(np.float32).tiny
        return model, np.maximum(errors, floor)

    def _statistic(self, model, seen):
        return seen.mean_over_known(self._parts(model, seen))

    def _parts(self, model, seen):
        autoencoder, usual = model
        errors = np.nan_to_num(autoencoder.reconstruction_error(seen.table))
        return np.log1p(np.minimum(errors, _LARGEST_ERROR) / usual)


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
        self.expected = np.median(self.parts(seen.first(_ROWS_EXPECTED)), axis=0)

    def statistic(self, seen):
        return self.density.surprise(seen.points(self.space), seen.known_points(self.space))

    def parts(self, seen):
        points, known = seen.points(self.space), seen.known_points(self.space)
        return seen.by_column(self.space, self.density.departures(points, known))


def _precision(points):
    """Inverse of the covariance of points, as far as there are enough of them."""
    centred = points - points.mean(axis=0)
    # Not by BLAS, whose last bits depend on the number of threads.
    covariance = np.einsum("ni,nj->ij", centred, centred) / len(points)
    ridge = _RIDGE * (np.trace(covariance) / len(covariance) or 1.0)
    return np.linalg.inv(covariance + ridge * np.eye(len(covariance)))
