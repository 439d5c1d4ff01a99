"""Augmentations against what their parameters promise."""

from functools import partial
from math import nan

import numpy as np
import pytest
import torch
from repeatability import global_state, seeded
from scipy.stats import beta, kstest
from sklearn.base import clone

from sklearn_replearn.augmentations import (
    Compose,
    CutMix,
    FeatureSubsets,
    GaussianNoise,
    Identity,
    MaskFeatures,
    MixUp,
    SwapNoise,
)
from sklearn_replearn.augmentations._binding import OnImages, OnTables, OnTokens
from sklearn_replearn.augmentations.tables import _replaced_at_once, _replaced_few

N = 20_000
# Another seed than the augmentations', whose draws would be those of the rows.
ROWS = torch.randn(N, 3, generator=seeded(99)) * torch.tensor([1, 5, 0.1])
# Kolmogorov-Smirnov distance of N draws that chance exceeds once in a thousand.
FARTHEST = 1.95 / N**0.5

every_augmentation = pytest.mark.parametrize(
    "augmentation",
    [
        Identity(),
        GaussianNoise(0.3),
        MaskFeatures(0.3, value=7.0),
        SwapNoise(0.3),
        CutMix(0.3),
        MixUp(),
        FeatureSubsets(),
        OnTables(MixUp(), [True, False, False]),
        Compose([SwapNoise(0.3), GaussianNoise(0.3)]),
    ],
    ids=lambda augmentation: type(augmentation).__name__,
)
of_cells = pytest.mark.parametrize("kind", [MaskFeatures, SwapNoise, CutMix])


def augment(augmentation, rows=ROWS, seed=0):
    return augmentation(rows, seeded(seed))


def augment_categories(augmentation, rows, categories, seed=0):
    return augmentation(rows, seeded(seed), categories=categories)


@of_cells
@pytest.mark.parametrize("p", [0.05, 0.3, 0.9])
def test_the_share_of_changed_cells_is_the_rate_in_every_column(kind, p):
    # A swapped cell may draw its own row; on so many rows that is far below a standard error.
    share = (augment(kind(p)) != ROWS).float().mean(0)
    standard_error = (p * (1 - p) / N) ** 0.5
    assert ((share - p).abs() < 4 * standard_error).all()


@of_cells
def test_cells_change_independently_of_each_other(kind):
    changed = (augment(kind(0.3)) != ROWS).float()
    correlation = torch.corrcoef(changed.T) - torch.eye(3)
    assert (correlation.abs() < 4 / N**0.5).all()


@pytest.mark.parametrize(
    "augmentation", [GaussianNoise(0), MaskFeatures(0), SwapNoise(0), CutMix(0)]
)
def test_nothing_changes_at_rate_or_scale_0(augmentation):
    assert torch.equal(augment(augmentation), ROWS)


@of_cells
@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_rates_that_are_no_share_raise(kind, p):
    with pytest.raises(ValueError, match=f"between 0 and 1; got {p}"):
        augment(kind(p))


@pytest.mark.parametrize("scale", [0.1, 2.0])
def test_noise_has_the_scale_in_every_column_and_no_mean(scale):
    noise = (augment(GaussianNoise(scale)) - ROWS).numpy()
    for column in noise.T:
        assert kstest(column / scale, "norm").statistic < FARTHEST


def test_masked_cells_have_the_value_and_the_others_keep_theirs():
    masked = augment(MaskFeatures(0.3, value=7.0))
    assert ((masked == 7.0) | (masked == ROWS)).all()
    assert (augment(MaskFeatures(1.0, value=7.0)) == 7.0).all()


@pytest.mark.parametrize("p", [0.3, 1.0])
def test_swapped_cells_are_values_of_their_own_column_and_keep_its_distribution(p):
    # In order, so that donors from some part of the batch only would show.
    rows = ROWS.sort(0).values
    swapped = augment(SwapNoise(p), rows)
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
    before = global_state()
    assert torch.equal(augment(augmentation), augment(augmentation))
    assert global_state() == before
    if not isinstance(augmentation, Identity):
        assert not torch.equal(augment(augmentation), augment(augmentation, seed=1))


@every_augmentation
def test_a_clone_makes_the_same_views(augmentation):
    assert torch.equal(augment(clone(augmentation)), augment(augmentation))


