"""What no column may hold is refused with what to do, and what to do works."""

import datetime
import enum
import fractions
import pathlib
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from quick import quick

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn._tables.column_types import learned
from sklearn_replearn._tables.contents import is_missing
from sklearn_replearn._tables.names import brief, column_named, column_number, name_columns


class Colour(enum.Enum):
    RED, BLUE = 1, 2


def objects(*cells):
    """A column of objects, each as it is; arrays, too."""
    column = np.empty(12, dtype=object)
    for i in range(12):
        column[i] = cells[i % len(cells)]
    return pd.Series(column)


ARRAYS = "pd.DataFrame(df[column].tolist(), index=df.index)"
REMEDIES = {
    "arrays": (objects(np.ones(3), np.zeros(3)), ARRAYS),
    "arrays and none": (objects(None, np.ones(3)), None),
    "lists": (objects([1, 2], [3, 4]), ARRAYS),
    "tuples": (objects((1, 2), (3, 4)), ARRAYS),
    "tensors": (objects(torch.ones(2)), None),
    "series": (objects(pd.Series([1, 2])), None),
    "text and arrays": (objects("a", np.ones(2)), None),
    "scalars in arrays": (objects(np.array(1.0), np.array(2.0)), "cell.item()"),
    "dicts": (objects({"a": 1}, {"a": 2}), "pd.json_normalize(df[column])"),
    "sets": (objects({1}), None),
    "arrow lists": (pd.Series([[1], [2]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))), ARRAYS),
    "arrow dicts": (
        pd.Series([{"a": 1}, {"a": 2}], dtype=pd.ArrowDtype(pa.struct({"a": pa.int64()}))),
        "pd.json_normalize(df[column])",
    ),
    "periods": (
        pd.Series(pd.period_range("2020-01", periods=12, freq="M")),
        "df[column].dt.to_timestamp()",
    ),
    "objects of periods": (
        pd.Series(pd.period_range("2020-01", periods=12, freq="M")).astype(object),
        ".dt.to_timestamp()",
    ),
    "times": (objects(datetime.time(1), datetime.time(2, 3), None), "pd.to_timedelta("),
    "arrow times": (
        pd.Series([datetime.time(1)] * 2, dtype=pd.ArrowDtype(pa.time64("us"))),
        "pd.to_timedelta(",
    ),
    "enums": (objects(Colour.RED, Colour.BLUE, None), "cell.name"),
    "uuids": (objects(uuid.UUID(int=1), uuid.UUID(int=2)), "map(str"),
    "paths": (objects(pathlib.Path("a")), "map(str"),
    "fractions": (objects(fractions.Fraction(1, 3)), "astype(float)"),
    "decimals and floats": (objects(Decimal("1.1"), 2.5), "astype(float)"),
    "truth and numbers": (objects(True, 3), "astype(float)"),
    "blanks": (objects(1.5, " ", 2.5), 'pd.to_numeric(df[column], errors="coerce")'),
    "numbers as text": (objects(1, "1", 2), "pd.to_numeric("),
    "words": (objects("a", "b", "c", "d", 1), "df[column].astype(str)"),
    "truth and text": (objects(True, "x"), "df[column].astype(str)"),
    "dates and text": (objects(datetime.date(2020, 1, 1), "x"), "pd.to_datetime("),
    "bytes and text": (objects("x", b"y"), "cell.decode()"),
}


@pytest.mark.parametrize("name", REMEDIES)
def test_cells_that_no_column_may_hold_are_refused_with_a_remedy_that_works(name):
    df, column = pd.DataFrame({"c": REMEDIES[name][0]}), "c"
    with pytest.raises((ValueError, TypeError), match=r"Column 'c'") as caught:
        quick(AutoencoderTransformer).fit(df)
    message, expected = str(caught.value), REMEDIES[name][1]
    assert "for example with" in message
    assert len(message) < 500
    if expected is not None:
        assert expected in message
        remedy = message.split("for example with ")[1].rstrip(".").split(", a column")[0]
        remedy = remedy.removesuffix(", or leave it out if it names rows")
        converted = eval(remedy, {"df": df, "column": column, "pd": pd})
        columns = converted.items() if isinstance(converted, pd.DataFrame) else [(0, converted)]
        for number, cells in columns:
            learned(cells, f"Column {number}", False)
    if name == "blanks":
        assert "astype(str)" not in message


