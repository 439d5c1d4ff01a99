"""Tables of other libraries (polars, pyarrow, …) as pandas frames, and back."""

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from narwhals.exceptions import DuplicateError

from .._runtime.arrow import schema_as_bytes, schema_of_bytes


class PandasLike:
    """A pandas frame in, a pandas frame out."""

    def back(self, frame):
        """The frame itself."""
        return frame

    def filled(self, raw, frame, columns):
        """A copy of the frame with some columns, by number, replaced."""
        frame = frame.copy()
        for j, column in columns.items():
            frame.isetitem(j, column)
        return frame

    def of_columns(self, raw, kept, added):
        """Some columns of a frame, by number, and new ones, arrays by name."""
        return raw.iloc[:, kept].assign(**added)


class Foreign:
    """A frame of another library, column by column.

    Parameters
    ----------
    frame : narwhals DataFrame
    """

    def __init__(self, frame):
        self.schema = dict(frame.schema)
        self.backend = frame.implementation

    def back(self, frame):
        """A pandas frame as one of the library, with the dtypes that it had."""
        return self._made({name: frame[name] for name in self.schema}).to_native()

    def filled(self, raw, frame, columns):
        """A copy of the library's frame with some columns, by number, replaced."""
        names = list(self.schema)
        made = self._made({names[j]: column for j, column in columns.items()})
        raw = nw.from_native(raw, eager_only=True)
        # Where a cell was there it stays as it is, to the last tick.
        return raw.with_columns(
            *(raw[name].zip_with(~_missing(raw[name]), made[name]) for name in made.columns)
        ).to_native()

    def of_columns(self, raw, kept, added):
        """Some columns of a frame, by number, and new ones, arrays by name."""
        raw = nw.from_native(raw, eager_only=True)
        raw = raw.select([raw.columns[j] for j in kept])
        new = (
            nw.new_series(name, cells.tolist(), nw.Float64(), backend=self.backend)
            for name, cells in added.items()
        )
        return raw.with_columns(*new).to_native()

    def _made(self, columns):
        schema = {name: self.schema[name] for name in columns}
        leveled = {name: kind for name, kind in schema.items() if kind in (nw.Categorical, nw.Enum)}
        plain = {name: nw.String() if name in leveled else kind for name, kind in schema.items()}
        cells = {name: _as_list(column) for name, column in columns.items()}
        made = nw.from_dict(cells, schema=plain, backend=self.backend)
        return made.with_columns(*(nw.col(name).cast(kind) for name, kind in leveled.items()))


class Arrow:
    """A table of pyarrow, whose types have no name in other libraries.

    Parameters
    ----------
    table : pyarrow.Table
    """

    def __init__(self, table):
        # In bytes: a stored model is read where pyarrow is not.
        self._schema = schema_as_bytes(table.schema)

    @property
    def schema(self):
        """Names and types of the columns, pyarrow.Schema."""
        return schema_of_bytes(self._schema)

    def back(self, frame):
        """A pandas frame as a table of pyarrow, with the types that it had."""
        schema = self.schema
        columns = [
            self._made(_cells(frame[field.name]), field.type, _levels(frame[field.name]))
            for field in schema
        ]
        for j, column in enumerate(columns):
            schema = schema.set(j, schema.field(j).with_type(column.type))
        return _pyarrow().Table.from_arrays(columns, schema=schema)

    def filled(self, raw, frame, columns):
        """A copy of the table with some columns, by number, replaced where cells are missing."""
        for j, column in columns.items():
            field, missing = raw.schema.field(j), frame.iloc[:, j].isna()
            both = zip(raw.column(j).to_pylist(), _cells(column), missing, strict=True)
            cells = [new if gone else old for old, new, gone in both]
            made = self._made(cells, field.type, _levels(frame.iloc[:, j]))
            raw = raw.set_column(j, field.with_type(made.type), made)
        return raw

    def of_columns(self, raw, kept, added):
        """Some columns of a table, by number, and new ones, arrays by name."""
        raw = raw.select([int(j) for j in kept])
        for name, cells in added.items():
            raw = raw.append_column(name, _pyarrow().array(cells))
        return raw

    def _made(self, cells, kind, levels):
        """Cells as an array of a type, or of the one that is found for them if it is not built."""
        pyarrow = _pyarrow()
        if _is_ordered(kind):
            numbers = pd.Categorical(cells, categories=levels).codes
            return pyarrow.DictionaryArray.from_arrays(
                pyarrow.array(numbers, type=kind.index_type, mask=numbers < 0),
                pyarrow.array(levels, type=kind.value_type),
                ordered=True,
            )
        if hasattr(kind, "index_type"):
            return pyarrow.array(cells, type=kind.value_type).dictionary_encode().cast(kind)
        try:
            return pyarrow.array(cells, type=kind)
        except (pyarrow.ArrowNotImplementedError, pyarrow.ArrowTypeError):
            return pyarrow.array(cells)


