"""Objectives: their terms by hand, moving averages, queues, stopped gradients, parameters."""

import pickle
from collections import deque

import numpy as np
import pytest
import torch
from repeatability import global_state, seeded
from sklearn.base import clone
from slow_losses import (
    slow_alignment,
    slow_cross_correlation,
    slow_decoupled,
    slow_info_nce,
    slow_negative_cosine,
    slow_nt_xent,
    slow_off_diagonal_covariance,
    slow_sup_con,
    slow_uniformity,
    slow_variance_hinge,
)
from torch import nn
from torch.distributions import Bernoulli as BernoulliDistribution
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.nn.functional import cosine_similarity, normalize

from sklearn_replearn import ContrastiveTransformer, objectives
from sklearn_replearn._dataset.batches import Batch
from sklearn_replearn.likelihoods import Bernoulli, Gaussian
from sklearn_replearn.modules import Autoencoder, TopK, VariationalAutoencoder, linear, mlp
from sklearn_replearn.objectives import (
    BYOL,
    DCL,
    ELBO,
    IWAE,
    BarlowTwins,
    BetaTCVAE,
    CapacityELBO,
    InfoVAE,
    KLSparsity,
    L1Sparsity,
    NTXent,
    Objective,
    Reconstruction,
    SimSiam,
    SupCon,
    TopKSparsity,
    VICReg,
)
from sklearn_replearn.objectives.decoding import WithDecoder

WITH_HEADS = [
    NTXent(temperature=0.2, projector_sizes=(8, 5), beta=0.5, tau_plus=0.1),
    NTXent(projector_sizes=(8, 5), queue_size=6, momentum=0.9),
    NTXent(projector_sizes=(8, 5), learn_temperature=True),
    DCL(temperature=0.2, projector_sizes=(8, 5)),
    SupCon(temperature=0.2, projector_sizes=(8, 5)),
    BarlowTwins(lambda_param=0.1, projector_sizes=(8, 5)),
    VICReg(2.0, 3.0, 4.0, projector_sizes=(8, 5)),
    SimSiam(projector_sizes=(8, 5), predictor_size=7),
    BYOL(projector_sizes=(8, 5), predictor_size=7, momentum=0.9),
]
WITHOUT_HEADS = [
    Reconstruction(sparsity=KLSparsity(target=0.2)),
    ELBO(beta=2.0, warmup_steps=4),
    IWAE(n_samples=3),
    CapacityELBO(capacity=2.0),
    BetaTCVAE(beta=2.0),
    InfoVAE(alpha=0.2),
    L1Sparsity(weight=0.2),
    KLSparsity(target=0.2, weight=0.3),
    TopKSparsity(k=2),
]


def name(part):
    return getattr(part, "__name__", type(part).__name__)


LEFT, RIGHT, OTHERS = torch.randn(3, 8, 4, generator=seeded(99))
LABELS = torch.tensor([0, 1, -1, 0, 2, -1, 0, 1])


def autoencoder(likelihood=None, activation=None):
    encoder, decoder = mlp((4, 6, 3), "relu", seeded(1)), mlp((3, 6, 4), "relu", seeded(2))
    return Autoencoder(encoder, decoder, likelihood or Gaussian(4, scale=1.0), 3, activation)


def variational(likelihood=None):
    encoder, decoder = mlp((4, 6, 6), "relu", seeded(1)), mlp((3, 6, 4), "relu", seeded(2))
    return VariationalAutoencoder(encoder, decoder, likelihood or Gaussian(4, scale=0.7), 3)


def prepared(objective, network=None):
    network = network or autoencoder()
    return network, objective.heads(network, seeded())


def batch_of(left=LEFT, right=RIGHT, rows=None):
    return Batch(right if rows is None else rows, left, right, LABELS[: len(left)])


def values(objective, network, heads, left=LEFT, right=RIGHT, rows=None):
    terms = objective.terms(network, heads, batch_of(left, right, rows), seeded())
    return {name: term.item() for name, term in terms.items()}


def projections(network, heads, *views):
    return [heads.project(network.code(view)).detach().numpy() for view in views]


def about(**terms):
    return pytest.approx(terms, rel=1e-4)


