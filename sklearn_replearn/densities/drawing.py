"""Rows drawn slot after slot, also given conditions."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from .._tables.levels import UNSEEN
from .conversions import Conversions
from .mixture import Mixture, drawn
from .slots import ABSENT, LevelSlot


class Drawing:
    """Rows of which slots are drawn one after the other.

    Each unit of the network is computed once, when all that it sees is there: drawing rows takes as
    long as scoring them.

    Parameters
    ----------
    density : AutoregressiveDensity
    network : MaskedNetwork
    scaler : Scaler
    n : int
        Rows.
    generator : torch.Generator

    Attributes
    ----------
    values : ndarray of shape (n, n_features)
        In original units; NaN for what is missing or not told.
    log_weights : Tensor of shape (n,)
        How likely the conditions were for each row.
    """

    def __init__(self, density, network, scaler, n, generator):
        self.slots, self.network, self.scaler = density.slots, network, scaler
        self.generator, device = generator, network.starts.device
        zeros = {"dtype": torch.float64, "device": device}
        hidden = len(network.degree)
        self.features = torch.zeros((n, network.width), **zeros)
        self.first, self.units = (torch.zeros((n, hidden), **zeros) for _ in range(2))
        self.values = np.full((n, len(scaler.low)), np.nan)
        self.log_weights = torch.zeros(n, **zeros)
        self.conversions = Conversions(scaler)

    def run(self, conditions, as_fit):
        """Draw all slots.

        Parameters
        ----------
        conditions : dict of int to Condition
            By column.
        as_fit : bool
            Whether cells without a condition may be missing.
        """
        for s, slot in enumerate(self.slots.slots):
            condition = conditions.get(slot.column)
            logits = self._logits(s)
            if slot.missing and (condition is not None or not as_fit):
                logits = logits[:, : slot.size]
            if isinstance(slot, LevelSlot):
                symbols, numbers = self._level(slot, logits, condition), None
            else:
                symbols, numbers = self._number(s, slot, logits, condition)
            self._take(s, slot, symbols, numbers)

    # ---------------------------------------------------------------- the network

    def _logits(self, s):
        which = slice(*self._place_of_symbols(s))
        one_hot = self.features[:, : self.network.n_symbols]
        return self._told(which) + F.linear(one_hot, self.network.linear_lift[which])

    def _place_of_symbols(self, s):
        start = int(self.network.starts[s])
        return start, start + self.network.sizes[s]

    def _mixture(self, k):
        width = 3 * self.network.n_components
        start = self.network.n_symbols + k * width
        told = self._told(slice(start, start + width))
        return Mixture(told.view(len(told), 3, -1))

    def _told(self, which):
        network = self.network
        direct = F.linear(self.features, network.direct_weight[which] * network.direct[which])
        masked = network.last_weight[which] * network.last[which]
        return direct + F.linear(self.units, masked, network.last_bias[which])

    def _take(self, s, slot, symbols, numbers):
        """Let what has been drawn be seen."""
        network = self.network
        known = symbols != ABSENT
        places = symbols.clamp_min(0) + network.starts[s]
        self.features.scatter_(1, places[:, None], known[:, None].double())
        if slot.rest:
            k = network.numbers.index(s)
            there = known & (symbols < slot.size)
            seen = torch.from_numpy(self.conversions.limited(slot.column, numbers.cpu().numpy()))
            self.features[:, network.n_symbols + k] = torch.where(
                there, seen.to(numbers.device), 0.0
            )
            gap = (numbers - self.expected) / network.linear_deviation[k]
            place = network.n_symbols + len(network.numbers) + k
            self.features[:, place] = torch.where(there, network.shown(gap), 0.0)
        units = (network.degree == s).nonzero()[:, 0]
        if len(units):
            upto = int(units[-1]) + 1
            first, second = network.first_weight[units], network.second_weight[units, :upto]
            self.first[:, units] = F.silu(F.linear(self.features, first, network.first_bias[units]))
            deeper = F.linear(self.first[:, :upto], second, network.second_bias[units])
            self.units[:, units] = self.first[:, units] + F.silu(deeper)

    # ---------------------------------------------------------------- categories

    def _level(self, slot, logits, condition):
        """Symbols of a digit, those that make a level and meet a condition."""
        j, n = slot.column, len(logits)
        before = np.where(np.isnan(self.values[:, j]), 0, self.values[:, j] - 1).astype(np.int64)
        digits = np.arange(slot.size)
        possible = slot.possible(self.values[:, j])
        if condition is not None:
            wanted = condition.values
            wanted = np.array([condition.low]) if condition.exact else wanted
            if wanted is None:
                wanted = np.arange(1, slot.n_levels + 1)
                wanted = wanted[condition.holds(wanted)]
            allowed = wanted[wanted > UNSEEN].astype(np.int64) - 1
            if slot.leading:
                possible = np.tile(np.isin(digits, allowed // slot.divisor), (n, 1))
            else:
                for quotient in np.unique(before):
                    which = before == quotient
                    possible[which] = np.isin(quotient + digits, allowed)
        open_ = torch.ones(logits.shape, dtype=torch.bool, device=logits.device)
        open_[:, : slot.size] = torch.from_numpy(possible).to(logits.device)
        kept = torch.where(open_, logits, -math.inf)
        if condition is not None:
            every = torch.from_numpy(slot.possible(self.values[:, j])).to(logits.device)
            every = torch.where(every, logits[:, : slot.size], -math.inf)
            self.log_weights += torch.logsumexp(kept, 1) - torch.logsumexp(every, 1)
        symbols = drawn(kept, self.generator)
        shown = symbols.cpu().numpy()
        gone = shown >= slot.size
        if not slot.leading:
            gone = np.isnan(self.values[:, j])
        self.values[:, j] = np.where(gone, np.nan, before + shown * slot.divisor + 1)
        absent = torch.from_numpy(gone & (not slot.leading)).to(symbols.device)
        return torch.where(absent, ABSENT, symbols)

    # ---------------------------------------------------------------- numbers

    def _number(self, s, slot, logits, condition):
        """Symbols and scaled numbers of a column."""
        self.expected, mixture = None, None
        if slot.rest:
            k = self.network.numbers.index(s)
            self.expected = self.network.expected(self.features)[:, k]
            deviation = self.network.linear_deviation[k]
            mixture = self._mixture(k)
            self.low, self.high = (
                (end - self.expected) / deviation for end in self.conversions.range_of(slot.column)
            )
        if condition is None:
            symbols = drawn(logits, self.generator)
            gaps = None if mixture is None else mixture.draw(self.generator, self.low, self.high)
            return self._told_number(s, slot, symbols, gaps)
        values = condition.values
        values = np.array([condition.low]) if condition.exact else values
        if values is None:
            return self._within(s, slot, logits, mixture, condition)
        return self._one_of(s, slot, logits, mixture, values)

    def _one_of(self, s, slot, logits, mixture, values):
        """One of some values, by how likely each is."""
        j, log_symbols = slot.column, logits.log_softmax(1)
        symbols = torch.from_numpy(slot.symbols(values)).to(logits.device)
        log_p = log_symbols[:, symbols]
        scaled = self.conversions.scaled(j, values)
        if slot.rest:
            k = self.network.numbers.index(s)
            deviation = self.network.linear_deviation[k]

            def gaps(ends):
                ends = torch.from_numpy(ends).to(logits.device)
                return (ends - self.expected[:, None]) / deviation

            some = mixture.beside()
            if slot.step:
                rest = some.log_mass(*map(gaps, self.conversions.step_ends(j, values, slot.step)))
            else:
                rest = some.log_density(gaps(scaled))
            rest = rest + log_symbols[:, slot.size - 1 : slot.size]
            other = symbols == slot.size - 1
            both = torch.logaddexp(log_p, rest) if slot.step else log_p
            log_p = torch.where(other, rest, both)
        self.log_weights += torch.logsumexp(log_p, 1)
        chosen = drawn(log_p, self.generator)
        self.values[:, j] = values[chosen.cpu().numpy()]
        numbers = torch.from_numpy(scaled).to(logits.device)[chosen]
        return symbols[chosen], numbers

    def _within(self, s, slot, logits, mixture, condition):
        """Anything within a range."""
        j, log_symbols = slot.column, logits.log_softmax(1)
        open_ = torch.from_numpy(condition.holds(slot.atoms)).to(logits.device)
        log_p = torch.where(open_, log_symbols[:, : len(slot.atoms)], -math.inf)
        gaps = None
        if slot.rest:
            k = self.network.numbers.index(s)
            ends = self.conversions.on_steps_within(j, condition, slot.step)
            low, high = ((end - self.expected) / self.network.linear_deviation[k] for end in ends)
            low, high = torch.maximum(low, self.low), torch.minimum(high, self.high)
            empty = low >= high
            high = torch.where(empty, low + 1e-9, high)
            rest = mixture.log_mass(low, high) + log_symbols[:, slot.size - 1]
            log_p = torch.cat([log_p, torch.where(empty, -math.inf, rest)[:, None]], 1)
            gaps = mixture.draw(self.generator, low, high)
        self.log_weights += torch.logsumexp(log_p, 1)
        symbols = drawn(log_p, self.generator)
        found = self._told_number(s, slot, symbols, gaps)
        self.values[:, j] = np.clip(self.values[:, j], condition.low, condition.high)
        return found

    def _told_number(self, s, slot, symbols, gaps):
        """Write drawn symbols and gaps into the values; gives symbols and scaled numbers."""
        j, shown = slot.column, symbols.cpu().numpy()
        n_atoms = len(slot.atoms)
        values = np.full(len(shown), np.nan)
        at = shown < n_atoms
        values[at] = slot.atoms[shown[at]]
        numbers = np.zeros(len(shown))
        if n_atoms:
            numbers[at] = self.conversions.scaled(j, slot.atoms)[shown[at]]
        if slot.rest:
            k = self.network.numbers.index(s)
            rest = shown == n_atoms
            scaled = self.expected + gaps * self.network.linear_deviation[k]
            scaled = scaled.cpu().numpy()[rest]
            values[rest] = self.conversions.original(j, scaled)
            numbers[rest] = self.conversions.scaled(j, values[rest]) if slot.step else scaled
        self.values[:, j] = values
        return symbols, torch.from_numpy(numbers).to(symbols.device)
