"""Rows on disk, for which memory has no room: written in any order, read in canonical one."""

import errno
import shutil
import tempfile
from contextlib import ExitStack, contextmanager

import numpy as np

from .._runtime.arrays import slices
from .._runtime.memory import in_words
from .hashing import hashes_of
from .multiset import Multiset, canonical, in_order_of
from .stretches import Equal, Stretches

# Of rows: kept in memory below, taken to the disk at a time, sorted together; and the most files.
_MOST_CELLS_KEPT = 2**26
_BYTES_AT_ONCE, _BYTES_SORTED, _MOST_FILES = 2**25, 2**25, 2**7
_ROWS_WRITTEN = 2**13


class StoredTable:
    """Rows in files, read like those of an array, a few at a time.

    Parameters
    ----------
    files : list of file
        Unbuffered, each of the rows that follow those of the one before.
    counts : array-like of shape (n_files,)
        Rows in each.
    width : int
    dtype : dtype
    """

    def __init__(self, files, counts, width, dtype):
        self._files, self._ends = files, np.cumsum(counts)
        self.shape, self.dtype = (int(self._ends[-1]), width), np.dtype(dtype)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        rows = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else np.asarray(rows)
        if len(rows) and (np.diff(rows) < 0).any():
            rising, back = np.unique(rows, return_inverse=True)
            return self[rising][back]
        cells = np.empty((len(rows), self.shape[1]), self.dtype)
        if not len(rows):
            return cells
        files = np.searchsorted(self._ends, rows, side="right")
        new = np.flatnonzero((np.diff(rows) != 1) | (np.diff(files) != 0)) + 1
        starts = np.concatenate([[0], new, [len(rows)]])
        for start, stop in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            file = files[start]
            before = self._ends[file - 1] if file else 0
            _read_into(self._files[file], cells[start:stop], int(rows[start] - before))
        return cells

    def take(self, rows, axis=0):
        """The same, by numbers of rows, as of an ndarray."""
        return self[rows]


class StoredColumn:
    """One number for each row, in a file; see :class:`StoredTable`."""

    def __init__(self, file, n):
        self._table = StoredTable([file], [n], 1, np.float64)

    def __len__(self):
        return len(self._table)

    def __getitem__(self, part):
        return self._table[part][:, 0]


class Scratch:
    """Files without a name, which are gone when it is left, or the process dies."""

    def __enter__(self):
        self._stack = ExitStack()
        return self

    def __exit__(self, *exception):
        self._stack.close()

    def file(self):
        """A new file, to be written and read."""
        return self._stack.enter_context(tempfile.TemporaryFile(buffering=0))

    def check_room(self, n_bytes):
        """Refuse to begin with more than the disk holds.

        Raises
        ------
        OSError
            Says how much is needed, and where.
        """
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
        if n_bytes > free:
            raise OSError(errno.ENOSPC, _no_room(n_bytes, f"{in_words(free)} are free"))