@pytest.mark.parametrize("fit", ["numbers", "text", "times", "truth"])
@pytest.mark.parametrize("now", ["numbers", "text", "times", "arrays"])
def test_another_content_after_fit_is_refused_with_a_remedy(fit, now):
    columns = {
        "numbers": objects(1.5, 2.5),
        "text": objects("a", "b"),
        "times": objects(datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)),
        "truth": objects(True, False),
        "arrays": objects(np.ones(2)),
    }
    fitted = quick(AutoencoderTransformer).fit(pd.DataFrame({"c": columns[fit]}))
    later = pd.DataFrame({"c": columns[now]})
    if fit == now or (fit, now) == ("truth", "numbers"):
        assert len(fitted.transform(later)) == 12
        return
    with pytest.raises((ValueError, TypeError), match=r"Column .c. .*for example with"):
        fitted.transform(later)


@pytest.mark.parametrize(
    "nothing",
    [
        pd.Series([np.nan] * 12),
        pd.Series([None] * 12, dtype=object),
        pd.Series([None] * 12, dtype="str"),
        pd.Series([pd.NaT] * 12),
        pd.Series([None] * 12, dtype="Int64"),
        pd.Series([None] * 12, dtype="boolean"),
        pd.Series([None] * 12, dtype="category"),
        pd.Series([None] * 12, dtype=pd.ArrowDtype(pa.null())),
    ],
    ids=lambda column: str(column.dtype),
)
@pytest.mark.parametrize("later", ["numbers", "text", "times"])
def test_a_column_of_which_fit_saw_no_cell_may_hold_anything_later(nothing, later):
    x = np.arange(12.0)
    fitted = quick(AutoencoderTransformer).fit(pd.DataFrame({"x": x, "c": nothing}))
    cells = {"numbers": 1.5, "text": "a", "times": pd.Timestamp("2020")}[later]
    frame = pd.DataFrame({"x": x, "c": cells})
    codes = fitted.transform(frame)
    assert np.array_equal(codes, fitted.transform(frame.assign(c=nothing)))
    decoded = fitted.inverse_transform(codes)["c"]
    assert decoded.isna().all()
    assert decoded.dtype == nothing.dtype


def test_names_are_as_python_writes_them():
    names = pd.Index([np.int64(3), ("a", np.int64(1)), np.str_("b"), "x" * 1000])
    assert [column_named(name) for name in names[:3]] == [
        "Column 3",
        "Column ('a', 1)",
        "Column 'b'",
    ]
    assert name_columns(names, [0, 1]) == "columns '3', \"('a', 1)\""
    assert len(name_columns(names, [3])) < 80
    with pytest.raises(
        ValueError, match=r"names 'y', which is no column .* are 3, \('a', 1\), 'b'"
    ):
        column_number("y", 4, names, "given")


def test_messages_hold_no_whole_container():
    for value in (np.zeros(10_000), "x" * 10_000, list(range(10_000)), {"a": ["x" * 10_000]}):
        assert len(brief(value)) < 200
    frame = pd.DataFrame({"x": np.arange(12.0), "c": ["text " * 500, "b"] * 6})
    fitted = quick(AutoencoderTransformer).fit(frame)
    with pytest.raises(ValueError, match="Column 'x'") as caught:
        fitted.transform(frame.assign(x="word " * 1000))
    assert len(str(caught.value)) < 400


def test_missing_cells_of_any_type():
    for cell in (None, pd.NA, pd.NaT, np.nan, np.float32("nan"), Decimal("nan"), Decimal("snan")):
        assert is_missing(cell)
    for cell in (0, "", np.ones(2), pd.Series([1, 2]), torch.ones(2), Decimal(0), pd.DataFrame()):
        assert not is_missing(cell)
