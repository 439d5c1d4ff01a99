"""Tables that are read in parts, again and again: for what memory has no room for."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from inspect import signature
from itertools import chain, count
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from torch.utils import data as torch_data

from .._runtime.parameters import validated
from .names import brief
from .parquet import batches_of, dataset_at, write_folder
from .readers import as_read, remedy_of_lazy

__all__ = ["Parts"]

# Rows and cells of a part at most; a part is several arrays of its size while it is computed with.
_ROWS, _CELLS = 2**16, 2**22


class Parts:
    """A table in parts, each a frame or an array, which can be read again and again.

    What estimators give for a table that memory has no room for: nothing is computed before it is
    read, and each reading computes it anew, part after part. It goes in where tables do.

    Parameters
    ----------
    read : callable
        Takes nothing and gives an iterator of parts, the same ones each time.
    names : callable, default=None
        Takes the number of columns and gives their names, for parts that are arrays. None: "x0",
        "x1", ….

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import AutoencoderTransformer
    >>> def parts():
    ...     for seed in range(3):
    ...         yield np.random.default_rng(seed).normal(size=(50, 4))
    >>> encoder = AutoencoderTransformer(latent_dim=2, max_epochs=5).fit(next(parts()))
    >>> codes = encoder.transform(parts)
    >>> [part.shape for part in codes]
    [(50, 2), (50, 2), (50, 2)]
    >>> codes.collect().shape
    (150, 2)
    """

    @validated({"read": [callable], "names": [callable, None]})
    def __init__(
        self,
        read: Callable[[], Iterable[Any]],
        names: Callable[[int], Sequence[str]] | None = None,
    ) -> None:
        self._read = read
        self._names = names

    def __iter__(self) -> Iterator[Any]:
        """Parts of at least one row; those of very many are given in several."""
        for part in self._read():
            yield from _cut(part)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}: computed when it is read. Iterate over it, or call collect() "
            "or to_parquet(folder)>"
        )

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        """What asks for all rows at once is told how to get them.

        Raises
        ------
        TypeError
            Always: an array of parts would be none of rows.
        """
        raise TypeError(
            "This table is in parts, and an array of all its rows was asked for. If memory has "
            "room for that, call collect() first; else write it by to_parquet(folder)."
        )

    def collect(self) -> Any:
        """All parts as one table in memory.

        Returns
        -------
        ndarray, sparse matrix or frame; tuple of such where parts are tuples

        Raises
        ------
        ValueError
            If there are no parts.
        """
        parts = list(self)
        if not parts:
            raise ValueError("There is nothing to collect: the table in parts has no rows.")
        return _together(parts)

    @validated({"folder": [str, os.PathLike]})
    def to_parquet(self, folder: str | os.PathLike) -> Path:
        """Write each part to a parquet file of its own, in a new folder.

        The folder is there when all files are: a run that fails or is killed leaves none. Until
        then they are in a folder beside it whose name starts with a point and ends in ``.partial``;
        what a killed run left there, the next one removes.

        Parameters
        ----------
        folder : path-like
            New, or empty. The folder around it exists.

        Returns
        -------
        Path
            The folder, which estimators take as a table. Files are named in the order of the rows.

        Raises
        ------
        FileExistsError
            If there is something in the folder.
        TypeError
            If parts are no tables, such as tuples, or sparse.
        ModuleNotFoundError
            If pyarrow is not installed.
        """
        return write_folder(map(self._as_arrow, self), folder)

    def _as_arrow(self, part):
        if isinstance(part, tuple | list) or sp.issparse(part):
            raise TypeError(
                f"A parquet file holds a table; each part is a {type(part).__name__} here. Iterate "
                "over the parts and write what you need of each."
            )
        if not isinstance(nw.from_native(part, pass_through=True), nw.DataFrame):
            cells = np.asarray(part)
            cells = cells[:, None] if cells.ndim == 1 else cells
            names = _numbered if self._names is None else self._names
            part = pd.DataFrame(cells, columns=list(names(cells.shape[1])))
        return nw.from_native(part, eager_only=True).to_arrow()


def _numbered(n):
    return [f"x{j}" for j in range(n)]


def rows_at_once(n_columns):
    """How many rows of so many columns a part has at most."""
    return max(1, min(_ROWS, _CELLS // max(1, n_columns)))


def _cut(part):
    """A part that is small enough, in as many parts as it takes; none where it has no rows."""
    shape = getattr(part, "shape", None)
    if not shape:  # a tuple, or a list of rows
        if not isinstance(part, list) or part:
            yield part
        return
    at_once = rows_at_once(int(np.prod(shape[1:])))
    if shape[0] <= at_once:
        if shape[0]:
            yield part
        return
    part = part.tocsr() if sp.issparse(part) else part
    rows = part.iloc if isinstance(part, pd.DataFrame) else part
    for start in range(0, shape[0], at_once):
        if hasattr(part, "slice"):  # frames of polars and pyarrow
            yield part.slice(start, at_once)
        else:
            yield rows[start : start + at_once]


def _together(parts):
    first = parts[0]
    if isinstance(first, tuple):
        return tuple(map(_together, zip(*parts, strict=True)))
    if isinstance(first, list):
        return list(chain.from_iterable(parts))
    if isinstance(first, pd.DataFrame):
        # Each part counts its rows from 0 where nobody gave them an index.
        counted = all(part.index.equals(pd.RangeIndex(len(part))) for part in parts)
        return pd.concat(parts, ignore_index=counted)
    if sp.issparse(first):
        return sp.vstack(parts, format=first.format)
    if isinstance(nw.from_native(first, pass_through=True), nw.DataFrame):
        return nw.concat([nw.from_native(part) for part in parts]).to_native()
    return np.concatenate(parts)


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
    ValueError
        If there is no table at a path.
    TypeError
        If it can be read once only, such as a generator.
    """
    kind = type(X)
    if kind in (np.ndarray, pd.DataFrame, list, tuple):
        return None
    if isinstance(X, Parts):
        return X
    if isinstance(X, str | Path):
        found = dataset_at(Path(X))
        return Parts(lambda: found.batches(rows_at_once(len(found.schema))))
    if all(hasattr(kind, name) for name in ("to_batches", "scanner", "schema")):
        return Parts(lambda: batches_of(X, rows_at_once(len(X.schema))))
    if kind.__module__.partition(".")[0] == "narwhals":  # of any of its versions
        return parts_of(X.to_native()) if hasattr(X, "to_native") else None
    if nw.dependencies.is_polars_lazyframe(X):
        return _of_polars(X)
    if nw.dependencies.is_dask_dataframe(X):
        return Parts(lambda: (X.partitions[i].compute() for i in range(X.npartitions)))
    _reject_read_once(X)
    if callable(X) and not isinstance(X, type) and not hasattr(X, "shape"):
        _reject_arguments(X)
        return Parts(_Called(X))
    return None


