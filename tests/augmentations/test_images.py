"""Augmentations of images against what their parameters promise."""

import numpy as np
import pytest
import torch
from repeatability import global_state, seeded
from scipy.stats import kstest
from sklearn.base import clone

from sklearn_replearn.augmentations import (
    ColorJitter,
    Compose,
    GaussianBlur,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
)

N = 4_000
# Another seed than the augmentations', whose draws would be those of the images.
IMAGES = torch.rand(N, 3, 6, 8, generator=seeded(99))
# Kolmogorov-Smirnov distance of N draws that chance exceeds once in a thousand.
FARTHEST = 1.95 / N**0.5

AUGMENTATIONS = [
    RandomResizedCrop(),
    RandomHorizontalFlip(),
    ColorJitter(),
    RandomGrayscale(0.5),
    GaussianBlur(),
    RandomRotation(),
    Compose([RandomResizedCrop(), ColorJitter(), GaussianBlur()]),
]
every_augmentation = pytest.mark.parametrize(
    "augmentation", AUGMENTATIONS, ids=lambda augmentation: type(augmentation).__name__
)
# Not by sigmas so small that nothing is seen.
of_some_images = pytest.mark.parametrize(
    "kind",
    [RandomHorizontalFlip, RandomGrayscale, lambda p: GaussianBlur(p=p, sigma=(0.5, 2.0))],
)


def augment(augmentation, images=IMAGES, seed=0):
    return augmentation(images, seeded(seed))


def ramps(height, width, n=N):
    """Images whose first channel is how far right a pixel is, and the second how far down."""
    right = torch.linspace(0, 1, width, dtype=torch.float64).expand(height, width)
    down = torch.linspace(0, 1, height, dtype=torch.float64)[:, None].expand(height, width)
    return torch.stack([right, down]).expand(n, 2, height, width)


def crops(crop, height=9, width=9):
    """Left, right, upper and lower end of the rectangle that each image was cut to."""
    right, down = augment(crop, ramps(height, width)).unbind(1)
    return right[:, 0, 0], right[:, 0, -1], down[:, 0, 0], down[:, -1, 0]


def changed_images(before, after):
    return (before != after).flatten(1).any(1).double()


def distance_of_neighbours(values):
    """Correlation of the values of images that follow each other."""
    return abs(np.corrcoef(values[:-1], values[1:])[0, 1])


