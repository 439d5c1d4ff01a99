"""Decoded numbers to the cells of a table: what a :class:`Schema` does back, as nodes."""

import numpy as np
from skl2onnx.common.data_types import (
    BooleanTensorType,
    DoubleTensorType,
    Int64TensorType,
    StringTensorType,
)

from .._tables.column_types import Category, Nothing
from .._tables.dates import Date
from .._tables.names import names_or_numbers

_TYPES = {
    "b": BooleanTensorType,
    "i": Int64TensorType,
    "f": DoubleTensorType,
    "O": StringTensorType,
}


def outputs_of(schema, shape):
    """What a decoded table is in a graph: pairs of a name and a type.

    Parameters
    ----------
    schema : Schema
    shape : tuple of int
        Of a row, where the table is an array.

    Returns
    -------
    list of tuple of str and type of skl2onnx
        One for an array, one for each column of a frame.
    """
    if _is_array(schema):
        return [("rows", DoubleTensorType([None, *shape]))]
    names = names_or_numbers(schema.names, *shape)
    return [
        (str(name), _TYPES[_dtype(kind).kind]([None, 1]))
        for name, kind in zip(names, schema.kinds, strict=True)
    ]


def write_table(graph, numbers, schema, shape):
    """Names of what :func:`outputs_of` says."""
    if schema.kinds is None:
        if np.dtype(schema.dtype).kind in "iu":
            limits = np.iinfo(schema.dtype)
            numbers = graph.node("Round", numbers)
            numbers = graph.node("Clip", numbers, float(limits.min), float(limits.max))
        return [graph.node("Reshape", numbers, np.array([0, *shape]))]
    names = [numbers]
    if len(schema.kinds) > 1:
        sizes = np.ones(len(schema.kinds), dtype=np.int64)
        names = graph.nodes("Split", len(sizes), numbers, sizes, axis=1)
    cells = [_cells(graph, *both) for both in zip(names, schema.kinds, strict=True)]
    if not _is_array(schema):
        return cells
    return [graph.node("Concat", *(graph.cast(cell, np.float64) for cell in cells), axis=1)]


def _is_array(schema):
    """Whether decoded tables are one array of numbers."""
    if schema.kinds is None:
        return True
    return schema.container is None and all(_dtype(kind).kind != "O" for kind in schema.kinds)


def _dtype(kind):
    """Of the cells of a column in a graph."""
    if isinstance(kind, Category):
        levels = kind.levels
        if levels.inferred_type == "string":
            return np.dtype(object)
        return np.dtype(np.int64 if levels.inferred_type == "integer" else np.float64)
    if isinstance(kind, Date):
        return np.dtype(np.int64)
    if isinstance(kind, Nothing):
        return np.dtype(np.float64)
    return np.dtype(bool if kind.boolean else np.int64 if kind.whole else np.float64)


def _cells(graph, numbers, kind):
    dtype = _dtype(kind)
    if isinstance(kind, Category):
        levels = kind.levels.to_numpy(dtype=dtype)
        places = graph.node("Sub", graph.cast(numbers, np.int64), np.int64(1))
        return graph.node("Gather", levels, places, axis=0)
    if dtype.kind == "b":
        return graph.node("GreaterOrEqual", numbers, np.float64(0.5))
    if dtype.kind == "i":
        return graph.cast(graph.node("Round", numbers), np.int64)
    return numbers
