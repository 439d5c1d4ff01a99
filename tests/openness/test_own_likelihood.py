"""A user writes a likelihood of columns, outside the package and with its public names only."""

import math
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.integrate import trapezoid
from scipy.stats import geom, laplace, norm
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn

from sklearn_replearn import VAETransformer
from sklearn_replearn.likelihoods import COUNTS, Likelihood
from sklearn_replearn.rows import Arrays, Images


class Laplace(Likelihood):
    """A Laplace distribution, with a scale learned for each column."""

    def __init__(self, n_features):
        super().__init__(n_features)
        self.log_scale = nn.Parameter(torch.zeros(n_features))

    def cell_log_prob(self, x, output):
        scale = self.log_scale.exp()
        return -(x - output).abs() / scale - torch.log(2 * scale)

    def mean(self, output):
        return output

    def sample(self, output, generator):
        u = torch.rand(output.shape, generator=generator, dtype=output.dtype) - 0.5
        return output - self.log_scale.exp() * u.sign() * torch.log1p(-2 * u.abs())


class Spread(Likelihood):
    """A normal distribution of which the decoder gives the mean and the log-deviation."""

    def __init__(self, n_features):
        super().__init__(n_features, n_outputs=2 * n_features)

    def _moments(self, output):
        mean, log_deviation = output.chunk(2, dim=1)
        return mean, log_deviation.clamp(-3, 3)

    def cell_log_prob(self, x, output):
        mean, log_deviation = self._moments(output)
        deviations = (x - mean) / log_deviation.exp()
        return -0.5 * (deviations.square() + math.log(2 * math.pi)) - log_deviation

    def mean(self, output):
        return self._moments(output)[0]

    def sample(self, output, generator):
        mean, log_deviation = self._moments(output)
        noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype)
        return mean + noise * log_deviation.exp()


class Geometric(Likelihood):
    """Counts, of which the decoder gives the log-odds of one more; cells are log(1 + count)."""

    support = COUNTS

    def cell_log_prob(self, x, output):
        count = torch.expm1(x)
        return count * nn.functional.logsigmoid(output) + nn.functional.logsigmoid(-output)

    def mean(self, output):
        return torch.log1p(output.exp())

    def sample(self, output, generator):
        u = torch.rand(output.shape, generator=generator, dtype=output.dtype)
        return torch.log1p(torch.floor(torch.log1p(-u) / nn.functional.logsigmoid(output)))


class ByRow(Laplace):
    def cell_log_prob(self, x, output):
        return super().cell_log_prob(x, output).sum(1, keepdim=True)


class WithoutMean(Likelihood):
    def cell_log_prob(self, x, output):
        return -(x - output).abs() - math.log(2)


@pytest.fixture(scope="module")
def X():
    random = np.random.default_rng(0)
    return random.laplace(size=(200, 3)) @ random.normal(size=(3, 3)) + 5


@pytest.fixture(scope="module")
def frame(X):
    columns = {"x": X[:, 0], "n": np.random.default_rng(1).poisson(3, 200), "z": X[:, 2]}
    return pd.DataFrame({**columns, "kind": np.where(X[:, 1] > 5, "a", "b")})


def small(likelihood, **others):
    settings = {"latent_dim": 1, "hidden_layer_sizes": (16,), "max_epochs": 30}
    return VAETransformer(likelihood=likelihood, **{**settings, **others})


def untrained(likelihood, **others):
    """With its initial weights, which do not depend on the rows: all that is left is the units."""
    return small(likelihood, max_epochs=1, lr=1e-30, **others)


def test_scores_are_the_log_density_in_the_units_of_the_table(X):
    vae = small(Laplace, n_importance_samples=4000, prior="normal").fit(X)
    z = np.linspace(-7, 7, 1401)
    network = vae.network_.double()
    with torch.no_grad():
        locations = network.output(torch.from_numpy(z)[:, None]).numpy()
    scale = network.likelihood.log_scale.exp().detach().numpy() * X.std(axis=0)
    cells = laplace.logpdf(X[:20, None], X.mean(axis=0) + X.std(axis=0) * locations, scale)
    by_integration = np.log(trapezoid(norm.pdf(z) * np.exp(cells.sum(axis=2)), z, axis=1))
    assert vae.score_samples(X[:20]) == pytest.approx(by_integration, abs=0.02)


def test_densities_of_one_column_add_up_to_one(X):
    vae = small(Laplace).fit(X[:, :1])
    grid = np.linspace(-60, 70, 5001)
    total = trapezoid(np.exp(vae.score_samples(grid[:, None])), grid)
    assert total == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("likelihood", [Laplace, Spread, {0: Laplace}])
def test_units_move_scores_by_their_logarithm_and_origins_do_not(X, likelihood):
    vae = untrained(likelihood, scale=1.0)
    scores = clone(vae).fit(X).score_samples(X)
    in_thousandths, shifted = X * [1000, 1, 1], X + np.array([0, 7, 1])
    moved = clone(vae).fit(in_thousandths).score_samples(in_thousandths) - scores
    assert moved == pytest.approx(-math.log(1000), abs=1e-5)
    assert clone(vae).fit(shifted).score_samples(shifted) == pytest.approx(scores, abs=1e-5)


def test_it_is_better_than_the_normal_where_it_is_true(X):
    heavy = np.random.default_rng(2).laplace(size=(1000, 2))
    train, test = heavy[:500], heavy[500:]
    assert small(Laplace).fit(train).score(test) > small("gaussian").fit(train).score(test) + 0.05