def test_the_tests_below_leave_no_objective_out():
    tested = {name(objective) for objective in [*WITH_HEADS, *WITHOUT_HEADS]}
    assert tested == set(objectives.__all__) - {"Objective"}


@pytest.mark.parametrize("objective", [*WITH_HEADS, *WITHOUT_HEADS], ids=name)
def test_objectives_clone_and_pickle(objective):
    for other in (clone(objective), pickle.loads(pickle.dumps(objective))):
        assert other is not objective
        assert repr(other) == repr(objective)


@pytest.mark.parametrize("objective", WITH_HEADS, ids=name)
def test_initial_weights_of_heads_depend_on_the_generator_alone(objective):
    before = global_state()
    first, again, other = (
        objective.heads(autoencoder(), seeded(seed)).project.state_dict() for seed in (0, 0, 1)
    )
    assert global_state() == before
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["0.weight"], other["0.weight"])
    assert [len(weights) for name, weights in first.items() if name.endswith("0.weight")] == [8]


# What the terms are


@pytest.mark.parametrize("sparsity", [None, TopKSparsity(k=2)])
@pytest.mark.parametrize("likelihood", [Gaussian(4, scale=1.0), Bernoulli(4)])
def test_reconstruction_is_the_mean_error_of_the_right_view_from_the_left_code(
    likelihood, sparsity
):
    activation = sparsity and sparsity.activation(3)
    objective, network = Reconstruction(sparsity), autoencoder(likelihood, activation)
    rows = RIGHT.sigmoid()
    output = network.decoder(network.code(LEFT))
    if isinstance(likelihood, Gaussian):
        error = (rows - output) ** 2
    else:
        error = -(rows * output.sigmoid().log() + (1 - rows) * (1 - output.sigmoid()).log())
    terms = values(objective, *prepared(objective, network), right=rows)
    assert terms == about(reconstruction=error.mean().item())


def test_l1_sparsity_is_the_mean_over_rows_of_the_summed_magnitudes():
    objective, network = Reconstruction(L1Sparsity(weight=0.2)), autoencoder()
    expected = 0.2 * np.mean([sum(abs(c) for c in code) for code in network.code(LEFT).tolist()])
    assert values(objective, *prepared(objective, network))["sparsity"] == pytest.approx(expected)
    assert L1Sparsity().activation(3) is None


def test_kl_sparsity_is_the_divergence_of_the_mean_activity_of_each_unit():
    sparsity = KLSparsity(target=0.2, weight=0.3)
    objective, network = Reconstruction(sparsity), autoencoder(activation=sparsity.activation(3))
    activity = network.encoder(LEFT).sigmoid().mean(0)
    wanted = BernoulliDistribution(torch.tensor(0.2))
    expected = 0.3 * kl_divergence(wanted, BernoulliDistribution(activity)).sum().item()
    terms = values(objective, *prepared(objective, network))
    assert terms["sparsity"] == pytest.approx(expected, rel=1e-4)


def test_top_k_sparsity_is_an_activation():
    activation = TopKSparsity(k=2).activation(3)
    assert isinstance(activation, TopK)
    assert activation.k == 2


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"beta": 1.0},
        {"tau_plus": 0.1},
        {"beta": 0.5, "tau_plus": 0.2},
    ],
    ids=["plain", "hard", "debiased", "hard_and_debiased"],
)
def test_nt_xent_compares_projections(options):
    objective = NTXent(temperature=0.3, **options)
    network, heads = prepared(objective)
    expected = slow_nt_xent(*projections(network, heads, LEFT, RIGHT), 0.3, **options)
    assert values(objective, network, heads) == about(contrast=expected)


def test_dcl_compares_projections():
    objective = DCL(temperature=0.3)
    network, heads = prepared(objective)
    expected = slow_decoupled(*projections(network, heads, LEFT, RIGHT), 0.3)
    assert values(objective, network, heads) == about(contrast=expected)


@pytest.mark.parametrize("training", [True, False])
def test_sup_con_compares_projections_and_takes_labels(training):
    objective = SupCon(temperature=0.3)
    network, heads = prepared(objective)
    heads.train(training)
    expected = slow_sup_con(*projections(network, heads, LEFT, RIGHT), LABELS.tolist(), 0.3)
    assert values(objective, network, heads) == about(contrast=expected)


