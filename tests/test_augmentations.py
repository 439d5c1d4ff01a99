"""Augmentations against what their parameters promise."""

import random

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from sklearn.base import clone

from sklearn_replearn.augmentations import (
    Compose,
    GaussianNoise,
    Identity,
    MaskFeatures,
    SwapNoise,
    _replaced_at_once,
    _replaced_few,
)

N = 20_000
# Another seed than the augmentations', whose draws would be those of the rows.
ROWS = torch.randn(N, 3, generator=torch.Generator().manual_seed(99)) * torch.tensor([1, 5, 0.1])
# Kolmogorov-Smirnov distance of N draws that chance exceeds once in a thousand.
FARTHEST = 1.95 / N**0.5

every_augmentation = pytest.mark.parametrize(
    "augmentation",
    [
        Identity(),
        GaussianNoise(0.3),
        MaskFeatures(0.3, value=7.0),
        SwapNoise(0.3),
        Compose([SwapNoise(0.3), GaussianNoise(0.3)]),
    ],
    ids=lambda augmentation: type(augmentation).__name__,
)
both_of_cells = pytest.mark.parametrize("kind", [MaskFeatures, SwapNoise])


def augment(augmentation, rows=ROWS, seed=0):
    return augmentation(rows, torch.Generator().manual_seed(seed))


def global_states():
    name, numbers, *rest = np.random.get_state()
    return torch.get_rng_state().tolist(), (name, numbers.tolist(), *rest), random.getstate()


@both_of_cells
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_the_share_of_changed_cells_is_the_rate_in_every_column(kind, rate):
    # A swapped cell may draw its own row; on so many rows that is far below a standard error.
    share = (augment(kind(rate)) != ROWS).float().mean(0)
    standard_error = (rate * (1 - rate) / N) ** 0.5
    assert ((share - rate).abs() < 4 * standard_error).all()


@both_of_cells
def test_cells_change_independently_of_each_other(kind):
    changed = (augment(kind(0.3)) != ROWS).float()
    correlation = torch.corrcoef(changed.T) - torch.eye(3)
    assert (correlation.abs() < 4 / N**0.5).all()


@pytest.mark.parametrize("augmentation", [GaussianNoise(0), MaskFeatures(0), SwapNoise(0)])
def test_nothing_changes_at_rate_or_scale_0(augmentation):
    assert torch.equal(augment(augmentation), ROWS)


@both_of_cells
@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_rates_that_are_no_share_raise(kind, rate):
    with pytest.raises(ValueError, match=f"between 0 and 1; got {rate}"):
        augment(kind(rate))


@pytest.mark.parametrize("scale", [0.1, 2.0])
def test_noise_has_the_scale_in_every_column_and_no_mean(scale):
    noise = (augment(GaussianNoise(scale)) - ROWS).numpy()
    for column in noise.T:
        assert kstest(column / scale, "norm").statistic < FARTHEST


def test_masked_cells_have_the_value_and_the_others_keep_theirs():
    masked = augment(MaskFeatures(0.3, value=7.0))
    assert ((masked == 7.0) | (masked == ROWS)).all()
    assert (augment(MaskFeatures(1.0, value=7.0)) == 7.0).all()


@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_swapped_cells_are_values_of_their_own_column_and_keep_its_distribution(rate):
    # In order, so that donors from some part of the batch only would show.
    rows = ROWS.sort(0).values
    swapped = augment(SwapNoise(rate), rows)
    for before, after in zip(rows.numpy().T, swapped.numpy().T, strict=True):
        assert np.isin(after, before).all()
        assert kstest(after, before).statistic < FARTHEST


def test_swapping_every_cell_breaks_the_ties_between_columns_and_between_views():
    twins = ROWS[:, :1].repeat(1, 2)
    swapped = augment(SwapNoise(1.0), twins)
    correlation = torch.corrcoef(torch.cat([twins[:, :1], swapped], 1).T) - torch.eye(3)
    assert (correlation.abs() < 4 / N**0.5).all()


def test_a_swapped_cell_may_draw_its_own_row():
    rows = torch.arange(2.0)[:, None].repeat(1, N)
    share = (augment(SwapNoise(1.0), rows) != rows).float().mean()
    assert abs(share - 0.5) < 4 * 0.5 / (2 * N) ** 0.5


def test_a_row_alone_swaps_with_itself():
    assert torch.equal(augment(SwapNoise(1.0), ROWS[:1]), ROWS[:1])


@every_augmentation
@pytest.mark.parametrize("n_rows", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shape_and_precision_stay_and_the_rows_given_are_not_written_to(
    augmentation, n_rows, dtype
):
    rows = ROWS[:n_rows].to(dtype)
    before = rows.clone()
    augmented = augment(augmentation, rows)
    assert (augmented.shape, augmented.dtype) == (rows.shape, dtype)
    assert torch.equal(rows, before)


@every_augmentation
def test_views_repeat_with_their_generator_and_leave_the_global_ones_alone(augmentation):
    before = global_states()
    assert torch.equal(augment(augmentation), augment(augmentation))
    assert global_states() == before
    if not isinstance(augmentation, Identity):
        assert not torch.equal(augment(augmentation), augment(augmentation, seed=1))


@every_augmentation
def test_a_clone_makes_the_same_views(augmentation):
    assert torch.equal(augment(clone(augmentation)), augment(augmentation))


def test_compose_applies_its_steps_in_order_with_one_generator():
    steps = [GaussianNoise(0.3), lambda rows, generator: 2 * rows, MaskFeatures(0.3, value=1.0)]
    generator = torch.Generator().manual_seed(0)
    noisy = steps[0](ROWS, generator)
    assert torch.equal(augment(Compose(steps)), steps[2](2 * noisy, generator))
    assert torch.equal(augment(Compose([])), ROWS)


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_cells_are_replaced_alike_few_by_few_and_at_once(rate):
    generator = torch.Generator().manual_seed(0)
    bits = torch.randint(-(2**15), 2**15, (ROWS.numel(),), generator=generator, dtype=torch.int16)
    below = round(rate * 2**16) - 2**15
    both = [
        replace(ROWS, bits, below, lambda columns: 100.0 + columns.float())
        for replace in (_replaced_few, _replaced_at_once)
    ]
    assert torch.equal(*both)
    assert abs((both[0] >= 100).float().mean() - rate) < 0.02
