"""Batches of near-equal size, and inference in chunks."""

import numpy as np
import pytest
import torch

from sklearn_replearn._batches import Batches, TrainingRows, expectation, in_chunks, n_batches


def rows_of(n, weights=None):
    weights = np.ones(n) if weights is None else weights
    return TrainingRows(np.arange(n, dtype=np.float32)[:, None], weights)


def batches(n, batch_size, shuffle=True, seed=0):
    generator = torch.Generator().manual_seed(seed)
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
    generator = torch.Generator().manual_seed(3)
    iterator = Batches(rows_of(10), 4, generator, shuffle=False)
    states = []
    for _ in range(2):
        for _ in iterator:
            torch.rand(3, generator=generator)
        states.append(generator.get_state())
    assert torch.equal(*states)


def test_chunks_cover_all_rows_and_round_to_float32():
    result = in_chunks(lambda part: np.full((part.stop - part.start, 2), 0.1), 2500, 2, np.float64)
    assert result.shape == (2500, 2)
    assert (result == np.float64(np.float32(0.1))).all()


def test_expectation_is_the_weighted_mean():
    weights = np.random.default_rng(0).uniform(1, 3, size=3000)
    mean = expectation(lambda rows: rows, rows_of(3000, weights))
    assert mean.item() == pytest.approx(np.average(np.arange(3000), weights=weights))