def test_objectives_say_whether_they_use_labels():
    users = {name(objective) for objective in WITH_HEADS if objective.uses_labels}
    assert users == {"SupCon"}


@pytest.mark.parametrize("objective", WITH_HEADS, ids=str)
@pytest.mark.parametrize("rows", [LEFT[:1], LEFT[:1].repeat(4, 1), torch.zeros(3, 4)], ids=len)
def test_rows_alone_and_rows_that_are_the_same_have_finite_gradients(objective, rows):
    network, heads = prepared(objective)
    # No training batch has one row, which has no statistics: validation batches may.
    heads.train(len(rows) > 1)
    sum(objective.terms(network, heads, batch_of(rows, rows), seeded()).values()).backward()
    weights = [*network.encoder.parameters(), *heads.parameters()]
    assert all(w.grad.isfinite().all() for w in weights if w.grad is not None)
    assert any(w.grad is not None for w in weights)


def test_barlow_twins_draws_the_cross_correlation_to_the_identity():
    objective = BarlowTwins(lambda_param=0.1, projector_sizes=(8, 5))
    network, heads = prepared(objective)
    with torch.no_grad():
        # Wide columns, so that the 1e-5 in the loss against division by 0 leaves no trace.
        heads.project[-1].weight *= 100
    correlation = slow_cross_correlation(*projections(network, heads, LEFT, RIGHT))
    gaps = (correlation - np.eye(5)) ** 2
    assert values(objective, network, heads) == about(
        invariance=np.trace(gaps), redundancy=0.1 * (gaps.sum() - np.trace(gaps))
    )


def test_vicreg_weighs_invariance_variance_and_covariance():
    objective = VICReg(2.0, 3.0, 4.0, projector_sizes=(8, 5))
    network, heads = prepared(objective)
    left, right = projections(network, heads, LEFT, RIGHT)
    # The squared distance is a mean over cells, as in the paper's algorithm 1.
    assert values(objective, network, heads) == about(
        invariance=2 * np.mean((left - right) ** 2),
        variance=3 * (slow_variance_hinge(left) + slow_variance_hinge(right)),
        covariance=4 * (slow_off_diagonal_covariance(left) + slow_off_diagonal_covariance(right)),
    )


@pytest.mark.parametrize("objective", [SimSiam(), BYOL()], ids=name)
def test_each_projection_is_predicted_from_the_other_view(objective):
    network, heads = prepared(objective)
    targets = projections(network, heads, LEFT, RIGHT)
    if isinstance(objective, BYOL):
        slow = heads.target
        for weights in slow.parameters():
            weights *= 1.5
        targets = [slow.project(slow.encoder(view)).numpy() for view in (LEFT, RIGHT)]
    left, right = (
        heads.predict(heads.project(network.code(view))).detach().numpy() for view in (LEFT, RIGHT)
    )
    expected = slow_negative_cosine(left, targets[1]) + slow_negative_cosine(right, targets[0])
    assert values(objective, network, heads) == about(distance=expected / 2)


# A temperature that is learned


@pytest.mark.parametrize("queue_size", [0, 6])
@pytest.mark.parametrize("weighting", [{}, {"beta": 0.5, "tau_plus": 0.1}], ids=str)
def test_a_learned_temperature_begins_as_the_fixed_one(queue_size, weighting):
    options = {"temperature": 0.2, "queue_size": queue_size, **weighting}
    fixed, learned = NTXent(**options), NTXent(**options, learn_temperature=True)
    expected = values(fixed, *prepared(fixed)) | {"temperature": 0.2}
    assert values(learned, *prepared(learned)) == about(**expected)
    assert fixed.terms_aside == ()
    assert learned.terms_aside == ("temperature",)


def test_the_temperature_is_learned_from_the_contrast_alone():
    objective = NTXent(temperature=0.3, learn_temperature=True)
    network, heads = prepared(objective)
    terms = objective.terms(network, heads, batch_of(), seeded())
    assert not terms["temperature"].requires_grad
    (slope,) = torch.autograd.grad(sum(terms.values()), heads.log_temperature)
    left, right = projections(network, heads, LEFT, RIGHT)
    step = 1e-4
    above, below = (slow_nt_xent(left, right, 0.3 * np.exp(s)) for s in (step, -step))
    assert slope.item() == pytest.approx((above - below) / (2 * step), rel=1e-3)


