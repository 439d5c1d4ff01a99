"""Drawn, imputed and decoded tables are like that of fit: distributions, steps, conditions."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from scipy.stats import ks_2samp

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn._tables.column_types import learned
from sklearn_replearn.rows import Table

# Of ids, which some of the tables have.
pytestmark = pytest.mark.filterwarnings("ignore:Nearly every row has a text of its own")

N = 400
small = {"latent_dim": 2, "hidden_layer_sizes": (8,), "max_epochs": 5}


def uneven(n=N):
    """Numbers of which many have one value, or two peaks, beside normal ones."""
    random = np.random.default_rng(0)
    z = random.normal(size=n)
    return pd.DataFrame(
        {
            "zeros": np.where(random.random(n) < 0.95, 0.0, random.lognormal(1, 1, n)),
            "fives": np.where(random.random(n) < 0.6, 5.0, 5 + z**2),
            "gains": np.where(random.random(n) < 0.8, 0, np.rint(1000 * np.exp(z))),
            "few": np.where(random.random(n) < 0.1, 0.1, z),
            "peaks": np.where(random.random(n) < 0.5, -3, 3) + 0.5 * random.normal(size=n),
            "normal": z,
        }
    )


@pytest.mark.parametrize(
    "made",
    [
        lambda table: table,
        lambda table: table.to_numpy(),
        lambda table: table.to_numpy().astype(np.float32),
        lambda table: table.assign(group=np.resize(["a", "b"], N)),
        lambda table: sp.csr_array(table.assign(gains=table["gains"] / 8).to_numpy()),
    ],
    ids=["frame", "array", "float32", "beside categories", "sparse"],
)
@pytest.mark.parametrize("prior", ["auto", "normal"])
def test_columns_are_drawn_as_they_were_in_fit(made, prior):
    X = made(uneven())
    fitted = VAETransformer(3, hidden_layer_sizes=(32,), max_epochs=30, prior=prior).fit(X)
    drawn = fitted.sample(2000, random_state=0)
    X, drawn = (np.asarray(t.toarray() if sp.issparse(t) else t)[:, :6] for t in (X, drawn))
    for j in range(6):
        x, y = X[:, j].astype(float), drawn[:, j].astype(float)
        assert ks_2samp(x, y).statistic < 0.09
        assert x.min() <= y.min() and y.max() <= x.max()
    for j in range(4):
        values, counts = np.unique(X[:, j].astype(float), return_counts=True)
        assert (drawn[:, j] == values[counts.argmax()]).mean() == pytest.approx(
            counts.max() / N, abs=0.05
        )


# ---------------------------------------------------------------- steps


def stepped(n=80):
    random = np.random.default_rng(0)
    day = pd.Timestamp("2020-01-01")
    frame = pd.DataFrame(
        {
            "price": np.round(np.exp(3 + random.normal(size=n)), 2),
            "income": np.round(np.exp(12 + random.normal(size=n)), 2),
            "dose": 5.0 * random.integers(1, 20, n),
            "count": random.poisson(5, n).astype(float),
        }
    )
    frame.loc[::7, ["price", "count"]] = np.nan
    dates = {
        "day": day + pd.to_timedelta(random.integers(0, 900, n), "D"),
        "hour": day + pd.to_timedelta(random.integers(0, 9000, n), "h"),
        "minute": (day + pd.to_timedelta(random.integers(0, 90_000, n), "min")).as_unit("s"),
        "lasts": pd.to_timedelta(random.integers(0, 900, n), "D"),
    }
    dates["local"] = dates["day"].tz_localize("Europe/Oslo")
    return frame, frame.assign(**dates).mask(np.arange(n)[:, None] % 9 == np.arange(9))


def off_their_steps(table, names):
    """Names of the columns with a cell that is on no step."""
    table = table.to_pandas() if hasattr(table, "to_pandas") else pd.DataFrame(table)
    table.columns = names
    off = []
    for name, step in {"price": 0.01, "income": 0.01, "dose": 5, "count": 1}.items():
        cells = table[name].dropna().astype(float)
        # As its decimals are: the nearest float of the dtype.
        exact = np.round(np.rint(cells / step) * step, 2).astype(table[name].dtype)
        off += [name] * bool((cells != exact.astype(float)).any())
    units = {"day": "D", "hour": "h", "minute": "min", "local": "D", "lasts": "D"}
    for name, unit in units.items():
        if name in table:
            cells = table[name].dropna()
            of_time = pd.to_timedelta(cells) if name == "lasts" else pd.to_datetime(cells)
            off += [name] * (not of_time.equals(of_time.dt.floor(unit)))
    return off


@pytest.mark.parametrize(
    "made",
    [
        lambda numbers, all_: numbers,
        lambda numbers, all_: numbers.to_numpy(),
        lambda numbers, all_: numbers.astype({"count": "Int64", "price": "Float64"}),
        lambda numbers, all_: numbers.assign(level=np.resize(["a", "b"], len(numbers))),
        lambda numbers, all_: all_,
        lambda numbers, all_: pl.from_pandas(all_),
        lambda numbers, all_: pa.Table.from_pandas(all_),
        lambda numbers, all_: numbers.astype(object).where(numbers.notna(), None).to_numpy(),
    ],
    ids=["frame", "array", "nullable", "categories", "dates", "polars", "pyarrow", "objects"],
)
def test_cells_stay_on_the_steps_of_fit(made):
    X = made(*stepped())
    names = ["price", "income", "dose", "count"]
    names = list(getattr(X, "column_names", getattr(X, "columns", names)))
    for cls in (AutoencoderTransformer, ContrastiveTransformer, VAETransformer):
        fitted = cls(**small).fit(X)
        tables = [fitted.impute(X), fitted.inverse_transform(fitted.transform(X))]
        if cls is VAETransformer:
            tables += fitted.impute(X, n_draws=2, random_state=0)
            tables += [fitted.sample(100, random_state=0)]
            tables += [fitted.sample(50, random_state=0, missing="as_fit")]
            tables += [fitted.interpolate(X[:1], X[5:6]), fitted.traverse(X[:1], 0)]
        assert [off_their_steps(table, names) for table in tables] == [[]] * len(tables)


def test_steps_of_float32_are_kept_in_float32():
    X = np.round(np.random.default_rng(0).normal(size=(60, 2)), 2).astype(np.float32)
    drawn = VAETransformer(**small).fit(X).sample(50, random_state=0)
    assert drawn.dtype == np.float32
    assert np.array_equal(drawn, np.round(drawn.astype(float), 2).astype(np.float32))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Oslo", "Pacific/Auckland"])
def test_dates_beyond_what_can_be_told_decode_all_the_same(unit, zone):
    days = pd.Series(pd.date_range("2020-01-01", periods=5).as_unit(unit).tz_localize(zone))
    kind, numbers = learned(days, "day", categorical=False)
    far = kind.decode(np.array([1e30, -1e30, numbers[0] + 1, np.nan]))
    assert far.isna().tolist() == [False, False, False, True]
    assert far[2] == days[0]


def test_scores_and_errors_are_of_cells_that_are_not_rounded():
    X = np.round(np.random.default_rng(0).normal(size=(60, 3)))
    fitted = AutoencoderTransformer(**small).fit(X)
    decoded = fitted.inverse_transform(fitted.transform(X))
    assert (decoded == decoded.round()).all()
    assert (fitted.reconstruction_error(X) > 0).all()


@pytest.mark.parametrize("dtype", [int, np.int16, np.uint8, bool])
@pytest.mark.parametrize("made", [np.asarray, sp.csr_array, pd.DataFrame, pl.DataFrame])
def test_integers_are_drawn_as_integers(made, dtype):
    X = made(np.random.default_rng(0).integers(0, 9, (40, 3)).astype(dtype))
    drawn = VAETransformer(**small).fit(X).sample(10, random_state=0)
    assert type(drawn) is type(X)
    if hasattr(X, "dtype"):
        assert drawn.dtype == X.dtype
    else:
        assert list(drawn.dtypes) == list(X.dtypes)


# ---------------------------------------------------------------- conditions


@pytest.fixture(scope="module")
def people():
    random = np.random.default_rng(0)
    z = random.normal(size=N)
    frame = pd.DataFrame(
        {
            "age": np.rint(40 + 10 * z).astype(int),
            "income": np.round(np.exp(7 + z + 0.3 * random.normal(size=N)), 2),
            "city": np.where(z + random.normal(size=N) > 0, "a", np.where(z < -1, "c", "b")),
            "size": pd.Categorical(np.where(z > 1, "L", "M"), ["M", "L"], ordered=True),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.rint(100 + 30 * z), "D"),
            "zeros": np.where(random.random(N) < 0.9, 0, z**2),
            "name": [f"p{i}" for i in range(N)],
        }
    )
    frame.loc[::5, ["income", "city"]] = None
    frame.loc[::7, "day"] = None
    return frame


@pytest.fixture(scope="module")
def vae(people):
    return VAETransformer(3, hidden_layer_sizes=(32,), max_epochs=60).fit(people)


DAY = pd.Timestamp("2020-04-01")


@pytest.mark.parametrize(
    "given",
    [
        {"age": (30, 35)},
        {"age": (30.5, 31.2)},
        {"age": (None, 30)},
        {"age": (60, np.inf), "city": ["a", "b"]},
        {"income": (1000, 1001)},
        {"zeros": (0.5, 0.6)},
        {"zeros": (0, 0)},
        {"city": {"c"}},
        {"city": ["a", "c"], "age": np.array([20, 50])},
        {"size": ("L", "L")},
        {"day": (DAY, DAY + pd.Timedelta(days=2)), "age": 39},
        {"day": (None, DAY)},
        {"name": ["p3", "p7"]},
    ],
    ids=str,
)
def test_drawn_rows_meet_conditions(given, vae):
    drawn = vae.sample(60, random_state=0, given=given)
    for name, wanted in given.items():
        if isinstance(wanted, tuple):
            low, high = wanted
            assert drawn[name].notna().all()
            assert low is None or (drawn[name] >= low).all()
            assert high is None or (drawn[name] <= high).all()
        else:
            allowed = list(wanted) if hasattr(wanted, "__len__") else [wanted]
            assert drawn[name].isin(allowed).all()
    pd.testing.assert_frame_equal(vae.sample(60, random_state=0, given=given), drawn)


def test_conditions_tell_of_other_columns(vae, people):
    young, old = (
        vae.sample(200, random_state=0, given={"age": ends}) for ends in ((0, 30), (50, 99))
    )
    assert old["income"].median() > 2 * young["income"].median()
    assert old["income"].nunique() > 50


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"age": (200, 300)}, "'age': the given range holds nothing .* goes from .* to "),
        ({"day": (pd.Timestamp("2030-01-01"), None)}, "'day': .* goes from 2019-12-19 .* to 2020"),
        ({"age": (30.2, 30.8)}, "values are 1 apart"),
        ((30, 40), "must be a dict of columns"),
        ({"age": 5, 0: (10, 20)}, "one column twice, as 'age' and as 0"),
        ({0: (10, 20), "age": [5, 6]}, "one column twice, as 0 and as 'age'"),
    ],
)
def test_conditions_that_no_row_can_meet_are_refused(given, message, vae):
    with pytest.raises(ValueError, match=message):
        vae.sample(3, given=given)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ranges_of_arrays_are_met_in_their_dtype(dtype):
    X = np.random.default_rng(0).normal(size=(80, 2)).astype(dtype)
    drawn = VAETransformer(**small).fit(X).sample(300, random_state=0, given={0: (0.1, 0.3)})
    assert drawn.dtype == dtype
    assert ((drawn[:, 0].astype(float) >= 0.1) & (drawn[:, 0].astype(float) <= 0.3)).all()
    assert len(np.unique(drawn[:, 0])) > 50


# ---------------------------------------------------------------- missing cells and ids


def test_cells_are_missing_as_in_fit_when_asked(vae, people):
    assert vae.sample(50, random_state=0).drop(columns="name").notna().all(axis=None)
    drawn = vae.sample(2000, random_state=0, missing="as_fit").drop(columns="name")
    shares = people.drop(columns="name").isna().mean()
    assert np.abs(drawn.isna().mean() - shares).max() < 0.03
    assert (drawn["income"].isna() == drawn["city"].isna()).all()  # together, as in fit
    given = vae.sample(50, random_state=0, missing="as_fit", given={"city": ["a"]})
    assert given["city"].eq("a").all()
    assert given["income"].isna().any()
    with pytest.raises(ValueError, match=r"'missing' parameter .* Got True"):
        vae.sample(2, missing=True)


def test_rare_patterns_of_missing_cells_have_their_shares():
    random = np.random.default_rng(0)
    shares = np.linspace(0.1, 0.5, 9)
    X = random.normal(size=(N, 9)).astype(np.float32)
    X[random.random((N, 9)) < shares] = np.nan
    drawn = VAETransformer(**small).fit(X).sample(3000, random_state=0, missing="as_fit")
    assert np.isnan(drawn).mean(axis=0) == pytest.approx(np.isnan(X).mean(axis=0), abs=0.04)


def test_intervals_of_whole_numbers_may_be_missing():
    intervals = pd.IntervalIndex.from_breaks(np.arange(31))
    X = pd.DataFrame({"i": intervals, "x": np.arange(30.0)})
    drawn = VAETransformer(**small).fit(X).sample(4, random_state=0)
    assert drawn["i"].isna().all()
    assert isinstance(drawn["i"].dtype, pd.IntervalDtype)


def test_light_rows_do_not_make_names_of_categories():
    cities = pd.DataFrame({"city": [f"c{i}" for i in range(40)] * 4, "x": np.arange(160.0)})
    fitted = VAETransformer(**small).fit(cities, sample_weight=np.full(160, 0.25))
    assert fitted.sample(5, random_state=0)["city"].notna().all()


@pytest.mark.parametrize(
    ("made", "rows"),
    [
        (lambda frame: frame[["name", "x"]], None),
        (lambda frame: frame[["name", "x"]].astype({"name": "category"}), None),
        (lambda frame: pl.from_pandas(frame[["name", "x"]]), None),
        (lambda frame: pa.Table.from_pandas(frame[["name", "x"]]), None),
        (lambda frame: frame[["name", "x"]].to_numpy(dtype=object), None),
        (lambda frame: frame[["number", "x"]], Table(categorical_features=[0])),
        (lambda frame: frame[["number", "x"]].to_numpy(), Table(categorical_features=[0])),
    ],
    ids=["text", "category", "polars", "pyarrow", "objects", "integers", "array"],
)
def test_ids_are_not_copied_unless_asked(made, rows):
    n = 30
    random = np.random.default_rng(0)
    names = [f"p{i}" for i in range(n)]
    X = made(pd.DataFrame({"name": names, "number": np.arange(n), "x": random.normal(size=n)}))
    fitted = VAETransformer(**small, rows=rows).fit(X)

    def first(table):
        table = table.to_pandas() if hasattr(table, "to_pandas") else pd.DataFrame(table)
        assert table.iloc[:, 1].notna().all()
        return table.iloc[:, 0]

    assert first(fitted.sample(5, random_state=0)).isna().all()
    level = first(X)[3]
    weighted = VAETransformer(**small, rows=rows).fit(X, sample_weight=np.full(n, 2))
    assert first(weighted.sample(5, random_state=0)).isna().all()
    assert (first(fitted.sample(5, random_state=0, given={0: level})) == level).all()