def test_compose_applies_its_steps_in_order_with_one_generator():
    steps = [GaussianNoise(0.3), lambda rows, generator: 2 * rows, MaskFeatures(0.3, value=1.0)]
    generator = seeded()
    noisy = steps[0](ROWS, generator)
    assert torch.equal(augment(Compose(steps)), steps[2](2 * noisy, generator))
    assert torch.equal(augment(Compose([])), ROWS)


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_cells_are_replaced_alike_few_by_few_and_at_once(p):
    generator = seeded()
    bits = torch.randint(-(2**15), 2**15, (ROWS.numel(),), generator=generator, dtype=torch.int16)
    below = round(p * 2**16) - 2**15
    both = [
        replace(ROWS, bits, below, lambda columns: 100.0 + columns.float())
        for replace in (_replaced_few, _replaced_at_once)
    ]
    assert torch.equal(*both)
    assert abs((both[0] >= 100).float().mean() - p) < 0.02


def test_swapped_rows_take_the_cells_of_one_other_row():
    # Every cell tells its row.
    rows = torch.arange(1000.0)[:, None].repeat(1, 40)
    swapped = augment(CutMix(0.5), rows)
    changed = swapped != rows
    donors = torch.where(changed, swapped, -1.0).max(1).values
    assert torch.equal(torch.where(changed, donors[:, None], rows), swapped)
    assert abs(np.corrcoef(donors, rows[:, 0])[0, 1]) < 4 / 1000**0.5
    # Each row is the donor of one.
    assert len(donors.unique()) == len(rows)


@pytest.mark.parametrize("n", [1, 2, 3, 50])
def test_the_donor_is_another_row_and_all_others_are_as_likely(n):
    rows = torch.arange(float(n))[:, None]
    counts = torch.zeros(n)
    for seed in range(2000):
        swapped = augment(CutMix(1.0), rows, seed)
        assert (swapped != rows).all() or n == 1
        counts[swapped[0].long()] += 1
    share = 1 / max(n - 1, 1)
    away = (counts[1:] / 2000 - share).abs()
    assert (away <= 4.5 * (share * (1 - share) / 2000) ** 0.5).all()


def test_mixing_weights_are_those_of_the_paper_with_the_larger_one_on_the_own_row():
    # Of two rows each is the other's other one.
    rows = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    for alpha in (0.2, 0.5, 1.0, 4.0):
        weights = torch.cat([augment(MixUp(alpha), rows, seed)[:1] for seed in range(3000)])
        # max(x, 1 - x) of a symmetric x is above t as often as x is outside of (1 - t, t).
        own = 1 - weights[:, 0].numpy()
        assert own.min() >= 0.5
        statistic = kstest(own, lambda t, a=alpha: 2 * beta(a, a).cdf(t) - 1).statistic
        assert statistic < 1.95 / 3000**0.5


def test_all_numbers_of_a_row_are_mixed_by_one_weight_and_each_row_has_its_own():
    rows = torch.arange(1.0, 101.0, dtype=torch.float64)[:, None] ** torch.tensor([1.0, 2.0, 3.0])
    mixed = augment(MixUp(1.0), rows)
    # The other row is where all three columns agree on the weight.
    weights = (mixed[:, None] - rows[:, None]) / (rows - rows[:, None])
    gap = (weights.max(-1).values - weights.min(-1).values).nan_to_num(9.0)
    found = weights[..., 0].gather(1, gap.argmin(1, keepdim=True))
    assert gap.min(1).values.max() < 1e-6
    assert ((found > 0) & (found < 0.5)).all()
    assert len(found.unique()) == len(rows)


def test_a_small_alpha_leaves_rows_as_they_are_and_makes_no_missing_cells():
    mixed = augment(MixUp(1e-3))
    assert mixed.isfinite().all()
    assert ((mixed - ROWS).abs().max(1).values < 1e-3).float().mean() > 0.95


def test_mixing_takes_a_level_whole_from_the_other_row_at_the_rate_of_its_weight():
    rows = torch.tensor([[1.0, 0.0], [4.0, 1.0]]).repeat(1, 500)
    categories = torch.tensor([True, False]).repeat(500)
    taken, weights = [], []
    for seed in range(200):
        mixed = augment_categories(MixUp(1.0), rows, categories, seed)
        assert torch.isin(mixed[:, categories], torch.tensor([1.0, 4.0])).all()
        taken.append((mixed[0, categories] == 4).double().mean())
        weights.append(mixed[0, ~categories].double().mean())
    gaps = torch.stack(taken) - torch.stack(weights)
    assert gaps.abs().max() < 4.5 * 0.5 / 500**0.5


def test_mixing_leaves_the_own_cell_where_either_is_missing():
    rows = torch.tensor([[1.0, nan, 2.0, nan], [nan, 1.0, 3.0, nan]])
    for categories in (None, torch.tensor([True, False, False, True])):
        mixed = augment_categories(MixUp(1.0), rows, categories)
        assert torch.equal(mixed.isnan(), rows.isnan())
        assert torch.equal(mixed[[0, 1], [0, 1]], torch.tensor([1.0, 1.0]))
        assert 2 < mixed[0, 2] < 2.5 < mixed[1, 2] < 3


