"""A masked network trained on the rows of a table, until rows held out gain no more."""

import math

import numpy as np
import torch
from torch import nn

from .._runtime.randomness import draw_integer, new_generator
from .._runtime.tasks import current_task
from .._training.schedule import CosineSchedule
from .mixture import Mixture
from .slots import ABSENT

_BATCH, _SMALLEST_BATCH = 256, 32
#: Below, what is known before training is all that is known.
FEWEST_ROWS = 20
_SMALL_TABLE = 2000
_HELD_OUT, _HELD_OUT_OF_SMALL = 0.1, 0.2
_LR, _WEIGHT_DECAY, _LARGEST_GRADIENT = 5e-3, 0.1, 5.0
_DROPPED, _MOST_DROPPED, _ROWS_OF_DROPPED, _SLOTS_OF_DROPPED = 0.1, 0.5, 7000, 8
_HIDDEN = 0.15  # share of the rows of which some cells are hidden
_LOOKS = 0, 10, 20, 30, 50, 75  # updates after which held-out rows are looked at, and each 50th
_PATIENCE = 0.25  # share of the updates


def rows_and_held_out(multiset, most, generator):
    """Numbers of at most so many rows, each as often as it weighs, and which are held out.

    A row that is there twice is held out twice. Of one that is there many times some are, or a
    value that most rows share would be told by none that are held out.

    Returns
    -------
    numbers : ndarray of shape (n,), int
    held_out : ndarray of shape (n,), bool
        None is, where there are so few rows that nothing is trained.
    """
    numbers = multiset.sample(most)
    if len(multiset) < FEWEST_ROWS:
        return numbers, np.zeros(len(numbers), dtype=bool)
    share = _HELD_OUT if len(multiset) >= _SMALL_TABLE else _HELD_OUT_OF_SMALL
    often = np.bincount(numbers)[numbers] * share >= 1
    of_rows, of_draws = (
        torch.rand(n, generator=generator, dtype=torch.float64, device="cpu").numpy()
        for n in (len(multiset), len(numbers))
    )
    draws = np.where(often, of_draws, of_rows[numbers])
    return numbers, draws <= max(share, draws.min())


_FIELDS = "symbols", "seen", "numbers", "lower", "upper"


class Encoded:
    """Rows as a masked network takes them.

    Parameters
    ----------
    symbols : Tensor of shape (n, n_slots), int64
    seen, numbers : Tensor of shape (n, n_numbers)
        As they are seen, and as they are, scaled.
    lower, upper : Tensor of shape (n, n_numbers)
        Ends of the step around each number, where its column has steps.
    """

    def __init__(self, symbols, seen, numbers, lower, upper):
        self.symbols, self.seen, self.numbers = symbols, seen, numbers
        self.lower, self.upper = lower, upper

    def __len__(self):
        return len(self.symbols)

    def take(self, which):
        """Some of them."""
        return Encoded(*(getattr(self, name)[which] for name in _FIELDS))

    def hidden(self, network, which):
        """The same, but that cells which are hidden are not seen."""
        symbols = torch.where(which, ABSENT, self.symbols)
        seen = self.seen * ~which[:, network.numbers]
        return Encoded(symbols, seen, self.numbers, self.lower, self.upper)


class _Dropout:
    """Units and inputs dropped in training, more of them where there are few rows."""

    def __init__(self, n_rows, n_slots, generator):
        self.generator = generator
        share = _DROPPED * _ROWS_OF_DROPPED / n_rows * min(1.0, n_slots / _SLOTS_OF_DROPPED)
        self.share = min(_MOST_DROPPED, share)

    def units(self, x):
        return self._dropped(x, self.share)

    def inputs(self, x):
        share = 0.4 * (self.share - _DROPPED)
        return self._dropped(x, share) if share > 0 else x

    def _dropped(self, x, share):
        uniform = torch.rand(x.shape, generator=self.generator, device=x.device, dtype=x.dtype)
        return x * ((uniform >= share).to(x) / (1 - share))


