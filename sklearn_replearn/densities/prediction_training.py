"""Networks that learn to predict cells that are hidden from them."""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from .._runtime.arrays import to_arrays
from .gaussian import Gaussian, fitted_gaussian
from .mixture import Mixture

_HELD_OUT = 0.1  # share of cells by which is told when to stop
_MOST_HELD_ROWS = 4000
_EXAMPLES = 100_000  # rows with hidden cells
_PRODUCTS = 2**35  # in the solving of all of them
_MOST_EACH = 64  # examples of a row
_CHECKS = 8
_BATCH = 256
_RATE, _DECAY, _WARM_UP = 2e-3, 1e-3, 50
_FARTHEST = 8.0
_LEAST_DEVIATION = 1e-4
_OF_DENSITY = 0.3  # weight of the log-density beside the squared error
_FEW_AT_MOST = 0.5, 0.05, 0.4  # share of the examples in which few cells are hidden, and how many
_SHARES = torch.linspace(0, 1, 11, dtype=torch.float64)


@dataclass(frozen=True)
class Trained:
    """What was learned.

    Attributes
    ----------
    gaussian : Gaussian
    weights : list of dict of str to ndarray
    shares : tuple of float
        Of what the networks say, for means and for draws.
    """

    gaussian: Gaussian
    weights: list
    shares: tuple


@dataclass(frozen=True)
class _Examples:
    """Rows with hidden cells, and what is hidden.

    Attributes
    ----------
    seen : tuple of Tensor
        Numbers, deviations and symbols that are shown.
    gaps, drawn_gaps : Tensor of shape (n, n_columns)
        Of hidden numbers, in deviations from what is expected: means and what is drawn.
    weight : Tensor of shape (n, n_columns)
        Of squared gaps; 0 where no number is hidden.
    symbols : Tensor of shape (n, n_digits)
        Hidden ones; -1 where none is.
    """

    seen: tuple
    gaps: torch.Tensor
    drawn_gaps: torch.Tensor
    weight: torch.Tensor
    symbols: torch.Tensor

    def __len__(self):
        return len(self.gaps)