@pytest.mark.parametrize("alpha", [0, -1.0, float("inf"), nan])
def test_mixing_by_no_alpha_raises(alpha):
    with pytest.raises(ValueError, match=f"alpha is a finite number above 0; got {alpha}"):
        augment(MixUp(alpha))


@pytest.mark.parametrize("kind", [CutMix, SwapNoise])
def test_levels_and_missing_cells_travel_as_they_are(kind):
    rows = torch.tensor([[1.0, nan], [2.0, 5.0], [3.0, 7.0]]).repeat(200, 1)
    swapped = augment(kind(0.7), rows)
    assert torch.isin(swapped[:, 0], rows[:, 0]).all()
    there = swapped[:, 1][~swapped[:, 1].isnan()]
    assert torch.isin(there, torch.tensor([5.0, 7.0])).all()
    assert 0.2 < swapped[:, 1].isnan().float().mean() < 0.5


def test_masking_levels_makes_them_unknown_and_hiding_makes_all_missing():
    rows = torch.tensor([[3.0, 3.0]]).repeat(2000, 1)
    categories = torch.tensor([True, False])
    masked = augment_categories(MaskFeatures(0.4, value=7.0), rows, categories)
    assert set(masked[:, 0].tolist()) == {0.0, 3.0}
    assert set(masked[:, 1].tolist()) == {7.0, 3.0}
    assert torch.equal(masked == 3, augment(MaskFeatures(0.4, value=7.0), rows) == 3)
    hidden = augment_categories(MaskFeatures(0.4, value=nan), rows, categories)
    assert torch.equal(hidden.isnan(), masked != 3)


def test_who_hides_says_so():
    hiding, masking = MaskFeatures(value=nan), MaskFeatures()
    assert hiding.hides and not masking.hides
    assert Compose([masking, Compose([lambda rows: rows, hiding])]).hides
    assert not Compose([masking, lambda rows: rows]).hides
    for bind in (
        OnTables,
        partial(OnTokens, vocabulary_size=9),
        lambda augmentation: OnImages(augmentation, (1, 1, 3)),
    ):
        assert bind(hiding).hides and not bind(masking).hides


def test_noise_leaves_levels_and_missing_cells():
    rows = torch.tensor([[3.0, 1.0, nan]])
    noisy = augment_categories(GaussianNoise(), rows, torch.tensor([True, False, False]))
    assert noisy[0, 0] == 3 and noisy[0, 1] != 1 and noisy[0, 2].isnan()


@pytest.mark.parametrize("scale", [-1.0, nan])
def test_noise_of_no_scale_raises(scale):
    with pytest.raises(ValueError, match=f"standard deviation of at least 0; got {scale}"):
        augment(GaussianNoise(scale))


@pytest.mark.parametrize(
    ("n_subsets", "overlap", "width", "kept"),
    [
        (3, 0.5, 12, 6),
        (3, 0.0, 12, 4),
        (4, 1.0, 20, 10),
        (10, 0.1, 100, 11),
        (2, 1.0, 5, 5),
        (3, 0.0, 10, 4),
        # Fewer columns than groups of their own, and one of all.
        (10, 0.1, 10, 2),
        (10, 0.0, 3, 1),
        (3, 0.5, 2, 1),
        (5, 0.0, 1, 1),
        (1, 0.5, 4, 4),
    ],
)
def test_feature_subsets_keep_their_share_of_neighbouring_columns(n_subsets, overlap, width, kept):
    rows = torch.randn(2, width, generator=seeded(99))
    patterns = []
    for seed in range(600):
        masked = augment(FeatureSubsets(n_subsets, overlap), rows, seed)
        there = masked[0] != 0
        assert torch.equal(masked, rows * there)
        assert there.sum() == kept
        assert there.nonzero().max() - there.nonzero().min() == kept - 1
        patterns.append(there)
    groups, counts = torch.stack(patterns).unique(dim=0, return_counts=True)
    assert groups.any(0).all()
    if width - kept >= n_subsets - 1 > 0:
        assert len(groups) == n_subsets
        share = 1 / n_subsets
        assert ((counts / 600 - share).abs() < 4 * (share * (1 - share) / 600) ** 0.5).all()


@pytest.mark.parametrize(
    ("augmentation", "message"),
    [
        (FeatureSubsets(0), "n_subsets is an integer of at least 1; got 0"),
        (FeatureSubsets(1.5), "n_subsets is an integer of at least 1; got 1.5"),
        (FeatureSubsets(overlap=-0.1), "overlap is a share of a group between 0 and 1; got -0.1"),
    ],
)
def test_feature_subsets_that_cannot_be_raise(augmentation, message):
    with pytest.raises(ValueError, match=message):
        augment(augmentation)
