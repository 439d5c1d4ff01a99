"""The order of an epoch of a table that is read in stretches."""

import numpy as np
import pytest
import torch

from sklearn_replearn._dataset import epochs
from sklearn_replearn._dataset.batches import n_batches
from sklearn_replearn._dataset.epochs import is_large, stretches


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(epochs, "_MOST_DRAWS", 100)
    monkeypatch.setattr(epochs, "_ROWS_TOGETHER", 64)
    monkeypatch.setattr(epochs, "_ROWS_OF_BLOCK", 8)
    monkeypatch.setattr(epochs, "_BLOCKS_TOGETHER", 8)


def orders(n, batch_size, width=3, generator=None):
    found = stretches(n, n_batches(n, batch_size), width, generator)
    return [(draws, order, number) for draws, order, number in found]


@pytest.mark.parametrize("n", [101, 128, 1000, 1003])
@pytest.mark.parametrize("batch_size", [1, 10, 64, 500, 5000])
def test_each_draw_is_taken_once(n, batch_size, small):
    found = orders(n, batch_size, generator=torch.Generator().manual_seed(0))
    taken = np.concatenate([draws[order.numpy()] for draws, order, _ in found])
    np.testing.assert_array_equal(np.sort(taken), np.arange(n))
    sizes = [len(part) for draws, _, number in found for part in np.array_split(draws, number)]
    assert len(sizes) == n_batches(n, batch_size)
    assert max(sizes) - min(sizes) <= 1
    assert all((np.diff(draws) > 0).all() for draws, _, _ in found)


def test_stretches_are_bounded_and_random(small):
    found = orders(10_000, 16, generator=torch.Generator().manual_seed(1))
    assert max(len(draws) for draws, _, _ in found) <= 64
    middles = np.array([draws.mean() for draws, _, _ in found])
    # Blocks from all over the table, not one end after the other.
    assert abs(np.corrcoef(middles, np.arange(len(middles)))[0, 1]) < 0.2
    assert np.mean([np.ptp(draws) for draws, _, _ in found]) > 5000
    narrow = orders(10_000, 16, 2**20, torch.Generator().manual_seed(1))
    assert max(len(draws) for draws, _, _ in narrow) <= 16


def test_without_a_generator_draws_follow_each_other(small):
    found = orders(1000, 10)
    taken = np.concatenate([draws[order.numpy()] for draws, order, _ in found])
    np.testing.assert_array_equal(taken, np.arange(1000))


def test_small_tables_are_shuffled_at_once():
    assert not is_large(2**20, 64)
    assert is_large(2**20 + 1, 1)
    assert is_large(2**20, 65)
    ((draws, order, number),) = orders(50, 10, generator=torch.Generator().manual_seed(0))
    assert len(draws) == len(order) == 50
    assert number == 5


@pytest.mark.parametrize("width", [1, 100, 12_288, 10**6])
def test_a_large_table_has_many_blocks(width):
    n_rows = max(2, 2**26 // width + 1)
    blocks = n_rows / epochs.rows_of_block(width)
    assert blocks >= min(n_rows, 250)
