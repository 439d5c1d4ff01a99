"""EncoderClassifier and EncoderRegressor: who learns from which rows, and fine-tuning."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from quick import quick
from repeatability import global_state, weights
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from torch import nn

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    VAETransformer,
)
from sklearn_replearn.objectives import SupCon
from sklearn_replearn.rows import Images, Tokens

MODES = [False, "linear_probe", "full"]
all_modes = pytest.mark.parametrize("fine_tune", MODES, ids=str)
both = pytest.mark.parametrize("cls", [EncoderClassifier, EncoderRegressor])
pytestmark = pytest.mark.filterwarnings("ignore:The codes collapsed")


def encoder(cls=AutoencoderTransformer, **params):
    layers = {} if "rows" in params else {"hidden_layer_sizes": (16,)}
    own = {**layers, "max_epochs": 5, "lr": 5e-3}
    return quick(cls, **{**own, **params})


@pytest.fixture(scope="module")
def wine(wine):
    """Wines, and their classes with three of four labels gone."""
    X, y = wine
    return X, np.where(np.arange(len(y)) % 4 == 0, y, -1)


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return X[:160], np.where(np.arange(160) % 2 == 0, y[:160], np.nan)


def data(cls, wine, diabetes):
    return wine if cls is EncoderClassifier else diabetes


def labeled(y):
    return ~np.isnan(y) if y.dtype.kind == "f" else y != -1


# ---------------------------------------------------------------- who learns from which rows


@all_modes
@both
def test_rows_without_a_label_train_the_encoder_and_not_the_head(cls, fine_tune, wine, diabetes):
    X, y = data(cls, wine, diabetes)
    known = labeled(y)
    fitted = cls(encoder(), fine_tune=fine_tune, passthrough=False).fit(X, y)
    without = cls(encoder(), fine_tune=fine_tune, passthrough=False).fit(X[known], y[known])
    name = "predict_proba" if cls is EncoderClassifier else "predict"
    assert not np.allclose(getattr(fitted, name)(X), getattr(without, name)(X))
    if not fine_tune:
        alone = encoder().fit(X)
        assert weights(fitted.transformer_) == weights(alone)
        head = LogisticRegression(max_iter=1000) if cls is EncoderClassifier else Ridge()
        head.fit(alone.transform(X[known]), y[known])
        assert np.array_equal(fitted.estimator_.coef_, head.coef_)
        assert np.array_equal(fitted.predict(X), head.predict(alone.transform(X)))


def test_minus_one_is_no_class(wine):
    X, y = wine
    for fine_tune in MODES:
        fitted = EncoderClassifier(encoder(), fine_tune=fine_tune).fit(X, y)
        assert fitted.classes_.tolist() == [0, 1, 2]
        assert set(fitted.predict(X)) <= {0, 1, 2}
        shares = fitted.predict_proba(X)
        assert shares.sum(axis=1) == pytest.approx(np.ones(178))
        assert np.array_equal(shares.argmax(axis=1), fitted.predict(X))


@all_modes
def test_few_labels_are_enough(fine_tune):
    X, y = load_wine(return_X_y=True)
    few = np.full(len(y), -1)
    for label in range(3):
        few[np.flatnonzero(y == label)[:4]] = label
    transformer = AutoencoderTransformer(latent_dim=8, max_epochs=40, lr=1e-3)
    fitted = EncoderClassifier(transformer, fine_tune=fine_tune).fit(X, few)
    assert fitted.score(X[few == -1], y[few == -1]) > 0.8


@all_modes
def test_probabilities_agree_with_predictions(fine_tune, wine):
    X, y = wine
    for labels in (y, np.where(y == 2, 1, y)):
        fitted = EncoderClassifier(encoder(), fine_tune=fine_tune).fit(X, labels)
        probabilities = fitted.predict_proba(X)
        assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(X)))
        best = fitted.classes_[probabilities.argmax(axis=1)]
        assert np.array_equal(fitted.predict(X), best)
        decisions = fitted.decision_function(X)
        if decisions.ndim == 1:
            assert np.array_equal(decisions > 0, best == fitted.classes_[1])
        else:
            assert np.array_equal(decisions.argmax(axis=1), probabilities.argmax(axis=1))


@pytest.mark.parametrize(
    ("make", "classes"),
    [
        (lambda y: y, [0, 1, 2]),
        (lambda y: y.astype(float), [0.0, 1.0, 2.0]),
        (lambda y: y.astype(object), [0, 1, 2]),
        (lambda y: np.where(y < 0, -1, np.array(list("abc"), dtype=object)[y]), ["a", "b", "c"]),
        (lambda y: pd.Series(np.where(y < 0, -1, y), index=np.arange(len(y))[::-1]), [0, 1, 2]),
        (lambda y: y.tolist(), [0, 1, 2]),
        (lambda y: np.where(y < 0, -1, y * 10 + 5), [5, 15, 25]),
    ],
    ids=["int", "float", "object", "strings", "series", "list", "others"],
)
@pytest.mark.parametrize("fine_tune", [False, "full"], ids=str)
def test_labels_of_any_kind(make, classes, fine_tune, wine):
    X, y = wine
    expected = EncoderClassifier(encoder(), fine_tune=fine_tune).fit(X, y)
    fitted = EncoderClassifier(encoder(), fine_tune=fine_tune).fit(X, make(y))
    assert fitted.classes_.tolist() == classes
    assert np.array_equal(fitted.predict_proba(X), expected.predict_proba(X))
    assert np.array_equal(fitted.predict(X), np.array(classes)[expected.predict(X)])


@all_modes
def test_minus_one_and_one_alone_are_two_classes(fine_tune, wine):
    X, _ = wine
    y = load_wine().target > 0
    signs = np.where(y, 1, -1)
    fitted = EncoderClassifier(encoder(), fine_tune=fine_tune).fit(X, signs)
    expected = EncoderClassifier(encoder(), fine_tune=fine_tune).fit(X, y)
    assert fitted.classes_.tolist() == [-1, 1]
    assert np.array_equal(fitted.predict_proba(X), expected.predict_proba(X))


def test_minus_one_and_one_are_two_classes_for_the_objective_too(wine):
    X, _ = wine
    y = load_wine().target > 0
    transformer = encoder(ContrastiveTransformer, objective=SupCon())
    fitted = EncoderClassifier(transformer).fit(X, np.where(y, 1, -1))
    expected = EncoderClassifier(transformer).fit(X, y.astype(int))
    assert weights(fitted.transformer_) == weights(expected.transformer_)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        (np.full(178, -1), "at least 2 classes; y has 0 classes"),
        (np.where(np.arange(178) < 9, 4, -1), r"at least 2 classes; y has 1 class \("),
        (
            np.where(np.arange(178) < 9, 1.0, np.nan),
            r"at least 2 classes; y has 1 class \(",
        ),
        (np.array([1, *"ab" * 88, "c"], dtype=object), "all of one kind.*got 1 and 'a'"),
        (np.where(np.arange(178) < 9, 1.0, np.inf), "y contains infinity"),
        (np.zeros(177), "y must have one value for each of the 178 rows"),
        (np.zeros((178, 2)), "y must have one value.*1d array; got shape"),
        (np.linspace(0, 1, 178), "Unknown label type"),
    ],
    ids=[
        "none",
        "no label",
        "one class",
        "nan",
        "two kinds",
        "infinite",
        "length",
        "two columns",
        "numbers",
    ],
)
def test_bad_labels_are_refused_and_nothing_is_changed(y, message, wine):
    X, good = wine
    fitted = EncoderClassifier(encoder(), fine_tune="full").fit(X, good)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match=message):
        fitted.fit(X, y)
    assert vars(fitted) == before
    unfitted = EncoderClassifier(encoder())
    with pytest.raises(ValueError, match=message):
        unfitted.fit(X, y)
    assert not hasattr(unfitted, "estimator_")
    with pytest.raises(NotFittedError):
        unfitted.predict(X)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        (np.full(160, np.nan), "at least 2 rows with a target; got n_samples=0"),
        (np.where(np.arange(160) < 1, 1.0, np.nan), "at least 2 rows.*n_samples=1"),
        (np.where(np.arange(160) < 1, np.inf, 1.0), "y contains infinity"),
        (np.array(["a"] * 160), "y must be numbers, NaN where a row has no target; could not"),
        (np.zeros(161), "y must have one value for each of the 160 rows"),
    ],
    ids=["none", "no target", "one target", "infinite", "strings", "length"],
)
def test_bad_targets_are_refused_and_nothing_is_changed(y, message, diabetes):
    X, good = diabetes
    fitted = EncoderRegressor(encoder(), fine_tune="full").fit(X, good)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match=message):
        fitted.fit(X, y)
    assert vars(fitted) == before


@all_modes
def test_targets_have_their_own_units(fine_tune, diabetes):
    X, y = diabetes
    fitted = EncoderRegressor(encoder(latent_dim=8, max_epochs=30), fine_tune=fine_tune).fit(X, y)
    known = labeled(y)
    assert fitted.score(X[known], y[known]) > 0.3
    scaled = clone(fitted).fit(X, 1e6 * y - 1e7)
    # Other targets, another order of the batches: not the same bits.
    spread = 1e6 * np.nanstd(y)
    assert scaled.predict(X) == pytest.approx(1e6 * fitted.predict(X) - 1e7, abs=0.1 * spread)
    constant = clone(fitted).fit(X, np.where(known, 7.0, np.nan))
    assert constant.predict(X) == pytest.approx(np.full(160, 7.0), abs=0.2)


def test_targets_may_be_missing_in_other_ways(diabetes):
    X, y = diabetes
    expected = EncoderRegressor(encoder()).fit(X, y).predict(X)
    holes = [None if np.isnan(value) else value for value in y]
    for same in (pd.Series(y), np.array(holes, dtype=object), y.astype(object)):
        assert np.array_equal(EncoderRegressor(encoder()).fit(X, same).predict(X), expected)


# ---------------------------------------------------------------- fine-tuning


def encoder_weights(transformer):
    return {name: w for name, w in transformer._model.arrays.items() if name.startswith("encoder")}


@pytest.mark.parametrize(
    "transformer", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
)
@both
def test_linear_leaves_the_encoder_and_full_changes_it(cls, transformer, wine, diabetes):
    X, y = data(cls, wine, diabetes)
    plain, linear, full = (
        cls(encoder(transformer), fine_tune=fine_tune).fit(X, y) for fine_tune in MODES
    )
    assert weights(linear.transformer_) == weights(plain.transformer_)
    assert np.array_equal(linear.transformer_.transform(X), plain.transformer_.transform(X))
    before, after = (encoder_weights(f.transformer_) for f in (plain, full))
    assert all(not np.array_equal(after[name], before[name]) for name in before)
    assert not np.array_equal(linear.estimator_.coef_, plain.estimator_.coef_)
    for name, array in plain.transformer_._model.arrays.items():
        if name.startswith(("decoder", "likelihood")):
            assert np.array_equal(full.transformer_._model.arrays[name], array)
    assert not hasattr(plain, "history_")
    # Of few rows and views drawn anew: from epoch to epoch errors go up and down.
    of_linear, of_full = (tuned.history_["train_prediction"] for tuned in (linear, full))
    assert len(of_linear) == len(of_full) == 5
    assert of_full.iloc[-1] < of_linear.iloc[-1]
    for tuned in (linear, full):
        assert type(tuned.transformer_) is transformer
        codes = tuned.transformer_.transform(X)
        assert np.array_equal(tuned.predict(X), tuned.estimator_.predict(codes))


@both
def test_full_fits_the_labels_better(cls, wine, diabetes):
    X, y = data(cls, wine, diabetes)
    known = labeled(y)
    plain, full = (
        cls(encoder(latent_dim=1, max_epochs=40), None, fine_tune, passthrough=False).fit(X, y)
        for fine_tune in (False, "full")
    )
    losses = full.history_["train_prediction"]
    assert losses.iloc[-1] < 0.8 * losses.iloc[0]
    scores = [fitted.score(X[known], y[known]) for fitted in (plain, full)]
    assert scores[1] > scores[0] + 0.05 or scores == [1.0, 1.0]


class Normed(nn.Sequential):
    def __init__(self, n_in, n_out):
        super().__init__(nn.Linear(n_in, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, n_out))


def test_linear_leaves_what_an_encoder_of_ones_own_keeps_beside_its_weights(wine):
    X, y = wine
    plain, linear = (
        EncoderClassifier(encoder(encoder=Normed), fine_tune=fine_tune).fit(X, y)
        for fine_tune in (False, "linear_probe")
    )
    assert np.array_equal(linear.transformer_.transform(X), plain.transformer_.transform(X))


@all_modes
def test_a_frozen_encoder_is_used_and_not_changed(fine_tune, wine):
    X, y = wine
    given = encoder().fit(X[:100])
    before, codes = weights(given), given.transform(X)
    fitted = EncoderClassifier(FrozenEstimator(given), fine_tune=fine_tune).fit(X, y)
    assert weights(given) == before
    assert np.array_equal(given.transform(X), codes)
    assert fitted.score(X[labeled(y)], y[labeled(y)]) > 0.5
    inner = fitted.transformer_
    if not fine_tune:
        assert np.array_equal(inner.transform(X), codes)
    assert np.array_equal(inner.transform(X), codes) == (fine_tune != "full")
    copied = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(copied.predict_proba(X), fitted.predict_proba(X))


def test_fine_tuning_takes_the_encoder_and_head_of_its_own(wine):
    X, y = wine
    for fine_tune in ("linear_probe", "full"):
        for transformer, name in (
            (PCA(2), "got PCA"),
            (make_pipeline(StandardScaler(), encoder()), "got Pipeline"),
            (FrozenEstimator(PCA(2).fit(X)), "got PCA"),
        ):
            with pytest.raises(ValueError, match=f"fine_tune={fine_tune!r} trains on .*{name}"):
                EncoderClassifier(transformer, fine_tune=fine_tune).fit(X, y)
        with pytest.raises(ValueError, match="leave estimator at None, or set fine_tune=False"):
            EncoderClassifier(encoder(), LogisticRegression(), fine_tune=fine_tune).fit(X, y)
    with pytest.raises(ValueError, match=r'False, "linear_probe" .* or "full" .*got True'):
        EncoderClassifier(encoder(), fine_tune=True).fit(X, y)
    with pytest.raises(ValueError, match="'fine_tune' parameter"):
        EncoderClassifier(encoder(), fine_tune="half").fit(X, y)


def test_without_fine_tuning_any_transformer_and_head_will_do(wine):
    X, y = wine
    known = labeled(y)
    pipe = make_pipeline(StandardScaler(), PCA(2))
    fitted = EncoderClassifier(pipe, KNeighborsClassifier(3)).fit(X, y)
    codes = clone(pipe).fit_transform(X)
    expected = KNeighborsClassifier(3).fit(codes[known], y[known])
    assert np.array_equal(fitted.predict_proba(X), expected.predict_proba(codes))
    assert not hasattr(fitted, "decision_function")
    assert hasattr(EncoderClassifier(pipe, LinearSVC()), "decision_function")
    assert not hasattr(EncoderClassifier(pipe, LinearSVC()).fit(X, y), "predict_proba")
    scaled = make_pipeline(StandardScaler(), encoder())
    assert EncoderClassifier(scaled).fit(X, y).score(X[known], y[known]) > 0.5
    linear = EncoderRegressor(pipe, LinearRegression()).fit(X, y.astype(float))
    assert linear.predict(X) == pytest.approx(LinearRegression().fit(codes, y).predict(codes))


# ---------------------------------------------------------------- the same model each time


@all_modes
@both
def test_fits_repeat_in_any_order_and_leave_global_generators_alone(cls, fine_tune, wine, diabetes):
    X, y = data(cls, wine, diabetes)
    before = global_state()
    estimator = cls(encoder(), fine_tune=fine_tune)
    expected = clone(estimator).fit(X, y)
    order = np.random.default_rng(0).permutation(len(X))
    with ThreadPoolExecutor(2) as pool:
        fits = list(
            pool.map(lambda rows: clone(estimator).fit(X[rows], y[rows]), (order, slice(None)))
        )
    shuffled, again = fits
    assert np.array_equal(again.predict(X), expected.predict(X))
    assert weights(again.transformer_) == weights(expected.transformer_)
    # The head of scikit-learn sums over rows in their order.
    gap = np.abs(shuffled.predict(X) - expected.predict(X))
    assert (gap > 1e-2 * np.nanstd(y)).mean() < 0.02
    assert global_state() == before


@all_modes
@both
def test_copies_predict_the_same(cls, fine_tune, wine, diabetes):
    X, y = data(cls, wine, diabetes)
    fitted = cls(encoder(), fine_tune=fine_tune).fit(X, y)
    for other in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        assert np.array_equal(other.predict(X), fitted.predict(X))
    refitted = clone(fitted)
    assert not hasattr(refitted, "transformer_")
    assert np.array_equal(refitted.fit(X, y).predict(X), fitted.predict(X))
    assert not hasattr(fitted.transformer, "_model")  # the one given is not fitted


@all_modes
@both
def test_weight_two_is_a_repeated_row(cls, fine_tune, wine, diabetes):
    X, y = data(cls, wine, diabetes)
    counts = np.random.default_rng(1).integers(0, 3, size=len(X))
    weighted = cls(encoder(), fine_tune=fine_tune).fit(X, y, sample_weight=counts)
    repeated = cls(encoder(), fine_tune=fine_tune).fit(
        np.repeat(X, counts, axis=0), np.repeat(y, counts)
    )
    name = "decision_function" if cls is EncoderClassifier else "predict"
    a, b = (getattr(fitted, name)(X) for fitted in (weighted, repeated))
    assert a == pytest.approx(b, rel=1e-2, abs=1e-2 * np.abs(b).max())
    even = getattr(cls(encoder(), fine_tune=fine_tune).fit(X, y), name)(X)
    assert a != pytest.approx(even, rel=1e-2, abs=1e-2 * np.abs(b).max())
    if fine_tune != "full":
        assert weights(weighted.transformer_) == weights(repeated.transformer_)


def test_labels_of_rows_that_count_nothing_are_no_labels(wine):
    X, y = wine
    counts = (y != 2).astype(float)
    fitted = EncoderClassifier(encoder()).fit(X, y, sample_weight=counts)
    assert fitted.classes_.tolist() == [0, 1]


def test_weights_that_a_head_does_not_take_are_an_error(wine):
    X, y = wine
    with pytest.raises(ValueError, match="KNeighborsClassifier takes no sample_weight"):
        EncoderClassifier(encoder(), KNeighborsClassifier()).fit(X, y, sample_weight=np.ones(178))
    with pytest.raises(ValueError, match=r"sample_weight must have one value.*got shape \(3,\)"):
        EncoderClassifier(encoder()).fit(X, y, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match="Negative values"):
        EncoderClassifier(encoder()).fit(X, y, sample_weight=np.full(178, -1.0))


# ---------------------------------------------------------------- data


def test_y_reaches_the_objective(wine):
    X, y = wine
    transformer = encoder(ContrastiveTransformer, objective=SupCon())
    fitted = EncoderClassifier(transformer).fit(X, y)
    assert weights(fitted.transformer_) == weights(clone(transformer).fit(X, y))
    others = EncoderClassifier(transformer).fit(X, np.where(y == 2, 1, y))
    assert weights(fitted.transformer_) != weights(others.transformer_)
    names = np.where(y < 0, -1, np.array(list("abc"), dtype=object)[y])
    same = EncoderClassifier(transformer, fine_tune="full").fit(X, names)
    tuned = EncoderClassifier(transformer, fine_tune="full").fit(X, y)
    assert weights(same.transformer_) == weights(tuned.transformer_)


def test_groups_reach_the_transformer(wine):
    X, y = wine
    groups = np.arange(178) // 2
    fitted = EncoderClassifier(encoder(ContrastiveTransformer)).fit(X, y, groups=groups)
    expected = encoder(ContrastiveTransformer).fit(X, groups=groups)
    assert weights(fitted.transformer_) == weights(expected)


@all_modes
def test_frames_keep_their_names_and_kinds(fine_tune, wine):
    X, y = wine
    frame = pd.DataFrame(X.copy(), columns=load_wine().feature_names, index=np.arange(178) + 1000)
    frame["kind"] = np.array(["dry", "sweet", "dry"])[load_wine().target]
    frame.iloc[3, 2] = np.nan
    fitted = EncoderClassifier(encoder(), fine_tune=fine_tune).fit(frame, y)
    assert fitted.feature_names_in_.tolist() == frame.columns.tolist()
    assert fitted.n_features_in_ == 14
    assert fitted.score(frame, load_wine().target) > 0.8
    fitted.fit(X, y)
    assert not hasattr(fitted, "feature_names_in_")
    assert fitted.n_features_in_ == 13


@all_modes
@both
def test_sparse_tables_are_taken(cls, fine_tune):
    rng = np.random.default_rng(0)
    counts = rng.poisson(1.0, size=(90, 12)).astype(float)
    y = (counts[:, 0] > 0).astype(float if cls is EncoderRegressor else int)
    y[::3] = np.nan if cls is EncoderRegressor else -1
    for matrix in (sparse.csr_matrix(counts), sparse.coo_matrix(counts)):
        fitted = cls(encoder(), fine_tune=fine_tune).fit(matrix, y)
        if cls is EncoderClassifier:
            assert fitted.score(matrix, y) > np.bincount(y[y >= 0]).max() / (y >= 0).sum() - 0.1
        assert np.array_equal(fitted.predict(matrix.tocsr()[:5]), fitted.predict(matrix)[:5])


@pytest.mark.parametrize("fine_tune", [False, "full"], ids=str)
def test_images_and_tokens_are_taken(fine_tune):
    X, y = load_digits(return_X_y=True)
    X, y = X[:120], np.where(np.arange(120) % 2, y[:120], -1)
    images = encoder(rows=Images((1, 8, 8)), hidden_layer_sizes="auto")
    stacked = X.reshape(-1, 1, 8, 8)
    fitted = EncoderClassifier(images, fine_tune=fine_tune).fit(stacked, y)
    flat = EncoderClassifier(images, fine_tune=fine_tune).fit(X, y)
    assert np.array_equal(fitted.predict_proba(stacked), flat.predict_proba(X))
    tokens = EncoderClassifier(
        encoder(rows=Tokens(17), hidden_layer_sizes="auto"), fine_tune=fine_tune
    ).fit(X, y)
    assert np.array_equal(tokens.predict(X.astype(int)), tokens.predict(X))
    assert tokens.score(X, load_digits().target[:120]) > 0.2


def test_a_row_does_not_depend_on_its_neighbours(wine):
    X, y = wine
    fitted = EncoderClassifier(encoder(), fine_tune="full").fit(X, y)
    codes = fitted.transformer_.transform(X)
    for row in (0, 100, 177):
        assert np.array_equal(fitted.transformer_.transform(X[[row]]), codes[[row]])


# ---------------------------------------------------------------- in scikit-learn


@both
def test_the_default_is_an_autoencoder(cls):
    X = np.random.default_rng(0).normal(size=(300, 3))
    y = (X[:, 0] > 0).astype(int)
    fitted = cls().fit(X, y)
    assert type(fitted.transformer_) is AutoencoderTransformer
    assert fitted.transformer is None
    assert fitted.score(X, y) > 0.5


def test_searches_reach_into_the_transformer(wine):
    X, _ = wine
    y = load_wine().target
    search = GridSearchCV(
        EncoderClassifier(encoder(max_epochs=20), fine_tune="linear_probe", passthrough=False),
        {"transformer__latent_dim": [1, 8], "fine_tune": [False, "full"]},
        cv=2,
    ).fit(X, y)
    assert search.best_params_["transformer__latent_dim"] == 8
    assert search.best_score_ > 0.85
    assert search.best_estimator_.transformer_.transform(X).shape == (178, 8)
    assert cross_val_score(search.best_estimator_, X, y, cv=2).min() > 0.8


def test_it_ends_a_pipeline(wine):
    X, y = wine
    pipe = Pipeline([("scale", StandardScaler()), ("clf", EncoderClassifier(encoder()))])
    direct = EncoderClassifier(encoder()).fit(StandardScaler().fit_transform(X), y)
    assert np.array_equal(
        pipe.fit(X, y).predict(X), direct.predict(StandardScaler().fit_transform(X))
    )


def test_an_exception_in_training_changes_nothing(wine):
    X, y = wine
    fitted = EncoderClassifier(encoder(), fine_tune="full").fit(X, y)
    before = dict(vars(fitted))
    state = global_state()
    fitted.set_params(transformer__lr=1e30, transformer__max_epochs=50)
    with pytest.raises(ValueError, match="became NaN or infinite"):
        fitted.fit(X, y)
    assert vars(fitted) == before
    assert global_state() == state


def test_tuning_too_few_rows_with_early_stopping_says_so(wine):
    X, y = wine
    few = np.full(178, -1)
    few[[0, 60]] = [0, 1]
    transformer = encoder(early_stopping=True)
    with pytest.raises(ValueError, match=r"validation_fraction=0\.1 of 2 distinct rows"):
        EncoderClassifier(transformer, fine_tune="full").fit(X, few)
    tuned = EncoderClassifier(transformer, fine_tune="full").fit(X, y)
    losses = tuned.history_["valid_prediction"]
    assert losses.min() < losses.iloc[0]
