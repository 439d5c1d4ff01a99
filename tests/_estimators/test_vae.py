"""VAETransformer: the likelihood, samples, and what β does."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
from sklearn.decomposition import FactorAnalysis
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import FunctionTransformer

from sklearn_replearn import VAETransformer
from sklearn_replearn.priors import Mixture, VampPrior
from sklearn_replearn.rows import Table


@pytest.fixture(scope="module")
def wine(wine):
    return wine[0]


@pytest.fixture(scope="module")
def factors():
    """Rows of a linear factor model, with columns in very different units."""
    rng = np.random.default_rng(0)
    loadings, units = rng.normal(size=(3, 10)), 10.0 ** rng.uniform(-3, 3, size=10)
    noise = rng.uniform(0.3, 1.0, size=10)
    X = rng.normal(size=(2000, 3)) @ loadings + rng.normal(size=(2000, 10)) * noise
    return (X + 5) * units


@pytest.mark.parametrize("params", [{"hidden_layer_sizes": ()}, {}], ids=["linear", "default"])
def test_on_a_factor_model_the_likelihood_is_that_of_factor_analysis(params, factors):
    train, test = factors[:1500], factors[1500:]
    units = train.std(axis=0)
    exact = FactorAnalysis(3).fit(train / units).score(test / units) - np.log(units).sum()
    bound = VAETransformer(3, **params).fit(train).score(test)
    assert bound == pytest.approx(exact, rel=0.02)


def test_the_bound_does_not_exceed_the_exact_likelihood_of_a_linear_decoder(factors):
    vae = VAETransformer(3, hidden_layer_sizes=(), n_importance_samples=4, prior="normal")
    vae.fit(factors)
    network = vae.network_.double()
    W, b = network.decoder[0].weight.detach().numpy(), network.decoder[0].bias.detach().numpy()
    noise = np.diag(network.likelihood.variance.detach().numpy())
    rows = vae._model.scaler.scale(factors)
    exact = stats.multivariate_normal(b, W @ W.T + noise).logpdf(rows)
    exact = exact + vae._model.scaler.log_slope(factors).sum(axis=1)
    gaps = [
        exact.mean() - vae.set_params(n_importance_samples=n).score(factors) for n in (1, 4, 64)
    ]
    assert gaps[0] > gaps[1] > gaps[2] > -1e-3


def test_the_likelihood_is_in_the_original_units(wine):
    vae = VAETransformer(4)
    in_units = clone(vae).fit(wine).score(wine)
    in_thousandths = clone(vae).fit(wine * 1000).score(wine * 1000)
    # Not closer, because other values are drawn in another order.
    assert in_thousandths == pytest.approx(in_units - 13 * np.log(1000), abs=1.0)


def test_the_likelihood_under_a_logarithm_is_a_density_of_the_original():
    X = np.exp(np.random.default_rng(0).normal(size=(2000, 2)))
    vae = VAETransformer(
        1, rows=Table(scaling=FunctionTransformer(np.log, np.exp, check_inverse=False))
    )
    exact = stats.lognorm.logpdf(X, s=1).sum(axis=1).mean()
    assert vae.fit(X).score(X) == pytest.approx(exact, abs=0.1)


def test_the_score_repeats_and_does_not_depend_on_the_neighbours(wine):
    vae = VAETransformer(3, max_epochs=20).fit(wine)
    scores = vae.score_samples(wine)
    assert np.array_equal(scores, vae.score_samples(wine))
    assert np.array_equal(scores[5:9], vae.score_samples(wine[5:9]))
    assert vae.score(wine) == scores.mean()


@pytest.mark.parametrize("scaling", ["standard", "quantile"])
def test_the_score_of_a_row_does_not_depend_on_its_neighbours_under_any_scaling(scaling):
    X = np.random.default_rng(0).gamma(1.0, size=(400, 9))
    vae = VAETransformer(2, rows=Table(scaling=scaling), max_epochs=2).fit(X)
    scores = vae.score_samples(X)
    assert np.array_equal([vae.score_samples(X[[i]])[0] for i in range(100)], scores[:100])


def test_interpolation_takes_rows_of_a_frame_and_of_an_array(wine):
    frame = pd.DataFrame(wine, columns=load_wine().feature_names)
    vae = VAETransformer(4, max_epochs=2).fit(frame)
    paths = [
        vae.interpolate(frame.iloc[0], frame.iloc[1]),
        vae.interpolate(wine[0], wine[1]),
        vae.interpolate(frame.iloc[[0]], frame.iloc[[1]]),
    ]
    assert np.array_equal(paths[0], paths[1])
    assert np.array_equal(paths[0], paths[2])


@pytest.mark.parametrize("scaling", ["standard", "robust", "quantile", "minmax", None])
def test_constant_columns_add_nothing_to_the_likelihood(scaling):
    X = np.random.default_rng(0).normal(size=(300, 4))
    vae = VAETransformer(2, rows=Table(scaling=scaling), max_epochs=60)
    extended = np.column_stack([X, np.full(len(X), 50.0)])
    alone, beside = clone(vae).fit(X).score(X), clone(vae).fit(extended)
    assert beside.score(extended) == pytest.approx(alone, abs=0.5)
    if scaling != "quantile":  # which maps values it has not seen to the nearest that it has
        extended[:, -1] = 60.0
        assert beside.score(extended) < alone - 40


def test_beta_trades_reconstruction_for_closeness_to_the_prior(wine):
    fits = [VAETransformer(8, beta=beta).fit(wine) for beta in (1.0, 4.0, 20.0)]
    errors = [fit.reconstruction_error(wine).mean() for fit in fits]
    assert errors[0] < errors[1] < errors[2]
    divergences = []
    for fit in fits:
        mean, std = fit.posterior(wine)
        divergences.append(0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std)).sum(axis=1).mean())
    assert divergences[0] > divergences[1] > divergences[2]


def test_the_kl_in_the_history_is_that_of_the_posterior(wine):
    vae = VAETransformer(4, lr_schedule="cosine").fit(wine)
    mean, std = vae.posterior(wine)
    kl = 0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std)).sum(axis=1).mean()
    assert vae.history_["train_kl"].iloc[-1] == pytest.approx(kl, rel=0.01)


@pytest.mark.parametrize("max_epochs", [1, 2, 30])
def test_warm_up_of_the_kl_does_not_outlast_training(max_epochs, wine):
    vae = VAETransformer(4, max_epochs=max_epochs, kl_warmup=1.0, batch_size=16).fit(wine)
    mean, std = vae.posterior(wine)
    kl = 0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std)).sum(axis=1).mean()
    if max_epochs == 30:
        assert vae.history_["train_kl"].iloc[-1] == pytest.approx(kl, rel=0.1)
    # Whatever the number of epochs, the weight has arrived at beta after the last update.
    updates = max_epochs * 12
    assert vae._objective(Table(), updates).warmup_steps <= updates


def test_transform_is_the_posterior_mean(wine):
    vae = VAETransformer(4, max_epochs=20).fit(wine)
    mean, std = vae.posterior(wine.astype(np.float32))
    assert mean.dtype == std.dtype == np.float32
    assert np.array_equal(mean, vae.transform(wine.astype(np.float32)))
    assert (std > 0).all()


def test_samples_are_like_the_rows(wine):
    sample = VAETransformer(8).fit(wine).sample(4000, random_state=0)
    assert sample.shape == (4000, 13)
    deviation = wine.std(axis=0)
    assert np.abs(sample.mean(axis=0) - wine.mean(axis=0)).max() < 0.3 * deviation.max()
    assert (np.abs((sample.mean(axis=0) - wine.mean(axis=0)) / deviation) < 0.3).all()
    assert sample.std(axis=0) / deviation == pytest.approx(np.ones(13), abs=0.25)


def test_samples_repeat_with_a_seed_only(wine):
    vae = VAETransformer(4, max_epochs=5).fit(wine)
    assert np.array_equal(vae.sample(3, random_state=1), vae.sample(3, random_state=1))
    assert not np.array_equal(vae.sample(3), vae.sample(3))
    with pytest.raises(ValueError, match=r"'n_samples' parameter .* Got 0"):
        vae.sample(0)


def test_interpolation_leads_from_one_row_to_the_other(wine):
    vae = VAETransformer(4, max_epochs=50).fit(wine)
    path = vae.interpolate(wine[0], wine[[100]], n_steps=7)
    assert path.shape == (7, 13)
    ends = vae.inverse_transform(vae.transform(wine[[0, 100]]))
    assert path[[0, -1]] == pytest.approx(ends)
    with pytest.raises(ValueError, match="x_b must be one row; got 2 rows"):
        vae.interpolate(wine[0], wine[:2])
    with pytest.raises(ValueError, match=r"'n_steps' parameter .* Got 1"):
        vae.interpolate(wine[0], wine[1], n_steps=1)


def test_bernoulli_likelihood_is_a_log_probability_of_binary_rows():
    X = (load_digits().data[:500] > 8).astype(float)
    vae = VAETransformer(8, likelihood="bernoulli").fit(X)
    share = X.mean(axis=0).clip(0.01, 0.99)
    independent = (X * np.log(share) + (1 - X) * np.log(1 - share)).sum(axis=1).mean()
    assert independent + 5 < vae.score(X) < 0
    assert set(np.unique(vae.sample(20, random_state=0))) == {0.0, 1.0}


def test_a_fixed_scale_is_kept(wine):
    vae = VAETransformer(4, scale=0.5, max_epochs=5).fit(wine)
    assert vae.network_.likelihood.variance.tolist() == [0.25] * 13


def one_standard_error_rule(results):
    """The first candidate, of those in order of size, that is as good as the best."""
    mean, deviation = results["mean_test_score"], results["std_test_score"]
    error = deviation[mean.argmax()] / np.sqrt(2)
    return int(np.flatnonzero(mean >= mean.max() - error)[0])


def test_held_out_likelihood_finds_the_number_of_factors():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(4, 32)) * 0.75, rng.normal(size=(32, 20)) / np.sqrt(32)
    X = np.tanh(rng.normal(size=(1500, 4)) @ first) @ second + 0.1 * rng.normal(size=(1500, 20))
    search = GridSearchCV(VAETransformer(), {"latent_dim": [3, 4, 6]}, refit=False, cv=2).fit(X)
    assert one_standard_error_rule(search.cv_results_) == 1
    three, four, six = search.cv_results_["mean_test_score"]
    assert three + 1 < six < four - 1


# ---------------------------------------------------------------- raw tables


def people(n=400, seed=0):
    random = np.random.default_rng(seed)
    z = random.normal(size=n)
    return pd.DataFrame(
        {
            "height": 170 + 10 * z + 2 * random.normal(size=n),
            "size": pd.Categorical.from_codes(
                np.digitize(z, [-1, 1]), ["small", "mid", "large"], ordered=True
            ),
            "group": np.where(z + 0.3 * random.normal(size=n) > 0, "b", "a"),
            "visits": random.poisson(np.exp(0.5 + z)),
            "gain": np.where(
                random.random(n) < 0.8, 0, np.rint(1000 * np.exp(random.normal(size=n)))
            ),
            "member": random.random(n) < 0.5,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, n), "D"),
        }
    )


@pytest.fixture(scope="module")
def table():
    return people()


@pytest.fixture(scope="module")
def vae(table):
    return VAETransformer(3, hidden_layer_sizes=(32,), max_epochs=150).fit(table)


def with_holes(table, share=0.2, seed=1):
    gone = np.random.default_rng(seed).random(table.shape) < share
    return table.astype({"visits": "Int64", "member": "boolean"}).mask(gone), gone


def test_the_mixed_bound_is_that_of_the_exact_likelihood():
    random = np.random.default_rng(0)
    weights = np.array([1.5, -1.0, 0.7, 2.0, -1.5])

    def draw(n):
        linear = random.normal(size=(n, 1)) * weights
        numbers = linear[:, :2] + 0.5 * random.normal(size=(n, 2))
        truths = random.random((n, 3)) < 1 / (1 + np.exp(-linear[:, 2:]))
        return numbers, truths

    def frame(numbers, truths):
        columns = {f"n{j}": numbers[:, j] for j in range(2)}
        return pd.DataFrame({**columns, **{f"t{j}": truths[:, j] for j in range(3)}})

    numbers, truths = draw(1000)
    nodes, shares = np.polynomial.hermite_e.hermegauss(61)
    linear = nodes[:, None] * weights
    log_p = stats.norm.logpdf(numbers[:, None], linear[:, :2], 0.5).sum(axis=2)
    log_p -= np.logaddexp(0, -np.where(truths[:, None], 1, -1) * linear[:, 2:]).sum(axis=2)
    exact = special.logsumexp(log_p + np.log(shares / shares.sum()), axis=1).mean()
    bound = VAETransformer(1).fit(frame(*draw(3000))).score(frame(numbers, truths))
    assert bound == pytest.approx(exact, rel=0.03)


def test_terms_of_the_bound_have_a_column_each_and_a_sum_below_it(vae, table):
    rows = table[:50].set_index(np.arange(50) * 3)
    terms = vae.elbo_terms(rows)
    assert terms.columns.tolist() == [*table.columns, "kl"]
    assert terms.index.equals(rows.index)
    assert (terms["kl"] <= 0).all()
    gap = vae.score_samples(rows) - terms.sum(axis=1)
    assert (gap > -0.05).all()
    assert gap.mean() < 1.0
    holes, gone = with_holes(rows)
    assert (vae.elbo_terms(holes).drop(columns="kl").to_numpy()[gone] == 0).all()


def test_missing_cells_are_marginalised(vae, table):
    """The likelihood of a row in which all but one column are missing is that of the column."""
    rows = table[:200].astype(object)
    alone = rows.assign(**{name: None for name in table if name != "member"})
    assert vae.score(alone) == pytest.approx(np.log(0.5), abs=0.15)
    assert vae.score(rows.assign(**dict.fromkeys(table))) == pytest.approx(0, abs=0.05)


def test_values_and_levels_that_fit_has_not_seen_are_less_likely(vae, table):
    scores = vae.score_samples(table)
    assert (vae.score_samples(table.assign(group="c")) < scores - 2).all()
    assert (vae.score_samples(table.assign(height=400.0)) < scores - 10).all()


def test_imputed_cells_are_better_than_the_mean_and_the_mode(table):
    holes, gone = with_holes(table)
    fitted = VAETransformer(3, hidden_layer_sizes=(32,), max_epochs=150).fit(holes)
    filled = fitted.impute(holes)
    assert filled.notna().all(axis=None)
    assert filled.dtypes.equals(holes.dtypes)
    pd.testing.assert_frame_equal(filled.mask(gone), holes)
    error = (filled["height"] - table["height"])[gone[:, 0]]
    assert error.std() < 0.7 * table["height"].std()
    right = (filled["group"] == table["group"])[gone[:, 2]]
    assert right.mean() > 0.75


def test_draws_of_missing_cells_vary_and_repeat(vae, table):
    holes, gone = with_holes(table[:60])
    first, second = vae.impute(holes, n_draws=2, random_state=0)
    assert not first.equals(second)
    pd.testing.assert_frame_equal(first.mask(gone), holes)
    pd.testing.assert_frame_equal(vae.impute(holes, n_draws=1, random_state=0)[0], first)
    with pytest.raises(ValueError, match=r"'n_draws' parameter .* Got 0"):
        vae.impute(holes, n_draws=0)


def test_drawn_tables_are_like_the_table_of_fit(vae, table):
    drawn = vae.sample(2000, random_state=0)
    assert drawn.dtypes.equals(table.dtypes)
    assert drawn.notna().all(axis=None)
    for name in ("height", "visits", "gain", "since"):
        assert drawn[name].between(table[name].min(), table[name].max()).all()
    assert (drawn["gain"] == drawn["gain"].round()).all()
    for name in ("size", "group", "member"):
        shares = (t[name].value_counts(normalize=True) for t in (table, drawn))
        assert 0.5 * next(shares).sub(next(shares), fill_value=0).abs().sum() < 0.1
    assert (drawn["gain"] == 0).mean() == pytest.approx((table["gain"] == 0).mean(), abs=0.05)
    of_groups = drawn.groupby("group")["height"].mean()
    assert of_groups["b"] - of_groups["a"] > 5
    pd.testing.assert_frame_equal(vae.sample(2000, random_state=0), drawn)


def test_tables_are_drawn_given_cells(vae):
    drawn = vae.sample(500, random_state=0, given={"group": "b", "member": True})
    assert (drawn["group"] == "b").all()
    assert drawn["member"].all()
    assert drawn["height"].mean() > vae.sample(500, random_state=0)["height"].mean() + 3
    beyond = vae.sample(3, given={"height": 300.0})
    assert (beyond["height"] == 300).all()  # exactly as given
    day = pd.Timestamp("2021-05-05")
    assert (vae.sample(3, given={"since": day, "visits": 2})["since"] == day).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"grup": "b"}, "'grup', which is no column of the table"),
        ({"group": "z"}, "'group' has no level 'z' in fit; it has 'a', 'b'"),
        ({"height": "tall"}, "'height' held numbers in fit"),
        ({"height": np.inf}, "inf"),
        ({"height": None}, "the given cell is missing"),
        ({"visits": 3.5}, "3.5 is no value of it"),
        ({"member": 2}, "2 is no value of it"),
        ("group", "given must be a dict"),
    ],
)
def test_wrong_given_cells_are_refused(vae, given, message):
    with pytest.raises(ValueError, match=message):
        vae.sample(2, given=given)


def test_rows_between_and_along_are_tables(vae, table):
    between = vae.interpolate(table.iloc[0], table.iloc[1], n_steps=4)
    assert between.dtypes.equals(table.dtypes)
    first = vae.inverse_transform(vae.transform(table[:1]))
    pd.testing.assert_frame_equal(between[:1], first)
    along = vae.traverse(table.iloc[0], dimension=0, n_steps=5, width=3)
    assert along.dtypes.equals(table.dtypes)
    assert len(along) == 5
    with pytest.raises(ValueError, match="dimension must be a whole number from 0 to 2"):
        vae.traverse(table.iloc[0], dimension=3)


def test_likelihoods_are_chosen_by_column(table):
    asked = {"height": "student_t", "visits": "negative_binomial"}
    fitted = VAETransformer(2, hidden_layer_sizes=(16,), max_epochs=20, likelihood=asked).fit(table)
    assert [kind.__name__ for kind in fitted._model.plan.likelihoods] == [
        *("StudentT", "Ordinal", "Categorical", "NegativeBinomial"),
        *("Gaussian", "Bernoulli", "Gaussian"),
    ]
    many = table.assign(visits=500)
    assert (fitted.score_samples(many) < fitted.score_samples(table) - 5).all()
    drawn = fitted.sample(100, random_state=0)
    assert (drawn["visits"] >= 0).all()
    for wrong, message in (
        ({"height": "normal"}, "likelihood of column 'height' must be one of"),
        ({"nowhere": "poisson"}, "likelihood names 'nowhere'"),
        ({"height": "gaussian", 0: "student_t"}, "names one column twice, as 'height' and as 0"),
        ({"group": "gaussian"}, "column 'group', which holds categories"),
        ({"height": "poisson"}, "other numbers are in column 'height'"),
        ({"height": "bernoulli"}, r"outside: column 'height'"),
    ):
        with pytest.raises(ValueError, match=message):
            VAETransformer(2, likelihood=wrong).fit(table)


@pytest.mark.parametrize("prior", ["normal", "mixture", Mixture(3), VampPrior(3)])
def test_priors_may_be_chosen(wine, prior):
    fitted = VAETransformer(3, max_epochs=20, prior=prior).fit(wine)
    drawn = fitted.sample(200, random_state=0)
    assert drawn.shape == (200, 13)
    assert (np.abs(drawn.mean(axis=0) - wine.mean(axis=0)) < 0.5 * wine.std(axis=0)).all()


def test_a_mixed_model_is_the_same_in_any_order_and_after_pickling(table):
    settings = {"latent_dim": 3, "hidden_layer_sizes": (17,), "max_epochs": 5}
    holes, _ = with_holes(table)
    fitted = VAETransformer(**settings).fit(holes)
    shuffled = VAETransformer(**settings).fit(holes.sample(frac=1, random_state=3))
    loaded = pickle.loads(pickle.dumps(fitted))
    codes = fitted.transform(holes)
    for other in (shuffled, loaded):
        assert np.array_equal(other.transform(holes), codes)
        assert np.array_equal(other.score_samples(holes[:20]), fitted.score_samples(holes[:20]))
        pd.testing.assert_frame_equal(
            other.sample(30, random_state=0), fitted.sample(30, random_state=0)
        )
    apart = np.concatenate([fitted.transform(holes[i : i + 1]) for i in range(40)])
    assert np.array_equal(apart, codes[:40])
