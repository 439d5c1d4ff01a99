"""Losses against slow references, written from the formulas of the papers with loops."""

from functools import partial
from math import exp, log, sqrt

import numpy as np
import pytest
import torch
from repeatability import seeded
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
from torch.autograd import gradcheck
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sklearn_replearn import losses
from sklearn_replearn.losses import (
    alignment,
    bernoulli_kl,
    cross_correlation,
    decoupled,
    gaussian_kl,
    info_nce,
    negative_cosine,
    nt_xent,
    off_diagonal_covariance,
    sup_con,
    uniformity,
    variance_hinge,
)


def normal_rows(n, width, seed, dtype=torch.float64):
    return torch.randn(n, width, generator=seeded(seed), dtype=dtype)


LEFT, RIGHT, QUEUE = normal_rows(5, 3, 0), normal_rows(5, 3, 1), normal_rows(4, 3, 2)
LABELS = torch.tensor([1, -1, 0, 1, -1])
ROTATION = torch.linalg.qr(normal_rows(3, 3, 3)).Q

NT_XENT = {
    "plain": {},
    "queue": {"negatives": QUEUE},
    "hard": {"beta": 1.5},
    "debiased": {"tau_plus": 0.1},
    "hard_and_debiased": {"beta": 0.5, "tau_plus": 0.2},
    "all": {"negatives": QUEUE, "beta": 0.5, "tau_plus": 0.2},
}


def contrast(left, right, temperature=0.5, negatives=None, **options):
    negatives = None if negatives is None else negatives.to(left)
    return nt_xent(left, right, temperature, negatives, **options)


# Every loss as a function of two tables, for the promises that all of them make.
LOSSES = {
    **{f"nt_xent_{name}": partial(contrast, **options) for name, options in NT_XENT.items()},
    "info_nce": lambda left, right: info_nce(left, right, QUEUE.to(left), 0.5),
    "decoupled": lambda left, right: decoupled(left, right, 0.5),
    "sup_con": lambda left, right: sup_con(left, right, LABELS[: len(left)], 0.5),
    "alignment": alignment,
    "uniformity": lambda left, right: uniformity(left + right),
    "negative_cosine": negative_cosine,
    "gaussian_kl": gaussian_kl,
    "bernoulli_kl": lambda left, right: bernoulli_kl(0.2, (left + right).sigmoid().mean(0)),
    "cross_correlation": cross_correlation,
    "variance_hinge": lambda left, right: variance_hinge(left + right, floor=3.0),
    "off_diagonal_covariance": lambda left, right: off_diagonal_covariance(left + right),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
every_nt_xent = pytest.mark.parametrize("options", NT_XENT.values(), ids=NT_XENT)


@every_loss
def test_gradients_are_those_of_the_values(loss):
    left, right = LEFT.clone().requires_grad_(), RIGHT.clone().requires_grad_()
    assert gradcheck(loss, (left, right))


@every_loss
@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("cell", [0.0, 1.0])
def test_equal_rows_and_rows_alone_have_finite_losses_and_gradients(loss, n, cell):
    rows = torch.full((n, 3), cell, requires_grad=True)
    value = loss(rows, rows)
    value.sum().backward()
    assert value.isfinite().all()
    assert rows.grad.isfinite().all()


# Those that compare rows by the angles between them.
ANGULAR = ["info_nce", "decoupled", "sup_con", "alignment", "uniformity", "negative_cosine"]
ANGULAR += [f"nt_xent_{name}" for name, options in NT_XENT.items() if "negatives" not in options]


@pytest.mark.parametrize("name", ANGULAR)
def test_a_rotation_of_all_views_changes_nothing(name):
    loss = LOSSES[name]
    if name == "info_nce":
        loss = partial(info_nce, negatives=QUEUE[:0], temperature=0.5)
    assert torch.allclose(loss(LEFT @ ROTATION, RIGHT @ ROTATION), loss(LEFT, RIGHT))
    assert name == "uniformity" or not torch.allclose(
        loss(LEFT @ ROTATION, RIGHT), loss(LEFT, RIGHT)
    )


@every_nt_xent
@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_nt_xent_is_the_double_loop_over_views(temperature, options):
    expected = slow_nt_xent(LEFT, RIGHT, temperature, **options)
    assert contrast(LEFT, RIGHT, temperature, **options).item() == pytest.approx(expected)


@every_nt_xent
def test_nt_xent_and_info_nce_know_the_gradient_in_their_temperature(options):
    temperature = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda t: contrast(LEFT, RIGHT, t, **options), (temperature,))
    options = {"negatives": QUEUE[:0], **options}
    assert gradcheck(lambda t: info_nce(LEFT, RIGHT, temperature=t, **options), (temperature,))


