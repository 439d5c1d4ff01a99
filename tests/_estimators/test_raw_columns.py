"""Raw columns beside codes: what the head sees, when, and how it is chosen."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from quick import quick
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    VAETransformer,
)
from sklearn_replearn._estimators.linear_heads import LogisticHead, RidgeHead, chosen_head
from sklearn_replearn.rows import Images, Table, Tokens

pytestmark = pytest.mark.filterwarnings("ignore:The codes collapsed")
both = pytest.mark.parametrize("cls", [EncoderClassifier, EncoderRegressor])


def encoder(cls=AutoencoderTransformer, **params):
    layers = {} if "rows" in params else {"hidden_layer_sizes": (8,)}
    return quick(cls, **{**layers, **params})


def mixed(n=90):
    """A table of all kinds of columns, with missing cells, and numbers to predict."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "normal": rng.normal(size=n),
            "heavy": np.exp(2 * rng.normal(size=n)),
            "kind": rng.choice(["a", "b", "c"], n),
            "yes": rng.random(n) < 0.5,
            "same": np.ones(n),
        }
    )
    frame.iloc[::7, 0] = np.nan
    frame.iloc[3::7, 2] = None
    target = np.log(frame["heavy"].to_numpy()) + (frame["kind"] == "b")
    return frame, target.to_numpy()


def labels(cls, target):
    """Every third row has a label."""
    some = np.arange(len(target)) % 3 == 0
    if cls is EncoderRegressor:
        return np.where(some, target, np.nan)
    return np.where(some, np.digitize(target, [-1.0, 1.0]), -1)


def outputs(fitted, X):
    return fitted.decision_function(X) if hasattr(fitted, "classes_") else fitted.predict(X)


# ---------------------------------------------------------------- what a head sees


@pytest.mark.parametrize(
    "transformer", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
)
@both
def test_raw_columns_stand_beside_codes_by_default(cls, transformer):
    X, target = mixed()
    fitted = cls(encoder(transformer)).fit(X, labels(cls, target))
    # Behind codes four numbers, three levels, which cells of two columns are missing, three scores.
    assert fitted.estimator_.n_features_in_ == 3 + 4 + 3 + 2 + 3
    asked = cls(encoder(transformer), passthrough=True).fit(X, labels(cls, target))
    assert np.array_equal(outputs(asked, X), outputs(fitted, X))
    without = cls(encoder(transformer), passthrough=False).fit(X, labels(cls, target))
    assert without.estimator_.n_features_in_ == 3


@both
def test_what_codes_do_not_keep_is_not_lost(cls):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 6))
    X[:, 1:] += 2 * rng.normal(size=(120, 1))  # what one code is about
    X[:, 0] = np.exp(3 * X[:, 0])
    y = labels(cls, np.log(X[:, 0]))
    fits = [
        cls(encoder(latent_dim=1, max_epochs=20), passthrough=p).fit(X, y) for p in (False, True)
    ]
    whole = labels(cls, np.log(X[:, 0])) if cls is EncoderClassifier else np.log(X[:, 0])
    alone, beside = (fitted.score(X, whole) for fitted in fits)
    assert beside > alone + 0.3
    assert beside > 0.8


def test_missing_cells_and_unseen_levels_count_as_the_mean():
    X, target = mixed()
    fitted = EncoderClassifier(encoder()).fit(X, labels(EncoderClassifier, target))
    columns = fitted._raw.of(X)
    new = X.iloc[[1, 1, 2, 4]].copy()
    new.iloc[0, [0, 1]] = np.nan
    new.iloc[1, 2] = "never seen"
    new.iloc[2, 1] = 1e300
    new.iloc[3, 4] = 2.0
    found = fitted._raw.of(new)
    assert np.isfinite(found).all() and np.isfinite(fitted.predict_proba(new)).all()
    number, score, levels = [0, 1], [9, 10], slice(4, 7)
    assert (found[0, number + score] == 0).all()
    assert columns[:, number + score].mean(axis=0) == pytest.approx(0, abs=1e-6)
    known = X["kind"].notna()
    assert found[1, levels] == pytest.approx(columns[known, levels].mean(axis=0), rel=1e-6)


