"""Tables to scaled rows and back: the one room that knows about columns."""

import copy

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_array, validate_data

from ._sklearn import HasMethods, StrOptions

SCALINGS = ("auto", "standard", "robust", "quantile", "minmax")
SCALING_CONSTRAINT = [
    StrOptions(set(SCALINGS)),
    HasMethods(["fit", "transform", "inverse_transform"]),
    None,
]
_FLOATS = [np.float64, np.float32]
_LARGEST_SCALED = 1e15  # its square, summed over the cells of a batch, still fits a float32
_MOST_QUANTILES = 200
_MANY = 5  # columns named in an error message before it says "and N more"


def check_table(estimator, X, *, reset):
    """Validate a table at the door: numbers only, two dimensions, the columns seen in fit.

    Parameters
    ----------
    estimator : estimator
        With ``reset`` it gets ``n_features_in_`` and, for tables with names, ``feature_names_in_``.
    X : array-like of shape (n_samples, n_features)
    reset : bool
        True in ``fit``.

    Returns
    -------
    ndarray of shape (n_samples, n_features), float32 or float64

    Raises
    ------
    ValueError
        If there are cells that are not finite numbers, too few rows, or other columns than in fit.
    """
    _reject_other_than_numbers(X, type(estimator).__name__)
    table = validate_data(
        estimator,
        X,
        reset=reset,
        dtype=_FLOATS,
        ensure_all_finite=False,
        ensure_min_samples=2 if reset else 1,
    )
    _reject_nonfinite(table, names_of(estimator), type(estimator).__name__)
    return table


def check_codes(codes, latent_dim, name):
    """Validate codes before they are decoded.

    Raises
    ------
    ValueError
        If the codes do not have ``latent_dim`` columns or are not finite numbers.
    """
    codes = check_array(codes, dtype=_FLOATS, input_name="codes")
    if codes.shape[1] != latent_dim:
        raise ValueError(
            f"{name} decodes codes of shape (n_samples, {latent_dim}) as transform returns them; "
            f"got shape {codes.shape}."
        )
    return codes


def check_unit_interval(rows, table, names, setting, other):
    """Refuse scaled ``rows`` outside [0, 1]; the message has the values of the ``table``.

    Raises
    ------
    ValueError
        Names the columns.
    """
    outside = np.flatnonzero(((rows < -1e-9) | (rows > 1 + 1e-9)).any(axis=0))
    if len(outside):
        worst = table[:, outside[0]]
        raise ValueError(
            f"{setting} takes columns within [0, 1]; outside: {name_columns(names, outside)}, the "
            f"first with values from {worst.min():.6g} to {worst.max():.6g}. "
            f'Use scaling="minmax" or {other}.'
        )


def name_columns(names, which):
    """Columns for an error message, by name or number, the first few of them."""
    picked = [repr(str(names[j])) if names is not None else str(j) for j in which[:_MANY]]
    more = f" and {len(which) - _MANY} more" if len(which) > _MANY else ""
    return ("column " if len(which) == 1 else "columns ") + ", ".join(picked) + more


def names_of(estimator):
    """Names of the columns seen in fit, or None."""
    return getattr(estimator, "feature_names_in_", None)


def _reject_other_than_numbers(X, name):
    """By kind of column first: conversion would turn dates and digits in strings into numbers."""
    advice = f"{name} takes columns of numbers; encode them first, for example with "
    advice += "sklearn.compose.ColumnTransformer and OneHotEncoder."
    if isinstance(X, pd.DataFrame):
        other = [j for j in range(X.shape[1]) if not _holds_numbers(X.iloc[:, j])]
        if other:
            which = name_columns(X.columns, other)
            raise ValueError(f"{which} of the table: dtype {X.dtypes.iloc[other[0]]}. {advice}")
        twice = np.flatnonzero(X.columns.duplicated())
        if len(twice):
            raise ValueError(
                f"The table names {name_columns(X.columns, twice)} more than once. "
                "Give every column a name of its own."
            )
        return
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    if kind in ("M", "m"):
        raise ValueError(f"The table holds dates or durations (dtype {X.dtype}). {advice}")
    if kind in ("U", "S", "T") or (kind == "O" and _any_text(np.ravel(X))):
        raise ValueError(f"The table holds strings (dtype {X.dtype}). {advice}")
    if isinstance(X, list | tuple):
        rows = (row if isinstance(row, list | tuple) else (row,) for row in X)
        if any(map(_any_text, rows)):
            raise ValueError(f"The table holds strings among its cells. {advice}")


def _holds_numbers(column):
    if pd.api.types.is_object_dtype(column.dtype):
        return not _any_text(column)
    return pd.api.types.is_numeric_dtype(column.dtype)


def _any_text(cells):
    return any(isinstance(cell, str | bytes) for cell in cells)


def _reject_nonfinite(table, names, name):
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(table.sum()):  # one pass without a temporary; overflow looks again below
            return
    for what, found, advice in (
        ("NaN (missing values)", np.isnan, "fill them first, for example with SimpleImputer"),
        ("inf (infinite values)", np.isinf, "clip or remove them first"),
    ):
        columns = np.flatnonzero(found(table).any(axis=0))
        if len(columns):
            raise ValueError(
                f"Input X contains {what} in {name_columns(names, columns)}. "
                f"{name} takes finite numbers only: {advice}."
            )


