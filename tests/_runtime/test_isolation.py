"""What a caller switched on stays outside, and what we switch stays inside."""

import numpy as np
import pytest
import torch
from repeatability import global_state
from torch import nn

from sklearn_replearn._runtime.isolation import (
    WEIGHTS_WORTH_THREADS,
    few_threads,
    is_foreign,
    isolated,
    plain_torch,
    resolve_device,
)
from sklearn_replearn.augmentations import Compose, GaussianNoise, SwapNoise
from sklearn_replearn.modules import mlp

CPU = torch.device("cpu")


def ambience():
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.empty(0).device,  # before torch 2.5 get_default_device() does not know contexts
    )


@pytest.mark.parametrize(
    "switched_on",
    [
        torch.no_grad,
        torch.inference_mode,
        lambda: torch.autocast("cpu", dtype=torch.bfloat16),
        lambda: torch.device("meta"),
    ],
    ids=["no_grad", "inference_mode", "autocast", "device"],
)
@pytest.mark.parametrize("gradients", [True, False])
def test_inside_all_is_plain_and_outside_as_before(switched_on, gradients):
    with switched_on():
        before = ambience()
        with plain_torch(CPU, gradients=gradients):
            assert ambience() == (gradients, not gradients, False, CPU)
            weight = torch.ones(3, 3, requires_grad=gradients)
            product = weight @ torch.ones(3)
            assert product.dtype == torch.float32
            assert product.requires_grad == gradients
        assert ambience() == before


def test_it_is_as_before_after_an_exception_too():
    before = ambience()
    with pytest.raises(ZeroDivisionError), plain_torch(CPU, gradients=False):
        raise ZeroDivisionError
    assert ambience() == before


def test_devices_are_found_or_refused_with_what_to_use():
    assert resolve_device("cpu") == CPU
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(ValueError, match=r"'gpu' is not available here: .*Use device=.auto"):
        resolve_device("gpu")
    with pytest.raises(ValueError, match='"meta" holds no numbers'):
        resolve_device("meta")


def test_few_weights_compute_on_one_thread_and_many_on_all():
    torch.set_num_threads(2)
    try:
        for n_weights, expected in ((10, 1), (WEIGHTS_WORTH_THREADS + 1, 2)):
            with few_threads(n_weights, CPU):
                assert torch.get_num_threads() == expected
            assert torch.get_num_threads() == 2
        with pytest.raises(ZeroDivisionError), few_threads(10, CPU):
            raise ZeroDivisionError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


class Own(nn.Linear):
    pass


@pytest.mark.parametrize(
    ("part", "foreign"),
    [
        (None, False),
        ("relu", False),
        (SwapNoise(), False),
        (torch.optim.SGD, False),
        (Compose([SwapNoise(), GaussianNoise()]), False),
        (Compose([SwapNoise(), Compose([np.negative])]), True),
        (nn.Linear(1, 1), True),  # torch draws initial weights from its global generator
        (mlp, False),
        (Own, True),
        (Own(1, 1), True),
        (lambda rows: rows, True),
    ],
    ids=range(11),
)
def test_parts_that_may_draw_from_global_generators_are_known(part, foreign):
    assert is_foreign(part) == foreign


def test_only_foreign_parts_start_the_global_generators_from_the_seed():
    before = global_state()
    draws = []
    for part in (Own, Own, SwapNoise()):
        torch.manual_seed(1)
        with isolated([part], seed=7, device=CPU, gradients=False):
            draws.append(torch.rand(()).item())
    torch.manual_seed(1)
    own, again, trusted = draws
    assert own == again
    assert trusted == torch.rand(()).item() != own
    assert global_state()[:2] == before[:2]
