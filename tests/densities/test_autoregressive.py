"""Tables told column after column: true to the last nat, and drawn as they are."""

import pickle
import threading
from contextlib import contextmanager

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from known_densities import TABLES
from scipy import stats
from scipy.integrate import trapezoid
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer

from sklearn_replearn import VAETransformer
from sklearn_replearn.densities import Autoregressive
from sklearn_replearn.objectives import IWAE, BetaTCVAE
from sklearn_replearn.priors import Mixture, VampPrior
from sklearn_replearn.rows import Images, Table

FEW = Autoregressive(hidden_size=32, max_updates=200)


def autoregressive(density=FEW, **params):
    few = {"latent_dim": 2, "hidden_layer_sizes": (8,), "max_epochs": 20}
    return VAETransformer(**{**few, **params}, density=density)


def shop(n, seed=0):
    """A table of all kinds: a rule between two columns, holes, a constant, an index, dates."""
    random = np.random.default_rng(seed)
    kind = random.choice(["tea", "coffee", "milk"], n, p=[0.5, 0.3, 0.2])
    price = np.select([kind == "tea", kind == "coffee"], [2.5, 3.0], 1.2)
    frame = pd.DataFrame(
        {
            "kind": pd.Categorical(kind),
            "hot": pd.Series(kind != "milk").astype("boolean"),
            "price": price,
            "cups": random.poisson(2, n),
            "weight": random.lognormal(size=n),
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, n), "D"),
            "shop": 7.0,
        }
    )
    gone = random.random(n) < 0.2
    frame.loc[gone, "weight"] = np.nan
    return frame


# ---------------------------------------------------------------- scores


@pytest.mark.parametrize("name", TABLES)
def test_the_score_of_fresh_rows_is_not_above_their_true_likelihood(name):
    random = np.random.default_rng(0)
    (train, _), (fresh, log_p) = TABLES[name](random, 500), TABLES[name](random, 1000)
    gap = autoregressive().fit(train).score_samples(fresh) - log_p
    print(f"{name}: {gap.mean():.3f}")
    assert gap.mean() < 3 * gap.std() / np.sqrt(len(gap))
    # Normals and probabilities are in the family; edges and tails are not.
    assert gap.mean() > (-0.1 if name in ("correlated", "bits", "mixture", "mixed") else -0.6)


def test_a_change_of_units_shifts_the_score():
    X = np.random.default_rng(0).normal(size=(100, 2)) @ [[1.0, 0.8], [0.0, 0.6]]
    scores = autoregressive().fit(X).score_samples(X)
    shifted = autoregressive().fit(X * [64, 0.25]).score_samples(X * [64, 0.25])
    assert shifted.mean() == pytest.approx(scores.mean() - np.log(16), abs=0.05)


def test_probabilities_of_all_cells_add_up_to_one():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.poisson(2, 300), "kind": random.choice(["a", "b"], 300)})
    fitted = autoregressive().fit(frame)
    cells = pd.DataFrame({"x": np.repeat(np.arange(-30, 60), 2), "kind": np.tile(["a", "b"], 90)})
    assert np.exp(fitted.score_samples(cells)).sum() == pytest.approx(1, abs=1e-3)


def test_a_density_and_a_probability_add_up_to_one():
    X, _ = TABLES["zero-inflated"](np.random.default_rng(0), 300)
    fitted = autoregressive().fit(X)
    grid = np.linspace(-50, 80, 4001)[:, None]
    grid = grid[np.abs(grid[:, 0]) > 1e-9]
    rest = trapezoid(np.exp(fitted.score_samples(grid)), grid[:, 0])
    assert np.exp(fitted.score([[0.0]])) + rest == pytest.approx(1, abs=0.01)


def test_terms_of_columns_add_up_to_the_score():
    frame = shop(80)
    fitted = autoregressive().fit(frame)
    terms, scores = fitted.elbo_terms(frame), fitted.score_samples(frame, return_std=True)
    np.testing.assert_allclose(terms.sum(axis=1), scores[0], rtol=1e-6)
    np.testing.assert_allclose(terms["kl"], 0, atol=1e-4)
    assert (scores[1] == 0).all()
    assert (terms["weight"][frame["weight"].isna()] == 0).all()
    assert (terms["shop"] == 0).all()


