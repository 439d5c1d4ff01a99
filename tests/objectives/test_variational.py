"""Objectives of VAEs: their terms by hand, warm-ups, learned priors, and fits with them."""

import pickle

import numpy as np
import pytest
import torch
from quick import quick
from repeatability import seeded
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    Normal,
    kl_divergence,
)

from sklearn_replearn import ContrastiveTransformer, VAETransformer
from sklearn_replearn._dataset.batches import Batch
from sklearn_replearn.likelihoods import Gaussian
from sklearn_replearn.losses import log_aggregate_posterior, mmd
from sklearn_replearn.modules import VariationalAutoencoder, mlp
from sklearn_replearn.objectives import (
    ELBO,
    IWAE,
    BetaTCVAE,
    CapacityELBO,
    InfoVAE,
    NTXent,
    Objective,
)
from sklearn_replearn.priors import Mixture, VampPrior
from sklearn_replearn.rows import Images, Tokens

OBJECTIVES = [ELBO(2.0), IWAE(3), BetaTCVAE(), CapacityELBO(2.0), InfoVAE()]
PRIORS = ["normal", "mixture", Mixture(3), VampPrior(3)]
ROWS = torch.randn(8, 4, generator=seeded(99))
X = np.random.default_rng(0).normal(size=(60, 2)) @ np.ones((2, 5))
X += 0.3 * np.random.default_rng(1).normal(size=X.shape)


def network_with(prior=None):
    encoder, decoder = mlp((4, 6, 6), "relu", seeded(1)), mlp((3, 6, 4), "relu", seeded(2))
    module = None if prior is None else prior.module(4, 3, seeded(3))
    return VariationalAutoencoder(encoder, decoder, Gaussian(4, scale=0.7), 3, prior=module)


def terms_of(objective, network=None, training=True, n_rows=8, steps=0):
    network = network or network_with()
    objective = objective.bound(n_rows, 10)
    heads = objective.heads(network, seeded()).train(training)
    heads.steps = steps
    batch = Batch(ROWS, ROWS, ROWS)
    terms = objective.terms(network, heads, batch, seeded())
    return {name: value.item() for name, value in terms.items()}


def by_hand(network, n_samples=1):
    """Draws, and their log-densities given the row, by the prior, and by each posterior."""
    mean, log_variance = network.posterior(ROWS)
    mean, log_variance = (x.repeat_interleave(n_samples, 0) for x in (mean, log_variance))
    posterior = Normal(mean, (0.5 * log_variance).exp())
    draw = mean + posterior.stddev * torch.randn(mean.shape, generator=seeded())
    rows = ROWS.repeat_interleave(n_samples, 0)
    log_x = Normal(network.decoder(draw), 0.7).log_prob(rows).sum(1)
    prior = Independent(Normal(torch.zeros(3), 1.0), 1)
    if network.prior is not None:
        log_shares, means, log_variances = network.prior.components(network)
        components = Independent(Normal(means, (0.5 * log_variances).exp()), 1)
        prior = MixtureSameFamily(Categorical(logits=log_shares), components)
    return posterior, draw, log_x, prior.log_prob(draw), posterior.log_prob(draw).sum(1)


@pytest.mark.parametrize("prior", [None, Mixture(3), VampPrior(2)], ids=str)
def test_the_importance_weighted_bound_is_that_of_the_paper(prior):
    network = network_with(prior)
    _, _, log_x, log_p, log_q = by_hand(network, n_samples=5)
    weights = (log_x + log_p - log_q).view(8, 5)
    bound = (weights.logsumexp(1) - np.log(5)).mean().item()
    terms = terms_of(IWAE(5), network, training=False)
    assert -sum(terms.values()) == pytest.approx(bound, rel=1e-4)
    assert terms["reconstruction"] == pytest.approx(-log_x.mean().item(), rel=1e-4)
    assert terms["importance"] <= 0
    assert bound > (log_x + log_p - log_q).mean().item()