@every_nt_xent
def test_nt_xent_sees_neither_lengths_nor_order_of_rows_nor_which_view_is_left(options):
    expected = contrast(LEFT, RIGHT, **options)
    order, lengths = torch.tensor([3, 0, 4, 1, 2]), torch.arange(1, 6)[:, None]
    assert torch.allclose(contrast(LEFT[order], RIGHT[order], **options), expected)
    assert torch.allclose(contrast(LEFT * lengths, RIGHT / lengths, **options), expected)
    assert torch.allclose(contrast(RIGHT, LEFT, **options), expected)


def test_nt_xent_sees_neither_lengths_nor_order_of_further_negatives():
    expected = nt_xent(LEFT, RIGHT, 0.5, negatives=QUEUE)
    assert torch.allclose(nt_xent(LEFT, RIGHT, 0.5, negatives=7 * QUEUE.flip(0)), expected)


@pytest.mark.parametrize(
    "options",
    [
        {"beta": 1e-9},
        {"tau_plus": 1e-9},
        {"beta": 1e-9, "tau_plus": 1e-9},
    ],
)
def test_nt_xent_goes_over_into_the_plain_one_as_its_corrections_vanish(options):
    assert torch.allclose(nt_xent(LEFT, RIGHT, 0.5, **options), nt_xent(LEFT, RIGHT, 0.5))


def test_concentration_weighs_negatives_by_their_hardness():
    losses = [float(nt_xent(LEFT, RIGHT, 0.5, beta=beta)) for beta in (0, 1, 2, 1e4)]
    assert losses == sorted(losses)
    # In the limit all 2n - 2 negatives are as hard as the hardest.
    views = torch.nn.functional.normalize(torch.cat([LEFT, RIGHT]), dim=1)
    similarity = (views @ views.T / 0.5).fill_diagonal_(-torch.inf)
    rows, partners = torch.arange(10), torch.arange(10).roll(5)
    positive = similarity[rows, partners]
    similarity[rows, partners] = -torch.inf
    limit = torch.log1p(8 * (similarity.amax(1) - positive).exp()).mean()
    assert losses[-1] == pytest.approx(float(limit))


@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_debiasing_leaves_every_negative_at_least_its_smallest_possible_value(beta):
    # Equal views, opposite rows: the correction is larger than the sum, both negatives are at -1.
    views = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    loss = nt_xent(views, views, 0.5, beta=beta, tau_plus=0.3)
    assert float(loss) == pytest.approx(log(1 + 2 * exp(-1 / 0.5) / exp(1 / 0.5)))


@every_nt_xent
def test_a_row_alone_has_only_the_queue_to_tell_it_from(options):
    loss = float(nt_xent(LEFT[:1], RIGHT[:1], 0.5, **options))
    if "negatives" in options:
        assert loss == pytest.approx(slow_nt_xent(LEFT[:1], RIGHT[:1], 0.5, **options))
    else:
        assert loss == 0


@every_nt_xent
@pytest.mark.parametrize("right", [RIGHT, LEFT, -LEFT], ids=["random", "equal", "opposite"])
def test_nt_xent_is_right_at_a_small_temperature_in_float32(right, options):
    left = LEFT.float().requires_grad_()
    loss = contrast(left, right.float(), 0.01, **options)
    loss.backward()
    expected = slow_nt_xent(LEFT, right, 0.01, **options)
    assert loss.item() == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert left.grad.isfinite().all()


