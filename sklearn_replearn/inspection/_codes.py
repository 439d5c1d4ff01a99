"""Codes of rows, from anything that transforms, and what they are called."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from .._runtime.typing import TableLike
from .._tables.frames import as_pandas


def codes_of(transformer: Any, X: TableLike) -> NDArray[np.float64]:
    """Codes of rows, whatever container ``transform`` gives them in.

    Parameters
    ----------
    transformer : fitted transformer, or Pipeline that ends in one
    X : array-like, frame or sparse matrix of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_samples, n_codes), float64

    Raises
    ------
    TypeError
        If it does not transform.
    """
    if not hasattr(transformer, "transform"):
        raise TypeError(
            f"codes come from a transformer, and {type(transformer).__name__} has no transform. "
            "Of a pipeline that ends in a predictor give the steps before it: pipeline[:-1]."
        )
    codes = transformer.transform(X)
    codes = codes.toarray() if sp.issparse(codes) else codes
    frame = as_pandas(codes)
    codes = np.asarray(codes if frame is None else frame[0], dtype=np.float64)
    return codes.reshape(len(codes), -1)


def names_of_codes(transformer: Any, n_codes: int) -> list[str]:
    """Names of code columns, those of ``set_output`` where there are such."""
    try:
        names = list(map(str, transformer.get_feature_names_out()))
    except (AttributeError, ValueError, TypeError):  # as of a FunctionTransformer
        names = []
    return names if len(names) == n_codes else [f"code{j}" for j in range(n_codes)]
