"""Likelihoods against torch.distributions, and their draws."""

import pytest
import torch
from torch import distributions

from sklearn_replearn.likelihoods import Bernoulli, Gaussian

GENERATOR = torch.Generator().manual_seed(0)
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
        likelihood.log_scale.copy_(torch.tensor([-1e6, -1.0]))
    assert torch.allclose(likelihood.variance, torch.tensor(1e-4))
    assert likelihood.log_prob(torch.ones(1, 2), torch.zeros(1, 2)).isfinite().all()


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
    draws = likelihood.sample(OUTPUT, torch.Generator().manual_seed(0))
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
        draws = likelihood.sample(output, torch.Generator().manual_seed(0))
    error = deviation / n**0.5
    assert ((draws.mean(0) - likelihood.mean(output[0])).abs() < 4 * error).all()
    assert torch.allclose(draws.std(0), deviation, rtol=0.02)


@both
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_repeat_with_their_generator_and_leave_the_global_one_alone(likelihood, dtype):
    before = torch.get_rng_state()
    output = OUTPUT.to(dtype)
    first, second = (likelihood.sample(output, torch.Generator().manual_seed(3)) for _ in range(2))
    other = likelihood.sample(output, torch.Generator().manual_seed(4))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert first.dtype == dtype
    assert torch.equal(torch.get_rng_state(), before)
