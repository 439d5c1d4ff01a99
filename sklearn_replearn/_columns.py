"""Columns to scaled rows and back: the one room that knows how columns are scaled."""

import copy

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from ._sklearn import HasMethods, StrOptions
from ._tables import check_unit_interval, name_columns

SCALINGS = ("auto", "standard", "robust", "quantile", "minmax")
SCALING_CONSTRAINT = [
    StrOptions(set(SCALINGS)),
    HasMethods(["fit", "transform", "inverse_transform"]),
    None,
]
_LARGEST_SCALED = 1e15  # its square, summed over the cells of a batch, still fits a float32
_MOST_QUANTILES = 200
_CELLS_FOR_TRANSFORMERS = 2**22


class Columns:
    """What was learned about the columns of the training table: how they are scaled, and back.

    The table is read a few rows at a time; no copy of it is made, unless a transformer of
    scikit-learn has to see it as a whole.

    Parameters
    ----------
    scaling : {"standard", "robust", "quantile", "minmax"}, transformer or None
    multiset : Multiset
        The training rows.
    names : ndarray of str or None
    seed : int
        For transformers that sample rows.

    Attributes
    ----------
    constant : ndarray of shape (n_features,), bool
        Columns that held one value only, up to rounding.
    idle : ndarray of shape (n_features,), bool
        Scaled columns that held one value only; their rows are 0.
    unscaled : bool
        Whether rows are left as they are.
    transformer : transformer or None
        None where scaling is ``(X - shift) * factor``.
    low, high : ndarray of shape (n_features,), float32
        Range of each scaled training column.
    spread : ndarray of shape (n_features,), float32
        Standard deviation of each scaled training column; 1 where it is zero.

    Raises
    ------
    ValueError
        If the scaled rows cannot be represented in float32.
    """

    def __init__(self, scaling, multiset, names, seed):
        n_features = multiset.width
        self.names = names
        self.unscaled = scaling is None
        self.shift, self.factor = np.zeros(n_features), np.ones(n_features)
        self.transformer = None
        self.idle, self.resting = np.zeros(n_features, dtype=bool), np.empty(0)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            low, high, mean, variance = multiset.moments(multiset.values)
            # Equal up to rounding, such as 0.3 and 0.1 + 0.2.
            rounding = 4 * np.finfo(np.float64).eps * np.maximum(np.abs(low), np.abs(high))
            self.constant = high - low <= rounding
            self.fixed, self.rounding = low[self.constant], rounding[self.constant]
            if scaling == "standard":
                self.shift, self.factor = mean, np.where(variance == 0, 1.0, variance**-0.5)
            elif scaling is not None:
                self._learn_scaling(scaling, multiset, seed)
            if self.transformer is None:
                # The mean of equal numbers need not be that number: take the number.
                self.shift[self.constant] = self.fixed
                self.factor[self.constant] = 1.0
                low, high = self._range_between(low, high)
                variance = variance * self.factor**2
            else:
                low, high, _, variance = self._moments_of_scaled(multiset)
            self._reject_unrepresentable(low, high, multiset)
        self.idle = low == high
        self.resting = low[self.idle]
        low[self.idle] = high[self.idle] = 0.0
        self.low, self.high = low.astype(np.float32), high.astype(np.float32)
        spread = np.sqrt(variance).astype(np.float32)
        self.spread = np.where(self.idle | (spread == 0), np.float32(1), spread)

    def _learn_scaling(self, scaling, multiset, seed):
        scaler = _named(scaling, multiset) if isinstance(scaling, str) else clone(scaling)
        random = [name for name in scaler.get_params() if name.endswith("random_state")]
        scaler.set_params(**dict.fromkeys(random, seed))
        scaler.fit(multiset.values(multiset.draws()).astype(np.float64))
        affine = _affine(scaler, multiset.width)
        if affine is None:
            self.transformer = scaler
        else:
            self.shift, self.factor = affine[0], 1.0 / affine[1]

    def _range_between(self, low, high):
        """Range of the scaled columns from that of the original ones, by a linear scaling."""
        ends = self.scale(np.stack([low, high]))
        return ends.min(axis=0), ends.max(axis=0)

    def _moments_of_scaled(self, multiset):
        # A transformer takes its time for each call, however few the rows.
        parts = multiset.parts(_CELLS_FOR_TRANSFORMERS)
        return multiset.moments(lambda part: self.scale(multiset.values(part)), parts)

    def _reject_unrepresentable(self, low, high, multiset):
        scaled = np.maximum(np.abs(low), np.abs(high))
        bad = np.flatnonzero(
            ~(scaled < _LARGEST_SCALED) | ~np.isfinite(self.factor) | (self.factor == 0)
        )
        if len(bad):
            raise ValueError(
                f"{name_columns(self.names, bad)}: values up to "
                f"{np.abs(multiset.table[:, bad]).max():.3g} cannot be scaled into the range of "
                'float32. Divide them by a constant, take logarithms, or use scaling="quantile".'
            )

    def scale(self, X):
        """Original units to the units of the network, in float64; idle columns at 0."""
        X = np.array(X, dtype=np.float64, order="C")
        if self.transformer is None:
            with np.errstate(over="ignore"):  # an encoder sees a limit of it, see below
                rows = np.subtract(X, self.shift, out=X)
                rows *= self.factor
            if len(self.fixed):
                cells = rows[:, self.constant]
                rows[:, self.constant] = np.where(np.abs(cells) <= self.rounding, 0.0, cells)
        else:
            if len(self.fixed):
                cells = X[:, self.constant]
                same = np.abs(cells - self.fixed) <= self.rounding
                X[:, self.constant] = np.where(same, self.fixed, cells)
            rows = np.array(self.transformer.transform(X), dtype=np.float64)
            if rows.shape != X.shape:
                raise ValueError(
                    f"scaling must keep the number of columns: it got {X.shape[1]} and returned "
                    f"{rows.shape[1]}."
                )
        if self.resting.any():
            rows[:, self.idle] -= self.resting
        return rows

    def limit(self, rows):
        """Scaled rows as an encoder sees them: beyond what fit saw, they grow as a logarithm.

        A column that hardly varied in fit makes huge values of small differences, and a network is
        arbitrary where it has seen nothing. Rows of fit are not changed.
        """
        inside = np.minimum(np.maximum(rows, self.low), self.high)
        beyond = rows - inside
        distance = np.minimum(np.abs(beyond), np.finfo(np.float64).max)
        return inside + np.copysign(np.log1p(distance), beyond)

    def widened(self, multiset):
        """A copy that has seen the rows of this multiset, too."""
        if self.transformer is None:
            low, high = self._range_between(*multiset.moments(multiset.values)[:2])
        else:
            low, high, _, _ = self._moments_of_scaled(multiset)
        wider = copy.copy(self)
        wider.low = np.minimum(self.low, low).astype(np.float32)
        wider.high = np.maximum(self.high, high).astype(np.float32)
        return wider

    def check_unit_interval(self, setting, other):
        """Refuse columns that are not within [0, 1] as a network sees them.

        Raises
        ------
        ValueError
            Names the columns.
        """
        shown = self.unscale(np.stack([self.low, self.high]))
        low, high = shown if self.unscaled else (self.low, self.high)
        check_unit_interval(low, high, *shown, self.names, setting, other)

    def unscale(self, rows):
        """Back to original units, in float64; constant columns as they were."""
        rows = np.array(rows, dtype=np.float64)
        rows[:, self.idle] += self.resting
        if self.transformer is None:
            X = rows / self.factor + self.shift
        else:
            X = np.array(self.transformer.inverse_transform(rows), dtype=np.float64)
        X[:, self.constant] = self.fixed
        return X

    def log_density_of_scale(self, X):
        """Logarithm of d(scaled)/d(original), summed over the columns that vary.

        Added to a log-density of scaled rows it gives the log-density in original units.

        Returns
        -------
        ndarray of shape (n_samples,), float64

        Notes
        -----
        Exact for scalings that shift and divide. For others each column is taken to be scaled by
        itself and the derivative is a central difference over a thousandth of its spread, floored
        where a scaling is flat (a quantile scaling outside the range seen in fit).
        """
        varies = ~self.constant
        if self.transformer is None:
            return np.full(len(X), np.log(np.abs(self.factor[varies])).sum())
        X = np.asarray(X, dtype=np.float64)
        step = 1e-3 * self._spread_in_original_units()
        with np.errstate(all="ignore"):
            slope = (self.scale(X + step) - self.scale(X - step)) / (2 * step)
        floor = 1e-3 * self.spread / self._spread_in_original_units()
        slope = np.where(np.abs(slope) > floor, np.abs(slope), floor)
        return np.log(slope[:, varies]).sum(axis=1)

    def _spread_in_original_units(self):
        middle = np.zeros((1, len(self.spread)))
        width = self.unscale(middle + self.spread) - self.unscale(middle - self.spread)
        return np.where(self.constant | (width[0] == 0), 1.0, np.abs(width[0]) / 2)


