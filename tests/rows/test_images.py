"""Transformers on images: what all three promise, and what only images ask for."""

import copy
import io
import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from quick import quick
from repeatability import global_state, weights
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from skorch.callbacks import Callback
from torch import nn

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.augmentations import RandomHorizontalFlip
from sklearn_replearn.rows import Images, Tokens

SHAPE = (1, 8, 8)
TRANSFORMERS = [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
all_transformers = pytest.mark.parametrize("cls", TRANSFORMERS)
pytestmark = [
    pytest.mark.filterwarnings("ignore:The codes collapsed"),
    # Raised by scikit-learn, where a test passes arrays after frames or frames after arrays.
    pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names"),
]


def small(cls, **params):
    return quick(cls, **{"rows": Images(SHAPE), **params})


@pytest.fixture(scope="module")
def X(digits):
    return digits[0][:40]


# ---------------------------------------------------------------- containers


def forms(X):
    bytes_ = X.astype(np.uint8)
    return {
        "rows": X,
        "float32": X.astype(np.float32),
        "uint8": bytes_,
        "frame": pd.DataFrame(X, columns=[f"pixel{j}" for j in range(64)]),
        "frame of uint8": pd.DataFrame(bytes_, columns=[f"pixel{j}" for j in range(64)]),
        "images": X.reshape(-1, *SHAPE),
        "images of uint8": bytes_.reshape(-1, *SHAPE),
        "lists of rows": X.tolist(),
        "lists of images": X.reshape(-1, *SHAPE).tolist(),
        "lists of arrays": list(X.reshape(-1, *SHAPE)),
    }


@all_transformers
def test_the_form_of_the_images_does_not_matter(cls, X):
    expected = small(cls, max_epochs=1).fit(X)
    codes = expected.transform(X)
    for form, same in forms(X).items():
        fitted = small(cls, max_epochs=1).fit(same)
        assert weights(fitted) == weights(expected), form
        assert fitted.transform(same) == pytest.approx(codes, abs=1e-6), form
        again = fitted.transform(X.reshape(-1, *SHAPE))
        assert np.array_equal(again, codes), form  # fitted on one form, used on another


@all_transformers
def test_images_come_back_in_the_form_of_fit(cls, X):
    rows = small(cls, max_epochs=1).fit(X)
    codes = rows.transform(X)
    expected = rows.inverse_transform(codes).clip(0)  # as bytes are
    assert expected.shape == X.shape
    for form, same in forms(X).items():
        back = small(cls, max_epochs=1).fit(same).inverse_transform(codes)
        frame, stacked = "frame" in form, "images" in form or "arrays" in form
        assert isinstance(back, pd.DataFrame) == frame, form
        assert back.shape == ((40, *SHAPE) if stacked else X.shape), form
        if frame:
            assert (back.dtypes == same.dtypes).all(), form
        rounded = "uint8" in form
        values = np.asarray(back, dtype=float).reshape(X.shape).clip(0)
        assert values == pytest.approx(expected, abs=0.5001 if rounded else 1e-5), form


@all_transformers
def test_arrays_of_bytes_come_back_as_bytes(cls, X):
    images = X.astype(np.uint8).reshape(-1, *SHAPE)
    fitted = small(cls).fit(images)
    assert fitted.inverse_transform(fitted.transform(images)).dtype == np.uint8


@all_transformers
def test_impute_leaves_whole_images_as_they_are(cls, X):
    images = X.reshape(-1, *SHAPE)
    fitted = small(cls).fit(images)
    assert np.array_equal(fitted.impute(images[:5]), images[:5])


@all_transformers
def test_copies_give_the_same_codes(cls, X):
    fitted = small(cls).fit(X.reshape(-1, *SHAPE))
    codes, buffer = fitted.transform(X), io.BytesIO()
    joblib.dump(fitted, buffer)
    buffer.seek(0)
    for other in (pickle.loads(pickle.dumps(fitted)), joblib.load(buffer), copy.deepcopy(fitted)):
        assert np.array_equal(other.transform(X), codes)
        assert np.array_equal(other.inverse_transform(codes), fitted.inverse_transform(codes))
        assert other.inverse_transform(codes).shape == (40, *SHAPE)
    assert not hasattr(clone(fitted), "_model")
    assert weights(clone(fitted).fit(X)) == weights(fitted)


@all_transformers
def test_frames_and_names_come_out(cls, X):
    fitted = small(cls).set_output(transform="pandas").fit(X)
    codes = fitted.transform(X)
    names = [f"{cls.__name__.lower()}{j}" for j in range(3)]
    assert codes.columns.tolist() == fitted.get_feature_names_out().tolist() == names


@all_transformers
def test_a_grid_search_over_a_pipeline_takes_images(cls, digits):
    X, y = digits[0][:150], digits[1][:150]
    pipe = Pipeline([("enc", small(cls)), ("clf", LogisticRegression(max_iter=500))])
    grid = {"enc__latent_dim": [1, 12]}
    search = GridSearchCV(pipe, grid, cv=2).fit(X.reshape(-1, *SHAPE), y)
    worse, better = search.cv_results_["mean_test_score"]
    assert better > worse
    assert (search.predict(X) == y).mean() > better  # of rows that it has seen


# ---------------------------------------------------------------- the same model each time


@all_transformers
def test_neither_the_order_of_images_nor_threads_matter(cls, X):
    order = np.random.default_rng(1).permutation(len(X))
    for params in ({}, {"early_stopping": True}):
        expected = weights(small(cls, **params).fit(X))
        with ThreadPoolExecutor(2) as pool:
            orders = (X[order], X[::-1])
            fits = list(pool.map(lambda rows, p=params: weights(small(cls, **p).fit(rows)), orders))
        assert fits == [expected] * 2


@all_transformers
def test_weight_two_is_a_repeated_image(cls, X):
    counts = np.random.default_rng(1).integers(0, 3, size=len(X))
    weighted = small(cls).fit(X, sample_weight=counts)
    assert weights(weighted) == weights(small(cls).fit(np.repeat(X, counts, axis=0)))
    assert weights(weighted) != weights(small(cls).fit(X))


@all_transformers
def test_warm_start_goes_on(cls, X):
    once = small(cls, warm_start=True, lr_schedule=None, max_epochs=8).fit(X)
    losses = once.history_["train_reconstruction"]
    first, last = losses.iloc[0], losses.iloc[-1]
    again = once.fit(X.reshape(-1, *SHAPE)).history_["train_reconstruction"]
    assert len(again) == 16
    assert abs(again.iloc[8] - last) < abs(first - last)
    with pytest.raises(ValueError, match="rows changed since, from"):
        once.set_params(rows=Images((1, 4, 16))).fit(X)
    assert once.n_iter_ == 16


class Failing(Callback):
    def on_batch_end(self, net, **kwargs):
        random.random(), np.random.rand(), torch.rand(())
        raise ZeroDivisionError


@all_transformers
def test_global_generators_stay_as_they_were(cls, X):
    before = global_state()
    fitted = small(cls).fit(X)
    fitted.score(X)
    fitted.inverse_transform(fitted.transform(X))
    with pytest.raises(ZeroDivisionError):
        small(cls, callbacks=[Failing()]).fit(X)
    assert global_state() == before


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 4, 8), (1, 1, 64), (4, 4, 4)], ids=str)
@all_transformers
def test_an_image_does_not_depend_on_its_neighbours(cls, shape, digits):
    X = digits[0][:150]
    fitted = small(cls, rows=Images(shape), latent_dim=5, max_epochs=1).fit(X)
    codes, scores = fitted.transform(X), fitted.score_samples(X)
    back = fitted.inverse_transform(codes)
    for some in ([0], [149], range(5, 8), [7, 3, 60], range(30, 130)):
        some = list(some)
        assert np.array_equal(fitted.transform(X[some]), codes[some])
        assert np.array_equal(fitted.score_samples(X[some]), scores[some])
        assert np.array_equal(fitted.inverse_transform(codes[some]), back[some])


