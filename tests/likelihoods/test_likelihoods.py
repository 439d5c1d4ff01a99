"""Likelihoods against torch.distributions, and their draws."""

import math

import numpy as np
import pytest
import torch
from repeatability import global_state, seeded
from scipy import stats
from torch import distributions

from sklearn_replearn._scaling.normal_scores import NormalScores
from sklearn_replearn.likelihoods import (
    Bernoulli,
    Categorical,
    Gaussian,
    Joint,
    NegativeBinomial,
    Ordinal,
    PointMasses,
    Poisson,
    StudentT,
)

GENERATOR = seeded()
OUTPUT = torch.randn(6, 3, generator=GENERATOR)
NUMBERS = torch.randn(6, 3, generator=GENERATOR)
SHARES = torch.rand(6, 3, generator=GENERATOR)
VARIANCE = torch.tensor([0.01, 1.0, 40.0])

both = pytest.mark.parametrize("likelihood", [Gaussian(3, scale=0.5), Gaussian(3), Bernoulli(3)])


def learned(variance):
    likelihood = Gaussian(len(variance))
    with torch.no_grad():
        likelihood.set_variance(variance)
    return likelihood


@pytest.mark.parametrize(
    ("likelihood", "deviation"),
    [(Gaussian(3, scale=0.5), torch.tensor(0.5)), (learned(VARIANCE), VARIANCE.sqrt())],
    ids=["fixed", "learned"],
)
def test_gaussian_is_the_normal_distribution(likelihood, deviation):
    expected = distributions.Normal(OUTPUT, deviation).log_prob(NUMBERS)
    assert torch.allclose(likelihood.log_prob(NUMBERS, OUTPUT), expected)
    assert torch.equal(likelihood.error(NUMBERS, OUTPUT), (NUMBERS - OUTPUT) ** 2)
    assert torch.equal(likelihood.mean(OUTPUT), OUTPUT)


@pytest.mark.parametrize("x", [SHARES, SHARES.round()], ids=["shares", "zeros_and_ones"])
def test_bernoulli_is_the_bernoulli_distribution_and_takes_shares(x):
    likelihood = Bernoulli(3)
    expected = distributions.Bernoulli(logits=OUTPUT, validate_args=False)
    assert torch.allclose(likelihood.log_prob(x, OUTPUT), expected.log_prob(x))
    assert torch.allclose(likelihood.error(x, OUTPUT), -expected.log_prob(x))
    assert torch.allclose(likelihood.mean(OUTPUT), expected.mean)


def test_bernoulli_is_finite_where_the_odds_are_extreme():
    assert Bernoulli(1).log_prob(torch.ones(1, 1), torch.tensor([[-1e3]])) == -1e3
    assert Bernoulli(1).log_prob(torch.ones(1, 1), torch.tensor([[1e3]])) == 0


def test_variances_that_are_set_come_back():
    assert torch.allclose(learned(VARIANCE).variance, VARIANCE, rtol=1e-5)


@pytest.mark.parametrize("variance", [0.0, 1e-9, 1e-4])
def test_variances_below_the_floor_are_set_to_the_floor(variance):
    assert learned(torch.tensor([variance])).variance.item() == pytest.approx(1e-4, rel=2e-3)


def test_no_learned_scale_brings_the_variance_below_its_floor():
    likelihood = Gaussian(2)
    with torch.no_grad():
        likelihood.log_scale.copy_(torch.tensor([-1e6, -1e3]))
    assert torch.allclose(likelihood.variance, torch.tensor(1e-4))
    expected = distributions.Normal(0.0, 0.01).log_prob(torch.ones(1, 2))
    assert torch.allclose(likelihood.log_prob(torch.ones(1, 2), torch.zeros(1, 2)), expected)


def test_only_a_learned_scale_is_a_parameter():
    assert [*Gaussian(3, scale=1.0).parameters(), *Bernoulli(3).parameters()] == []
    assert [name for name, _ in Gaussian(3).named_parameters()] == ["log_scale"]


def test_the_likeliest_variance_is_the_mean_squared_error():
    likelihood = learned((NUMBERS - OUTPUT).square().mean(0))
    likelihood.log_prob(NUMBERS, OUTPUT).sum().backward()
    assert torch.allclose(likelihood.log_scale.grad, torch.zeros(3), atol=1e-3)
    other = learned(2 * (NUMBERS - OUTPUT).square().mean(0))
    other.log_prob(NUMBERS, OUTPUT).sum().backward()
    assert (other.log_scale.grad < -1).all()


