"""The score of a VAE against the true log-likelihood, in one measure for each column."""

import pickle

import numpy as np
import pandas as pd
import pytest
from known_densities import TABLES, beside_a_category, zero_inflated
from scipy.integrate import trapezoid
from sklearn.preprocessing import PowerTransformer, QuantileTransformer

from sklearn_replearn import VAETransformer
from sklearn_replearn._estimators import importance, inference, likelihood_bounds
from sklearn_replearn.rows import Table


def small(**params):
    few = {"latent_dim": 2, "hidden_layer_sizes": (16,), "max_epochs": 40, "lr": 2e-2}
    return VAETransformer(**{**few, **params})


@pytest.mark.parametrize("name", TABLES)
def test_the_score_of_fresh_rows_is_not_above_their_true_likelihood(name):
    random = np.random.default_rng(0)
    (train, _), (fresh, log_p) = TABLES[name](random, 500), TABLES[name](random, 1000)
    gap = small().fit(train).score_samples(fresh) - log_p
    print(f"{name}: {gap.mean():.3f}")
    assert gap.mean() < 3 * gap.std() / np.sqrt(len(gap))
    assert gap.mean() > -2.5


# ---------------------------------------------------------------- measures


@pytest.mark.parametrize("n_values", [3, 64, 65, 200])
@pytest.mark.parametrize("wrap", [lambda f: f, beside_a_category], ids=["numbers", "mixed"])
def test_whole_numbers_have_probabilities_however_many_values_there_are(n_values, wrap):
    def draw(random, n):
        return random.integers(0, n_values, (n, 1)).astype(float), np.full(n, -np.log(n_values))

    random = np.random.default_rng(0)
    (train, _), (fresh, log_p) = wrap(draw)(random, 800), wrap(draw)(random, 400)
    fitted = small(max_epochs=20).fit(train)
    assert fitted.score(fresh) == pytest.approx(log_p.mean(), abs=0.3)
    assert next(iter(fitted.measures_.values())) == "density"


@pytest.mark.parametrize("step", [0.01, 0.5, 5.0])
def test_rounding_does_not_lift_scores(step):
    random = np.random.default_rng(0)
    X = random.normal(size=(600, 2)) * [step, 20 * step]
    plain = small(hidden_layer_sizes=(), max_epochs=30).fit(X[:300]).score(X[300:])
    X = np.rint(X / step) * step
    assert small(hidden_layer_sizes=(), max_epochs=30).fit(X[:300]).score(X[300:]) < plain + 0.05


def test_a_user_chooses_probabilities():
    random = np.random.default_rng(0)
    X = np.stack([random.integers(0, 4, 400) * 0.5, random.normal(size=400)], axis=1)
    by_value = small(likelihood={0: "atoms"}).fit(X)
    assert by_value.measures_ == {"x0": "probability", "x1": "density"}
    assert by_value.elbo_terms(X)["x0"].mean() == pytest.approx(np.log(0.25), abs=0.1)
    by_step = small().fit(X)
    assert by_step.measures_ == {"x0": "density", "x1": "density"}
    assert by_step.elbo_terms(X)["x0"].mean() == pytest.approx(np.log(0.5), abs=0.2)
    with pytest.raises(ValueError, match=r'"atoms" is for columns that are scaled by their ranks'):
        small(likelihood="atoms", rows=Table(scaling="robust")).fit(X)


@pytest.mark.parametrize("likelihood", ["gaussian", "student_t", "atoms"])
@pytest.mark.parametrize("scaling", ["auto", "quantile"])
def test_probabilities_of_whole_numbers_add_up_to_one(likelihood, scaling):
    X = np.random.default_rng(0).poisson(3, (400, 1))
    fitted = small(likelihood=likelihood, rows=Table(scaling=scaling)).fit(X)
    total = np.exp(fitted.score_samples(np.arange(-20, 60)[:, None])).sum()
    assert total == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("n_values", [60, 70, 400])
def test_atoms_are_asked_for_however_many_values_there_are(n_values):
    values = np.random.default_rng(0).normal(size=n_values)[:, None]
    fitted = small(likelihood="atoms", max_epochs=10).fit(np.repeat(values, 5, axis=0))
    assert fitted.measures_ == {"x0": "probability"}
    scores = fitted.score_samples(values)
    assert np.exp(scores).sum() == pytest.approx(1, abs=0.01)
    assert scores.mean() == pytest.approx(-np.log(n_values), abs=0.1)


def test_a_value_that_many_rows_share_has_a_probability_and_the_rest_a_density():
    X, _ = zero_inflated(np.random.default_rng(0), 500)
    fitted = small().fit(X)
    assert fitted.measures_ == {"x0": "density, probability at 0"}
    grid = np.linspace(-60, 80, 3001)[:, None]
    total = np.exp(fitted.score(np.zeros((1, 1)))) + trapezoid(
        np.exp(fitted.score_samples(grid[np.abs(grid[:, 0]) > 1e-9])), dx=grid[1, 0] - grid[0, 0]
    )
    assert total == pytest.approx(1, abs=0.02)
    assert small().fit(np.repeat(X[X > 0][:40, None], 5, axis=0)).measures_ == {"x0": "density"}


