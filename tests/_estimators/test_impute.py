"""Cells that are there are not changed: every dtype, kind of column, estimator, container."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from quick import quick

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer

N = 20
NUMBER = np.random.default_rng(0).normal(size=N)
DAY, MOMENT = datetime.date, datetime.datetime


def of(*cells, dtype=object):
    return pd.Series([cells[i % len(cells)] for i in range(N)], dtype=dtype)


def arrow(kind, *cells):
    return of(*cells, dtype=pd.ArrowDtype(kind))


NOTHING = of(None)
LEVELS = pd.CategoricalDtype(["u", "v", "w"])
#: The column of fit, and the one whose missing cells are filled.
COLUMNS = {
    "never seen, text": (NOTHING, of("u", None, "v")),
    "never seen, numbers": (NOTHING, of(1.5, 2, None)),
    "never seen, floats": (NOTHING, of(1.5, 2, None, dtype=float)),
    "never seen, dates": (NOTHING, of(MOMENT(2020, 1, 1), None, dtype="datetime64[us]")),
    "never seen, categories": (NOTHING, of("u", None, dtype="category")),
    "never seen, truth": (NOTHING, of(True, None, False)),
    "NaN, then text": (of(np.nan, dtype=float), of("u", None)),
    "NaN, then numbers": (of(np.nan, dtype=float), of(1.5, np.nan, dtype=float)),
    "NaT, then dates": (of(None, dtype="datetime64[ns]"), of(pd.Timestamp("2020"), None)),
    "no Int64": (of(None, dtype="Int64"), of(2**60 + 1, None, dtype="Int64")),
    "no level": (of(None, dtype=LEVELS), of("u", None, dtype=LEVELS)),
    "no string": (of(None, dtype="str"), of("u", None, dtype="str")),
    "constant text": (of("k"), of("u", None, "k")),
    "constant number": (of(1.0, dtype=float), of(1.5, None, 1.0, dtype=float)),
    "unseen text": (of("a", "b"), of("u", None, "a")),
    "unseen categories": (of("a", "b", dtype="category"), of("u", None, dtype="category")),
    "unseen strings": (of("a", "b", dtype="string"), of("u", None, dtype="string")),
    "large whole numbers": (of(1, 2), of(2**53 + 1, None)),
    "large Int64": (of(1, 2, dtype="Int64"), of(2**53 + 1, None, dtype="Int64")),
    "large UInt64": (of(1, 2, dtype="UInt64"), of(2**64 - 1, None, dtype="UInt64")),
    "other whole numbers": (of(1e3, 2e3, dtype=float), of(1, None, dtype="Int8")),
    "fractions, then": (of(1, 2, dtype=int), of(1.5, None, dtype=float)),
    "truth": (of(True, False, dtype=bool), of(True, None, False, dtype="boolean")),
    "float32": (of(1, 2, dtype="float32"), of(0.1, None, dtype="float32")),
    "Float64": (of(1, 2, dtype="Float64"), of(0.1, None, dtype="Float64")),
    "decimals": (of(Decimal("1.10"), Decimal("2.2")), of(Decimal("3.33333333333333333"), None)),
    "decimals, later": (of(1.5, 2.5), of(Decimal("3.3"), None)),
    "bytes": (of(b"a", b"b"), of(b"c", None)),
    "dates": (of(DAY(2020, 1, 1), DAY(2021, 1, 1)), of(DAY(2300, 1, 1), None)),
    "datetimes": (of(MOMENT(2020, 1, 1), MOMENT(2021, 1, 1)), of(MOMENT(2300, 1, 1), None)),
    "ticks": (
        of(pd.Timestamp("2020"), pd.Timestamp("2021"), dtype="datetime64[ns]"),
        of(pd.Timestamp("2250-01-01T00:00:00.123456789"), None, dtype="datetime64[ns]"),
    ),
    "other zone": (
        of(pd.Timestamp("2020", tz="UTC"), pd.Timestamp("2021", tz="UTC"), dtype=None),
        of(pd.Timestamp("2020", tz="US/Pacific"), None, dtype=None),
    ),
    "durations": (
        of(pd.Timedelta(1, "D"), pd.Timedelta(2, "D"), dtype=None),
        of(pd.Timedelta(1.5, "h"), None, dtype=None),
    ),
    "intervals": (pd.Series(pd.cut(NUMBER, 3)), pd.Series(pd.cut(NUMBER, 4)).where(NUMBER > 0)),
    "sparse": (of(1.0, 0.0, dtype="Sparse[float]"), of(1.0, np.nan, dtype="Sparse[float]")),
    "arrow numbers": (arrow(pa.int64(), 1, 2), arrow(pa.int64(), 2**60 + 1, None)),
    "arrow decimals": (
        arrow(pa.decimal128(10, 2), Decimal("1.10"), Decimal("2.20")),
        arrow(pa.decimal128(10, 2), Decimal("7.70"), None),
    ),
    "arrow dictionaries": (
        arrow(pa.dictionary(pa.int32(), pa.string()), "a", "b"),
        arrow(pa.dictionary(pa.int32(), pa.string()), "c", None),
    ),
    "arrow dictionaries of numbers": (
        arrow(pa.dictionary(pa.int32(), pa.int64()), 1, 2),
        arrow(pa.dictionary(pa.int32(), pa.int64()), 3, None),
    ),
    "arrow moments": (
        arrow(pa.timestamp("us"), MOMENT(2020, 1, 1), MOMENT(2021, 1, 1)),
        arrow(pa.timestamp("us"), MOMENT(2300, 1, 1), None),
    ),
}


def assert_kept(before, after):
    """Every cell that was there is there, of the same type."""
    for old, new in zip(before, after, strict=True):
        if not pd.isna(old):
            assert new == old
            assert type(new) is type(old)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("cls", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer])
def test_cells_that_are_there_are_not_changed(cls, name):
    fit, later = COLUMNS[name]
    fitted = quick(cls, max_epochs=1).fit(pd.DataFrame({"x": NUMBER, "c": fit}))
    frame = pd.DataFrame({"x": np.where(NUMBER > 1, np.nan, NUMBER), "c": later})
    filled = fitted.impute(frame)
    if not isinstance(later.dtype, pd.CategoricalDtype):  # a level of fit may be another
        assert filled["c"].dtype == later.dtype
    assert_kept(later, filled["c"])
    assert_kept(frame["x"], filled["x"])
    assert filled["c"].isna().any() == (fit.isna().all())
    if later.dtype == object and not fit.isna().all():
        assert len({type(cell) for cell in filled["c"]}) == 1


def mixed():
    return pd.DataFrame({"x": NUMBER, "c": of("u", "v"), "n": of(None)})


HOLES = mixed().astype(object).assign(n=of("z", None)).to_numpy(dtype=object)
HOLES[0, 0], HOLES[1, 1] = np.nan, None
CONTAINERS = {
    "objects": HOLES,
    "list": HOLES.tolist(),
    "list of arrays": list(HOLES),
    "frame": pd.DataFrame(HOLES, columns=["x", "c", "n"]).astype({"x": float}),
    "polars": pl.DataFrame({"x": HOLES[:, 0].astype(float), "c": HOLES[:, 1], "n": HOLES[:, 2]}),
    "arrow": pa.table({"x": HOLES[:, 0].astype(float), "c": HOLES[:, 1], "n": HOLES[:, 2]}),
    "masked": np.ma.array(np.where(pd.isna(HOLES), "gone", HOLES), mask=pd.isna(HOLES)),
}


def cells_of(table):
    if isinstance(table, pa.Table):
        table = table.to_pandas()
    return np.asarray(table.rows() if isinstance(table, pl.DataFrame) else table, dtype=object)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize("fit", ["frame", "objects", "list", "polars", "arrow"])
@pytest.mark.parametrize("later", CONTAINERS)
def test_a_model_of_any_container_fills_any_other(fit, later):
    tables = {
        "frame": mixed(),
        "objects": mixed().to_numpy(dtype=object),
        "list": mixed().to_numpy(dtype=object).tolist(),
        "polars": pl.DataFrame(mixed().to_dict("list")),
        "arrow": pa.Table.from_pandas(mixed()),
    }
    fitted = quick(AutoencoderTransformer, max_epochs=1).fit(tables[fit])
    filled = fitted.impute(CONTAINERS[later])
    alike = (list, np.ma.MaskedArray)
    expected = np.ndarray if isinstance(CONTAINERS[later], alike) else type(CONTAINERS[later])
    assert type(filled) is expected
    cells, there = cells_of(filled), ~pd.isna(HOLES)
    assert (cells[there] == HOLES[there]).all()
    assert not pd.isna(cells[:, :2]).any()
    assert cells[1, 1] in ("u", "v")


NUMBERS = np.stack([NUMBER, 3 * NUMBER], axis=1)
ARRAYS = {
    "int64": np.full((N, 2), 2**53 + 1),
    "bool": NUMBERS > 0,
    "float16": NUMBERS.astype(np.float16),
    "float32": NUMBERS.astype(np.float32),
    "longdouble": NUMBERS.astype(np.longdouble) / 3,
    "objects": np.where(NUMBERS > 0, NUMBERS, None),
    "whole objects": np.where(NUMBERS > 0, 2**53 + 1, None),
    "truth": np.where(NUMBERS > 0, True, None),
    "decimals": np.where(NUMBERS > 0, Decimal("1.1"), None),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("fit", [NUMBERS, pd.DataFrame(NUMBERS), pd.DataFrame(NUMBERS).astype("O")])
def test_arrays_of_numbers_of_any_dtype_keep_their_cells(fit, name):
    X = ARRAYS[name]
    filled = quick(AutoencoderTransformer, max_epochs=1).fit(fit).impute(X)
    there = ~pd.isna(X)
    assert (filled[there] == X[there]).all()
    assert not pd.isna(filled).any()
    if X.dtype == object:
        types = {"objects": float, "decimals": Decimal, "truth": bool}
        wanted = types.get(name, (int, float))
        assert all(isinstance(cell, wanted) for cell in filled.ravel())


@pytest.mark.parametrize("names", [["c", "x"], ["x"], ["x", "c", "more"]], ids=str)
def test_other_columns_than_those_of_fit_are_refused(names):
    frame = pd.DataFrame({"x": NUMBER, "c": of("u", "v")})
    fitted = quick(AutoencoderTransformer, max_epochs=1).fit(frame)
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.impute(frame.reindex(columns=names))
