"""Token ids as they are, and how often each is there."""

import numpy as np

from .._runtime.arrays import CELLS
from .scaler import Scaler
from .support import LEVELS


class TokenIds(Scaler):
    """Positions of rows of token ids, which are not scaled.

    Parameters
    ----------
    vocabulary_size : int
    multiset, names, seed, profile
        As in :class:`Scaler`.

    Attributes
    ----------
    frequencies : ndarray of shape (vocabulary_size,), float32
        Share of each id among the tokens; 0 for padding.
    filled : ndarray of shape (n_features,), float32
        Share of the rows that have a token at each position.
    """

    def __init__(self, vocabulary_size, multiset, names, seed, *, profile):
        supports = [LEVELS] * multiset.width
        super().__init__(None, multiset, names, seed, profile=profile, supports=supports)
        counts, filled = np.zeros(vocabulary_size), np.zeros(multiset.width)
        for part in multiset.parts(CELLS):
            ids = multiset.values(part).astype(np.int64)
            weights = np.repeat(multiset.weights[part], ids.shape[1])
            counts += np.bincount(ids.ravel(), weights, minlength=vocabulary_size)
            filled += np.einsum("i,ij->j", multiset.weights[part], (ids > 0).astype(np.float64))
        self.filled = (filled / multiset.total).astype(np.float32)
        shares = counts / counts.sum()
        entropy = -(shares[shares > 0] * np.log(shares[shares > 0])).sum()
        counts[0] = 0.0
        self.frequencies = (counts / max(counts.sum(), 1.0)).astype(np.float32)
        self.spread = np.full_like(self.spread, max(entropy, 1e-6))
        self.low = np.zeros_like(self.low)
        self.high = np.full_like(self.high, vocabulary_size - 1)
        self.idle, self.resting = np.zeros_like(self.idle), np.empty(0)

    def _learn_scaling(self, scaling, scaled, profile, by_ranks, by_value, multiset, seed):
        super()._learn_scaling(scaling, scaled, profile, by_ranks, by_value, multiset, seed)
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

    def on_steps(self, X):
        """Ids as they are."""
        return X

    def widened(self, multiset):
        """Itself: any id of the vocabulary is known."""
        return self
