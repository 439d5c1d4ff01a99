"""Cells, and what was expected in their place, in words."""

import numpy as np
import pandas as pd
import pytest

from sklearn_replearn._tables.column_types import learned
from sklearn_replearn.outliers.wording import reason


def kind_of(cells, categorical=False):
    return learned(pd.Series(cells), "x", categorical)


def test_numbers_have_four_digits_and_thousands_apart():
    similar = np.array([172.0, 452.0])
    assert reason("amount", None, 9120.0, similar) == "amount = 9,120 (expected 312 ± 140)"
    assert reason("x", None, 0.00123456, np.zeros(4)) == "x = 0.001235 (expected 0 ± 0)"
    assert reason("x", None, 2234567890123.0, similar).startswith("x = 2,234,567,890,123 (")
    assert reason("x", None, 1.5e20, similar).startswith("x = 1.5e+20 (")


@pytest.mark.parametrize("cell", [312.0, 250.0])
def test_what_is_as_expected_is_no_reason(cell):
    assert reason("amount", None, cell, np.array([172.0, 452.0])) == ""


def test_levels_and_booleans_have_a_share():
    kind, cells = kind_of(["a", "b", "a", "a"])
    assert reason("kind", kind, cells[1], cells) == "kind = b (expected a, 75% of similar rows)"
    assert reason("kind", kind, cells[0], cells) == ""
    assert "a level that fit has not seen" in reason("kind", kind, 0.0, cells)
    kind, cells = kind_of([True, False, True, True])
    assert (
        reason("flag", kind, cells[1], cells) == "flag = False (expected True, 75% of similar rows)"
    )


def test_dates_and_durations_are_as_exact_as_says_something():
    kind, cells = kind_of(pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-21"]))
    (far,) = kind.encode(pd.Series(pd.to_datetime(["2031-05-06"])))
    text = reason("day", kind, far, cells)
    assert text == "day = 2031-05-06 00:00:00 (expected 2024-01-11 ± 8 days 00:00:00)"
    kind, cells = kind_of(pd.to_timedelta([60, 90, 120], unit="s"))
    (far,) = kind.encode(pd.Series(pd.to_timedelta([3600], unit="s")))
    assert (
        reason("took", kind, far, cells)
        == "took = 0 days 01:00:00 (expected 0 days 00:01:30 ± 0 days 00:00:24)"
    )


def test_missing_cells():
    gone = np.array([np.nan, np.nan, 1.0])
    assert reason("x", None, 3.0, gone) == "x = 3 (expected missing)"
    assert reason("x", None, np.nan, np.array([1.0, 3.0])) == "x = missing (expected 2 ± 1)"
