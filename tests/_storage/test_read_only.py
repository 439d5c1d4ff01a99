"""A model on arrays that may not be written to, as processes share them, does the same."""

import pickle

import numpy as np
import pytest
import torch
from fitted_kinds import KINDS, fitted, holes, mixed, numbers

from sklearn_replearn import OutlierDetector

TRANSFORMERS = ("transform", "score_samples")
DETECTORS = ("score_samples", "p_values", "explain", "top_reasons")


@pytest.fixture(autouse=True)
def every_warning():
    """Torch says only once in a process that an array cannot be written to, by default."""
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


def shared(model):
    """A copy on arrays that cannot be written to, as ray's and joblib's memory maps give it."""
    parts = []
    pickled = pickle.dumps(model, protocol=5, buffer_callback=parts.append)
    assert parts
    return pickle.loads(pickled, buffers=[bytes(part.raw()) for part in parts])


def same(model, methods, X):
    copy = shared(model)
    for method in methods:
        got, wanted = (np.asarray(getattr(each, method)(X)) for each in (copy, model))
        assert got.tolist() == wanted.tolist(), method


@pytest.mark.parametrize("name", KINDS)
def test_transformers(name):
    model, X = fitted(name)
    same(model, TRANSFORMERS, X)


@pytest.mark.parametrize("rows", [numbers, mixed, lambda: holes(numbers())])
def test_detectors(rows):
    X = rows()
    same(OutlierDetector().fit(X), DETECTORS, X[:5])
