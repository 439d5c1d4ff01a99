"""Values are known again in another process, and no others for them."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn

from sklearn_replearn._storage.fingerprint import fingerprint
from sklearn_replearn.likelihoods import Gaussian
from sklearn_replearn.objectives import BYOL, NTXent
from sklearn_replearn.rows import Images, Table


class Encoder(nn.Module):
    width = 3

    def forward(self, x):
        return x


class Other(nn.Module):
    width = 3

    def forward(self, x):
        return x + 1


Other.__qualname__ = Encoder.__qualname__


class Holder:
    def __init__(self, held):
        self.held = held


class Itself:
    def __init__(self):
        self.me = [self]


def linear(width, bias=True):
    def made(n_in, n_out):
        return nn.Linear(width, n_out, bias)

    return made


def bound(value):
    return lambda x: x * value


SHARE = 0.1


def helper(x):
    return SHARE * x


def other_helper(x):
    return SHARE + x


def views(x):
    return [helper(part) for part in x]


class Views:
    def __call__(self, x):
        return helper(x)


def calls_itself(n):
    return n and calls_itself(n - 1)


VALUES = [
    None, False, 0, 0.0, "", b"", (), [], {}, set(), 1, True, 1.0, "1", b"1", np.float32(1), 1j,
    np.arange(3), np.arange(3.0), np.arange(3.0)[::-1], np.arange(6).reshape(2, 3), [0, 1, 2],
    np.array(["a", None], dtype=object), torch.arange(3), torch.float32, torch.device("cpu"),
    {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": (1, 2)}, {"a": [1, 2]}, {1, 2}, {1, "2"}, range(3),
    slice(1), np.tanh, np.exp, torch.tanh, nn.functional.relu, len, nn.GELU, nn.GELU(),
    nn.GELU("tanh"), partial(nn.Linear, bias=False), partial(nn.Linear, bias=True), Gaussian,
    Gaussian(3), BYOL(), BYOL(momentum=0.9), NTXent(), Table(), Images((1, 8, 8)), StandardScaler(),
    StandardScaler(with_mean=False), np.random.RandomState(0), np.random.RandomState(1), Encoder,
    Other, Encoder(), Other(), Holder(1), Holder(2), Holder(Holder(1)), Itself(), linear(3),
    linear(4), linear(3, bias=False), bound(1), bound(2), lambda x: x + 1, lambda x: x - 1,
    Holder(1).__init__, Path("a"), Path("b"), ("ab", "c"), ("a", "bc"),
]  # fmt: skip


def test_no_two_values_are_taken_for_each_other():
    found = [fingerprint(value) for value in VALUES]
    same = [value for value, text in zip(VALUES, found, strict=True) if found.count(text) > 1]
    assert same == []
    assert all(len(text) == 32 for text in found)


def test_values_are_known_again():
    weights = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert fingerprint(weights) == fingerprint(weights.t().contiguous().t())
    assert fingerprint({3, 1, "a"}) == fingerprint({"a", 1, 3})
    shared = (1, 2)
    assert fingerprint([shared, shared]) == fingerprint([(1, 2), tuple([1, 2])])
    assert fingerprint(linear(3)) == fingerprint(linear(3))


def test_what_cannot_be_known_again_is_refused():
    with pytest.raises(TypeError, match=r"<generator .* is not made of what can be stored"):
        fingerprint([1, (x for x in ())])


@pytest.mark.parametrize("value", [views, Views, Views(), partial(views, 1)])
def test_code_is_told_by_what_it_names_in_its_package(value, monkeypatch):
    before = fingerprint(value)
    with monkeypatch.context() as patched:
        patched.setitem(globals(), "SHARE", 0.2)
        assert fingerprint(value) != before
    with monkeypatch.context() as patched:
        patched.setitem(globals(), "helper", other_helper)
        assert fingerprint(value) != before
    assert fingerprint(value) == before != fingerprint(calls_itself)


SCRIPT = """
from sklearn_replearn._storage.fingerprint import fingerprint
from sklearn_replearn.objectives import BYOL
def chosen(x):
    return [y for y in x if y in {"a", "b", "c"}]
found = fingerprint(chosen, {"a", "b", "c"}, frozenset("xyz"), BYOL(), lambda x: chosen(x))
print(found)
"""


def test_another_process_finds_the_same(capsys):
    there = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    exec(SCRIPT, {"__name__": "__main__"})
    assert there.stdout == capsys.readouterr().out
