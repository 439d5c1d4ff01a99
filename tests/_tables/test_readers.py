"""Whatever holds a table goes in, is read once, and gives what a frame of its rows gives."""

import pickle
import re

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
import torch
from quick import quick
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    OutlierDetector,
    RepresentationImputer,
    VAETransformer,
)
from sklearn_replearn._tables.frames import as_pandas
from sklearn_replearn._tables.readers import as_read

N = 24
RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "a": np.where(np.arange(N) % 9 == 4, np.nan, RANDOM.normal(size=N)),
        "b": RANDOM.normal(size=N),
        "c": [None if i == 5 else "u" if i % 3 else "v" for i in range(N)],
    }
)
TABLE = pa.Table.from_pandas(FRAME, preserve_index=False)
LABELS, TARGETS = np.arange(N) % 2, RANDOM.normal(size=N)


class Stream:
    """Arrow's interface for streams and nothing else; it can be read once."""

    def __init__(self, table=TABLE):
        self.reader = table.to_reader(7)

    def __arrow_c_stream__(self, requested_schema=None):
        return self.reader.__arrow_c_stream__(requested_schema)


class Batch:
    """Arrow's interface for arrays and nothing else."""

    def __init__(self, array):
        self.array = array

    def __arrow_c_array__(self, requested_schema=None):
        return self.array.__arrow_c_array__(requested_schema)


class Dataset:
    """What is looked at of a ``datasets.Dataset``, whose import takes seconds."""

    column_names = ("a", "b", "c", "d")

    def __init__(self, columns=column_names, kind=None):
        self.kind, self.columns = kind, list(columns)

    @property
    def format(self):
        return {"type": self.kind, "columns": self.columns}

    def with_format(self, format, columns):
        return Dataset(columns, format)

    def __getitem__(self, rows):
        assert self.kind == "arrow"
        return TABLE.append_column("d", [LABELS]).select(self.columns)[rows]


class Converted:
    """A frame that only pandas can be made of."""

    def to_pandas(self):
        return FRAME


class Spark:
    """What is looked at of a frame of Spark."""

    columns = ("a",)

    def collect(self): ...

    def toPandas(self): ...


class Dask:
    """What is looked at of a frame of dask."""

    columns, shape = ("a",), (None, 1)

    def compute(self): ...

    def __array__(self): ...


