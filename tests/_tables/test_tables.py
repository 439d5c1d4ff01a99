"""What comes through the door, what does not, and that it comes out again as it was."""

import datetime
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

from sklearn_replearn import AutoencoderTransformer, VAETransformer
from sklearn_replearn._tables.validation import read_table
from sklearn_replearn.likelihoods import Gaussian
from sklearn_replearn.rows import Table

small = {"latent_dim": 2, "hidden_layer_sizes": (8,), "max_epochs": 2}
N = 30


def door(X, **settings):
    estimator = AutoencoderTransformer()
    return read_table(estimator, X, **settings)


def there_and_back(X, **settings):
    table, schema = door(X, **settings)
    return schema.decode(table.astype(np.float64))


@pytest.fixture
def frame():
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "number": random.normal(size=N),
            "text": random.choice(["x", "y", "z"], N),
            "whole": random.integers(0, 5, N),
        }
    )


def column(dtype):
    whole = np.arange(N) % 3
    if dtype.startswith(("datetime", "timestamp", "date32")):
        dates = pd.Series(pd.date_range("2021-03-27", periods=N, freq="h"))
        if "date32" in dtype:
            dates = dates.dt.normalize()
        zone = "Europe/Paris" if "Paris" in dtype else None
        return dates.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else dates.astype(dtype)
    if dtype.startswith("timedelta"):
        return pd.Series(pd.to_timedelta(whole, unit="h")).astype(dtype)
    if dtype in ("str", "string", "string[pyarrow]", "category", "object"):
        return pd.Series(np.array(["low", "mid", "high"])[whole]).astype(dtype)
    if dtype == "ordered":
        return pd.Series(pd.Categorical.from_codes(whole, ["low", "mid", "high", "top"], True))
    return pd.Series(whole).astype("bool" if "bool" in dtype else "int64").astype(dtype)


DTYPES = [
    *("int8", "int64", "uint8", "float32", "float64", "bool"),
    *("Int64", "UInt8", "Float32", "boolean"),
    *("int64[pyarrow]", "double[pyarrow]", "bool[pyarrow]", "string[pyarrow]"),
    *("str", "string", "object", "category", "ordered"),
    *("datetime64[s]", "datetime64[ns]", "datetime64[us, Paris]", "timedelta64[ns]"),
    *("timestamp[us][pyarrow]", "date32[pyarrow]"),
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_column_of_any_dtype_comes_back_as_it_was(dtype):
    raw = pd.DataFrame({"a": column(dtype), "b": column("str")})
    pd.testing.assert_frame_equal(there_and_back(raw), raw)


@pytest.mark.parametrize("dtype", [d for d in DTYPES if "int8" not in d and d != "bool"])
def test_missing_cells_come_in_as_nan_and_are_filled(dtype):
    raw = pd.DataFrame({"a": column(dtype), "b": column("str")})
    raw["a"] = raw["a"].astype("Int64") if dtype == "int64" else raw["a"]
    raw.loc[3, "a"] = None
    table, schema = door(raw)
    assert np.isnan(table[3, 0])
    assert np.isnan(table).sum() == 1
    estimator = VAETransformer(**small).fit(raw)
    filled = estimator.impute(raw)
    assert filled["a"].dtype == raw["a"].dtype
    assert filled.notna().all(axis=None)
    pd.testing.assert_frame_equal(filled.drop(index=3), raw.drop(index=3))
    assert schema.decode(table.astype(np.float64))["a"].isna().tolist() == [
        i == 3 for i in range(N)
    ]


@pytest.mark.parametrize(
    "cells",
    [
        [datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)],
        [datetime.datetime(2020, 1, 1, 3), datetime.datetime(2021, 1, 1)],
        [True, False],
        [1, 2],
        [1.5, 2.5],
        [b"a", b"b"],
    ],
)
def test_columns_of_objects_come_back_with_their_types(cells):
    raw = pd.DataFrame({"a": pd.Series([*cells, None] * 5, dtype=object), "b": list("abcde") * 3})
    back = there_and_back(raw)["a"].tolist()
    assert [None if cell is None or cell is pd.NaT else cell for cell in back] == [*cells, None] * 5
    assert {type(a) for a in back} <= {type(cell) for cell in cells} | {type(None), pd.Timestamp}


