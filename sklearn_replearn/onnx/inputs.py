"""What a table is as inputs of a graph: a tensor for each column of a frame, one of an array."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skl2onnx.common.data_types import (
    BooleanTensorType,
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)

from .._runtime.typing import TableLike
from .._tables.arrays import without_mask
from .._tables.column_types import Number, without_dictionary
from .._tables.contents import content_of, is_missing
from .._tables.dates import as_time
from .._tables.frames import as_pandas

#: Of metadata that say in which unit a column of dates is counted.
UNIT = "unit of "
_NAME = "X"


def types_of(X):
    """Pairs of a name and a type for skl2onnx, and the metadata of dates, a dict."""
    found = as_pandas(X)
    if found is None:
        X = _array(X)
        return [(_NAME, _type_of_array(X)([None, *X.shape[1:]]))], {}
    types, units = [], {}
    for name, column in found[0].items():
        if not str(name):
            raise ValueError("A column's name is empty, and an input of ONNX needs one: rename it.")
        kind = _type_of(_plain(column), str(name))
        types.append((str(name), kind([None, 1])))
        if kind is Int64TensorType and content_of(_plain(column), name) == "time":
            units[UNIT + str(name)] = as_time(column.dropna()).dt.unit
    return types, units


def _type_of_array(X):
    if X.dtype.kind in "OUS":
        return StringTensorType
    if X.dtype == np.float32:
        return FloatTensorType
    if X.dtype == np.uint64:  # int64 has no room for its largest
        return DoubleTensorType
    return {"b": BooleanTensorType, "i": Int64TensorType, "u": Int64TensorType}.get(
        X.dtype.kind, DoubleTensorType
    )


def _type_of(column, name):
    content = content_of(column, name)
    if content == "time":
        return Int64TensorType
    if content == "text":
        return StringTensorType
    kind = Number(column) if content == "number" else None
    if kind is None or column.isna().any() or not (kind.boolean or kind.whole):
        return FloatTensorType if column.dtype == np.float32 else DoubleTensorType
    if str(column.dtype).lower() == "uint64":  # int64 has no room for its largest
        return DoubleTensorType
    return BooleanTensorType if kind.boolean else Int64TensorType


def _plain(column):
    """A column with the cells themselves in place of levels."""
    column = without_dictionary(column)
    levels = getattr(column.dtype, "categories", None)
    if levels is None:
        return column
    return column.astype(object if column.isna().any() else levels.dtype)


def _array(X):
    X = without_mask(X)
    if hasattr(X, "toarray"):
        X = X.toarray()
    X = np.asarray(X)
    if X.dtype == object and not all(isinstance(x, str) or is_missing(x) for x in X.ravel()):
        raise ValueError(
            "An array of objects has one type of cells in a graph, and X has several. Fit and "
            "convert with a frame, such as pd.DataFrame(X).convert_dtypes(), which has one for "
            "each column."
        )
    return X


def inputs_for(model: Any, X: TableLike) -> dict[str, NDArray[Any]]:
    """The inputs of a converted model that a table is, by name.

    Parameters
    ----------
    model : onnxruntime.InferenceSession or onnx.ModelProto
        Says which inputs there are, of which types.
    X : array-like, frame or sparse matrix of shape (n_samples, n_features)

    Returns
    -------
    dict of str to ndarray
        For ``session.run(None, inputs)``.

    Raises
    ------
    ValueError
        If a column is not there, or its cells do not go into the type of the input.

    Examples
    --------
    >>> import onnxruntime
    >>> import pandas as pd
    >>> from sklearn_replearn import AutoencoderTransformer
    >>> from sklearn_replearn.onnx import inputs_for, to_onnx
    >>> X = pd.DataFrame({"size": [1.5, 2.0, None], "colour": ["red", None, "red"]})
    >>> model = to_onnx(AutoencoderTransformer(latent_dim=2, max_epochs=2).fit(X), X)
    >>> inputs_for(model, X)["colour"].tolist()
    [['red'], [''], ['red']]
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())
    >>> session.run(None, inputs_for(session, X))[0].shape
    (3, 2)
    """
    wanted, metadata = _declared(model)
    found = as_pandas(X)
    if found is None:
        if len(wanted) > 1:
            raise ValueError(
                f"The model has an input for each of {len(wanted)} columns; give a frame with these"
                f" columns. Got {type(X).__name__}."
            )
        ((name, dtype),) = wanted.items()
        X = _array(X)
        return {name: _texts(X) if dtype.kind == "O" else X.astype(dtype)}
    frame = found[0].rename(columns=str)
    gone = [name for name in wanted if name not in frame.columns]
    if gone and len(wanted) > 1:
        raise ValueError(f"The model has inputs that are no columns of X: {', '.join(gone)}.")
    if gone:
        ((name, dtype),) = wanted.items()
        return {name: frame.to_numpy(dtype=dtype)}
    return {
        name: _cells(_plain(frame[name]), name, dtype, metadata.get(UNIT + name))[:, None]
        for name, dtype in wanted.items()
    }


def _declared(model):
    """Dtypes of the inputs of a model by name, and its metadata."""
    if hasattr(model, "get_inputs"):
        types = {given.name: _DTYPES[given.type] for given in model.get_inputs()}
        return types, model.get_modelmeta().custom_metadata_map
    types = {
        given.name: _OF_NUMBERS[given.type.tensor_type.elem_type] for given in model.graph.input
    }
    return types, {pair.key: pair.value for pair in model.metadata_props}


_DTYPES = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(double)": np.dtype(np.float64),
    "tensor(int64)": np.dtype(np.int64),
    "tensor(bool)": np.dtype(bool),
    "tensor(string)": np.dtype(object),
}
# In the order of their numbers in onnx.TensorProto.
_OF_NUMBERS = dict(zip((1, 11, 7, 9, 8), _DTYPES.values(), strict=True))


def _cells(column, name, dtype, unit):
    """Cells of a column in a dtype of a graph, ndarray of shape (n,)."""
    content = content_of(column, name)
    if dtype.kind == "O":
        if content not in ("text", "nothing"):
            raise ValueError(f"{name!r} is an input of text, and X holds {content} there.")
        return _texts(column.to_numpy(dtype=object))
    if content == "text":
        raise ValueError(f"{name!r} is an input of {dtype}, and X holds text there.")
    if content == "time":
        times = as_time(column)
        times = times if unit is None else times.dt.as_unit(unit)
        return times.astype(dtype).to_numpy()
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if dtype.kind in "ib" and np.isnan(numbers).any():
        raise ValueError(
            f"{name!r} is an input of {dtype}, which has no missing cell, and X has some there. "
            "Convert the model with a table in which some are missing, or in which it is float."
        )
    return column.to_numpy(dtype=dtype) if dtype.kind in "ib" else numbers.astype(dtype)


def _texts(cells):
    """An array of objects, all text: "" where a cell is missing, which a graph has no cell for."""
    missing = [is_missing(cell) for cell in cells.ravel()]
    if any(missing) and "" in cells.ravel()[~np.array(missing)]:
        raise ValueError(
            'A column holds "" and missing cells, which a graph cannot tell apart. Give one of '
            "them another text before fit."
        )
    return np.array(
        ["" if is_missing(cell) else str(cell) for cell in cells.ravel()], dtype=object
    ).reshape(cells.shape)
