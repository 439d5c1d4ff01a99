"""LatentMapDisplay: where rows are on the map, what its axes and colours say."""

import builtins
import sys
import types

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from mixed_table import mixed
from quick import quick
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    OutlierDetector,
    VAETransformer,
)
from sklearn_replearn.inspection import LatentMapDisplay
from sklearn_replearn.rows import Images, Table, Tokens

X = mixed()
NUMBERS = np.random.RandomState(0).normal(size=(40, 3)) * [1, 10, 100]
CLASSES = np.array(["a", "b", "c", "d"])[np.arange(40) % 4]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    "transformer", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
)
def test_two_code_columns_are_the_axes(transformer):
    encoder = quick(transformer, latent_dim=2).fit(X)
    display = LatentMapDisplay.from_estimator(encoder, X)
    np.testing.assert_array_equal(display.points, encoder.transform(X))
    assert display.axis_names == ("code 0", "code 1") and display.y is None
    assert display.ax_.get_xlabel() == "code 0"
    ((points,),) = display.points_
    np.testing.assert_array_equal(points.get_offsets(), display.points)


def test_of_more_there_are_principal_components_with_their_share():
    encoder = quick(VAETransformer, latent_dim=5).fit(NUMBERS)
    display = LatentMapDisplay.from_estimator(encoder, NUMBERS)
    pca = PCA(2).fit(encoder.transform(NUMBERS))
    np.testing.assert_allclose(display.points, pca.transform(encoder.transform(NUMBERS)), rtol=1e-6)
    share = 100 * pca.explained_variance_ratio_[0]
    assert display.axis_names[0] == f"first principal component ({share:.0f} % of variance)"


def test_a_single_code_column_has_one_axis():
    encoder = quick(AutoencoderTransformer, latent_dim=1).fit(X)
    display = LatentMapDisplay.from_estimator(encoder, X)
    np.testing.assert_array_equal(display.points[:, 0], encoder.transform(X)[:, 0])
    assert display.axis_names == ("code 0", "spread at random")
    assert len(display.ax_.get_yticks()) == 0


class Reducer:
    """In the place of umap-learn's, which takes 10 s to compile itself."""

    def __init__(self, **params):
        self.params = params

    def fit_transform(self, codes):
        Reducer.last = self.params
        return codes[:, :2] * 2


def test_umap_is_told_the_seed_and_never_more_neighbours_than_there_are(monkeypatch):
    module = types.ModuleType("umap")
    module.UMAP = Reducer
    monkeypatch.setitem(sys.modules, "umap", module)
    display = LatentMapDisplay.from_predictions(NUMBERS, method="umap", random_state=3)
    np.testing.assert_array_equal(display.points, NUMBERS[:, :2] * 2)
    assert display.axis_names == ("first axis of UMAP", "second axis of UMAP")
    assert Reducer.last == {"n_neighbors": 15, "random_state": 3, "n_jobs": 1}
    LatentMapDisplay.from_predictions(NUMBERS[:6], method="umap")
    assert Reducer.last["n_neighbors"] == 5
    with pytest.raises(ValueError, match="at least 5 rows; got 3"):
        LatentMapDisplay.from_predictions(NUMBERS[:3], method="umap")