def test_a_learned_temperature_falls_no_lower_than_in_clip_and_rises_again():
    objective = NTXent(learn_temperature=True)
    network, heads = prepared(objective)
    with torch.no_grad():
        heads.log_temperature -= 10
    objective.after_step(network, heads)
    terms = objective.terms(network, heads, batch_of(), seeded())
    assert terms["temperature"].item() == pytest.approx(0.01)
    terms["contrast"].backward()
    assert heads.log_temperature.grad < 0  # independent views: a higher one is better


# Gradients that stop, averages that move


@pytest.mark.parametrize("objective", [SimSiam(), BYOL()], ids=name)
def test_no_gradient_reaches_the_targets(objective):
    network, heads = prepared(objective)
    weights = [*network.encoder.parameters(), *heads.project.parameters()]

    def by_hand(stop):
        left, right = (heads.project(network.code(view)) for view in (LEFT, RIGHT))
        left_target, right_target = (left.detach(), right.detach()) if stop else (left, right)
        return -0.5 * (
            cosine_similarity(heads.predict(left), right_target).mean()
            + cosine_similarity(heads.predict(right), left_target).mean()
        )

    # Before the first update the slow networks of BYOL are equal to the fast ones.
    distance = objective.terms(network, heads, batch_of(), seeded())["distance"]
    gradients, stopped, flowing = (
        nn.utils.parameters_to_vector(torch.autograd.grad(loss, weights))
        for loss in (distance, by_hand(stop=True), by_hand(stop=False))
    )
    assert torch.allclose(gradients, stopped, atol=1e-6)
    assert not torch.allclose(gradients, flowing, atol=1e-3)


@pytest.mark.parametrize("objective", [BYOL(), NTXent(queue_size=4)], ids=name)
def test_slow_networks_get_no_gradient_and_fast_ones_do(objective):
    network, heads = prepared(objective)
    (loss,) = objective.terms(network, heads, batch_of(), seeded()).values()
    loss.backward()
    assert not any(p.requires_grad or p.grad is not None for p in heads.target.parameters())
    assert all(p.grad is not None for p in network.encoder.parameters())
    assert all(p.grad is not None for p in heads.project.parameters())