@pytest.mark.parametrize("negatives", [QUEUE, QUEUE[:0]], ids=["queue", "no_queue"])
@pytest.mark.parametrize("temperature", [0.01, 0.1, 1.0])
def test_info_nce_is_the_double_loop_over_queries_and_keys(temperature, negatives):
    left = LEFT.float().requires_grad_()
    loss = info_nce(left, RIGHT.float(), negatives.float(), temperature)
    loss.backward()
    expected = slow_info_nce(LEFT, RIGHT, negatives, temperature)
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    assert left.grad.isfinite().all()


@pytest.mark.parametrize("options", [{"beta": 1.0}, {"tau_plus": 0.1}], ids=["hard", "debiased"])
def test_info_nce_weighs_and_corrects_its_negatives(options):
    expected = slow_info_nce(LEFT, RIGHT, QUEUE, 0.5, **options)
    assert info_nce(LEFT, RIGHT, QUEUE, 0.5, **options).item() == pytest.approx(expected)


def test_info_nce_sees_neither_lengths_nor_a_common_order_of_rows():
    order = [3, 0, 4, 1, 2]
    assert torch.allclose(
        info_nce(2 * LEFT[order], 3 * RIGHT[order], 5 * QUEUE.flip(0), 0.5),
        info_nce(LEFT, RIGHT, QUEUE, 0.5),
    )


class Largest(TorchDispatchMode):
    """Notes how many cells the largest tensor has that is made."""

    cells = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves(made) if isinstance(leaf, torch.Tensor)]
        self.cells = max([self.cells, *(tensor.numel() for tensor in tensors)])
        return made


@pytest.mark.parametrize("weighting", [{}, {"beta": 0.5, "tau_plus": 0.1}])
def test_no_loss_makes_anything_larger_than_the_similarity_of_views_and_candidates(weighting):
    n, n_negatives = 40, 300
    left, right = normal_rows(n, 3, 0).requires_grad_(), normal_rows(n, 3, 1)
    queue, labels = normal_rows(n_negatives, 3, 2), torch.arange(n) % 3
    for cells, loss in (
        ((2 * n) ** 2, lambda: nt_xent(left, right, 0.5, **weighting)),
        (n * (n + n_negatives), lambda: info_nce(left, right, queue, 0.5, **weighting)),
        ((2 * n) ** 2, lambda: decoupled(left, right, 0.5)),
        ((2 * n) ** 2, lambda: sup_con(left, right, labels, 0.5)),
    ):
        with Largest() as largest:
            loss().backward()
        assert largest.cells == cells


@pytest.mark.parametrize("right", [RIGHT, LEFT, -LEFT], ids=["random", "equal", "opposite"])
@pytest.mark.parametrize("temperature", [0.01, 0.1, 1.0])
def test_decoupled_is_the_double_loop_over_views(temperature, right):
    left = LEFT.float().requires_grad_()
    loss = decoupled(left, right.float(), temperature)
    loss.backward()
    assert loss.item() == pytest.approx(slow_decoupled(LEFT, right, temperature), rel=1e-4)
    assert left.grad.isfinite().all()


def test_decoupled_sees_neither_lengths_nor_order_of_rows_nor_which_view_is_left():
    expected, order = decoupled(LEFT, RIGHT, 0.5), [3, 0, 4, 1, 2]
    assert torch.allclose(decoupled(2 * LEFT[order], 3 * RIGHT[order], 0.5), expected)
    assert torch.allclose(decoupled(RIGHT, LEFT, 0.5), expected)


def test_decoupled_is_what_nt_xent_becomes_where_negatives_outweigh_the_positive():
    # log(p + total) - log p is log1p(total / p), and decoupled is the logarithm of total / p.
    rows = torch.tensor([[1.0, 0.0], [1.0, 0.1]], dtype=torch.float64)
    ratio = nt_xent(rows, -rows, 0.05) / decoupled(rows, -rows, 0.05)
    assert float(ratio) == pytest.approx(1)
    assert decoupled(LEFT, LEFT, 0.1) < 0 < nt_xent(LEFT, LEFT, 0.1)


