"""Some rows of a table as it was given, whatever holds it."""

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import scipy.sparse as sp

from .._runtime.sklearn import safe_indexing
from .frames import as_pandas, eager

_MOST_TEXTS = 100


def raw_rows(X, numbers):
    """Rows of a table, by their numbers, in a table like it."""
    if sp.issparse(X):
        X = X.tocsr()
    elif not isinstance(X, list | np.ndarray | pd.DataFrame):
        X = X if isinstance(eager(X), nw.DataFrame) else np.asarray(X)
    return safe_indexing(X, numbers)


def texts_of(X, j, numbers, known=()):
    """Different cells of a column in some rows, and texts that are known, as sorted texts.

    The first hundred of all: they are the same in whatever order rows come.
    """
    some = raw_rows(X, numbers)
    found = as_pandas(some)
    if found is not None:
        cells = found[0].iloc[:, j].tolist()
    else:
        cells = [row[j] for row in (some.toarray() if sp.issparse(some) else some)]
    return sorted({*known, *map(str, cells)})[:_MOST_TEXTS]
