"""A table that is read in parts, twice: what its columns are like, and their cells as numbers."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from .arrays import rows_as_array
from .frames import columns_of
from .names import name_columns
from .part_forms import AsInFit, Cells, Numbers, no_sparse
from .validation import names_categories, names_of, reject_axes, reject_infinite

_CHANGED = (
    "{what} Fit reads a table that is given in parts twice, and it has to be the same each time: a "
    "callable must make a new iterator in each call, such as lambda: pandas.read_csv(path, "
    "chunksize=10_000), and nothing may write to the files meanwhile."
)


class PartByPart:
    """The parts of a table in turn: all of them are looked at, and then made numbers.

    The same is learned of them as of one table that has all their rows.

    Parameters
    ----------
    estimator : estimator
        It gets ``n_features_in_`` and, for tables with names, ``feature_names_in_``.
    features : array-like, str or None
        Columns that are categories whatever they hold.
    schema : Schema, default=None
        What an earlier fit has learned, which is kept.

    Attributes
    ----------
    n_rows : int
        Looked at so far.
    """

    def __init__(self, estimator, features, schema=None):
        self._estimator, self._features, self._kept = estimator, features, schema
        self._columns, self.n_rows, self._n_again = None, 0, 0

    def look(self, X):
        """First reading of a part, of at least one row."""
        if self._columns is None:
            self._columns = self._form(self._part(X))
        self.n_rows += self._columns.look(self._part(X))

    def learned(self):
        """Learn of the columns what was seen; returns the dtype of their numbers.

        Raises
        ------
        ValueError, TypeError
            If the parts are no table together, or one of fewer than two rows.
        """
        if self.n_rows == 0:
            raise ValueError(
                "The table is to be read in parts and has no row: fit needs at least 2."
            )
        return self._columns.learned(self.n_rows)

    def numbers(self, X):
        """Second reading of a part: its cells as numbers, ndarray of shape (n, n_features)."""
        cells = self._columns.numbers(self._part(X))
        self._n_again += len(cells)
        if self._n_again > self.n_rows:
            raise self._changed("it has more")
        reject_infinite(cells, names_of(self._estimator))
        return cells

    def schema(self):
        """The :class:`Schema`, as far as it is known before all parts were read again."""
        return self._columns.schema()

    def finished(self):
        """The :class:`Schema`, when all parts were read again.

        Raises
        ------
        ValueError
            If they were others than before.
        """
        if self._n_again != self.n_rows:
            raise self._changed(f"it has {self._n_again:,}" if self._n_again else "it has none")
        changed, names = self._columns.changed(), names_of(self._estimator)
        if len(changed):
            cells = f"the cells of {name_columns(names, changed)}"
            raise ValueError(_CHANGED.format(what=f"The table changed while it was read: {cells}."))
        return self._columns.schema()

    def _changed(self, how):
        what = f"The table had {self.n_rows:,} rows when it was read first; read again, {how}."
        return ValueError(_CHANGED.format(what=what))

    def _form(self, X):
        if self._kept is not None:
            return AsInFit(self._estimator, self._kept)
        return (Numbers if isinstance(X, np.ndarray) else Cells)(self._estimator, self._features)

    def _part(self, X):
        """An array of numbers, or :func:`columns_of` a frame; itself where fit is gone on with."""
        if self._kept is not None:
            return X
        found = columns_of(X)
        if found is not None:
            return found
        if sp.issparse(X):
            raise no_sparse()
        X = rows_as_array(X)
        if X.ndim > 2:
            reject_axes(X)
        if X.dtype.kind not in "fiubc":
            raise ValueError(
                f"A part of the table is an array of dtype {X.dtype}. Give parts whose cells are "
                "not all numbers as frames, for example with pandas.DataFrame(part)."
            )
        if not names_categories(self._features):
            return X
        n = X.shape[1]
        return [pd.Series(X[:, j]) for j in range(n)], pd.RangeIndex(n), None
