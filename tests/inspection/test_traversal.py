"""What each code does: rows decoded along it."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from inspected_tables import mixed_table
from quick import quick
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.inspection import TraversalDisplay, code_traversal
from sklearn_replearn.rows import Images, Table, Tokens

OURS = (AutoencoderTransformer, VAETransformer, ContrastiveTransformer)


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_the_other_codes_are_at_their_mean():
    X = np.random.RandomState(0).normal(size=(50, 3)) * [3, 2, 1] + 5
    pca = PCA(3).fit(X)
    along = code_traversal(pca, X, n_steps=5, width=1.5)
    assert along.shape == (3, 5, 3)
    codes = pca.transform(along.reshape(-1, 3)).reshape(3, 5, 3)
    spread = pca.transform(X).std(axis=0)
    for j in range(3):
        wanted = np.zeros((5, 3))
        wanted[:, j] = np.linspace(-1.5, 1.5, 5) * spread[j]
        np.testing.assert_allclose(codes[j], wanted, atol=1e-9)


@pytest.mark.parametrize("cls", OURS)
def test_tables_of_all_transformers(cls):
    frame = mixed_table(40)
    fitted = quick(cls).fit(frame)
    table = code_traversal(fitted, frame, codes=[2, 0], n_steps=3)
    assert table.index.names == ["code", "deviations"]
    assert table.index.tolist() == [(c, d) for c in (2, 0) for d in (-2.0, 0.0, 2.0)]
    pd.testing.assert_series_equal(table.dtypes, frame.dtypes)
    assert table.loc[(2, 0.0)].tolist() == table.loc[(0, 0.0)].tolist()
    display = TraversalDisplay.from_estimator(fitted, frame, codes=[2, 0], n_steps=3)
    assert display.codes == ["code 2", "code 0"] and display.columns == frame.columns.tolist()
    assert display.changes.shape == display.levels.shape == (2, 3, 5)
    # At the mean nothing has changed; numbers have no levels, and levels are those decoded.
    assert (display.changes[:, 1] == 0).all()
    sizes = (table["size"] - table["size"].iloc[1]) / frame["size"].std(ddof=0)
    np.testing.assert_allclose(display.changes[..., 0].ravel(), sizes)
    days = (table["day"] - table["day"].iloc[1]) / frame["day"].std(ddof=0)
    np.testing.assert_allclose(display.changes[..., 3].ravel(), days, rtol=1e-6)
    assert (display.levels[..., 0] == "").all()
    assert display.levels[..., 2].ravel().tolist() == table["kind"].tolist()
    assert display.levels[..., 4].ravel().tolist() == table["sold"].astype(str).tolist()


def test_a_table_of_polars_and_the_names_of_its_columns():
    frame = pl.DataFrame({"code": [1.0, 2.0, 4.0], "kind": ["a", "b", "a"]})
    fitted = quick(VAETransformer, latent_dim=1).fit(frame)
    table = code_traversal(fitted, frame, n_steps=2)
    assert isinstance(table, pl.DataFrame)
    assert table.columns == ["code of traversal", "deviations", "code", "kind"]
    display = TraversalDisplay.from_estimator(fitted, frame)
    assert display.columns == ["code", "kind"] and display.changes.shape == (1, 7, 2)


@pytest.mark.parametrize("X", [np.arange(12.0)[:, None], np.eye(3)], ids=["1 column", "3 rows"])
def test_small_tables(X):
    fitted = quick(AutoencoderTransformer, latent_dim=2).fit(X)
    display = TraversalDisplay.from_estimator(fitted, X)
    assert display.changes.shape == (2, 7, X.shape[1])
    assert np.isfinite(display.changes).all()


def test_codes_that_change_most_come_first():
    X = np.random.RandomState(0).normal(size=(50, 4)) * [1, 4, 2, 3]
    pca = PCA(4).fit(X)
    flipped = FunctionTransformer(
        lambda Z: pca.transform(Z)[:, ::-1], lambda Z: pca.inverse_transform(Z[:, ::-1])
    ).fit(X)
    images = np.abs(X)
    display = TraversalDisplay.from_estimator(flipped, images, image_shape=(2, 2), max_codes=2)
    assert display.images.shape == (2, 7, 2, 2)
    assert display.codes[0] == "code 3"
    assert len(display.ax_.get_yticks()) == 2


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 4, 4)])
def test_images(shape):
    X = np.random.RandomState(0).uniform(size=(20, *shape))
    fitted = quick(AutoencoderTransformer, latent_dim=2, rows=Images(shape)).fit(X)
    display = TraversalDisplay.from_estimator(fitted, X, n_steps=3)
    channels = () if shape[0] == 1 else (3,)
    assert display.images.shape == (2, 3, 4, 4, *channels)
    # Images of flat rows are told by rows=, those of others by image_shape.
    flat = X.reshape(20, -1)
    fitted = quick(AutoencoderTransformer, latent_dim=2, rows=Images(shape)).fit(flat)
    assert TraversalDisplay.from_estimator(fitted, flat).images.shape[2:] == (4, 4, *channels)
    plain = make_pipeline(StandardScaler(), PCA(2)).fit(flat)
    display = TraversalDisplay.from_estimator(plain, flat, image_shape=shape)
    along = code_traversal(plain, flat)
    again = TraversalDisplay.from_predictions(along, image_shape=shape)
    assert display.images.shape == again.images.shape == (2, 7, 4, 4, *channels)
    for images in (display.images, again.images):
        order = [int(name.split()[1]) for name in display.codes]
        of_code = images if images is display.images else images[order]
        wanted = along[order].reshape(2, 7, *shape)
        wanted = wanted[:, :, 0] if shape[0] == 1 else np.moveaxis(wanted, 2, -1)
        np.testing.assert_allclose(of_code, wanted)


def test_from_what_traverse_gives():
    frame = mixed_table(30)
    vae = quick(VAETransformer).fit(frame)
    along = [vae.traverse(frame[:1], j, n_steps=5) for j in range(3)]
    display = TraversalDisplay.from_predictions(along, frame)
    assert display.changes.shape == (3, 5, 5)
    np.testing.assert_array_equal(display.changes[0, 2], 0)
    sizes = (along[1]["size"] - along[0]["size"].iloc[2]) / frame["size"].std(ddof=0)
    np.testing.assert_allclose(display.changes[1, :, 0], sizes)
    polars = [pl.from_pandas(table) for table in along]
    np.testing.assert_allclose(
        TraversalDisplay.from_predictions(polars, frame).changes, display.changes, rtol=1e-6
    )


@pytest.mark.parametrize("rows", [Table(categorical_features=[0, 1]), Tokens(5)], ids=str)
def test_whole_numbers_that_are_categories(rows):
    X = np.random.RandomState(0).randint(0, 5, size=(30, 2))
    fitted = quick(AutoencoderTransformer, rows=rows).fit(X)
    display = TraversalDisplay.from_estimator(fitted, X, n_steps=3)
    assert np.isin(display.levels, list("01234")).all()
    along = code_traversal(fitted, X, codes=[int(display.codes[0][-1])], n_steps=3)
    np.testing.assert_array_equal(display.levels[0].astype(float), along[0])


def test_of_many_columns_those_that_change_most():
    X = np.random.RandomState(0).normal(size=(40, 30)) * np.r_[np.ones(25), np.zeros(5)]
    display = TraversalDisplay.from_estimator(PCA(2).fit(X), X)
    assert display.changes.shape[2] == 30 and (display.changes[..., 25:] == 0).all()
    assert display.image_.get_array().shape == (24, 2 * 7 + 1)
    assert "6 other columns" in display.ax_.get_xlabel()
    figure, ax = plt.subplots()
    assert display.plot(ax=ax, max_columns=3) is display
    assert display.ax_ is ax and display.figure_ is figure


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"codes": [5]}, "0 to 1"),
        ({"codes": []}, "codes"),
        ({"n_steps": 1}, "n_steps"),
        ({"width": 0}, "width"),
        ({"image_shape": (2, 2)}, "3 numbers"),
        ({"max_codes": 0}, "max_codes"),
    ],
)
def test_bad_input_is_refused(kwargs, message):
    X = np.random.RandomState(0).normal(size=(9, 3))
    with pytest.raises(ValueError, match=message):
        TraversalDisplay.from_estimator(PCA(2).fit(X), X, **kwargs)


def test_what_cannot_decode_is_refused():
    class Encoder(FunctionTransformer):
        inverse_transform = property()

    with pytest.raises(TypeError, match="inverse_transform"):
        code_traversal(Encoder().fit([[1.0]]), [[1.0], [2.0]])
    with pytest.raises(ValueError, match="as many steps"):
        TraversalDisplay.from_predictions([np.zeros((2, 3)), np.zeros((3, 3))])
    with pytest.raises(ValueError, match="deviations"):
        TraversalDisplay.from_predictions([np.zeros((2, 3))], deviations=[1.0])


@pytest.mark.parametrize("library", ["pandas", "polars", "clashing names", "array"])
def test_what_code_traversal_gives_is_drawn(library):
    X = mixed_table(40)[["size", "twice", "kind"]]
    if library == "clashing names":
        X = pl.from_pandas(X.set_axis(["code", "deviations", "kind"], axis=1))
    elif library == "polars":
        X = pl.from_pandas(X)
    elif library == "array":
        X = X[["twice"]].to_numpy()
    encoder = VAETransformer(latent_dim=3, max_epochs=2).fit(X)
    asked = {"n_steps": 5, "width": 1.5, "codes": [2, 0]}
    expected = TraversalDisplay.from_estimator(encoder, X, n_steps=5, width=1.5, codes=[2, 0])
    drawn = code_traversal(encoder, X, **asked)
    shown = {"deviations": expected.deviations} if library == "array" else {}
    display = TraversalDisplay.from_predictions(drawn, X, **shown)
    assert np.array_equal(display.deviations, expected.deviations)
    assert display.columns == expected.columns
    assert np.array_equal(display.changes, expected.changes)
    assert np.array_equal(display.levels, expected.levels)
    if library != "array":
        assert display.codes == expected.codes == ["code 2", "code 0"]
