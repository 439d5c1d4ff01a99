"""Reasons in words, for columns of every kind."""

import datetime

import numpy as np
import pandas as pd
import pytest

from sklearn_replearn import OutlierDetector
from sklearn_replearn._tables.column_types import Number
from sklearn_replearn._tables.dates import Date
from sklearn_replearn.outliers import PairDensity
from sklearn_replearn.outliers.wording import reason

N = 60
HOURS = np.random.RandomState(0).randint(900, size=N)
UTC = datetime.UTC


def of_objects(make):
    return pd.Series([make(int(hours)) for hours in HOURS], dtype=object)


def hours_after(moment):
    return lambda hours: moment + datetime.timedelta(hours=hours)


START = datetime.datetime(2024, 1, 1)
DATES = {
    "date": of_objects(lambda hours: hours_after(START)(hours).date()),
    "no end": of_objects(
        lambda hours: datetime.date(9999, 12, 31) if hours < 90 else datetime.date(2024, 1, 9)
    ),
    "always": of_objects(lambda hours: datetime.date(9999, 12, 31 - (hours < 90))),
    "long ago": of_objects(lambda hours: datetime.date(1 + hours, 1, 1)),
    "datetime": of_objects(hours_after(START)),
    "datetime with zone": of_objects(hours_after(START.replace(tzinfo=UTC))),
    "Timestamp": pd.Timestamp(START) + pd.to_timedelta(HOURS, "h"),
    "in seconds": (pd.Timestamp(START) + pd.to_timedelta(HOURS, "h")).astype("datetime64[s]"),
    "with zone": pd.Timestamp(START, tz="Europe/Berlin") + pd.to_timedelta(HOURS, "h"),
    "duration": of_objects(lambda hours: datetime.timedelta(hours=hours)),
    "Timedelta": pd.to_timedelta(HOURS, "min"),
    "nanoseconds": pd.to_timedelta(HOURS, "ns"),
    "arrow date": pd.array(
        [hours_after(START)(int(hours)).date() for hours in HOURS], dtype="date32[pyarrow]"
    ),
    "arrow duration": pd.array(pd.to_timedelta(HOURS, "h"), dtype="duration[us][pyarrow]"),
}


@pytest.mark.parametrize("name", DATES)
@pytest.mark.parametrize("missing", [False, True])
def test_dates_and_durations_have_reasons(name, missing):
    frame = pd.DataFrame({"x": np.random.RandomState(1).normal(size=N), "when": DATES[name]})
    if missing:
        frame["when"] = frame["when"].where(np.arange(N) % 4 > 0)
    detector = OutlierDetector(novelty=False).fit(frame)
    reasons = detector.top_reasons(frame).to_numpy().ravel()
    told = [text for text in reasons if text.startswith("when = ") and "when = missing" not in text]
    assert told
    units = ("day", "days", "hour", "hours", "minute", "minutes", "second", "seconds")
    for text in told:
        expected = text.partition("(expected ")[2]
        assert expected == "missing)" or expected.removesuffix(")").split(" ")[-1] in units
        assert "datetime" not in text and "Timestamp" not in text


@pytest.mark.parametrize(
    "seconds, told",
    [
        (86400 * 1500, "2024-01-01 ± 1,500 days"),
        (86400 * 1.1, "2024-01-01 ± 1 day"),
        (7200, "2024-01-01 00:00:00 ± 2 hours"),
        (60, "2024-01-01 00:00:00 ± 1 minute"),
        (0.25, "2024-01-01 00:00:00 ± 0.25 seconds"),
    ],
)
def test_deviations_are_told_in_the_largest_unit_that_they_fill(seconds, told):
    moments = pd.Timestamp(START) + pd.to_timedelta(np.tile([-1.0, 1.0], 10) * seconds, "s")
    column = pd.Series(moments)
    kind = Date(column)
    far = kind.encode(pd.Series([pd.Timestamp("2034-05-01")]).astype(column.dtype))[0]
    assert (
        reason("x", kind, far, kind.encode(column)) == f"x = 2034-05-01 00:00:00 (expected {told})"
    )


def test_what_is_as_expected_is_no_reason():
    kind, gone = Number(pd.Series([1.5])), np.full(20, np.nan)
    assert reason("x", kind, np.nan, gone) == ""
    told = "x = 2 (expected missing, 100% of similar rows)"
    assert reason("x", kind, 2.0, gone) == told
    half = np.append(np.full(11, np.nan), np.full(9, 2.0))
    assert reason("x", kind, 2.0, half) == reason("x", kind, np.nan, gone) == ""
    assert reason("x", kind, 9.0, half) == "x = 9 (expected 2 ± 0)"
    assert reason("x", kind, 0.1, np.full(20, 0.1)) == ""  # whose mean is not .1
    known = np.full(20, 2.0)
    assert reason("x", kind, np.nan, known) == "x = missing (expected 2 ± 0)"
    assert reason("x", kind, 2.0, known) == ""
    assert reason("x", kind, 2.00001, known) == "x = 2.00001 (expected 2 ± 0)"


@pytest.mark.parametrize("novelty", [True, False])
def test_a_column_that_is_mostly_missing_gives_no_empty_reason(novelty):
    random = np.random.RandomState(0)
    frame = pd.DataFrame(
        {
            "x": random.normal(size=80),
            "note": np.where(random.uniform(size=80) < 0.1, random.normal(size=80), np.nan),
            "code": pd.Series(np.where(random.uniform(size=80) < 0.1, "a", None), dtype=object),
        }
    )
    judges = [PairDensity()] if novelty else None
    detector = OutlierDetector(judges=judges, novelty=novelty).fit(frame)
    for text in detector.top_reasons(frame).to_numpy().ravel():
        assert "missing (expected missing" not in text
