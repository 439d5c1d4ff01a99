"""Rows of a user's own that judge the epochs of a fit: what they change, and what they do not."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from quick import quick
from repeatability import weights
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EarlyStopping

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    RepresentationImputer,
    VAETransformer,
    load,
    save,
)
from sklearn_replearn.objectives import SupCon
from sklearn_replearn.rows import Arrays, Images, Table, Tokens

TRANSFORMERS = [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
each = pytest.mark.parametrize("cls", TRANSFORMERS)
scored = pytest.mark.parametrize("cls", [AutoencoderTransformer, ContrastiveTransformer])
pytestmark = pytest.mark.filterwarnings("ignore:The codes collapsed")


def small(cls, **params):
    layers = {} if "rows" in params else {"hidden_layer_sizes": (16,)}
    return quick(cls, **{**layers, "max_epochs": 4, "lr": 5e-3, **params})


def mixed(n, seed=0):
    """A frame of numbers, some missing or heavy-tailed, categories, booleans and dates."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    days = pd.to_timedelta(rng.integers(0, 400, n), unit="D")
    return pd.DataFrame(
        {
            "number": z + 0.3 * rng.normal(size=n),
            "missing": np.where(rng.random(n) < 0.2, np.nan, z),
            "skewed": np.exp(3 * z),
            "word": np.where(z > 0, "x", "y"),
            "level": pd.Categorical(rng.choice(list("uvw"), n), categories=list("uvw")),
            "day": pd.Timestamp("2020-01-01") + days,
            "flag": rng.integers(0, 2, n).astype(bool),
        }
    )


def far(n):
    """Rows beyond those of fit: numbers far off, a level never seen, cells missing."""
    frame = mixed(n, seed=1)
    frame.loc[0, "number"], frame.loc[1, "number"] = 1e5, np.nan
    frame.loc[2, "word"], frame.loc[3, "word"] = "never", None
    return frame


X, V, FAR = mixed(60), mixed(24, seed=2), far(24)
NUMBERS = np.random.default_rng(3).normal(size=(90, 2)) @ np.random.default_rng(4).normal(
    size=(2, 6)
) + 0.5 * np.random.default_rng(5).normal(size=(90, 6))


def losses(fitted):
    return fitted.history_.drop(columns="seconds")


def kept(fitted):
    """What was recorded of the epoch whose weights are kept."""
    return losses(fitted).loc[fitted.history_["valid_loss"].idxmin()]


# ---------------------------------------------------------------- the loss is the score


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("missing", [False, True])
def test_the_loss_of_an_autoencoder_is_minus_the_score(early_stopping, missing):
    rows = NUMBERS[60:].copy()
    if missing:
        rows[::2, :3] = np.nan  # each row that lacks some lacks as many
        rows[1::2, 3:] = np.nan
    fitted = small(AutoencoderTransformer, max_epochs=20, early_stopping=early_stopping)
    fitted.fit(NUMBERS[:60], X_val=rows)
    loss = losses(fitted)["valid_loss"]
    reached = loss.min() if early_stopping else loss.iloc[-1]
    assert reached == pytest.approx(-fitted.score(rows), rel=1e-4)
    assert loss.to_numpy() == pytest.approx(-losses(fitted)["valid_score"].to_numpy(), rel=1e-4)


TABLES = {
    "mixed": (X, V),
    "far": (X, FAR),
    "polars": (pl.from_pandas(X), pl.from_pandas(FAR)),
    "one row": (X, FAR.iloc[:1]),
    "one column": (X[["number"]], FAR[["number"]]),
    "one row of one column": (X[["number"]], FAR[["number"]].iloc[1:2]),
    "repeated": (X, pd.concat([V, V.iloc[:5]])),
    "extreme": (NUMBERS, np.where(np.eye(6) > 0, 1e13, NUMBERS[:6])),
}


@pytest.mark.parametrize("table", TABLES)
@scored
def test_the_score_of_the_epoch_that_is_kept_is_that_after_fit(cls, table):
    rows, given = TABLES[table]
    fitted = small(cls, early_stopping=True).fit(rows, X_val=given)
    assert kept(fitted)["valid_score"] == pytest.approx(fitted.score(given), rel=1e-4)
    assert np.isfinite(losses(fitted).to_numpy()).all()


