"""How dtypes, labels and cells of frames are written plainly, and read where a library is not."""

import datetime

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from .._runtime.arrow import schema_as_bytes, schema_of_bytes
from .forms import Form, by_attributes, by_text


def _string_dtype(value):
    return {"storage": value.storage, "missing": "NA" if value.na_value is pd.NA else "nan"}


def _string_dtype_made(storage, missing):
    absent = pd.NA if missing == "NA" else np.nan
    try:
        return pd.StringDtype(storage, na_value=absent)
    except ImportError:  # pyarrow is not here
        return pd.StringDtype("python", na_value=absent)
    except TypeError:  # a pandas before 2.3 has one kind of missing cells only
        return pd.StringDtype("python")


def _arrow_dtype(value):
    import pyarrow as pa

    schema = pa.schema([("cells", value.pyarrow_dtype)])
    return {"text": str(value), "schema": schema_as_bytes(schema)}


def _arrow_dtype_made(text, schema):
    try:
        return pd.ArrowDtype(schema_of_bytes(schema).field(0).type)
    except ImportError:
        return _without_pyarrow(text.removesuffix("[pyarrow]"))


def _without_pyarrow(name):
    """The dtype of pandas for cells of a type of pyarrow."""
    unit, _, zone = name.removeprefix("timestamp[").removesuffix("]").partition(", tz=")
    if name.startswith("timestamp"):
        return _zoned_dtype_made(unit, zone) if zone else np.dtype(f"M8[{unit}]")
    if name.startswith("duration"):
        return np.dtype(f"m8[{name[9:-1]}]")
    if name.removeprefix("u") in {"int8", "int16", "int32", "int64"}:
        return pd.api.types.pandas_dtype(name.replace("u", "U").replace("i", "I", 1))
    named = {"bool": "boolean", "float": "Float32", "double": "Float64", "halffloat": "Float32"}
    if name in named:
        return pd.api.types.pandas_dtype(named[name])
    if "string" in name:
        return pd.StringDtype("python")
    return np.dtype(object)


def _named_dtype(value):
    """Of a dtype that its name says all of."""
    try:
        same = pd.api.types.pandas_dtype(str(value)) == value
    except (TypeError, ValueError):
        return None
    return {"text": str(value)} if same else None


#: pandas looks for zones of dateutil by names that begin so.
_OF_DATEUTIL = "dateutil/"


def _zone(tz):
    """The name by which pandas finds a zone again, on any machine."""
    file = getattr(tz, "_filename", None)  # of dateutil alone
    if file is not None:
        return _OF_DATEUTIL + file.rpartition("zoneinfo/")[2]
    name = getattr(tz, "key", None) or getattr(tz, "zone", None)
    offset = None if type(tz).__name__ == "tzlocal" else tz.utcoffset(None)
    return name or str(tz if offset is None else datetime.timezone(offset))


def _zone_made(name):
    # It would open the file of any path.
    if name.startswith(_OF_DATEUTIL) and {"", ".."} & set(name.split("/")):
        raise ValueError(f"{name!r} is no time zone.")
    return name


def _zoned_dtype(value):
    return {"unit": value.unit, "zone": _zone(value.tz)}


def _zoned_dtype_made(unit, zone):
    return pd.DatetimeTZDtype(unit, _zone_made(zone))


def _index(value):
    """Labels or levels."""
    name, dtype = value.name, value.dtype
    if isinstance(dtype, pd.IntervalDtype):
        cells = [value.left, value.right]
    elif isinstance(dtype, pd.DatetimeTZDtype) or dtype.kind in "mM":
        cells = np.array(value.astype(np.int64))
    elif isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        cells = np.array(value)
    else:
        cells = value.astype(object).tolist()
    return {"dtype": dtype, "name": name, "cells": cells}