def test_levels_that_fit_has_not_seen_are_improbable():
    frame = pd.DataFrame({"kind": ["a", "b"] * 30, "x": np.arange(60.0) % 7})
    fitted = autoregressive().fit(frame)
    new = fitted.elbo_terms(pd.DataFrame({"kind": ["a", "c"], "x": [1.0, 1.0]}))["kind"]
    assert new[1] == pytest.approx(-np.log(61)) and new[0] > -1


def test_codes_are_those_without_it():
    X = load_wine().data
    plain, told = autoregressive("independent").fit(X), autoregressive().fit(X)
    assert (plain.transform(X) == told.transform(X)).all()
    codes = plain.transform(X[:5])
    assert (plain.inverse_transform(codes) == told.inverse_transform(codes)).all()


# ---------------------------------------------------------------- rows that are drawn


def test_drawn_rows_keep_a_rule_and_what_columns_hold():
    frame = shop(400)
    drawn = autoregressive(Autoregressive(max_updates=300)).fit(frame).sample(1000, random_state=0)
    assert (drawn.dtypes == frame.dtypes).all()
    broken = (drawn["kind"] == "milk") == drawn["hot"]
    assert broken.mean() < 0.01
    assert set(drawn["price"]) == {1.2, 2.5, 3.0} and (drawn["shop"] == 7).all()
    assert not drawn.isna().any().any()
    assert drawn["cups"].mean() == pytest.approx(frame["cups"].mean(), abs=0.3)
    assert drawn["when"].between(frame["when"].min(), frame["when"].max()).all()
    shares = drawn["kind"].value_counts(normalize=True)
    assert shares["tea"] == pytest.approx(0.5, abs=0.08)


def test_cells_are_missing_as_in_fit_if_asked():
    frame = shop(300).drop(columns="shop")
    frame["late"] = frame["when"].mask(frame["weight"].isna())
    fitted = autoregressive().fit(frame)
    drawn = fitted.sample(1000, random_state=0, missing="as_fit")
    assert drawn["weight"].isna().mean() == pytest.approx(frame["weight"].isna().mean(), abs=0.07)
    assert (drawn["weight"].isna() == drawn["late"].isna()).mean() > 0.97
    assert not drawn[["kind", "cups"]].isna().any().any()
    known = fitted.sample(50, random_state=0, missing="as_fit", given={"weight": (0.5, 2.0)})
    assert known["weight"].between(0.5, 2.0).all()


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
def test_rows_given_cells_are_those_of_the_conditional(order):
    random = np.random.default_rng(0)
    covariance = np.array([[1.0, 0.7, 0.3], [0.7, 1.0, 0.5], [0.3, 0.5, 1.0]])
    X = random.multivariate_normal([0, 2, -1], covariance, 1500)[:, order]
    fitted = autoregressive(Autoregressive(hidden_size=64, max_updates=300)).fit(X)
    for j, value in [(0, 0.5), (2, -2.0)]:
        where = order.index(j)
        drawn = fitted.sample(1000, random_state=0, given={where: value})
        assert (drawn[:, where] == value).all()
        for k in {0, 1, 2} - {j}:
            mean = [0, 2, -1][k] + covariance[j, k] * (value - [0, 2, -1][j])
            deviation = np.sqrt(1 - covariance[j, k] ** 2)
            cells = drawn[:, order.index(k)]
            assert cells.mean() == pytest.approx(mean, abs=0.15)
            assert cells.std() == pytest.approx(deviation, abs=0.12)


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "milk"},
        {"kind": ["tea", "coffee"], "cups": (2, None)},
        {"cups": [1, 3]},
        {"cups": 2, "price": (2, 3)},
        {"weight": (1.0, 1.5)},
        {"when": (pd.Timestamp("2021-01-01"), pd.Timestamp("2021-06-30"))},
        {"hot": False},
    ],
    ids=str,
)
def test_rows_meet_what_is_given(given):
    drawn = autoregressive().fit(shop(200)).sample(60, random_state=0, given=given)
    for column, wanted in given.items():
        if isinstance(wanted, tuple):
            low, high = (drawn[column].iloc[0] if end is None else end for end in wanted)
            above = wanted[0] is None or (drawn[column] >= low).all()
            below = wanted[1] is None or (drawn[column] <= high).all()
            assert above and below
        else:
            assert drawn[column].isin(wanted if isinstance(wanted, list) else [wanted]).all()
    if given == {"kind": "milk"}:
        assert not drawn["hot"].any()