def test_categorical_dtypes_keep_levels_that_no_row_has():
    dtype = pd.CategoricalDtype(["c", "b", "a", "never"])
    raw = pd.DataFrame({"a": pd.Series(list("abc") * 10, dtype=dtype)})
    estimator = VAETransformer(**small).fit(raw)
    assert estimator.inverse_transform(estimator.transform(raw))["a"].dtype == dtype
    assert estimator.sample(50, random_state=0)["a"].dtype == dtype
    assert estimator._model.schema.kinds[0].levels.tolist() == ["a", "b", "c"]


def test_a_level_is_the_same_in_any_dtype_and_order_of_levels(frame):
    fitted = VAETransformer(**small).fit(frame)
    codes = fitted.transform(frame)
    others = [
        frame.astype({"text": "category"}),
        frame.assign(text=pd.Categorical(frame["text"], ["z", "y", "x"])),
        frame.astype({"text": object}),
        pl.DataFrame({name: frame[name].to_list() for name in frame}),
    ]
    for other in others:
        assert np.array_equal(VAETransformer(**small).fit(other).transform(other), codes)
        if isinstance(other, pd.DataFrame):
            assert np.array_equal(fitted.transform(other), codes)


def test_levels_that_fit_has_not_seen_do_not_raise(frame):
    fitted = VAETransformer(**small).fit(frame)
    new = frame.assign(text="never seen")
    # As a missing cell: the average of the levels.
    assert np.array_equal(fitted.transform(new), fitted.transform(frame.assign(text=None)))
    assert (fitted.score_samples(new) < fitted.score_samples(frame)).all()
    missing = fitted.transform(frame.assign(text=None))
    assert np.array_equal(fitted.transform(new), missing)


def test_frames_of_polars_go_in_and_come_out():
    raw = pl.DataFrame(
        {
            "number": np.linspace(0, 1, N),
            "whole": [None, *range(N - 1)],
            "truth": [None, True, False] * 10,
            "text": ["a", "b", None] * 10,
            "level": pl.Series(["u", "v"] * 15, dtype=pl.Enum(["v", "u", "w"])),
            "category": pl.Series(["u", "v"] * 15, dtype=pl.Categorical),
            "day": [datetime.date(2020, 1, 1 + i % 28) for i in range(N)],
            "time": [datetime.datetime(2020, 1, 1 + i % 28, 5) for i in range(N)],
            "span": [datetime.timedelta(hours=i) for i in range(N)],
        }
    )
    fitted = pickle.loads(pickle.dumps(VAETransformer(**small).fit(raw)))
    codes = fitted.transform(raw)
    for table in (
        fitted.inverse_transform(codes),
        fitted.sample(N, random_state=0),
        fitted.impute(raw),
    ):
        assert isinstance(table, pl.DataFrame)
        assert table.schema == raw.schema
        assert table.null_count().sum_horizontal().item() == 0
    known = raw["whole"].is_not_null()
    assert fitted.impute(raw)["whole"].filter(known).equals(raw["whole"].filter(known))


@pytest.mark.parametrize("container", ["frame", "array"])
def test_whole_numbers_and_booleans_come_back_as_such(container):
    random = np.random.default_rng(0)
    raw = random.integers(0, 200, size=(N, 3)).astype(np.uint8)
    raw = pd.DataFrame(raw, columns=list("abc")) if container == "frame" else raw
    fitted = VAETransformer(**small).fit(raw)
    for table in (fitted.inverse_transform(fitted.transform(raw)), fitted.sample(9)):
        assert (np.asarray(table).dtype) == np.uint8
        assert np.asarray(table).max() <= np.asarray(raw).max()
    truth = random.random((N, 3)) < 0.5
    fitted = VAETransformer(**small).fit(truth)
    assert fitted.inverse_transform(fitted.transform(truth)).dtype == bool


@pytest.mark.parametrize("features", [["whole"], [False, False, True], [2]])
def test_numbers_that_are_categories_are_named(frame, features):
    fitted = AutoencoderTransformer(**small, rows=Table(categorical_features=features)).fit(frame)
    assert (fitted._model.scaler.levels.sizes > 0).tolist() == [False, True, True]
    back = fitted.inverse_transform(fitted.transform(frame))
    assert back["whole"].dtype == np.int64
    assert set(back["whole"]) <= set(frame["whole"])


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (["nowhere"], "'nowhere', which is no column of the table: its columns are 'number'"),
        ([7], "7, which is no column"),
        ([True], "a value for each of the 3 columns"),
    ],
)
def test_wrong_categorical_features_are_refused(frame, features, message):
    with pytest.raises(ValueError, match=message):
        door(frame, categorical_features=features)


