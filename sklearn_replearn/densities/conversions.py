"""Cells of one column in original units and scaled."""

import numpy as np

_FARTHEST = 1e3  # as good as infinite for a scaled cell
_NARROWEST, _FLATTEST = 1e-12, 1e-3


def step_ends(scaler, values, half):
    """Scaled ends of the steps around cells.

    Parameters
    ----------
    scaler : Scaler
    values : ndarray of shape (n, n_features)
        In original units.
    half : ndarray of shape (n_features,)
        Half of a step; 0 for columns without steps.

    Returns
    -------
    lower, upper : ndarray of shape (n, n_features)
    """
    lower, upper = scaler.scale(values - half), scaler.scale(values + half)
    lower, upper = np.minimum(lower, upper), np.maximum(lower, upper)
    # Where a scaling is flat, no row has been; a step is no point even there.
    with np.errstate(over="ignore"):
        least = _FLATTEST * np.exp(scaler.log_slope(values)) * 2 * half
        least = np.array(np.broadcast_to(least, values.shape))
    for j, scores in scaler.ranked.items():
        least[:, j] = scores.least_slope * 2 * half[j]
    upper = np.where(half > 0, np.maximum(upper, lower + np.maximum(least, _NARROWEST)), upper)
    if scaler.counted is None:
        return lower, upper
    # Below a count of 0 there is nothing.
    return np.where(scaler.counted & (values <= 0) & (half > 0), -_FARTHEST, lower), upper


class Conversions:
    """Cells of one column, scaled and back.

    Parameters
    ----------
    scaler : Scaler
    """

    def __init__(self, scaler):
        self.scaler = scaler
        self.low, self.high = scaler.low.astype(np.float64), scaler.high.astype(np.float64)

    def _alone(self, function, j, cells):
        rows = np.zeros((len(cells), len(self.low)))
        rows[:, j] = cells
        return np.array(function(rows)[:, j])

    def scaled(self, j, values):
        """Of cells in original units."""
        return self._alone(self.scaler.scale, j, values)

    def original(self, j, scaled):
        """Of scaled cells, within the range of fit and on its steps."""
        return self._alone(lambda rows: self.scaler.original(self.scaler.inside(rows)), j, scaled)

    def limited(self, j, scaled):
        """Scaled cells as networks see them."""
        return self._alone(self.scaler.limit, j, scaled)

    def step_ends(self, j, values, step):
        """Scaled ends of the steps around cells in original units."""
        rows, half = np.zeros((len(values), len(self.low))), np.zeros(len(self.low))
        rows[:, j], half[j] = values, 0.5 * step
        return [end[:, j].copy() for end in step_ends(self.scaler, rows, half)]

    def range_of(self, j):
        """Scaled ends of what fit has seen."""
        return self.low[j], self.high[j]

    def on_steps_within(self, j, condition, step):
        """Scaled ends of a range, those of the outermost steps in it where there are steps."""
        ends = np.array([condition.low, condition.high])
        if step:
            origin = self.scaler.grain.origin[j]
            with np.errstate(invalid="ignore"):
                low = origin + np.ceil((ends[0] - origin) / step - 1e-9) * step
                high = origin + np.floor((ends[1] - origin) / step + 1e-9) * step
            ends = np.array([low - 0.5 * step, high + 0.5 * step])
        scaled = self.scaled(j, np.clip(ends, -1e300, 1e300))
        return scaled.min(), scaled.max()