def _is_ordered(kind):
    """Whether a type of pyarrow is that of levels with an order."""
    return hasattr(kind, "index_type") and kind.ordered


def _with_order(column):
    """A column of pyarrow whose levels have an order as one of pandas."""
    levels = column.unify_dictionaries().combine_chunks().dictionary.to_pylist()
    return pd.Series(pd.Categorical(column.to_pylist(), categories=levels, ordered=True))


def _levels(column):
    """Levels of a column of pandas, list, or None where it has none."""
    categories = isinstance(column.dtype, pd.CategoricalDtype)
    return column.cat.categories.tolist() if categories else None


def _cells(column):
    """Cells of a pandas column as objects, None where missing."""
    return column.astype(object).where(column.notna().to_numpy(), None).tolist()


def _pyarrow():
    return nw.Implementation.PYARROW.to_native_namespace()


def library_of(container):
    """The library whose frames a container makes, that of pandas where there is none."""
    if isinstance(container, Arrow):
        return nw.Implementation.PYARROW
    return container.backend if isinstance(container, Foreign) else nw.Implementation.PANDAS


def eager(X):
    """A frame that is in memory as one of narwhals; anything else as it is.

    Raises
    ------
    ValueError
        If two columns have one name.
    """
    try:
        return nw.from_native(X, eager_only=True, pass_through=True)
    except DuplicateError as problem:
        raise ValueError(f"{problem}. Give every column a name of its own.") from None


def as_pandas(X):
    """A frame as a pandas frame, and what makes frames of its library again.

    Parameters
    ----------
    X : object

    Returns
    -------
    tuple of DataFrame and container, or None
        None where it is no frame.
    """
    if isinstance(X, pd.DataFrame):
        return X, PandasLike()
    found = _columns_of_foreign(X)
    if found is None:
        return None
    columns, container = found
    return pd.DataFrame(columns, index=None if columns else range(len(X))), container


def columns_of(X):
    """The columns of a frame, a list of Series of pandas, their names, and its container.

    None where it is no frame.
    """
    if isinstance(X, pd.DataFrame):
        return [X.iloc[:, j] for j in range(X.shape[1])], X.columns, PandasLike()
    found = _columns_of_foreign(X)
    if found is None:
        return None
    columns, container = found
    return list(columns.values()), pd.Index(list(columns)), container


def _columns_of_foreign(X):
    """The columns of a frame of another library by name, as those of pandas, and its container."""
    frame = eager(X)
    if not isinstance(frame, nw.DataFrame):
        return None
    if not frame.implementation.is_pyarrow():
        return {name: _column(frame[name]) for name in frame.columns}, Foreign(frame)
    columns = {
        field.name: _with_order(X.column(field.name))
        if _is_ordered(field.type)
        else _column(frame[field.name])
        for field in X.schema
    }
    return columns, Arrow(X)


def _missing(series):
    return series.is_null() | series.is_nan() if series.dtype.is_float() else series.is_null()


def _column(series):
    """A column of narwhals as one of pandas; needs no package that moves memory between them."""
    dtype = series.dtype
    if dtype.is_float():
        return pd.Series(np.array(series.to_numpy()))
    missing = series.is_null().any()
    if dtype == nw.Enum:
        return pd.Series(pd.Categorical(series.to_list(), categories=list(dtype.categories)))
    if dtype == nw.Categorical:
        return pd.Series(pd.Categorical(series.to_list()))
    if dtype.is_numeric() and not dtype.is_decimal() and dtype not in (nw.Int128, nw.UInt128):
        if dtype.is_integer() and missing:
            return pd.Series(
                series.to_list(), dtype="Int64" if dtype.is_signed_integer() else "UInt64"
            )
        return pd.Series(np.array(series.to_numpy()))
    if dtype == nw.Boolean and not missing:
        return pd.Series(np.array(series.to_numpy()))
    if dtype == nw.Datetime:
        unit = "ms" if dtype.time_unit == "s" else dtype.time_unit
        ticks = pd.Series(series.dt.timestamp(unit).to_list(), dtype="Int64")
        column = pd.Series(ticks.fillna(0).astype("int64").to_numpy().view(f"M8[{unit}]"))
        column = column.mask(ticks.isna().to_numpy())
        zone = dtype.time_zone
        return column if zone is None else column.dt.tz_localize("UTC").dt.tz_convert(zone)
    return pd.Series(series.to_list(), dtype=object)


def _as_list(column):
    """Cells of a pandas column as Python objects, None where missing."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiub" and column.notna().all():
        return column.to_numpy().tolist()
    cells = _cells(column)
    return [c.to_pydatetime(warn=False) if isinstance(c, pd.Timestamp) else c for c in cells]