def _named(scaling, multiset):
    if scaling == "quantile":
        n_quantiles = min(_MOST_QUANTILES, multiset.n_draws)
        quantiles = QuantileTransformer(n_quantiles=n_quantiles, output_distribution="normal")
        # QuantileTransformer compares with an absolute tolerance: it needs columns of unit size.
        return make_pipeline(StandardScaler(), quantiles)
    return {"robust": RobustScaler, "minmax": MinMaxScaler}[scaling]()


def _affine(scaler, n_features):
    """Shift and divisor of scikit-learn's linear scalers, or None for any other."""
    zeros, ones = np.zeros(n_features), np.ones(n_features)
    if type(scaler) is StandardScaler:
        shift, divisor = scaler.mean_ if scaler.with_mean else None, scaler.scale_
    elif type(scaler) is RobustScaler:
        shift, divisor = scaler.center_, scaler.scale_
    elif type(scaler) is MinMaxScaler and not scaler.clip:
        return -scaler.min_ / scaler.scale_, 1.0 / scaler.scale_
    elif type(scaler) is MaxAbsScaler:
        shift, divisor = None, scaler.scale_
    else:
        return None
    shift = zeros if shift is None else np.array(shift, dtype=np.float64)
    divisor = ones if divisor is None else np.array(divisor, dtype=np.float64)
    return shift, divisor
