"""SampleDisplay: marginals in common bins, associations, pairs."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from mixed_table import mixed
from quick import quick
from scipy.stats import spearmanr
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import AutoencoderTransformer, VAETransformer
from sklearn_replearn.inspection import SampleDisplay
from sklearn_replearn.rows import Table

X, OTHER = mixed(), mixed(60, seed=1)
NUMBERS = np.random.RandomState(0).normal(size=(40, 3))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_drawn_rows_are_those_that_sample_draws():
    vae = quick(VAETransformer).fit(X)
    state = np.random.get_state()[1].copy()
    one, two = (SampleDisplay.from_estimator(vae, X, n_samples=25) for _ in range(2))
    drawn = vae.sample(25, random_state=0, missing="as_fit")
    np.testing.assert_array_equal(one.drawn["size"], drawn["size"])
    pd.testing.assert_frame_equal(one.drawn, two.drawn)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert one.shown == list(X.columns) and len(one.axes_) == 6
    other = SampleDisplay.from_estimator(vae, X, n_samples=25, random_state=1)
    assert not one.drawn["size"].equals(other.drawn["size"])


@pytest.mark.parametrize("n_rows", [3, 40])
def test_marginals_are_shares_in_common_bins(n_rows):
    display = SampleDisplay.from_predictions(X.iloc[:n_rows], OTHER)
    kinds = {name: marginal.kind for name, marginal in display.marginals.items()}
    assert kinds == {
        "size": "number",
        "count": "number",
        "new": "category",
        "colour": "category",
        "grade": "category",
        "day": "date",
    }
    for name, marginal in display.marginals.items():
        assert marginal.missing == (X[name].iloc[:n_rows].isna().mean(), OTHER[name].isna().mean())
        assert marginal.real.sum() == pytest.approx(1) == pytest.approx(marginal.drawn.sum())
        assert 0 <= marginal.distance <= 1
        if marginal.kind == "category":
            wanted = OTHER[name].dropna().astype(str).value_counts(normalize=True)
            assert dict(zip(marginal.bins, marginal.drawn, strict=True)) == pytest.approx(
                {level: wanted.get(level, 0.0) for level in marginal.bins}
            )
        else:
            known = OTHER[name].dropna().to_numpy().astype(marginal.bins.dtype)
            counts, _ = np.histogram(known.astype(float), marginal.bins.astype(float))
            np.testing.assert_allclose(marginal.drawn, counts / len(known))
    assert display.marginals["grade"].bins.tolist() == ["low", "high"]


def test_whole_numbers_have_a_bin_each():
    display = SampleDisplay.from_predictions(X, OTHER)
    counts = display.marginals["count"]
    low, high = (
        min(X["count"].min(), OTHER["count"].min()),
        max(X["count"].max(), OTHER["count"].max()),
    )
    np.testing.assert_array_equal(counts.bins, np.arange(low, high + 2) - 0.5)


def test_the_distance_is_zero_for_the_same_and_one_for_what_is_apart():
    same = SampleDisplay.from_predictions(X, X).marginals
    assert all(marginal.distance == pytest.approx(0) for marginal in same.values())
    apart = SampleDisplay.from_predictions(NUMBERS[:, :1], NUMBERS[:, :1] + 100).marginals["x0"]
    assert apart.distance == pytest.approx(1)


def test_a_column_that_is_missing_in_one_table_is_at_distance_one():
    gone = X.assign(size=np.nan, colour=None)
    marginals = SampleDisplay.from_predictions(X, gone).marginals
    assert marginals["size"].missing[1] == marginals["colour"].missing[1] == 1
    assert marginals["size"].distance > 0.8 and marginals["colour"].distance > 0.8


def test_few_cells_far_away_do_not_make_the_rest_one_bar():
    cells = np.append(np.linspace(0, 1, 199), 1e9)[:, None]
    marginal = SampleDisplay.from_predictions(cells, cells).marginals["x0"]
    assert marginal.bins[-1] < 2 and (marginal.real > 0).sum() > 5
    assert 0 < marginal.beyond < 0.05


def test_many_levels_are_the_frequent_ones_and_the_others():
    levels = pd.DataFrame({"a": np.repeat([f"level {k}" for k in range(20)], np.arange(1, 21))})
    marginal = SampleDisplay.from_predictions(levels, levels).marginals["a"]
    assert marginal.bins.tolist() == [*(f"level {k}" for k in range(19, 10, -1)), "11 other levels"]
    assert marginal.real.sum() == pytest.approx(1)


def test_associations_of_numbers_are_rank_correlations():
    frame = pd.DataFrame(NUMBERS, columns=list("abc"))
    display = SampleDisplay.from_predictions(frame, frame.iloc[::2])
    np.testing.assert_allclose(display.associations[0], spearmanr(frame).statistic)
    np.testing.assert_allclose(display.associations[1], spearmanr(frame.iloc[::2]).statistic)
    missing = frame.mask(np.arange(120).reshape(40, 3) % 7 == 0)
    found = SampleDisplay.from_predictions(missing, frame).associations[0]
    np.testing.assert_allclose(found, spearmanr(missing, nan_policy="omit").statistic, atol=1e-12)


def test_associations_of_categories_see_what_depends_and_what_does_not():
    draw = np.random.RandomState(0)
    level = draw.choice(list("abc"), 500)
    frame = pd.DataFrame(
        {
            "level": level,
            "copy": pd.Series(level).map({"a": "one", "b": "two", "c": "three"}),
            "number": pd.Series(level).map({"a": 1.0, "b": 2.0, "c": 3.0}),
            "noise": draw.choice([f"n{k}" for k in range(40)], 500),
            "normal": draw.normal(size=500),
            "constant": 1.0,
        }
    )
    found = pd.DataFrame(
        SampleDisplay.from_predictions(frame, frame).associations[0], frame.columns, frame.columns
    )
    assert found.loc["level", "copy"] == pytest.approx(1)
    assert found.loc["level", "number"] == pytest.approx(1)
    # Forty levels depend on anything by chance, unless that is corrected for.
    assert found.loc["level", "noise"] < 0.12 and found.loc["normal", "noise"] < 0.12
    assert found["constant"].isna().all()
    np.testing.assert_array_equal(found, found.T)


def test_three_matrices_are_drawn():
    display = SampleDisplay.from_predictions(X, OTHER, kind="associations")
    real, drawn = display.associations
    shown = [image.get_array().filled(np.nan) for image in display.images_]
    for wanted, found in zip((real, drawn, drawn - real), shown, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_pairs_are_drawn_side_by_side():
    pairs = [("size", "count"), ("day", "size")]
    display = SampleDisplay.from_predictions(X, OTHER, kind="pairs", columns=pairs)
    assert display.shown == pairs and len(display.axes_) == 4
    real, drawn = display.axes_[:2]
    np.testing.assert_array_equal(real.collections[0].get_offsets()[:, 1], X["count"])
    assert real.get_xlim() == drawn.get_xlim() and real.get_ylim() == drawn.get_ylim()
    chosen = SampleDisplay.from_predictions(X, OTHER, kind="pairs").shown
    assert len(chosen) == 3 and {name for pair in chosen for name in pair} == {
        "size",
        "count",
        "day",
    }


def test_of_a_wide_table_the_columns_that_differ_most_are_drawn():
    wide = pd.DataFrame(np.random.RandomState(0).normal(size=(60, 30))).add_prefix("c")
    other = wide.copy()
    other[["c4", "c20"]] += 3
    display = SampleDisplay.from_predictions(wide, other, n_columns=2)
    assert display.shown == ["c4", "c20"]
    assert display.figure_.get_suptitle() == "the 2 of 30 columns that differ most"
    assert display.plot(columns=["c1"]).shown == ["c1"]


@pytest.mark.parametrize(
    ("real", "drawn"),
    [
        (X, pl.from_pandas(OTHER)),
        (pl.from_pandas(X), OTHER),
        (X[["size"]], OTHER[["size"]]),
        (X[["colour"]], OTHER[["colour"]]),
        (X.iloc[:1], OTHER),
        (NUMBERS, NUMBERS[:3]),
        (NUMBERS.tolist(), NUMBERS.astype(np.float32)),
        (pd.DataFrame(NUMBERS, columns=list("abc")), NUMBERS),
    ],
)
@pytest.mark.parametrize("kind", ["marginals", "associations"])
def test_any_tables_are_compared(real, drawn, kind):
    display = SampleDisplay.from_predictions(real, drawn, kind=kind)
    assert len(display.real) == len(real) and len(display.drawn) == len(drawn)
    assert list(display.real.dtypes) == list(display.drawn.dtypes)
    display.figure_.draw_without_rendering()


@pytest.mark.parametrize("rows", [X[["size"]], X.iloc[:3], NUMBERS[:3], pl.from_pandas(X)])
def test_estimators_of_any_table_draw(rows):
    display = SampleDisplay.from_estimator(quick(VAETransformer).fit(rows), rows)
    assert display.drawn.shape == (len(rows), np.shape(rows)[1])


def test_a_pipeline_draws_what_its_last_step_saw():
    pipeline = make_pipeline(StandardScaler(), quick(VAETransformer)).fit(NUMBERS * 100)
    display = SampleDisplay.from_estimator(pipeline, NUMBERS * 100)
    assert display.real.std().max() < 2


def test_numbers_that_are_categories_are_levels():
    table = np.array([[k % 3, k] for k in range(12)], dtype=float)
    vae = quick(VAETransformer, rows=Table(categorical_features=[0])).fit(table)
    marginals = SampleDisplay.from_estimator(vae, table).marginals
    assert marginals["x0"].kind == "category" and marginals["x0"].bins.tolist() == ["0", "1", "2"]


def test_errors_say_what_is_wanted():
    vae = quick(VAETransformer).fit(X)
    with pytest.raises(NotFittedError):
        SampleDisplay.from_estimator(VAETransformer(), X)
    with pytest.raises(TypeError, match="AutoencoderTransformer does not"):
        SampleDisplay.from_estimator(quick(AutoencoderTransformer).fit(X), X)
    with pytest.raises(ValueError, match="0 sample"):
        SampleDisplay.from_estimator(vae, X.iloc[:0])
    with pytest.raises(ValueError, match="feature names"):
        SampleDisplay.from_estimator(vae, X.iloc[:, :2])
    with pytest.raises(ValueError, match="same columns"):
        SampleDisplay.from_predictions(X, X.iloc[:, :2])
    with pytest.raises(ValueError, match="Column 'size' holds numbers in X and categories"):
        SampleDisplay.from_predictions(X, X.assign(size="large"))
    twice = pd.DataFrame(NUMBERS, columns=["a", "b", "a"])
    with pytest.raises(ValueError, match="Two columns are named 'a'"):
        SampleDisplay.from_predictions(twice, twice)
    with pytest.raises(ValueError, match="kind must be one of"):
        SampleDisplay.from_estimator(vae, X, kind="bars")
    with pytest.raises(ValueError, match="no column 'weight'; there are size, count"):
        SampleDisplay.from_estimator(vae, X, columns=["weight"])
    with pytest.raises(ValueError, match="pairs of names"):
        SampleDisplay.from_estimator(vae, X, kind="pairs", columns=["size", "count"])
    with pytest.raises(ValueError, match="colour has none"):
        SampleDisplay.from_estimator(vae, X, kind="pairs", columns=[("size", "colour")])
