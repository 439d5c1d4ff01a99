"""What rows that come later have that the rows before had not: levels, and values out of range."""

import copy
import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .._runtime.sklearn import safe_indexing
from .._tables.frames import as_pandas
from .._tables.levels import UNSEEN
from .._tables.names import MANY, name_columns
from .._tables.parts import parts_of
from ..rows.base import table_of

_MOST_LEVELS = 100  # named of each column
_LARGE_SHARE = 0.01  # of rows beyond the range, which are more than chance has there


@dataclass
class Novelties:
    """Counts of what came later, column by column.

    Attributes
    ----------
    n_rows : float
        Weight of all rows that came so far, those of the first fit among them.
    unseen, beyond : ndarray of shape (n_features,), float64
        Weight of rows that came later and have a level that the first had not, or a number beyond
        the range of all that came before.
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
        counts = np.zeros((2, n_features))
        return cls(n_rows, *counts, warned=np.zeros((2, n_features), dtype=bool))

    def counted(self, multiset, scaler, shown):
        """The same after some rows; warns of what is new.

        Parameters
        ----------
        multiset : Multiset
            The rows.
        scaler : Scaler
            That has seen the rows before.
        shown : callable
            Takes the number of a column and numbers of rows of the table; gives texts of cells.
        """
        later = copy.copy(self)
        leveled = np.flatnonzero(scaler.levels.sizes > 0)
        unseen, beyond = np.zeros((2, len(self.unseen)))
        later.levels = dict(self.levels)
        for part in multiset.parts():
            values, weights = multiset.values(part), multiset.weights[part]
            new = values[:, leveled] == UNSEEN
            unseen[leveled] += weights @ new
            scaled = scaler.scale(values).astype(np.float32)
            outside = (scaled < scaler.low) | (scaled > scaler.high)
            beyond += np.where(scaler.numbers & ~scaler.constant, weights @ outside, 0)
            for j, of_column in zip(leveled.tolist(), new.T, strict=True):
                if of_column.any():
                    named = shown(j, multiset.numbers[part][of_column])
                    known = dict.fromkeys([*later.levels.get(j, ()), *named])
                    later.levels[j] = tuple(known)[:_MOST_LEVELS]
        # Chance puts two rows in n beyond the range of n others, and hardly ever ten times as many.
        many = beyond > np.maximum(4, multiset.total * (_LARGE_SHARE + 20 / self.n_rows))
        later.unseen, later.beyond = self.unseen + unseen, self.beyond + beyond
        later.n_rows = self.n_rows + multiset.total
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
                f"Rows that come later are unlike those before. {'; '.join(said)}. Fit anew, on "
                "rows that have them, once they matter: new levels are encoded as the average of "
                "those known, and one of these is decoded. novelties_ counts such rows; of each "
                "column this is said once.",
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


def novelties_after(last, given, X):
    """The :class:`Novelties` of a model ``last`` after rows that are given, as ``X`` to ``fit``."""
    known = last.novelties or Novelties.none(given.multiset.width, last.scaler.n_rows)
    in_parts = parts_of(X) is not None
    table = None if in_parts else table_of(given.rows, X)

    def shown(j, numbers):
        # Of rows that were read in parts the numbers are left, and no texts.
        return [] if in_parts else _cells_of(table, j, numbers)

    return known.counted(given.multiset, last.scaler, shown)


def _cells_of(X, j, rows):
    """Different cells of a column, as text, in the order of the rows."""
    found = as_pandas(X)
    if found is not None:
        cells = found[0].iloc[np.sort(rows), j].tolist()
    else:
        some = safe_indexing(X.tocsr() if hasattr(X, "tocsr") else X, np.sort(rows))
        some = some.toarray() if hasattr(some, "toarray") else some
        cells = [row[j] for row in some]
    return list(dict.fromkeys(str(cell) for cell in cells))