@every_augmentation
@pytest.mark.parametrize("shape", [(1, 3, 6, 8), (2, 1, 28, 28), (2, 3, 1, 1), (3, 2, 1, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shape_and_range_and_precision_stay_and_the_images_given_are_not_written_to(
    augmentation, shape, dtype
):
    images = torch.rand(shape, generator=seeded(1)).to(dtype)
    before = images.clone()
    for seed in range(20):
        augmented = augment(augmentation, images, seed)
        assert (augmented.shape, augmented.dtype) == (images.shape, dtype)
        assert ((augmented >= 0) & (augmented <= 1)).all()
        assert torch.equal(images, before)


@every_augmentation
def test_white_stays_within_the_range(augmentation):
    for dtype in (torch.float32, torch.float64):
        assert (augment(augmentation, torch.ones(500, 3, 7, 9, dtype=dtype)) <= 1).all()


@every_augmentation
def test_views_repeat_with_their_generator_and_leave_the_global_ones_alone(augmentation):
    before = global_state()
    assert torch.equal(augment(augmentation), augment(augmentation))
    assert torch.equal(augment(clone(augmentation)), augment(augmentation))
    assert not torch.equal(augment(augmentation), augment(augmentation, seed=1))
    assert global_state() == before


@every_augmentation
def test_an_image_does_not_depend_on_what_the_others_show(augmentation):
    others = IMAGES.flip(0).clone()
    others[::2] = IMAGES[::2]
    assert not torch.equal(others, IMAGES)
    torch.testing.assert_close(
        augment(augmentation, others)[::2], augment(augmentation)[::2], rtol=0, atol=1e-6
    )


@every_augmentation
def test_the_same_image_becomes_different_ones(augmentation):
    views = augment(augmentation, IMAGES[:1].repeat(50, 1, 1, 1))
    assert len(views.flatten(1).unique(dim=0)) >= 2


@every_augmentation
@pytest.mark.parametrize("images", [torch.rand(4, 9), torch.ones(4, 1, 3, 3, dtype=torch.uint8)])
def test_what_is_no_batch_of_images_raises(augmentation, images):
    with pytest.raises(ValueError, match=r"floating-point tensor of shape \(n, channels"):
        augment(augmentation, images)


@of_some_images
@pytest.mark.parametrize("p", [0.05, 0.5, 1.0])
def test_the_share_of_changed_images_is_the_rate_and_they_are_independent(kind, p):
    changed = changed_images(IMAGES, augment(kind(p)))
    assert abs(changed.mean() - p) <= 4 * (p * (1 - p) / N) ** 0.5
    if p < 1:
        assert distance_of_neighbours(changed) < 4 / N**0.5


@of_some_images
def test_nothing_changes_at_rate_0(kind):
    assert torch.equal(augment(kind(0)), IMAGES)


@of_some_images
@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
@pytest.mark.parametrize("channels", [1, 3])
def test_rates_that_are_no_share_raise(kind, p, channels):
    with pytest.raises(ValueError, match=f"between 0 and 1; got {p}"):
        augment(kind(p), IMAGES[:, :channels])


@pytest.mark.parametrize(
    ("augmentation", "message"),
    [
        (RandomResizedCrop(scale=(0.5, 1.5)), "scale is a pair"),
        (RandomResizedCrop(scale=(0, 1)), "scale is a pair"),
        (RandomResizedCrop(scale=0.5), "scale is a pair"),
        (RandomResizedCrop(ratio=(2, 1)), "ratio is a pair"),
        (RandomResizedCrop(ratio=(0, 1)), "ratio is a pair"),
        (ColorJitter(brightness=-0.1), "brightness is a largest change"),
        (ColorJitter(contrast=float("nan")), "contrast is a largest change"),
        (ColorJitter(saturation=-1), "saturation is a largest change"),
        (GaussianBlur(sigma=(0, 1)), "sigma is a pair"),
        (GaussianBlur(sigma=(1, 2, 3)), "sigma is a pair"),
        (GaussianBlur(kernel_size=4), "kernel_size is an odd number of pixels, or None; got 4"),
        (GaussianBlur(kernel_size=1.5), "kernel_size is an odd number"),
        (RandomRotation(degrees=-1), "degrees is an angle"),
    ],
)
def test_parameters_that_cannot_be_raise(augmentation, message):
    with pytest.raises(ValueError, match=message):
        augment(augmentation)


@pytest.mark.parametrize(("height", "width"), [(9, 9), (5, 12)])
def test_crops_of_ramps_are_linear_and_within_the_image(height, width):
    right, down = augment(RandomResizedCrop(), ramps(height, width)).unbind(1)
    for ramp, axis in ((right, 2), (down, 1)):
        assert ramp.diff(n=2, dim=axis).abs().max() < 1e-12
        assert ramp.diff(dim=axis).min() > 0
        assert ramp.diff(dim=3 - axis).abs().max() < 1e-12
    left, end, upper, lower = crops(RandomResizedCrop(scale=(0.1, 0.1)), height, width)
    assert left.min() < 0.05 and end.max() > 0.95
    assert upper.min() < 0.05 and lower.max() > 0.95


@pytest.mark.parametrize("scale", [(0.2, 1.0), (0.1, 0.3)])
def test_areas_of_crops_are_uniform(scale):
    left, end, upper, lower = crops(RandomResizedCrop(scale=scale))
    area = ((end - left) * (lower - upper)).numpy()
    assert kstest((area - scale[0]) / (scale[1] - scale[0]), "uniform").statistic < FARTHEST
    assert distance_of_neighbours(area) < 4 / N**0.5


@pytest.mark.parametrize(("height", "width"), [(9, 9), (8, 12)])
def test_ratios_of_crops_are_log_uniform_where_they_fit(height, width):
    left, end, upper, lower = crops(RandomResizedCrop(scale=(0.1, 0.2)), height, width)
    log_ratio = ((end - left) * width / (lower - upper) / height).log().numpy()
    low, high = np.log(3 / 4), np.log(4 / 3)
    assert kstest((log_ratio - low) / (high - low), "uniform").statistic < FARTHEST


def test_places_of_crops_are_uniform():
    left, end, upper, lower = crops(RandomResizedCrop(scale=(0.2, 0.5)))
    places = left / (1 - end + left), upper / (1 - lower + upper)
    for place in places:
        assert kstest(place.numpy(), "uniform").statistic < FARTHEST
    assert abs(np.corrcoef(*places)[0, 1]) < 4 / N**0.5


@pytest.mark.parametrize(("height", "width"), [(9, 9), (4, 12)])
def test_the_whole_image_is_the_crop_of_the_whole_area(height, width):
    images = torch.rand(20, 3, height, width, generator=seeded(1))
    cropped = augment(RandomResizedCrop(scale=(1.0, 1.0)), images)
    torch.testing.assert_close(cropped, images, rtol=0, atol=1e-5)


def test_flips_mirror_and_undo_each_other():
    flip = RandomHorizontalFlip(1.0)
    flipped = augment(flip)
    for column in range(8):
        assert torch.equal(flipped[..., column], IMAGES[..., 7 - column])
    assert torch.equal(augment(flip, flipped), IMAGES)


@pytest.mark.parametrize("brightness", [0.3, 1.5])
def test_brightness_factors_are_uniform_and_each_image_has_its_own(brightness):
    jitter = ColorJitter(brightness, contrast=0, saturation=0)
    factors = augment(jitter, IMAGES / 4) / (IMAGES / 4)
    flat = factors.flatten(1)
    torch.testing.assert_close(flat, flat[:, :1].expand_as(flat), rtol=1e-4, atol=1e-4)
    low = max(0, 1 - brightness)
    uniform = (flat[:, 0] - low) / (1 + brightness - low)
    assert kstest(uniform.numpy(), "uniform").statistic < FARTHEST
    assert distance_of_neighbours(uniform) < 4 / N**0.5


def test_contrast_keeps_the_mean_brightness_and_scales_distances_to_it():
    images = 0.4 + IMAGES / 5
    jittered = augment(ColorJitter(brightness=0, contrast=0.4, saturation=0), images)
    luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    mean = (luma * images).sum(1).mean((1, 2))[:, None, None, None]
    factors = ((jittered - mean).flatten(1).norm(dim=1)) / (images - mean).flatten(1).norm(dim=1)
    assert kstest(((factors - 0.6) / 0.8).numpy(), "uniform").statistic < FARTHEST
    moved = mean + factors[:, None, None, None] * (images - mean)
    torch.testing.assert_close(jittered, moved, rtol=0, atol=1e-5)


def test_saturation_keeps_how_bright_pixels_are_and_grey_images():
    jitter = ColorJitter(brightness=0, contrast=0, saturation=0.4)
    images = 0.3 + IMAGES / 5
    jittered = augment(jitter, images)
    luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    torch.testing.assert_close((luma * jittered).sum(1), (luma * images).sum(1), rtol=0, atol=1e-5)
    assert changed_images(images, jittered).mean() > 0.99
    gray = images[:, :1].repeat(1, 3, 1, 1)
    torch.testing.assert_close(augment(jitter, gray), gray, rtol=0, atol=1e-6)


def test_jitter_by_nothing_and_saturation_of_one_channel_change_nothing():
    assert torch.equal(augment(ColorJitter(0, 0, 0)), IMAGES)
    assert torch.equal(augment(ColorJitter(0, 0, 0.4), IMAGES[:, :1]), IMAGES[:, :1])


def test_grey_images_have_three_equal_channels_as_bright_as_before():
    gray = augment(RandomGrayscale(1.0))
    luma = 0.299 * IMAGES[:, 0] + 0.587 * IMAGES[:, 1] + 0.114 * IMAGES[:, 2]
    torch.testing.assert_close(gray, luma[:, None].expand_as(gray))
    torch.testing.assert_close(augment(RandomGrayscale(1.0), gray), gray)


@pytest.mark.parametrize("channels", [1, 2])
def test_images_of_other_than_three_channels_stay_as_they_are_in_grey(channels):
    assert torch.equal(augment(RandomGrayscale(1.0), IMAGES[:, :channels]), IMAGES[:, :channels])


@pytest.mark.parametrize("shape", [(6, 8), (1, 5), (1, 1), (50, 44)])
def test_blurring_keeps_constants_and_means_and_evens_out(shape):
    images = torch.rand(100, 2, *shape, generator=seeded(1)).double()
    blurred = augment(GaussianBlur(p=1.0), images)
    torch.testing.assert_close(blurred.mean((2, 3)), images.mean((2, 3)))
    constant = images[:, :, :1, :1].expand_as(images)
    torch.testing.assert_close(augment(GaussianBlur(p=1.0), constant), constant)
    if shape != (1, 1):
        assert (blurred.var((1, 2, 3)) <= images.var((1, 2, 3))).all()


def test_a_dot_becomes_a_gaussian_of_the_sigma_drawn():
    dot = torch.zeros(N, 1, 45, 45, dtype=torch.float64)
    dot[:, :, 22, 22] = 1
    blurred = augment(GaussianBlur(p=1.0, sigma=(0.5, 2.0)), dot)[:, 0]
    assert (blurred[:, :20].abs().max(), blurred[:, :, 25:].abs().max()) == (0, 0)
    line = blurred.sum(1)
    torch.testing.assert_close(blurred, line[:, :, None] * line[:, None, :])
    sigma = (-2 * (line[:, 23] / line[:, 22]).log()) ** -0.5
    torch.testing.assert_close(line[:, 24] / line[:, 22], torch.exp(-2 / sigma**2))
    assert kstest(((sigma - 0.5) / 1.5).numpy(), "uniform").statistic < FARTHEST
    assert distance_of_neighbours(sigma) < 4 / N**0.5


@pytest.mark.parametrize("kernel_size", [1, 3, 7])
def test_the_kernel_reaches_as_far_as_it_is_told(kernel_size):
    dot = torch.zeros(1, 1, 21, 21)
    dot[:, :, 10, 10] = 1
    blurred = augment(GaussianBlur(kernel_size, sigma=(2.0, 2.0), p=1.0), dot)[0, 0]
    assert (blurred.sum(0) > 0).nonzero().flatten().tolist() == list(
        range(10 - kernel_size // 2, 11 + kernel_size // 2)
    )


def test_blurred_images_go_on_as_their_mirror_images():
    line = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    weights = torch.softmax(torch.tensor([-0.5, 0.0, -0.5], dtype=torch.float64), 0)
    blurred = augment(GaussianBlur(p=1.0, sigma=(1.0, 1.0)), line.reshape(1, 1, 1, 5)).flatten()
    expected = torch.tensor([weights[0] + weights[1], weights[2], 0, 0, 0], dtype=torch.float64)
    torch.testing.assert_close(blurred, expected)


def test_turning_by_nothing_changes_nothing():
    assert torch.equal(augment(RandomRotation(0)), IMAGES)
    torch.testing.assert_close(augment(RandomRotation(1e-4)), IMAGES, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(21, 21), (21, 41)])
def test_angles_are_uniform_and_turning_keeps_distances(height, width):
    # Ramps of pixels from the centre, halfway between 0 and 1: what is seen near the centre is
    # where it was.
    across, down = (torch.arange(size).double() - (size - 1) / 2 for size in (width, height))
    maps = torch.stack([across.expand(height, width), down[:, None].expand(height, width)])
    images = (0.5 + maps / 100).expand(N, -1, -1, -1)
    turned = (augment(RandomRotation(30), images) - 0.5) * 100
    x, y = turned[:, :, height // 2, width // 2 + 5].unbind(1)
    torch.testing.assert_close(x.square() + y.square(), torch.full_like(x, 25.0))
    angle = torch.atan2(y, x).rad2deg()
    assert kstest((angle / 60 + 0.5).numpy(), "uniform").statistic < FARTHEST
    assert distance_of_neighbours(angle) < 4 / N**0.5
