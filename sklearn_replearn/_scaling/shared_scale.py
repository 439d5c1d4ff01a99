"""Columns that share one scale: the cells of arrays, such as pixels."""

import numpy as np

from .scaler import Scaler

_LARGEST = 1e30


class SharedScale(Scaler):
    """Columns that have one scale for each channel of an array.

    Crops and shifts move a cell to the place of another: each with a scale of its own would have
    another meaning there. Channels have mean 0 and standard deviation 1.

    Parameters
    ----------
    n_channels : int
        Columns are channel by channel, equally many of each.
    multiset, names, seed, profile, supports
        As in :class:`Scaler`.

    Attributes
    ----------
    channel_mean, channel_scale : ndarray of shape (n_channels,), float64
        Mean and standard deviation of the scaled cells.
    """

    grained = False

    def __init__(self, n_channels, multiset, names, seed, *, profile, supports):
        self._n_channels = n_channels
        super().__init__(None, multiset, names, seed, profile=profile, supports=supports)
        self.resting = np.zeros_like(self.resting)
        self._set_ranges()

    def _set_ranges(self):
        """One range and one spread for each channel, and no column that is idle."""
        self.idle = np.zeros_like(self.idle)
        self.resting = np.empty(0)
        per_channel = len(self.low) // self._n_channels
        low, high = (x.reshape(self._n_channels, -1) for x in (self.low, self.high))
        self.low = np.repeat(low.min(axis=1), per_channel)
        self.high = np.repeat(high.max(axis=1), per_channel)
        self.spread = np.repeat(np.float32(self.channel_scale), per_channel)

    def _learn_scaling(self, scaling, scaled, profile, by_ranks, by_value, multiset, seed):
        self._own_units = True
        self.ranked, self.transformer = {}, None
        # Cells that did not vary are cells like all others.
        self.constant = np.zeros_like(self.constant)
        self.fixed = self.rounding = np.empty(0)
        largest = float(max(np.abs(profile.low).max(), np.abs(profile.high).max()))
        if not largest < _LARGEST or 0 < largest < 1 / _LARGEST:
            how = "Divide" if largest > 1 else "Multiply"
            raise ValueError(
                f"Cells go up to {largest:.3g}, which cannot be scaled into the range of float32. "
                f"{how} them by a constant."
            )
        self.shift, self.factor = self._shift_and_factor(profile)
        mean = (profile.mean - self.shift) * self.factor
        self._moments(mean, np.square(profile.deviation * self.factor))

    def _shift_and_factor(self, profile):
        """What each column is shifted by and multiplied with."""
        self._moments(profile.mean, np.square(profile.deviation), profile.rounding.max())
        per_channel = len(profile.mean) // self._n_channels
        moments = self.channel_mean, 1.0 / self.channel_scale
        return tuple(np.repeat(moment, per_channel) for moment in moments)

    def _moments(self, mean, variance, rounding=1e-6):
        """Moments of channels from those of columns; what is no more than rounding is none."""
        self._spread_of_all = float(np.sqrt(variance.mean()))
        mean, variance = (x.reshape(self._n_channels, -1) for x in (mean, variance))
        self.channel_mean = mean.mean(axis=1)
        deviation = np.sqrt(variance.mean(axis=1) + mean.var(axis=1))
        self.channel_scale = np.where(deviation > rounding, deviation, 1.0)

    def on_steps(self, X):
        """Cells as they are: those that share a scale have no steps of their own."""
        return X

    def widened(self, multiset):
        """Itself: arrays keep their scale."""
        return self


class PixelScale(SharedScale):
    """Pixels, on one scale from 0 to 1 for the whole image.

    Parameters
    ----------
    within_unit_interval : bool
        Whether pixels are within 0 and 1 as they are; else the range of those of fit becomes that.
    n_channels, multiset, names, seed, profile, supports
        As in :class:`SharedScale`.

    Raises
    ------
    ValueError
        If pixels are not within 0 and 1 where that is said.
    """

    def __init__(
        self, within_unit_interval, n_channels, multiset, names, seed, *, profile, supports
    ):
        self._within_unit_interval = within_unit_interval
        super().__init__(n_channels, multiset, names, seed, profile=profile, supports=supports)

    def _set_ranges(self):
        self.low, self.high = np.zeros_like(self.low), np.ones_like(self.high)
        # Of all pixels: one that hardly varies must not weigh more than others.
        self.spread = np.full_like(self.spread, max(self._spread_of_all, 1e-6))

    def _shift_and_factor(self, profile):
        low, high = profile.low.min(), profile.high.max()
        if self._within_unit_interval:
            if low < 0 or high > 1:
                raise ValueError(
                    f"With scaling=None pixels must be within 0 and 1; they go from {low:.6g} to "
                    f'{high:.6g}. Use Images(..., scaling="auto").'
                )
            low, high = 0.0, 1.0
        factor = 1.0 / (high - low) if high > low else 1.0
        return np.full(self._n_features, low), np.full(self._n_features, factor)

    def log_slope(self, X):
        """See :meth:`Scaler.log_slope`; 0 for pixels that did not vary."""
        return np.where(self.idle, 0.0, super().log_slope(X))
