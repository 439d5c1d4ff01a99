"""What holds a table and is none yet: relations, streams, data sets, lazy frames."""

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import scipy.sparse as sp

from .._runtime.arrow import table_from_arrow
from .._runtime.namespaces import as_numpy
from .frames import eager

_KNOWN = (np.ndarray, pd.DataFrame, list, tuple)
#: Methods that compute the rows of lazy frames, and that fetch those of scans and connections.
_COMPUTING = ("toPandas", "collect", "compute")
_FETCHING = ("to_table", "fetchdf")


def as_read(X):
    """What holds a table, read: as an array of NumPy or a frame that narwhals knows.

    What is such already, or is none to read, is as it was.
    """
    if type(X) in _KNOWN:
        return as_numpy(X)
    if isinstance(X, str | bytes | dict) or sp.issparse(X):
        return X
    X = as_numpy(X)
    if isinstance(X, np.ndarray) or remedy_of_lazy(X) is not None:
        return X
    frame = eager(X)
    if isinstance(frame, nw.DataFrame):
        return frame.to_native()
    if nw.dependencies.is_pandas_like_series(X) or nw.dependencies.is_polars_series(X):
        return X
    if _is_dataset(X):
        return X.with_format("arrow", columns=X.format["columns"])[:]
    table = table_from_arrow(X)
    if table is None and hasattr(type(X), "to_pandas") and not hasattr(X, "__array__"):
        table = X.to_pandas()
    return X if table is None else table


def remedy_of_lazy(X):
    """What reads a frame that is lazy and says so, such as "collect()"; None for others."""
    kind = type(X)
    if hasattr(kind, "__arrow_c_stream__"):
        return None
    methods = _COMPUTING if hasattr(kind, "columns") else _FETCHING
    return next((f"{name}()" for name in methods if hasattr(kind, name)), None)


def _is_dataset(X):
    """Whether it is like a ``datasets.Dataset``, of which rows are picked by index."""
    kind = type(X)
    return all(hasattr(kind, name) for name in ("with_format", "format", "__getitem__"))
