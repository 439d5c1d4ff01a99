"""Which cells were missing in fit, so that drawn tables can have holes like those."""

from dataclasses import dataclass

import numpy as np
import torch

_MOST_ROWS, _MOST_PATTERNS = 2**13, 64


@dataclass(frozen=True)
class Missingness:
    """Patterns of missing cells, the frequent ones each as it is, the others cell by cell.

    So that cells are missing together as in fit, and each column as often; whether a cell is
    missing does not depend on what is drawn.

    Attributes
    ----------
    columns : ndarray of int
        Those with missing cells.
    patterns : ndarray of shape (n_patterns, n_bytes), uint8
        The frequent ones, eight columns a byte.
    shares : ndarray of shape (n_patterns,), float32
        How often each is.
    others : ndarray of shape (n_columns,), float32
        How often each of the columns is missing in rows of other patterns.
    """

    columns: np.ndarray
    patterns: np.ndarray
    shares: np.ndarray
    others: np.ndarray

    @classmethod
    def of_rows(cls, train_rows, missing):
        """That of training rows; ``missing`` says which columns have missing cells."""
        multiset, columns = train_rows.multiset, np.flatnonzero(missing)
        cells = multiset.columns(multiset.sample(_MOST_ROWS), columns)
        gone = np.stack([np.isnan(column) for column in cells], axis=1)
        patterns, number, counts = np.unique(
            np.packbits(gone, axis=1), axis=0, return_inverse=True, return_counts=True
        )
        kept = np.sort(np.argsort(-counts, kind="stable")[:_MOST_PATTERNS])
        other = ~np.isin(number.ravel(), kept)
        others = gone[other].mean(axis=0) if other.any() else np.zeros(len(columns))
        shares = counts[kept] / len(gone)
        return cls(
            columns.astype(np.int32),
            patterns[kept],
            shares.astype(np.float32),
            others.astype(np.float32),
        )

    def draw(self, n, n_features, generator):
        """Which cells are missing in drawn rows, ndarray of shape (n, n_features), bool."""
        shape = n, 1 + len(self.columns)
        uniform = torch.rand(shape, generator=generator, dtype=torch.float64, device="cpu").numpy()
        chosen = np.searchsorted(np.cumsum(self.shares), uniform[:, 0], side="right")
        known = np.unpackbits(self.patterns, axis=1, count=len(self.columns)).astype(bool)
        gone = uniform[:, 1:] < self.others
        frequent = chosen < len(known)
        gone[frequent] = known[chosen[frequent]]
        missing = np.zeros((n, n_features), dtype=bool)
        missing[:, self.columns] = gone
        return missing
