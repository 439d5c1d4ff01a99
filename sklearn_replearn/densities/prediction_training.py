"""Networks that learn to predict cells that are hidden from them."""

import math
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn import functional as F

from .._runtime.arrays import to_arrays
from .._runtime.tasks import current_task
from .gaussian import Gaussian, fitted_gaussian
from .mixture import Mixture

_MOST_HELD_OUT, _ENOUGH = 0.1, 2000  # share of cells by which is told when to stop, and how many
_MOST_HELD_ROWS = 4000
_EXAMPLES = 100_000  # rows with hidden cells
_PRODUCTS = 2**35  # in the solving of all of them
_MOST_EACH = 64  # examples of a row
_CHECKS = 8
_FEWEST_UPDATES, _UPDATES = 500, 1100
_BATCH = 256  # of all networks together
_DECAY, _WARM_UP = 1e-3, 50
_FARTHEST = 8.0
_LEAST_DEVIATION = 1e-4
_OF_DENSITY = 0.3  # weight of the log-density beside the squared error
_FEW_AT_MOST = 0.7, 0.05, 0.4  # share of the examples in which few cells are hidden, and how many
_SHARES = [k / 10 for k in range(11)]


@dataclass(frozen=True)
class Trained:
    """What was learned.

    Attributes
    ----------
    gaussian : Gaussian
    weights : dict of str to ndarray
    shares : tuple of float
        Of what the networks say, for means and for draws.
    """

    gaussian: Gaussian
    weights: dict
    shares: tuple


@dataclass(frozen=True)
class _Effort:
    """How long networks learn, at which rate, and the share of their units that is dropped."""

    n_updates: int
    rate: float
    dropped: float


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


