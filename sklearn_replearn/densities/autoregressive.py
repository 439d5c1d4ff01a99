"""The density of a table as a product of conditional ones, column after column."""

import sys
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from .._dataset.multiset import Multiset
from .._runtime.arrays import to_arrays, to_tensors
from .._runtime.parameters import Whole, check_parameters
from .._runtime.randomness import new_generator
from .._runtime.sklearn import BaseEstimator, StrOptions
from .._runtime.tasks import current_task
from .._scaling.measure import Measure
from .conversions import step_ends
from .mixture import Mixture, parameters_of
from .network import MaskedNetwork
from .parents import log_lifts
from .slots import ABSENT, LevelSlot, Slots, slots_of
from .training import FEWEST_ROWS, Encoded, rows_and_held_out, train
from .triangular import triangular

_LEAST, _MOST, _TOGETHER = 8, 32, 96  # components of a number, and of all
_ROWS_FOR_ONE = 3000  # fewer may be told as well by one normal distribution
_MOST_ROWS, _ROWS_OF_MIXTURES = 2**16, 2**12
_MOST_WEIGHTS = 2**25
_ROWS_OF_PRIOR = 0.5  # of a symbol that no row has


class Autoregressive(BaseEstimator):
    r"""A density of rows: each column given those before it, by a masked network.

    :math:`p(x) = \prod_j p(x_j | x_{<j})`. Categories have a softmax; numbers a softmax over the
    values that many rows share and "another one", for which there is a mixture of normal
    distributions around what the columns before tell linearly (ridge regression). Whether a cell is
    missing is told as well, where fit saw missing cells.

    Parameters
    ----------
    hidden_size : int, default=256
        Width of the two hidden layers.
    n_components : int or "auto", default="auto"
        Normal distributions in the mixture of each number. "auto" is 8, up to 32 where there are
        few columns; of fewer than 3000 rows one in a quarter of the width is tried, too, and rows
        held out choose.
    max_updates : int, default=2000
        Batches of 256 rows that the network is trained on at most. It ends earlier when rows held
        out (a tenth, a fifth of fewer than 2000) gain no more, and keeps the weights that were best
        for them. The network that fills missing cells is trained on as many, but at most 1100.

    Notes
    -----
    The order of columns follows from the table: categories by their entropy, then numbers, those
    that others tell least about first. With few rows more units are dropped in training, up to half
    of them for 1400 rows and fewer.

    References
    ----------
    Germain et al. (2015), *MADE: masked autoencoder for distribution estimation*.
    Bishop (1994), *Mixture density networks*.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.densities import Autoregressive
    >>> X = load_wine().data
    >>> plain = VAETransformer(max_epochs=20).fit(X)
    >>> vae = VAETransformer(max_epochs=20, density=Autoregressive(max_updates=200)).fit(X)
    >>> bool((vae.transform(X) == plain.transform(X)).all()), vae.score(X) > plain.score(X)
    (True, True)
    """

    _parameter_constraints = {
        "hidden_size": [Whole(1, 2**14)],
        "n_components": [StrOptions({"auto"}), Whole(1, 2**10)],
        "max_updates": [Whole(0)],
    }

    def __init__(
        self,
        hidden_size: int = 256,
        n_components: int | Literal["auto"] = "auto",
        max_updates: int = 2000,
    ) -> None:
        self.hidden_size = hidden_size
        self.n_components = n_components
        self.max_updates = max_updates

    def __setstate__(self, state):
        # As Python stores names of attributes: stored again, it is the same bytes.
        super().__setstate__({sys.intern(name): value for name, value in state.items()})

    def fitted(self, multiset: Multiset, model: Any, measure: Measure, device: torch.device) -> Any:
        """The :class:`AutoregressiveDensity` of training rows.

        Parameters
        ----------
        multiset : Multiset
        model : Model
            But for its weights.
        measure : Measure
        device : torch.device

        Raises
        ------
        ValueError
            If the table is too wide.
        """
        check_parameters(self)
        scaler, generator = model.scaler, new_generator(model.seed)
        numbers, held_out = rows_and_held_out(multiset, _MOST_ROWS, generator)
        values = multiset.values(numbers).astype(np.float64)
        scaled = scaler.scale(values)
        as_given = np.array([kind.support.as_given for kind in model.plan.likelihoods])
        slots = slots_of(values, scaled, scaler, measure, as_given)
        plans = self._plans(slots, len(multiset))
        n_weights = sum(w.numel() for w in _network(slots, *plans[0]).parameters())
        if n_weights > _MOST_WEIGHTS:
            raise ValueError(
                f'density="autoregressive" is for tables of up to some hundred columns or levels: '
                f"this one of {multiset.width:,} columns would need {n_weights:,} weights. Leave "
                'density at "independent".'
            )
        rows = encoded(slots, values, scaler, device)
        rows, held_out = (
            rows.take(torch.from_numpy(np.flatnonzero(which)).to(device))
            for which in (~held_out, held_out)
        )
        found, task = None, current_task()
        task.begins(len(plans))
        with torch.inference_mode(False), torch.enable_grad():
            for plan in plans:
                network = _network(slots, *plan)
                _initialise(network.to(device), rows, generator)
                with task.part("network").done():
                    reached = train(
                        network, _single(rows), _single(held_out), self.max_updates, generator
                    )
                if found is None or reached > found[0]:
                    found = reached, plan, network
        _, plan, network = found
        linear = {name: x for name, x in network.named_buffers() if name.startswith("linear")}
        weights = dict(network.named_parameters())
        return AutoregressiveDensity(slots, *plan, to_arrays(weights), to_arrays(linear))

    def _plans(self, slots, n_rows):
        """Widths and numbers of components that are tried; the first where there are many rows."""
        n_components = self.n_components
        if n_components != "auto":
            return [(self.hidden_size, n_components)]
        n_components = min(_MOST, max(_LEAST, _TOGETHER // max(1, len(slots))))
        plans = [(self.hidden_size, n_components)]
        if FEWEST_ROWS <= n_rows < _ROWS_FOR_ONE and slots.numbers:
            plans.append((max(1, self.hidden_size // 4), 1))
        return plans


def _network(slots, hidden_size, n_components):
    there = [slots.slots[s].size for s in slots.numbers]
    stepped = [slots.slots[s].step > 0 for s in slots.numbers]
    return MaskedNetwork(slots.sizes, slots.numbers, there, stepped, hidden_size, n_components)


def encoded(slots, values, scaler, device):
    """Rows as a network takes them, in float64."""
    scaled, which = scaler.scale(values), slots.columns_of_numbers
    numbers, seen = (
        torch.from_numpy(np.nan_to_num(x[:, which])) for x in (scaled, scaler.limit(scaled))
    )
    half = np.zeros(values.shape[1])
    half[which] = [0.5 * slots.slots[s].step for s in slots.numbers]
    ends = (
        torch.from_numpy(np.nan_to_num(end[:, which])) for end in step_ends(scaler, values, half)
    )
    return Encoded(*(x.to(device) for x in (slots.symbols(values), seen, numbers, *ends)))


def _single(rows):
    floats = (x.float() for x in (rows.seen, rows.numbers, rows.lower, rows.upper))
    return Encoded(rows.symbols, *floats)


@torch.no_grad()
def _initialise(network, rows, generator):
    features, _ = network.double().features(rows.symbols, rows.seen, rows.numbers)
    told = rows.symbols[:, network.numbers]
    told = (told != ABSENT) & (told < network.there)
    of_numbers = torch.tensor(network.numbers, dtype=torch.int64, device=features.device)
    seen = network.seen[: network.linear_weight.shape[1]]
    before = seen[None] < of_numbers[:, None]
    linear = triangular(features[:, : len(seen)], rows.numbers, told, before)
    one_hot = features[:, : network.n_symbols]
    shares = one_hot.sum(0) + _ROWS_OF_PRIOR
    expected = features[:, : len(seen)] @ linear.weights.T + linear.bias
    gaps = (rows.numbers - expected) / linear.deviation
    rest = rows.symbols[:, network.numbers] == network.there - 1
    some = slice(_ROWS_OF_MIXTURES)
    mixtures = parameters_of(gaps[some], rest[some], network.n_components)
    lifts = log_lifts(one_hot, network.sizes)
    network.float().initialise(generator, linear, shares, lifts, mixtures)


@dataclass(frozen=True)
class AutoregressiveDensity:
    """What :class:`Autoregressive` has learned of a table.

    Attributes
    ----------
    slots : Slots
    hidden_size, n_components : int
    weights, linear : dict of str to ndarray
        Parameters and buffers of the network.
    """

    slots: Slots
    hidden_size: int
    n_components: int
    weights: dict
    linear: dict

    def network(self, device):
        """The network, in float64."""
        network = _network(self.slots, self.hidden_size, self.n_components)
        network.load_state_dict(to_tensors({**self.weights, **self.linear}))
        return network.double().eval().requires_grad_(False).to(device)

    def log_prob(self, network, scaler, measure, log_unseen, values):
        """Log-likelihood of each cell given those before it, in the measure of scores.

        Parameters
        ----------
        network : MaskedNetwork
            What :meth:`network` gives.
        scaler : Scaler
        measure : Measure
        log_unseen : float
            Of a level that fit has not seen.
        values : ndarray of shape (n, n_features), float64
            Rows in original units.

        Returns
        -------
        ndarray of shape (n, n_features)
            0 where a cell is missing; minus half the squared distance for columns that were
            constant in fit, as for other likelihoods.
        """
        rows = encoded(self.slots, values, scaler, network.starts.device)
        features, gaps = network.features(rows.symbols, rows.seen, rows.numbers)
        logits, mixtures = network(features)
        of_numbers = self._of_numbers(
            network, Mixture(mixtures), rows, features, gaps, scaler, values
        )
        found = np.zeros(values.shape)
        resting = scaler.constant | scaler.idle
        found[:, resting] = -0.5 * np.square(scaler.scale(values)[:, resting])
        for s, part in enumerate(logits.split(network.sizes, 1)):
            slot, symbols = self.slots.slots[s], rows.symbols[:, s]
            part = part[:, : slot.size]
            if isinstance(slot, LevelSlot) and not slot.leading:
                possible = torch.from_numpy(slot.possible(values[:, slot.column]))
                part = torch.where(possible.to(part.device), part, -torch.inf)
            log_symbols = part.log_softmax(1)
            place = symbols.clamp(0, slot.size - 1)[:, None]
            cells = log_symbols.gather(1, place)[:, 0].cpu().numpy()
            if slot.rest:
                rest = (
                    (log_symbols[:, -1] + of_numbers[:, self.slots.numbers.index(s)]).cpu().numpy()
                )
                other = (symbols == slot.size - 1).cpu().numpy()
                # What many rows share may be drawn as any other value, too, where there are steps.
                both = np.logaddexp(cells, rest) if slot.step else cells
                if slot.widths is not None:
                    nearest = place[:, 0].clamp_max(len(slot.widths) - 1).cpu().numpy()
                    both = cells - np.log(slot.widths)[nearest]
                cells = np.where(other, rest, both) - measure.log_step[slot.column]
            unseen = log_unseen if isinstance(slot, LevelSlot) and slot.leading else 0.0
            cells = np.where((symbols == ABSENT).cpu().numpy(), unseen, cells)
            found[:, slot.column] += cells
        found[np.isnan(values)] = 0.0
        return found

    def _of_numbers(self, network, mixture, rows, features, gaps, scaler, values):
        """Log-density, or log-probability of the step around it, of each number as "another"."""
        columns = self.slots.columns_of_numbers
        slope = np.broadcast_to(scaler.log_slope(values), values.shape)[:, columns]
        slope = torch.from_numpy(np.array(slope)).to(gaps.device)
        found = mixture.log_density(gaps) - network.linear_deviation.log() + slope
        k = network.stepped
        if k.any():
            expected, deviation = network.expected(features)[:, k], network.linear_deviation[k]
            low, high = ((end[:, k] - expected) / deviation for end in (rows.lower, rows.upper))
            high = torch.maximum(high, low + 1e-12)
            found[:, k] = mixture.of(k).log_mass(low, high)
        return found
