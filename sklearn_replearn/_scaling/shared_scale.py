"""Columns that are all of one kind: the pixels of images, the tokens of rows of ids."""

import numpy as np

from .._runtime.arrays import CELLS
from .scaler import Columns

_LARGEST = 1e30
_OF_PIXELS = ("gaussian", "bernoulli", "student_t")


class PixelColumns(Columns):
    """Pixels, on one scale from 0 to 1 for the whole image.

    Crops and shifts move a pixel to the place of another: each with a scale of its own would have
    another meaning there.

    Parameters
    ----------
    image_shape : tuple of int
        (channels, height, width).
    scaling, multiset, names, seed, likelihoods
        As in :class:`Columns`; ``scaling`` is "auto", or None for pixels that are within [0, 1].

    Attributes
    ----------
    channel_mean, channel_scale : ndarray of shape (channels,), float64
        Mean and standard deviation of the scaled pixels.
    """

    def __init__(self, image_shape, scaling, multiset, names, seed, likelihoods):
        if not (scaling is None or (isinstance(scaling, str) and scaling in ("auto", "minmax"))):
            raise ValueError(
                'With image_shape all pixels have one scale: scaling is "auto" (the range of the '
                f"training images becomes 0 to 1) or None (it is within 0 and 1); got {scaling!r}."
            )
        self._n_channels = image_shape[0]
        super().__init__(scaling, multiset, names, seed, likelihoods)
        others = set(self.likelihoods) - set(_OF_PIXELS)
        if others:
            raise ValueError(
                f"With image_shape pixels are {', '.join(_OF_PIXELS)}; got "
                f"{', '.join(sorted(others))}."
            )
        self.resting = np.zeros_like(self.resting)
        self.low, self.high = np.zeros_like(self.low), np.ones_like(self.high)
        self.common = np.empty(0, dtype=np.intp)
        # Of all pixels: one that hardly varies must not weigh more than others.
        self.spread = np.full_like(self.spread, max(self._spread_of_all, 1e-6))

    def _learn_scaling(self, scaling, scaled, profile, by_ranks, multiset, seed):
        self._own_units = True
        self.ranked, self.transformer = {}, None
        low, high = profile.low.min(), profile.high.max()
        if scaling is None:
            if low < 0 or high > 1:
                raise ValueError(
                    f"With scaling=None pixels must be within 0 and 1; they go from {low:.6g} to "
                    f'{high:.6g}. Use scaling="auto".'
                )
            low, high = 0.0, 1.0
        if not max(abs(low), abs(high)) < _LARGEST:
            raise ValueError(
                f"Pixels go up to {max(abs(low), abs(high)):.3g}, which cannot be scaled into the "
                "range of float32. Divide them by a constant."
            )
        self.shift = np.full(self._n_features, low)
        self.factor = np.full(self._n_features, 1.0 / (high - low) if high > low else 1.0)
        # Pixels that did not vary are pixels like all others.
        self.constant = np.zeros_like(self.constant)
        self.fixed = self.rounding = np.empty(0)
        mean = (profile.mean - self.shift) * self.factor
        variance = profile.variance * self.factor**2
        self._spread_of_all = float(np.sqrt(variance.mean()))
        mean, variance = (x.reshape(self._n_channels, -1) for x in (mean, variance))
        self.channel_mean = mean.mean(axis=1)
        deviation = np.sqrt(variance.mean(axis=1) + mean.var(axis=1))
        self.channel_scale = np.where(deviation > 1e-6, deviation, 1.0)

    def log_slope(self, X):
        """See :meth:`Columns.log_slope`; 0 for pixels that did not vary."""
        return np.where(self.idle, 0.0, super().log_slope(X))

    def widened(self, multiset):
        """Itself: images keep their scale."""
        return self


class TokenColumns(Columns):
    """Positions of rows of token ids, as they are.

    Parameters
    ----------
    vocabulary_size : int
    multiset, names, seed
        As in :class:`Columns`.

    Attributes
    ----------
    frequencies : ndarray of shape (vocabulary_size,), float32
        Share of each id among the tokens; 0 for padding.
    filled : ndarray of shape (n_features,), float32
        Share of the rows that have a token at each position.
    """

    def __init__(self, vocabulary_size, multiset, names, seed):
        super().__init__(None, multiset, names, seed)
        counts, filled = np.zeros(vocabulary_size), np.zeros(multiset.width)
        for part in multiset.parts(CELLS):
            ids = multiset.values(part).astype(np.int64)
            weights = np.repeat(multiset.weights[part], ids.shape[1])
            counts += np.bincount(ids.ravel(), weights, minlength=vocabulary_size)
            filled += np.einsum("i,ij->j", multiset.weights[part], (ids > 0).astype(np.float64))
        self.filled = (filled / multiset.weights.sum()).astype(np.float32)
        shares = counts / counts.sum()
        entropy = -(shares[shares > 0] * np.log(shares[shares > 0])).sum()
        counts[0] = 0.0
        self.frequencies = (counts / max(counts.sum(), 1.0)).astype(np.float32)
        self.spread = np.full_like(self.spread, max(entropy, 1e-6))
        self.low = np.zeros_like(self.low)
        self.high = np.full_like(self.high, vocabulary_size - 1)
        self.idle, self.resting = np.zeros_like(self.idle), np.empty(0)
        self.common = np.empty(0, dtype=np.intp)

    def _learn_scaling(self, scaling, scaled, profile, by_ranks, multiset, seed):
        super()._learn_scaling(scaling, scaled, profile, by_ranks, multiset, seed)
        self.constant = np.zeros_like(self.constant)
        self.fixed = self.rounding = np.empty(0)
        self.shift = np.zeros(self._n_features)

    @property
    def numbers(self):
        """None: ids are names."""
        return np.zeros(self._n_features, dtype=bool)

    @property
    def mixed(self):
        """True: ids are categories."""
        return True

    def log_slope(self, X):
        """0: ids have a probability and no density."""
        return np.zeros((1, self._n_features))

    def widened(self, multiset):
        """Itself: any id of the vocabulary is known."""
        return self