class Columns:
    """What was learned about the columns of the training table: how they are scaled, and back.

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
        values = multiset.values
        self.names = names
        self.unscaled = scaling is None
        low, high = (edge.astype(np.float64) for edge in (values.min(axis=0), values.max(axis=0)))
        # Equal up to rounding, such as 0.3 and 0.1 + 0.2.
        rounding = 4 * np.finfo(np.float64).eps * np.maximum(np.abs(low), np.abs(high))
        self.constant = high - low <= rounding
        self.fixed, self.rounding = low[self.constant], rounding[self.constant]
        n_features = values.shape[1]
        self.shift, self.divisor = np.zeros(n_features), np.ones(n_features)
        self.transformer = None
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if scaling is not None:
                self._learn_scaling(scaling, multiset, seed, low)
            if self.transformer is None:
                # The mean of equal numbers need not be that number: take the number.
                self.shift[self.constant] = self.fixed
                self.divisor[self.constant] = 1.0
            self.idle, self.resting = np.zeros(n_features, dtype=bool), np.empty(0)
            scaled = self.scale(values)
        self._reject_unrepresentable(scaled, values)
        low, high = scaled.min(axis=0), scaled.max(axis=0)
        self.idle = low == high
        self.resting = low[self.idle]
        scaled[:, self.idle] = low[self.idle] = high[self.idle] = 0.0
        self.low, self.high = low.astype(np.float32), high.astype(np.float32)
        mean = np.average(scaled, axis=0, weights=multiset.weights)
        variance = np.average((scaled - mean) ** 2, axis=0, weights=multiset.weights)
        spread = np.sqrt(variance).astype(np.float32)
        self.spread = np.where(self.idle | (spread == 0), np.float32(1), spread)

    def _learn_scaling(self, scaling, multiset, seed, low):
        scaler = _named(scaling, multiset) if isinstance(scaling, str) else clone(scaling)
        random = [name for name in scaler.get_params() if name.endswith("random_state")]
        scaler.set_params(**dict.fromkeys(random, seed))
        if type(scaler) is StandardScaler and scaler.with_mean:
            # Without weights scikit-learn is ten times as fast. From their minimum on, columns far
            # from zero keep the digits in which they vary.
            weights = multiset.weights if np.ptp(multiset.weights) else None
            scaler.fit(multiset.values.astype(np.float64) - low, sample_weight=weights)
        else:
            low = 0.0
            scaler.fit(multiset.values[multiset.draws()].astype(np.float64))
        affine = _affine(scaler, len(self.shift))
        if affine is None:
            self.transformer = scaler
        else:
            self.shift, self.divisor = affine[0] + low, affine[1]

    def _reject_unrepresentable(self, scaled, values):
        if scaled.shape != values.shape:
            raise ValueError(
                f"scaling must keep the number of columns: it got {values.shape[1]} and returned "
                f"{scaled.shape[1]}."
            )
        bad = np.flatnonzero(~(np.abs(scaled) < _LARGEST_SCALED).all(axis=0))
        if len(bad):
            raise ValueError(
                f"{name_columns(self.names, bad)}: values up to "
                f"{np.abs(values[:, bad]).max():.3g} cannot be scaled into the range of float32. "
                'Divide them by a constant, take logarithms, or use scaling="quantile".'
            )

    def scale(self, X):
        """Original units to the units of the network, in float64; idle columns at 0."""
        X = np.asarray(X, dtype=np.float64)
        if len(self.fixed):
            X = X.copy()
            cells = X[:, self.constant]
            same = np.abs(cells - self.fixed) <= self.rounding
            X[:, self.constant] = np.where(same, self.fixed, cells)
        if self.transformer is None:
            rows = (X - self.shift) / self.divisor
        else:
            rows = np.array(self.transformer.transform(X), dtype=np.float64)
        if len(self.resting):
            rows[:, self.idle] -= self.resting
        return rows

    def limit(self, rows):
        """Scaled rows as an encoder sees them: beyond what fit saw, they grow as a logarithm.

        A column that hardly varied in fit makes huge values of small differences, and a network is
        arbitrary where it has seen nothing. Rows of fit are not changed.
        """
        inside = np.clip(rows, self.low, self.high)
        beyond = rows - inside
        return inside + np.copysign(np.log1p(np.abs(beyond)), beyond)

    def widened(self, rows):
        """A copy that has seen these scaled rows, too."""
        wider = copy.copy(self)
        wider.low = np.minimum(self.low, rows.min(axis=0)).astype(np.float32)
        wider.high = np.maximum(self.high, rows.max(axis=0)).astype(np.float32)
        return wider

    def unscale(self, rows):
        """Back to original units, in float64; constant columns as they were."""
        rows = np.array(rows, dtype=np.float64)
        rows[:, self.idle] += self.resting
        if self.transformer is None:
            X = rows * self.divisor + self.shift
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
            return np.full(len(X), -np.log(np.abs(self.divisor[varies])).sum())
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
    return {"standard": StandardScaler, "robust": RobustScaler, "minmax": MinMaxScaler}[scaling]()


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