def test_the_scale_is_learned():
    noise = np.random.default_rng(2).laplace(size=(500, 2))  # of deviation 1 when scaled
    vae = small(Laplace, max_epochs=100, beta=10.0).fit(noise)
    scale = vae.network_.likelihood.log_scale.exp().detach().numpy()
    assert scale == pytest.approx(2**-0.5, abs=0.06)


@pytest.mark.parametrize("likelihood", [Laplace, Spread, {1: Laplace, 2: Spread}])
def test_all_methods_work(X, likelihood):
    vae = small(likelihood).fit(X)
    scores = vae.score_samples(X)
    same = pickle.loads(pickle.dumps(vae))
    assert np.array_equal(same.score_samples(X), scores)
    assert np.array_equal(clone(vae).fit(X[::-1]).score_samples(X), scores)
    assert np.array_equal(vae.score_samples(X[7:8]), scores[7:8])
    assert np.array_equal(vae.sample(5, random_state=0), same.sample(5, random_state=0))
    assert vae.sample(4000, random_state=0).mean(axis=0) == pytest.approx(X.mean(axis=0), abs=0.7)
    decoded = vae.inverse_transform(vae.transform(X))
    assert np.square(decoded - X).mean() < X.var(axis=0).mean()
    bound = vae.elbo_terms(X).sum(axis=1).to_numpy()
    assert (bound <= scores + 0.05).all()
    assert bound.mean() == pytest.approx(scores.mean(), abs=1.0)


def test_missing_cells_are_filled_and_add_nothing(X):
    X = X[:, 1:2] * [1.0, 2.0, -1.0] + 0.1 * X
    holes = X.copy()
    holes[::3, 0] = np.nan
    vae = small(Laplace, max_epochs=400).fit(holes)
    filled = vae.impute(holes)
    assert np.array_equal(filled[1::3], X[1::3])
    assert np.abs(filled[::3, 0] - X[::3, 0]).mean() < 0.5 * X[:, 0].std()
    assert (vae.elbo_terms(holes)["x0"][::3] == 0).all()
    assert (vae.impute(holes, n_draws=2, random_state=0)[0] == holes)[1::3].all()


def test_a_frame_with_categories_beside(frame):
    vae = small({"x": Laplace, "n": Geometric}).fit(frame)
    drawn = vae.sample(300, random_state=0)
    assert drawn.dtypes.equals(frame.dtypes)
    assert set(drawn["kind"]) == {"a", "b"}
    assert drawn["n"].min() >= 0
    assert np.array_equal(clone(vae).fit(frame[::-1]).transform(frame), vae.transform(frame))
    kinds = [type(part).__name__ for part, _ in vae.network_.likelihood.parts()]
    assert kinds.count("Laplace") == kinds.count("Geometric") == 1


def test_in_a_mixed_table_units_of_counts_do_not_matter_and_those_of_numbers_do(frame):
    vae = untrained({"x": Laplace, "n": Geometric, "z": Laplace}).fit(frame)
    in_thousandths = frame.assign(x=1000 * frame["x"])
    again = clone(vae).fit(in_thousandths)
    moved = again.elbo_terms(in_thousandths) - vae.elbo_terms(frame)
    assert moved["x"].to_numpy() == pytest.approx(-math.log(1000), abs=1e-4)
    assert moved[["n", "z", "kind", "kl"]].to_numpy() == pytest.approx(0, abs=1e-4)


def test_counts_have_probabilities():
    counts = np.random.default_rng(0).geometric(0.3, size=(400, 1)) - 1
    vae = small(Geometric, max_epochs=150).fit(counts)
    every = vae.score_samples(np.arange(60)[:, None])
    assert (every < 0).all()
    assert np.exp(every).sum() == pytest.approx(1, abs=0.02)
    likeliest = geom.logpmf(counts + 1, 1 / (1 + counts.mean())).mean()
    assert vae.score(counts) == pytest.approx(likeliest, abs=0.05)
    drawn = vae.sample(2000, random_state=0)
    assert np.array_equal(drawn, np.rint(drawn))
    assert drawn.mean() == pytest.approx(0.7 / 0.3, abs=0.3)


def test_fractions_are_no_counts(X):
    with pytest.raises(ValueError, match=r"likelihood='Geometric' is for counts, .* column 0"):
        small({0: Geometric}).fit(X)
    vae = small(Geometric).fit(np.rint(np.abs(X)))
    with pytest.raises(ValueError, match="held counts in fit"):
        vae.score_samples(np.abs(X))


def test_what_is_no_likelihood_of_cells_is_refused_before_training(X):
    with pytest.raises(ValueError, match=r"ByRow.cell_log_prob must give a number for each cell"):
        small(ByRow).fit(X)
    with pytest.raises(ValueError, match=r"WithoutMean does not define mean\(\)"):
        small({1: WithoutMean}).fit(X)
    with pytest.raises(ValueError, match=r"or a subclass of .*Likelihood; got"):
        small({1: nn.Linear}).fit(X)


def test_of_arrays_and_images(X):
    windows = np.random.default_rng(0).laplace(size=(60, 2, 8))
    vae = small(Laplace, rows=Arrays((2, 8))).fit(windows)
    assert vae.sample(3).shape == (3, 2, 8)
    with pytest.raises(ValueError, match=r"share a scale: .* got Geometric, of counts"):
        small(Geometric, rows=Images((1, 4, 4))).fit(windows[:, 0].round().repeat(2, axis=1))


def test_it_is_searched_over(X):
    grid = {"likelihood": [Laplace, Spread, "gaussian"]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search = GridSearchCV(small(Laplace, max_epochs=5), grid, cv=2).fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
