"""Rows of any container: some of them, and with columns that are exchanged."""

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from .._dataset.hashing import hashes_of
from .._runtime.sklearn import safe_indexing
from .._runtime.typing import TableLike
from .._tables.frames import as_pandas, eager
from .._tables.names import names_or_numbers
from .._tables.parts import reject_parts
from .._tables.readers import as_read


def n_rows_of(X: Any) -> int:
    """Number of rows of a table that was read."""
    return X.shape[0] if hasattr(X, "shape") else len(X)


def some_rows(X: Any, n_rows: int | None, random_state: int) -> tuple[Any, NDArray[np.intp]]:
    """At most so many rows of a table, drawn by a seed and in their order, and which they are.

    Parameters
    ----------
    X : array-like, frame or sparse matrix of shape (n_samples, n_features)
    n_rows : int or None
        None takes all.
    random_state : int

    Raises
    ------
    ValueError
        If there is no row.
    """
    reject_parts(X, "A display")
    X = as_read(X)
    n = n_rows_of(X)
    if n == 0:
        raise ValueError("Found array with 0 sample(s): there is nothing to draw. Give some rows.")
    if n_rows is None or n <= n_rows:
        return X, np.arange(n)
    rows = np.sort(np.random.RandomState(random_state).choice(n, n_rows, replace=False))
    return taken(X, rows), rows


def taken(X: Any, rows: NDArray[np.intp]) -> Any:
    """Rows of a table by number."""
    frame = eager(X)
    if isinstance(X, pd.DataFrame) or not hasattr(frame, "to_native"):
        return safe_indexing(X.tocsr() if sp.issparse(X) else X, rows)
    return frame[rows].to_native()


class Exchangeable:
    """Rows of which some can be taken, and in which columns can be taken from other rows.

    Rows stay in the container that they came in, for any transformer to take. Cells of arrays of
    more than two axes are columns one by one.

    Parameters
    ----------
    X : array-like, frame or sparse matrix of shape (n_samples, n_features)
    """

    def __init__(self, X: TableLike) -> None:
        reject_parts(X, "A display")
        X = as_read(X)
        frame = X if isinstance(X, pd.DataFrame) else eager(X)
        if isinstance(frame, pd.DataFrame | nw.DataFrame):
            self.rows: Any = frame
        elif sp.issparse(frame):
            self.rows = frame.tocsr()
        else:
            self.rows = np.asarray(frame)
            if self.rows.ndim < 2:
                raise ValueError(
                    "X must be a table of shape (n_samples, n_features); got an array of "
                    f"{self.rows.ndim} dimensions. Of one row give a table of one: x.reshape(1, -1)"
                )

    def __len__(self) -> int:
        return self.rows.shape[0]

    @property
    def is_frame(self) -> bool:
        """Whether columns have names."""
        return isinstance(self.rows, pd.DataFrame | nw.DataFrame)

    @property
    def names(self) -> list[Any]:
        """Names of the columns; x0, x1 … where they have none."""
        if self.is_frame:
            return list(self.rows.columns)
        return names_or_numbers(None, int(np.prod(self.rows.shape[1:])))

    @property
    def given(self) -> Any:
        """The rows in their container."""
        return self.rows.to_native() if isinstance(self.rows, nw.DataFrame) else self.rows

    def pandas(self) -> pd.DataFrame:
        """Rows as a frame of pandas, its columns numbered."""
        if sp.issparse(self.rows):
            frame = pd.DataFrame(self.rows.toarray())
        elif self.is_frame:
            found = as_pandas(self.given)
            assert found is not None
            frame = found[0]
        else:
            frame = pd.DataFrame(self.rows.reshape(len(self), -1))
        return frame.set_axis(range(frame.shape[1]), axis=1)

    def hashes(self) -> NDArray[Any]:
        """A number for each row, which follows from its cells."""
        if sp.issparse(self.rows):
            return self.rows @ np.random.RandomState(0).uniform(size=self.rows.shape[1])
        if not self.is_frame and self.rows.dtype.kind in "fiub":
            return hashes_of(self.rows.reshape(len(self), -1))
        return pd.util.hash_pandas_object(self.pandas(), index=False).to_numpy()

    def take(self, numbers: NDArray[np.intp]) -> "Exchangeable":
        """Some rows, which may be taken several times."""
        taken = object.__new__(Exchangeable)
        if isinstance(self.rows, pd.DataFrame):
            taken.rows = self.rows.iloc[numbers].reset_index(drop=True)
        elif isinstance(self.rows, nw.DataFrame):
            taken.rows = self.rows[numbers.tolist(), :]
        else:
            taken.rows = self.rows[numbers]
        return taken

    def exchanged(self, columns: list[int], others: "Exchangeable") -> Any:
        """The rows with some columns of as many other rows, in their container."""
        theirs = others.rows
        if isinstance(self.rows, pd.DataFrame):
            rows = self.rows.copy()
            for j in columns:
                rows.isetitem(j, theirs.iloc[:, j])
            return rows
        if isinstance(self.rows, nw.DataFrame):
            picked = (theirs[theirs.columns[j]] for j in columns)
            return self.rows.with_columns(*picked).to_native()
        if sp.issparse(self.rows):
            taken = sp.diags_array(np.isin(np.arange(self.rows.shape[1]), columns).astype(float))
            kept = sp.eye_array(self.rows.shape[1]) - taken
            return type(self.rows)(self.rows @ kept + theirs @ taken)
        rows = self.rows.copy()
        rows.reshape(len(rows), -1)[:, columns] = theirs.reshape(len(rows), -1)[:, columns]
        return rows
