"""Missing cells predicted, or drawn, from those that are there, whichever these are."""

from dataclasses import dataclass

import numpy as np
import torch

from .._runtime.arrays import CHUNK, slices
from .._runtime.randomness import new_generator
from .gaussian import Gaussian
from .mixture import Mixture, drawn
from .prediction_cells import CellCoding
from .prediction_network import PredictionNetworks
from .prediction_training import trained

_MOST_FEATURES = 512  # that a network sees of a row
_MOST_NUMBERS = 128  # of which a normal distribution is computed with
_SMALL, _SMALL_WIDTH, _WIDTH = 1500, 128, 256
_SMALL_NETWORKS = 4  # whose mean few rows need
_COMPONENTS = 5


@dataclass(frozen=True)
class Prediction:
    """Predicts hidden cells: linearly, and what that leaves by networks.

    Attributes
    ----------
    coding : CellCoding
    gaussian : Gaussian
    hidden : int
        Width of the networks.
    weights : dict of str to ndarray, float32
        Of the networks.
    share_of_means, share_of_draws : float
        What the networks say is multiplied with, for expected and for drawn numbers.
    """

    coding: CellCoding
    gaussian: Gaussian
    hidden: int
    weights: dict
    share_of_means: float
    share_of_draws: float

    def expected(self, scaled):
        """Scaled cells as they are expected: means of numbers, likeliest levels.

        Parameters
        ----------
        scaled : ndarray of shape (n, n_features), float64
            NaN where a cell is missing.

        Returns
        -------
        ndarray of shape (n, n_features)
        """
        networks, result = self._networks(), np.zeros(scaled.shape)
        n_told = len(self.coding.columns)
        for part in slices(len(scaled), CHUNK):
            base, deviation, units = self._told(networks, scaled[part])
            gaps = networks.gaps(units).mean(0) * deviation[:, :n_told]
            means = (base[:, :n_told] + self.share_of_means * gaps).numpy()
            result[part, self.coding.columns] = self.coding.means(means)
            if self.coding.digits:
                logits = networks.logits(units).split(self.coding.sizes, 2)
                likeliest = [each.softmax(2).mean(0).argmax(1) for each in logits]
                levels = self.coding.levels(torch.stack(likeliest, 1).numpy())
                result[part, self.coding.categories] = levels
        return result

    def drawn(self, scaled, generator):
        """Scaled rows, missing cells drawn one after the other, each given those before it.

        Parameters
        ----------
        scaled : ndarray of shape (n, n_features), float64
        generator : torch.Generator, on the CPU

        Returns
        -------
        ndarray of shape (n, n_features)
            0 in columns that held one value only.
        """
        networks, result = self._networks(), np.zeros(scaled.shape)
        for part in slices(len(scaled), CHUNK):
            result[part] = self._drawn(networks, scaled[part].copy(), generator)
        return result

    def _drawn(self, networks, rows, generator):
        coding = self.coding
        columns = np.concatenate([coding.columns, coding.categories]).astype(np.intp)
        missing = np.isnan(rows[:, columns])
        # In an order of its own for each row.
        order = torch.rand(
            missing.shape, generator=generator, dtype=torch.float64, device="cpu"
        ).numpy()
        order = np.argsort(np.where(missing, order, 2.0), axis=1)
        for turn in range(missing.sum(axis=1).max(initial=0)):
            which = np.flatnonzero(missing.sum(axis=1) > turn)
            place = order[which, turn]
            told = self._told(networks, rows[which])
            rows[which, columns[place]] = self._cells(networks, place, told, generator)
        rows[:, np.setdiff1d(np.arange(rows.shape[1]), columns)] = 0.0
        return rows

    def _cells(self, networks, place, told, generator):
        """One scaled cell of each row, drawn: of the column at this place."""
        coding, n_told, n = self.coding, len(self.coding.columns), len(place)
        base, deviation, units = told
        result, at = np.empty(n), torch.arange(n, device="cpu")
        # What one of the networks says, so that draws differ as the networks do.
        chosen = torch.randint(len(units), (n,), generator=generator, device="cpu")
        if n_told:
            numbers = torch.from_numpy(place.clip(max=n_told - 1))
            which = torch.from_numpy(np.array(coding.drawn))[numbers]
            mixtures = networks.mixtures(units)[chosen, at, numbers]
            gaps = Mixture(self.share_of_draws * mixtures).draw(generator)
            values = (base[at, which] + deviation[at, which] * gaps).numpy()
            result[:] = values * coding.unit[which] + coding.centre[which]
        if coding.digits:
            logits = networks.logits(units)[chosen, at].split(coding.sizes, 1)
            symbols = [drawn(each.log_softmax(1), generator) for each in logits]
            levels, of_level = coding.levels(torch.stack(symbols, 1).numpy()), place >= n_told
            result[of_level] = levels[of_level, place[of_level] - n_told]
        return result

    def _networks(self):
        networks = _new_networks(self.coding, len(self.weights["first"]), self.hidden)
        weights = {name: torch.from_numpy(x.copy()) for name, x in self.weights.items()}
        networks.load_state_dict(weights)
        return networks.double().requires_grad_(False)

    def _told(self, networks, scaled):
        """What is expected of the numbers of rows, how far it may be off, and networks' units."""
        cells = self.coding.encoded(scaled)
        base, deviation = self.gaussian.conditional(cells.numbers, cells.known)
        one_hot = self.coding.one_hot(cells.symbols, torch.float64)
        seen = self.coding.limited(base), deviation, one_hot
        return base, deviation, networks(*(x[None] for x in seen))


def _new_networks(coding, n_networks, hidden):
    n_told = len(coding.columns)
    return PredictionNetworks(
        n_networks, coding.n_numbers, n_told, coding.n_symbols, hidden, _COMPONENTS
    )


def fitted_prediction(scaled, scaler, seed, device, max_updates=2**31):
    """The :class:`Prediction` learned from training rows; None where these are too wide.

    Parameters
    ----------
    scaled : ndarray of shape (n, n_features), float64
        Training rows, scaled; NaN where cells are missing.
    scaler : Scaler
    seed : int
    device : torch.device
        On which the networks are trained.
    max_updates : int, default=2**31
        Batches at most; 0 leaves what is told linearly.

    Returns
    -------
    Prediction or None
    """
    coding = CellCoding(scaled, scaler)
    n_features = coding.n_numbers + coding.n_symbols
    if not 0 < n_features <= _MOST_FEATURES or coding.n_numbers > _MOST_NUMBERS:
        return None
    generator, few = new_generator(seed), len(scaled) < _SMALL
    hidden = _SMALL_WIDTH if few else _WIDTH
    networks = _new_networks(coding, _SMALL_NETWORKS if few else 1, hidden)
    cells = coding.encoded(scaled)
    found = trained(
        networks.initialise(generator), coding, cells, generator, device, few, max_updates
    )
    return Prediction(coding, found.gaussian, hidden, found.weights, *found.shares)
