"""Parquet: files and folders of them read a few rows at a time, and folders written as a whole."""

import contextlib
import json
import os
import re
import shutil
from pathlib import Path

from .names import brief

_ENDINGS = (".parquet", ".parq", ".pq")
_BUFFER = 2**16  # bytes of a column that are read at once
_HOW = (
    "A table that is given by its path is a parquet file or a folder of such. What polars reads "
    'lazily goes in as it is, such as polars.scan_csv("table.csv"); anything else as a callable '
    "that gives an iterator of frames."
)


def dataset_at(path):
    """The parquet files at a path, each of whose rows are read a few at a time.

    Parameters
    ----------
    path : Path
        Of a file, or of a folder in which all files that end like parquet ones count, but those
        whose name, or that of a folder around them, starts with a point or an underscore. Folders
        may be named like ``year=2024``, which is a column then.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    ValueError
        If there are no parquet files, or files whose columns differ.
    """
    if not _exists(path):
        raise FileNotFoundError(f"There is no {brief(str(path))}. {_HOW}")
    _pyarrow()
    if path.is_dir():
        files = sorted(filter(_is_of_table(path), path.rglob("*")), key=_in_order)
        if not files:
            raise ValueError(f"No file in {brief(str(path))} ends in .parquet. {_HOW}")
    elif path.suffix.lower() in _ENDINGS:
        files = [path]
    else:
        raise ValueError(f"{brief(str(path))} does not end in .parquet. {_HOW}")
    return ParquetFiles(files, path)


def _exists(path):
    try:
        return path.exists()
    except (OSError, ValueError):  # a text that is no name of a file
        return False


def _is_of_table(folder):
    def of_table(path):
        hidden = any(name.startswith((".", "_")) for name in path.relative_to(folder).parts)
        return not hidden and path.name.lower().endswith(_ENDINGS) and path.is_file()

    return of_table


def _in_order(path):
    """Part 10 comes after part 2."""
    return [int(piece) if piece.isdigit() else piece for piece in re.split(r"(\d+)", str(path))]


class ParquetFiles:
    """Parquet files that hold one table.

    Parameters
    ----------
    files : list of Path
        In the order of the rows.
    where : Path
        That of the only file, or of a folder around all.
    """

    def __init__(self, files, where):
        from pyarrow import ArrowInvalid, ArrowTypeError, dataset, unify_schemas

        names = list(map(str, files))
        schemas = list(map(_schema_of, names))
        found = dataset.dataset(
            names, format="parquet", partitioning="hive", partition_base_dir=str(where)
        )
        in_path = {
            fragment.path: dataset.get_partition_keys(fragment.partition_expression)
            for fragment in found.get_fragments()
        }
        self._files, self.schema = [], None
        for name, file, keys in zip(names, schemas, in_path.values(), strict=True):
            schema = file
            keys = {key: value for key, value in keys.items() if key not in file.names}
            for key in keys:
                schema = schema.append(found.schema.field(key))
            if self.schema is None:
                self.schema = schema
            elif self.schema.names != schema.names:
                _reject_other_columns(self._files[0][0], self.schema, name, schema)
            try:
                # A column may hold whole numbers in one file, and others or nothing in the next.
                self.schema = unify_schemas([self.schema, schema], promote_options="permissive")
            except (ArrowInvalid, ArrowTypeError) as problem:
                raise ValueError(
                    f"{brief(name)} has a column of another type than the files before: {problem}. "
                    "Files in one folder are one table: write them with the same types."
                ) from None
            self._files.append((name, file.names, keys))

    def batches(self, rows_at_once):
        """Tables of so many rows or fewer, one after the other."""
        pyarrow = _pyarrow()
        from pyarrow.parquet import ParquetFile

        for name, columns, keys in self._files:
            # A scanner reads far ahead: nine times as much memory, and no quicker.
            with ParquetFile(name, buffer_size=_BUFFER, pre_buffer=False) as file:
                for batch in file.iter_batches(rows_at_once, columns=columns, use_threads=False):
                    table = pyarrow.Table.from_batches([batch])
                    for key, value in keys.items():
                        kind = self.schema.field(key).type
                        cells = pyarrow.repeat(pyarrow.scalar(value, kind), len(table))
                        table = table.append_column(key, cells)
                    yield _cast(table, self.schema, name)