def reject_parts(X, name):
    """Refuse a table that is to be read in parts where all rows are needed at once.

    Raises
    ------
    ValueError
        Says what to do.
    """
    if parts_of(X) is not None:
        remedy = remedy_of_lazy(X)
        raise ValueError(
            f"{name} needs all rows at once, and this {type(X).__name__} is read in parts. "
            f"{'Read it' if remedy is None else f'Call {remedy}'} first, or take a sample."
        )


def _of_polars(frame):
    if not hasattr(frame, "collect_batches"):
        raise ValueError(
            "Lazy frames of polars are read in parts from polars 1.34 on, and this one is older. "
            'Write it to a file first, frame.sink_parquet("table.parquet"), and give that path.'
        )

    def read():
        at_once = rows_at_once(len(frame.collect_schema()))
        return frame.collect_batches(chunk_size=at_once, maintain_order=True)

    return Parts(read)


def _reject_read_once(X):
    if hasattr(type(X), "__arrow_c_stream__"):
        return
    if isinstance(X, torch_data.DataLoader | torch_data.Dataset):
        raise TypeError(
            f"X is a {type(X).__name__} of torch, which may give more than rows, in any order. "
            "Give a callable that gives its rows in parts, in the same order each time: lambda: "
            "(rows for rows, *_ in DataLoader(dataset, batch_size=4096))."
        )
    if hasattr(type(X), "__next__"):
        raise TypeError(
            f"X is a {type(X).__name__}, which can be read once only, while parts are read several "
            "times. Give a callable that makes it, such as lambda: parts(path) in place of "
            "parts(path); or rows that memory has room for, as list(X)."
        )


class _Called:
    """What a callable of a user's gives, part after part, each looked at."""

    def __init__(self, make):
        self._make = make
        self._last = None

    def __call__(self):
        given, name = self._make(), getattr(self._make, "__name__", repr(self._make))
        if hasattr(given, "shape") or not hasattr(given, "__iter__") or isinstance(given, str):
            raise TypeError(
                f"{name}() must give an iterator of frames or arrays; it gave a "
                f"{type(given).__name__}."
            )
        if hasattr(given, "__next__"):
            if given is self._last:
                raise TypeError(
                    f"{name}() gave the same {type(given).__name__} twice, which can be read once. "
                    "Make a new one in each call."
                )
            self._last = given
        return self._checked(given, name)

    def _checked(self, given, name):
        for number, part in zip(count(), given):
            if isinstance(part, tuple) or (isinstance(part, list) and _of_tables(part)):
                raise TypeError(
                    f"Part {number} of {name}() is a {type(part).__name__} of {len(part)}. Give "
                    "the rows alone; labels and weights are given beside X."
                )
            if isinstance(part, str | bytes | Path) or parts_of(part) is not None:
                raise TypeError(
                    f"Part {number} of {name}() must be a frame or an array; got {brief(part)}."
                )
            yield as_read(part)


def _reject_arguments(make):
    try:
        signature(make).bind()
    except TypeError as problem:
        raise TypeError(
            f"X is a function that needs arguments ({problem}). Give one that takes none and makes "
            "an iterator of frames or arrays, such as lambda: parts(path)."
        ) from None
    except ValueError:  # one that is not written in Python says nothing
        return


def _of_tables(part):
    return bool(part) and len(getattr(part[0], "shape", ())) > 1
