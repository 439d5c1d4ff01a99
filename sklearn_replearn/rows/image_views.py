"""Which views suit images: what fit learns of them, and the default views that follow from it."""

import math

import numpy as np
import torch
from sklearn.base import BaseEstimator

from .._scaling.shared_scale import PixelScale
from ..augmentations import (
    ColorJitter,
    Compose,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
)
from ..augmentations.images import rotated

_DEGREES = 15
_HARDLY = 3  # degrees: pixels are interpolated as in a turn, the image is as it was
_MOST, _FEWEST = 1024, 200  # images that are looked at, and that are needed to tell
_CELLS = 2**23  # pixels that are looked at, where so few images have no more
_AXES = 16
# Largest factors by which images may be further from the principal axes of the others. Mirrored,
# photographs are 1.0 to 1.04 times as far as they were, digits 1.5 to 2.2 times, clothes and shoes
# 1.1 times (mirroring gave no better codes of those). Turned, handwritten digits of 28 x 28 pixels
# are 1.1 times as far, all others 1.6 to 3.3 times.
_MIRRORED, _TURNED = 1.08, 1.3
_ROUNDING = 1e-6


class ImageScale(PixelScale):
    """Pixels on one scale, and whether images look like others of fit when changed.

    That is so where what is changed is hardly further from the principal axes of the other images:
    a 6 that is mirrored is like no digit.

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

    def __init__(self, image_shape, within_unit_interval, multiset, *others, **more):
        super().__init__(within_unit_interval, image_shape[0], multiset, *others, **more)
        self.mirrored = self.turned = False
        if len(multiset) < _FEWEST:
            return
        n_images = min(_MOST, max(_FEWEST, _CELLS // multiset.width))
        rows = self.scale(multiset.values(multiset.sample(n_images)))
        error = _error_beside(rows[::2])
        images = torch.from_numpy(rows[1::2].reshape(-1, *image_shape))

        def error_turned(degrees):
            angle = images.new_full((len(images), 1, 1), math.radians(degrees))
            return error(rotated(images, angle)) + error(rotated(images, -angle))

        self.mirrored = error(images.flip(-1)) <= _MIRRORED * error(images)
        self.turned = error_turned(_DEGREES) <= _TURNED * error_turned(_HARDLY)


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
        return ImageViews(self.colored, scaler.turned, scaler.mirrored)

    @property
    def steps(self):
        """Augmentations, one after the other, where those of :class:`Compose` are."""
        turn = [RandomRotation(_DEGREES)] * self.turned
        mirror = [RandomHorizontalFlip()] * self.mirrored
        if self.colored:
            crop, gray = RandomResizedCrop(), [RandomGrayscale()]
        else:
            crop, gray = RandomResizedCrop(scale=(0.5, 1.0), ratio=(0.8, 1.25)), []
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
    least = _ROUNDING * float(variances[-1])

    def error(images):
        changed = images.flatten(1).numpy() - center
        changed = changed - changed @ axes @ axes.T
        return max(float(np.square(changed).sum()), least)

    return error