@pytest.mark.parametrize("prior", [Mixture(3), VampPrior(2)], ids=str)
def test_the_divergence_from_a_learned_prior_is_that_of_the_draw(prior):
    network = network_with(prior)
    _, _, log_x, log_p, log_q = by_hand(network)
    terms = terms_of(ELBO(2.0), network, training=False)
    expected = {"reconstruction": -log_x.mean().item(), "kl": 2 * (log_q - log_p).mean().item()}
    assert terms == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("n_rows", [8, 500])
def test_parts_of_the_divergence_are_those_of_all_rows_and_add_up(n_rows):
    network = network_with()
    posterior, draw, log_x, log_p, log_q = by_hand(network)
    own = 1 / n_rows
    shares = torch.full((8, 8), (1 - own) / 7).fill_diagonal_(own)
    each = posterior.log_prob(draw[:, None]).exp()
    joint = (shares * each.prod(2)).sum(1).log()
    marginals = (shares[:, :, None] * each).sum(1).log().sum(1)
    terms = terms_of(BetaTCVAE(4.0, 2.0, 3.0), network, training=False, n_rows=n_rows)
    assert terms == pytest.approx(
        {
            "reconstruction": -log_x.mean().item(),
            "mutual_information": 2 * (log_q - joint).mean().item(),
            "total_correlation": 4 * (joint - marginals).mean().item(),
            "dimension_kl": 3 * (marginals - log_p).mean().item(),
        },
        rel=1e-3,
    )
    plain = terms_of(BetaTCVAE(1.0), network, training=False, n_rows=n_rows)
    assert sum(plain.values()) == pytest.approx((log_q - log_p - log_x).mean().item(), rel=1e-4)


def test_the_discrepancy_is_that_of_kernels_of_all_pairs():
    a, b = torch.randn(2, 5, 3, generator=seeded())

    def kernel(x, y):
        return np.mean([np.exp(-float((p - q).square().sum()) / 6) for p in x for q in y])

    assert mmd(a, b).item() == pytest.approx(kernel(a, a) + kernel(b, b) - 2 * kernel(a, b), 1e-4)
    assert mmd(a, a).item() == pytest.approx(0, abs=1e-6)
    terms = terms_of(InfoVAE(alpha=0.2, lambda_param=5.0), training=False)
    posterior, _, log_x, *_ = by_hand(network_with())
    divergence = kl_divergence(posterior, Normal(0.0, 1.0)).sum(1).mean().item()
    assert terms["reconstruction"] == pytest.approx(-log_x.mean().item(), rel=1e-4)
    assert terms["kl"] == pytest.approx(0.8 * divergence, rel=1e-4)
    assert 0 < terms["mmd"] < 2 * 4.2


def test_the_capacity_rises_and_what_differs_from_it_costs():
    posterior, *_ = by_hand(network_with())
    kl = kl_divergence(posterior, Normal(0.0, 1.0)).sum(1).mean().item()
    objective = CapacityELBO(capacity=4.0, gamma=3.0, warmup_steps=0.4)  # of 10 updates
    for steps, capacity in ((0, 0.0), (1, 1.0), (4, 4.0), (9, 4.0)):
        terms = terms_of(objective, steps=steps)
        assert terms["capacity"] == pytest.approx(3 * abs(kl - capacity), rel=1e-4)
        assert terms["kl"] == pytest.approx(kl, rel=1e-4)
    assert terms_of(objective, training=False)["capacity"] == pytest.approx(3 * abs(kl - 4), 1e-4)


@pytest.mark.parametrize("objective", [ELBO(2.0), IWAE(2), BetaTCVAE(), InfoVAE()], ids=str)
def test_weights_rise_over_a_share_of_the_updates_or_a_number_of_them(objective):
    of_share, of_number = (clone(objective).set_params(warmup_steps=w) for w in (0.5, 5))
    for steps in range(10):
        terms = terms_of(of_share, steps=steps)
        assert terms == terms_of(of_number, steps=steps)
        risen = terms_of(objective, steps=steps, training=False)
        for name in ("kl", "total_correlation"):
            if name in terms:
                assert terms[name] == pytest.approx(min(1, steps / 5) * risen[name], abs=1e-6)
    assert of_share.warmup_steps == 0.5  # the parameter is left as it is