@both
def test_a_row_does_not_depend_on_its_neighbours(cls):
    X, target = mixed()
    fitted = cls(encoder()).fit(X, labels(cls, target))
    seen = fitted._seen_by_head(X)
    for row in (0, 44, 89):
        assert np.array_equal(fitted._seen_by_head(X.iloc[[row]]), seen[[row]])
    copied = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(outputs(copied, X), outputs(fitted, X))


def test_raw_columns_have_the_variance_that_they_are_given():
    X, target = mixed()
    given = EncoderClassifier(encoder(), KNeighborsClassifier(3), passthrough=True)
    seen = given.fit(X, labels(EncoderClassifier, target))._seen_by_head(X)
    codes, raw = seen[:, :3], seen[:, 3:]
    assert np.array_equal(codes, given.transformer_.transform(X))
    assert raw.var(axis=0).sum() == pytest.approx(codes.var(axis=0).sum())
    shares = []
    for y in (target > 0, np.arange(90) % 2):
        seen = EncoderClassifier(encoder()).fit(X, y)._seen_by_head(X)
        shares.append(seen[:, 3:].var(axis=0).sum() / seen[:, :3].var(axis=0).sum())
    assert all(min(abs(share - s) for s in (0.5, 2.0)) < 1e-6 for share in shares)


@pytest.mark.parametrize("scaling", ["auto", "quantile", "minmax", None])
def test_any_scaling_of_the_encoder_gives_equal_columns(scaling):
    X, target = mixed()
    X = X.assign(large=1e6 * np.random.default_rng(1).normal(size=len(X)))
    X["normal"] += 1e3
    given = EncoderClassifier(
        encoder(rows=Table(scaling=scaling), hidden_layer_sizes=(8,)), passthrough=True
    )
    seen = given.fit(X, labels(EncoderClassifier, target))._seen_by_head(X)
    spread = seen[:, 3:].var(axis=0)
    assert spread.max() < 0.3 * spread.sum()
    assert np.abs(seen[:, 3]).max() < 10 * seen[:, 3].std()
    assert (seen[X["normal"].isna(), 3] == 0).all()


def test_pixels_stand_beside_codes_of_images_if_asked_for(digits):
    X, y = digits[0][:60], digits[1][:60]
    images = encoder(rows=Images((1, 8, 8)), max_epochs=1)
    for asked, width in (("auto", 3), (True, 3 + 64)):
        fitted = EncoderClassifier(images, passthrough=asked).fit(X, y)
        assert fitted.estimator_.n_features_in_ == width
    stacked = X.reshape(-1, 1, 8, 8)
    assert np.array_equal(fitted.fit(stacked, y).predict(stacked), fitted.fit(X, y).predict(X))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_what_a_caller_sets_in_torch_changes_nothing(device):
    X, target = mixed()
    fitted = EncoderClassifier(encoder()).fit(X, labels(EncoderClassifier, target))
    expected = outputs(fitted, X)
    try:
        torch.set_default_device(device)
        torch.set_default_dtype(torch.float64)
        again = EncoderClassifier(encoder()).fit(X, labels(EncoderClassifier, target))
        found = outputs(again, X), outputs(fitted, X)
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
    assert all(np.array_equal(each, expected) for each in found)


def test_sparse_rows_may_come_after_dense_ones():
    X = np.random.default_rng(0).poisson(1.0, size=(60, 4)).astype(float)
    y = np.arange(60) % 2
    fitted = EncoderClassifier(encoder()).fit(X, y)
    assert np.array_equal(fitted._seen_by_head(sparse.csr_matrix(X)), fitted._seen_by_head(X))
    frozen = EncoderClassifier(FrozenEstimator(fitted.transformer_))
    assert frozen.fit(sparse.csr_matrix(X), y).estimator_.n_features_in_ == 3