KINDS = {
    "images": (Images((1, 8, 8)), np.random.default_rng(0).random((16, 1, 8, 8)), 0.2),
    "tokens": (Tokens(9), np.random.default_rng(0).integers(0, 9, (16, 10)), 0),
    "arrays": (Arrays((4, 3)), np.random.default_rng(0).normal(size=(16, 4, 3)), 1.0),
}


@pytest.mark.parametrize("kind", KINDS)
@each
def test_rows_of_any_kind(cls, kind):
    rows, cells, moved = KINDS[kind]
    fitted = small(cls, rows=rows, max_epochs=1).fit(cells, X_val=cells[:5] + moved)
    assert np.isfinite(losses(fitted).to_numpy()).all()
    if cls is not VAETransformer:
        reached = losses(fitted)["valid_score"].iloc[-1]
        assert reached == pytest.approx(fitted.score(cells[:5] + moved), rel=1e-4)


@each
def test_sparse_counts(cls):
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.5, size=(60, 8)).astype(float)
    fitted = small(cls).fit(sparse.csr_array(counts[:40]), X_val=sparse.csr_array(counts[40:]))
    dense = small(cls).fit(sparse.csr_array(counts[:40]), X_val=counts[40:])
    pd.testing.assert_frame_equal(losses(fitted), losses(dense))
    if cls is not ContrastiveTransformer:
        with pytest.raises(ValueError, match=r"X_val must hold rows like those of X.*held counts"):
            small(cls).fit(sparse.csr_array(counts[:40]), X_val=counts[40:] - 0.5)


def test_the_loss_of_a_vae_is_minus_its_bound_up_to_the_units():
    given = NUMBERS[60:]
    for factor in (1.0, 1000.0):
        vae = small(VAETransformer, max_epochs=60, scale=1.0, prior="normal")
        vae.set_params(n_importance_samples=32).fit(factor * NUMBERS[:60], X_val=factor * given)
        # Scaled cells are in units of the deviation, and a bound is in those of the table.
        units = np.log(factor * NUMBERS[:60].std(axis=0)).sum()
        terms = vae.elbo_terms(factor * given)
        loss = losses(vae).iloc[-1]
        assert loss["valid_loss"] + units == pytest.approx(-terms.sum(axis=1).mean(), abs=0.35)
        assert loss["valid_kl"] == pytest.approx(-terms["kl"].mean(), abs=0.2)
    raw = small(VAETransformer, max_epochs=60, prior="normal", rows=Table(scaling=None), scale=1.0)
    raw.fit(NUMBERS[:60], X_val=given)
    reached = losses(raw)["valid_loss"].iloc[-1]
    assert reached == pytest.approx(-raw.elbo_terms(given).sum(axis=1).mean(), abs=0.35)


# ---------------------------------------------------------------- they judge, and teach nothing


@each
def test_nothing_is_learned_from_them(cls):
    plain, watched = small(cls).fit(X), small(cls).fit(X, X_val=FAR)
    assert weights(watched) == weights(plain)
    common = losses(plain).columns
    pd.testing.assert_frame_equal(losses(watched)[common], losses(plain))
    assert np.array_equal(watched.transform(FAR), plain.transform(FAR))
    assert watched.get_params() == plain.get_params()


@each
def test_all_rows_train_and_the_best_epoch_is_kept(cls):
    params = {"max_epochs": 30, "lr": 0.05, "lr_schedule": None, "n_iter_no_change": 3}
    if cls is VAETransformer:
        params["kl_warmup"] = 0.0  # it is a share of the epochs
    stopped = small(cls, early_stopping=True, **params).fit(X, X_val=V)
    best = int(stopped.history_["valid_loss"].idxmin())
    assert stopped.n_iter_ < 30
    alone = small(cls, **{**params, "max_epochs": best}).fit(X)
    assert np.allclose(stopped.transform(X), alone.transform(X), atol=1e-4)
    other = small(cls, early_stopping=True, validation_fraction=0.5, **params).fit(X, X_val=V)
    assert weights(other) == weights(stopped)


@each
def test_order_and_container_do_not_matter(cls):
    fitted = small(cls, early_stopping=True).fit(X, X_val=FAR)
    for rows, given in (
        (X, FAR.sample(frac=1, random_state=0)),
        (pl.from_pandas(X), pl.from_pandas(FAR)),
    ):
        again = small(cls, early_stopping=True).fit(rows, X_val=given)
        assert weights(again) == weights(fitted)
        pd.testing.assert_frame_equal(losses(again), losses(fitted))


