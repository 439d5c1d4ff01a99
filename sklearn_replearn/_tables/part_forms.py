"""What parts of a table are: arrays, frames, or rows like those of an earlier fit.

Each is looked at part by part, and read a second time as numbers.
"""

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_array, validate_data

from .._dataset.sparse import SparseTable
from .column_types import Category, Number, as_numbers
from .dates import as_time
from .names import column_named, name_columns
from .schema import encoded
from .validation import (
    categorical,
    common,
    float_of,
    joined,
    of_numbers,
    read_table,
    schema_of,
)
from .witnesses import Frequent, Witnesses, content_of_part


class AsInFit:
    """Parts that are read by the schema of an earlier fit."""

    def __init__(self, estimator, schema):
        self._estimator, self._schema, self._float = estimator, schema, np.float32
        self._first, self._again = np.zeros((2, estimator.n_features_in_), dtype=np.uint64)

    def _read(self, X):
        table, _ = read_table(self._estimator, X, schema=self._schema)
        if isinstance(table, SparseTable):
            raise no_sparse()
        return table

    def look(self, X):
        table = self._read(X)
        self._float = np.result_type(self._float, table.dtype)
        self._first += _sums(table)
        return len(table)

    def learned(self, n_rows):
        return self._float

    def numbers(self, X):
        table = self._read(X)
        self._again += _sums(table)
        return table.astype(self._float, copy=False)

    def changed(self):
        return np.flatnonzero(self._first != self._again)

    def schema(self):
        return self._schema


class Numbers:
    """Parts that are arrays of numbers."""

    def __init__(self, estimator, features):
        self._estimator, self._dtype, self._some = estimator, None, None

    def look(self, X):
        if not isinstance(X, np.ndarray):
            raise _other_form("a frame", "an array")
        if self._dtype is None:
            self._dtype, self._first, self._again = X.dtype, _no_sums(X), _no_sums(X)
        if X.shape[1] != len(self._first):
            raise ValueError(
                f"A part of the table has {X.shape[1]} columns, and the first one "
                f"{len(self._first)}. Give all parts the same columns."
            )
        self._dtype = np.result_type(self._dtype, X.dtype)
        self._some = X[:1] if self._some is None else self._some
        self._first += _sums(X)
        return len(X)

    def learned(self, n_rows):
        some = np.repeat(self._some, min(n_rows, 2), axis=0).astype(self._dtype)
        table, self._schema = of_numbers(self._estimator, some, self._dtype, None)
        self._float = table.dtype
        return self._float

    def numbers(self, X):
        if not isinstance(X, np.ndarray):
            raise _other_form("a frame", "an array")
        self._again += _sums(X)
        table, _ = of_numbers(self._estimator, X, X.dtype, self._schema)
        return table.astype(self._float, copy=False)

    def changed(self):
        return np.flatnonzero(self._first != self._again)

    def schema(self):
        return self._schema


