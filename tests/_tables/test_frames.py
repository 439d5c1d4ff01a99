"""Frames of other libraries as those of pandas, and back."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from sklearn_replearn._tables.frames import as_pandas

SOME = pl.DataFrame(
    {
        "number": [1.5, None, 2.5],
        "whole": [3, None, 5],
        "small": pl.Series([1, 2, 3], dtype=pl.UInt8),
        "truth": [True, None, False],
        "text": ["x", None, "y"],
        "level": pl.Series(["b", None, "a"], dtype=pl.Enum(["b", "a", "never"])),
        "category": pl.Series(["b", None, "a"], dtype=pl.Categorical),
        "day": [datetime.date(2020, 2, 29), None, datetime.date(1960, 1, 1)],
        "moment": pl.Series(
            [datetime.datetime(2020, 2, 29, 3, 4, 5, 678), None, datetime.datetime(1960, 1, 1)],
            dtype=pl.Datetime("us", "Europe/Paris"),
        ),
    }
)


def test_what_is_no_frame_is_none():
    for X in (np.ones((2, 2)), [[1, 2]], {"a": [1]}, "frame"):
        assert as_pandas(X) is None


def test_a_frame_of_pandas_is_taken_and_given_as_it_is():
    frame = pd.DataFrame({"a": [1.0, np.nan]})
    same, container = as_pandas(frame)
    assert same is frame
    assert container.back(frame) is frame
    filled = container.filled(frame, frame, {0: pd.Series([1.0, 7.0])})
    assert filled["a"].tolist() == [1.0, 7.0]
    assert frame["a"].isna().tolist() == [False, True]  # a copy was filled


def test_a_frame_of_polars_comes_back_as_it_was():
    frame, container = as_pandas(SOME)
    assert frame.isna().to_numpy()[1].tolist() == [name != "small" for name in SOME.columns]
    assert_frame_equal(container.back(frame), SOME)


def test_columns_of_polars_become_those_that_pandas_knows_them_by():
    frame, _ = as_pandas(SOME)
    dtypes = frame.dtypes.astype(str)
    assert dtypes["number"] == "float64"
    assert dtypes["whole"] == "Int64"
    assert dtypes["small"] == "uint8"
    assert dtypes["moment"] == "datetime64[us, Europe/Paris]"
    assert frame["level"].cat.categories.tolist() == ["b", "a", "never"]
    assert frame["moment"][0] == pd.Timestamp(SOME["moment"][0])


def test_only_missing_cells_are_filled():
    frame, container = as_pandas(SOME)
    new = {0: pd.Series([0.0, 9.0, 0.0]), 4: pd.Series(["z", "z", "z"])}
    filled = container.filled(SOME, frame, new)
    assert filled["number"].to_list() == [1.5, 9.0, 2.5]
    assert filled["text"].to_list() == ["x", "z", "y"]
    assert_frame_equal(filled.drop("number", "text"), SOME.drop("number", "text"))


def test_tables_of_pyarrow_come_back_as_they_were():
    table = pa.table({"number": [1.5, None], "text": ["a", None], "truth": [True, False]})
    frame, container = as_pandas(table)
    assert frame["number"].tolist()[0] == 1.5
    back = container.back(frame)
    assert isinstance(back, pa.Table)
    assert back.schema.types == table.schema.types
    assert back.to_pylist() == table.to_pylist()


@pytest.mark.parametrize("values", [[1, 2], [0.5, 0.25], [True, False]])
def test_cells_without_gaps_are_copied_and_not_shared(values):
    raw = pl.DataFrame({"a": values})
    frame, _ = as_pandas(raw)
    frame.iloc[0, 0] = frame.iloc[1, 0]
    assert raw["a"].to_list() == values