class RowsInParts:
    """Rows that come a part at a time, in whatever order, as a multiset in canonical order.

    Few rows are kept in memory. Of many, files get those whose hashes are near each other, and each
    file is sorted when all rows are there: one after the other they are in canonical order.

    Parameters
    ----------
    scratch : Scratch
    n_rows, width : int
    dtype : dtype
    """

    def __init__(self, scratch, n_rows, width, dtype):
        self._scratch, self._width, self._dtype = scratch, width, np.dtype(dtype)
        self._n, self._kept, self._weights = 0, None, None
        size = width * self._dtype.itemsize
        self._record = np.dtype(
            [("cells", f"V{size}"), ("hash", np.uint64), ("weight", np.float64)]
        )
        if n_rows * width <= _MOST_CELLS_KEPT:
            self._kept, self._weights = np.empty((n_rows, width), dtype), np.empty(n_rows)
            return
        self._n_bytes = n_rows * self._record.itemsize
        scratch.check_room(self._n_bytes + 8 * n_rows)
        n_files = 2 ** int(np.ceil(np.log2(max(1, self._n_bytes / _BYTES_SORTED))))
        self._files = [scratch.file() for _ in range(min(n_files, _MOST_FILES))]

    def add(self, cells, weights):
        """Take over some rows of positive weights."""
        if self._kept is not None:
            part = slice(self._n, self._n + len(cells))
            self._kept[part], self._weights[part] = cells, weights
            self._n += len(cells)
            return
        for part in slices(len(cells), max(1, _BYTES_AT_ONCE // self._record.itemsize)):
            self._distribute(cells[part], weights[part])
        self._n += len(cells)

    def _distribute(self, cells, weights):
        hashes = hashes_of(cells)
        if np.array_equal(weights, np.rint(weights)):
            # A row that is there a million times must not fill a file; sums are exact.
            some = in_order_of(hashes, cells, weights)
            order, weights = some.numbers, some.weights
        else:
            order = np.argsort(hashes)
            weights = weights[order]
        records = np.empty(len(order), self._record)
        for part in slices(len(order), _ROWS_WRITTEN):
            records["cells"][part] = _as_bytes(cells)[order[part]]
        records["hash"], records["weight"] = hashes[order], weights
        bits = int(np.log2(len(self._files)))
        ends = np.arange(1, len(self._files), dtype=np.uint64) << np.uint64(64 - bits)
        at = np.searchsorted(records["hash"], ends).tolist()
        with room_explained(self._n_bytes):
            for file, start, stop in zip(self._files, [0, *at], [*at, len(records)], strict=True):
                _write(file, records[start:stop])

    def multiset(self):
        """All rows, :class:`Multiset`."""
        if self._kept is not None:
            return canonical(self._kept[: self._n], self._weights[: self._n])
        counts, beside, low, high = [], self._scratch.file(), np.inf, -np.inf
        for file in self._files:
            records = np.empty(file.seek(0, 2) // self._record.itemsize, self._record)
            _read_into(file, records, 0)
            if len(records):
                cells = _cells_of(records, self._dtype, self._width)
                some = in_order_of(records["hash"], cells, records["weight"])
                file.seek(0)
                with room_explained(self._n_bytes):
                    for part in slices(len(some), _ROWS_WRITTEN):
                        _write(file, records["cells"][some.numbers[part]])
                    file.truncate()
                    _write(beside, some.weights)
                low, high = min(low, some.weights.min()), max(high, some.weights.max())
            counts.append(len(some) if len(records) else 0)
        table = StoredTable(self._files, counts, self._width, self._dtype)
        weights = Equal(len(table), low) if low == high else StoredColumn(beside, len(table))
        return Multiset(table, Stretches([0], [len(table)]), weights)


@contextmanager
def room_explained(n_bytes):
    """Say how much is needed, and where, when the disk is full.

    Raises
    ------
    OSError
    """
    try:
        yield
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(errno.ENOSPC, _no_room(n_bytes, "the disk is full")) from problem


def _no_room(n_bytes, found):
    return (
        f"The rows of this table, as numbers, need about {in_words(n_bytes)} in a temporary "
        f"folder while fit runs, and in {tempfile.gettempdir()} {found}. Make room, or have the "
        "environment variable TMPDIR name a folder on a larger disk before Python starts."
    )


def _as_bytes(cells):
    """Rows as cells of one axis, each the bytes of a row."""
    cells = np.ascontiguousarray(cells)
    return cells.view(f"V{cells.dtype.itemsize * cells.shape[1]}")[:, 0]


def _cells_of(records, dtype, width):
    """The cells of records, a view of shape (n, width)."""
    strides = records.strides[0], dtype.itemsize
    return np.ndarray((len(records), width), dtype, records, strides=strides)


def _write(file, array):
    rest = memoryview(np.ascontiguousarray(array).view(np.uint8).reshape(-1))
    while len(rest):
        rest = rest[file.write(rest) :]


def _read_into(file, array, row):
    """Fill an array of rows by those of a file, from this one on."""
    size = array.nbytes // max(1, len(array))
    file.seek(row * size)
    rest = memoryview(array.view(np.uint8).reshape(-1))
    while len(rest):
        n = file.readinto(rest)
        if not n:
            raise OSError("A temporary file of this fit ended early: something else wrote to it.")
        rest = rest[n:]
