"""Raw columns, as they stand beside codes for a linear head."""

import copy

import numpy as np
import torch

from .._dataset.multiset import canonical
from .._dataset.sparse import SparseTable
from .._runtime.arrays import slices
from .._runtime.isolation import plain_torch
from .._runtime.sklearn import safe_indexing
from .._scaling.normal_scores import normal_scores
from .._scaling.profile import unit_of
from ..modules import ColumnEncoding
from ..modules.expressions import Expression
from ..modules.scaling import ScaledCells, Scores

_ROWS_LOOKED_AT = 4096
_CELLS_AT_ONCE = 2**20
_CPU = torch.device("cpu")


class _Standardised:
    """Some columns of a table with mean 0 and deviation 1, beyond the range of fit at its ends."""

    def __init__(self, multiset, columns):
        self._columns = columns
        with np.errstate(over="ignore", invalid="ignore"):
            found = multiset.moments(lambda part: multiset.values(part)[:, columns])
        self._low, self._high = found.low, found.high
        # Squares of what is far from 1 have no float.
        self._unit = unit_of(found.low, found.high)
        found = multiset.moments(lambda part: multiset.values(part)[:, columns] / self._unit)
        self._mean, self._deviation = found.mean, np.sqrt(found.variance)

    def __call__(self, table):
        cells = np.clip(table[:, self._columns].astype(np.float64), self._low, self._high)
        return (cells / self._unit - self._mean) / self._deviation


