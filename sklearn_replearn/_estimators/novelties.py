"""What rows that come later have that the rows before had not: levels, and values out of range."""

import copy
import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .._runtime.arrays import CELLS, slices
from .._runtime.sklearn import safe_indexing
from .._tables.frames import as_pandas
from .._tables.levels import UNSEEN
from .._tables.names import MANY, name_columns

_MOST_LEVELS = 100  # named of each column
_LARGE_SHARE = 0.01  # of rows beyond the range, which are more than chance has there


@dataclass
class Novelties:
    """Counts of what came later, column by column.

    Attributes
    ----------
    n_rows : float
        Weight of all rows that came so far, those of the first fit among them.
    unseen, beyond : ndarray of shape (n_features,), int
        Rows that came later and have a level that the first had not, or a number beyond the range
        of all that came before.
    levels : dict of int to tuple of str
        Such levels of each column, the first hundred.
    warned : ndarray of shape (2, n_features), bool
        Columns of whose levels and ranges was warned.
    """

    n_rows: float
    unseen: np.ndarray
    beyond: np.ndarray
    levels: dict = field(default_factory=dict)
    warned: np.ndarray = None

    @classmethod
    def none(cls, n_features, n_rows):
        """Before anything came later."""
        counts = np.zeros((2, n_features), dtype=np.int64)
        return cls(n_rows, *counts, warned=np.zeros((2, n_features), dtype=bool))

    def counted(self, X, table, scaler):
        """The same after a table, which was given as ``X``; warns of what is new.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        table : ndarray of shape (n_samples, n_features), or SparseTable
            The same rows as numbers.
        scaler : Scaler
            That has seen the rows before.
        """
        later = copy.copy(self)
        leveled = np.flatnonzero(scaler.levels.sizes > 0)
        unseen, beyond = np.zeros((2, len(self.unseen)), dtype=np.int64)
        for part in slices(len(table), max(1, CELLS // table.shape[1])):
            values = table[part]
            unseen[leveled] += (values[:, leveled] == UNSEEN).sum(axis=0)
            scaled = scaler.scale(values).astype(np.float32)
            outside = (scaled < scaler.low) | (scaled > scaler.high)
            beyond += np.where(scaler.numbers & ~scaler.constant, outside.sum(axis=0), 0)
        later.levels = dict(self.levels)
        for j in np.flatnonzero(unseen):
            rows = np.flatnonzero(table[:, j] == UNSEEN)
            named = dict.fromkeys([*self.levels.get(j, ()), *_cells_of(X, rows, j)])
            later.levels[int(j)] = tuple(named)[:_MOST_LEVELS]
        # Chance puts two rows in n beyond the range of n others.
        many = beyond > np.maximum(2, len(table) * (_LARGE_SHARE + 4 / self.n_rows))
        later.unseen, later.beyond = self.unseen + unseen, self.beyond + beyond
        later.n_rows = self.n_rows + len(table)
        new = np.stack([unseen > 0, many]) & ~self.warned
        later.warned = self.warned | new
        later._warn(*map(np.flatnonzero, new), scaler.names)
        return later

    def _warn(self, leveled, ranged, names):
        said = []
        for j in leveled[:MANY]:
            shown = ", ".join(self.levels[j][:MANY])
            said.append(f"In {name_columns(names, [j])} are levels that fit has not seen: {shown}")
        if len(leveled) > MANY:
            said.append(f"so are in {len(leveled) - MANY} more columns")
        if len(ranged):
            said.append(
                f"in {name_columns(names, ranged)} many numbers are beyond the range so far"
            )
        if said:
            warnings.warn(
                f"Rows that come later are unlike those before. {'; '.join(said)}. New levels are encoded as the average of those known, and "
                "decoded to one of these: fit anew, on rows that have them, once they matter. "
                "novelties_ counts such rows; of each column this is said once.",
                UserWarning,
                stacklevel=2,
            )

    def frame(self, names):
        """A row for each column that had something new, DataFrame."""
        which = np.flatnonzero((self.unseen > 0) | (self.beyond > 0))
        return pd.DataFrame(
            {
                "column": [str(names[j]) for j in which],
                "rows_unseen": self.unseen[which],
                "rows_beyond": self.beyond[which],
                "levels": [", ".join(self.levels.get(j, ())) for j in which.tolist()],
            }
        )


def _cells_of(X, rows, j):
    """Different cells of a column, as text, in the order in which they first come."""
    some = safe_indexing(X.tocsr() if hasattr(X, "tocsr") else X, rows)
    found = as_pandas(some)
    if found is not None:
        cells = found[0].iloc[:, j].tolist()
    elif hasattr(some, "toarray"):
        cells = some.toarray()[:, j].tolist()
    else:
        cells = [row[j] for row in some]
    return list(dict.fromkeys(str(cell) for cell in cells))
