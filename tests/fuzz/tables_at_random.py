"""Small tables of columns of every type, at random."""

import datetime
import decimal

import numpy as np
import pandas as pd

_WORDS = np.array(["a", "b", "Ärger", "long text with spaces", "", "NaN", "0"], dtype=object)
_DAYS = np.datetime64("2001-03-04") + np.arange(3000)


def _levels(rng, n):
    return _WORDS[rng.randint(0, rng.randint(1, len(_WORDS) + 1), n)]


def _category(rng, n):
    return pd.Series(pd.Categorical(_levels(rng, n), ordered=bool(rng.randint(2))))


def _dates(unit):
    return lambda rng, n: pd.Series(rng.choice(_DAYS, n).astype(f"datetime64[{unit}]"))


def _heavy(rng, n):
    return np.exp(5 * rng.normal(size=n))


#: Columns by what they are; each is a function of a generator and a number of rows.
COLUMNS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "float32": lambda rng, n: rng.normal(size=n).astype(np.float32),
    "float16": lambda rng, n: rng.normal(size=n).astype(np.float16),
    "heavy": _heavy,
    "far": lambda rng, n: 1e6 + rng.normal(size=n),
    "huge": lambda rng, n: 1e12 * rng.normal(size=n),
    "tiny": lambda rng, n: 1e-12 * rng.normal(size=n),
    "prices": lambda rng, n: np.round(rng.lognormal(2, 1, n), 2),
    "zero-inflated": lambda rng, n: np.where(rng.rand(n) < 0.8, 0.0, rng.lognormal(size=n)),
    "constant": lambda rng, n: np.full(n, 7.5),
    "counts": lambda rng, n: rng.poisson(2, n),
    "int8": lambda rng, n: rng.randint(-100, 100, n).astype(np.int8),
    "uint16": lambda rng, n: rng.randint(0, 60_000, n).astype(np.uint16),
    "int64": lambda rng, n: rng.randint(-(2**40), 2**40, n),
    "bool": lambda rng, n: rng.rand(n) < 0.3,
    "0 and 1": lambda rng, n: (rng.rand(n) < 0.3).astype(float),
    "text": _levels,
    "string": lambda rng, n: pd.Series(_levels(rng, n), dtype="string"),
    "category": _category,
    "categories of numbers": lambda rng, n: pd.Series(pd.Categorical(rng.randint(0, 4, n))),
    "ns": _dates("ns"),
    "s": _dates("s"),
    "zone": lambda rng, n: _dates("us")(rng, n).dt.tz_localize("Europe/Vienna"),
    "durations": lambda rng, n: pd.Series(pd.to_timedelta(rng.randint(0, 10**6, n), unit="s")),
    "dates": lambda rng, n: pd.Series(
        [datetime.date(1900 + k, 1 + k % 12, 1 + k % 28) for k in rng.randint(0, 130, n)],
        dtype=object,
    ),
    "decimals": lambda rng, n: pd.Series(
        [decimal.Decimal(int(k)) / 4 for k in rng.randint(0, 99, n)], dtype=object
    ),
    "objects": lambda rng, n: pd.Series(list(rng.randint(0, 9, n)), dtype=object),
    "Int32": lambda rng, n: pd.Series(rng.randint(0, 50, n), dtype="Int32"),
    "Float64": lambda rng, n: pd.Series(rng.normal(size=n), dtype="Float64"),
    "boolean": lambda rng, n: pd.Series(rng.rand(n) < 0.5, dtype="boolean"),
    "arrow floats": lambda rng, n: pd.Series(rng.normal(size=n), dtype="float64[pyarrow]"),
    "arrow text": lambda rng, n: pd.Series(_levels(rng, n), dtype="string[pyarrow]"),
    "arrow dates": lambda rng, n: _dates("us")(rng, n).astype("timestamp[us][pyarrow]"),
    "nothing": lambda rng, n: np.full(n, np.nan),
    "no objects": lambda rng, n: pd.Series([None] * n, dtype=object),
}
#: Those whose dtype has no missing cell.
_FULL = {"int8", "uint16", "int64", "bool", "counts"}
#: Those of which an array of numbers may be made.
NUMBERS = (
    *("normal", "heavy", "far", "huge", "tiny", "prices", "zero-inflated"),
    *("constant", "counts", "int8", "int64", "bool", "0 and 1", "nothing"),
)


def frame_at_random(rng, n_rows, kinds=tuple(COLUMNS)):
    """A frame of one to six columns, some with missing cells.

    Parameters
    ----------
    rng : RandomState
    n_rows : int
    kinds : sequence of str
        Columns to choose from.

    Returns
    -------
    DataFrame
        Whose columns are named by what they are.
    """
    columns = {}
    for _ in range(rng.randint(1, 7)):
        kind = kinds[rng.randint(len(kinds))]
        column = pd.Series(COLUMNS[kind](rng, n_rows))
        if rng.rand() < 0.3 and kind not in _FULL:
            column = column.mask(rng.rand(n_rows) < 0.3)
        columns[kind] = column
    frame = pd.DataFrame(columns)
    frame.index = np.arange(n_rows) * 3 + 5
    return frame
