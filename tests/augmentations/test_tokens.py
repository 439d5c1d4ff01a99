"""Augmentations of tokens against what their parameters promise."""

import numpy as np
import pytest
import torch
from repeatability import global_state, seeded
from scipy.stats import kstest
from sklearn.base import clone

from sklearn_replearn.augmentations import Compose, CropTokens, MaskTokens, TokenDropout
from sklearn_replearn.augmentations._binding import OnTokens

N, LENGTH, START, STOP, MASK = 10_000, 12, 1, 2, 3


def some_tokens(n=N):
    """Rows of 4 to 10 distinct ordinary tokens between two special ones; padding may be inside."""
    generator = seeded(99)
    tokens = 10 + torch.rand(n, LENGTH - 2, generator=generator).argsort(1)
    order = torch.rand(n, LENGTH - 2, generator=generator).argsort(1).argsort(1)
    tokens[order < torch.randint(7, (n, 1), generator=generator)] = 0
    ends = [torch.full((n, 1), token) for token in (START, STOP)]
    return torch.cat([ends[0], tokens, ends[1]], 1)


TOKENS = some_tokens()
ORDINARY = TOKENS >= 10
COUNTS = ORDINARY.sum(1)
SPECIAL = {"special_ids": [START, STOP]}
AUGMENTATIONS = [
    MaskTokens(MASK, 0.3, **SPECIAL),
    TokenDropout(0.3, **SPECIAL),
    CropTokens((0.2, 0.8), **SPECIAL),
    Compose([CropTokens(**SPECIAL), TokenDropout(**SPECIAL), MaskTokens(MASK, **SPECIAL)]),
]
every_augmentation = pytest.mark.parametrize(
    "augmentation", AUGMENTATIONS, ids=lambda augmentation: type(augmentation).__name__
)
both_that_shorten = pytest.mark.parametrize("augmentation", AUGMENTATIONS[1:3])
both_of_tokens = pytest.mark.parametrize(
    "kind", [lambda p, **more: MaskTokens(MASK, p, **more), TokenDropout]
)


def augment(augmentation, tokens=TOKENS, seed=0):
    return augmentation(tokens, seeded(seed))


def without_padding(row):
    return [token for token in row if token != 0]


@every_augmentation
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_shape_and_type_stay_and_the_tokens_given_are_not_written_to(augmentation, dtype):
    tokens = TOKENS.to(dtype)
    before = tokens.clone()
    augmented = augment(augmentation, tokens)
    assert (augmented.shape, augmented.dtype) == (tokens.shape, dtype)
    assert torch.equal(tokens, before)
    assert not torch.equal(tokens, augmented)


@every_augmentation
def test_views_repeat_with_their_generator_and_leave_the_global_ones_alone(augmentation):
    before = global_state()
    assert torch.equal(augment(augmentation), augment(augmentation))
    assert torch.equal(augment(clone(augmentation)), augment(augmentation))
    assert not torch.equal(augment(augmentation), augment(augmentation, seed=1))
    assert global_state() == before


@every_augmentation
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rows_of_numbers_are_augmented_as_the_tokens_that_they_are(augmentation, dtype):
    augmented = augment(OnTokens(augmentation, 1000), TOKENS.to(dtype))
    assert augmented.dtype == dtype
    assert torch.equal(augmented.long(), augment(augmentation))


@every_augmentation
def test_special_tokens_stay_and_a_token_at_the_start_stays_there(augmentation):
    augmented = augment(augmentation)
    assert (augmented[:, 0] == START).all()
    assert ((augmented == STOP).sum(1) == 1).all()
    real = (augmented != 0).sum(1)
    if not isinstance(augmentation, MaskTokens):
        assert (augmented.gather(1, real[:, None] - 1) == STOP).all()


@every_augmentation
def test_a_row_keeps_a_token(augmentation):
    assert ((augment(augmentation) >= 3).sum(1) >= 1).all()


@every_augmentation
def test_padding_alone_and_special_tokens_alone_stay(augmentation):
    rows = torch.zeros(3, LENGTH, dtype=torch.int64)
    rows[1, :2] = torch.tensor([START, STOP])
    rows[2, 0] = START
    assert torch.equal(augment(augmentation, rows), rows)


@every_augmentation
def test_a_row_does_not_depend_on_what_is_in_the_others(augmentation):
    others = TOKENS.clone()
    others[1::2] = TOKENS[1::2].flip(0)
    assert torch.equal(augment(augmentation, others)[::2], augment(augmentation)[::2])


@every_augmentation
def test_tokens_that_are_none_raise(augmentation):
    for tokens in (TOKENS.float(), TOKENS[0]):
        with pytest.raises(ValueError, match=r"integer tensor of shape \(n, length\)"):
            augment(augmentation, tokens)


@both_that_shorten
def test_tokens_left_are_in_order_and_at_the_front(augmentation):
    augmented = augment(augmentation)
    padding = (augmented == 0).long()
    assert (padding.diff(dim=1) >= 0).all()
    for before, after in zip(TOKENS[:300].tolist(), augmented[:300].tolist(), strict=True):
        left = iter(without_padding(before))
        assert all(token in left for token in without_padding(after))