def _cast(table, schema, name):
    """A table of a file with the types of all files."""
    from pyarrow import ArrowInvalid

    try:
        return table.cast(schema)
    except ArrowInvalid as problem:
        raise ValueError(
            f"{brief(name)} has cells that the type of their column in other files does not hold: "
            f"{problem}. Write that column with one type in all files."
        ) from None


def batches_of(dataset, rows_at_once):
    """Tables of so many rows or fewer of a dataset of pyarrow, however slowly they are taken.

    A dataset as a whole is read ahead without an end, and a file by the row group, which may be all
    of it: a file of parquet is read as a stream.
    """
    pyarrow = _pyarrow()
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
                for batch in file.iter_batches(rows_at_once, row_groups=groups, use_threads=False):
                    yield pyarrow.Table.from_batches([batch])
        else:
            schema = {} if fragment is dataset else {"schema": dataset.schema}
            for batch in fragment.to_batches(batch_size=rows_at_once, batch_readahead=1, **schema):
                yield pyarrow.Table.from_batches([batch])


def _is_plain_parquet(fragment, schema):
    """Whether a fragment has the columns of its dataset in a file, and none by where that lies."""
    return (
        hasattr(fragment, "row_groups")
        and str(fragment.partition_expression) == "true"
        and fragment.physical_schema.equals(schema)
    )


def _schema_of(name):
    """That of a file, without columns that are an index of pandas."""
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import read_schema

    try:
        schema = read_schema(name)
    except ArrowInvalid as problem:
        raise ValueError(f"{brief(name)} is no whole parquet file: {problem}") from None
    about = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    for column in about.get("index_columns", ()):
        if isinstance(column, str) and column in schema.names:
            schema = schema.remove(schema.get_field_index(column))
    return schema.remove_metadata()


def _reject_other_columns(first, schema, name, other):
    differing = sorted(set(schema.names) ^ set(other.names))
    what = f"only one of them has {brief(differing[0])}" if differing else "in another order"
    raise ValueError(
        f"{brief(name)} has other columns than {brief(first)}: {what}. Files in one folder are one "
        "table: give them the same columns in the same order."
    )


def _pyarrow():
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "Parquet files are read and written by pyarrow, which is not installed: "
            "pip install pyarrow."
        ) from None
    return pyarrow


def write_folder(tables, folder):
    """Write tables of pyarrow to parquet files in a new folder, which is there when all are.

    They are written beside it, to a folder whose name ends in ``.partial``; what a killed run has
    left there is removed.

    Parameters
    ----------
    tables : iterable of pyarrow.Table
    folder : str or Path
        There may be nothing in it.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FileExistsError
        If there is something in the folder, or another run writes it now.
    """
    folder = Path(folder)
    if not folder.parent.is_dir():
        raise FileNotFoundError(
            f"No folder {brief(str(folder.parent))} to make {brief(folder.name)} in. Make it first."
        )
    _reject_taken(folder)
    _pyarrow()
    from pyarrow.parquet import write_table

    partial = folder.with_name(f".{folder.name}.partial")
    with _locked(folder.with_name(f".{folder.name}.lock")):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            for number, table in enumerate(tables):
                write_table(table, partial / f"part-{number:06d}.parquet")
            _reject_taken(folder)
            if folder.exists():
                folder.rmdir()
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def _reject_taken(folder):
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(
            f"There is something in {brief(str(folder))} already. Give a folder that is new or "
            "empty, or remove it first."
        )


@contextlib.contextmanager
def _locked(path):
    """Hold a lock, which ends with the process that holds it; raise where another one does."""
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows removes no file that is open
        yield
        return
    handle = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = os.path.samestat(os.fstat(handle), path.stat())  # and not removed meanwhile
        except (BlockingIOError, FileNotFoundError):
            held = False
        if not held:
            raise FileExistsError(f"Another process holds {brief(str(path))} now.")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(handle)
