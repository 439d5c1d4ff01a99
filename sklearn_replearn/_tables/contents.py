"""What a column holds, by its dtype or its cells, and what to do with what no column may hold."""

import datetime
import enum
import numbers
import uuid
from decimal import Decimal
from textwrap import shorten

import numpy as np
import pandas as pd
from pandas.api import types

_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
_TIMES = ("datetime", "datetime64", "date", "timedelta", "timedelta64")
_COLUMNS_HOLD = "Columns hold numbers, booleans, dates, strings or categories; convert it to one"


def content_of(column, name):
    """What a column holds: "number", "time", "text" or, where all is missing, "nothing".

    Raises
    ------
    ValueError, TypeError
        If its cells do not belong together, or are of none of these; says how to convert them.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype | pd.IntervalDtype):
        return "text"
    if types.is_bool_dtype(dtype) or types.is_numeric_dtype(dtype):
        if types.is_complex_dtype(dtype):
            raise ValueError(f"Complex data not supported: {name} has dtype {dtype}.")
        return "number"
    if getattr(dtype, "kind", None) in ("M", "m"):
        return "time"
    arrow = str(getattr(dtype, "pyarrow_dtype", ""))
    if "binary" in arrow or (types.is_string_dtype(dtype) and not types.is_object_dtype(dtype)):
        return "text"
    if arrow == "null":
        return "nothing"
    if not types.is_object_dtype(dtype):
        raise ValueError(
            f"{name} has dtype {dtype}. {_COLUMNS_HOLD}, for example with {_by_dtype(dtype)}."
        )
    found = types.infer_dtype(column, skipna=True)
    if found == "empty":
        return "nothing"
    if found in (*_NUMBERS, "boolean"):
        return "number"
    if found in ("string", "bytes", "interval"):
        return "text"
    if found in _TIMES:
        return "time"
    if found == "complex":
        raise ValueError(f"Complex data not supported: {name} holds complex numbers.")
    raise _refusal(column, name)


def all_missing(column):
    """Whether a column has no cell; usually the first one tells."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiub":
        # Asked often of parts; pandas takes ten times as long to say so.
        cells = column.to_numpy()
        return bool(np.isnan(cells[:1]).all() and np.isnan(cells).all())
    first = column.iloc[:1]
    return bool(first.isna().all() and column.isna().all())


def is_missing(cell):
    """Whether a cell of any type is none."""
    if isinstance(cell, Decimal):
        return cell.is_nan()
    not_a_number = isinstance(cell, float | np.floating) and cell != cell
    return cell is None or cell is pd.NA or cell is pd.NaT or not_a_number


def _by_dtype(dtype):
    if isinstance(dtype, pd.PeriodDtype):
        return "df[column].dt.to_timestamp()"
    name = str(dtype)
    if name.startswith("time"):
        return _FROM_TIMES
    if name.startswith(("list", "fixed_size_list", "large_list")):
        return _FROM_ARRAYS
    return _FROM_DICTS if name.startswith(("struct", "map")) else "df[column].astype(str)"


_FROM_ARRAYS = "pd.DataFrame(df[column].tolist(), index=df.index), a column for each of its numbers"
_FROM_DICTS = "pd.json_normalize(df[column]), a column for each of its keys"
_FROM_TIMES = 'pd.to_timedelta(df[column].map(str, na_action="ignore"))'
_FROM_INTERVALS = "a number of days, or of months: EXTRACT(epoch FROM column) / 86400 in SQL"
_FROM_PERIODS = "df[column].infer_objects().dt.to_timestamp()"
_FROM_ENUMS = 'df[column].map(lambda cell: cell.name, na_action="ignore")'
_TO_TEXT = 'df[column].map(str, na_action="ignore")'
_TO_NUMBERS = 'pd.to_numeric(df[column], errors="coerce")'
_TO_DATES = 'pd.to_datetime(df[column], errors="coerce")'
_TO_ONE_TEXT = "df[column].map(lambda cell: cell.decode() if isinstance(cell, bytes) else cell)"

#: What turns cells of a kind into such as a column may have, the first that fits.
_CONVERSIONS = (
    (lambda cell: np.ndim(cell) == 0 and hasattr(cell, "item"), "df[column].map(lambda cell: "
     "cell.item())"),
    (lambda cell: hasattr(cell, "nanoseconds") and isinstance(cell, tuple), _FROM_INTERVALS),
    (lambda cell: hasattr(cell, "__array__") or isinstance(cell, list | tuple), _FROM_ARRAYS),
    (lambda cell: isinstance(cell, dict), _FROM_DICTS),
    (lambda cell: isinstance(cell, pd.Period), _FROM_PERIODS),
    (lambda cell: isinstance(cell, datetime.time), _FROM_TIMES),
    (lambda cell: isinstance(cell, enum.Enum), _FROM_ENUMS),
    (lambda cell: isinstance(cell, uuid.UUID), f"{_TO_TEXT}, or leave it out if it names rows"),
    (lambda cell: isinstance(cell, numbers.Number), "df[column].astype(float)"),
)  # fmt: skip


def _refusal(column, name):
    """The error for cells of types that are mixed, or that no column may have."""
    cells = [cell for cell in column if not is_missing(cell)]
    kinds = sorted({type(cell).__name__ for cell in cells})
    plain = (numbers.Number, np.bool_, str, bytes, datetime.date, datetime.timedelta, np.datetime64)
    other = [cell for cell in cells if not isinstance(cell, plain) or isinstance(cell, enum.Enum)]
    if other or len(kinds) == 1:
        first = (other or cells)[0]
        remedy = next((how for fits, how in _CONVERSIONS if fits(first)), _TO_TEXT)
        return TypeError(
            f"{name} holds cells of type {', '.join(kinds[:3])}: the argument must be a table "
            "whose cells are each a string or a number (or a date, a boolean, or missing). "
            f"Convert them, for example with {remedy}."
        )
    return ValueError(
        f"{name} mixes cells of type {' and '.join(kinds)}. Give it one type, for example with "
        f"{_to_one_type(cells)}."
    )


def _to_one_type(cells):
    """What makes cells of several plain types cells of one."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    if not texts and any(isinstance(cell, bytes) for cell in cells):
        return "df[column].astype(str)"
    if not texts and all(isinstance(cell, numbers.Number | np.bool_) for cell in cells):
        return "df[column].astype(float)"
    if any(isinstance(cell, bytes) for cell in cells):
        return _TO_ONE_TEXT
    if any(isinstance(cell, datetime.date | np.datetime64) for cell in cells):
        return _TO_DATES
    if any(isinstance(cell, datetime.timedelta) for cell in cells):
        return 'pd.to_timedelta(df[column], errors="coerce")'
    parsed = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").notna().sum()
    counted = [cell for cell in cells if not isinstance(cell, str | bool | np.bool_)]
    # Most are numbers: the text stands for what is missing.
    return _TO_NUMBERS if 2 * (len(counted) + parsed) >= len(cells) else "df[column].astype(str)"


#: How a column is made one of a content.
TO = {"number": _TO_NUMBERS, "time": _TO_DATES, "text": "df[column].astype(str)"}


def unreadable(column, name, error):
    """The error for cells that are of the right type and cannot be read."""
    hint = ""
    if "utc" in str(error) or "tz-" in str(error):
        hint = (
            " Give its dates one time zone, for example with pd.to_datetime(df[column], utc=True)."
        )
    elif "too large" in str(error):
        hint = " Such large numbers do not fit; divide them by a constant first."
    return ValueError(
        f"{name} (dtype {column.dtype}) cannot be read: {shorten(str(error), 200)}.{hint}"
    )
