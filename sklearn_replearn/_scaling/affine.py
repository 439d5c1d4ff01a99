"""Scalers of scikit-learn that shift and divide."""

import numpy as np
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler


def shift_and_factor(scaler, n_features):
    """What a fitted scaler subtracts from columns and multiplies them by.

    Parameters
    ----------
    scaler : transformer
    n_features : int

    Returns
    -------
    tuple of two ndarrays of shape (n_features,), or None
        None for any other transformer.
    """
    if type(scaler) is StandardScaler:
        shift, divisor = scaler.mean_ if scaler.with_mean else None, scaler.scale_
    elif type(scaler) is RobustScaler:
        shift, divisor = scaler.center_, scaler.scale_
    elif type(scaler) is MinMaxScaler and not scaler.clip:
        shift, divisor = -scaler.min_ / scaler.scale_, 1.0 / scaler.scale_
    elif type(scaler) is MaxAbsScaler:
        shift, divisor = None, scaler.scale_
    else:
        return None
    shift = np.zeros(n_features) if shift is None else np.array(shift, dtype=np.float64)
    divisor = np.ones(n_features) if divisor is None else np.array(divisor, dtype=np.float64)
    return shift, 1.0 / divisor