class RawColumns:
    """The cells of rows as columns for a linear model beside codes.

    In tables levels are one-hot, and numbers stand twice: standardised, and as the normal scores of
    their ranks, because a linear model cannot make the one of the other. A missing number is at the
    mean, and where some were missing in fit a column says so. Cells of arrays, which share a scale,
    keep it. All have one factor, which makes their variance, all together, a multiple of that of
    the codes: it says how much a head with a prior makes of either.

    Parameters
    ----------
    encoder : RepresentationTransformer
        Fitted; says how columns are scaled.
    X : table
        All rows of fit.
    sample_weight : ndarray of shape (n_samples,)

    Attributes
    ----------
    n_codes : int
        Columns of codes.
    variance : float
        Of codes, all together.
    """

    def __init__(self, encoder, X, sample_weight):
        self._encoder, self._scores, self._factor = encoder, {}, 1.0
        rows, scaler, table = encoder._model.rows, encoder._model.scaler, encoder._table(X)
        if isinstance(table, SparseTable) or not (scaler.numbers | (scaler.levels.sizes > 0)).all():
            kind = "sparse matrices" if isinstance(table, SparseTable) else "token ids"
            raise ValueError(
                "passthrough=True puts columns of numbers and categories beside codes; these are "
                f"{kind}. Set passthrough=False."
            )
        multiset = canonical(np.ascontiguousarray(table), sample_weight)
        if rows.tabular:
            varies = np.flatnonzero(scaler.numbers & ~scaler.constant)
            self._scores = normal_scores(multiset, varies, np.zeros(multiset.width, dtype=bool))
        # Those that an encoder sees by their ranks only.
        self._ranked = np.array(list(scaler.ranked), dtype=np.intp)
        self._standardised = _Standardised(multiset, self._ranked)
        self._center = 0.0
        mean = self._moments(multiset, lambda part: self._cells(multiset.values(part))).mean
        # A scaling need not make the mean 0, which is what a missing number counts as.
        self._center = np.where(scaler.numbers, np.nan_to_num(mean), 0.0)
        raw = self._moments(multiset, self._reader(multiset.values))
        some = multiset.numbers[multiset.sample(_ROWS_LOOKED_AT)]
        codes = np.asarray(encoder.transform(safe_indexing(X, some)), dtype=np.float64)
        self.n_codes = codes.shape[1]
        self.variance = float(codes.var(axis=0).sum()) or 1.0
        self._factor = float((self.variance / (raw.variance.sum() or 1.0)) ** 0.5)

    def scaled(self, share):
        """The same, of so many times the variance of the codes."""
        scaled = copy.copy(self)
        scaled._factor = self._factor * share**0.5
        return scaled

    def of(self, X):
        """Columns of some rows, ndarray of shape (n_rows, n_columns), float64."""
        table = self._encoder._table(X)
        read = self._reader(lambda part: table[part])
        # A part at a time: each goes through several arrays of its size.
        parts = slices(len(table), max(1, _CELLS_AT_ONCE // table.shape[1]))
        columns = np.concatenate([read(part) for part in parts])
        columns *= self._factor
        return columns

    def module(self):
        """What :meth:`of` gives as a torch module of rows of numbers, see :meth:`to_numbers`."""
        scaler, standardised = self._encoder._model.scaler, self._standardised
        scale, ranked = np.where(scaler.numbers, scaler.spread, 1.0), self._ranked
        encoding = ColumnEncoding(
            scaler.levels.sizes.tolist(), scaler.missing.tolist(), scaler.levels.shares
        )
        arrays = {"center": self._center, "scale": scale}
        arrays["ranked"] = np.isin(np.arange(len(scale)), ranked)
        for name in ("low", "high", "unit", "mean", "deviation"):
            arrays[name] = np.ones(len(scale))
            arrays[name][ranked] = getattr(standardised, f"_{name}")
        scores = Scores(self._scores) if self._scores else None
        return _Columns(ScaledCells(scaler), Expression(encoding), scores, self._factor, arrays)

    @staticmethod
    def _moments(multiset, read):
        return multiset.moments(read, multiset.parts(_CELLS_AT_ONCE))

    def _cells(self, table):
        """Numbers centred, and scaled by a factor; levels as they are."""
        scaler = self._encoder._model.scaler
        cells = scaler.limit(scaler.scale(table)) - self._center
        cells[:, self._ranked] = self._standardised(table)
        return cells

    def _reader(self, values):
        """A function from parts of a table, as ``values`` gives their cells, to columns."""
        scaler = self._encoder._model.scaler
        levels, missing, spread = scaler.levels, scaler.missing, scaler.spread.copy()
        spread[self._ranked] = 1.0
        with plain_torch(_CPU, gradients=False):
            encoding = ColumnEncoding(levels.sizes.tolist(), missing.tolist(), levels.shares)

        def read(part):
            table = values(part)
            cells = self._cells(table)
            cells[:, scaler.numbers] /= spread[scaler.numbers]
            scores = np.empty((len(table), len(self._scores)))
            for number, (j, of_column) in enumerate(self._scores.items()):
                scores[:, number] = of_column.forward(table[:, j].astype(np.float64))
            np.nan_to_num(scores, copy=False)
            with plain_torch(_CPU, gradients=False):
                return np.hstack([encoding(torch.from_numpy(cells)).numpy(), scores])

        return read


class _Columns(torch.nn.Module):
    """See :meth:`RawColumns.module`."""

    def __init__(self, scaled, encoding, scores, factor, arrays):
        super().__init__()
        self.scaled, self.encoding, self.scores = scaled, encoding, scores
        self.factor = factor
        for name, values in arrays.items():
            self.register_buffer(name, torch.from_numpy(np.array(values)))

    def forward(self, rows):
        rows = rows.flatten(1)
        inside = torch.maximum(torch.minimum(rows, self.high), self.low)
        standardised = (inside / self.unit - self.mean) / self.deviation
        cells = (self.scaled(rows) - self.center) / self.scale
        columns = self.encoding(torch.where(self.ranked, standardised, cells))
        if self.scores is not None:
            scores = self.scores(torch.where(rows.isnan(), 0.0, rows))
            scores = torch.where(rows.index_select(1, self.scores.columns).isnan(), 0.0, scores)
            columns = torch.cat([columns, scores], dim=1)
        return columns * self.factor
