"""Inputs of a graph to the numbers of a table: what a :class:`Schema` does, as nodes."""

import numpy as np
from skl2onnx.common.data_types import Int64TensorType, StringTensorType

from .._tables.column_types import Category, Nothing
from .._tables.dates import Date

_MISSING_DATE = np.iinfo(np.int64).min  # as NumPy stores NaT


def numbers_of(graph, variables, schema, n_features):
    """Name of the table as numbers, float64, of shape (n, n_features).

    Parameters
    ----------
    graph : Graph
    variables : list of Variable
        One input for all columns or one for each.
    schema : Schema
    n_features : int

    Raises
    ------
    ValueError
        If there are others, or a column has levels of a type that a graph does not have.
    """
    name = _table_of(graph, variables, schema, n_features)
    if schema.float != np.float32:
        return name
    # As a table of numbers and categories is read: a value that many rows have is found as such.
    largest = float(np.finfo(np.float32).max)
    clipped = graph.node("Clip", name, np.array(-largest), np.array(largest))
    return graph.cast(graph.cast(clipped, np.float32), np.float64)


def _table_of(graph, variables, schema, n_features):
    kinds = schema.kinds
    if len(variables) == 1 and (n_features > 1 or kinds is None):
        name, kind = variables[0].full_name, variables[0].type
        if len(kind.shape) > 2:
            name = graph.node("Reshape", name, np.array([0, -1]))
        if kinds is None or not any(other.n_levels for other in kinds):
            return graph.cast(name, np.float64)
        columns = [graph.node("Gather", name, np.array([j]), axis=1) for j in range(n_features)]
        types = [kind] * n_features
    elif len(variables) == n_features:
        columns, types = [v.full_name for v in variables], [v.type for v in variables]
    else:
        raise ValueError(
            f"The graph has {len(variables)} inputs here, and fit saw {n_features} columns. Give "
            "one input of all columns, or one for each; to_onnx(fitted, X) does."
        )
    kinds = [None] * n_features if kinds is None else kinds
    names = [
        _column(graph, *three, schema.label(j))
        for j, three in enumerate(zip(columns, types, kinds, strict=True))
    ]
    return graph.node("Concat", *names, axis=1)


def _column(graph, name, type_, kind, label):
    """A column as numbers, of shape (n, 1)."""
    is_text = isinstance(type_, StringTensorType)
    if isinstance(kind, Nothing):
        return graph.node("Expand", np.array([[np.nan]]), graph.node("Shape", name))
    if isinstance(kind, Category):
        return _category(graph, name, is_text, kind, label)
    if is_text:
        raise ValueError(
            f"{label} held numbers or dates in fit, and its input is one of text. In a "
            "ColumnTransformer skl2onnx joins the columns of a step to one input: give a frame of "
            "several types to the transformer directly."
        )
    number = graph.cast(name, np.float64)
    if isinstance(kind, Date) and isinstance(type_, Int64TensorType):
        missing = graph.node("Equal", name, np.int64(_MISSING_DATE))
        number = graph.node("Where", missing, np.array(np.nan), number)
    return number


def _category(graph, name, is_text, kind, label):
    levels, numbers = kind.levels, np.arange(1.0, kind.n_levels + 1)
    if levels.inferred_type not in ("string", "integer", "floating", "boolean"):
        raise ValueError(
            f"{label} has levels of type {levels.inferred_type}; a graph has levels of text and of "
            "numbers. Convert the column to text before fit."
        )
    if is_text != (levels.inferred_type == "string"):
        given = "text" if is_text else "numbers"
        raise ValueError(
            f"{label} has levels such as {levels[0]!r}, and its input is one of {given}. Convert "
            "with a table like that of fit."
        )
    if is_text:
        levels = list(levels)
        if "" not in levels:  # else it is a level
            levels, numbers = [*levels, ""], [*numbers, np.nan]
        return graph.cast(_looked_up(graph, name, numbers, keys_strings=levels), np.float64)
    cells, levels = graph.cast(name, np.float64), levels.to_numpy(dtype=np.float64)
    if (levels == np.rint(levels)).all():
        whole = graph.cast(cells, np.int64)
        number = _looked_up(graph, whole, numbers, keys_int64s=levels.astype(np.int64).tolist())
        known = graph.node("Equal", cells, graph.cast(whole, np.float64))
        number = graph.node("Where", known, graph.cast(number, np.float64), np.array(0.0))
    else:
        number = graph.node("Where", graph.node("Equal", cells, levels), numbers, np.array(0.0))
        number = graph.node("ReduceSum", number, np.array([1]), keepdims=1)
    return graph.node("Where", graph.node("IsNaN", cells), np.array(np.nan), number)


def _looked_up(graph, name, numbers, **keys):
    """The number of each key, 0 for others."""
    values = {"values_floats": list(map(float, numbers)), "default_float": 0.0}
    return graph.node("LabelEncoder", name, domain="ai.onnx.ml", **keys, **values)