def _index_made(dtype, name, cells):
    if isinstance(dtype, pd.IntervalDtype):
        left, right = cells
        return pd.IntervalIndex.from_arrays(left, right, closed=dtype.closed, name=name)
    if isinstance(cells, np.ndarray) and getattr(dtype, "kind", "") in "mM":
        unit = getattr(dtype, "unit", None) or np.datetime_data(dtype)[0]
        ticks = pd.Index(np.array(cells).view(f"{dtype.kind}8[{unit}]"), name=name)
        zone = getattr(dtype, "tz", None)
        return ticks if zone is None else ticks.tz_localize("UTC").tz_convert(zone)
    return pd.Index(cells, dtype=dtype, name=name)


def _multi_index(value):
    return {"levels": list(value.levels), "codes": list(value.codes), "names": list(value.names)}


def _frame(value):
    cells = [value.iloc[:, j].to_numpy() for j in range(value.shape[1])]
    return {"index": value.index, "columns": value.columns, "cells": cells}


def _frame_made(index, columns, cells):
    frame = pd.DataFrame(dict(enumerate(cells)), index=index)
    frame.columns = columns
    return frame


def _moment(value):
    zone = getattr(value, "tz", None)
    ticks = int(value.asm8.astype(np.int64))
    return {"ticks": ticks, "unit": value.unit, "zone": None if zone is None else _zone(zone)}


def _timestamp(ticks, unit, zone):
    moment = pd.Timestamp(np.datetime64(ticks, unit))
    return moment if zone is None else moment.tz_localize("UTC").tz_convert(_zone_made(zone))


def _timedelta(ticks, unit, zone):
    return pd.Timedelta(np.timedelta64(ticks, unit))


def _column_type(value):
    named = {name: getattr(value, name, None) for name in _TYPE_SAYS}
    known = {name: of for name, of in named.items() if of is not None}
    if "categories" in known:
        known["categories"] = list(known["categories"])
    return {"name": type(value).__name__, "known": known}


_TYPE_SAYS = ("time_unit", "time_zone", "categories", "precision", "scale")


def _column_type_made(name, known):
    kind = getattr(nw, name)
    if not (isinstance(kind, type) and issubclass(kind, nw.dtypes.DType)):
        raise TypeError(f"{name} is no type of columns.")
    return kind(**known)


FORMS = (
    by_attributes("categories", pd.CategoricalDtype, "categories", "ordered"),
    Form("strings", pd.StringDtype, _string_dtype, _string_dtype_made),
    Form("moments", pd.DatetimeTZDtype, _zoned_dtype, _zoned_dtype_made),
    Form("arrow", pd.ArrowDtype, _arrow_dtype, _arrow_dtype_made),
    Form(
        "pandas",
        pd.api.extensions.ExtensionDtype,
        _named_dtype,
        pd.api.types.pandas_dtype,
        inherited=True,
    ),
    Form(
        "steps",
        pd.RangeIndex,
        lambda v: {"start": v.start, "stop": v.stop, "step": v.step, "name": v.name},
        lambda start, stop, step, name: pd.RangeIndex(start, stop, step, name=name),
    ),
    Form(
        "several",
        pd.MultiIndex,
        _multi_index,
        lambda levels, codes, names: pd.MultiIndex(levels, codes, names=names),
    ),
    Form("index", pd.Index, _index, _index_made, inherited=True),
    Form("frame", pd.DataFrame, _frame, _frame_made),
    Form("timestamp", pd.Timestamp, _moment, _timestamp),
    Form("duration", pd.Timedelta, _moment, _timedelta),
    by_attributes("interval", pd.Interval, "left", "right", "closed"),
    Form("NaT", type(pd.NaT), lambda value: {}, lambda: pd.NaT),
    Form("NA", type(pd.NA), lambda value: {}, lambda: pd.NA),
    Form("column type", nw.dtypes.DType, _column_type, _column_type_made, inherited=True),
    by_text("library", nw.Implementation, lambda v: v.value, nw.Implementation.from_string),
)
