"""What parts of a column leave behind teaches what the whole column does."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sklearn_replearn._tables.column_types import learned
from sklearn_replearn._tables.witnesses import Frequent, Witnesses, content_of_part

N = 90
rng = np.random.default_rng(0)


def objects(cells):
    return pd.Series(list(cells), dtype=object)


DAYS = pd.Series(pd.Timestamp("2020-02-29") + pd.to_timedelta(rng.integers(0, 900, N), unit="D"))
COLUMNS = {
    "floats": pd.Series(rng.normal(size=N)),
    "float32": pd.Series(rng.normal(size=N).astype(np.float32)),
    "cents, the last of thousandths": pd.Series(np.append(np.round(rng.normal(size=N), 2), 0.125)),
    "whole floats": pd.Series(rng.integers(0, 9, N).astype(float)),
    "whole": pd.Series(rng.integers(-9, 9, N)),
    "large": pd.Series(rng.integers(-(2**62), 2**62, N)),
    "booleans": pd.Series(rng.random(N) < 0.5),
    "nullable": pd.Series(rng.integers(0, 9, N), dtype="Int64").mask(rng.random(N) < 0.2),
    "nullable booleans": pd.Series(rng.random(N) < 0.5, dtype="boolean").mask(rng.random(N) < 0.2),
    "arrow": pd.Series(rng.normal(size=N), dtype="float64[pyarrow]"),
    "dictionary": pd.Series(rng.choice(["a", "b"], N))
    .astype("category")
    .astype(pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))),
    "objects, the last a float": objects([*range(N), 0.5]),
    "objects, whole": objects([*range(N), None]),
    "objects, booleans": objects([True, None, *[False] * N]),
    "decimals": objects([Decimal("1.5"), None, *[Decimal("12345.6")] * N, Decimal("0.001")]),
    "days": DAYS,
    "days, the last an hour": pd.concat([DAYS, DAYS[:1] + pd.Timedelta(3, "h")]),
    "days, missing": DAYS.mask(rng.random(N) < 0.2),
    "days in a zone": DAYS.dt.tz_localize("Europe/Berlin"),
    "durations": DAYS - DAYS[0],
    "dates": objects(DAYS.dt.date),
    "datetimes": objects([None, *DAYS.dt.to_pydatetime()]),
    "datetimes in a zone": objects(
        [datetime.datetime(2020, 1, 1 + i % 28, tzinfo=datetime.UTC) for i in range(N)]
    ),
    "text": pd.Series(rng.choice(["b", "a", "c"], N)),
    "text of objects": objects(rng.choice(["b", "a", "c"], N)),
    "text, missing": pd.Series(rng.choice(["b", "a"], N)).mask(rng.random(N) < 0.2),
    "text, nothing in the first part": objects([*[None] * 40, *["a", "b"] * 20]),
    "names of rows": pd.Series([f"name {i}" for i in range(N)]),
    "like numbers": pd.Series([str(i % 7) for i in range(N)]),
    "categories": pd.Series(rng.choice(["b", "a"], N)).astype(pd.CategoricalDtype(["z", "b", "a"])),
    "ordered": pd.Series(pd.Categorical(["s", "m"] * 40, ["s", "m", "l"], ordered=True)),
    "categories of numbers": pd.Series(pd.Categorical([3, 1, 2] * 30)),
    "nothing": objects([None] * N),
    "nothing of floats": pd.Series(np.full(N, np.nan)),
}


def shown(kind):
    """What a kind is, as plain values."""
    found = {}
    for name, value in vars(kind).items():
        if isinstance(value, pd.Index):
            value = list(value)
        elif hasattr(value, "__dict__") and not isinstance(value, type):
            value = vars(value) if type(value).__module__.startswith("sklearn") else str(value)
        found[name] = value
    return type(kind), found


def witnessed(column, categorical, size):
    witnesses = Witnesses("Column 'c'", categorical)
    for start in range(0, len(column), size):
        part = column.iloc[start : start + size]
        witnesses.take(part, content_of_part(part, "Column 'c'"))
    return witnesses.learned()


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("categorical", [False, True])
@pytest.mark.parametrize("size", [1, 33])
def test_witnesses_teach_what_all_cells_do(name, categorical, size):
    column = COLUMNS[name].reset_index(drop=True)
    kind, cells = learned(column, "Column 'c'", categorical)
    other, some, times = witnessed(column, categorical, size)
    assert shown(other) == shown(kind)
    assert some.dtype == cells.dtype
    known, of_some = cells[~np.isnan(cells)], some[~np.isnan(some)]
    if len(known):
        assert (known.min(), known.max()) == (of_some.min(), of_some.max())
    if kind.n_levels:
        counts = np.bincount(known.astype(int))
        np.testing.assert_array_equal(
            np.bincount(of_some.astype(int), times[~np.isnan(some)]), counts
        )


def test_witnesses_are_few():
    witnesses = Witnesses("Column 'c'", False)
    column = pd.Series(np.round(rng.normal(size=100_000), 3))
    for start in range(0, len(column), 1000):
        witnesses.take(column[start : start + 1000], "number")
    assert len(witnesses.learned()[1]) < 60


def test_frequent_values_are_found_and_counted():
    cells = rng.random(50_000)
    cells[rng.random(50_000) < 1 / 50] = 0.1
    cells[:2000] = 0.7  # frequent in the first part only
    cells[5::500] = np.nan
    frequent = Frequent()
    parts = np.array_split(cells, 40)
    for part in parts:
        frequent.look(part)
    assert len(frequent.values) <= 128
    frequent.look_again()
    for part in parts:
        frequent.count(part)
    found = dict(zip(frequent.values, frequent.counts, strict=True))
    for value in (0.1, 0.7):
        assert found[value] == (cells == value).sum()