SOURCES = {
    "duckdb": lambda: duckdb.from_arrow(TABLE),
    "stream": Stream,
    "reader": TABLE.to_reader,
    "batch": lambda: TABLE.to_batches()[0],
    "array": lambda: Batch(TABLE.to_batches()[0]),
    "dataset": lambda: Dataset(["a", "b", "c"]),
    "narwhals": lambda: nw.from_native(TABLE),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_any_source_gives_the_model_of_its_frame_and_a_table_back(source):
    fitted, expected = (quick(AutoencoderTransformer).fit(X) for X in (source(), FRAME))
    codes = expected.transform(FRAME)
    assert np.array_equal(fitted.transform(source()), codes)
    assert fitted.feature_names_in_.tolist() == ["a", "b", "c"]
    back, filled = fitted.inverse_transform(codes), fitted.impute(source())
    assert back.schema.equals(as_read(source()).schema)
    assert back.to_pandas().equals(expected.inverse_transform(codes))
    assert filled.to_pandas().equals(expected.impute(FRAME))


PREDICTED = ("predict", "predict_proba", "decision_function")
DOORS = {
    "autoencoder": (
        quick(AutoencoderTransformer),
        ("fit_transform", "transform", "score_samples", "reconstruction_error", "score"),
    ),
    "vae": (quick(VAETransformer), ("score_samples", "elbo_terms", "posterior", "impute")),
    "contrastive": (quick(ContrastiveTransformer), ("info_nce_bits", "impute")),
    "imputer": (
        RepresentationImputer(quick(AutoencoderTransformer), add_indicator=True),
        ("fit_transform", "transform"),
    ),
    "detector": (
        OutlierDetector(alpha=0.2),
        ("fit_predict", "predict", "p_values", "explain", "top_reasons"),
    ),
    "detector of codes": (
        OutlierDetector(quick(AutoencoderTransformer), alpha=0.2),
        ("predict",),
    ),
    "classifier": (EncoderClassifier(quick(AutoencoderTransformer)), PREDICTED),
    "tuned": (EncoderClassifier(quick(AutoencoderTransformer), fine_tune="full"), PREDICTED[:1]),
    "regressor": (EncoderRegressor(quick(AutoencoderTransformer)), PREDICTED[:1]),
    "pipeline": (
        make_pipeline(quick(VAETransformer), LogisticRegression()),
        ("predict",),
    ),
}


def plain(result):
    results = result if isinstance(result, tuple) else (result,)
    frames = (r.to_pandas() if isinstance(r, pa.Table) else r for r in results)
    return [np.asarray(frame).tolist() for frame in frames]


@pytest.mark.parametrize("name", DOORS)
def test_a_stream_is_read_once_by_every_method(name):
    estimator, methods = DOORS[name]
    weights = {} if name == "pipeline" else {"sample_weight": (np.arange(N) > 1).astype(float)}
    fitted, expected = (clone(estimator).fit(X, LABELS, **weights) for X in (Stream(), FRAME))
    for method in methods:
        if method.startswith("fit"):
            continue
        wanted = getattr(expected, method)(FRAME)
        assert str(plain(getattr(fitted, method)(Stream()))) == str(plain(wanted)), method
    first = methods[0]
    if first in ("fit_transform", "fit_predict"):
        wanted = getattr(clone(estimator), first)(FRAME)
        assert str(plain(getattr(clone(estimator), first)(Stream()))) == str(plain(wanted))


def test_what_gives_pandas_alone_comes_back_as_pandas():
    fitted = quick(AutoencoderTransformer).fit(Converted())
    pd.testing.assert_frame_equal(fitted.impute(Converted()), fitted.impute(FRAME))


def test_of_a_data_set_the_columns_of_its_format_count():
    assert as_read(Dataset()).column_names == ["a", "b", "c", "d"]
    assert as_read(Dataset(["b", "a"])).column_names == ["b", "a"]


HERE = __name__.partition(".")[0]
IN_PARTS = {
    "polars": (pl.from_pandas(FRAME[["a", "b"]]).lazy, "LazyFrame", "collect()"),
    "files": (lambda: pyarrow.dataset.dataset(TABLE), "InMemoryDataset", "to_table()"),
}
LAZY = {
    "narwhals": (
        lambda: nw.from_native(duckdb.from_arrow(TABLE)),
        "LazyFrame of narwhals",
        "collect()",
    ),
    "spark": (Spark, f"Spark of {HERE}", "toPandas()"),
    "dask": (Dask, f"Dask of {HERE}", "compute()"),
    "query": (
        lambda: duckdb.connect().execute("select 1"),
        "DuckDBPyConnection of _duckdb",
        "fetchdf()",
    ),
}


@pytest.mark.parametrize("name", LAZY)
@pytest.mark.parametrize("door", ["autoencoder", "imputer", "detector", "classifier", "later"])
def test_what_is_not_read_yet_is_told_what_to_call(name, door):
    lazy, kind, remedy = LAZY[name]
    later = quick(AutoencoderTransformer).fit(FRAME[["a", "b"]])
    method = later.transform if door == "later" else clone(DOORS[door][0]).fit
    with pytest.raises(ValueError) as caught:
        method(lazy()) if door == "later" else method(lazy(), LABELS)
    assert str(caught.value) == f"The table is a {kind}, not read yet. Call {remedy} first."


@pytest.mark.parametrize("name", IN_PARTS)
@pytest.mark.parametrize("door", ["detector", "classifier"])
def test_what_needs_all_rows_says_so_of_tables_in_parts(name, door):
    lazy, kind, remedy = IN_PARTS[name]
    with pytest.raises(ValueError, match=rf"fit needs all rows at once, and this {kind} is read"):
        clone(DOORS[door][0]).fit(lazy(), LABELS)
    with pytest.raises(ValueError, match=rf"Call {re.escape(remedy)} first"):
        clone(DOORS[door][0]).fit(lazy(), LABELS)


def exhausted():
    reader = TABLE.to_reader()
    reader.read_all()
    return reader


NO_TABLES = {
    "exhausted": (exhausted, "A stream is read once"),
    "no rows": (lambda: TABLE.slice(0, 0), "0 sample"),
    "no columns": (lambda: TABLE.select([]), "0 feature"),
    "a column": (lambda: Batch(pa.array([1, 2])), "Expected 2D array"),
    "series": (lambda: pl.Series([1, 2]), "got 1D array instead: Series"),
    "batches": (lambda: TABLE.to_batches(7), "pyarrow.Table.from_batches"),
    "frames": (lambda: [FRAME, FRAME], "pandas.concat"),
    "several": (lambda: {"train": Dataset()}, "such as X['train']"),
    "names": (
        lambda: pa.Table.from_arrays(TABLE.columns[:2], names=["a", "a"]),
        "a name of its own",
    ),
    "lists": (lambda: pa.table({"a": [[1.0]] * N}), "a column for each of its numbers"),
    "structs": (lambda: pa.table({"a": [{"b": 1}] * N}), "json_normalize"),
    "intervals": (lambda: pa.table({"a": [pa.MonthDayNano([0, 1, 0])] * N}), "EXTRACT"),
}


@pytest.mark.parametrize("name", NO_TABLES)
def test_what_is_no_table_is_refused(name):
    X, said = NO_TABLES[name]
    with pytest.raises((ValueError, TypeError)) as caught:
        quick(AutoencoderTransformer).fit(X())
    assert said in str(caught.value)


def test_an_error_of_a_source_is_its_own():
    class Broken:
        def __arrow_c_stream__(self, requested_schema=None):
            raise RuntimeError("the server is gone")

    with pytest.raises(RuntimeError, match="the server is gone"):
        quick(AutoencoderTransformer).fit(Broken())


ORDERED = pd.Series(pd.Categorical.from_codes(np.arange(N) % 3, ["lo", "mid", "hi"], ordered=True))


def test_levels_of_arrow_that_have_an_order_keep_it():
    frame = FRAME[["b"]].assign(c=ORDERED.where(np.arange(N) != 7))
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = pa.concat_tables([table.slice(0, 5), table.slice(5)])
    fitted, expected = quick(VAETransformer).fit(table), quick(VAETransformer).fit(frame)
    codes = fitted.transform(table)
    assert np.array_equal(codes, expected.transform(frame))
    for made in (fitted.inverse_transform(codes), fitted.impute(table), fitted.sample(5)):
        assert made.schema.types == table.schema.types
        assert made.column("c").null_count == 0
        assert made.to_pandas()["c"].cat.categories.tolist() == ["lo", "mid", "hi"]


COLUMNS = {
    "views": pa.array(["u", "v"] * 12, type=pa.string_view()),
    "large": pa.array(["u", "v"] * 12, type=pa.large_string()),
    "dictionary": pa.array(["u", "v"] * 12).dictionary_encode(),
    "decimals": pa.array([1, 2, 3] * 8).cast(pa.decimal128(21, 2)),
    "zone": pa.array(np.arange(N) * 10**9, type=pa.timestamp("ns", "Europe/Paris")),
    "date": pa.array(np.arange(N), type=pa.int32()).cast(pa.date32()),
    "null": pa.nulls(N),
    "half": pa.array(np.arange(N, dtype=np.float16)),
    "json": pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}", "[]"] * 12)),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_types_of_arrow_come_back_from_a_stream(name):
    table = pa.table({"a": TABLE.column("b"), "b": COLUMNS[name]})
    fitted = quick(AutoencoderTransformer).fit(Stream(table))
    assert fitted.inverse_transform(fitted.transform(Stream(table))).schema == table.schema
    assert fitted.impute(Stream(table)).equals(table)


def test_a_model_of_a_stream_is_stored_without_pyarrow():
    fitted = quick(AutoencoderTransformer).fit(Stream())
    stored = pickle.dumps(fitted)
    assert b"pyarrow.lib" not in stored
    codes = fitted.transform(Stream())
    assert pickle.loads(stored).inverse_transform(codes).equals(fitted.inverse_transform(codes))


def test_what_arrow_cannot_build_comes_as_the_type_that_it_finds():
    flags = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([0, 1], type=pa.int8()))
    frame, container = as_pandas(pa.table({"a": flags}))
    assert container.back(frame).to_pylist() == [{"a": False}, {"a": True}]