def test_one_row_is_its_own_aggregate():
    row = torch.ones(1, 2)
    joint, marginals = log_aggregate_posterior(row, row, 0 * row, n_rows=100)
    assert joint.item() == pytest.approx(marginals.sum().item())
    assert joint.item() == pytest.approx(-np.log(2 * np.pi), rel=1e-4)


# Fits


@pytest.mark.parametrize("prior", PRIORS, ids=str)
@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_fits_repeat_and_keep_the_promises(objective, prior):
    vae = quick(VAETransformer, objective=objective, prior=prior, early_stopping=True)
    fitted, before = vae.fit(X), repr(vae)
    again = clone(vae).fit(X[::-1])
    stored = pickle.dumps(fitted)
    loaded = pickle.loads(stored)
    assert pickle.dumps(loaded) == stored
    scores, codes = fitted.score_samples(X), fitted.transform(X)
    for other in (again, loaded):
        assert np.array_equal(other.transform(X), codes)
        assert np.array_equal(other.score_samples(X), scores)
        assert np.array_equal(other.sample(5, random_state=0), fitted.sample(5, random_state=0))
    assert np.array_equal(fitted.score_samples(X[7:8]), scores[7:8])
    terms = fitted.elbo_terms(X)
    assert (terms.sum(axis=1) <= scores).all()
    assert (terms["kl"] <= 0).all()
    assert repr(fitted) == before
    history = fitted.history_
    aside = [f"train_{name}" for name in objective.terms_aside]
    named = history.filter(like="train_").drop(columns=["train_loss", *aside])
    assert named.sum(axis=1).to_numpy() == pytest.approx(history["train_loss"].to_numpy(), rel=1e-5)


def test_an_objective_is_the_default_one_with_its_weights():
    plain, given = (
        quick(VAETransformer, max_epochs=20, **params).fit(X)
        for params in ({"beta": 4.0}, {"objective": ELBO(beta=4.0)})
    )
    assert np.array_equal(plain.transform(X), given.transform(X))


@pytest.mark.parametrize("beside", [{"beta": 4.0}, {"kl_warmup": 0.5}], ids=str)
def test_weights_are_given_to_the_objective(beside):
    with pytest.raises(ValueError, match="to the objective itself, such as ELBO"):
        quick(VAETransformer, objective=ELBO(), **beside).fit(X)


def test_objectives_of_other_networks_are_refused():
    with pytest.raises(ValueError, match=r"objective of VAETransformer must be .*got NTXent\(\)"):
        quick(VAETransformer, objective=NTXent()).fit(X)
    with pytest.raises(ValueError, match=r"objective of Contrastive.* must be .*got ELBO\(\)"):
        quick(ContrastiveTransformer, objective=ELBO()).fit(X)


def test_weights_are_searched_over():
    vae = quick(VAETransformer, objective=BetaTCVAE(), prior=Mixture(2))
    grid = {"objective__beta": [1.0, 8.0], "prior__n_components": [1, 2]}
    search = GridSearchCV(vae, grid, cv=2).fit(X)
    assert len(set(search.cv_results_["mean_test_score"])) == 4


def test_an_objective_of_ones_own_knows_how_much_there_is():
    class Counted(Objective):
        uses_posterior = True

        def bound(self, n_rows, n_updates):
            bound = clone(self)
            bound.seen = n_rows, n_updates
            return bound

        def terms(self, network, heads, batch, generator):
            mean, _ = network.posterior(batch.left)
            return {"rows": self.seen[0] + 0 * mean.sum(), "updates": self.seen[1] + 0 * mean.sum()}

    history = quick(VAETransformer, objective=Counted(), max_epochs=3).fit(X).history_
    assert history[["train_rows", "train_updates"]].to_numpy().tolist() == [[60, 6]] * 3


def test_a_warm_start_goes_on_with_a_learned_prior_and_refuses_another():
    vae = quick(VAETransformer, objective=IWAE(2), prior=Mixture(2), warm_start=True).fit(X)
    first = vae.network_.prior.means
    assert not torch.equal(vae.fit(X).network_.prior.means, first)
    assert len(vae.history_) == 4
    for change in ({"objective": ELBO()}, {"prior": Mixture(3)}, {"objective__n_samples": 4}):
        name = next(iter(change)).partition("__")[0]
        with pytest.raises(ValueError, match=f"but {name} changed since"):
            clone(vae).fit(X).set_params(**change).fit(X)