def test_without_umap_it_says_how_to_install_it(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "umap":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install umap-learn"):
        LatentMapDisplay.from_predictions(NUMBERS, method="umap")


@pytest.mark.parametrize(
    "rows",
    [
        X,
        X[["size"]],
        X[["colour"]],
        X[["day"]],
        X.iloc[:3],
        X.iloc[:1],
        pl.from_pandas(X),
        NUMBERS,
        NUMBERS.tolist(),
        NUMBERS.astype(np.float32),
        X.to_numpy(dtype=object),
    ],
    ids=lambda rows: type(rows).__name__,
)
def test_the_table_stands_beside_whatever_it_holds(rows):
    fitted = rows if len(rows) > 1 else X
    encoder = quick(AutoencoderTransformer, latent_dim=2).fit(fitted)
    display = LatentMapDisplay.from_estimator(encoder, rows, beside="pca")
    assert display.points.shape == display.beside.shape == (len(rows), 2)
    assert np.isfinite(display.beside).all() and len(display.axes_) == 2
    assert display.beside_names[0].startswith("first principal component")


def test_components_of_numbers_are_those_of_standardised_columns():
    encoder = quick(AutoencoderTransformer, latent_dim=2).fit(NUMBERS)
    display = LatentMapDisplay.from_estimator(encoder, NUMBERS, beside="pca")
    wanted = make_pipeline(StandardScaler(), PCA(2)).fit_transform(NUMBERS)
    np.testing.assert_allclose(np.abs(display.beside), np.abs(wanted), atol=1e-9)


def test_components_of_categories_are_those_of_their_levels():
    rare = pd.DataFrame({"level": ["a"] * 30 + ["b"] * 10})
    display = LatentMapDisplay.from_predictions(np.arange(40.0), X=rare)
    # Both indicators together vary by the number of levels less one, whatever their shares.
    assert display.beside[:, 0].var() == pytest.approx(1.0)
    assert len(np.unique(display.beside[:, 0].round(9))) == 2


def test_numbers_that_are_categories_count_as_such():
    table = np.array([[k % 3, k] for k in range(30)], dtype=float)
    rows = Table(categorical_features=[0])
    as_levels = quick(AutoencoderTransformer, latent_dim=2, rows=rows).fit(table)
    as_numbers = quick(AutoencoderTransformer, latent_dim=2).fit(table)
    levels, numbers = (
        LatentMapDisplay.from_estimator(encoder, table, beside="pca").beside
        for encoder in (as_levels, as_numbers)
    )
    assert not np.allclose(levels, numbers)


def test_images_are_flattened_and_tokens_refused():
    images = np.random.RandomState(0).rand(12, 1, 4, 4)
    encoder = quick(AutoencoderTransformer, latent_dim=2, rows=Images((1, 4, 4))).fit(images)
    assert LatentMapDisplay.from_estimator(encoder, images, beside="pca").beside.shape == (12, 2)
    ids = np.random.RandomState(0).randint(1, 6, (20, 5))
    encoder = quick(AutoencoderTransformer, latent_dim=2, rows=Tokens(6)).fit(ids)
    assert LatentMapDisplay.from_estimator(encoder, ids).points.shape == (20, 2)
    with pytest.raises(ValueError, match="token ids"):
        LatentMapDisplay.from_estimator(encoder, ids, beside="pca")


@pytest.mark.parametrize(
    "y",
    [CLASSES, CLASSES.tolist(), pd.Series(CLASSES, name="kind"), pl.Series("kind", CLASSES)],
    ids=lambda y: type(y).__module__.split(".")[0],
)
def test_classes_have_a_colour_and_a_marker_each(y):
    display = LatentMapDisplay.from_predictions(NUMBERS[:, :2], y)
    np.testing.assert_array_equal(display.y, CLASSES)
    (points,) = display.points_
    assert [one.get_label() for one in points] == ["a", "b", "c", "d"]
    for name, one in zip("abcd", points, strict=True):
        np.testing.assert_array_equal(one.get_offsets(), NUMBERS[name == CLASSES, :2])
    assert len({tuple(one.get_facecolor()[0]) for one in points}) == 4
    legend = display.ax_.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b", "c", "d"]
    assert legend.get_title().get_text() == ("kind" if hasattr(y, "name") else "")


def test_many_classes_are_the_frequent_ones_and_the_others():
    y = np.repeat([f"class {k:02}" for k in range(15)], np.arange(1, 16))
    display = LatentMapDisplay.from_predictions(np.zeros((120, 2)), y)
    names = [one.get_label() for one in display.points_[0]]
    assert names == [*(f"class {k:02}" for k in range(6, 15)), "6 other classes"]
    assert sum(len(one.get_offsets()) for one in display.points_[0]) == 120


def test_classes_that_are_missing_say_so():
    y = pd.Series(CLASSES).mask(np.arange(40) < 5)
    names = [one.get_label() for one in LatentMapDisplay.from_predictions(NUMBERS, y).points_[0]]
    assert names == ["a", "b", "c", "d", "no label"]


def test_numbers_are_colours_of_a_scale():
    y = pd.Series(NUMBERS[:, 0], name="weight").mask(np.arange(40) < 5)
    display = LatentMapDisplay.from_predictions(NUMBERS[:, :2], y)
    missing, known = display.points_[0]
    np.testing.assert_array_equal(known.get_array(), NUMBERS[5:, 0])
    assert len(missing.get_offsets()) == 5
    assert display.figure_.axes[-1].get_ylabel() == "weight, grey: missing"


def test_whole_numbers_are_classes_where_they_are_few():
    few = LatentMapDisplay.from_predictions(NUMBERS, np.arange(40) % 3)
    many = LatentMapDisplay.from_predictions(NUMBERS, np.arange(40))
    assert [one.get_label() for one in few.points_[0]] == ["0", "1", "2"]
    assert len(many.points_[0]) == 1 and many.points_[0][0].get_array() is not None


def test_of_many_rows_some_are_drawn_the_same_each_time():
    encoder = quick(AutoencoderTransformer, latent_dim=2).fit(X)
    state = np.random.get_state()[1].copy()
    one, two = (
        LatentMapDisplay.from_estimator(encoder, X, CLASSES, subsample=15) for _ in range(2)
    )
    assert one.points.shape == (15, 2) and (np.diff(one.rows) > 0).all()
    np.testing.assert_array_equal(one.rows, two.rows)
    np.testing.assert_array_equal(one.points, two.points)
    np.testing.assert_array_equal(one.points, encoder.transform(X)[one.rows])
    np.testing.assert_array_equal(one.y, CLASSES[one.rows])
    np.testing.assert_array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize(
    "around",
    [
        lambda encoder: FrozenEstimator(encoder.fit(NUMBERS)),
        lambda encoder: make_pipeline(StandardScaler(), encoder).fit(NUMBERS),
        lambda encoder: make_pipeline(encoder, LogisticRegression()).fit(NUMBERS, CLASSES),
        lambda encoder: EncoderClassifier(encoder).fit(NUMBERS, CLASSES),
        lambda encoder: make_pipeline(StandardScaler(), EncoderClassifier(encoder)).fit(
            NUMBERS, CLASSES
        ),
    ],
)
@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
def test_codes_are_found_within_other_estimators(around, output):
    encoder = quick(AutoencoderTransformer, latent_dim=2).set_output(transform=output)
    display = LatentMapDisplay.from_estimator(around(encoder), NUMBERS, CLASSES, beside="pca")
    assert display.points.shape == display.beside.shape == (40, 2)


def test_codes_alone_draw_the_same():
    encoder = quick(AutoencoderTransformer).fit(X)
    fitted = LatentMapDisplay.from_estimator(encoder, X, CLASSES, beside="pca")
    codes = encoder.transform(X)
    for given in (codes, pd.DataFrame(codes), pl.DataFrame(codes), codes.tolist()):
        display = LatentMapDisplay.from_predictions(given, CLASSES, X=X)
        np.testing.assert_allclose(display.points, fitted.points, atol=1e-12)
        np.testing.assert_array_equal(display.beside, fitted.beside)
        assert display.axis_names == fitted.axis_names


def test_errors_say_what_is_wanted():
    encoder = quick(AutoencoderTransformer).fit(X)
    with pytest.raises(NotFittedError):
        LatentMapDisplay.from_estimator(AutoencoderTransformer(), X)
    with pytest.raises(TypeError, match="OutlierDetector does not"):
        LatentMapDisplay.from_estimator(OutlierDetector(), X)
    with pytest.raises(ValueError, match="0 sample"):
        LatentMapDisplay.from_estimator(encoder, X.iloc[:0])
    with pytest.raises(ValueError, match="feature names"):
        LatentMapDisplay.from_estimator(encoder, X.iloc[:, :2])
    with pytest.raises(ValueError, match="each of the 40 rows; got shape"):
        LatentMapDisplay.from_estimator(encoder, X, CLASSES[:3])
    with pytest.raises(ValueError, match='"pca" or "umap"'):
        LatentMapDisplay.from_estimator(encoder, X, method="tsne")
    with pytest.raises(ValueError, match="beside must be"):
        LatentMapDisplay.from_estimator(encoder, X, beside="umap")
    with pytest.raises(ValueError, match="with NaN or inf"):
        LatentMapDisplay.from_predictions([[np.nan, 1.0]])
    with pytest.raises(ValueError, match="a row for each row of codes, 40; it has 3"):
        LatentMapDisplay.from_predictions(NUMBERS, X=X.iloc[:3])