@pytest.mark.parametrize(
    "scaling", [QuantileTransformer(n_quantiles=50), PowerTransformer()], ids=str
)
def test_densities_under_flat_scalings_go_to_zero(scaling):
    X = np.random.default_rng(0).gamma(1.0, size=(300, 1))
    fitted = small(rows=Table(scaling=scaling)).fit(X)
    far = fitted.score_samples(10.0 ** np.arange(2, 300, 33)[:, None])
    assert np.isfinite(far).all()
    assert (np.diff(far) < -10).all()


@pytest.mark.parametrize("X", [np.random.default_rng(0).normal(size=(60, 2)), np.eye(60)[:, :2]])
def test_scores_of_far_cells_are_finite(X):
    fitted = small(max_epochs=2, likelihood="gaussian").fit(X)
    far = np.array([1e10, 1e100, 1e200, 1e300])[:, None] * [1.0, 0.0]
    scores = fitted.score_samples(far)
    assert np.isfinite(scores).all()
    assert (np.diff(scores) <= 0).all()


# ---------------------------------------------------------------- draws


@pytest.fixture(scope="module")
def wide():
    random = np.random.default_rng(0)
    X = np.tanh(random.normal(size=(300, 6)) @ random.normal(size=(6, 20)))
    return X + 0.1 * random.normal(size=X.shape)


def test_few_draws_come_close_to_many_and_seeds_agree(wide):
    fitted = small(latent_dim=16, max_epochs=80).fit(wide[:200])
    few, errors = fitted.score_samples(wide[200:], return_std=True)
    assert (errors > 0).all()
    assert errors.mean() < 0.2
    many = fitted.set_params(n_importance_samples=1024).score(wide[200:])
    assert few.mean() == pytest.approx(many, abs=0.1)
    fitted.set_params(n_importance_samples=64)
    object.__setattr__(fitted._model, "seed", 1)
    assert fitted.score(wide[200:]) == pytest.approx(few.mean(), abs=0.03)


@pytest.mark.parametrize("n_draws", [1, 3, 64])
def test_sums_of_terms_are_not_above_scores(wide, n_draws):
    fitted = small(n_importance_samples=n_draws, max_epochs=5).fit(wide)
    terms, scores = fitted.elbo_terms(wide), fitted.score_samples(wide)
    assert (terms.sum(axis=1) <= scores).all()
    assert (terms["kl"] <= 0).all()


def test_a_row_has_the_same_draws_in_any_order_container_and_company(wide):
    frame = pd.DataFrame(wide).mask(wide > 1.2)
    fitted = small(max_epochs=5).fit(frame)
    scores = fitted.score_samples(frame)
    assert np.array_equal(fitted.score_samples(frame[::-1])[::-1], scores)
    assert np.array_equal(fitted.score_samples(np.asfortranarray(frame.to_numpy())), scores)
    assert np.array_equal([fitted.score(frame[i : i + 1]) for i in range(30)], scores[:30])


def test_points_are_made_once_for_a_model_and_more_only_where_rows_need_them(wide, monkeypatch):
    made = []

    class Counted(importance.SobolEngine):
        def draw(self, n, **kwargs):
            made.append(n)
            return super().draw(n, **kwargs)

    monkeypatch.setattr(importance, "SobolEngine", Counted)
    importance._points.cache_clear()
    fitted = small(max_epochs=5, scale=1.0).fit(wide)
    stored = len(pickle.dumps(fitted))
    scores = [fitted.score(wide[:1]) for _ in range(3)]
    assert len(set(scores)) == 1
    assert len(made) == 1
    assert len(pickle.dumps(fitted)) == stored


def test_draws_for_wide_rows_fit_into_memory(wide, monkeypatch):
    fitted, shapes = small(max_epochs=5).fit(wide), []
    monkeypatch.setattr(likelihood_bounds, "_ENOUGH", 99.0)  # no row has enough
    scores = fitted.score_samples(wide[:20])
    # What 20 columns are to these, tens of thousands are to the true ones.
    monkeypatch.setattr(inference, "_CELLS_AT_ONCE", 2 * 20 * 64)
    log_x = importance.Cells.log_x
    monkeypatch.setattr(
        importance.Cells, "log_x", lambda *_: shapes.append(_[2].shape[:2]) or log_x(*_)
    )
    assert np.array_equal(fitted.score_samples(wide[:20]), scores)
    assert {(2, 64), (1, 256), (1, 1024)} <= set(shapes)
    assert max(n * n_draws for n, n_draws in shapes) == 1024
    shapes.clear()
    monkeypatch.setattr(likelihood_bounds, "_MOST_CELLS", 20 * 256)
    assert np.isfinite(fitted.score_samples(wide[:20])).all()
    assert max(n_draws for _, n_draws in shapes) == 256


@pytest.mark.parametrize("factor", [1000.0, 2.0**-20])
def test_other_units_move_scores_by_their_logarithm(wide, factor):
    # Rows come in another order, and training differs; what is left is what does not train.
    vae = small(max_epochs=1, lr=1e-30, scale=1.0, batch_size=300)
    moved = vae.fit(wide * factor).score_samples(wide * factor) + 20 * np.log(factor)
    assert moved == pytest.approx(vae.fit(wide).score_samples(wide), abs=1e-4)