@each
def test_weights_count_as_rows(cls):
    counts = np.arange(len(V)) % 3
    weighted = small(cls).fit(X, X_val=V, sample_weight_val=counts)
    repeated = small(cls).fit(X, X_val=V.loc[np.repeat(V.index, counts)])
    pd.testing.assert_frame_equal(losses(weighted), losses(repeated))
    if cls is AutoencoderTransformer:
        reached = losses(weighted)["valid_score"].iloc[-1]
        assert reached == pytest.approx(weighted.score(V, sample_weight=counts), rel=1e-4)


def test_a_fit_that_goes_on_may_have_them_or_not(tmp_path):
    fitted = small(AutoencoderTransformer, warm_start=True).fit(X)
    fitted.fit(X, X_val=V)
    assert losses(fitted)["valid_loss"].notna().tolist() == [False] * 4 + [True] * 4
    save(fitted, tmp_path / "model")
    pd.testing.assert_frame_equal(losses(load(tmp_path / "model")), losses(fitted))


def test_callbacks_may_monitor_them():
    stop = EarlyStopping(monitor="valid_score", patience=1)  # it rises at once
    assert small(AutoencoderTransformer, callbacks=[stop]).fit(X, X_val=V).n_iter_ < 4


# ---------------------------------------------------------------- what they must be


BAD = {
    "columns": (V[["number"]], "feature names should match"),
    "order": (V[V.columns[::-1]], "same order"),
    "names": (V.rename(columns={"number": "other"}), "feature names should match"),
    "empty": (V.iloc[:0], "0 sample"),
    "infinite": (V.assign(number=np.inf), "infinite"),
    "kind": (V.assign(number="text"), "held numbers in fit"),
    "no table": ("text", "must be a table"),
    "width": ([[1.0]], "1 features"),
}


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("bad", BAD)
@each
def test_other_rows_are_refused_and_nothing_is_changed(cls, bad):
    given, message = BAD[bad]
    fitted = small(cls, max_epochs=1).fit(X)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match=f"(?s)X_val must hold rows like those of X.*{message}"):
        fitted.fit(X, X_val=given)
    assert vars(fitted) == before


def test_cells_that_the_likelihood_does_not_take_are_refused():
    binary = (NUMBERS > 0).astype(float)
    vae = small(VAETransformer, likelihood="bernoulli")
    with pytest.raises(ValueError, match=r"X_val must hold.*columns within"):
        vae.fit(binary, X_val=3 * binary)


@pytest.mark.parametrize("name", ["y_val", "sample_weight_val", "groups_val", "times_val"])
def test_what_stands_beside_no_rows_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} belongs to rows of X_val, and X_val is None"):
        small(ContrastiveTransformer).fit(X, **{name: np.ones(len(V))})
    with pytest.raises(ValueError, match=r"Beside the rows of X_val: .* each of the 24 rows"):
        own = {} if name[:-4] in ("y", "sample_weight") else {name[:-4]: np.arange(len(X))}
        objective = SupCon() if name == "y_val" else None
        labels = np.arange(len(X)) % 2
        small(ContrastiveTransformer, objective=objective).fit(
            X, labels, X_val=V, **{name: [1]}, **own
        )


def test_what_stands_beside_them_is_what_stands_beside_the_others():
    groups, times = np.arange(60) // 2, np.arange(60.0)
    told = small(ContrastiveTransformer).fit(
        X, groups=groups, times=times, X_val=V, groups_val=groups[:24], times_val=times[:24]
    )
    assert losses(told)["valid_loss"].notna().all()
    with pytest.raises(ValueError, match=r"groups says which .* give both, or neither"):
        small(ContrastiveTransformer).fit(X, groups=groups, X_val=V)
    labels = np.array(list("ab"))[np.arange(60) % 2]
    objective = small(ContrastiveTransformer, objective=SupCon())
    with pytest.raises(ValueError, match=r"Beside the rows of X_val.*needs y"):
        objective.fit(X, labels, X_val=V)
    one = objective.fit(X, labels, X_val=V, y_val=labels[:24])
    other = clone(objective).fit(X, labels, X_val=V, y_val=labels[:24][::-1])
    assert not np.allclose(losses(one)["valid_loss"], losses(other)["valid_loss"])


# ---------------------------------------------------------------- through other estimators