def test_decoupled_has_nothing_to_say_about_a_row_alone():
    assert decoupled(LEFT[:1], RIGHT[:1], 0.5) == 0


@pytest.mark.parametrize(
    "labels", [LABELS, torch.zeros(5, dtype=torch.int64), torch.tensor([0, 0, 1, 1, -1])], ids=str
)
@pytest.mark.parametrize("temperature", [0.01, 0.1, 1.0])
def test_sup_con_is_the_double_loop_over_views(temperature, labels):
    left = LEFT.float().requires_grad_()
    loss = sup_con(left, RIGHT.float(), labels, temperature)
    loss.backward()
    expected = slow_sup_con(LEFT, RIGHT, labels.tolist(), temperature)
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    assert left.grad.isfinite().all()


@pytest.mark.parametrize("labels", [[-1] * 5, [4, 2, 0, 1, 3], [-1, 7, -1, 0, -1]], ids=str)
def test_sup_con_is_nt_xent_where_no_two_rows_share_a_class(labels):
    expected = nt_xent(LEFT, RIGHT, 0.2)
    assert torch.allclose(sup_con(LEFT, RIGHT, torch.tensor(labels), 0.2), expected)


def test_sup_con_sees_neither_lengths_nor_order_of_rows_nor_names_nor_which_view_is_left():
    expected, order = sup_con(LEFT, RIGHT, LABELS, 0.5), [3, 0, 4, 1, 2]
    shuffled = sup_con(2 * LEFT[order], 3 * RIGHT[order], LABELS[order], 0.5)
    assert torch.allclose(shuffled, expected)
    assert torch.allclose(sup_con(RIGHT, LEFT, LABELS, 0.5), expected)
    renamed = torch.tensor([0, -1, 9, 0, -1])
    assert torch.allclose(sup_con(LEFT, RIGHT, renamed, 0.5), expected)


@pytest.mark.parametrize("alpha", [1, 2, 3.5])
def test_alignment_is_the_loop_over_rows_and_sees_no_lengths(alpha):
    loss = alignment(LEFT, RIGHT, alpha)
    assert float(loss) == pytest.approx(slow_alignment(LEFT, RIGHT, alpha))
    assert torch.allclose(alignment(5 * RIGHT, 0.1 * LEFT, alpha), loss)
    assert alignment(LEFT, 2 * LEFT, alpha) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("t", [0.5, 2, 2000])
def test_uniformity_is_the_loop_over_pairs_and_sees_neither_lengths_nor_order(t):
    loss = uniformity(QUEUE, t)
    assert loss.isfinite()
    if t < 2000:  # where the exponentials are within the range of numbers
        assert float(loss) == pytest.approx(slow_uniformity(QUEUE, t))
    lengths = torch.arange(1, 5)[:, None]
    assert torch.allclose(uniformity((QUEUE * lengths).flip(0), t), loss)


@pytest.mark.parametrize("rows_at_once", [1, 2, 3, 6, 7])
def test_uniformity_and_its_gradient_do_not_depend_on_how_many_pairs_are_compared_at_once(
    rows_at_once, monkeypatch
):
    codes = torch.cat([LEFT, QUEUE[:2]]).requires_grad_()
    expected = uniformity(codes)
    (gradient,) = torch.autograd.grad(expected, codes)
    monkeypatch.setattr(losses, "_PAIRS_AT_ONCE", rows_at_once * len(codes))
    loss = uniformity(codes)
    assert torch.allclose(loss, expected)
    assert torch.allclose(torch.autograd.grad(loss, codes)[0], gradient)


def test_uniformity_is_highest_where_all_rows_are_the_same_and_lowest_where_they_spread():
    square = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    assert uniformity(square[:1]) == uniformity(square[[1, 1, 1]]) == 0
    assert uniformity(square) < uniformity(square.abs()) < 0


def test_negative_cosine_is_the_loop_over_rows_and_sees_no_lengths():
    loss = negative_cosine(LEFT, RIGHT)
    assert float(loss) == pytest.approx(slow_negative_cosine(LEFT, RIGHT))
    assert torch.allclose(negative_cosine(5 * LEFT, 0.1 * RIGHT), loss)
    assert torch.allclose(negative_cosine(-LEFT, RIGHT), -loss)


