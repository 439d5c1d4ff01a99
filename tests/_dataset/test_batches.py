"""Batches of near-equal size, and inference in chunks."""

import numpy as np
import pytest
import torch
from repeatability import seeded

from sklearn_replearn._dataset import batches as _batches
from sklearn_replearn._dataset.batches import Batches, TrainingRows, n_batches
from sklearn_replearn._dataset.multiset import Multiset
from sklearn_replearn._estimators.code_statistics import moments
from sklearn_replearn._scaling.scaler import Scaler


def rows_of(n, weights=None):
    table = np.arange(n, dtype=np.float32)[:, None]
    multiset = Multiset(table, np.arange(n), np.ones(n) if weights is None else weights)
    return TrainingRows(multiset, Scaler(None, multiset, None, seed=0))


def batches(n, batch_size, shuffle=True, seed=0):
    generator = seeded(seed)
    return [rows[:, 0].tolist() for rows, _ in Batches(rows_of(n), batch_size, generator, shuffle)]


@pytest.mark.parametrize(("n", "batch_size"), [(1, 4), (3, 2), (5, 4), (257, 256), (1000, 300)])
def test_an_epoch_has_every_row_once_in_near_equal_batches(n, batch_size):
    parts = batches(n, batch_size)
    sizes = [len(part) for part in parts]
    assert sorted(row for part in parts for row in part) == list(range(n))
    assert max(sizes) - min(sizes) <= 1
    assert n == 1 or min(sizes) >= 2


def test_batches_are_no_larger_than_asked_for():
    assert n_batches(1000, 300) == 4
    assert max(len(part) for part in batches(1000, 300)) <= 300


def test_the_order_comes_from_the_generator():
    assert batches(100, 10) == batches(100, 10)
    assert batches(100, 10) != batches(100, 10, seed=1)


def test_validation_starts_the_generator_anew_in_every_pass():
    generator = seeded(3)
    iterator = Batches(rows_of(10), 4, generator, shuffle=False)
    states = []
    for _ in range(2):
        for _ in iterator:
            torch.rand(3, generator=generator)
        states.append(generator.get_state())
    assert torch.equal(*states)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("weights", [None, np.arange(1.0, 101.0)], ids=["equal", "weighted"])
def test_rows_taken_from_the_table_are_those_kept(weights, shuffle, monkeypatch):
    X = np.random.default_rng(0).normal(size=(100, 3)) * [1e-6, 1.0, 1e6]
    numbers = np.random.default_rng(1).permutation(100)
    multiset = Multiset(X, numbers, np.ones(100) if weights is None else weights)
    columns = Scaler("standard", multiset, None, seed=0)
    epochs = []
    for most_kept in (0, 10**6):
        monkeypatch.setattr(_batches, "_MOST_KEPT", most_kept)
        rows = TrainingRows(multiset, columns)
        generator = seeded()
        batches = [batch for batch, _ in Batches(rows, 16, generator, shuffle)]
        epochs.append(torch.cat([*batches, rows.rows(slice(5, 9)), rows[3][None]]))
    assert torch.equal(*epochs)
    assert torch.equal(epochs[0][-1], torch.from_numpy(columns.scale(X[numbers[[3]]])[0]).float())


def test_moments_of_codes_are_weighted():
    weights = np.random.default_rng(0).uniform(1, 3, size=3000)
    mean, variance = moments(lambda rows: rows, rows_of(3000, weights))
    expected = np.average(np.arange(3000), weights=weights)
    assert mean.item() == pytest.approx(expected)
    spread = np.average((np.arange(3000) - expected) ** 2, weights=weights)
    assert variance.item() == pytest.approx(spread)
