"""The rows of a fit, read at the door: of a table in memory, or of one that is read in parts."""

import math
import mmap
from dataclasses import dataclass

import numpy as np

from .._dataset.columns import as_column, row_weights
from .._dataset.metadata import RowMetadata
from .._dataset.multiset import Multiset, canonical
from .._dataset.sparse import SparseTable
from .._dataset.stored_rows import RowsInParts
from .._runtime.arrays import slices
from .._runtime.memory import free_memory
from .._runtime.sklearn import safe_indexing
from .._tables.part_by_part import PartByPart
from .._tables.parts import Parts, parts_of
from .._tables.readers import as_read
from .._tables.schema import Schema
from .._tables.validation import read_table
from ..rows import Rows
from ..rows.base import table_of

# Of a map of a file: larger than this share of free memory it is read in parts, of so many cells.
_MOST_OF_MEMORY, _CELLS_READ = 0.5, 2**22


@dataclass(frozen=True)
class TrainingTable:
    """What a network is fitted to.

    Attributes
    ----------
    rows : Rows
        In the form of the table.
    schema : Schema
    multiset : Multiset
    metadata : RowMetadata or None
        Of the rows of the table that the multiset is of.
    """

    rows: Rows
    schema: Schema
    multiset: Multiset
    metadata: RowMetadata | None


def training_table(estimator, rows, X, sample_weight, metadata_of, last, scratch):
    """The :class:`TrainingTable` of what is given to ``fit``.

    Parameters
    ----------
    estimator : RepresentationTransformer
        It gets ``n_features_in_`` and, for tables with names, ``feature_names_in_``.
    rows : Rows
        As a user gives them.
    X, sample_weight
        As in ``fit``.
    metadata_of : callable or None
        Takes the number of rows and gives their :class:`RowMetadata`.
    last : Model or None
        Of the fit that is gone on with.
    scratch : Scratch
        Where rows are kept for which memory has no room.
    """
    parts = _parts_of(X)
    if parts is None:
        found = _in_memory(estimator, rows, X, sample_weight, metadata_of, last)
    else:
        found = _in_parts(estimator, rows, parts, sample_weight, metadata_of, last, scratch)
    if last is None:
        found.schema.warn_of_looks()
    if found.multiset.n_draws < 2 and last is None:
        raise ValueError("sample_weight leaves one row; at least 2 are needed to learn from.")
    return found


def _in_memory(estimator, rows, X, sample_weight, metadata_of, last):
    rows = rows.in_form_of(X)
    X, features = table_of(rows, X), rows.categorical_features
    table, schema = read_table(estimator, X, features, None if last is None else last.schema)
    rows.check(table, schema)
    weights = row_weights(sample_weight, table)
    metadata = None if metadata_of is None else metadata_of(len(table)).of_counting(weights > 0)
    if last is None and schema.kinds is not None and not weights.all():
        # A level of rows that count nothing has not been seen.
        counting = np.flatnonzero(weights)
        metadata = None if metadata is None else metadata.take(counting)
        weights = weights[counting]
        table, schema = read_table(estimator, safe_indexing(X, counting), features)
    if not isinstance(table, SparseTable):
        # Training takes rows one by one: each must lie together in memory.
        table = np.ascontiguousarray(table)
    beside = None if metadata is None else metadata.as_columns()
    return TrainingTable(rows, schema, canonical(table, weights, beside), metadata)


def _in_parts(estimator, rows, parts, sample_weight, metadata_of, last, scratch):
    given = _Given(rows, parts, sample_weight)
    door = PartByPart(estimator, rows.categorical_features, None if last is None else last.schema)
    for table, _ in given:
        door.look(table)
    given.check_length()
    dtype = door.learned()
    if metadata_of is not None:
        _reject_metadata(metadata_of, given.n_rows)
    schema = door.schema()
    found = RowsInParts(scratch, door.n_rows, estimator.n_features_in_, dtype)
    for table, weights in given:
        numbers = door.numbers(table)
        given.rows.check(numbers, schema)
        found.add(numbers, weights)
    return TrainingTable(given.rows, door.finished(), found.multiset(), None)


class _Given:
    """The parts of a table, each time it is read, as tables with the weights of their rows."""

    def __init__(self, rows, parts, sample_weight):
        self._asked, self._parts, self.n_rows = rows, parts, 0
        self.rows = self._weights = None
        self._each = 1.0
        if np.ndim(sample_weight) == 0 and sample_weight is not None:
            (self._each,) = row_weights(sample_weight, np.empty((1, 1)))
        elif sample_weight is not None:
            n = len(as_column(sample_weight, "sample_weight"))
            self._weights = row_weights(sample_weight, np.empty((n, 1)))

    def __iter__(self):
        self.n_rows = 0
        for part in self._parts:
            part = as_read(part)
            if self.rows is None:
                self.rows = self._asked.in_form_of(part)
            n = part.shape[0] if hasattr(part, "shape") else len(part)
            here = slice(self.n_rows, self.n_rows + n)
            self.n_rows += n
            if not n:
                continue
            table = table_of(self.rows, part)
            if self._weights is None:
                yield table, np.full(n, self._each)
                continue
            weights = self._weights[here]
            # A level of rows that count nothing has not been seen.
            counting = np.flatnonzero(weights)
            if len(weights) == n and len(counting):
                some = table if len(counting) == n else safe_indexing(table, counting)
                yield some, weights[counting]

    def check_length(self):
        """Refuse weights of other than the rows that were read."""
        if self._weights is not None and len(self._weights) != self.n_rows:
            raise ValueError(
                "sample_weight must have one value for each row of the table, which has "
                f"{self.n_rows:,} in all its parts; got {len(self._weights):,}."
            )


def _reject_metadata(metadata_of, n_rows):
    """What stands beside rows is of the order in which they are in memory."""
    metadata = metadata_of(n_rows)
    if metadata is not None and metadata.as_columns() is not None:
        raise ValueError(
            "Labels y, groups and times are for tables in memory: a table that is read in parts "
            "may have sample_weight beside it only. Leave them out, or give a table in memory, "
            "such as some of these rows."
        )


def _parts_of(X):
    """A table that is to be read in parts; None for one that is in memory."""
    if isinstance(X, np.memmap) and X.ndim > 1:
        free = free_memory()
        large = free is not None and X.nbytes > _MOST_OF_MEMORY * free
        return Parts(lambda: _pieces(X)) if large else None
    return parts_of(X)


def _pieces(X):
    """Copies of the rows of a map, whose pages are given back one after the other."""
    mapped = getattr(X, "_mmap", None)
    for part in slices(len(X), max(1, _CELLS_READ // math.prod(X.shape[1:]))):
        piece = np.array(X[part])
        if hasattr(mapped, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)
        yield piece
