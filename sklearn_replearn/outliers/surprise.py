"""How rare a value is among held-out ones, as nats of surprise."""

import numpy as np

_PER_OCTAVE = 8  # knots for each halving of the share that is exceeded
GROWTH = 0.3
LARGEST = float(np.finfo(np.float32).max)


class SurpriseScale:
    """Turns a statistic into nats: minus the logarithm of the share of held-out rows beyond it.

    So statistics of any unit are on one scale. The median of the held-out rows has about 0; a row
    with as large a value as only one in a thousand has ``log(500)``. Values beyond all held-out
    ones grow on, slowly: how far beyond says little about how rare.
    """

    def fit_transform(self, held_out):
        """Learn the scale.

        Parameters
        ----------
        held_out : ndarray of shape (n,)
            Statistic of rows that whatever computes it has not seen; larger is less normal.

        Returns
        -------
        ndarray of shape (n,)
            Nats of these rows, each compared with the others only, as a row that comes later is.
        """
        held_out = _to_single(held_out)
        order = np.argsort(held_out, kind="stable")
        values, n = held_out[order], len(held_out)
        octaves = int(_PER_OCTAVE * np.log2(n + 1))
        marks = np.ceil((n + 1) * 2.0 ** (-np.arange(octaves + 1) / _PER_OCTAVE))
        # The rows at which so many are at least as large, themselves included; and the largest.
        places = np.append(np.clip(n - marks, 0, n - 1).astype(np.intp), n - 1)
        self.knots = np.unique(values[places])
        at_least = n - np.searchsorted(values, self.knots, side="left")
        self.nats = -np.log(at_least / (n + 1))
        middle = values[n // 2]
        typical = np.interp(middle, self.knots, self.nats)
        self.nats -= typical
        self.unit = (self.knots[-1] - middle) or max(1.0, abs(middle))
        nats = np.empty(n)
        nats[order] = self._without_themselves(values) - typical
        return nats

    def _without_themselves(self, values):
        """Nats of sorted values, each by the curve of the others."""
        n = len(values)
        if n == 1:
            return np.zeros(1)
        below = np.concatenate([[values[0]], values[:-1]])
        above = np.concatenate([values[1:], [values[-1]]])
        with np.errstate(invalid="ignore"):
            share = np.where(above > below, (values - below) / (above - below), 0.0)
        at_least = (n - np.searchsorted(values, values, side="left")).astype(float)
        # Among the others as many are at least as large as the one below; one less as that above.
        nats = -np.log(at_least / n)
        step = np.log(at_least / np.maximum(at_least - 1, 1))
        # Without itself, a value that others have too is where these are.
        tied = np.append(values[0] == values[1], values[1:] == values[:-1])
        nats += np.where(values > below, share, tied) * step
        if values[-1] > values[-2]:
            nats[-1] = np.log(n) + self._growth(values[-1] - values[-2])
        return nats

    def _growth(self, beyond):
        far = np.minimum(np.asarray(beyond, dtype=np.float64) / self.unit, LARGEST)
        return GROWTH * np.log1p(np.log1p(far))

    def transform(self, statistic):
        """Nats of each value; ndarray of the same shape."""
        statistic = _to_single(statistic)
        beyond = np.maximum(statistic - self.knots[-1], 0.0)
        return np.interp(statistic, self.knots, self.nats) + self._growth(beyond)


def _to_single(values):
    """Values to the precision of float32: what differs by rounding only shall be equal."""
    values = np.clip(values, -LARGEST, LARGEST)
    return values.astype(np.float32).astype(np.float64)