# ---------------------------------------------------------------- small and odd images

R = np.random.default_rng(0)
ODD = {
    "2 images": ((1, 8, 8), R.random((2, 64)), {}),
    "3 images": ((1, 8, 8), R.random((3, 64)), {}),
    "one image twice": ((1, 8, 8), np.tile(R.random((1, 64)), (2, 1)), {}),
    "constant": ((1, 4, 4), np.full((5, 16), 7.0), {}),
    "1 x 1": ((1, 1, 1), R.random((9, 1)), {}),
    "2 x 3 x 5": ((2, 3, 5), R.random((9, 30)), {}),
    "fewer than a batch": ((1, 8, 8), R.random((9, 64)), {"batch_size": 100}),
    "last batch of one": ((1, 8, 8), R.random((9, 64)), {"batch_size": 4}),
    "batches of one": ((1, 8, 8), R.random((5, 64)), {"batch_size": 1}),
    "three channels": ((3, 4, 4), R.random((9, 48)), {}),
    "a wide strip": ((1, 1, 40), R.random((9, 40)), {}),
    "negative": ((1, 4, 4), R.normal(size=(9, 16)) * 1e3, {}),
}


@pytest.mark.parametrize("odd", ODD)
@all_transformers
def test_small_and_odd_images_work(cls, odd):
    shape, X, params = ODD[odd]
    fitted = small(cls, rows=Images(shape), **params).fit(X)
    codes = fitted.transform(X)
    back = fitted.inverse_transform(codes)
    assert codes.shape == (len(X), 3)
    assert np.isfinite(codes).all()
    assert back.shape == X.shape
    scores = fitted.score_samples(X)
    assert np.isfinite(scores).all()
    assert fitted.score(X) == pytest.approx(scores.mean())
    assert np.array_equal(fitted.score_samples(X[-1:]), scores[-1:])
    # Decoders of images say nothing beyond the range of fit.
    span = max(np.ptp(X), 1.0)
    assert back.min() >= X.min() - span
    assert back.max() <= X.max() + span
    images = X.reshape(-1, *shape)
    assert np.array_equal(fitted.transform(images), codes)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rows": Images((8, 8))}, r"three whole numbers.*got \(8, 8\)"),
        ({"rows": Images((1, 1, 8, 8))}, r"three whole numbers.*got \(1, 1, 8, 8\)"),
        ({"rows": Images((0, 8, 8))}, r"of at least 1.*got \(0, 8, 8\)"),
        ({"rows": Images((1, 8.0, 8))}, r"three whole numbers.*got \(1, 8.0, 8\)"),
        ({"rows": Images((1, 7, 8))}, r"has 56 numbers in a row; the rows have 64 columns"),
        ({"rows": Images(64)}, r"three whole numbers.*got 64"),
        ({"rows": Tokens(9)}, r"takes token ids from 0 \(padding\) to 8; the table has 16"),
        (
            {"rows": Images((1, 8, 8), scaling="standard")},
            "All pixels of images have one scale.*got 'standard'",
        ),
        (
            {"rows": Images((1, 8, 8), scaling=None)},
            "must be within 0 and 1; they go from 0 to 16",
        ),
        ({"hidden_layer_sizes": (8,)}, "Images have no hidden_layer_sizes: leave it at .auto."),
    ],
    ids=str,
)
@all_transformers
def test_bad_parameters_are_refused_and_nothing_is_changed(cls, params, message, X):
    fitted = small(cls).fit(X)
    codes = fitted.transform(X)
    fitted.set_params(**params)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match=message):
        fitted.fit(X)
    assert vars(fitted) == before
    assert np.array_equal(fitted.transform(X), codes)


