"""ReconstructionDisplay: images and cells, what is decoded and the errors between them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from mixed_table import mixed
from quick import quick
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.inspection import ReconstructionDisplay
from sklearn_replearn.rows import Images, Table

X = mixed()
NUMBERS = np.random.RandomState(0).normal(size=(20, 12))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    "transformer", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
)
def test_cells_their_reconstruction_and_errors(transformer):
    encoder = quick(transformer).fit(X)
    display = ReconstructionDisplay.from_estimator(encoder, X, n_rows=5)
    np.testing.assert_array_equal(display.error, encoder.reconstruction_error(X.iloc[:5]))
    decoded = encoder.inverse_transform(encoder.transform(X.iloc[:5]))
    np.testing.assert_array_equal(display.reconstruction["size"], decoded["size"])
    np.testing.assert_array_equal(display.original["size"], X["size"].iloc[:5])
    assert list(display.reconstruction["colour"]) == list(decoded["colour"])
    assert list(display.reconstruction["day"]) == list(decoded["day"])
    np.testing.assert_array_equal(display.image_.get_array(), display.error.T)
    assert display.image_.get_array().mask[0, 0]  # a cell that is missing


def test_each_cell_says_both_values():
    encoder = quick(AutoencoderTransformer).fit(X)
    display = ReconstructionDisplay.from_estimator(encoder, X, n_rows=4)
    texts = [text.get_text() for text in display.ax_.texts]
    decoded = encoder.inverse_transform(encoder.transform(X.iloc[:4]))
    assert len(texts) == 4 * 6
    assert texts[0] == f"missing\n{decoded['size'].iloc[0]:.4g}"
    assert texts[-1] == f"{X['day'].iloc[3]:%Y-%m-%d}\n{decoded['day'].iloc[3]:%Y-%m-%d}"
    assert [tick.get_text() for tick in display.ax_.get_yticklabels()] == list(X.columns)


@pytest.mark.parametrize(
    "rows",
    [X[["size"]], X[["colour"]], X.iloc[:3], pl.from_pandas(X), NUMBERS, NUMBERS[:3].tolist()],
    ids=lambda rows: type(rows).__name__,
)
def test_any_table_is_drawn(rows):
    encoder = quick(AutoencoderTransformer).fit(rows)
    display = ReconstructionDisplay.from_estimator(encoder, rows)
    n_rows, n_columns = min(8, len(rows)), np.shape(rows)[1]
    assert display.original.shape == display.reconstruction.shape == (n_rows, n_columns)
    assert display.error.shape == (n_rows, n_columns)
    display.figure_.draw_without_rendering()


def test_of_a_wide_table_the_columns_of_the_largest_errors_are_drawn():
    encoder = quick(AutoencoderTransformer).fit(NUMBERS)
    display = ReconstructionDisplay.from_estimator(encoder, NUMBERS, n_columns=3)
    assert set(display.shown) == set(np.argsort(display.error.mean(axis=0))[-3:])
    assert display.ax_.get_title() == "the 3 of 12 columns with the largest errors"
    assert display.error.shape == (8, 12)


def test_many_rows_have_colours_and_no_text():
    encoder = quick(AutoencoderTransformer).fit(X)
    display = ReconstructionDisplay.from_estimator(encoder, X, n_rows=40)
    assert len(display.ax_.texts) == 0 and display.image_.get_array().shape == (6, 40)


def test_numbers_that_are_categories_are_written_as_levels():
    table = np.array([[k % 3, k] for k in range(12)], dtype=float)
    encoder = quick(AutoencoderTransformer, rows=Table(categorical_features=[0])).fit(table)
    display = ReconstructionDisplay.from_estimator(encoder, table, n_rows=3)
    assert list(display.original["x0"]) == ["0", "1", "2"]


@pytest.mark.parametrize("shape", [(3, 4), (1, 3, 4), (3, 4, 1), [3, 4]])
def test_flat_rows_are_images_of_a_shape(shape):
    encoder = quick(AutoencoderTransformer).fit(NUMBERS)
    display = ReconstructionDisplay.from_estimator(encoder, NUMBERS, n_rows=4, image_shape=shape)
    np.testing.assert_array_equal(display.original, NUMBERS[:4].reshape(4, 3, 4))
    decoded = encoder.inverse_transform(encoder.transform(NUMBERS[:4]))
    np.testing.assert_array_equal(display.reconstruction, decoded.reshape(4, 3, 4))
    assert display.error is None and len(display.axes_) == len(display.images_) == 8
    assert {image.get_clim() for image in display.images_} == {
        (NUMBERS[:4].min(), NUMBERS[:4].max())
    }


@pytest.mark.parametrize(("channels", "shape"), [(1, (4, 4)), (3, (4, 4, 3))])
def test_rows_that_are_images_say_their_shape(channels, shape):
    images = np.random.RandomState(0).rand(10, channels, 4, 4)
    encoder = quick(AutoencoderTransformer, rows=Images((channels, 4, 4))).fit(images)
    display = ReconstructionDisplay.from_estimator(encoder, images, n_rows=2)
    assert display.original.shape == display.reconstruction.shape == (2, *shape)
    wanted = np.moveaxis(images[:2], 1, -1).reshape(2, *shape)
    np.testing.assert_allclose(display.original, wanted)


def test_rows_and_reconstructions_of_any_model_are_drawn():
    pca = PCA(2).fit(NUMBERS)
    decoded = pca.inverse_transform(pca.transform(NUMBERS))
    display = ReconstructionDisplay.from_predictions(NUMBERS, decoded, n_rows=4)
    wanted = (NUMBERS - decoded) ** 2 / NUMBERS.var(axis=0)
    np.testing.assert_allclose(display.error, wanted[:4])
    pipeline = make_pipeline(StandardScaler(), pca).fit(NUMBERS)
    fitted = ReconstructionDisplay.from_estimator(pipeline, NUMBERS)
    assert fitted.error.shape == (8, 12)
    images = ReconstructionDisplay.from_predictions(NUMBERS, decoded, image_shape=(3, 4))
    assert images.original.shape == (8, 3, 4)


def test_categories_of_any_model_are_right_or_wrong():
    real = pd.DataFrame({"a": ["x", "y", None], "b": [1.0, 2.0, 3.0]})
    made = pd.DataFrame({"a": ["x", "x", "x"], "b": [1.0, 2.0, 2.0]})
    display = ReconstructionDisplay.from_predictions(real, made)
    np.testing.assert_allclose(display.error, [[0, 0], [1, 0], [np.nan, 1.5]])
    given = ReconstructionDisplay.from_predictions(real, made, error=np.ones((3, 2)))
    assert (given.error == 1).all()


def test_errors_say_what_is_wanted():
    encoder = quick(AutoencoderTransformer).fit(X)
    with pytest.raises(NotFittedError):
        ReconstructionDisplay.from_estimator(AutoencoderTransformer(), X)
    with pytest.raises(TypeError, match="KMeans does not"):
        ReconstructionDisplay.from_estimator(KMeans(2).fit(NUMBERS), NUMBERS)
    with pytest.raises(ValueError, match="0 sample"):
        ReconstructionDisplay.from_estimator(encoder, X.iloc[:0])
    with pytest.raises(ValueError, match="feature names"):
        ReconstructionDisplay.from_estimator(encoder, X.iloc[:, :2])
    with pytest.raises(ValueError, match="n_rows must be at least 1"):
        ReconstructionDisplay.from_estimator(encoder, X, n_rows=0)
    with pytest.raises(ValueError, match=r"of 12 numbers, the width of a row; got \(5, 5\)"):
        ReconstructionDisplay.from_predictions(NUMBERS, NUMBERS, image_shape=(5, 5))
    with pytest.raises(ValueError, match="same columns"):
        ReconstructionDisplay.from_predictions(NUMBERS, NUMBERS[:, :3])
    with pytest.raises(ValueError, match="a number for each cell"):
        ReconstructionDisplay.from_predictions(NUMBERS, NUMBERS, error=[[1.0]])
