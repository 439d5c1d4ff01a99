"""Which views suit images: what fit learns of them, and the default views that follow from it."""

import numpy as np
import torch

from .._runtime.randomness import new_generator
from .._runtime.sklearn import BaseEstimator
from .._scaling.shared_scale import PixelScale
from ..augmentations import (
    ColorJitter,
    Compose,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
)

_TURN = RandomRotation(15)
_CROP = RandomResizedCrop(scale=(0.5, 1.0), ratio=(0.8, 1.25))
_MOST, _FEWEST = 1024, 200  # images that are looked at, and that are needed to tell
_CELLS = 2**23  # pixels that are looked at, where so few images have no more
_AXES = 16
# Largest factor by which mirrored images may be further from the principal axes of the others:
# photographs are 1.0 to 1.04 times as far as they were, digits 1.5 to 2.2 times, clothes and shoes
# 1.1 times (mirroring gave no better codes of those).
_MIRRORED = 1.08
_ROUNDING = 1e-6


class ImageScale(PixelScale):
    """Pixels on one scale, and whether images look like others of fit when changed.

    Mirrored images do where they are hardly further from the principal axes of the others than they
    were: a 6 that is mirrored is like no digit. Turned images do where they are no further than
    crops, which views are of anyway: so it is with handwriting, not with what stands upright.

    Parameters
    ----------
    image_shape : tuple of int
        (channels, height, width).
    within_unit_interval, multiset, names, seed, profile, supports
        As in :class:`PixelScale`.

    Attributes
    ----------
    mirrored, turned : bool
        Whether images look like others left to right reversed, and turned by up to 15 degrees.
        Neither where there are fewer than 200 images.
    """

    def __init__(self, image_shape, within_unit_interval, multiset, names, seed, **others):
        super().__init__(within_unit_interval, image_shape[0], multiset, names, seed, **others)
        self.mirrored = self.turned = False
        if len(multiset) < _FEWEST:
            return
        n_images = min(_MOST, max(_FEWEST, _CELLS // multiset.width))
        rows = self.scale(multiset.values(multiset.sample(n_images)))
        error = _error_beside(rows[::2])
        images = torch.from_numpy(rows[1::2].reshape(-1, *image_shape))

        generator = new_generator(seed)
        self.mirrored = error(images.flip(-1)) <= _MIRRORED * error(images)
        self.turned = error(_TURN(images, generator)) <= error(_CROP(images, generator))


class ImageViews(BaseEstimator):
    """Crops and changes of colour, of images that are turned or mirrored as well.

    Parameters
    ----------
    colored : bool
        Whether images have three channels, of colours.
    turned, mirrored : bool, default=False
        As :class:`ImageScale` found them.
    """

    def __init__(self, colored, turned=False, mirrored=False):
        self.colored = colored
        self.turned = turned
        self.mirrored = mirrored

    def for_images(self, scaler):
        """The views that suit the images of fit."""
        # A user's rows may have a scale of another kind, which has not looked.
        found = (getattr(scaler, name, False) for name in ("turned", "mirrored"))
        return ImageViews(self.colored, *found)

    @property
    def steps(self):
        """Augmentations, one after the other, where those of :class:`Compose` are."""
        turn = [_TURN] * self.turned
        mirror = [RandomHorizontalFlip()] * self.mirrored
        if self.colored:
            crop, gray = RandomResizedCrop(), [RandomGrayscale()]
        else:
            crop, gray = _CROP, []
        return [*turn, crop, *mirror, ColorJitter(), *gray]

    def __call__(self, images, generator):
        """Return views, Tensor of shape (n, channels, height, width)."""
        return Compose(self.steps)(images, generator)


def _error_beside(rows):
    """How far images are from the principal axes of these rows, as a function of images."""
    center = rows.mean(axis=0)
    rows = rows - center
    # Rows are fewer than pixels: their products are the smaller of the two matrices.
    variances, combinations = np.linalg.eigh(rows @ rows.T)
    kept = variances > _ROUNDING * variances[-1]
    combinations = combinations[:, kept][:, -_AXES:]
    axes = np.linalg.qr(rows.T @ combinations)[0]
    least = _ROUNDING * float(variances[-1]) + np.finfo(np.float64).tiny

    def error(images):
        changed = images.flatten(1).numpy() - center
        beside = np.square(changed - changed @ axes @ axes.T).sum(axis=1)
        # As shares: a crop is larger, and its errors with it.
        return float(np.mean((beside + least) / (np.square(changed).sum(axis=1) + least)))

    return error
