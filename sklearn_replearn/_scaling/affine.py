"""Scalers of scikit-learn that shift and divide."""

import numpy as np
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler


def is_affine(scaler):
    """Whether a transformer of scikit-learn shifts and divides, in any units."""
    kinds = (StandardScaler, RobustScaler, MinMaxScaler, MaxAbsScaler)
    return type(scaler) in kinds and not getattr(scaler, "clip", False)


def shift_and_factor(scaler, n_features):
    """What a fitted scaler subtracts from columns and multiplies them by.

    Parameters
    ----------
    scaler : transformer
        One that :func:`is_affine`.
    n_features : int

    Returns
    -------
    tuple of two ndarrays of shape (n_features,)
    """
    if type(scaler) is StandardScaler:
        shift, divisor = scaler.mean_ if scaler.with_mean else None, scaler.scale_
    elif type(scaler) is RobustScaler:
        shift, divisor = scaler.center_, scaler.scale_
    elif type(scaler) is MinMaxScaler:
        shift, divisor = -scaler.min_ / scaler.scale_, 1.0 / scaler.scale_
    else:
        shift, divisor = None, scaler.scale_
    shift = np.zeros(n_features) if shift is None else np.array(shift, dtype=np.float64)
    divisor = np.ones(n_features) if divisor is None else np.array(divisor, dtype=np.float64)
    return shift, 1.0 / divisor
