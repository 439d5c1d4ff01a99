"""What is said of rows and of a fit, in the container that is asked for, or that fit saw."""

import narwhals.stable.v2 as nw
import pandas as pd

from .frames import library_of


def results(values, names, X, container, asked="default"):
    """Numbers about rows, an array where fit saw one and no frame is asked for.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns)
    names : sequence
        Of the columns.
    X : array-like or frame
        The rows; of a pandas frame the index is kept.
    container : container or None
        That of fit.
    asked : {"default", "pandas", "polars"}, default="default"
        By ``set_output``; "default" leaves it to fit.
    """
    if container is None and asked == "default":
        return values
    return as_asked(table_about(values, names, X), container, asked)


def named_results(values, names, X, container, asked="default"):
    """What only makes sense with names: a pandas frame where fit saw an array.

    Parameters are those of :func:`results`.
    """
    return as_asked(table_about(values, names, X), container, asked)


def table_about(values, names, X):
    """A pandas frame about rows, with the index of a pandas frame of them."""
    return pd.DataFrame(
        values, columns=names, index=X.index if isinstance(X, pd.DataFrame) else None
    )


def as_asked(frame, container, asked="default"):
    """A pandas frame in the library that is asked for, or else in that of fit."""
    library = library_of(container) if asked == "default" else nw.Implementation.from_backend(asked)
    return in_library(frame, library)


def in_library(frame, library):
    """A pandas frame in a library, which gets an index that has a name as its first column."""
    if library.is_pandas():
        return frame
    if frame.index.name is not None:
        frame = frame.reset_index()
    columns = {
        str(name): cells.tolist() if cells.dtype == object else cells
        for name, cells in ((name, column.to_numpy()) for name, column in frame.items())
    }
    return nw.from_dict(columns, backend=library).to_native()