def with_nan(X):
    X = X.copy()
    X[3, 5] = np.nan
    return X


def with_text(X):
    return pd.DataFrame(X).rename(columns=str).assign(**{"5": "dark"})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda X: np.tile(X.reshape(-1, 8, 8, 1), 1), "Channels come first.*transpose"),
        (lambda X: X.reshape(-1, 8, 8), r"got shape \(40, 8, 8\)"),
        (lambda X: X.reshape(-1, 1, 4, 16), r"got shape \(40, 1, 4, 16\)"),
        (lambda X: X.reshape(-1, 8, 8).tolist(), r"got shape \(40, 8, 8\)"),
        (with_nan, "no cell may be missing; NaN is in"),
        (lambda X: with_nan(X).reshape(-1, *SHAPE), "no cell may be missing; NaN is in"),
        (sparse.csr_matrix, "array of numbers; got a sparse matrix"),
        (with_text, "text or categories|numbers"),
        (lambda X: np.where(X == 3, np.inf, X), "infinite"),
        (lambda X: X[:, :60], "60"),
    ],
    ids=[
        "channels last",
        "no channels",
        "another shape",
        "lists of another shape",
        "nan",
        "nan in images",
        "sparse",
        "text",
        "infinite",
        "too few",
    ],
)
@all_transformers
def test_bad_images_are_refused_in_fit_and_in_transform(cls, make, message, X):
    bad = make(X)
    fitted = small(cls).fit(X)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match=message):
        fitted.fit(bad)
    assert vars(fitted) == before
    for method in ("transform", "score_samples", "reconstruction_error"):
        with pytest.raises(ValueError):
            getattr(fitted, method)(bad)
    unfitted = small(cls)
    with pytest.raises(ValueError, match=message):
        unfitted.fit(bad)
    assert vars(unfitted) == vars(small(cls))