# ---------------------------------------------------------------- when


@both
def test_by_default_only_beside_codes_of_tables_with_the_default_head(cls):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 12, size=(60, 12)).astype(float)
    y = labels(cls, X[:, 0])
    head = KNeighborsClassifier() if cls is EncoderClassifier else LinearRegression()
    for fitted, rows in (
        (cls(encoder(), head), X),
        (cls(encoder(), fine_tune="full"), X),
        (cls(encoder(), fine_tune="linear_probe"), X),
        (cls(PCA(3)), X),
        (cls(make_pipeline(encoder())), X),
        (cls(encoder()), sparse.csr_matrix(X)),
        (cls(encoder(rows=Tokens(12), max_epochs=1)), X),
    ):
        assert fitted.fit(rows, y).estimator_.n_features_in_ == 3
    frozen = cls(FrozenEstimator(encoder().fit(X))).fit(X, y)
    assert frozen.estimator_.n_features_in_ > 3


@both
def test_where_it_cannot_be_it_is_refused_and_nothing_is_changed(cls):
    X = np.random.default_rng(0).integers(0, 12, size=(60, 12)).astype(float)
    y = labels(cls, X[:, 0])
    fitted = cls(encoder()).fit(X, y)
    before = dict(vars(fitted))
    for params, rows, message in (
        ({"fine_tune": "full"}, X, 'head on codes alone: leave passthrough at "auto"'),
        ({"transformer": PCA(2)}, X, r"passthrough=True takes .* got PCA. Set passthrough=False"),
        ({}, sparse.csr_matrix(X), "these are sparse matrices. Set passthrough=False"),
        ({"transformer": encoder(rows=Tokens(12))}, X, "these are token ids"),
        ({"passthrough": "raw"}, X, "'passthrough' parameter"),
    ):
        other = cls(encoder(), passthrough=True).set_params(**params)
        with pytest.raises(ValueError, match=message):
            other.fit(rows, y)
        assert not hasattr(other, "estimator_")
        asked = {**fitted.get_params(deep=False), **other.get_params(deep=False)}
        with pytest.raises(ValueError, match=message):
            fitted.set_params(**asked).fit(rows, y)
        assert {n: v for n, v in vars(fitted).items() if n.endswith("_")} == {
            n: v for n, v in before.items() if n.endswith("_")
        }


# ---------------------------------------------------------------- the same head each time


@both
def test_fits_are_the_same_bit_by_bit_in_any_order_and_with_weights_for_repeats(cls):
    X, target = mixed()
    y = labels(cls, target)
    counts = np.random.default_rng(1).integers(0, 3, size=len(X))
    order = np.random.default_rng(2).permutation(counts.sum())
    repeated = np.repeat(np.arange(len(X)), counts)[order]
    for weight, rows in ((None, order[order < len(X)]), (counts, repeated)):
        fitted = cls(encoder()).fit(X, y, sample_weight=weight)
        other = cls(encoder()).fit(X.iloc[rows], y[rows])
        assert np.array_equal(outputs(other, X), outputs(fitted, X))


@pytest.mark.parametrize("n_labels", [2, 3, 5])
@both
def test_a_handful_of_labels_will_do(cls, n_labels):
    X, _ = mixed()
    y = np.full(len(X), np.nan if cls is EncoderRegressor else -1.0)
    y[:n_labels] = np.arange(n_labels) % 2
    fitted = cls(encoder()).fit(X, y)
    assert np.isfinite(outputs(fitted, X)).all()
    assert fitted.score(X, y) > 0.5


@pytest.mark.parametrize("size", [1e-200, 1e-9, 1e9, 1e200])
def test_targets_may_be_of_any_size(size):
    X, target = mixed()
    frozen = FrozenEstimator(encoder().fit(X))
    one, other = (EncoderRegressor(frozen).fit(X, unit * target) for unit in (1.0, size))
    assert np.isfinite(other.predict(X)).all()
    if 1e-100 < size < 1e100:  # else squares are no floats
        assert other.estimator_.alpha == one.estimator_.alpha
        assert other.predict(X) / size == pytest.approx(one.predict(X))