def test_no_row_of_fit_is_stored_or_drawn():
    X = np.random.default_rng(0).normal(size=(300, 3))
    fitted = autoregressive().fit(X)
    drawn = fitted.sample(300, random_state=0)
    assert not np.isin(drawn[:, 0], X[:, 0]).any()
    data = pickle.dumps(fitted)
    assert not any(x.tobytes() in data for x in X)


@pytest.mark.parametrize("wanted", [8.0, [8.0, 9.0]], ids=str)
def test_a_constant_column_is_as_given(wanted):
    X = np.column_stack([np.full(40, 7.0), np.arange(40.0)])
    drawn = autoregressive().fit(X).sample(20, random_state=0, given={0: wanted})
    assert set(drawn[:, 0]) == set(np.atleast_1d(wanted))


def test_scalings_that_fall_or_saturate():
    X = np.random.default_rng(0).poisson(300, (400, 1)).astype(float)
    falling = Table(scaling=FunctionTransformer(np.negative, np.negative))
    drawn = autoregressive(rows=falling).fit(X).sample(300, random_state=0, given={0: [290, 310]})
    assert 60 < (drawn == 290).sum() < 240
    saturating = Table(scaling=QuantileTransformer(n_quantiles=50))
    fitted = autoregressive(rows=saturating).fit(X)
    # Beyond what it tells apart a saturating scaling has no rows.
    assert 0.9 < np.exp(fitted.score_samples(np.arange(-2000.0, 3000)[:, None])).sum() < 1.01


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_values", [2, 10])
def test_a_few_values_without_a_step_are_drawn_exactly(n_values, dtype):
    random = np.random.default_rng(0)
    values = random.random(n_values).astype(dtype)
    X = np.stack([values[random.integers(0, n_values, 300)], random.normal(size=300)], axis=1)
    fitted = autoregressive().fit(X.astype(dtype))
    assert np.isin(fitted.sample(300, random_state=0)[:, 0], values).mean() > 0.97
    assert fitted.measures_["x0"] == "density"
    grid = np.linspace(-3, 4, 20001)
    rows = np.column_stack([grid, np.zeros_like(grid)])
    density = fitted.elbo_terms(rows)["x0"] + fitted.elbo_terms(rows)["x1"]
    other = fitted.elbo_terms([[5.0, 0.0]])["x1"][0]
    assert trapezoid(np.exp(density), grid) < 1.1 * np.exp(0.5) and np.isfinite(other)


@pytest.mark.parametrize("given", [1e6, [1e6, 2e6]], ids=str)
@pytest.mark.parametrize("mixed", [False, True])
def test_what_is_given_may_be_beyond_the_range_of_fit(mixed, given):
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=60), "y": np.arange(60.0)})
    frame = frame.assign(kind=["a", "b"] * 30) if mixed else frame
    drawn = autoregressive().fit(frame).sample(9, random_state=0, given={"x": given})
    assert set(drawn["x"]) <= set(np.atleast_1d(given))
    assert (autoregressive().fit(frame).sample(9, given={"x": (0, None)})["x"] >= 0).all()


def test_zeros_and_ones_that_are_scaled():
    X = np.random.default_rng(0).choice([10.0, 20.0], (60, 2), p=[0.7, 0.3])
    bits = autoregressive(likelihood={0: "bernoulli"}, rows=Table(scaling="minmax")).fit(X)
    drawn = bits.sample(400, random_state=0)[:, 0]
    assert set(drawn) == {10.0, 20.0} and 0.5 < (drawn == 10).mean() < 0.9