# Priors


@pytest.mark.parametrize("prior", PRIORS, ids=str)
def test_the_score_is_at_most_the_likelihood_of_what_is_drawn(prior):
    """Rows are drawn and scored by one prior: the mean score of drawn rows is minus the entropy."""
    random = np.random.default_rng(0)
    X = np.where(random.random((400, 1)) < 0.5, -3, 3) + 0.5 * random.normal(size=(400, 1))
    vae = VAETransformer(1, prior=prior, hidden_layer_sizes=(32,), max_epochs=60).fit(X)
    grid = np.linspace(-12, 12, 1201)[:, None]
    scores = vae.score_samples(grid)
    assert np.exp(scores).sum() * 0.02 == pytest.approx(1, abs=0.01)
    given = np.log(np.exp(scores[(grid > 0)[:, 0]]).sum() * 0.02)
    assert given == pytest.approx(np.log((vae.sample(4000, random_state=0) > 0).mean()), abs=0.15)


@pytest.mark.parametrize("prior", PRIORS, ids=str)
def test_cells_that_are_missing_are_integrated_over_the_prior(prior):
    holes = np.where(np.random.default_rng(2).random(X.shape) < 0.2, np.nan, X)
    vae = VAETransformer(2, prior=prior, hidden_layer_sizes=(16,), max_epochs=40).fit(holes)
    assert vae.score(np.full((1, 5), np.nan)) == pytest.approx(0, abs=0.02)
    for filled in vae.impute(holes, n_draws=2, random_state=0):
        assert np.isfinite(filled).all()


def test_learned_priors_come_closer_than_the_standard_normal():
    random = np.random.default_rng(0)
    centres = 3 * random.normal(size=(5, 2))
    X = (centres[random.integers(5, size=600)] + 0.2 * random.normal(size=(600, 2))) @ np.eye(2, 6)
    X += 0.1 * random.normal(size=X.shape)
    vae = VAETransformer(2, hidden_layer_sizes=(32,), max_epochs=100)
    normal, mixture, components, vamp = (
        clone(vae).set_params(prior=prior).fit(X[:500]).score(X[500:])
        for prior in ("normal", "mixture", Mixture(8), VampPrior(8))
    )
    assert min(mixture, components) > normal + 0.03
    assert vamp > normal + 0.2


def test_a_prior_of_ones_own_is_a_module_with_components():
    class Two(nn.Module):
        def __init__(self, latent_dim):
            super().__init__()
            self.means = nn.Parameter(torch.ones(2, latent_dim))

        def components(self, network):
            return torch.full((2,), 0.5).log(), self.means, torch.zeros_like(self.means)

    class TwoPeaks:
        def module(self, n_inputs, latent_dim, generator):
            return Two(latent_dim)

    vae = quick(VAETransformer, prior=TwoPeaks()).fit(X)
    assert vae._model.extras.prior.means.shape == (2, 3)
    assert np.isfinite(vae.score(X))


def test_made_up_rows_need_an_encoder_of_numbers():
    ids = np.random.default_rng(0).integers(0, 5, size=(20, 4))
    with pytest.raises(ValueError, match=r"prior: The prior cannot be trained .* takes Mixture"):
        quick(VAETransformer, rows=Tokens(5), prior=VampPrior()).fit(ids)
    vae = quick(VAETransformer, rows=Tokens(5), prior=Mixture(2)).fit(ids)
    assert vae.sample(3, random_state=0).shape == (3, 4)


@pytest.mark.parametrize("prior", [Mixture(2), VampPrior(2)], ids=str)
def test_images_have_learned_priors(prior):
    images = np.random.default_rng(0).random((20, 1, 8, 8))
    vae = quick(VAETransformer, rows=Images((1, 8, 8)), prior=prior).fit(images)
    assert np.isfinite(vae.score_samples(images)).all()