@pytest.mark.parametrize("momentum", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("objective", [BYOL(), NTXent(queue_size=4)], ids=name)
def test_slow_networks_follow_with_the_momentum_and_keep_up_with_statistics(objective, momentum):
    objective = clone(objective).set_params(momentum=momentum)
    network, heads = prepared(objective)
    fast = nn.ModuleDict({"encoder": network.encoder, "project": heads.project})
    before = {name: weights.clone() for name, weights in heads.target.named_parameters()}
    objective.terms(network, heads, batch_of(), seeded())
    with torch.no_grad():
        for weights in fast.parameters():
            weights += 1
    objective.after_step(network, heads)
    for name, weights in fast.named_parameters():
        expected = momentum * before[name] + (1 - momentum) * weights
        assert torch.allclose(heads.target.get_parameter(name), expected)
    for name, statistic in fast.named_buffers():
        assert torch.equal(heads.target.get_buffer(name), statistic)


# The queue


def contrast_by_hand(network, heads, left, right, queue, temperature=0.5):
    left_query, right_query = projections(network, heads, left, right)
    left_key, right_key = (heads.target(view).numpy() for view in (left, right))
    return 0.5 * (
        slow_info_nce(left_query, right_key, queue, temperature)
        + slow_info_nce(right_query, left_key, queue, temperature)
    )


@pytest.mark.parametrize("sizes", [(2, 2, 2, 2), (5, 1), (3, 8, 1), (1, 4, 4), (6, 6)], ids=str)
def test_the_latest_keys_are_negatives(sizes):
    objective, queue = NTXent(queue_size=5, momentum=0.5), deque(maxlen=5)
    network, heads = prepared(objective)
    for step, size in enumerate((*sizes, 8)):
        left, right = torch.randn(2, size, 4, generator=seeded(step))
        expected = contrast_by_hand(network, heads, left, right, queue)
        assert values(objective, network, heads, left, right) == about(contrast=expected)
        queue.extend(heads.target(right))
        with torch.no_grad():
            network.encoder[0].weight += 0.1
        objective.after_step(network, heads)


def test_validation_neither_sees_the_queue_nor_puts_anything_into_it():
    objective = NTXent(queue_size=20, momentum=1.0)
    network, heads = prepared(objective)
    heads.eval()
    before = values(objective, network, heads, OTHERS, LEFT)
    heads.train()
    values(objective, network, heads)
    objective.after_step(network, heads)
    filled = heads.filled
    heads.eval()
    assert values(objective, network, heads, OTHERS, LEFT) == before
    assert heads.filled == filled


def test_keys_in_the_queue_have_length_1_and_no_gradient():
    objective = NTXent(queue_size=8)
    network, heads = prepared(objective)
    keys = normalize(heads.target(RIGHT), dim=1)
    objective.terms(network, heads, batch_of(), seeded())
    objective.after_step(network, heads)
    assert torch.allclose(heads.queue, keys)
    assert not heads.queue.requires_grad


def test_the_moving_average_begins_as_a_copy():
    for objective in (BYOL(), NTXent(queue_size=4)):
        network, heads = prepared(objective)
        fast = nn.ModuleDict({"encoder": network.encoder, "project": heads.project})
        for name, weights in fast.state_dict().items():
            slow = heads.target.state_dict()[name]
            assert torch.equal(slow, weights)
            assert slow.data_ptr() != weights.data_ptr()


@pytest.mark.parametrize(
    ("objective", "network"),
    [
        (NTXent(queue_size=20), autoencoder),
        (NTXent(learn_temperature=True), autoencoder),
        (BYOL(momentum=0.5), autoencoder),
        (ELBO(warmup_steps=4), variational),
    ],
    ids=name,
)
def test_heads_go_on_from_their_state(objective, network):
    network, heads = prepared(objective, network())
    fresh = objective.heads(network, seeded(1))
    for rows in (LEFT, OTHERS):
        values(objective, network, heads, rows, RIGHT)
        objective.after_step(network, heads)
    assert values(objective, network, fresh) != values(objective, network, heads)
    fresh.load_state_dict(heads.state_dict())
    assert values(objective, network, fresh) == values(objective, network, heads)


# The decoder beside an objective


@pytest.mark.parametrize("objective", [NTXent(), SupCon(), BYOL()], ids=name)
def test_beside_an_objective_a_decoder_learns_and_validation_tells_how_codes_lie(objective):
    both = WithDecoder(objective)
    network, heads = prepared(both)
    assert both.uses_labels == objective.uses_labels
    for training in (True, False):
        heads.train(training)
        network.train(training)
        left, right = LEFT + 0.1, RIGHT + 1
        # The decoder learns the rows as they are, whatever the views.
        error = (OTHERS - network.output(network.code(OTHERS))).square().mean().item()
        expected = {**values(objective, network, heads, left, right), "reconstruction": error}
        if not training:
            codes = [network.code(views).detach().numpy() for views in (left, right)]
            expected["alignment"] = slow_alignment(*codes)
            expected["uniformity"] = np.mean([slow_uniformity(code) for code in codes])
        assert values(both, network, heads, left, right, OTHERS) == about(**expected)


def test_of_one_validation_row_the_uniformity_is_0():
    both = WithDecoder(NTXent())
    network, heads = prepared(both)
    heads.eval()
    terms = values(both, network, heads, LEFT[:1], LEFT[:1])
    error = (LEFT[:1] - network.output(network.code(LEFT[:1]))).square().mean().item()
    assert terms == about(contrast=0, alignment=0, uniformity=0, reconstruction=error)


def test_what_is_beside_both_is_no_part_of_the_loss():
    both = WithDecoder(NTXent(learn_temperature=True))
    assert set(both.terms_aside) == {"temperature", "reconstruction", "alignment", "uniformity"}


def test_the_history_has_what_is_beside_the_loss_apart_from_it():
    rows = torch.randn(40, 4, generator=seeded()).numpy()
    objective = NTXent(learn_temperature=True, queue_size=16)
    encoder = ContrastiveTransformer(
        3, objective=objective, early_stopping=True, validation_fraction=0.25, max_epochs=3
    )
    history = pickle.loads(pickle.dumps(encoder.fit(rows))).history_
    assert (history["train_loss"] == history["train_contrast"]).all()
    assert (history["valid_loss"] == history["valid_contrast"]).all()
    assert history["train_temperature"].iloc[0] == pytest.approx(0.5, abs=0.01)
    assert history["train_temperature"].nunique() == 3
    assert history["valid_alignment"].between(0, 4).all()
    assert history["valid_uniformity"].between(-8, 0).all()
    assert "train_uniformity" not in history


def test_terms_of_an_objective_are_not_overwritten_by_those_beside_it():
    class Aligned(Objective):
        def terms(self, network, heads, batch, generator):
            return {"alignment": network.code(batch.left).square().mean()}

    both = WithDecoder(Aligned())
    with pytest.raises(ValueError, match=r"^Aligned: terms named \['alignment'\] are reported"):
        values(both, *prepared(both))


# The evidence lower bound


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_elbo_is_the_reconstruction_from_a_draw_and_the_weighted_divergence(beta):
    objective, network = ELBO(beta), variational()
    mean, log_variance = network.encoder(LEFT).chunk(2, dim=1)
    posterior = Normal(mean, log_variance.exp().sqrt())
    draw = mean + posterior.stddev * torch.randn(8, 3, generator=seeded())
    density = Normal(network.decoder(draw), 0.7).log_prob(RIGHT)
    divergence = kl_divergence(posterior, Normal(0.0, 1.0)).sum(1).mean()
    assert values(objective, *prepared(objective, network)) == about(
        reconstruction=-density.sum(1).mean().item(), kl=beta * divergence.item()
    )


def test_elbo_of_zeros_and_ones_is_their_log_probability():
    objective, network = ELBO(), variational(Bernoulli(4))
    rows = (RIGHT > 0).float()
    mean, log_variance = network.posterior(LEFT)
    draw = mean + log_variance.exp().sqrt() * torch.randn(8, 3, generator=seeded())
    log_probability = BernoulliDistribution(logits=network.decoder(draw)).log_prob(rows)
    terms = values(objective, *prepared(objective, network), right=rows)
    assert terms["reconstruction"] == pytest.approx(-log_probability.sum(1).mean().item())


def test_elbo_is_the_log_likelihood_where_the_encoder_is_the_exact_posterior():
    # One latent factor of two columns: everything about it is known in closed form.
    loadings, offset, deviation = torch.tensor([[1.0], [-0.5]]), torch.tensor([0.3, 0.1]), 0.6
    precision = 1 + (loadings**2).sum() / deviation**2
    decoder, encoder = linear(1, 2, seeded()), linear(2, 2, seeded())
    to_mean = loadings.T / (precision * deviation**2)
    with torch.no_grad():
        decoder.weight.copy_(loadings)
        decoder.bias.copy_(offset)
        encoder.weight.copy_(torch.cat([to_mean, torch.zeros(1, 2)]))
        encoder.bias.copy_(torch.stack([-(to_mean @ offset)[0], -precision.log()]))
    network = VariationalAutoencoder(encoder, decoder, Gaussian(2, deviation), latent_dim=1)
    row = torch.tensor([0.7, -1.2])
    covariance = loadings @ loadings.T + deviation**2 * torch.eye(2)
    exact = MultivariateNormal(offset, covariance).log_prob(row).item()
    rows, objective = row.repeat(100_000, 1), ELBO()
    terms = values(objective, *prepared(objective, network), rows, rows)
    assert -sum(terms.values()) == pytest.approx(exact, abs=0.01)
    with torch.no_grad():
        encoder.bias += 0.5
    assert -sum(values(objective, *prepared(objective, network), rows, rows).values()) < exact - 0.1


def test_the_weight_of_the_divergence_warms_up_by_updates_and_is_full_in_validation():
    objective, network = ELBO(beta=3.0, warmup_steps=4), variational()
    _, heads = prepared(objective, network)
    full = values(ELBO(), *prepared(ELBO(), network))["kl"]
    training, validation = [], []
    for _ in range(6):
        training.append(values(objective, network, heads.train())["kl"] / full)
        validation.append(values(objective, network, heads.eval())["kl"] / full)
        objective.after_step(network, heads)
    assert training == pytest.approx([0.0, 0.75, 1.5, 2.25, 3.0, 3.0])
    assert validation == pytest.approx([3.0] * 6)


# Parameters that make no sense


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (NTXent(temperature=0.0), r"'temperature' parameter .* range \(0.0, inf\). Got 0.0"),
        (
            NTXent(temperature=float("nan")),
            r"'temperature' parameter .* range \(0.0, inf\). Got nan",
        ),
        (NTXent(queue_size=-1), r"'queue_size' parameter .* an int in the range .* Got -1"),
        (NTXent(momentum=1.1), r"'momentum' parameter .* range \[0.0, 1.0\]. Got 1.1"),
        (NTXent(beta=-1.0), r"'beta' parameter .* range \[0.0, inf\). Got -1.0"),
        (NTXent(tau_plus=1.0), r"'tau_plus' parameter .* range \[0.0, 1.0\). Got 1.0"),
        (NTXent(tau_plus=-0.1), r"'tau_plus' parameter .* range \[0.0, 1.0\). Got -0.1"),
        (
            NTXent(projector_sizes=()),
            "'projector_sizes' parameter .* of at least 1 items, each an int",
        ),
        (
            NTXent(temperature=0.001, learn_temperature=True),
            "temperature must be 0.01 or more to be learned; got 0.001",
        ),
        (DCL(temperature=0.0), r"'temperature' parameter .* range \(0.0, inf\). Got 0.0"),
        (SupCon(temperature=-1.0), r"'temperature' parameter .* range \(0.0, inf\). Got -1.0"),
        (
            SupCon(projector_sizes=(0,)),
            "'projector_sizes' parameter .* of at least 1 items, each an int",
        ),
        (BYOL(momentum=-0.1), r"'momentum' parameter .* range \[0.0, 1.0\]. Got -0.1"),
        (BYOL(momentum=1.1), r"'momentum' parameter .* range \[0.0, 1.0\]. Got 1.1"),
    ],
)
def test_bad_parameters_raise(objective, message):
    with pytest.raises(ValueError, match=message):
        objective.heads(autoencoder(), seeded())