def constant_in_the_middle(likelihood):
    likelihood.constant[1] = True
    return likelihood


@pytest.mark.parametrize("scale", [0.5, None])
def test_a_constant_column_counts_0_at_its_value_and_its_squared_distance_elsewhere(scale):
    likelihood = constant_in_the_middle(Gaussian(3, scale))
    x = NUMBERS.clone()
    x[0, 1], x[1, 1] = 0.0, 3.0
    log_prob = likelihood.log_prob(x, OUTPUT)
    assert log_prob[0, 1] == 0
    assert log_prob[1, 1] == -4.5
    varying = torch.tensor([0, 2])
    expected = Gaussian(3, scale).log_prob(x, OUTPUT)
    assert torch.equal(log_prob[:, varying], expected[:, varying])


def test_a_constant_column_teaches_nothing():
    likelihood, output = constant_in_the_middle(Gaussian(3)), OUTPUT.clone().requires_grad_()
    likelihood.log_prob(NUMBERS, output).sum().backward()
    for gradient in (output.grad.abs().sum(0), likelihood.log_scale.grad):
        assert (gradient != 0).tolist() == [True, False, True]


def test_draws_have_no_noise_in_a_constant_column():
    likelihood = constant_in_the_middle(Gaussian(3, scale=0.5))
    draws = likelihood.sample(OUTPUT, seeded())
    assert ((draws - OUTPUT).abs().sum(0) > 0).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("likelihood", "deviation"),
    [
        (Gaussian(3, scale=0.5), torch.full((3,), 0.5)),
        (learned(VARIANCE), VARIANCE.sqrt()),
        (Bernoulli(3), distributions.Bernoulli(logits=OUTPUT[0]).stddev),
    ],
    ids=["fixed", "learned", "bernoulli"],
)
def test_draws_have_the_mean_and_the_deviation_of_the_distribution(likelihood, deviation):
    n = 40_000
    output = OUTPUT[:1].expand(n, 3)
    with torch.no_grad():
        draws = likelihood.sample(output, seeded())
    error = deviation / n**0.5
    assert ((draws.mean(0) - likelihood.mean(output[0])).abs() < 4 * error).all()
    assert torch.allclose(draws.std(0), deviation, rtol=0.02)


@both
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_repeat_with_their_generator_and_leave_the_global_one_alone(likelihood, dtype):
    before = global_state()
    output = OUTPUT.to(dtype)
    first, second = (likelihood.sample(output, seeded(3)) for _ in range(2))
    other = likelihood.sample(output, seeded(4))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert first.dtype == dtype
    assert global_state() == before


# ---------------------------------------------------------------- categories, counts, atoms

LEVELS = torch.tensor([[1.0, 3.0], [2.0, 1.0], [2.0, 2.0]])
COUNTS = torch.tensor([[0.0, 1.0, 7.0], [2.0, 0.0, 300.0]])


def filled(likelihood, seed=0, scale=0.05):
    """The likelihood with parameters other than those it begins with."""
    generator = seeded(seed)
    with torch.no_grad():
        for weight in likelihood.parameters():
            weight.copy_(scale * torch.randn(weight.shape, generator=generator))
    return likelihood


def atoms():
    scores = NormalScores(np.repeat([0.0, 1.0, 5.0], [50, 30, 20]))
    return scores, filled(PointMasses([scores.intervals()]))


