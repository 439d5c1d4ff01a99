"""Networks: initial weights, codes and their scale, modules of users."""

import copy
import re

import pytest
import torch
from repeatability import global_state, seeded
from torch import nn

from sklearn_replearn.likelihoods import Bernoulli, Gaussian
from sklearn_replearn.modules import (
    Autoencoder,
    TopK,
    VariationalAutoencoder,
    linear,
    mlp,
)
from sklearn_replearn.modules.foreign import own_copy
from sklearn_replearn.modules.layers import ACTIVATIONS


def same_weights(a, b):
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(*pair) for pair in pairs)


ROWS = torch.randn(5, 3, generator=seeded())


@pytest.mark.parametrize(
    "build",
    [
        lambda generator: linear(3, 2, generator),
        lambda generator: mlp((3, 8, 2), "relu", generator),
        lambda generator: mlp((3, 8, 2), "silu", generator, batch_norm=True),
    ],
    ids=["linear", "mlp", "batch_norm"],
)
def test_initial_weights_depend_on_the_generator_alone(build):
    with torch.random.fork_rng():
        before = global_state()
        first = build(seeded())
        assert global_state() == before
        torch.rand(1)
        assert same_weights(build(seeded()), first)
    assert not same_weights(build(seeded(1)), first)
    assert {tensor.dtype for tensor in first.parameters()} == {torch.float32}


def test_initial_weights_are_those_of_torch():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        expected = nn.Linear(7, 5)
    layer = linear(7, 5, seeded())
    assert torch.allclose(layer.weight, expected.weight)
    assert torch.allclose(layer.bias, expected.bias)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_an_activation_stands_between_layers_and_none_after_the_last(activation, batch_norm):
    between = [nn.BatchNorm1d] * batch_norm + [ACTIVATIONS[activation]]
    layers = mlp((3, 8, 4, 2), activation, seeded(), batch_norm)
    expected = [nn.Linear, *between, nn.Linear, *between, nn.Linear]
    assert [type(layer) for layer in layers] == expected
    assert [layer.out_features for layer in layers if type(layer) is nn.Linear] == [8, 4, 2]


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_keeps_the_k_values_of_largest_magnitude(k):
    codes = torch.tensor([[1.0, -5.0, 3.0, -2.0, 4.0], [0.1, 0.2, -0.3, 0.4, 0.5]])
    expected = codes.clone()
    for row in expected:
        for j in sorted(range(5), key=lambda j: abs(row[j]))[: 5 - k]:
            row[j] = 0
    assert torch.equal(TopK(k)(codes), expected)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_top_k_keeps_exactly_k_of_equal_values_and_they_alone_get_a_gradient(k):
    codes = torch.tensor([[2.0, -2.0, 2.0, -2.0]] * 3, requires_grad=True)
    kept = TopK(k)(codes)
    kept.sum().backward()
    assert (kept != 0).sum(1).tolist() == [k] * 3
    assert torch.equal(codes.grad, (kept != 0).float())


@pytest.mark.parametrize("likelihood", [Gaussian(3, scale=1.0), Bernoulli(3)])
@pytest.mark.parametrize("activation", [None, TopK(1)])
def test_the_scale_of_codes_is_undone_by_decoding(likelihood, activation):
    network = Autoencoder(
        mlp((3, 2), "relu", seeded()), mlp((2, 3), "relu", seeded()), likelihood, 2, activation
    )
    code = network.encoder(ROWS) if activation is None else activation(network.encoder(ROWS))
    plain = likelihood.mean(network.decoder(code))
    assert torch.equal(network.decode(network.encode(ROWS)), plain)
    network.report(code.mean(0), (1 / code.std(0)).diag())
    codes = network.encode(ROWS)
    assert torch.allclose(codes.mean(0), torch.zeros(2), atol=1e-6)
    assert torch.allclose(codes.std(0), torch.ones(2))
    assert torch.allclose(network.decode(codes), plain, atol=1e-6)


def test_the_posterior_is_the_two_halves_of_the_encoder_with_a_bounded_variance():
    outputs = torch.tensor([[1.0, -2.0, 0.5, -99.0], [30.0, 4.0, 99.0, -1.0]])
    network = VariationalAutoencoder(nn.Identity(), nn.Identity(), Gaussian(2), 2)
    mean, log_variance = network.posterior(outputs)
    assert mean.tolist() == [[1.0, -2.0], [30.0, 4.0]]
    assert log_variance.tolist() == [[0.5, -14.0], [14.0, -1.0]]
    assert torch.equal(network.encode(outputs), mean)


def test_a_module_is_copied_and_never_changed():
    given = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()
    before = copy.deepcopy(given)
    own = own_copy(given, 3, 2)
    assert {p.dtype for p in own.parameters()} == {torch.float32}
    own(ROWS).sum().backward()
    with torch.no_grad():
        for parameter in own.parameters():
            parameter -= parameter.grad + 1
    assert same_weights(given, before)
    assert all(parameter.grad is None for parameter in given.parameters())
    assert {p.dtype for p in given.parameters()} == {torch.float64}


def test_a_module_keeps_its_weights_and_running_statistics():
    given = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    assert same_weights(own_copy(given, 3, 2), given)


def test_a_callable_is_called_with_the_widths():
    calls = []

    def build(*widths):
        calls.append(widths)
        return nn.Linear(*widths, dtype=torch.float64)

    own = own_copy(build, 3, 2)
    assert calls == [(3, 2)]
    assert own.weight.shape == (2, 3)
    assert own.weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("module", "given"),
    [
        (nn.Linear(3, 5), "(2, 5)"),
        (nn.Sequential(nn.Linear(3, 2), nn.Unflatten(1, (1, 2))), "(2, 1, 2)"),
        (nn.Linear(4, 2), "zeros of shape (2, 3) it raised: mat1 and mat2"),
        (nn.GRU(3, 2), "zeros of shape (2, 3) it raised: 'tuple'"),
    ],
    ids=["output", "dimensions", "input", "no_tensor"],
)
def test_wrong_widths_raise_with_the_shapes_wanted_and_given(module, given):
    wanted = "rows of shape (n, 3) into rows of shape (n, 2)"
    with pytest.raises(ValueError, match=f"{re.escape(wanted)}.*{re.escape(given)}"):
        own_copy(module, 3, 2)


@pytest.mark.parametrize("built", [None, "a module", nn.Linear])
def test_a_callable_that_returns_no_module_raises(built):
    with pytest.raises(TypeError, match=rf"\(3, 2\); it returned {type(built).__name__}"):
        own_copy(lambda n_in, n_out: built, 3, 2)


def test_a_lazy_module_learns_its_sizes():
    own = own_copy(lambda n_in, n_out: nn.LazyLinear(n_out), 3, 2)
    assert own.weight.shape == (2, 3)


def test_a_module_that_works_in_float32_only_is_refused():
    class Casting(nn.Linear):
        def forward(self, rows):
            return super().forward(rows.float())

    with pytest.raises(ValueError, match=r"on torch.float64 zeros of shape \(2, 3\) it raised"):
        own_copy(Casting, 3, 2)