@pytest.mark.parametrize(
    ("sparsity", "message"),
    [
        (KLSparsity(target=0.0), r"'target' parameter .* range \(0.0, 1.0\). Got 0.0"),
        (KLSparsity(target=1.0), r"'target' parameter .* range \(0.0, 1.0\). Got 1.0"),
        (TopKSparsity(k=0), r"'k' parameter of TopKSparsity must be an int .* Got 0"),
        (TopKSparsity(k=4), "between 1 and latent_dim=3; got 4"),
    ],
)
def test_bad_sparsity_raises(sparsity, message):
    with pytest.raises(ValueError, match=message):
        sparsity.activation(3)


def test_an_objective_without_terms_says_so():
    class Nothing(Objective):
        pass

    with pytest.raises(TypeError, match=r"Nothing does not define terms\(\)"):
        values(Nothing(), *prepared(Nothing()))


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_an_encoder_learns_the_share_of_the_decoders_error_that_it_is_to(weight):
    """The decoder learns all of it, whatever the share."""

    class Nothing(Objective):
        def terms(self, network, heads, batch, generator):
            return {"nothing": 0.0 * network.code(batch.left).sum()}

    gradients = {}
    for share in (weight, 1.0):
        objective = WithDecoder(Nothing(), weight=share)
        network, heads = prepared(objective)
        terms = objective.terms(network, heads, batch_of(), seeded())
        sum(terms.values()).backward()
        gradients[share] = [
            torch.cat([weights.grad.ravel() for weights in part.parameters()])
            for part in (network.encoder, network.decoder)
        ]
    (encoder, decoder), (whole_encoder, whole_decoder) = gradients[weight], gradients[1.0]
    assert torch.equal(decoder, whole_decoder)
    assert whole_encoder.abs().max() > 0
    torch.testing.assert_close(encoder, weight * whole_encoder)
