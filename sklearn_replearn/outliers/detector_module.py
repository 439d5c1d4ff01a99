"""A fitted detector's surprise as a torch module of rows of numbers."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .._estimators.base import RepresentationTransformer
from .._estimators.row_modules import RowScorer
from ..modules.scaling import ScaledCells
from .committee import DECIMALS, POWER
from .judges.density import LowDensity
from .judges.estimator import EstimatorScore
from .judges.nearest import NearestDistance
from .judges.pairs import PairDensity
from .judges.trimmed import Trimmed
from .spaces import FARTHEST
from .surprise import GROWTH, LARGEST


class DetectorModule(nn.Module):
    """Rows of numbers to their surprise, in float64.

    Parameters
    ----------
    detector : OutlierDetector
        Fitted.

    Raises
    ------
    ValueError
        If the detector looks rows up among those of training, or a judge has no module.
    """

    def __init__(self, detector):
        super().__init__()
        committee = detector._committee
        if len(committee.repeated.hashes):
            raise ValueError(
                "Some training rows are there several times, and the detector looks up by a hash "
                "which later rows equal them: no graph does. Fit it to rows without copies, such as"
                " X.drop_duplicates()."
            )
        self.spaces = nn.ModuleDict({name: _Points(s) for name, s in detector._spaces.items()})
        self.judges = nn.ModuleList(_module_of(judge, detector) for judge in committee.judges)
        self.scales = nn.ModuleList(_Nats(scale) for scale in committee.scales)

    def forward(self, table):
        """Return nats, Tensor of shape (n, 1)."""
        nats = [
            scale(judge(table, self.spaces))
            for judge, scale in zip(self.judges, self.scales, strict=True)
        ]
        raised = -POWER * torch.stack(nats, dim=1)
        largest = raised.amax(1, keepdim=True)
        together = largest + (raised - largest).exp().mean(1, keepdim=True).log()
        return (together / -POWER * 10.0**DECIMALS).round() / 10.0**DECIMALS


def _module_of(judge, detector):
    while isinstance(judge, Trimmed):
        judge = judge.judge_
    missing = detector._spaces["standard"].columns.missing.any()
    if type(judge) is LowDensity and judge.density_.axes is None and missing:
        raise ValueError(
            "LowDensity solves a system of equations for each row with missing cells, which no "
            "graph does, and some were missing in fit. Fill them before, or give judges=["
            "NearestDistance(), PairDensity()]."
        )
    for kind, module in _MODULES.items():
        if type(judge) is kind:
            return module(judge)
    if type(judge) is EstimatorScore and detector._schema.kinds is None:
        estimator = judge.estimator_
        score = RepresentationTransformer.score_samples
        if getattr(type(estimator), "score_samples", None) is score:
            return _MinusScore(estimator)
    raise ValueError(
        f"{judge!r} has no graph. NearestDistance, PairDensity and LowDensity have one, Trimmed or "
        "not; EstimatorScore has one of an AutoencoderTransformer or ContrastiveTransformer where "
        "all columns are numbers."
    )


def _keep(module, **arrays):
    for name, values in arrays.items():
        module.register_buffer(name, torch.from_numpy(np.array(values)))


class _Points(nn.Module):
    """See :meth:`Space.points`."""

    def __init__(self, space):
        super().__init__()
        self.scaled = ScaledCells(space.columns)
        _keep(self, owner=space.owner)
        self.categories = []
        for j, digits in space.digits.items():
            _keep(self, **{f"repeated_{j}": np.append(False, space.repeated[j])})
            self.categories.append((j, []))
            for divisor, size, share, unit in digits:
                name = f"coordinates_{j}_{divisor}"
                # Of each value of the digit, of a level that is not told apart, of a missing one.
                rows = np.vstack([np.eye(size) - share, -share, np.zeros(size)]) * unit
                _keep(self, **{name: rows})
                self.categories[-1][1].append((divisor, size, name))
        numbers = np.flatnonzero(space.columns.numbers)
        _keep(self, numbers=numbers)
        # Coordinates come category by category, behind the numbers; their owners ascend.
        come = [numbers, *(np.full((space.owner == j).sum(), j) for j in space.digits)]
        _keep(self, back=np.argsort(np.concatenate(come), kind="stable"))

    def forward(self, table):
        cells = self.scaled.both(table)[0].clamp(-FARTHEST, FARTHEST)
        filled = torch.where(cells.isnan(), 0.0, cells)
        points = [filled.index_select(1, self.numbers)]
        for j, digits in self.categories:
            level, missing = filled[:, j].long(), cells[:, j].isnan()
            told = F.embedding(level, getattr(self, f"repeated_{j}")[:, None])[:, 0]
            for divisor, size, name in digits:
                digit = torch.where(told, (level - 1).clamp_min(0) // divisor % size, size)
                digit = torch.where(missing, size + 1, digit)
                points.append(F.embedding(digit, getattr(self, name)))
        return torch.cat(points, dim=1).index_select(1, self.back)

    def known(self, table):
        """Which coordinates are not of missing cells, as 0 and 1."""
        return (~table.isnan()).to(table.dtype).index_select(1, self.owner)


class _Nearest(nn.Module):
    """See :class:`NearestDistance`."""

    def __init__(self, judge):
        super().__init__()
        self.space, self.same = judge.space, judge.same_
        references = judge.neighbors_.points.astype(np.float64)
        _keep(self, references=references.T, squares=np.square(references.T))

    def forward(self, table, spaces):
        points, known = spaces[self.space](table), spaces[self.space].known(table)
        points = points.float().double() * known
        squares = points.square().sum(1, keepdim=True) + known @ self.squares
        distances = (squares - 2 * (points @ self.references)).clamp_min(0.0)
        nearest = torch.where(distances < self.same, torch.inf, distances).amin(1)
        return (nearest / (~table.isnan()).sum(1).clamp_min(1)).sqrt()


class _Pairs(nn.Module):
    """See :class:`PairDensity`."""

    def __init__(self, judge):
        super().__init__()
        pairs, bins = judge.pairs_, judge.pairs_.bins
        self.width = pairs.width
        longest = 1 + max(len(one.marks) for one in bins)
        marks = np.full((longest, len(bins)), np.inf)
        places = np.zeros((longest + 1, len(bins)), dtype=np.int64)
        for j, one in enumerate(bins):
            marks[: len(one.marks), j] = one.marks
            places[:, j] = one.places[-1]
            places[: len(one.places), j] = one.places
        last = np.array([one.n_bins - 1 for one in bins])
        _keep(self, columns=judge.columns_.astype(np.int64), marks=marks, places=places, last=last)
        _keep(self, low=pairs.low, high=pairs.high, unit=pairs.unit, alone=pairs.alone.T)
        self.n_pairs = len(pairs.pairs)
        if self.n_pairs:
            first, second = pairs.pairs.T.astype(np.int64)
            starts = np.arange(self.n_pairs) * self.width**2
            _keep(self, first=first, second=second, starts=starts, tables=pairs.tables[:, None])

    def forward(self, table, spaces):
        cells = table.index_select(1, self.columns)
        missing = cells.isnan()
        cells = torch.where(missing, self.low, cells)
        place = (cells[:, None] >= self.marks).sum(1)
        codes = torch.where(missing, self.last, self.places.gather(0, place))
        outside = torch.maximum(self.low - cells, cells - self.high).clamp_min(0.0) / self.unit
        surprise = (self.alone.gather(0, codes) + outside.log1p()).sum(1)
        if self.n_pairs:
            first, second = (codes.index_select(1, one) for one in (self.first, self.second))
            places = self.starts + first * self.width + second
            surprise = surprise + F.embedding(places, self.tables)[:, :, 0].double().sum(1)
        return surprise / len(self.columns)


class _Density(nn.Module):
    """See :class:`LowDensity`; NaN for rows with missing cells, but in very wide tables."""

    def __init__(self, judge):
        super().__init__()
        density = judge.density_
        self.space, self.shape = judge.space, density.roots.shape[:2]
        _keep(self, across=np.concatenate(density.roots, axis=1), offsets=density.offsets)
        _keep(self, shifts=np.einsum("ci,cij->cj", density.means, density.roots).ravel())
        self.reduces = density.axes is not None
        if self.reduces:
            _keep(self, axes=density.axes.T, centre=density.centre)
            self.rest = density.rest

    def forward(self, table, spaces):
        points = spaces[self.space](table)
        if self.reduces:
            centred = points - self.centre
            points = centred @ self.axes
            left = (centred - points @ self.axes.t()).square().sum(1) / self.rest
        squares = (points @ self.across - self.shifts).square().unflatten(1, self.shape).sum(2)
        surprise = -(self.offsets - 0.5 * squares).logsumexp(1)
        if self.reduces:
            return surprise + 0.5 * left
        return torch.where(table.isnan().any(1), torch.nan, surprise)


class _MinusScore(nn.Module):
    """See :class:`EstimatorScore`."""

    def __init__(self, transformer):
        super().__init__()
        self.scorer = RowScorer(transformer._model, transformer.network_).eval()

    def forward(self, table, spaces):
        return -self.scorer(table)[:, 0]


class _Nats(nn.Module):
    """See :class:`SurpriseScale`."""

    def __init__(self, scale):
        super().__init__()
        self.unit = float(scale.unit)
        # Lines from each knot: where they begin, how high, how steep; level behind the last one.
        steps = np.append(np.diff(scale.knots), 1.0)
        lines = np.stack([scale.knots, scale.nats, np.append(np.diff(scale.nats), 0.0) / steps])
        _keep(self, knots=scale.knots, lines=lines.T)

    def forward(self, statistic):
        statistic = statistic.clamp(-LARGEST, LARGEST).float().double()[:, None]
        place = ((statistic >= self.knots).sum(1) - 1).clamp_min(0)
        start, height, slope = F.embedding(place, self.lines).split(1, dim=1)
        nats = height + slope * (statistic - start).clamp_min(0.0)
        beyond = (statistic - self.knots[-1]).clamp_min(0.0) / self.unit
        return (nats + GROWTH * beyond.clamp_max(LARGEST).log1p().log1p())[:, 0]


_MODULES = {NearestDistance: _Nearest, PairDensity: _Pairs, LowDensity: _Density}