class Cells:
    """Parts that are frames, or arrays with categories."""

    def __init__(self, estimator, features):
        self._estimator, self._features = estimator, features
        self._names = None

    def look(self, X):
        if isinstance(X, np.ndarray):
            raise _other_form("an array", "a frame")
        columns, names, container = X
        if self._names is None:
            self._begin(columns, names, container)
        self._check_names(names)
        each = zip(self._witnesses, columns, self._shown, strict=True)
        for j, (witnesses, column, shown) in enumerate(each):
            content = content_of_part(column, shown)
            witnesses.take(column, content)
            self._first[j : j + 1] += _imprint(column, content)
            if self._mixed and content == "number":
                self._frequent[j].look(as_numbers(column).astype(np.float64))
        if container is None:
            self._dtypes.add(columns[0].dtype)
        return len(columns[0])

    def _begin(self, columns, names, container):
        twice = np.flatnonzero(names.duplicated())
        if len(twice):
            raise ValueError(
                f"The table names {name_columns(names, twice)} more than once. "
                "Give every column a name of its own."
            )
        self._names, self._container = names, container
        self._shown = list(map(column_named, names))
        labels = None if container is None else names
        chosen = categorical(self._features, len(names), labels)
        self._dtypes = set()
        self._witnesses = list(map(Witnesses, self._shown, chosen))
        self._frequent = [Frequent() for _ in self._shown]
        self._first, self._again = np.zeros((2, len(self._shown)), dtype=np.uint64)
        empty = pd.DataFrame(columns=names)
        validate_data(self._estimator, empty, reset=True, skip_check_array=True)
        # Where some are, or may be, no numbers, values count that many rows have.
        self._mixed = any(chosen) or any(
            content_of_part(column, shown) != "number"
            for column, shown in zip(columns, self._shown, strict=True)
        )

    def _check_names(self, names):
        if not names.equals(self._names):
            other = [name for name in names if name not in self._names]
            gone = [name for name in self._names if name not in names]
            how = f"{other[0]!r} is new" if other else f"{gone[0]!r} is missing" if gone else None
            raise ValueError(
                "A part of the table has other columns than the first one"
                f"{': their order is another' if how is None else f': {how}'}. Give all parts the "
                "same columns, in the same order."
            )

    def learned(self, n_rows):
        if n_rows < 2 or not self._shown:
            shape = n_rows, len(self._shown)
            check_array(np.zeros(shape), ensure_min_samples=2, estimator=self._estimator)
        found = (of.learned() for of in self._witnesses)
        self._kinds, self._cells, times = zip(*found, strict=True)
        self._n_rows = n_rows
        self._float = float_of(self._cells, self._kinds)
        # How often each level is there, less how often it was when read again.
        self._counts = {
            j: _counts(kind, cells, of_cells)
            for j, (kind, cells, of_cells) in enumerate(
                zip(self._kinds, self._cells, times, strict=True)
            )
            if isinstance(kind, Category)
        }
        for frequent in self._frequent:
            frequent.look_again()
        return common(self._cells) if self._float is None else self._float

    def numbers(self, X):
        if isinstance(X, np.ndarray):
            raise _other_form("an array", "a frame")
        columns, names, _ = X
        self._check_names(names)
        cells = list(map(encoded, self._kinds, columns, self._shown))
        for j, (kind, column) in enumerate(zip(self._kinds, columns, strict=True)):
            if isinstance(kind, Category):
                self._counts[j] -= _counts(kind, cells[j])
            content = content_of_part(column, self._shown[j])
            self._again[j : j + 1] += _imprint(column, content)
            if type(kind) is Number and self._float == np.float32:
                self._frequent[j].count(cells[j])
        return joined(cells, common(self._cells) if self._float is None else self._float)

    def changed(self):
        changed = self._first != self._again
        for j, counts in self._counts.items():
            changed[j] |= counts.any()
        return np.flatnonzero(changed)

    def schema(self):
        names = None if self._container is None else self._names
        if self._float == np.float32:
            for kind, cells, found in zip(self._kinds, self._cells, self._frequent, strict=True):
                if type(kind) is Number and cells.dtype == np.float64:
                    kind.learn_atoms(found.values, found.counts, self._n_rows)
        # Of an array, whose columns are all of one dtype.
        dtype = np.result_type(*self._dtypes) if self._dtypes else None
        return schema_of(self._container, self._kinds, names, dtype, self._float, self._cells)


def no_sparse():
    return TypeError(
        "A part of the table is a sparse matrix, which fit takes in one piece only: give the whole "
        "matrix, or parts that are dense arrays or frames."
    )


def _other_form(one, other):
    return ValueError(
        f"A part of the table is {one}, and the first one {other}. Give all one form."
    )


def _counts(kind, cells, times=None):
    """How often each level is among the numbers of a category, that of unseen ones first."""
    known = ~np.isnan(cells)
    times = None if times is None else times[known]
    return np.bincount(cells[known].astype(np.intp), times, kind.n_levels + 1).astype(np.int64)


def _no_sums(X):
    return np.zeros(X.shape[1], dtype=np.uint64)


def _sums(X):
    """Of each column a number that changes with any cell, and not with the order of rows."""
    bits = np.ascontiguousarray(X).view(f"u{X.dtype.itemsize}").reshape(len(X), -1)
    with np.errstate(over="ignore"):
        return np.add.reduce(bits, axis=0, dtype=np.uint64)


def _imprint(column, content):
    """The same of a column of a frame."""
    if content == "number":
        cells = as_numbers(column)
    elif content == "time":
        cells = as_time(column).astype("int64").to_numpy()
    else:
        return np.array([column.isna().sum()], dtype=np.uint64)
    return _sums(cells[:, None])
