"""Decimals, steps and calendar units of columns."""

import pickle

import numpy as np
import pytest

from sklearn_replearn._scaling.grain import grain_of

rng = np.random.RandomState(0)
N = 200
DAY = 86_400 * 10**9
STEPS = {
    "prices": (np.round(rng.lognormal(3, 1, N), 2), 0.01),
    "prices of float32": (np.round(rng.lognormal(3, 1, N), 2).astype(np.float32), 0.01),
    "halves": (np.round(2 * rng.normal(size=N)) / 2, 0.5),
    "eighths": (rng.randint(0, 30, N) / 8, 0.125),
    "halves to 400,000": (rng.randint(0, 800_000, N) / 2, 0.5),
    "whole to 3,000,000": (rng.randint(0, 3_000_000, N), 1),
    "whole": (rng.randint(0, 100, N), 1),
    "two beside fives": (2 + 5 * rng.randint(0, 20, N), 5),
    "days in nanoseconds": (DAY * rng.randint(10_000, 20_000, N), DAY),
    "minutes in nanoseconds": (60 * 10**9 * rng.randint(10**7, 2 * 10**7, N), 60 * 10**9),
    "0 and 1": (rng.randint(0, 2, N), 1),
    "seven decimals": (np.round(rng.normal(size=N), 7), 1e-7),
    "three rows": (np.array([0.25, 0.5, 1.5]), 0.25),
}
CONTINUOUS = {
    "normal": rng.normal(size=N),
    "normal of float32": rng.normal(size=N).astype(np.float32),
    "thirds": rng.randint(0, 20, N) / 3,
    "zero-inflated": np.where(rng.rand(N) < 0.9, 0, rng.lognormal(size=N)),
    "zero-inflated of float32": np.where(rng.rand(N) < 0.9, 0, rng.rand(N)).astype(np.float32),
    "nanoseconds of this century": 1.7e18 + rng.randint(0, 10**15, N),
    "huge": 1e300 * rng.rand(N),
    "tiny": 1e-300 * rng.rand(N),
    "one value": np.full(N, 0.3),
    "three rows of float32": rng.normal(size=3).astype(np.float32),
}


def _grain(cells):
    cells = np.asarray(cells, dtype=np.float64)
    return grain_of(np.append(cells, np.nan)[:, None], np.array([True]))


@pytest.mark.parametrize("name", STEPS)
def test_step_of_a_column(name):
    cells, step = STEPS[name]
    grain = _grain(cells)
    assert grain.step[0] == step
    # What was decoded a little beside comes back to the very cells.
    moved = cells.astype(np.float64) + 0.3 * step * rng.uniform(-1, 1, len(cells))
    snapped = grain.snapped(moved[:, None])[:, 0].astype(cells.dtype)
    np.testing.assert_array_equal(snapped, cells)
    stored = pickle.loads(pickle.dumps(grain))
    for name in ("step", "origin", "decimals"):
        np.testing.assert_array_equal(getattr(stored, name), getattr(grain, name))


@pytest.mark.parametrize("name", CONTINUOUS)
def test_columns_without_a_step(name):
    grain = _grain(CONTINUOUS[name])
    assert grain.step[0] == 0
    X = rng.normal(size=(5, 1))
    np.testing.assert_array_equal(grain.snapped(X), X)


def test_categories_and_missing_cells_have_none():
    sample = np.column_stack([np.arange(9.0), np.full(9, np.nan), np.arange(9.0)])
    grain = grain_of(sample, np.array([False, True, True]))
    np.testing.assert_array_equal(grain.step, [0, 0, 1])
    assert np.isnan(grain.snapped(sample)[:, 1]).all()
