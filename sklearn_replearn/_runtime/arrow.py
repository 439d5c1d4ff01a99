"""Arrow: what gives its rows through the PyCapsule interface, and schemas in bytes."""

from importlib import import_module

import numpy as np


def table_from_arrow(X):
    """A table of pyarrow, or of polars where that is missing, read once; None for what is none.

    Raises
    ------
    ImportError
        If neither is installed.
    ValueError
        If a stream has no rows left.
    """
    stream = hasattr(X, "__arrow_c_stream__")
    if not stream and not hasattr(X, "__arrow_c_array__"):
        return None
    pyarrow = _installed("pyarrow")
    table = _by_polars(X) if pyarrow is None else _by_pyarrow(pyarrow, X, stream)
    if table is None:
        return None
    if not len(table) and not hasattr(X, "__len__") and not hasattr(X, "shape"):
        raise ValueError(
            f"The {type(X).__name__} gave no rows. A stream is read once: if it was read before, "
            "give a new one, or the table it was read into."
        )
    return table


def column_from_arrow(values):
    """Cells of a column, or of a table of one column, as an array; None for what is none."""
    stream = hasattr(values, "__arrow_c_stream__")
    if not stream and not hasattr(values, "__arrow_c_array__"):
        return None
    table = table_from_arrow(values)
    if table is not None:
        return np.asarray(table)
    pyarrow = _installed("pyarrow")
    if pyarrow is None:
        return _installed("polars").Series(values).to_numpy()
    return np.asarray(pyarrow.chunked_array(values) if stream else pyarrow.array(values))


def schema_as_bytes(schema):
    """A schema of pyarrow in bytes, as files of Arrow have it."""
    return schema.remove_metadata().serialize().to_pybytes()


def schema_of_bytes(data):
    """The schema that was written so.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    ValueError
        If it holds a type of Arrow that is a pickle, which pyarrow before 14.0.1 executes.
    """
    if b"arrow.py_extension_type" in data:
        raise ValueError("it holds a type of pyarrow that is a pickle, and is not opened")
    pyarrow = import_module("pyarrow")
    return pyarrow.ipc.read_schema(pyarrow.py_buffer(data))


def _installed(name):
    try:
        return import_module(name)
    except ImportError:
        return None


def _by_pyarrow(pyarrow, X, stream):
    # A failure to open says that these are columns; one to read is of the source, and is not ours.
    read = pyarrow.RecordBatchReader.from_stream if stream else pyarrow.record_batch
    try:
        source = read(X)
    except pyarrow.ArrowInvalid:
        return None
    return source.read_all() if stream else pyarrow.Table.from_batches([source])


def _by_polars(X):
    polars = _installed("polars")
    if polars is None:
        raise ImportError(
            f"The {type(X).__name__} gives its rows through Arrow, which takes pyarrow or polars "
            "to read. Install one of them, or give a pandas.DataFrame."
        )
    try:
        return polars.DataFrame(X)
    except polars.exceptions.SchemaError:
        return None  # a column
