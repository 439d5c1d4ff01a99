"""Views are mirrored and turned where images look like others of fit when changed so."""

import pickle

import numpy as np
import pytest
import torch
from quick import quick
from repeatability import weights
from scipy.ndimage import rotate

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.augmentations import (
    ColorJitter,
    Compose,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
)
from sklearn_replearn.rows import Images
from sklearn_replearn.rows.image_views import ImageViews

pytestmark = pytest.mark.filterwarnings("ignore:The codes collapsed")


@pytest.fixture(scope="module")
def images(digits):
    return digits[0][:200].reshape(-1, 1, 8, 8) / 16


def mirrored(images):
    return np.concatenate([images, images[..., ::-1]])


def turned(images, largest=40):
    """Each image on a larger ground, turned at random."""
    random = np.random.RandomState(0)
    large = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)))
    angles = random.uniform(-largest, largest, len(images))
    pairs = zip(large, angles, strict=True)
    return np.stack([rotate(x, a, (1, 2), reshape=False, order=1) for x, a in pairs]).clip(0, 1)


def colored(images):
    tint = np.array([1.0, 0.6, 0.3])[:, None, None]
    return images * tint


def fitted(images, cls=ContrastiveTransformer, **others):
    rows = Images(images.shape[1:])
    encoder = quick(cls, rows=rows, max_epochs=1, batch_size=1024, **others)
    return encoder.fit(images.reshape(len(images), -1))


def found(encoder):
    scaler = encoder._model.scaler
    return {name for name in ("mirrored", "turned") if getattr(scaler, name)}


@pytest.fixture(scope="module")
def bands():
    """Levels that change from the top to the bottom of an image."""
    steps = np.random.RandomState(0).normal(size=(200, 1, 8, 1)).cumsum(axis=2)
    return np.repeat(steps, 8, axis=3)


@pytest.mark.parametrize("cls", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer])
@pytest.mark.parametrize("tint", [lambda images: images, colored], ids=["grey", "colour"])
def test_what_the_images_have_in_common_is_found(cls, tint, images, bands):
    upright = bands * np.linspace(0, 1, 8)
    assert found(fitted(tint(images), cls)) == {"turned"}
    assert found(fitted(tint(mirrored(images)), cls)) == {"mirrored", "turned"}
    assert found(fitted(tint(bands), cls)) == {"mirrored"}
    assert found(fitted(tint(upright), cls)) == set()


def test_a_few_images_do_not_tell(images):
    every = mirrored(images[:100])
    assert found(fitted(every)) == {"mirrored", "turned"}
    assert found(fitted(every[:199])) == set()


@pytest.mark.parametrize("colors", [False, True])
@pytest.mark.parametrize("turns", [False, True])
@pytest.mark.parametrize("flips", [False, True])
def test_views_have_what_was_found(colors, turns, flips):
    images = torch.rand(9, 3 if colors else 1, 6, 5, generator=torch.Generator().manual_seed(0))
    crop = RandomResizedCrop() if colors else RandomResizedCrop((0.5, 1.0), (0.8, 1.25))
    steps = [
        RandomRotation(15) if turns else None,
        crop,
        RandomHorizontalFlip() if flips else None,
        ColorJitter(),
        RandomGrayscale() if colors else None,
    ]
    expected = Compose([step for step in steps if step is not None])
    views = ImageViews(colors, turns, flips)
    one, other = (make(images, torch.Generator().manual_seed(1)) for make in (views, expected))
    assert torch.equal(one, other)


def test_fit_trains_on_them(images):
    """As if they had been given."""
    every = mirrored(turned(images))
    default = fitted(every)
    given = fitted(every, augmentation=Compose(ImageViews(False, True, True).steps))
    assert weights(default) == weights(given)
    other = fitted(every, augmentation=Compose(ImageViews(False).steps))
    assert weights(default) != weights(other)
    assert default.info_nce_bits(every) == given.info_nce_bits(every)


def test_neither_order_nor_form_nor_weight_matters(images):
    every = mirrored(turned(images))
    expected = fitted(every)
    bits = expected.info_nce_bits(every[:40])
    order = np.random.RandomState(0).permutation(len(every))
    again = fitted(every[order])
    assert weights(again) == weights(expected)
    assert again.info_nce_bits(every[:40]) == bits
    assert pickle.loads(pickle.dumps(expected)).info_nce_bits(every[:40]) == bits
    stacked = quick(ContrastiveTransformer, rows=Images((1, 12, 12)), max_epochs=1, batch_size=1024)
    assert weights(stacked.fit(every)) == weights(expected)
    twice = fitted(np.concatenate([every, every[:50]]))
    sample_weight = np.where(np.arange(len(every)) < 50, 2.0, 1.0)
    weighted = stacked.fit(every, sample_weight=sample_weight)
    assert weights(twice) == weights(weighted)
    assert found(twice) == found(weighted) == found(expected)


@pytest.mark.parametrize("shape", [(1, 2, 2), (3, 1, 1), (1, 1, 5), (2, 7, 3)])
@pytest.mark.parametrize("n", [3, 250])
def test_any_shape_and_number(shape, n):
    X = np.random.RandomState(0).uniform(size=(n, *shape))
    encoder = fitted(X)
    assert np.isfinite(encoder.transform(X.reshape(n, -1))).all()
    assert np.isfinite(encoder.info_nce_bits(X.reshape(n, -1)))


@pytest.mark.parametrize("constant", [0.0, 7.0])
def test_images_that_do_not_vary(constant):
    X = np.full((250, 1, 4, 4), constant)
    X[0, 0, 0, 0] += 1e-9
    encoder = fitted(X)
    assert np.isfinite(encoder.transform(X.reshape(250, -1))).all()
