"""Cells of one column as numbers, and numbers as cells."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from sklearn_replearn._tables.column_types import Category, Nothing, Number, learned
from sklearn_replearn._tables.dates import Date


def column_type(cells, categorical=False, dtype=None):
    return learned(pd.Series(cells, dtype=dtype), "Column 'a'", categorical)


@pytest.mark.parametrize(
    ("cells", "dtype", "kind", "numbers"),
    [
        ([1.5, None], None, Number, [1.5, np.nan]),
        ([True, False], None, Number, [1, 0]),
        ([7, pd.NA], "Int8", Number, [7, np.nan]),
        ([decimal.Decimal("2.5"), None], None, Number, [2.5, np.nan]),
        (["b", "a", None], None, Category, [2, 1, np.nan]),
        ([b"b", b"a"], None, Category, [2, 1]),
        (["1970-01-01T00:00:03"], "datetime64[s]", Date, [3]),
        ([datetime.timedelta(seconds=3)], "timedelta64[ms]", Date, [3000]),
        ([None, None], "object", Nothing, [np.nan, np.nan]),
    ],
)
def test_a_column_is_of_the_kind_of_its_cells(cells, dtype, kind, numbers):
    found, encoded = column_type(cells, dtype=dtype)
    assert type(found) is kind
    assert np.array_equal(np.asarray(encoded, dtype=float), numbers, equal_nan=True)


def test_levels_are_sorted_unless_their_dtype_has_an_order():
    assert column_type(list("cab"))[0].levels.tolist() == ["a", "b", "c"]
    for ordered, levels in ((False, ["a", "b"]), (True, ["b", "a"])):
        dtype = pd.CategoricalDtype(["c", "b", "a"], ordered=ordered)
        kind, numbers = column_type(list("ab"), dtype=dtype)
        assert kind.levels.tolist() == levels
        assert kind.ordered == ordered
        assert numbers.tolist() == [levels.index("a") + 1, levels.index("b") + 1]


def test_a_level_that_was_not_there_is_zero_and_comes_back_as_missing():
    kind, _ = column_type(list("ab"))
    assert kind.encode(pd.Series(list("bza"))).tolist() == [2, 0, 1]
    assert kind.decode([2, 0, np.nan]).tolist()[0] == "b"
    assert kind.decode([2, 0, np.nan]).isna().tolist() == [False, True, True]


def test_numbers_may_be_levels():
    kind, numbers = column_type([30, 10, 30], categorical=True)
    assert numbers.tolist() == [2, 1, 2]
    assert kind.decode(numbers).tolist() == [30, 10, 30]
    assert kind.n_levels == 2


@pytest.mark.parametrize(
    ("dtype", "values", "cells"),
    [
        ("int8", [1.4, 300, -300], [1, 127, -128]),
        ("uint8", [-3, 255.4, 2.6], [0, 255, 3]),
        ("int64", [1e300, -1e300], [2**63 - 1024, -(2**63)]),
        ("float32", [0.25], [0.25]),
        ("bool", [0.49, 0.5], [False, True]),
        ("boolean", [0.2, np.nan], [False, pd.NA]),
        ("Int16", [2.6, np.nan], [3, pd.NA]),
    ],
)
def test_numbers_come_back_within_what_the_dtype_can_hold(dtype, values, cells):
    kind, _ = column_type([1, 0], dtype=dtype)
    back = kind.decode(np.array(values))
    assert back.dtype == dtype
    pd.testing.assert_series_equal(back, pd.Series(cells, dtype=dtype))


def test_whole_numbers_with_missing_ones_come_back_in_a_dtype_that_may_miss():
    kind, _ = column_type([1, 0], dtype="int32")
    assert kind.decode([2.6, np.nan]).dtype == "Int32"


def test_dates_come_back_in_their_zone_to_the_tick():
    dates = pd.Series(pd.to_datetime(["2021-03-28T00:59", "2021-03-28T01:01"]), dtype="M8[us]")
    dates = dates.dt.tz_localize("UTC").dt.tz_convert("Europe/Paris")
    kind, ticks = learned(dates, "Column 'a'", False)
    assert np.diff(ticks).tolist() == [120e6]
    pd.testing.assert_series_equal(kind.decode(ticks), dates)
    assert kind.decode([np.nan]).isna().all()


@pytest.mark.parametrize(
    ("cells", "error", "message"),
    [
        ([1, "a"], ValueError, "Column 'a' mixes cells of type int and str"),
        ([[1], [2]], TypeError, "Column 'a' holds cells of type list"),
        ([1j], ValueError, "Complex data not supported: Column 'a'"),
        (pd.period_range("2020", periods=2, freq="D"), ValueError, "has dtype period"),
    ],
)
def test_columns_of_no_kind_are_refused_by_name(cells, error, message):
    with pytest.raises(error, match=message.replace("[", r"\[")):
        column_type(cells)
