"""Our Adam is torch's, without what torch loads for its compiler."""

import runpy
import subprocess
import sys

import numpy as np
import pytest
import torch
from repeatability import seeded
from torch.optim.lr_scheduler import StepLR

from sklearn_replearn import AutoencoderTransformer, VAETransformer
from sklearn_replearn._training import handwritten, optimizers
from sklearn_replearn._training.optimizers import OPTIMIZERS, Adam, AdamW

PAIRS = [(Adam, torch.optim.Adam), (AdamW, torch.optim.AdamW)]


def steps(optimizer_of, n_steps, **params):
    """Weights after some steps on a loss that one of them has no part in; and the optimizer."""
    generator = seeded()
    weights = [
        torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((3, 4), (7,), ())
    ]
    weights.append(torch.nn.Parameter(torch.ones(2)))
    optimizer = optimizer_of(weights, **params)
    for _ in range(n_steps):
        optimizer.zero_grad()
        target = torch.randn(7, generator=generator)
        loss = (weights[0].sum() * weights[1] - target).square().sum() + weights[2].square()
        loss.backward()
        optimizer.step()
    return weights, optimizer


@pytest.mark.parametrize("params", [{}, {"weight_decay": 0.1}, {"betas": (0.5, 0.9), "eps": 1e-3}])
@pytest.mark.parametrize(("ours", "torchs"), PAIRS)
def test_steps_are_those_of_torch(ours, torchs, params):
    params = {"lr": 0.01, "weight_decay": 0.0, **params}
    for a, b in zip(
        steps(ours, 5, **params)[0], steps(torchs, 5, fused=True, **params)[0], strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("cls", [Adam, AdamW])
def test_states_can_be_stored_and_taken_over(cls):
    weights, optimizer = steps(cls, 3, lr=0.5)
    copies = [torch.nn.Parameter(weight.detach().clone()) for weight in weights]
    other = cls(copies, lr=0.1)
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["lr"] == 0.5
    for weight, twin in zip(weights, copies, strict=True):
        assert set(other.state[twin]) == set(optimizer.state[weight])
        for name, value in optimizer.state[weight].items():
            assert torch.equal(other.state[twin][name], value)
    assert other.state[copies[0]]["step"] == 3
    assert not other.state[copies[3]]  # it had no part in the loss


def test_a_state_goes_to_the_device_of_the_weights():
    weights, optimizer = steps(Adam, 1)
    elsewhere = [torch.nn.Parameter(torch.empty_like(w, device="meta")) for w in weights]
    other = Adam(elsewhere)
    other.load_state_dict(optimizer.state_dict())
    assert all(value.is_meta for state in other.state.values() for value in state.values())


@pytest.mark.parametrize(
    "params", [{"betas": (1.5, 0.9)}, {"eps": -1.0}, {"weight_decay": -1.0}, {"lr": -1.0}], ids=str
)
def test_settings_that_cannot_work_are_refused(params):
    (name,) = params
    with pytest.raises(ValueError, match=f"Adam: {name} must be .*; got "):
        steps(Adam, 1, **params)


def test_a_schedule_of_torch_takes_it():
    _, optimizer = steps(Adam, 1, lr=1.0)
    schedule = StepLR(optimizer, 1, gamma=0.1)
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


def test_the_closure_is_called_with_gradients():
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = Adam([weight], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure) == 1.0
    assert weight.item() == pytest.approx(0.5)


def test_settings_that_only_torch_knows_get_torchs():
    assert OPTIMIZERS["adamw"] is AdamW
    assert OPTIMIZERS["adam"] is Adam
    assert OPTIMIZERS["sgd"].func is torch.optim.SGD


def test_import_and_first_fits_load_no_compiler_no_algebra_and_no_plots():
    script = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import skorch\n"
        "skorchs = set(sys.modules)\n"
        "import sklearn_replearn, numpy as np\n"
        "X = np.random.default_rng(0).normal(size=(50, 4))\n"
        "for name in sklearn_replearn.__all__:\n"
        "    if not name.endswith('Transformer'): continue\n"
        "    getattr(sklearn_replearn, name)(2, max_epochs=2).fit(X).score(X)\n"
        "    getattr(sklearn_replearn, name)(2, max_epochs=2, warm_start=True).fit(X).fit(X)\n"
        "loaded = set(sys.modules) - skorchs\n"
        "heavy = ('torch._dynamo', 'sympy', 'matplotlib', 'polars', 'pyod', 'pythae', 'cebra')\n"
        "print([name for name in heavy if name in loaded])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_a_state_is_taken_over_whole_and_as_the_weights_lie_in_memory():
    def step(weight, optimizer):
        optimizer.zero_grad()
        (weight * torch.arange(6.0).view(2, 3)).square().sum().backward()
        optimizer.step()

    start = torch.randn(3, 2, generator=seeded()).t()  # one column after the other
    goes_on, resumed = (torch.nn.Parameter(start.clone()) for _ in range(2))
    first, second = Adam([goes_on], lr=0.1), Adam([resumed], lr=0.1)
    step(goes_on, first)
    kept = {
        0: {
            k: v.clone(memory_format=torch.contiguous_format)
            for k, v in first.state_dict()["state"][0].items()
        }
    }
    second.load_state_dict({"state": kept, "param_groups": first.state_dict()["param_groups"]})
    resumed.data.copy_(goes_on.detach())
    step(goes_on, first)
    step(resumed, second)
    assert torch.equal(goes_on, resumed)
    second.load_state_dict(Adam([resumed], lr=0.1).state_dict())
    assert second.state_dict()["state"] == {}


# -------------------------------------------------- a torch without private operations


def called_otherwise(*weights, **settings):
    raise TypeError("unexpected keyword argument")


def does_nothing(*weights, **settings):
    pass


@pytest.mark.parametrize("change", [None, called_otherwise, does_nothing])
@pytest.mark.parametrize("name", ["_fused_adam_", "_fused_adamw_"])
def test_where_a_private_operation_is_missing_or_another_torchs_own_is_taken(
    name, change, monkeypatch
):
    monkeypatch.delattr(torch, name)
    if change is not None:
        monkeypatch.setattr(torch, name, change, raising=False)
    found = runpy.run_path(optimizers.__file__)["OPTIMIZERS"]
    assert (found["adam"] is torch.optim.Adam) == (name == "_fused_adam_")
    assert (found["adamw"] is torch.optim.AdamW) == (name == "_fused_adamw_")


def test_both_are_torchs_own_where_steps_cannot_be_counted_at_once(monkeypatch):
    monkeypatch.delattr(torch, "_foreach_add_")
    found = runpy.run_path(optimizers.__file__)["OPTIMIZERS"]
    assert (found["adam"], found["adamw"]) == (torch.optim.Adam, torch.optim.AdamW)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
@pytest.mark.parametrize("cls", [AutoencoderTransformer, VAETransformer])
def test_models_are_nearly_the_same_by_torchs_own_optimizer(cls, optimizer, wine, monkeypatch):
    X = wine[0]
    estimator = cls(
        4, optimizer=optimizer, weight_decay=0.01, max_epochs=4, warm_start=True, activation="elu"
    )
    expected = estimator.fit(X).fit(X).transform(X)
    own = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    monkeypatch.setitem(OPTIMIZERS, optimizer, own[optimizer])
    found = cls(**estimator.get_params()).fit(X).fit(X).transform(X)
    assert not np.array_equal(found, expected)  # by another way
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("activation", ["relu", "tanh", "silu", "gelu", "elu"])
def test_models_are_nearly_the_same_without_operations_of_aten(activation, wine, monkeypatch):
    estimator = AutoencoderTransformer(4, activation=activation, max_epochs=4)
    expected = estimator.fit(wine[0]).transform(wine[0])
    assert handwritten._works(*handwritten._ACTIVATIONS[type(estimator.network_.encoder[1])])
    handwritten._works.cache_clear()
    monkeypatch.setattr(handwritten, "_aten", object())
    found = estimator.fit(wine[0]).transform(wine[0])
    handwritten._works.cache_clear()
    assert not np.array_equal(found, expected)  # by another way
    np.testing.assert_allclose(found, expected, atol=1e-3)