def trained(networks, coding, cells, generator, device, few, max_updates):
    """Train networks; they stop where together they are best on held-out cells.

    Parameters
    ----------
    networks : PredictionNetworks
    coding : CellCoding
    cells : Cells
        Training rows.
    generator : torch.Generator, on the CPU
    device : torch.device
    few : bool
        Whether the rows are so few that much is dropped and little is learned.
    max_updates : int
        At most 1100 count.

    Returns
    -------
    Trained
    """
    effort = _Effort(_UPDATES, 4e-3, 0.05)
    if few:
        effort = _Effort(min(max(len(cells), _FEWEST_UPDATES), _UPDATES), 2e-3, 0.2)
    effort = replace(effort, n_updates=min(effort.n_updates, max_updates))
    there = _columns_known(coding, cells)
    share = min(_MOST_HELD_OUT, _ENOUGH / max(1, int(there.sum())))
    held = there & (_uniform(there.shape, generator) < share)
    shown = there & ~held
    gaussian = fitted_gaussian(cells.numbers, _numbers_of(coding, shown))
    most = min(_EXAMPLES, _BATCH * effort.n_updates)
    examples = _hidden(coding, cells, shown, gaussian, most, generator)
    checked = held.any(1).nonzero()[:_MOST_HELD_ROWS, 0]
    checks = _examples(coding, cells.take(checked), shown[checked], held[checked], gaussian)
    steps = {max(1, effort.n_updates * (k + 1) // _CHECKS) for k in range(_CHECKS)}
    if not len(examples) or not effort.n_updates:
        steps = {0}
    best, task = None, current_task()
    task.begins(len(steps))
    for _ in _training(networks.to(device), coding, examples, steps, effort, generator, device):
        told = _told_of(networks, coding, checks, device)
        loss, share = _held_out(told, coding, checks)
        if best is None or loss < best[0]:
            best = loss, share, told, to_arrays(networks.state_dict())
        if task.part("check").ends():
            break
    _, share, told, weights = best
    whole = fitted_gaussian(cells.numbers, cells.known)
    return Trained(whole, weights, (share, _share_of_draws(told[1], checks)))


def _columns_known(coding, cells):
    """Which cells are there, of all columns of numbers and then of all categories."""
    firsts = [
        k
        for k, (_, divisor, _) in enumerate(coding.digits)
        if k == 0 or coding.digits[k - 1][0] != coding.digits[k][0]
    ]
    return torch.cat([cells.known[:, : len(coding.columns)], cells.symbols[:, firsts] >= 0], 1)


def _numbers_of(coding, columns):
    return columns[:, torch.from_numpy(coding.column_of_number)]


def _symbols_of(coding, columns, symbols):
    """Symbols of these columns only."""
    places = [len(coding.columns) + place for place, _, _ in coding.digits]
    return torch.where(columns[:, places], symbols, -1)


def _hidden(coding, cells, shown, gaussian, most, generator):
    """Examples in which some shown cells are hidden at random, several of each row."""
    n = len(shown)
    most = min(most, max(_PRODUCTS // (4 * coding.n_numbers**3 + 1), 2000))
    rows = torch.arange(n, device="cpu").repeat(max(1, min(most // max(n, 1), _MOST_EACH)))
    if len(rows) > most:
        rows = torch.randperm(n, generator=generator, device="cpu")[:most]
    shown, shape = shown[rows], (len(rows), 1)
    often, low, high = _FEW_AT_MOST
    uniform = _uniform(shape, generator)
    few = _uniform(shape, generator) < often
    share = torch.where(few, low + (high - low) * uniform, uniform)
    hide = _uniform(shown.shape, generator) < share
    # One at least.
    one = torch.where(shown, _uniform(shown.shape, generator), -1.0).argmax(1)
    hide.scatter_(1, one[:, None], True)
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


def _training(networks, coding, examples, steps, effort, generator, device):
    """Train networks; gives way after some steps."""
    flat = [p for name, p in networks.named_parameters() if name.endswith("_bias")]
    deep = [p for name, p in networks.named_parameters() if not name.endswith("_bias")]
    groups = [{"params": deep, "weight_decay": _DECAY}, {"params": flat, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=effort.rate, fused=True)
    n, n_networks, total = len(examples), len(networks.first), max(steps)
    size = min(_BATCH // n_networks, n)
    if 0 in steps:
        yield

    def dropped(units):
        kept = _uniform(units.shape, generator) >= effort.dropped
        return units * (kept.to(units) / (1 - effort.dropped))

    start = n
    for update in range(total):
        if start + size > n:
            order = torch.stack(
                [torch.randperm(n, generator=generator, device="cpu") for _ in range(n_networks)]
            )
            start = 0
        rows, start = order[:, start : start + size], start + size
        rate = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * update / total))
        for group in optimizer.param_groups:
            group["lr"] = effort.rate * rate * min(1.0, (update + 1) / _WARM_UP)
        loss = _loss(networks, coding, examples, rows, device, dropped)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(networks.parameters(), math.sqrt(n_networks))
        optimizer.step()
        if update + 1 in steps:
            yield


def _units(networks, coding, seen, drop=None):
    numbers, deviations, symbols = seen
    one_hot = coding.one_hot(symbols.flatten(0, 1), numbers.dtype)
    return networks(numbers, deviations, one_hot.view(*symbols.shape[:2], coding.n_symbols), drop)


def _loss(networks, coding, examples, rows, device, drop):
    units = _units(networks, coding, [x[rows].to(device) for x in examples.seen], drop)
    true, drawn, weight, symbols = (
        x[rows].to(device)
        for x in (examples.gaps, examples.drawn_gaps, examples.weight, examples.symbols)
    )
    hidden = weight > 0
    total = (weight * (networks.gaps(units) - true).square()).sum()
    # Of some rows only, because densities take long.
    some = slice(0, -(-rows.shape[1] // 2))
    density = Mixture(networks.mixtures(units[:, some])).log_density(drawn[:, some])
    total = total - _OF_DENSITY * torch.where(hidden[:, some], density, 0.0).sum()
    logits = networks.logits(units).split(coding.sizes, 2)
    for k, each in enumerate(logits if coding.digits else ()):
        each, true = each.flatten(0, 1), symbols[..., k].flatten()
        total = total + F.cross_entropy(each, true, ignore_index=-1, reduction="sum")
    count = hidden.sum() + (symbols >= 0).sum()
    return total / count.clamp_min(1) * len(rows)


def _uniform(shape, generator):
    return torch.rand(shape, generator=generator, dtype=torch.float32, device="cpu")


@torch.no_grad()
def _told_of(networks, coding, checks, device):
    units = _units(networks, coding, [x[None].to(device) for x in checks.seen])
    told = networks.gaps(units), networks.mixtures(units), networks.logits(units)
    return [x.double().cpu() for x in told]


def _held_out(told, coding, checks):
    """Loss on held-out cells of what networks tell together, and the best share of the means."""
    weight, true, gaps = checks.weight.double(), checks.gaps.double(), told[0].mean(0)
    along, length = (weight * true * gaps).sum(), (weight * gaps.square()).sum()
    # Where nothing is held out nothing is known of them, and the linear map stays as it is.
    share = float((along / length.clamp_min(1e-12)).clamp(0, 1))
    loss = float(share**2 * length - 2 * share * along)
    for k, logits in enumerate(told[2].split(coding.sizes, 2) if coding.digits else ()):
        chances = logits.softmax(2).mean(0).clamp_min(1e-12).log()
        loss += float(F.nll_loss(chances, checks.symbols[:, k], ignore_index=-1, reduction="sum"))
    return loss, share


def _share_of_draws(mixtures, checks):
    """By which parameters of mixtures held-out numbers are likeliest together."""
    hidden, drawn, best = checks.weight > 0, checks.drawn_gaps.double(), (-math.inf, 0.0)
    for share in _SHARES if hidden.any() else ():
        density = Mixture(share * mixtures).log_density(drawn).logsumexp(0)
        best = max(best, (float(density[hidden].sum()), share))
    return best[1]
