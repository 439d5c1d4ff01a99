"""Tables of other libraries (polars, pyarrow, …) as pandas frames, and back."""

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd


class PandasLike:
    """A pandas frame in, a pandas frame out."""

    def back(self, frame):
        """The frame itself."""
        return frame


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
        columns = {name: _listed(frame[name]) for name in self.schema}
        whole = (nw.Categorical, nw.Enum)
        plain = {n: (nw.String() if t in whole else t) for n, t in self.schema.items()}
        made = nw.from_dict(columns, schema=plain, backend=self.backend)
        levels = [nw.col(n).cast(t) for n, t in self.schema.items() if t in whole]
        return made.with_columns(*levels).to_native() if levels else made.to_native()


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
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    if not isinstance(frame, nw.DataFrame):
        return None
    columns = {name: _column(frame[name]) for name in frame.columns}
    return pd.DataFrame(columns), Foreign(frame)


def _column(series):
    """A column of narwhals as one of pandas; needs no package that moves memory between them."""
    dtype, missing = series.dtype, series.is_null().any()
    if dtype == nw.Enum or dtype == nw.Categorical:
        levels = series.cat.get_categories().to_list()
        return pd.Series(pd.Categorical(series.to_list(), categories=levels))
    if dtype.is_numeric() and not dtype.is_decimal():
        if dtype.is_integer() and missing:
            return pd.Series(
                series.to_list(), dtype="Int64" if dtype.is_signed_integer() else "UInt64"
            )
        return pd.Series(np.array(series.to_numpy()))
    if dtype == nw.Boolean and not missing:
        return pd.Series(np.array(series.to_numpy()))
    if dtype == nw.Datetime:
        cells = series.dt.timestamp(dtype.time_unit if dtype.time_unit != "s" else "ms")
        unit = dtype.time_unit if dtype.time_unit != "s" else "ms"
        ticks = pd.Series(cells.to_list(), dtype="Int64")
        column = pd.Series(ticks.fillna(0).astype("int64").to_numpy().view(f"M8[{unit}]"))
        column = column.mask(ticks.isna().to_numpy())
        zone = dtype.time_zone
        return column if zone is None else column.dt.tz_localize("UTC").dt.tz_convert(zone)
    return pd.Series(series.to_list(), dtype=object)


def _listed(column):
    """Cells of a pandas column as Python objects, None where missing."""
    cells = column.astype(object)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiub" and column.notna().all():
        return column.to_numpy().tolist()
    cells = cells.where(column.notna().to_numpy(), None)
    return [c.to_pydatetime() if isinstance(c, pd.Timestamp) else c for c in cells]