@both_that_shorten
def test_one_token_and_rows_of_length_1_stay(augmentation):
    for rows in (torch.tensor([[0, 7, 0]]), torch.tensor([[7]])):
        expected = torch.tensor([[7, 0, 0]])[:, : rows.shape[1]]
        assert torch.equal(augment(augmentation, rows), expected)


def test_masking_a_row_of_length_1():
    assert augment(MaskTokens(MASK, 1.0), torch.tensor([[7]])).tolist() == [[MASK]]
    assert augment(MaskTokens(MASK, 1.0), torch.tensor([[0]])).tolist() == [[0]]


@pytest.mark.parametrize("p", [0.05, 0.5, 1.0])
def test_the_share_of_masked_tokens_is_the_rate_at_every_place(p):
    masked = augment(MaskTokens(MASK, p, **SPECIAL))
    changed = masked != TOKENS
    assert (masked[changed] == MASK).all()
    assert not changed[~ORDINARY].any()
    count = ORDINARY.sum(0)[1:-1]
    share = changed.sum(0)[1:-1] / count
    assert ((share - p).abs() <= 4 * (p * (1 - p) / count).sqrt()).all()


def test_without_special_ids_only_padding_is_not_masked():
    masked = augment(MaskTokens(MASK, 1.0))
    assert ((masked == MASK) == (TOKENS != 0)).all()


@pytest.mark.parametrize("p", [0.05, 0.3])
def test_the_share_of_deleted_tokens_is_the_rate(p):
    # In rows long enough that all are hardly ever drawn.
    tokens = torch.arange(1, 41).repeat(N, 1)
    counts = (augment(TokenDropout(p), tokens)[..., None] == torch.arange(1, 41)).sum((0, 1))
    assert ((1 - counts / N - p).abs() < 4 * (p * (1 - p) / N) ** 0.5).all()


def test_of_all_tokens_deleted_one_stays_at_random():
    tokens = torch.arange(1, 6).repeat(N, 1)
    left = augment(TokenDropout(1.0), tokens)
    assert ((left != 0).sum(1) == 1).all()
    share = torch.bincount(left[:, 0])[1:] / N
    assert ((share - 0.2).abs() < 4 * (0.2 * 0.8 / N) ** 0.5).all()


def test_deleting_nothing_moves_padding_to_the_end():
    left = augment(TokenDropout(0.0))
    for before, after in zip(TOKENS[:300].tolist(), left[:300].tolist(), strict=True):
        assert without_padding(before) == without_padding(after)
        assert after == without_padding(after) + [0] * after.count(0)


def test_crops_are_spans_of_the_length_asked_for():
    crop = CropTokens((0.5, 0.5), **SPECIAL)
    cropped = augment(crop)
    kept = (cropped >= 10).sum(1)
    assert ((kept - 0.5 * COUNTS).abs() <= 0.5).all()
    for before, after in zip(TOKENS[:300].tolist(), cropped[:300].tolist(), strict=True):
        before, after = ([t for t in row if t >= 10] for row in (before, after))
        start = before.index(after[0])
        assert before[start : start + len(after)] == after


def test_shares_and_places_of_crops_are_uniform():
    length = 1_000
    tokens = torch.arange(1, length + 1).repeat(5_000, 1)
    cropped = augment(CropTokens((0.2, 0.7)), tokens)
    kept = (cropped != 0).sum(1)
    share = (kept / length - 0.2) / 0.5
    place = (cropped[:, 0] - 1) / (length - kept)
    farthest = 1.95 / len(tokens) ** 0.5 + 2 / length  # of whole numbers
    assert kstest(share.numpy(), "uniform").statistic < farthest
    assert kstest(place.numpy(), "uniform").statistic < farthest
    assert abs(np.corrcoef(share, place)[0, 1]) < 4 / len(tokens) ** 0.5


def test_a_crop_of_the_whole_row_keeps_it_and_of_nothing_one_token():
    assert torch.equal(augment(CropTokens((1, 1))), augment(TokenDropout(0)))
    assert ((augment(CropTokens((0, 0), **SPECIAL)) >= 10).sum(1) == 1).all()


@both_of_tokens
@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_rates_that_are_no_share_raise(kind, p):
    with pytest.raises(ValueError, match=f"between 0 and 1; got {p}"):
        augment(kind(p))


@pytest.mark.parametrize(
    ("augmentation", "message"),
    [
        (MaskTokens(0), "mask_id is an integer of at least 1"),
        (MaskTokens(1.5), "mask_id is an integer of at least 1"),
        (MaskTokens(MASK, special_ids=1), "special_ids is a sequence of integers; got 1"),
        (TokenDropout(special_ids=["a"]), "special_ids is a sequence of integers"),
        (CropTokens(scale=(0.5, 1.5)), "scale is a pair"),
        (CropTokens(scale=(0.8, 0.5)), "scale is a pair"),
        (CropTokens(scale=0.5), "scale is a pair"),
    ],
)
def test_parameters_that_cannot_be_raise(augmentation, message):
    with pytest.raises(ValueError, match=message):
        augment(augmentation)