def test_atoms_that_are_close_are_told_apart():
    values = np.array([0.0, 5e-5, 1e-4])
    likelihood = PointMasses([(values, np.array([-0.5, 0.0, 0.3]), np.array([0.0, 0.3, 1.0]))])
    at, low, high = likelihood._intervals(torch.tensor(np.append(values, 3e-5))[:, None])
    assert at[:, 0].tolist() == [True, True, True, False]
    assert low[:3, 0].tolist() == pytest.approx([-0.5, 0.0, 0.3])
    assert high[:3, 0].tolist() == pytest.approx([0.0, 0.3, 1.0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("width", [1e-8, 1e-6, 2e-5, 1e-3, 1.0])
def test_training_and_scores_agree_on_the_mass_of_narrow_atoms(width, dtype):
    ends = torch.tensor([[0.0], [width]], dtype=torch.float64)
    likelihood = PointMasses([(np.array([0.5 * width]), *ends.numpy())], scale=1.0)
    output = torch.zeros(1, 1, dtype=dtype, requires_grad=True)
    mass = likelihood.log_prob(torch.full((1, 1), 0.5 * width, dtype=dtype), output)
    scored = likelihood.cell_log_mass(*ends[:, :, None], output.detach().double())
    exact = math.log(math.erf(width * math.sqrt(0.5)) / 2)
    assert mass.item() == pytest.approx(exact, rel=2e-3 if dtype == torch.float32 else 1e-6)
    assert scored.item() == pytest.approx(exact, rel=1e-6)
    mass.sum().backward()
    assert output.grad.isfinite().all()


def each_kind():
    return [
        (filled(Gaussian(2)), NUMBERS[:, :2], 2),
        (filled(StudentT(2)), NUMBERS[:, :2], 2),
        (Bernoulli(2), SHARES[:, :2].round(), 2),
        (Categorical([2, 3], n_rows=9), LEVELS, 5),
        (Categorical([2, 1000], n_rows=9), torch.tensor([[1.0, 999.0], [2.0, 1.0]]), 66),
        (filled(Ordinal([2, 3], n_rows=9)), LEVELS, 2),
        (filled(Ordinal([1, 2])), torch.tensor([[1.0, 1.0], [1.0, 2.0]]), 2),
        (Poisson(3, rates=[0.5, 1.0, 30.0]), torch.log1p(COUNTS), 3),
        (Poisson(3, rates=[0.1, 0.2, 0.7], total=20.0), torch.log1p(COUNTS), 3),
        (filled(NegativeBinomial(3)), torch.log1p(COUNTS), 3),
        (atoms()[1], torch.tensor(atoms()[0].forward(np.array([0.0, 1.0, 5.0]))[:, None]), 1),
    ]


@pytest.mark.parametrize("case", range(len(each_kind())))
def test_missing_cells_cost_nothing_and_gradients_are_finite(case):
    likelihood, x, width = each_kind()[case]
    assert likelihood.n_outputs == width
    x = x.float().clone()
    x[0, 0] = math.nan
    for size in (1.0, 40.0):
        output = (size * torch.randn(len(x), width, generator=GENERATOR)).requires_grad_()
        log_prob, error = likelihood.log_prob(x, output), likelihood.error(x, output)
        assert log_prob[0, 0] == error[0, 0] == 0
        assert log_prob.shape == error.shape == x.shape
        (log_prob.sum() + error.sum()).backward()
        gradients = [output.grad, *(p.grad for p in likelihood.parameters() if p.numel())]
        assert all(g.isfinite().all() for g in gradients if g is not None)


@pytest.mark.parametrize("case", range(len(each_kind())))
def test_draws_and_means_are_cells_that_the_likelihood_takes(case):
    likelihood, x, width = each_kind()[case]
    output = torch.randn(4, width, generator=GENERATOR, dtype=torch.float64)
    for cells in (likelihood.mean(output), likelihood.sample(output, GENERATOR)):
        assert cells.shape == (4, x.shape[1])
        assert cells.dtype == torch.float64
        assert likelihood.log_prob(cells, output).isfinite().all()
    weights = torch.full((2, 2), 0.5, dtype=torch.float64)
    same = output[:2].repeat_interleave(2, 0).view(2, 2, -1)
    assert torch.allclose(likelihood.average(same, weights), likelihood.mean(output[:2]))


def test_categorical_is_the_categorical_distribution():
    likelihood = Categorical([2, 3], n_rows=9)
    output = torch.randn(3, 5, generator=GENERATOR)
    for j, block in enumerate((output[:, :2], output[:, 2:])):
        expected = distributions.Categorical(logits=block).log_prob(LEVELS[:, j] - 1)
        assert torch.allclose(likelihood.log_prob(LEVELS, output)[:, j], expected)
    assert torch.allclose(likelihood.log_prob(0 * LEVELS, output).exp(), torch.tensor(0.1))
    assert torch.equal(likelihood.mean(output)[:, 1], output[:, 2:].argmax(1) + 1.0)


@pytest.mark.parametrize(
    ("likelihood", "n_levels"), [(Categorical([3]), 3), (filled(Ordinal([4]), scale=0.1), 4)]
)
def test_draws_of_levels_are_as_frequent_as_they_are_probable(likelihood, n_levels):
    output = torch.randn(1, likelihood.n_outputs, generator=GENERATOR)
    levels = torch.arange(1.0, n_levels + 1)[:, None]
    shares = likelihood.log_prob(levels, output.expand(n_levels, -1)).exp()[:, 0].detach()
    assert float(shares.sum()) == pytest.approx(1, abs=1e-5)
    drawn = likelihood.sample(output.expand(20_000, -1), GENERATOR)
    assert torch.allclose((drawn == levels.T).float().mean(0), shares, atol=0.015)


def test_many_levels_are_told_by_two_digits_of_which_none_is_beyond_the_last():
    likelihood = Categorical([1000])
    assert likelihood.n_outputs == 32 + 32
    levels = torch.arange(1.0, 1001)[:, None]
    output = torch.randn(1, 64, generator=GENERATOR)
    total = likelihood.log_prob(levels, output.expand(1000, -1)).exp().sum()
    assert 0.9 < float(total) <= 1.0001
    output[0, 31], output[0, 63] = 50.0, 50.0  # the pair of digits would be number 1024
    assert likelihood.mean(output) <= 1000
    assert likelihood.sample(output.expand(100, -1), GENERATOR).max() <= 1000


def test_ordinal_levels_move_with_the_output():
    likelihood = filled(Ordinal([5]), scale=0.1)
    assert likelihood.mean(torch.tensor([[-30.0], [30.0]])).tolist() == [[1.0], [5.0]]
    positions = likelihood.mean(torch.linspace(-20, 20, 50)[:, None])[:, 0]
    assert (positions.diff() >= 0).all()


def test_counts_are_those_of_their_distributions():
    output = torch.randn(2, 3, generator=GENERATOR)
    rates = torch.tensor([0.5, 1.0, 30.0])
    expected = distributions.Poisson(rates * output.exp()).log_prob(COUNTS)
    poisson = Poisson(3, rates=rates)
    assert torch.allclose(poisson.log_prob(torch.log1p(COUNTS), output), expected, atol=1e-3)
    negative = filled(NegativeBinomial(3))
    r = torch.exp(10 * negative.log_r.detach())
    expected = distributions.NegativeBinomial(r, logits=output - r.log()).log_prob(COUNTS)
    assert torch.allclose(negative.log_prob(torch.log1p(COUNTS), output), expected, atol=1e-3)
    shares = torch.tensor([0.1, 0.2, 0.7])
    total = COUNTS.sum(1, keepdim=True)
    expected = distributions.Poisson(total * shares * output.exp()).log_prob(COUNTS)
    given = Poisson(3, rates=shares, total=20.0)
    assert torch.allclose(given.log_prob(torch.log1p(COUNTS), output), expected, atol=1e-3)
    assert torch.allclose(given.mean(output).expm1(), 20 * shares * output.exp(), rtol=1e-4)


@pytest.mark.parametrize("likelihood", [Poisson(1), filled(NegativeBinomial(1))])
def test_draws_of_counts_have_the_mean(likelihood):
    output = torch.full((50_000, 1), 1.5)
    drawn = likelihood.sample(output, GENERATOR).detach().expm1()
    assert torch.equal(drawn.round(), drawn.round().clamp_min(0))
    assert float(drawn.mean()) == pytest.approx(math.exp(1.5), rel=0.05)


def test_student_t_is_the_t_distribution_and_its_draws_have_its_quantiles():
    likelihood = filled(StudentT(3))
    expected = distributions.StudentT(
        likelihood.degrees.float(), OUTPUT, likelihood.variance.sqrt()
    ).log_prob(NUMBERS)
    assert torch.allclose(likelihood.log_prob(NUMBERS, OUTPUT), expected, atol=1e-5)
    drawn = likelihood.sample(torch.zeros(20_000, 3), GENERATOR).detach().numpy()
    nu, scale = likelihood.degrees.detach().numpy(), likelihood.variance.sqrt().detach().numpy()
    assert np.quantile(drawn, 0.9, axis=0) == pytest.approx(
        stats.t.ppf(0.9, nu, scale=scale), rel=0.1
    )


def test_point_masses_are_intervals_of_a_normal_and_sum_to_one():
    scores, likelihood = atoms()
    values, lower, upper = scores.intervals()
    output = torch.linspace(-3, 3, 7)[:, None]
    deviation = float(likelihood.variance.detach().sqrt())
    mass = [
        likelihood.log_prob(torch.full((7, 1), float(v)), output).exp()[:, 0].detach()
        for v in values
    ]
    for found, a, b in zip(mass, lower, upper, strict=True):
        mean = output[:, 0].numpy()
        expected = stats.norm.cdf((b - mean) / deviation) - stats.norm.cdf((a - mean) / deviation)
        assert found.numpy() == pytest.approx(expected, abs=1e-5)
    assert torch.allclose(sum(mass), torch.ones(7), atol=1e-5)
    between = torch.full((7, 1), 0.123)
    expected = distributions.Normal(output, deviation).log_prob(between)
    assert torch.allclose(likelihood.log_prob(between, output), expected, atol=1e-5)


def test_joint_puts_each_column_in_its_place():
    parts = [(filled(Gaussian(2)), [3, 0]), (Categorical([2]), [2]), (Bernoulli(1), [1])]
    mixed = Joint(parts)
    x = torch.tensor([[0.3, 1.0, 2.0, -0.7], [1.5, 0.0, 1.0, math.nan]])
    output = torch.randn(2, 5, generator=GENERATOR)
    log_prob, error = mixed.log_prob(x, output), mixed.error(x, output)
    blocks = output[:, :2], output[:, 2:4], output[:, 4:]
    for (part, columns), block in zip(parts, blocks, strict=True):
        assert torch.equal(log_prob[:, columns], part.log_prob(x[:, columns], block))
        # Twice the nats, of levels a tenth of that; squares of numbers of a fixed scale.
        nats = -(0.2 if isinstance(part, Categorical) else 2.0) * log_prob[:, columns]
        normal = isinstance(part, Gaussian)
        expected = part.error(x[:, columns], block) if normal else nats
        assert torch.allclose(error[:, columns], expected)
        assert torch.equal(mixed.mean(output)[:, columns], part.mean(block))
    mixed.set_constant(torch.tensor([True, False, False, False]))
    assert parts[0][0].constant.tolist() == [False, True]


def test_levels_count_less_only_beside_numbers_that_vary():
    numbers, levels = Gaussian(1, scale=1.0), Categorical([2])
    mixed = Joint([(numbers, [0]), (levels, [1])])
    x, output = torch.tensor([[0.5, 2.0]]), torch.tensor([[0.2, 0.3, -0.4]])
    alone = levels.error(x[:, 1:], output[:, 1:])
    for constant, weight in ((False, 0.1), (True, 1.0)):
        mixed.set_constant(torch.tensor([constant, False]))
        expected = torch.cat([numbers.error(x[:, :1], output[:, :1]), weight * alone], dim=1)
        assert torch.allclose(mixed.error(x, output), expected)


EVEN = {
    "gaussian": Gaussian(3),
    "student_t": StudentT(3),
    "atoms": PointMasses([[np.zeros(1), -np.ones(1), np.ones(1)]] * 3),
    "bernoulli": Bernoulli(3),
    "categorical": Categorical([3]),
    "ordinal": Ordinal([4]),
    "poisson": Poisson(3),
    "negative_binomial": NegativeBinomial(3),
}


@pytest.mark.parametrize("name", EVEN)
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "joint"])
def test_it_is_said_whether_draws_take_as_many_random_numbers_whatever_the_output(name, alone):
    likelihood = EVEN[name]
    if not alone:
        n = likelihood.n_features
        likelihood = Joint([(likelihood, range(n)), (Gaussian(1), [n])])
    states = []
    for scale in (0.0, 1.0, 9.0):
        generator = seeded()
        output = scale * torch.ones(64, likelihood.n_outputs, dtype=torch.float64)
        likelihood.sample(output, generator)
        states.append(generator.get_state())
    even = all(torch.equal(state, states[0]) for state in states)
    assert even == likelihood.draws_alike