def test_gaussian_kl_is_the_divergence_that_torch_knows():
    deviation = (0.5 * RIGHT).exp()
    expected = kl_divergence(Normal(LEFT, deviation), Normal(torch.tensor(0.0), torch.tensor(1.0)))
    assert torch.allclose(gaussian_kl(LEFT, RIGHT), expected.sum(1))
    assert torch.allclose(gaussian_kl(-LEFT.flip(1), RIGHT.flip(1)), expected.sum(1))


def test_gaussian_kl_is_the_mean_log_ratio_of_draws():
    mean, log_variance = torch.tensor([[0.5, -1.0]]), torch.tensor([[-1.0, 0.5]])
    posterior, noise = Normal(mean, (0.5 * log_variance).exp()), normal_rows(100_000, 2, 0)
    draws = posterior.mean + posterior.stddev * noise
    ratios = (posterior.log_prob(draws) - Normal(0.0, 1.0).log_prob(draws)).sum(1)
    standard_error = ratios.std() / sqrt(len(ratios))
    assert abs(gaussian_kl(mean, log_variance) - ratios.mean()) < 4 * standard_error


@pytest.mark.parametrize("target", [0.05, 0.5, 0.9])
def test_bernoulli_kl_is_the_sum_over_units_of_the_closed_form(target):
    activity = torch.tensor([0.01, 0.05, 0.3, 0.99], dtype=torch.float64)
    loss = bernoulli_kl(target, activity)
    closed = [
        target * log(target / a) + (1 - target) * log((1 - target) / (1 - a)) for a in activity
    ]
    assert float(loss) == pytest.approx(sum(closed))
    rate = torch.tensor(target, dtype=torch.float64)
    assert torch.allclose(kl_divergence(Bernoulli(rate), Bernoulli(activity)).sum(), loss)
    # On and off are names.
    assert torch.allclose(bernoulli_kl(1 - target, 1 - activity.flip(0)), loss)


def test_units_that_are_always_on_or_off_have_a_finite_divergence():
    activity = torch.tensor([0.0, 1.0], requires_grad=True)
    loss = bernoulli_kl(0.05, activity)
    loss.backward()
    assert 10 < loss < 20
    assert activity.grad.isfinite().all()


def test_cross_correlation_is_the_loop_over_pairs_of_columns_whatever_their_units():
    # Columns this wide leave no trace of the 1e-5 that keeps constant columns from dividing by 0.
    left, right = 1e3 * LEFT, 1e3 * RIGHT
    correlation = cross_correlation(left, right)
    assert np.allclose(correlation, slow_cross_correlation(left.numpy(), right.numpy()))
    units, shift = torch.tensor([2.0, 5.0, 9.0]), torch.tensor([-1.0, 0.0, 1e3])
    assert torch.allclose(cross_correlation(left * units + shift, right / units), correlation)
    assert torch.allclose(cross_correlation(left * units + shift, right), correlation)
    assert torch.allclose(cross_correlation(left, right * units + shift), correlation)
    assert torch.allclose(cross_correlation(left.flip(0), right.flip(0)), correlation)


@pytest.mark.parametrize("floor", [0.5, 1.0, 2.0])
def test_variance_hinge_is_the_loop_over_columns_and_sees_no_means(floor):
    x = LEFT * torch.tensor([0.1, 1.0, 3.0])
    loss = variance_hinge(x, floor)
    assert float(loss) == pytest.approx(slow_variance_hinge(x.numpy(), floor))
    assert torch.allclose(variance_hinge(5 - x.flip(0), floor), loss)


def test_off_diagonal_covariance_is_the_loop_over_pairs_of_columns_and_sees_no_means():
    loss = off_diagonal_covariance(LEFT)
    assert float(loss) == pytest.approx(slow_off_diagonal_covariance(LEFT.numpy()))
    assert torch.allclose(off_diagonal_covariance(5 - LEFT.flip(0)), loss)
    uncorrelated = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert off_diagonal_covariance(uncorrelated) == 0
