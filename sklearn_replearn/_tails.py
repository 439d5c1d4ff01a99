"""How rare a value is among held-out ones, as nats of surprise."""

import numpy as np

_PER_OCTAVE = 8  # knots for each halving of the share that is exceeded
_GROWTH = 0.3


class Surprise:
    """Turns a statistic into nats: minus the logarithm of the share of held-out rows beyond it.

    So statistics of any unit are on one scale. The median of the held-out rows has 0; a row with
    as large a value as only one in a thousand has ``log(500)``. Values beyond all held-out ones
    grow on, slowly: how far beyond says little about how rare.

    Parameters
    ----------
    held_out : ndarray of shape (n,)
        Statistic of rows that whatever computes it has not seen; larger is less normal.

    References
    ----------
    Fisher (1932), *Statistical methods for research workers*: the sum of such logarithms.
    """

    def __init__(self, held_out):
        values, n = np.sort(held_out), len(held_out)
        octaves = int(_PER_OCTAVE * np.log2(n + 1))
        marks = np.ceil((n + 1) * 2.0 ** (-np.arange(octaves + 1) / _PER_OCTAVE))
        # The rows at which so many are at least as large, themselves included; and the largest.
        places = np.append(np.clip(n - marks, 0, n - 1).astype(np.intp), n - 1)
        self.knots = np.unique(values[places])
        at_least = n - np.searchsorted(values, self.knots, side="left")
        self.nats = -np.log((at_least + 1) / (n + 1))
        middle = values[n // 2]
        typical = np.interp(middle, self.knots, self.nats)
        self.nats -= typical
        self.rarest = np.log(n + 1) - typical
        self.unit = (self.knots[-1] - middle) or max(1.0, abs(middle))

    def __call__(self, statistic):
        """Nats of each value; ndarray of the same shape."""
        beyond = np.maximum(statistic - self.knots[-1], 0.0)
        with np.errstate(over="ignore"):
            far = np.minimum(beyond / self.unit, np.finfo(np.float64).max)
        rarest = self.rarest + _GROWTH * np.log1p(np.log1p(far))
        return np.where(beyond > 0, rarest, np.interp(statistic, self.knots, self.nats))
