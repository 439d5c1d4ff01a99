"""One generator per fit; the global ones stay as they were."""

import random

import numpy as np
import pytest
import torch
from repeatability import global_state

from sklearn_replearn._runtime.randomness import (
    draw_integer,
    draw_seed,
    global_state_kept,
    new_generator,
)

CPU = torch.device("cpu")


def test_an_int_is_the_seed_and_an_instance_advances():
    assert draw_seed(7) == 7
    instance = np.random.RandomState(0)
    assert draw_seed(instance) != draw_seed(instance)


def test_none_is_new_each_time_and_draws_from_no_global_generator():
    before = global_state()
    assert draw_seed(None) != draw_seed(None)
    assert global_state() == before


def test_foreign_code_repeats_and_leaves_no_trace():
    before = global_state()
    draws = []
    for _ in range(2):
        with global_state_kept(5, CPU):
            draws.append((random.random(), np.random.rand(), torch.rand(()).item()))
    assert draws[0] == draws[1]
    assert global_state() == before


def test_foreign_code_leaves_no_trace_after_an_exception():
    before = global_state()
    with pytest.raises(ZeroDivisionError), global_state_kept(5, CPU):
        random.random(), np.random.rand(), torch.rand(())
        raise ZeroDivisionError
    assert global_state() == before


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        (0, [818069386, 1179589038, 272611717]),
        (5, [2143903636, 312641184, 1190458435]),
        (2**31, [598173241, 7440969, 915891862]),
    ],
)
def test_integers_that_follow_from_a_seed_are_the_same_with_every_torch(seed, expected):
    # All else that a fit draws follows from them. torch.randint gives others in torch 2.4.
    generator = new_generator(seed)
    assert [draw_integer(generator) for _ in range(3)] == expected