Y = {
    "tensor": lambda y: torch.tensor(y),
    "bfloat16": lambda y: torch.tensor(y * 0.5 + 1).bfloat16(),
    "gradient": lambda y: torch.tensor(y * 1.0, requires_grad=True),
    "arrow": lambda y: pa.chunked_array([y[:5], y[5:]]),
    "array": lambda y: Batch(pa.array(y)),
    "relation": lambda y: duckdb.from_arrow(pa.table({"y": y})),
    "polars": lambda y: pl.DataFrame({"y": y}),
}


@pytest.mark.parametrize("name", Y)
def test_labels_targets_and_weights_may_be_columns_of_any_library(name):
    numbers, X = FRAME[["a", "b"]], FRAME[["a", "b"]]
    given = Y[name](LABELS)
    same = torch.tensor(LABELS * 0.5 + 1).numpy() if name == "bfloat16" else LABELS
    for cls in (EncoderClassifier, EncoderRegressor):
        if cls is EncoderClassifier and name == "bfloat16":
            continue  # halves are no classes
        estimator = cls(quick(AutoencoderTransformer))
        fitted = clone(estimator).fit(numbers, given, sample_weight=Y["array"](np.ones(N)))
        expected = clone(estimator).fit(numbers, same, sample_weight=np.ones(N))
        assert np.array_equal(fitted.predict(X), expected.predict(X))
        assert fitted.score(X, given) == expected.score(X, same)


GIVEN = {
    "tensor": ("a", torch.tensor(0.5)),
    "tensors": ("a", (torch.tensor(0.25), torch.tensor(0.75).bfloat16())),
    "array of no axis": ("a", np.array(0.5)),
    "arrow": ("c", pa.scalar("u")),
    "arrows": ("c", pa.array(["u"])),
    "polars": ("c", pl.Series(["u"])),
}


@pytest.mark.parametrize(("column", "wanted"), GIVEN.values(), ids=GIVEN)
def test_conditions_may_be_cells_of_any_library(column, wanted):
    fitted = quick(VAETransformer).fit(FRAME)
    drawn = fitted.sample(4, given={column: wanted}, random_state=0)[column]
    assert drawn.between(0.25, 0.75).all() if column == "a" else (drawn == "u").all()