@pytest.mark.parametrize(
    ("cells", "error", "message"),
    [
        ([1, "a"], ValueError, "Column 'bad' mixes cells of type int and str"),
        ([[1], [2]], TypeError, "Column 'bad' holds cells of type list"),
        ([{"a": 1}, None], TypeError, "Column 'bad' holds cells of type dict"),
        ([1j, 2j], ValueError, "Complex data not supported: Column 'bad'"),
        ([np.inf, 0.0], ValueError, r"inf \(infinite values\) in column 'bad'"),
        (list(pd.period_range("2020", periods=2, freq="D")), ValueError, "Column 'bad' has dtype"),
    ],
)
def test_a_bad_column_is_refused_by_name(frame, cells, error, message):
    with pytest.raises(error, match=message):
        door(frame.assign(bad=pd.Series(cells * (N // 2))))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(number="a"), "'number' held numbers in fit .* and holds text now"),
        (lambda f: f.assign(text=1.5), "'text' held text in fit .* and holds numbers now"),
        (lambda f: f.assign(number=pd.Timestamp("2020-01-01")), "'number' held numbers .* dates"),
        (lambda f: f[["text", "number", "whole"]], "must be in the same order"),
        (lambda f: f.assign(more=1), "unseen at fit time"),
        (lambda f: f.drop(columns="text"), "now missing"),
        (lambda f: f.assign(number=np.inf), "inf .* in column 'number'"),
    ],
)
def test_a_table_that_changed_since_fit_is_refused(frame, change, message):
    fitted = VAETransformer(**small).fit(frame)
    with pytest.raises(ValueError, match=message):
        fitted.transform(change(frame))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 2, 2)), "dim 3"),
        (np.zeros(5), "1D array"),
        (np.zeros((0, 3)), "0 sample"),
        (np.zeros((3, 0)), "0 feature"),
        (np.zeros((1, 3)), "1 sample"),
        (pd.DataFrame({"a": ["x"]}), "1 sample"),
        (pd.DataFrame({"a": []}), "0 sample"),
        (np.array([[np.inf, 1.0], [1.0, 1.0]]), "inf"),
        (sp.csr_array([[np.inf, 1.0], [0.0, 1.0]]), r"inf \(infinite values\) in column 0"),
        ([[1, 2], [3]], "different lengths, 1 and 2 among them"),
    ],
)
def test_what_is_not_a_table_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        door(X)


def test_nested_lists_are_refused_by_column():
    with pytest.raises(TypeError, match="Column 1 holds cells of type list"):
        door([[1, [2, 3]], [3, [4, 5]]])


def test_two_columns_of_one_name_are_refused():
    frame = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["a", "a"])
    with pytest.raises(ValueError, match="names column 'a' more than once"):
        door(frame)


@pytest.mark.parametrize(
    "X",
    [
        np.array([["a", "b"], ["c", "d"], ["a", "d"]]),
        np.array([["a", 1.5], ["c", 2.5], ["a", None]], dtype=object),
        [["a", 1.5], ["c", 2.5], ["a", None]],
        np.array([["2020-01-01", "2021-01-01"], ["2022-01-01", "2021-06-01"]], dtype="M8[D]"),
    ],
)
def test_arrays_of_other_than_numbers_go_in_and_come_out(X):
    back = there_and_back(X)
    assert back.tolist() == np.array(X, dtype=getattr(X, "dtype", object)).tolist()
    fitted = VAETransformer(**small).fit(X)
    filled = fitted.impute(X)
    missing = np.equal(np.array(X, dtype=object), None)
    assert np.array_equal(filled[~missing], back[~missing])
    assert not np.equal(filled, None).any()


@pytest.mark.parametrize(
    "dtype", ["Int64", "boolean", "Float32", "int64[pyarrow]", "float64[pyarrow]", "bool", "uint8"]
)
def test_every_dtype_of_numbers_is_taken(dtype):
    frame = pd.DataFrame({"a": [0, 1, 1], "b": [1, 0, 1]}).astype(dtype)
    table, _ = door(frame)
    assert np.array_equal(table, [[0, 1], [1, 0], [1, 1]])


