"""Tables that are read in parts, again and again: for what memory has no room for."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw

from .names import brief

# Rows of a part, where its source does not say how many.
_ROWS, _CELLS = 2**16, 2**23  # at most
_BUFFER = 2**18  # bytes of a column that are read at once


class Parts:
    """A table as parts, each a frame or an array, which can be read more than once.

    Parameters
    ----------
    read : callable
        Takes nothing and gives an iterator of parts, the same ones each time.
    """

    def __init__(self, read: Callable[[], Iterable[Any]]) -> None:
        self._read = read

    def __iter__(self) -> Iterator[Any]:
        return iter(self._read())


def parts_of(X):
    """A table that is to be read in parts as :class:`Parts`; None for one that is in memory.

    Parameters
    ----------
    X : object
        Parts; the path of a parquet file or of a folder of such; a dataset of pyarrow; a lazy frame
        of polars, dask or narwhals; or a callable that gives an iterator of frames or arrays.

    Raises
    ------
    FileNotFoundError
        If there is nothing at a path.
    """
    if isinstance(X, Parts):
        return X
    if isinstance(X, str | Path):
        return _of_dataset(_dataset_at(Path(X)))
    kind = type(X)
    if all(hasattr(kind, name) for name in ("to_batches", "scanner", "schema")):
        return _of_dataset(X)
    if kind.__module__.startswith("narwhals") and hasattr(X, "to_native"):
        return parts_of(X.to_native())
    if nw.dependencies.is_polars_lazyframe(X):
        return Parts(lambda: X.collect_batches(chunk_size=_ROWS, maintain_order=True))
    if nw.dependencies.is_dask_dataframe(X):
        return Parts(lambda: (X.partitions[i].compute() for i in range(X.npartitions)))
    if callable(X) and not isinstance(X, type) and not hasattr(X, "shape"):
        return Parts(X)
    return None


def _dataset_at(path):
    if not path.exists():
        raise FileNotFoundError(
            f"There is no {brief(str(path))}. A table that is given by its path is a parquet file "
            "or a folder of such."
        )
    import pyarrow.dataset

    return pyarrow.dataset.dataset(path, format="parquet")


def _of_dataset(dataset):
    def read():
        table = type(dataset.schema.empty_table())
        for batch in _batches(dataset):
            if batch.num_rows:
                yield table.from_batches([batch])

    return Parts(read)


def _batches(dataset):
    """Batches of a dataset of pyarrow, few of which are in memory, however slowly they are taken.

    A dataset as a whole is read ahead without an end, and a file by the row group, which may be all
    of it: a file of parquet is read as a stream.
    """
    n_rows = max(1, min(_ROWS, _CELLS // max(1, len(dataset.schema))))
    try:
        fragments = list(dataset.get_fragments())
    except ValueError:  # of a dataset that is filtered there are none
        fragments = [dataset]
    for fragment in fragments:
        if _is_plain_parquet(fragment, dataset.schema):
            from pyarrow.parquet import ParquetFile

            groups = [group.id for group in fragment.row_groups]
            where = {"filesystem": fragment.filesystem, "buffer_size": _BUFFER}
            with ParquetFile(fragment.path, pre_buffer=False, **where) as file:
                yield from file.iter_batches(n_rows, row_groups=groups)
        else:
            schema = {} if fragment is dataset else {"schema": dataset.schema}
            yield from fragment.to_batches(batch_size=n_rows, batch_readahead=1, **schema)


def _is_plain_parquet(fragment, schema):
    """Whether a fragment has the columns of its dataset in a file, and none by where that lies."""
    return (
        hasattr(fragment, "row_groups")
        and str(fragment.partition_expression) == "true"
        and fragment.physical_schema.equals(schema)
    )