def trained(networks, coding, cells, generator, device, few):
    """Train networks, each for itself; they stop where together they are best on held-out cells.

    Parameters
    ----------
    networks : list of PredictionNetwork
    coding : CellCoding
    cells : Cells
        Training rows.
    generator : torch.Generator, on the CPU
    device : torch.device
    few : bool
        Whether the rows are so few that much is dropped and little is learned.

    Returns
    -------
    Trained
    """
    n_updates, drop = (500, 0.2) if few else (2000, 0.05)
    there = _columns_known(coding, cells)
    held = torch.rand(there.shape, generator=generator) < _HELD_OUT
    # Rows of which little is known keep it.
    held &= there & (there.sum(1, keepdim=True) > 2)
    shown = there & ~held
    gaussian = fitted_gaussian(cells.numbers, _numbers_of(coding, shown))
    examples = _hidden(coding, cells, shown, gaussian, generator)
    checked = held.any(1).nonzero()[:_MOST_HELD_ROWS, 0]
    checks = _examples(coding, cells.take(checked), shown[checked], held[checked], gaussian)
    steps = sorted({max(1, n_updates * (k + 1) // _CHECKS) for k in range(_CHECKS)})
    told = []
    snapshots = []
    for network in networks:
        network.to(device)
        found = _states(network, coding, examples, steps, drop, generator, device)
        kept = []
        for step_state in found:
            kept.append(step_state)
        snapshots.append(kept)
        told.append([_told_of(network, state, coding, checks, device) for state in kept])
    best, shares = _best(told, coding, checks)
    weights = [states[best] for states in snapshots]
    whole = fitted_gaussian(cells.numbers, cells.known)
    return Trained(whole, weights, shares)


def _columns_known(coding, cells):
    """Which cells are there, of all columns of numbers and then of all categories."""
    firsts = [
        k for k, (_, divisor, _) in enumerate(coding.digits)
        if k == 0 or coding.digits[k - 1][0] != coding.digits[k][0]
    ]
    return torch.cat([cells.known[:, : len(coding.columns)], cells.symbols[:, firsts] >= 0], 1)


def _numbers_of(coding, columns):
    return columns[:, torch.from_numpy(coding.column_of_number)]


def _symbols_of(coding, columns, symbols):
    """Symbols of these columns only."""
    places = [len(coding.columns) + place for place, _, _ in coding.digits]
    return torch.where(columns[:, places], symbols, -1)


def _hidden(coding, cells, shown, gaussian, generator):
    """Examples in which some shown cells are hidden at random, several of each row."""
    n, width = shown.shape
    most = min(_EXAMPLES, max(_PRODUCTS // (4 * coding.n_numbers**3 + 1), 2000))
    rows = torch.arange(n).repeat(max(1, min(most // max(n, 1), _MOST_EACH)))
    if len(rows) > most:
        rows = torch.randperm(n, generator=generator)[:most]
    shown, shape = shown[rows], (len(rows), 1)
    often, low, high = _FEW_AT_MOST
    uniform = torch.rand(shape, generator=generator)
    few = torch.rand(shape, generator=generator) < often
    share = torch.where(few, low + (high - low) * uniform, uniform)
    hide = torch.rand(shown.shape, generator=generator) < share
    # One at least.
    one = torch.where(shown, torch.rand(shown.shape, generator=generator), -1.0).argmax(1)
    hide[torch.arange(len(rows)), one] = True
    hide &= shown
    some = hide.any(1)
    rows, shown, hide = rows[some], shown[some], hide[some]
    return _examples(coding, cells.take(rows), shown & ~hide, hide, gaussian)


def _examples(coding, cells, shown, hidden, gaussian):
    base, deviation = gaussian.conditional(cells.numbers, _numbers_of(coding, shown))
    n_columns, drawn = len(coding.columns), torch.from_numpy(coding.drawn)
    told = hidden[:, :n_columns]
    scale = deviation.clamp_min(_LEAST_DEVIATION)
    gaps = ((cells.numbers - base) / scale).clamp(-_FARTHEST, _FARTHEST).float()
    weight = torch.where(told, scale[:, :n_columns].square(), 0.0)
    weight = weight * (told.sum() / weight.sum().clamp_min(1e-12))
    return _Examples(
        (
            coding.limited(base).float(),
            deviation.float(),
            _symbols_of(coding, shown, cells.symbols),
        ),
        gaps[:, :n_columns],
        gaps[:, drawn],
        weight.float(),
        _symbols_of(coding, hidden, cells.symbols),
    )


def _states(network, coding, examples, steps, drop, generator, device):
    """Weights of a network after so many updates, while it is trained."""
    flat = [p for p in network.parameters() if p.dim() < 2]
    deep = [p for p in network.parameters() if p.dim() >= 2]
    groups = [{"params": deep, "weight_decay": _DECAY}, {"params": flat, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=_RATE, fused=True)
    n, states = len(examples), []
    if not n:
        return [to_arrays(network.state_dict()) for _ in steps]

    def dropped(units):
        kept = torch.rand(units.shape, generator=generator) >= drop
        return units * kept.to(units) / (1 - drop)

    order, start, size = torch.randperm(n, generator=generator), 0, min(_BATCH, n)
    for update in range(steps[-1]):
        if start + size > n:
            order, start = torch.randperm(n, generator=generator), 0
        rows, start = order[start : start + size], start + size
        rate = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * update / steps[-1]))
        for group in optimizer.param_groups:
            group["lr"] = _RATE * rate * min(1.0, (update + 1) / _WARM_UP)
        loss = _loss(network, coding, examples, rows, device, dropped)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if update + 1 in steps:
            states.append(to_arrays(network.state_dict()))
    return states


def _told(network, coding, examples, rows, device, drop=None):
    numbers, deviations, symbols = (x[rows].to(device) for x in examples.seen)
    return network(numbers, deviations, coding.one_hot(symbols, numbers.dtype), drop)


def _loss(network, coding, examples, rows, device, drop):
    gaps, mixtures, logits = _told(network, coding, examples, rows, device, drop)
    true, drawn, weight, symbols = (
        x[rows].to(device)
        for x in (examples.gaps, examples.drawn_gaps, examples.weight, examples.symbols)
    )
    hidden = weight > 0
    squares = (weight * (gaps - true).square()).sum()
    density = torch.where(hidden, Mixture(mixtures).log_density(drawn), 0.0).sum()
    entropy = sum(
        F.cross_entropy(each, symbols[:, k], ignore_index=-1, reduction="sum")
        for k, each in enumerate(logits.split([size for _, _, size in coding.digits], 1))
    ) if coding.digits else 0.0
    count = hidden.sum() + (symbols >= 0).sum()
    return (squares - _OF_DENSITY * density + entropy) / count.clamp_min(1)


@torch.no_grad()
def _told_of(network, state, coding, checks, device):
    network.load_state_dict({name: torch.from_numpy(x) for name, x in state.items()})
    told = _told(network, coding, checks, slice(None), device)
    return [x.double().cpu() for x in told]


def _best(told, coding, checks):
    """The step after which networks are best on held-out cells, and the shares for means, draws."""
    weight, true = checks.weight.double(), checks.gaps.double()
    hidden, results = weight > 0, []
    for each in zip(*told, strict=True):
        gaps, mixtures, logits = (list(x) for x in zip(*each, strict=True))
        gaps = torch.stack(gaps).mean(0)
        along, length = (weight * true * gaps).sum(), (weight * gaps.square()).sum()
        prior = 0.02 * length + 1e-12
        share = ((along + prior) / (length + prior)).clamp(0, 1)
        error = share**2 * length - 2 * share * along
        entropy = 0.0
        if coding.digits:
            for k, parts in enumerate(zip(*(x.split([s for _, _, s in coding.digits], 1) for x in logits), strict=True)):
                chances = torch.stack([x.softmax(1) for x in parts]).mean(0).clamp_min(1e-12).log()
                entropy += F.nll_loss(chances, checks.symbols[:, k], ignore_index=-1, reduction="sum")
        results.append((float(error + entropy), float(share), mixtures))
    best = min(range(len(results)), key=lambda k: results[k][0])
    _, share, mixtures = results[best]
    drawn, densities = checks.drawn_gaps.double(), []
    for each in _SHARES:
        density = torch.stack([Mixture(each * x).log_density(drawn) for x in mixtures])
        densities.append(torch.where(hidden, density.logsumexp(0), 0.0).sum())
    of_draws = _SHARES[torch.stack(densities).argmax()] if hidden.any() else _SHARES[0]
    return best, (share, float(of_draws))