def test_digits_of_many_levels_are_probabilities():
    frame = pd.DataFrame({"level": [f"level {i}" for i in range(295)] * 2})
    fitted = autoregressive().fit(frame)
    assert np.exp(fitted.score_samples(frame[:295])).sum() == pytest.approx(1, abs=1e-3)
    few = ["level 7", "level 293"]
    drawn = fitted.sample(200, random_state=0, given={"level": few})["level"]
    assert set(drawn) == set(few)


def test_conditions_that_nothing_meets():
    frame = pd.DataFrame({"grey": np.random.default_rng(0).random(60), "x": np.arange(60.0)})
    fitted = autoregressive(likelihood={"grey": "bernoulli"}).fit(frame)
    with pytest.raises(ValueError, match=r"given: no row that the model draws meets"):
        fitted.sample(5, given={"grey": (0.3, 0.6)})


# ---------------------------------------------------------------- promises


def test_the_same_rows_give_the_same_model():
    frame = shop(120)
    first, before = autoregressive().fit(frame), torch.get_rng_state()
    again = autoregressive().fit(frame.sample(frac=1, random_state=1))
    scores = first.score_samples(frame)
    assert (again.score_samples(frame) == scores).all()
    assert (torch.get_rng_state() == before).all()
    drawn = first.sample(5, random_state=3)
    pd.testing.assert_frame_equal(drawn, again.sample(5, random_state=3))
    found = {}

    def fit(number):
        found[number] = autoregressive().fit(frame).score_samples(frame)

    threads = [threading.Thread(target=fit, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found[0] == scores).all() and (found[1] == scores).all()


@contextmanager
def float64_by_default():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    "ambience",
    [
        torch.inference_mode,
        torch.no_grad,
        float64_by_default,
        lambda: torch.autocast("cpu", dtype=torch.bfloat16),
        lambda: torch.device("meta"),
    ],
    ids=["inference_mode", "no_grad", "float64", "autocast", "device"],
)
@pytest.mark.parametrize(
    "estimator",
    [
        autoregressive(Autoregressive(max_updates=20)),
        autoregressive("independent", objective=IWAE(), prior=Mixture(3)),
        autoregressive("independent", objective=BetaTCVAE(), prior=VampPrior(3)),
    ],
    ids=["density", "mixture", "vamp"],
)
def test_what_a_caller_switched_on_changes_nothing(estimator, ambience):
    frame = shop(60)

    def results(fitted):
        yield fitted.score_samples(frame)
        yield fitted.sample(5, random_state=0)["weight"].to_numpy()
        yield fitted.impute(frame)["weight"].to_numpy()
        yield fitted.impute(frame, n_draws=1, random_state=0)[0]["weight"].to_numpy()

    fitted = clone(estimator).fit(frame)
    expected = list(results(fitted))
    with ambience():
        again, used = clone(estimator).fit(frame), list(results(fitted))
        fresh = list(results(again))
    for a, b, c in zip(expected, used, fresh, strict=True):
        assert np.array_equal(a, b) and np.array_equal(a, c)


def test_weight_two_is_the_row_twice():
    X = np.random.default_rng(0).normal(size=(40, 2))
    weighted = autoregressive().fit(X, sample_weight=np.repeat([1.0, 2.0], 20))
    repeated = autoregressive().fit(np.concatenate([X, X[20:]]))
    assert (weighted.score_samples(X) == repeated.score_samples(X)).all()


def test_a_row_does_not_depend_on_those_beside_it():
    frame = shop(200)
    fitted = autoregressive().fit(frame)
    scores = fitted.score_samples(frame)
    for part in (slice(0, 1), slice(3, 20), slice(50, 187)):
        assert (fitted.score_samples(frame[part]) == scores[part]).all()


def test_a_model_in_a_memory_map_is_read(tmp_path):
    frame = shop(60)
    fitted = autoregressive().fit(frame)
    joblib.dump(fitted, tmp_path / "model")
    loaded = joblib.load(tmp_path / "model", mmap_mode="r")
    assert (loaded.score_samples(frame) == fitted.score_samples(frame)).all()
    for call in (lambda m: m.sample(5, random_state=0), lambda m: m.impute(frame)):
        pd.testing.assert_frame_equal(call(loaded), call(fitted))