def test_numbers_beside_categories_are_float32_unless_that_loses_digits(frame):
    assert door(frame)[0].dtype == np.float32
    assert door(frame.assign(number=1e9 + frame["number"]))[0].dtype == np.float64


def test_thousands_of_levels_take_few_inputs():
    frame = pd.DataFrame({"user": [f"u{i % 5000}" for i in range(8000)], "x": np.arange(8000.0)})
    fitted = VAETransformer(4, hidden_layer_sizes=(16,), max_epochs=1).fit(frame)
    assert fitted._model.plan.n_inputs == 71 + 71 + 1
    back = fitted.inverse_transform(fitted.transform(frame[:100]))
    assert back["user"].isin(frame["user"]).all()
    assert fitted.sample(100, random_state=0)["user"].isin(frame["user"]).all()


@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_matrix, sp.coo_array, sp.csr_array])
def test_sparse_tables_give_the_model_of_dense_ones(make):
    dense = np.random.default_rng(0).normal(size=(N, 6)) * (
        np.random.default_rng(1).random((N, 6)) < 0.3
    )
    fitted = VAETransformer(**small).fit(make(dense))
    codes = VAETransformer(**small).fit(dense).transform(dense)
    assert np.array_equal(fitted.transform(make(dense)), codes)
    assert np.array_equal(fitted.transform(dense), codes)


def test_sparse_counts_are_drawn_sparse():
    counts = sp.csr_array(np.random.default_rng(0).poisson(0.4, size=(60, 12)))
    fitted = VAETransformer(**small).fit(counts)
    drawn = fitted.sample(20, random_state=0)
    assert sp.issparse(drawn)
    assert drawn.dtype == counts.dtype
    assert (drawn.data > 0).all()
    assert drawn.mean() == pytest.approx(counts.mean(), abs=0.15)
    decoded = fitted.inverse_transform(fitted.transform(counts))
    assert np.isin(decoded, np.arange(counts.max() + 1)).all()


def test_rows_of_weight_zero_teach_no_levels(frame):
    weights = np.arange(N) % 3
    seen_by_none = frame.assign(text=frame["text"].where(weights > 0, "of weight zero"))
    weighted = VAETransformer(**small).fit(seen_by_none, sample_weight=weights)
    repeated = VAETransformer(**small).fit(frame.loc[np.repeat(np.arange(N), weights)])
    assert np.array_equal(weighted.transform(frame), repeated.transform(frame))


# ---------------------------------------------------------------- found by readers and users


def test_a_row_becomes_the_same_numbers_in_any_company():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=60).round(1), "y": random.gamma(1, size=60)})
    frame["g"] = np.where(frame["x"] > 0, "a", "b")
    fitted = VAETransformer(**small).fit(frame)
    codes, scores = fitted.transform(frame), fitted.score_samples(frame)
    for i in range(8):
        assert np.array_equal(fitted.transform(frame[i : i + 1])[0], codes[i])
        assert fitted.score_samples(frame[i : i + 1])[0] == scores[i]
    strange = pd.concat([frame, pd.DataFrame({"x": [1e31], "y": [0.0], "g": ["a"]})])
    assert np.array_equal(fitted.transform(strange)[:-1], codes)


def test_the_order_of_many_rows_does_not_choose_their_float_type():
    random = np.random.default_rng(0)
    x = np.concatenate([1e6 + 1e-3 * random.normal(size=66_000), 1e6 * random.normal(size=4000)])
    frame = pd.DataFrame({"x": x, "g": random.choice(["a", "b"], 70_000)})
    assert door(frame)[0].dtype == door(frame[::-1])[0].dtype


@pytest.mark.parametrize(
    "levels",
    [
        ["a", 1, 2.5],
        pd.interval_range(0, 3),
        pd.Index([("a", 1), ("b", 2), 3], tupleize_cols=False),
    ],
    ids=["mixed", "intervals", "tuples"],
)
def test_levels_of_any_type_are_levels(levels):
    frame = pd.DataFrame({"c": pd.Categorical.from_codes(np.arange(N) % 3, levels)})
    frame["x"] = np.arange(N) / N
    fitted = VAETransformer(**small).fit(frame)
    assert fitted.inverse_transform(fitted.transform(frame)).dtypes.equals(frame.dtypes)
    assert set(fitted.sample(20, random_state=0)["c"]) == set(levels)