@all_transformers
def test_images_are_checked_without_being_changed(cls, X):
    images = X.reshape(-1, *SHAPE).copy()
    images.setflags(write=False)
    small(cls).fit(images).transform(images)
    assert np.array_equal(images.reshape(X.shape), X)


# ---------------------------------------------------------------- parts of a user's


def of_images(n_in, n_out):
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, n_out)
    )


def of_rows(n_in, n_out):
    return nn.Sequential(nn.Linear(n_in, 5), nn.ReLU(), nn.Linear(5, n_out))


@pytest.mark.parametrize("encoder", [of_images, of_rows])
@all_transformers
def test_encoders_take_images_or_rows(cls, encoder, X):
    n_out = 6 if cls is VAETransformer else 3
    codes = []
    for given in (encoder, encoder(64, n_out)):
        fitted = small(cls, encoder=given).fit(X)
        codes.append(fitted.transform(X))
        for one in (0, 39):
            single = pickle.loads(pickle.dumps(fitted)).transform(X[[one]])
            assert np.array_equal(single, codes[-1][[one]])
    assert not np.array_equal(*codes)  # modules start from their own weights


@all_transformers
def test_a_lazy_encoder_is_built_from_images(cls, X):
    n_out = 6 if cls is VAETransformer else 3
    lazy = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.LazyLinear(n_out))
    built = small(cls, encoder=lazy).fit(X).network_
    sizes = [(m.in_features, m.out_features) for m in built.modules() if type(m) is nn.Linear]
    assert (2 * 6 * 6, n_out) in sizes
    assert lazy[2].has_uninitialized_params()  # a copy was used


def test_an_encoder_of_another_shape_is_refused_with_both_shapes(X):
    wrong = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten())
    with pytest.raises(ValueError, match=r"\(2, 1, 8, 8\)"):
        small(AutoencoderTransformer, encoder=wrong).fit(X)


def test_a_decoder_of_ones_own_makes_flat_images(X):
    flat, stacked = (
        small(AutoencoderTransformer, decoder=of_rows).fit(images)
        for images in (X, X.reshape(-1, *SHAPE))
    )
    codes = flat.transform(X)
    decoded = flat.inverse_transform(codes)
    assert np.array_equal(stacked.inverse_transform(codes), decoded.reshape(-1, *SHAPE))
    assert decoded.std(axis=0).max() > 0


SEEN = []


