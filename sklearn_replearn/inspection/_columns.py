"""Tables of any container as frames of three kinds of columns: numbers, dates, categories."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from pandas.api import types

from .._tables.arrays import rows_as_array
from .._tables.contents import content_of
from .._tables.dates import as_time
from .._tables.frames import as_pandas
from .._tables.names import names_or_numbers


def frame_of(X: Any, names: Any = None, categories: Collection[int] = ()) -> pd.DataFrame:
    """A table as a frame whose columns are float64, datetime64 or of a categorical dtype.

    Parameters
    ----------
    X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        Rows that are arrays are flattened. Booleans are categories; durations become days.
    names : sequence of str, default=None
        Of the columns of arrays; None is x0, x1, ….
    categories : collection of int, default=()
        Columns of numbers that are categories.

    Returns
    -------
    DataFrame of shape (n_samples, n_features)
        Columns are named by str, rows numbered from 0.
    """
    found = as_pandas(X)
    if found is None:
        X = X.toarray() if sp.issparse(X) else rows_as_array(X)
        X = X.reshape(len(X), -1) if X.ndim > 2 else X
        if X.ndim != 2:
            raise ValueError(
                f"X must be a table of shape (n_samples, n_features); got shape {X.shape}."
            )
        frame = pd.DataFrame(X)
        frame.columns = names_or_numbers(names, X.shape[1])
    else:
        frame = found[0]
    labels = [str(label) for label in frame.columns]
    if found is None and frame.shape[1] and not categories and X.dtype.kind in "iuf":
        return pd.DataFrame(X.astype(np.float64), columns=labels)
    columns = {
        j: _as_kind(frame.iloc[:, j].reset_index(drop=True), labels[j], j in categories)
        for j in range(frame.shape[1])
    }
    table = pd.DataFrame(columns, index=range(len(frame))).set_axis(labels, axis=1)
    units = {labels[j]: column.attrs["unit"] for j, column in columns.items() if column.attrs}
    table.attrs = {"units": units}
    return table


def with_unit(frame, name):
    """The name of a column of :func:`frame_of` with its unit, if it is known."""
    unit = frame.attrs.get("units", {}).get(name)
    return str(name) if unit is None else f"{name} [{unit}]"


def _as_kind(column, name, leveled):
    if isinstance(column.dtype, pd.SparseDtype):
        column = pd.Series(np.asarray(column.sparse.to_dense()))
    content = content_of(column, f"Column {name!r}")
    if content == "time":
        column = as_time(column)
        if types.is_timedelta64_dtype(column.dtype):
            days = column.dt.total_seconds() / 86400
            days.attrs = {"unit": "days"}
            return days
        return column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dt.tz else column
    if content == "nothing":
        return pd.Series(np.full(len(column), np.nan))
    truths = types.infer_dtype(column, skipna=True) == "boolean"
    if content == "number" and not truths and not leveled:
        if types.is_object_dtype(column.dtype):
            column = column.map(float, na_action="ignore")
        return (
            column.astype("Float64").astype(np.float64)
            if _nullable(column)
            else (column.astype(np.float64))
        )
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = [str(level) for level in column.cat.categories]
        if len(set(levels)) == len(levels):
            return column.cat.rename_categories(levels).cat.as_unordered()
    cells = column.astype(object).where(column.notna(), None)
    if content == "number" and not truths:  # in their order as numbers
        levels = [f"{level:g}" for level in sorted(set(cells.dropna()))]
        return pd.Series(pd.Categorical([None if c is None else f"{c:g}" for c in cells], levels))
    return pd.Series(pd.Categorical([None if cell is None else str(cell) for cell in cells]))


def _nullable(column):
    return isinstance(column.dtype, pd.api.extensions.ExtensionDtype)


def is_date(column: pd.Series) -> bool:
    """Whether a column of :func:`frame_of` holds dates."""
    return types.is_datetime64_any_dtype(column.dtype)


def is_category(column: pd.Series) -> bool:
    """Whether a column of :func:`frame_of` holds categories."""
    return isinstance(column.dtype, pd.CategoricalDtype)


def as_text(column: pd.Series) -> list[str]:
    """Cells of a column of :func:`frame_of` as a person writes them."""
    if is_date(column):
        days = (column.dropna() == column.dropna().dt.normalize()).all()
        cells = column.dt.strftime("%Y-%m-%d" if days else "%Y-%m-%d %H:%M")
    elif is_category(column):
        cells = column.astype(object)
    else:
        cells = column.map(lambda cell: f"{cell:.4g}", na_action="ignore")
    return ["missing" if gone else str(c) for c, gone in zip(cells, column.isna(), strict=True)]


def alike(real: pd.DataFrame, drawn: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two frames of :func:`frame_of` whose columns have the same names, kinds and levels.

    Raises
    ------
    ValueError
        If they have other columns, or a column holds something else.
    """
    if real.shape[1] != drawn.shape[1] or list(real.columns) != list(drawn.columns):
        arrays = names_or_numbers(None, real.shape[1])
        unnamed = arrays in (list(real.columns), list(drawn.columns))
        if real.shape[1] != drawn.shape[1] or not unnamed:
            raise ValueError(
                "X and drawn must have the same columns in the same order; got "
                f"{', '.join(real.columns[:10])} ({real.shape[1]}) and "
                f"{', '.join(drawn.columns[:10])} ({drawn.shape[1]})."
            )
        names = drawn.columns if list(real.columns) == arrays else real.columns
        real, drawn = real.set_axis(names, axis=1), drawn.set_axis(names, axis=1)
    twice = real.columns[real.columns.duplicated()]
    if len(twice):
        raise ValueError(f"Two columns are named {twice[0]!r}. Give every column its own name.")
    pairs = [_pair(real.iloc[:, j], drawn.iloc[:, j]) for j in range(real.shape[1])]
    result = []
    for side, frame in enumerate((real, drawn)):
        columns = {j: pair[side] for j, pair in enumerate(pairs)}
        table = pd.DataFrame(columns, index=range(len(frame))).set_axis(real.columns, axis=1)
        table.attrs = frame.attrs
        result.append(table)
    return result[0], result[1]


def _pair(a, b):
    """A column of two frames, of one kind."""
    if a.isna().all() and not is_category(a):
        a = pd.Series([None] * len(a), dtype=object).astype(b.dtype)
    elif b.isna().all() and not is_category(b):
        b = pd.Series([None] * len(b), dtype=object).astype(a.dtype)
    if (is_category(a), is_date(a)) != (is_category(b), is_date(b)):
        raise ValueError(
            f"Column {a.name!r} holds {_words(a)} in X and {_words(b)} in drawn. Convert one of "
            "them."
        )
    if is_category(a):
        known = list(a.cat.categories)
        levels = known + [level for level in b.cat.categories if level not in set(known)]
        return a.cat.set_categories(levels), b.cat.set_categories(levels)
    return a, b


def _words(column):
    return "categories" if is_category(column) else "dates" if is_date(column) else "numbers"
