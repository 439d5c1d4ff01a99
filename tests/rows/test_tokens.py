"""Transformers on rows of token ids: what all three promise, and what only tokens ask for."""

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
from sklearn_replearn.augmentations import Compose, CropTokens, MaskTokens, TokenDropout
from sklearn_replearn.rows import Images, Tokens

VOCABULARY, LENGTH, TOPICS = 30, 12, 3
TRANSFORMERS = [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
all_transformers = pytest.mark.parametrize("cls", TRANSFORMERS)
pytestmark = [
    pytest.mark.filterwarnings("ignore:The codes collapsed"),
    # Raised by scikit-learn, where a test passes arrays after frames or frames after arrays.
    pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names"),
]


def small(cls, **params):
    return quick(cls, **{"rows": Tokens(VOCABULARY), **params})


def topical(n, seed=0):
    """Rows of 6 to 12 tokens, nine of ten from the words of the row's topic, and the topics."""
    rng = np.random.default_rng(seed)
    topics = rng.integers(TOPICS, size=n)
    own = 1 + 9 * topics[:, None] + rng.integers(9, size=(n, LENGTH))
    rows = np.where(rng.random((n, LENGTH)) < 0.9, own, rng.integers(1, VOCABULARY, (n, LENGTH)))
    rows[np.arange(LENGTH) >= rng.integers(6, LENGTH + 1, size=(n, 1))] = 0
    return rows, topics


@pytest.fixture(scope="module")
def X():
    return topical(70)[0]


# ---------------------------------------------------------------- containers


def forms(X):
    names = [f"token{j}" for j in range(LENGTH)]
    return {
        "int64": X,
        "int32": X.astype(np.int32),
        "uint8": X.astype(np.uint8),
        "float32": X.astype(np.float32),
        "float64": X.astype(np.float64),
        "frame": pd.DataFrame(X, columns=names),
        "frame of int16": pd.DataFrame(X.astype(np.int16), columns=names),
        "lists": X.tolist(),
        "Fortran": np.asfortranarray(X),
    }


@all_transformers
def test_the_form_of_the_tokens_does_not_matter(cls, X):
    expected = small(cls).fit(X)
    codes = expected.transform(X)
    back = expected.inverse_transform(codes)
    assert back.shape == X.shape
    for form, same in forms(X).items():
        fitted = small(cls).fit(same)
        assert weights(fitted) == weights(expected), form
        assert np.array_equal(fitted.transform(same), codes), form
        assert np.array_equal(fitted.transform(X), codes), form
        decoded = fitted.inverse_transform(codes)
        assert np.array_equal(np.asarray(decoded), back), form
        assert isinstance(decoded, pd.DataFrame) == ("frame" in form), form
        if "frame" in form:
            assert (decoded.dtypes == same.dtypes).all(), form


@all_transformers
def test_tokens_come_back_as_ids(cls, X):
    fitted = small(cls).fit(X)
    back = fitted.inverse_transform(fitted.transform(X))
    assert back.min() >= 0
    assert back.max() < VOCABULARY
    assert np.array_equal(back, np.rint(back))
    ids = X.astype(np.int32)
    fitted = small(cls).fit(ids)
    assert fitted.inverse_transform(fitted.transform(ids)).dtype == np.int32


@all_transformers
def test_copies_give_the_same_codes(cls, X):
    fitted = small(cls).fit(X)
    codes, buffer = fitted.transform(X), io.BytesIO()
    joblib.dump(fitted, buffer)
    buffer.seek(0)
    for other in (pickle.loads(pickle.dumps(fitted)), joblib.load(buffer), copy.deepcopy(fitted)):
        assert np.array_equal(other.transform(X), codes)
        assert np.array_equal(other.inverse_transform(codes), fitted.inverse_transform(codes))
        assert np.array_equal(other.score_samples(X), fitted.score_samples(X))
    assert weights(clone(fitted).fit(X)) == weights(fitted)


@all_transformers
def test_frames_and_names_come_out(cls, X):
    fitted = small(cls).set_output(transform="pandas").fit(X)
    names = [f"{cls.__name__.lower()}{j}" for j in range(3)]
    assert fitted.transform(X).columns.tolist() == names
    assert fitted.get_feature_names_out().tolist() == names


@all_transformers
def test_a_grid_search_over_a_pipeline_takes_tokens(cls):
    X, y = topical(120)
    pipe = Pipeline([("enc", small(cls)), ("clf", LogisticRegression())])
    search = GridSearchCV(pipe, {"enc__latent_dim": [2, 8], "enc__max_epochs": [1, 15]}, cv=2)
    search.fit(X, y)
    assert search.best_params_["enc__max_epochs"] == 15
    assert search.best_score_ > 0.5


# ---------------------------------------------------------------- the same model each time


@all_transformers
def test_neither_the_order_of_rows_nor_threads_matter(cls, X):
    order = np.random.default_rng(1).permutation(len(X))
    for params in ({}, {"early_stopping": True}):
        expected = weights(small(cls, **params).fit(X))
        with ThreadPoolExecutor(2) as pool:
            orders = (X[order], X[::-1])
            fits = list(pool.map(lambda rows, p=params: weights(small(cls, **p).fit(rows)), orders))
        assert fits == [expected] * 2


@all_transformers
def test_weight_two_is_a_repeated_row(cls, X):
    counts = np.random.default_rng(1).integers(0, 3, size=len(X))
    weighted = small(cls).fit(X, sample_weight=counts)
    assert weights(weighted) == weights(small(cls).fit(np.repeat(X, counts, axis=0)))
    assert weights(weighted) != weights(small(cls).fit(X))


@all_transformers
def test_warm_start_goes_on(cls, X):
    once = small(cls, warm_start=True, lr_schedule=None, max_epochs=8).fit(X)
    losses = once.history_["train_reconstruction"]
    first, last = losses.iloc[0], losses.iloc[-1]
    again = once.fit(X).history_["train_reconstruction"]
    assert len(again) == 16
    assert abs(again.iloc[8] - last) < abs(first - last)
    with pytest.raises(ValueError, match="rows changed since, from"):
        once.set_params(rows=Tokens(VOCABULARY + 1)).fit(X)
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


@all_transformers
def test_a_row_does_not_depend_on_its_neighbours(cls):
    X, _ = topical(150)
    X[0, 1:] = 0
    X[1] = 0
    fitted = small(cls, latent_dim=5, max_epochs=1).fit(X)
    codes, scores = fitted.transform(X), fitted.score_samples(X)
    back = fitted.inverse_transform(codes)
    for some in ([0], [1], [149], range(5, 8), [7, 3, 60], range(30, 130)):
        some = list(some)
        assert np.array_equal(fitted.transform(X[some]), codes[some])
        assert np.array_equal(fitted.score_samples(X[some]), scores[some])
        assert np.array_equal(fitted.inverse_transform(codes[some]), back[some])


@all_transformers
def test_the_order_of_tokens_matters_and_padding_behind_them_does_not(cls, X):
    wide = np.hstack([X, np.zeros_like(X)])
    fitted = small(cls).fit(wide)
    codes = fitted.transform(wide)
    assert not np.allclose(fitted.transform(np.hstack([X[:, ::-1], np.zeros_like(X)])), codes)
    filled = wide.copy()
    filled[0, -1] = 5
    others = fitted.transform(filled)
    assert np.array_equal(others[1:], codes[1:])  # a longer row beside them changes nothing
    assert not np.allclose(others[0], codes[0])


# ---------------------------------------------------------------- small and odd tables

R = np.random.default_rng(0)
ODD = {
    "padding only": (9, np.zeros((5, 4), dtype=int), {}),
    "some rows of padding only": (
        9,
        np.vstack([np.zeros((2, 4), int), R.integers(9, size=(5, 4))]),
        {},
    ),
    "length 1": (9, R.integers(9, size=(9, 1)), {}),
    "vocabulary of 2": (2, R.integers(2, size=(9, 5)), {}),
    "2 rows": (9, R.integers(9, size=(2, 4)), {}),
    "3 rows": (9, R.integers(9, size=(3, 4)), {}),
    "one row twice": (9, np.tile(R.integers(9, size=(1, 4)), (2, 1)), {}),
    "no padding": (9, R.integers(1, 9, size=(9, 4)), {}),
    "padding in front": (9, np.sort(R.integers(9, size=(9, 6)), axis=1), {}),
    "one token": (9, np.full((9, 4), 8), {}),
    "last batch of one": (9, R.integers(9, size=(9, 4)), {"batch_size": 4}),
    "batches of one": (9, R.integers(9, size=(5, 4)), {"batch_size": 1}),
    "a large vocabulary": (20_000, R.integers(20_000, size=(9, 4)), {}),
}


@pytest.mark.parametrize("odd", ODD)
@all_transformers
def test_small_and_odd_tables_work(cls, odd):
    vocabulary_size, X, params = ODD[odd]
    fitted = small(cls, rows=Tokens(vocabulary_size), **params).fit(X)
    codes = fitted.transform(X)
    back = fitted.inverse_transform(codes)
    assert codes.shape == (len(X), 3)
    assert np.isfinite(codes).all()
    assert back.shape == X.shape
    assert np.isin(back, np.arange(vocabulary_size)).all()
    scores, errors = fitted.score_samples(X), fitted.reconstruction_error(X)
    assert np.isfinite(scores).all()
    assert (errors >= 0).all()
    assert fitted.score(X) == pytest.approx(scores.mean())
    if cls is not VAETransformer:
        assert scores == pytest.approx(-errors.mean(axis=1))
    if odd in ("padding only", "one token"):
        assert np.array_equal(back, X)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rows": Tokens(1)}, "vocabulary_size must be a whole number of at least 2.*got 1"),
        ({"rows": Tokens(9.0)}, r"vocabulary_size must be a whole number.*got 9\.0"),
        ({"rows": Tokens(20)}, r"from 0 \(padding\) to 19; the table has 2\d"),
        ({"rows": Images((1, 3, 5))}, "has 15 numbers in a row; the rows have 12 columns"),
        ({"activation": "tanh", "hidden_layer_sizes": (8,)}, "Tokens have no hidden_layer_sizes"),
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


@pytest.mark.parametrize(
    "estimator",
    [
        VAETransformer(likelihood="poisson"),
        VAETransformer(likelihood="bernoulli"),
        AutoencoderTransformer(loss="bce"),
        AutoencoderTransformer(loss="poisson"),
    ],
    ids=str,
)
def test_losses_of_numbers_are_refused(estimator, X):
    with pytest.raises(ValueError, match="ids are names, not numbers"):
        clone(estimator).set_params(rows=Tokens(VOCABULARY)).fit(X)


def with_cell(value):
    def change(X):
        X = X.astype(float)
        X[3, 2] = value
        return X

    return change


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (with_cell(30), r"from 0 \(padding\) to 29; the table has 30"),
        (with_cell(-1), r"from 0 \(padding\) to 29; the table has -1"),
        (with_cell(2.5), "whole numbers; the table has 2.5"),
        (with_cell(np.nan), "no cell may be missing; NaN is in"),
        (with_cell(np.inf), "infinite"),
        (sparse.csr_matrix, "array of numbers; got a sparse matrix"),
        (lambda X: pd.DataFrame(X).astype("category").rename(columns=str), "text or categories"),
        (lambda X: pd.DataFrame(X).astype(str).rename(columns=str), "text or categories"),
    ],
    ids=["too large", "negative", "fraction", "nan", "infinite", "sparse", "category", "text"],
)
@all_transformers
def test_bad_tokens_are_refused_in_fit(cls, make, message, X):
    bad = make(X)
    fitted = small(cls).fit(X)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match=message):
        fitted.fit(bad)
    assert vars(fitted) == before
    unfitted = small(cls)
    with pytest.raises(ValueError, match=message):
        unfitted.fit(bad)
    assert vars(unfitted) == vars(small(cls))