def scaling(output):
    scaler = ColumnTransformer(
        [("scaled", StandardScaler(), ["number", "missing", "skewed"])],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    return scaler.set_output(transform=output)


@pytest.mark.parametrize("container", ["pandas", "polars"])
@each
def test_a_pipeline_transforms_them_and_a_search_passes_them_on(cls, container):
    rows, given = (X, FAR) if container == "pandas" else map(pl.from_pandas, (X, FAR))
    encoder = small(cls, early_stopping=True)
    scaler = scaling(container).fit(rows)
    direct = clone(encoder).fit(scaler.transform(rows), X_val=scaler.transform(given))
    with sklearn.config_context(enable_metadata_routing=True):
        encoder.set_fit_request(X_val=True)
        pipe = Pipeline(
            [("scale", scaling(container)), ("encode", encoder)], transform_input=["X_val"]
        )
        pipe.fit(rows, X_val=given)
        assert weights(pipe["encode"]) == weights(direct)
        pd.testing.assert_frame_equal(losses(pipe["encode"]), losses(direct))
        if cls is not VAETransformer:
            assert kept(pipe["encode"])["valid_score"] == pytest.approx(pipe.score(given), rel=1e-4)
        grid = {"encode__latent_dim": [1, 3]}
        search = GridSearchCV(pipe, grid, cv=2, error_score="raise").fit(rows, X_val=given)
    best = search.best_estimator_
    latent_dim = search.best_params_["encode__latent_dim"]
    alone = clone(encoder).set_params(latent_dim=latent_dim)
    alone.fit(scaler.transform(rows), X_val=scaler.transform(given))
    assert weights(best["encode"]) == weights(alone)


def test_a_search_takes_the_fold_of_as_many_rows_as_there_are():
    seen = []

    class Noting(AutoencoderTransformer):
        def fit(self, X, y=None, *, X_val):
            seen.append((len(X), len(X_val)))
            return super().fit(X, X_val=X_val)

    for given in (V, mixed(60, seed=7)):
        search = GridSearchCV(small(Noting, max_epochs=1), {"latent_dim": [2]}, cv=2)
        search.fit(X, X_val=given)
    assert seen == [(30, 24), (30, 24), (60, 24), (30, 30), (30, 30), (60, 60)]


def test_an_encoder_before_a_head_and_an_imputer_get_them():
    labels = np.where(np.arange(60) % 3 == 0, -1, X["word"] == "x")
    encoder = small(AutoencoderTransformer)
    direct = clone(encoder).fit(X, X_val=V)
    told = EncoderClassifier(clone(encoder)).fit(X, labels, X_val=V)
    assert losses(told.transformer_).equals(losses(direct))
    imputer = RepresentationImputer(clone(encoder)).fit(X, X_val=V)
    assert losses(imputer.estimator_).equals(losses(direct))
    scaled = scaling("pandas").fit(X)
    with sklearn.config_context(enable_metadata_routing=True):
        asking = clone(encoder).set_fit_request(X_val=True)
        pipe = Pipeline(
            [("scale", scaling("pandas")), ("classify", EncoderClassifier(asking))],
            transform_input=["X_val"],
        ).fit(X, labels, X_val=V)
        inner = EncoderClassifier(
            Pipeline([("scale", scaling("pandas")), ("encode", asking)], transform_input=["X_val"])
        ).fit(X, labels, X_val=V)
        steps = [("scale", scaling("pandas")), ("encode", asking), ("head", LogisticRegression())]
        pipe_of_three = Pipeline(steps, transform_input=["X_val"])
        pipe_of_three[:1].set_output(transform="pandas")
        pipe_of_three.fit(X, labels, X_val=V)
    expected = losses(clone(encoder).fit(scaled.transform(X), X_val=scaled.transform(V)))
    assert losses(pipe["classify"].transformer_).equals(expected)
    assert losses(inner.transformer_["encode"]).equals(expected)
    assert losses(pipe_of_three["encode"]).equals(expected)


def test_a_row_that_no_float32_holds_is_named():
    counts = np.random.default_rng(0).poisson(1.0, size=(40, 3)).astype(float)
    far_off = np.array([[1e300, 0.0, 0.0]])
    vae = small(VAETransformer, likelihood="poisson")
    with pytest.raises(ValueError, match=r"loss of the rows of X_val became NaN or infinite"):
        vae.fit(counts, X_val=far_off)
