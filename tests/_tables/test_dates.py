"""Dates come back within what their dtype and a calendar hold."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from quick import quick

from sklearn_replearn import AutoencoderTransformer, VAETransformer
from sklearn_replearn._tables.column_types import learned

N = 30
NUMBER = np.random.default_rng(0).normal(size=N)
DAY, MOMENT = datetime.date, datetime.datetime


def far(first, kind=MOMENT):
    """A first date or "no end" among ordinary ones."""
    return [first if i % 5 == 0 else kind(2020 + i % 2, 1, 1) for i in range(N)]


def series(cells, dtype):
    return pd.Series(cells, dtype=object).astype(dtype)


def objects(cells):
    return pd.Series(cells, dtype=object)


NO_END, LAST = MOMENT(9999, 12, 31), MOMENT(9999, 12, 31, 23, 59, 59, 999999)
COLUMNS = {
    **{
        f"{year} in {unit}": series(far(MOMENT(year, month, day)), f"datetime64[{unit}]")
        for year, month, day in ((1, 1, 1), (9999, 12, 31))
        for unit in ("s", "ms", "us")
    },
    "ns, early": series(far(MOMENT(1677, 9, 22)), "datetime64[ns]"),
    "ns, late": series(far(MOMENT(2262, 4, 11)), "datetime64[ns]"),
    "dates": objects(far(DAY(9999, 12, 31), DAY)),
    "first dates": objects(far(DAY(1, 1, 1), DAY)),
    "datetimes": objects(far(LAST)),
    "numpy": objects(list(np.array(far(NO_END), dtype="datetime64[s]"))),
    "zone, objects": objects([x.replace(tzinfo=datetime.UTC) for x in far(NO_END)]),
    "durations": pd.Series([pd.Timedelta.max, pd.Timedelta(1, "D"), pd.Timedelta(2, "D")] * 10),
    "least durations": pd.Series([pd.Timedelta.min, pd.Timedelta.max, pd.Timedelta(0)] * 10),
    "arrow date": pd.Series(far(DAY(9999, 12, 31), DAY), dtype=pd.ArrowDtype(pa.date32())),
    "arrow zone": pd.Series(far(NO_END), dtype=pd.ArrowDtype(pa.timestamp("us", "UTC"))),
    "arrow ns": pd.Series(far(MOMENT(2262, 4, 10)), dtype=pd.ArrowDtype(pa.timestamp("ns"))),
}
if int(pd.__version__.split(".")[0]) >= 3:
    # Before, durations of objects end after 292 years, and pandas itself crashes on such dates.
    COLUMNS["timedeltas"] = objects([datetime.timedelta(9_999_999), datetime.timedelta(1)] * 15)
    for name, zone, first in (
        ("zone, east", "Asia/Tokyo", MOMENT(9999, 12, 30)),
        ("zone, west", "US/Pacific", MOMENT(1, 1, 3)),
    ):
        COLUMNS[name] = series(far(first), "datetime64[us]").dt.tz_localize(zone)
FOREIGN = {
    "polars date": (pl.Series, far(DAY(9999, 12, 31), DAY), pl.Date),
    "polars us": (pl.Series, far(NO_END), pl.Datetime("us")),
    "polars zone": (pl.Series, far(NO_END), pl.Datetime("us", "UTC")),
    "polars duration": (pl.Series, [datetime.timedelta(99_999), datetime.timedelta(1)] * 15, None),
    "arrow date": (pa.array, far(DAY(9999, 12, 31), DAY), pa.date32()),
    "arrow ms": (pa.array, far(NO_END), pa.timestamp("ms")),
}


def in_range(cells):
    """Whether a library can show the cells."""
    return all(str(cell) and getattr(cell, "year", 1) <= 9999 for cell in cells)


@pytest.mark.parametrize("name", COLUMNS)
def test_far_dates_come_back_within_the_calendar(name):
    column = COLUMNS[name]
    frame = pd.DataFrame({"x": NUMBER, "c": column})
    for cls in (AutoencoderTransformer, VAETransformer):
        fitted = quick(cls).fit(frame)
        codes = fitted.transform(frame)
        decoded = fitted.inverse_transform(np.concatenate([codes, 100 * codes, -100 * codes]))["c"]
        assert decoded.dtype == column.dtype
        assert decoded.notna().all()
        assert in_range(decoded)
        kind = type(column[0])
        assert all(isinstance(cell, kind) for cell in decoded)
    drawn = fitted.sample(50, random_state=0)["c"]
    assert in_range(drawn)
    holes = frame.assign(c=column.where(NUMBER > 0))
    filled = fitted.impute(holes)["c"]
    assert filled[NUMBER > 0].equals(column[NUMBER > 0])
    assert in_range(filled)


@pytest.mark.parametrize("name", FOREIGN)
def test_far_dates_come_back_in_other_libraries(name):
    make, cells, dtype = FOREIGN[name]
    frames = pl.DataFrame if make is pl.Series else pa.table
    column = (
        make(cells)
        if dtype is None
        else make(cells, dtype=dtype)
        if (make is pl.Series)
        else make(cells, type=dtype)
    )
    frame = frames({"x": NUMBER, "c": column})
    fitted = quick(AutoencoderTransformer).fit(frame)
    decoded = fitted.inverse_transform(100 * fitted.transform(frame))
    assert type(decoded) is type(frame)
    cells = decoded["c"].to_list() if make is pl.Series else decoded["c"].to_pylist()
    assert in_range(cells)


@pytest.mark.parametrize("unit", ["Y", "M", "D", "h", "s", "ms", "us", "ns"])
def test_arrays_of_dates_keep_their_unit(unit):
    X = np.array(far(MOMENT(2250, 1, 1)), dtype="datetime64[us]")[:, None].astype(f"M8[{unit}]")
    fitted = quick(AutoencoderTransformer).fit(X)
    decoded = fitted.inverse_transform(100 * fitted.transform(X))
    assert decoded.dtype == X.dtype
    years = decoded.astype("M8[Y]").astype(int) + 1970
    assert ((years > 1600) & (years < 2600)).all()


def test_expected_dates_are_no_farther_from_the_range_of_fit_than_it_is_long():
    days = pd.Series(pd.date_range("2020-01-01", periods=N))
    frame = pd.DataFrame({"x": NUMBER, "c": days})
    fitted = quick(AutoencoderTransformer).fit(frame)
    decoded = fitted.inverse_transform(1e6 * fitted.transform(frame))["c"]
    width = days.max() - days.min()
    assert decoded.min() >= days.min() - width
    assert decoded.max() <= days.max() + width


def test_the_last_moment_comes_back_to_the_tick():
    kind, ticks = learned(COLUMNS["datetimes"], "Column 'c'", False)
    assert kind.decode(ticks)[0] == LAST


def test_given_dates_are_drawn_as_they_are():
    frame = pd.DataFrame({"x": NUMBER, "c": pd.date_range("2020-01-01", periods=N)})
    fitted = quick(VAETransformer).fit(frame)
    later = pd.Timestamp("2040-01-01")
    assert (fitted.sample(3, random_state=0, given={"c": later})["c"] == later).all()


@pytest.mark.parametrize(
    ("cells", "remedy"),
    [
        ([pd.Timestamp("2020", tz="UTC"), pd.Timestamp("2020", tz="Asia/Tokyo")], "utc=True"),
        ([pd.Timestamp("2020", tz="UTC"), pd.Timestamp("2020")], "utc=True"),
        ([datetime.timedelta(999_999_999), datetime.timedelta(1)], "divide them"),
    ],
    ids=["zones", "some zones", "long"],
)
def test_dates_that_have_no_column_are_refused_with_the_remedy(cells, remedy):
    with pytest.raises(ValueError, match=rf"Column 'c' .*{remedy}"):
        learned(objects(cells), "Column 'c'", False)
