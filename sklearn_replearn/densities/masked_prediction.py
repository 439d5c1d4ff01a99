"""Missing cells predicted, or drawn, from those that are there, whichever these are."""

from dataclasses import dataclass

import numpy as np
import torch

from .._runtime.arrays import CHUNK, evenly, slices
from .._runtime.randomness import new_generator
from .gaussian import Gaussian
from .mixture import Mixture, drawn
from .prediction_cells import CellCoding, Cells
from .prediction_network import PredictionNetwork
from .prediction_training import trained

_MOST_FEATURES = 512  # that a network sees of a row
_MOST_NUMBERS = 128  # of which a normal distribution is computed with
_MOST_ROWS = 2**16
_SMALL, _SMALL_WIDTH, _WIDTH = 1000, 128, 256
_SMALL_NETWORKS = 4  # of which few rows need the mean
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
    weights : list of dict of str to ndarray, float32
        Of each network.
    share_of_means, share_of_draws : float
        What the networks say is multiplied with, for expected and for drawn numbers.
    """

    coding: CellCoding
    gaussian: Gaussian
    hidden: int
    weights: list
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
        for part in slices(len(scaled), CHUNK):
            cells = self.coding.encoded(scaled[part])
            base, deviation, one_hot = self._seen(cells)
            told = [self._told(network, base, deviation, one_hot) for network in networks]
            gaps = torch.stack([gaps for gaps, _, _ in told]).mean(0)
            n_told = len(self.coding.columns)
            means = base[:, :n_told] + self.share_of_means * gaps * deviation[:, :n_told]
            result[part, self.coding.columns] = self.coding.means(means.numpy())
            logits = [logits.split(self._sizes, 1) for _, _, logits in told]
            likeliest = [
                torch.stack([each.softmax(1) for each in of_digit]).mean(0).argmax(1)
                for of_digit in zip(*logits, strict=True)
            ]
            if likeliest:
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
        order = torch.rand(missing.shape, generator=generator, dtype=torch.float64).numpy()
        order = np.argsort(np.where(missing, order, 2.0), axis=1)
        for turn in range(missing.sum(axis=1).max(initial=0)):
            which = np.flatnonzero(missing.sum(axis=1) > turn)
            cells = coding.encoded(rows[which])
            seen = self._seen(cells)
            chosen = torch.randint(len(networks), (len(which),), generator=generator)
            told = [self._told(network, *seen) for network in networks]
            _, mixtures, logits = (
                torch.stack(each)[chosen, torch.arange(len(which))]
                for each in zip(*told, strict=True)
            )
            place = order[which, turn]
            rows[which, columns[place]] = self._cells(place, seen, mixtures, logits, generator)
        rows[:, np.setdiff1d(np.arange(rows.shape[1]), columns)] = 0.0
        return rows

    def _cells(self, place, seen, mixtures, logits, generator):
        """One scaled cell of each row, drawn: of the column at this place."""
        coding, n_told = self.coding, len(self.coding.columns)
        result, at = np.empty(len(place)), torch.arange(len(place))
        numbers = torch.from_numpy(place.clip(max=max(0, n_told - 1)))
        if n_told:
            base, deviation, _ = seen
            which = torch.from_numpy(coding.drawn)[numbers]
            gaps = Mixture(self.share_of_draws * mixtures[at, numbers]).draw(generator)
            values = (base[at, which] + deviation[at, which] * gaps).numpy()
            result[:] = values * coding.unit[which] + coding.centre[which]
        if len(coding.categories):
            symbols = [drawn(each.log_softmax(1), generator) for each in logits.split(self._sizes, 1)]
            levels = coding.levels(torch.stack(symbols, 1).numpy())
            of_level = place >= n_told
            result[of_level] = levels[of_level, place[of_level] - n_told]
        return result

    @property
    def _sizes(self):
        return [size for _, _, size in self.coding.digits]

    def _networks(self):
        networks = []
        for weights in self.weights:
            network = _new_network(self.coding, self.hidden, new_generator(0))
            network.load_state_dict({name: torch.from_numpy(x.copy()) for name, x in weights.items()})
            networks.append(network.double().requires_grad_(False))
        return networks

    def _seen(self, cells: Cells):
        base, deviation = self.gaussian.conditional(cells.numbers, cells.known)
        return base, deviation, self.coding.one_hot(cells.symbols, torch.float64)

    def _told(self, network, base, deviation, one_hot):
        return network(self.coding.limited(base), deviation, one_hot)


def _new_network(coding, hidden, generator):
    n_told = len(coding.columns)
    return PredictionNetwork(
        coding.n_numbers, n_told, coding.n_symbols, hidden, _COMPONENTS, generator
    )


def fitted_prediction(values, scaled, scaler, seed, device):
    """The :class:`Prediction` learned from training rows; None where these are too wide.

    Parameters
    ----------
    values, scaled : ndarray of shape (n, n_features), float64
        Training rows in original units and scaled; NaN where cells are missing.
    scaler : Scaler
    seed : int
    device : torch.device
        On which the networks are trained.

    Returns
    -------
    Prediction or None
    """
    scaled = scaled[evenly(len(scaled), _MOST_ROWS)]
    coding = CellCoding(scaled, scaler)
    n_features = coding.n_numbers + coding.n_symbols
    if not 0 < n_features <= _MOST_FEATURES or coding.n_numbers > _MOST_NUMBERS:
        return None
    generator, few = new_generator(seed), len(scaled) < _SMALL
    hidden = _SMALL_WIDTH if few else _WIDTH
    networks = [
        _new_network(coding, hidden, generator) for _ in range(_SMALL_NETWORKS if few else 1)
    ]
    cells = coding.encoded(scaled)
    found = trained(networks, coding, cells, generator, device, few)
    return Prediction(coding, found.gaussian, hidden, found.weights, *found.shares)