def test_class_weights_are_those_of_rows():
    X, _ = mixed()
    y = np.where(np.random.default_rng(0).random(len(X)) < 0.3, "rare", "usual")
    frozen = FrozenEstimator(encoder().fit(X))
    even, weighted, repeated = (
        EncoderClassifier(frozen, class_weight=factors).fit(X.iloc[rows], y[rows])
        for factors, rows in (
            (None, slice(None)),
            ({"rare": 3}, slice(None)),
            (None, np.repeat(np.arange(len(X)), np.where(y == "rare", 3, 1))),
        )
    )
    shares = [fitted.predict_proba(X)[:, 0].mean() for fitted in (even, weighted, repeated)]
    assert weighted.classes_.tolist() == ["rare", "usual"]
    assert shares[0] + 0.1 < shares[1]
    assert shares[1] == pytest.approx(shares[2], abs=0.02)  # ranks are of the repeated rows


# ---------------------------------------------------------------- how it is chosen


@pytest.mark.parametrize("kind", [LogisticHead, RidgeHead])
def test_labels_held_out_choose_what_predicts_them(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 20))
    told = X @ rng.normal(size=20)
    noise = rng.normal(size=200)
    y = (told, noise) if kind is RidgeHead else (told > 0, noise > 0)
    weights = np.ones(200)
    sure, guessing = (chosen_head(kind, X, [np.ones(20)], part, weights, 20.0)[0] for part in y)
    assert np.abs(sure.coef_).sum() > 3 * np.abs(guessing.coef_).sum()
    strongest, weakest = max(kind.strengths), min(kind.strengths)
    for head, strength in ((sure, strongest), (guessing, weakest)):
        expected = kind.of(20.0 / strength)
        assert type(head) is (LogisticRegression if kind is LogisticHead else Ridge)
        assert head.get_params() == expected.get_params()
    # Of scalings that one which makes more of the column that matters.
    first, last = np.r_[3.0, np.full(19, 0.1)], np.r_[0.1, np.full(19, 3.0)]
    y = X[:, 0] if kind is RidgeHead else X[:, 0] > 0
    for scalings, number in (([first, last], 0), ([last, first], 1)):
        assert chosen_head(kind, X, scalings, y, weights, 20.0)[1] == number


def test_what_is_linear_in_heavy_tailed_columns_is_there_for_the_head():
    """Encoders see such columns by their ranks only."""
    X = np.exp(1.5 * np.random.default_rng(0).normal(size=(600, 3)))
    y = X[:, 0] - X[:, 1]
    for unit in (1.0, 1e200):
        model = EncoderRegressor(AutoencoderTransformer(latent_dim=2, max_epochs=2))
        assert model.fit(X[:400] * unit, y[:400]).score(X[400:] * unit, y[400:]) > 0.9


def test_a_column_that_is_missing_where_nearly_all_weight_is():
    X = pd.DataFrame({"a": np.r_[np.nan, np.arange(29.0)]})
    weights = np.r_[1e7, np.ones(29)]
    model = EncoderClassifier(AutoencoderTransformer(latent_dim=2, max_epochs=1))
    model.fit(X, np.arange(30) % 2, sample_weight=weights)
    assert np.isfinite(model.predict_proba(X)).all()


@pytest.mark.parametrize("unit", ["datetime64[ns]", "timedelta64[s]"])
def test_targets_that_are_times_are_refused(unit):
    y = np.arange(10).astype(unit)
    y[3] = "NaT"
    with pytest.raises(ValueError, match="got dates or durations: give their number of days"):
        EncoderRegressor(AutoencoderTransformer(latent_dim=2)).fit(np.eye(10), y)
