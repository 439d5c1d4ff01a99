"""Slopes and ends of intervals under scalings of which only the values are known."""

import numpy as np

_STEP, _SMALL_STEP = 1e-3, 1e-6  # in units of the spread of a column; at the ends of its range
_FLATTEST = 1e-3  # slope, relative to that over the spread


def log_slope_by_differences(scaler, X):
    """Logarithm of d(scaled)/d(original) of each cell, ndarray of shape (n, n_features).

    Where a scaling is flat it is floored, the less, the farther a cell is from those of fit: so a
    density goes to 0 there as well.
    """
    X, unit, (low, high) = np.array(X, dtype=np.float64), *_units_and_range(scaler)
    with np.errstate(all="ignore"):
        # Not beyond the range of fit: a scaling may be defined nowhere else.
        before, after = (
            (X - _STEP * unit < low) & (low <= X),
            (X + _STEP * unit > high) & (high >= X),
        )
        step = unit * np.where(before | after, _SMALL_STEP, _STEP)
        start, end = np.where(before, X, X - step), np.where(after, X, X + step)
        end = np.where(before & after, X + step, end)
        slope = (scaler.scale(end) - scaler.scale(start)) / (end - start)
        beyond = np.maximum(np.maximum(low - X, X - high), 0.0) / unit
        floor = np.log(_FLATTEST * scaler.spread / unit) - 2 * np.log1p(beyond)
        return np.fmax(np.log(np.abs(slope)), floor)


def interval_ends(scaler, X, scaled, width):
    """Scaled ends of intervals around cells.

    Parameters
    ----------
    scaler : Scaler
    X, scaled : ndarray of shape (n, n_features)
        Cells, and the same cells scaled.
    width : ndarray of shape (n_features,)
        In original units.

    Returns
    -------
    lower, upper : ndarray of shape (n, n_features)
    """
    half = 0.5 * width
    if scaler.transformer is None:
        half = half * np.abs(scaler.factor)
        return scaled - half, scaled + half
    X, (_, (low, high)) = np.array(X, dtype=np.float64), _units_and_range(scaler)
    with np.errstate(all="ignore"):
        start = np.maximum(X - half, np.minimum(X, low))
        end = np.minimum(X + half, np.maximum(X, high))
        left, right = scaled - scaler.scale(start), scaler.scale(end) - scaled
        # What is beyond the range of fit is as wide as the other half.
        left, right = (
            np.where(start > X - half, right, left),
            np.where(end < X + half, left, right),
        )
    ends = scaled - left, scaled + right
    return np.minimum(*ends), np.maximum(*ends)


def _units_and_range(scaler):
    """Spread of each column in original units, and lowest and highest cell up to rounding."""
    with np.errstate(all="ignore"):
        ends = np.sort(scaler.unscale(np.stack([scaler.low, scaler.high])), axis=0)
    ends = np.where(np.isfinite(ends), ends, [[-np.inf], [np.inf]])
    return scaler.spread_in_original_units(), ends