def log_likelihood(network, rows, features, gaps, logits, mixtures):
    """Of each row, but for the deviations that gaps are in; Tensor of shape (n,).

    A value of a column with steps that is told by itself may be drawn as any other, too: whichever
    explains it.
    """
    log_sums = network.log_sums(logits)
    known = rows.symbols != ABSENT
    places = rows.symbols.clamp_min(0) + network.starts
    each = logits.gather(1, places) - log_sums
    if network.numbers:
        of_numbers = _of_numbers(network, rows, features, gaps, Mixture(mixtures))
        symbols, there = rows.symbols[:, network.numbers], network.there
        rest = logits[:, network.rest] - log_sums[:, network.numbers]
        rest = rest + torch.where(symbols < there, of_numbers, 0.0)
        told = each[:, network.numbers]
        both = torch.where(
            network.stepped & (symbols < there - 1), torch.logaddexp(told, rest), told
        )
        told = torch.where(symbols == there - 1, rest, both)
        each = each.index_copy(1, network.slots_of_numbers, told)
    return torch.where(known, each, 0.0).sum(1)


def _of_numbers(network, rows, features, gaps, mixture):
    """Log-density of gaps, log-probability of the steps around them where there are steps."""
    found, k = mixture.log_density(gaps), network.stepped
    if not k.any():
        return found
    expected, deviation = network.expected(features)[:, k], network.linear_deviation[k]
    ends = ((end[:, k] - expected) / deviation for end in (rows.lower, rows.upper))
    return found.index_copy(1, k.nonzero()[:, 0], mixture.of(k).log_of_steps(*ends))


def train(network, rows, held_out, max_updates, generator):
    """Train a network in place; it ends with the weights that are best for rows held out.

    Parameters
    ----------
    network : MaskedNetwork
    rows : Encoded
    held_out : Encoded
        Nothing is trained where there are none.
    max_updates : int
    generator : torch.Generator, on the CPU

    Returns
    -------
    float
        Mean log-likelihood of rows held out, but for the deviations that gaps are in.
    """
    if not (len(held_out) and max_updates and network.sizes):
        return 0.0
    looks = {u for u in range(max_updates + 1) if u in _LOOKS or u % 50 == 0}
    task, device = current_task(), rows.symbols.device
    task.begins(len(looks))
    noise = new_generator(draw_integer(generator), device)
    drop, batch = (
        _Dropout(len(rows), rows.symbols.shape[1], noise),
        min(_BATCH, max(_SMALLEST_BATCH, len(rows) // 8)),
    )
    lr = _LR * min(1.0, math.sqrt(_DROPPED / drop.share))
    schedule = CosineSchedule(max_updates)
    direct = {"params": [network.direct_weight], "weight_decay": 0.0}
    others = [w for name, w in network.named_parameters() if name != "direct_weight"]
    optimizer = torch.optim.AdamW(
        [direct, {"params": others}], lr=lr, weight_decay=_WEIGHT_DECAY, fused=True
    )
    order = torch.zeros(0, dtype=torch.int64, device=device)
    best, found = -math.inf, 0
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    for update in range(max_updates + 1):
        if update in looks:
            reached = _mean_log_likelihood(network, held_out)
            stop = task.part("check").ends({"log-likelihood held out": reached})
            if reached > best:
                best, found = reached, update
                weights = {name: value.clone() for name, value in network.state_dict().items()}
            elif update - found > _PATIENCE * max_updates or not math.isfinite(reached):
                break
            if stop:
                break
        if len(order) < batch:
            order = torch.randperm(len(rows), generator=noise, device=device)
        some, order = rows.take(order[:batch]), order[batch:]
        for group in optimizer.param_groups:
            group["lr"] = lr * schedule(min(update, max_updates - 1))
        loss = -_of_some_hidden(network, some, drop, noise).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT)
        optimizer.step()
    network.load_state_dict(weights)
    return best


def _of_some_hidden(network, rows, drop, noise):
    shape, device = rows.symbols.shape, rows.symbols.device
    shape = len(rows), shape[1] + 2
    uniform = torch.rand(shape, generator=noise, device=device, dtype=torch.float32)
    share = uniform[:, :1] * (uniform[:, 1:2] < _HIDDEN)
    shown = rows.hidden(network, uniform[:, 2:] < share)
    features, gaps = network.features(shown.symbols, shown.seen, rows.numbers)
    return log_likelihood(network, rows, features, gaps, *network(features, drop))


@torch.no_grad()
def _mean_log_likelihood(network, rows):
    total = 0.0
    for part in torch.arange(len(rows), device=rows.symbols.device).split(1024):
        some = rows.take(part)
        features, gaps = network.features(some.symbols, some.seen, some.numbers)
        each = log_likelihood(network, some, features, gaps, *network(features))
        total += float(each.double().sum())
    return total / len(rows)
