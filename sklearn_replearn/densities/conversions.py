"""Cells of one column in original units and scaled."""

import numpy as np


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