def test_columns_are_known_by_their_labels():
    frame = pd.DataFrame({1: np.arange(N) / N, 0: 100 + np.arange(N)})
    fitted = VAETransformer(**small).fit(frame)
    drawn = fitted.sample(3, given={0: 107})
    assert (drawn[0] == 107).all()
    assert fitted.elbo_terms(frame).columns.tolist() == [1, 0, "kl"]
    with pytest.raises(ValueError, match="Column 0 of the table is named 0; in fit it was 1"):
        fitted.transform(frame[[0, 1]])
    double = frame.set_axis([("a", 1), ("b", 2)], axis=1)
    double.columns = pd.MultiIndex.from_tuples(double.columns)
    fitted = VAETransformer(**small, rows=Table(categorical_features=[("b", 2)])).fit(double[:9])
    assert fitted._model.scaler.levels.sizes.tolist() == [0, 9]


def test_columns_that_are_all_missing_later_are_filled_in_the_dtype_of_fit():
    frame = pd.DataFrame(
        {
            "x": np.arange(N) / N,
            "i": np.arange(N),
            "s": list("ab") * 15,
            "d": pd.date_range("1960", periods=N),
            "t": pd.to_timedelta(np.arange(N), unit="h"),
        }
    )
    fitted = VAETransformer(**small).fit(frame)
    for name in frame:
        for nothing in (None, np.nan, pd.NA, pd.NaT):
            filled = fitted.impute(frame.assign(**{name: nothing}))
            assert filled[name].dtype == frame[name].dtype
            assert filled.notna().all(axis=None)


@pytest.mark.parametrize("nothing", [None, np.nan])
def test_a_column_of_which_fit_saw_no_cell_is_ignored(nothing):
    frame = pd.DataFrame({"x": np.arange(N) / N, "q": nothing})
    fitted = VAETransformer(**small).fit(frame)
    later = frame.assign(q=120.0)
    assert np.array_equal(fitted.transform(later), fitted.transform(frame))
    assert np.array_equal(fitted.score_samples(later), fitted.score_samples(frame))


def test_dates_of_pyarrow_are_those_of_numpy_in_any_order():
    frame = pd.DataFrame({"d": pd.Series(pd.date_range("1960", periods=N)), "x": np.arange(N) / N})
    arrow = frame.astype({"d": "timestamp[us][pyarrow]"})
    codes = VAETransformer(**small).fit(frame.astype({"d": "datetime64[us]"})).transform(frame)
    shuffled = VAETransformer(**small).fit(arrow.sample(frac=1, random_state=0))
    assert np.array_equal(shuffled.transform(arrow), codes)


def test_counts_that_are_none_are_refused_later():
    counts = sp.csr_array(np.random.default_rng(0).poisson(0.4, size=(60, 12)))
    fitted = VAETransformer(**small).fit(counts)
    for wrong in (-1, 0.5):
        broken = counts.astype(float)
        broken.data[0] = wrong
        with pytest.raises(ValueError, match="held counts in fit"):
            fitted.score_samples(broken)
    with pytest.raises(ValueError, match="column 0 of the table held counts"):
        fitted.sample(1, given={0: -1})


def test_rare_fractions_in_a_sparse_table_are_no_counts():
    table = sp.random(3000, 400, 0.001, random_state=0, format="csr")
    fitted = AutoencoderTransformer(**small).fit(table)
    assert set(fitted._model.plan.likelihoods) == {Gaussian}


def test_sparse_one_hot_gives_the_model_of_dense_one_hot():
    dense = (np.random.default_rng(0).random((N, 6)) < 0.3) * 1.0
    for cls in (AutoencoderTransformer, VAETransformer):
        codes = cls(**small).fit(dense).transform(dense)
        assert np.array_equal(cls(**small).fit(sp.csr_array(dense)).transform(dense), codes)