def flipped(images):
    """As torchvision does it: without a generator."""
    SEEN.append(images.shape)
    return images.flip(-1) if torch.rand(()) < 0.5 else images


def shifted(images, generator):
    SEEN.append(images.shape)
    return images.roll(int(torch.randint(3, (), generator=generator)), dims=-1)


@pytest.mark.parametrize("augmentation", [flipped, shifted])
def test_augmentations_of_ones_own_take_images(augmentation, X):
    SEEN.clear()
    before = global_state()
    first, second = (
        small(ContrastiveTransformer, augmentation=augmentation).fit(X) for _ in range(2)
    )
    assert weights(first) == weights(second)
    assert first.score(X) == first.score(X)
    assert global_state() == before
    assert {shape[1:] for shape in SEEN} == {SHAPE}
    assert weights(first) != weights(small(ContrastiveTransformer).fit(X))


def test_corruptions_take_images(X):
    fitted = small(AutoencoderTransformer, corruption=RandomHorizontalFlip(p=1.0)).fit(X)
    assert weights(fitted) != weights(small(AutoencoderTransformer).fit(X))


# ---------------------------------------------------------------- what is learned


@pytest.fixture(scope="module", params=TRANSFORMERS, ids=lambda cls: cls.__name__)
def trained(request, digits):
    X = digits[0][:600]
    return small(request.param, latent_dim=16, max_epochs=8).fit(X)


def test_codes_of_digits_classify(trained, digits):
    X, y = digits
    head = LogisticRegression(max_iter=1000).fit(trained.transform(X[:600]), y[:600])
    assert head.score(trained.transform(X[1200:]), y[1200:]) > 0.7


def test_reconstruction_beats_the_mean_image(trained, digits):
    X = digits[0]
    seen, others = X[:600], X[1200:]
    back = trained.inverse_transform(trained.transform(others))
    variance = seen.var(axis=0).mean()
    assert np.square(back - others).mean() < 0.8 * variance
    errors = trained.reconstruction_error(others)
    assert errors.shape == others.shape
    assert errors == pytest.approx(np.square(back - others) / variance, rel=1e-3, abs=1e-4)
    if not isinstance(trained, VAETransformer):
        assert trained.score_samples(others) == pytest.approx(-errors.mean(axis=1))


@pytest.mark.parametrize("likelihood", ["auto", "bernoulli", "student_t"])
def test_sampled_images_are_within_the_range_of_fit(likelihood, X):
    images = X.reshape(-1, *SHAPE)
    fitted = small(VAETransformer, likelihood=likelihood, max_epochs=20).fit(images)
    drawn = fitted.sample(50)
    drawn = drawn[0] if isinstance(drawn, tuple) else drawn
    assert drawn.shape == (50, *SHAPE)
    assert drawn.min() >= X.min()
    assert drawn.max() <= X.max()
    # Corners are dark and the middle is bright, in draws as in digits.
    assert drawn[:, 0, :, 0].mean() < drawn[:, 0, 2:6, 3:5].mean()


@pytest.mark.parametrize(
    "estimator",
    [VAETransformer(likelihood="bernoulli"), AutoencoderTransformer(loss="bce")],
    ids=str,
)
def test_gray_levels_may_be_shares(estimator, digits):
    X = digits[0][:300]
    fitted = clone(estimator).set_params(
        latent_dim=8, rows=Images(SHAPE), max_epochs=14, batch_size=32
    )
    fitted = fitted.fit(X)
    back = fitted.inverse_transform(fitted.transform(X))
    assert X.min() <= back.min() < back.max() <= X.max()
    assert np.square(back - X).mean() < 0.8 * X.var(axis=0).mean()
    losses = fitted.history_["train_reconstruction"]
    assert losses.iloc[-1] < losses.iloc[0]


def test_likelihoods_that_pixels_do_not_have_are_refused(X):
    with pytest.raises(ValueError, match=r"Cells of Images share a scale.*got poisson"):
        small(VAETransformer, likelihood="poisson").fit(X)