@all_transformers
def test_ids_out_of_range_after_fit_say_the_same_as_in_fit(cls, X):
    fitted = small(cls).fit(X)
    for value, message in ((30, "has 30"), (-2, "has -2"), (0.5, "has 0.5"), (np.nan, "NaN is in")):
        with pytest.raises(ValueError, match=message):
            fitted.transform(with_cell(value)(X))


# ---------------------------------------------------------------- parts of a user's


class Bag(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.bag = nn.EmbeddingBag(VOCABULARY + 1, n_out, mode="sum", padding_idx=0)

    def forward(self, ids):
        assert ids.dtype == torch.int64
        return self.bag(ids)


@all_transformers
def test_encoders_take_ids(cls, X):
    n_out = 6 if cls is VAETransformer else 3
    for encoder in (Bag, Bag(LENGTH, n_out), nn.EmbeddingBag(VOCABULARY + 1, n_out)):
        fitted = small(cls, encoder=encoder).fit(X)
        codes = fitted.transform(X)
        assert np.array_equal(pickle.loads(pickle.dumps(fitted)).transform(X[[5]]), codes[[5]])


def test_a_bag_of_words_does_not_know_their_order(X):
    fitted = small(AutoencoderTransformer, encoder=Bag).fit(X)
    assert fitted.transform(X[:, ::-1]) == pytest.approx(fitted.transform(X), abs=1e-6)


SEEN = []


def swapped(tokens):
    """Without a generator."""
    SEEN.append((tokens.dtype, tokens.shape[1]))
    return tokens.roll(int(torch.randint(2, ())), dims=1)


def reversed_(tokens, generator):
    SEEN.append((tokens.dtype, tokens.shape[1]))
    return tokens.flip(1) if torch.rand((), generator=generator) < 0.5 else tokens


@pytest.mark.parametrize("augmentation", [swapped, reversed_])
def test_augmentations_of_ones_own_take_ids(augmentation, X):
    SEEN.clear()
    before = global_state()
    first, second = (
        small(ContrastiveTransformer, augmentation=augmentation).fit(X) for _ in range(2)
    )
    assert weights(first) == weights(second)
    assert first.score(X) == first.score(X)
    assert global_state() == before
    assert set(SEEN) == {(torch.int64, LENGTH)}
    assert weights(first) != weights(small(ContrastiveTransformer).fit(X))


@pytest.mark.parametrize(
    "augmentation",
    [
        MaskTokens(VOCABULARY),
        MaskTokens(VOCABULARY - 1),
        CropTokens(),
        TokenDropout(),
        Compose([CropTokens(), MaskTokens(VOCABULARY)]),
    ],
    ids=str,
)
def test_augmentations_of_tokens_make_views_and_corruptions(augmentation, X):
    views = small(ContrastiveTransformer, augmentation=augmentation).fit(X)
    noisy = small(AutoencoderTransformer, corruption=augmentation).fit(X)
    assert weights(views) != weights(small(ContrastiveTransformer, augmentation=swapped).fit(X))
    assert weights(noisy) != weights(small(AutoencoderTransformer, corruption=swapped).fit(X))


# ---------------------------------------------------------------- what is learned


@all_transformers
def test_codes_separate_topics(cls):
    X, y = topical(300)
    encoder = cls(8, rows=Tokens(VOCABULARY), max_epochs=40).fit(X[:200])
    head = LogisticRegression().fit(encoder.transform(X[:200]), y[:200])
    assert head.score(encoder.transform(X[200:]), y[200:]) > 0.9


@all_transformers
def test_ids_that_fit_has_not_seen_are_all_alike(cls, X):
    unseen = np.zeros((3, LENGTH), dtype=int)
    unseen[:, 0] = [VOCABULARY, VOCABULARY + 7, 1]
    codes = small(cls, rows=Tokens(VOCABULARY + 9)).fit(X).transform(unseen)
    assert np.array_equal(codes[0], codes[1])
    assert not np.allclose(codes[0], codes[2])


def test_reconstruction_beats_frequencies_and_knows_lengths():
    X, y = topical(400)
    fitted = AutoencoderTransformer(8, rows=Tokens(VOCABULARY), max_epochs=80).fit(X[:300])
    held_out = X[300:]
    assert fitted.score(held_out) > -1
    errors = fitted.reconstruction_error(held_out)
    assert fitted.score_samples(held_out) == pytest.approx(-errors.mean(axis=1))
    back = fitted.inverse_transform(fitted.transform(held_out))
    both = (back > 0) & (held_out > 0)
    same_topic = ((back - 1) // 9 == y[300:, None])[both].mean()
    assert same_topic > 0.8


def test_draws_are_as_frequent_as_the_tokens():
    rng = np.random.default_rng(0)
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    X = rng.choice(4, size=(500, 3), p=shares)
    fitted = VAETransformer(2, rows=Tokens(5), max_epochs=20, batch_size=64, prior="normal").fit(X)
    drawn = fitted.sample(2000, random_state=0)
    assert drawn.shape == (2000, 3)
    found = np.bincount(drawn.astype(int).ravel(), minlength=5) / drawn.size
    assert found[:4] == pytest.approx(shares, abs=0.05)
    assert found[4] < 0.02


def test_scores_of_a_vae_are_log_probabilities():
    every = np.array([(a, b) for a in range(3) for b in range(3)])
    X = every[np.random.default_rng(0).integers(9, size=200)]
    fitted = VAETransformer(2, rows=Tokens(3), max_epochs=30, n_importance_samples=512).fit(X)
    total = np.exp(fitted.score_samples(every)).sum()
    assert total == pytest.approx(1, abs=0.03)