def test_a_model_is_stored_in_the_same_bytes():
    frame = shop(60)
    fitted = autoregressive().fit(frame)
    data = pickle.dumps(fitted)
    loaded = pickle.loads(data)
    assert pickle.dumps(loaded) == data
    assert (loaded.score_samples(frame) == fitted.score_samples(frame)).all()


@pytest.mark.parametrize(
    "X",
    [
        [[1.0], [2.0], [4.0]],
        [[1.0, 5.0], [1.0, 5.0], [2.0, 5.0]],
        np.random.default_rng(0).normal(size=(30, 1)) * 1e30,
        np.random.default_rng(0).normal(size=(30, 3)) * 1e-30,
        np.where(np.eye(20) > 0, np.nan, np.arange(20.0)),
        np.full((25, 2), 3.0),
        np.arange(40, dtype=np.int8).reshape(20, 2),
        pd.DataFrame({"a": ["x", "y", None]}),
        pd.DataFrame({"a": [f"level {i % 300}" for i in range(600)], "b": np.arange(600) % 9}),
    ],
    ids=["column", "three", "huge", "tiny", "holes", "constant", "int8", "text", "levels"],
)
def test_small_and_odd_tables(X):
    fitted = autoregressive().fit(X)
    scores, drawn = fitted.score_samples(X), fitted.sample(30, random_state=0, missing="as_fit")
    assert np.isfinite(scores).all()
    assert drawn.shape == (30, np.shape(X)[1])
    assert fitted.sample(1, random_state=0).shape == (1, np.shape(X)[1])


def test_it_is_searched_over_and_cloned():
    X = load_wine().data
    search = GridSearchCV(autoregressive(), {"density__max_updates": [0, 100]}, cv=2).fit(X)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all() and scores[0] != scores[1]
    best = search.best_params_["density__max_updates"]
    assert clone(search.best_estimator_).density.max_updates == best


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"density": "gaussian"}, "density"),
        ({"density": Autoregressive(hidden_size=0)}, "hidden_size"),
        ({"density": Autoregressive(n_components="few")}, "n_components"),
        ({"rows": Images((1, 2, 4))}, r"density.* is for rows of a table; rows are Images"),
    ],
    ids=["name", "width", "components", "images"],
)
def test_what_it_refuses(params, message):
    X = np.random.default_rng(0).random((20, 8))
    params = {"density": "autoregressive", **params}
    if "rows" in params:
        params["hidden_layer_sizes"] = "auto"
    with pytest.raises(ValueError, match=message):
        autoregressive(**params).fit(X)


@pytest.mark.parametrize("n_components", [1, 2, 3])
def test_few_components(n_components):
    X = np.random.default_rng(0).normal(size=(40, 2))
    fitted = autoregressive(Autoregressive(n_components=n_components, max_updates=5)).fit(X)
    assert np.isfinite(fitted.score_samples(X)).all()


def test_it_refuses_tables_that_are_too_wide():
    X = np.random.default_rng(0).random((30, 700))
    with pytest.raises(ValueError, match=r"700 columns would need .* weights"):
        autoregressive(Autoregressive(n_components=32)).fit(X)
    assert autoregressive(rows=Table()).fit(X[:, :40]).sample(2).shape == (2, 40)


def test_better_than_columns_by_themselves():
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 1200)
    X = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    X += 0.05 * np.random.default_rng(1).normal(size=X.shape)
    density = Autoregressive(hidden_size=64, max_updates=500)
    fitted = autoregressive(density).fit(X[:800])
    normal = stats.multivariate_normal(X.mean(0), np.cov(X.T)).logpdf(X[800:]).mean()
    assert fitted.score(X[800:]) > normal + 1
    radius = np.linalg.norm(fitted.sample(500, random_state=0), axis=1)
    assert np.median(np.abs(radius - 1)) < 0.12