def test_sparse_tables_with_heavy_tails_are_scored():
    random = np.random.default_rng(0)
    table = sp.csr_matrix(
        np.where(random.random((300, 5)) < 0.6, random.standard_cauchy((300, 5)), 0)
    )
    scores = VAETransformer(**small).fit(table).score_samples(table)
    farthest = np.abs(table).max(axis=1).toarray().ravel().argsort()[-5:]
    assert scores[farthest].max() < np.median(scores)


def test_missing_cells_of_a_sparse_table_are_filled_sparse():
    table = sp.csr_array(np.where(np.arange(60).reshape(20, 3) % 7 == 1, np.nan, np.eye(20, 3)))
    filled = VAETransformer(**small).fit(table).impute(table)
    assert sp.issparse(filled)
    assert not np.isnan(filled.data).any()
    assert np.nanmax(np.abs(filled.toarray() - table.toarray())) == 0


def test_present_cells_of_polars_stay_to_the_nanosecond():
    ticks = np.random.default_rng(0).integers(0, 2**60, N)
    frame = pl.DataFrame(
        {"t": pl.Series(ticks).cast(pl.Datetime("ns")), "x": [None, *range(N - 1)]}
    )
    assert VAETransformer(**small).fit(frame).impute(frame)["t"].equals(frame["t"])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pl.DataFrame({"a": [1, 2]}).lazy(), "Call collect"),
        (np.array([(1, 2)], dtype=[("a", int), ("b", int)]), "structured array"),
    ],
)
def test_tables_that_are_none_yet_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        door(X)


def test_drawn_numbers_do_not_leave_the_range_of_fit_by_rounding():
    frame = pd.DataFrame({"fare": [7.25, 71.2833, 8.05] * 5, "sex": list("fmf") * 5})
    drawn = VAETransformer(**small).fit(frame).sample(100, random_state=0)
    assert drawn["fare"].between(7.25, 71.2833).all()


def test_intervals_may_be_given():
    frame = pd.DataFrame({"x": range(40), "cut": pd.cut(np.arange(40.0) % 4, [-1, 0, 1, 9])})
    fitted = VAETransformer(**small).fit(frame)
    level = frame["cut"].iloc[0]
    assert (fitted.sample(3, given={"cut": level})["cut"] == level).all()
    assert fitted.traverse(frame.iloc[0], 0).dtypes.equals(frame.dtypes)
    plain = frame.assign(cut=frame["cut"].astype(pd.IntervalDtype("float64")))
    assert fitted.transform(plain).shape == (40, 2)


def test_a_row_of_a_frame_of_polars_is_a_row():
    frame = pl.DataFrame({"b": [True, False] * 15, "d": pd.date_range("2020", periods=N)})
    assert VAETransformer(**small).fit(frame).traverse(frame[:1], 0).schema == frame.schema


@pytest.mark.parametrize(
    "cells",
    [
        [10**400] * N,
        [pd.Timestamp("2020", tz="UTC"), pd.Timestamp("2020")] * (N // 2),
    ],
    ids=["large", "zones"],
)
def test_cells_that_cannot_be_read_are_refused_by_column(frame, cells):
    with pytest.raises(ValueError, match=r"Column 'bad' .* cannot be read"):
        door(frame.assign(bad=pd.Series(cells, dtype=object)))


def test_durations_of_pyarrow_come_back():
    raw = pd.DataFrame({"t": pd.Series(pd.to_timedelta(range(N), unit="h")), "g": list("ab") * 15})
    raw["t"] = raw["t"].astype("duration[us][pyarrow]")
    pd.testing.assert_frame_equal(there_and_back(raw), raw)


def test_drawn_numbers_of_arrays_are_within_the_range_of_fit():
    random = np.random.default_rng(0)
    X = np.where(random.random((200, 4)) < 0.5, 0, random.gamma(1, 2, size=(200, 4)))
    for table in (X, X.astype(np.float32), pd.DataFrame(X)):
        drawn = np.asarray(VAETransformer(**small).fit(table).sample(1000, random_state=0))
        assert (drawn >= X.min(axis=0)).all()
        assert (drawn <= np.asarray(table).max(axis=0)).all()


def test_a_given_number_that_its_dtype_cannot_hold_is_refused():
    frame = pd.DataFrame({"i": np.arange(N).astype("int8"), "s": list("ab") * 15})
    with pytest.raises(ValueError, match="1000 is no value of it"):
        VAETransformer(**small).fit(frame).sample(1, given={"i": 1000})
