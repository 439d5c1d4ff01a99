"""Rows that are images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rows import Images
from ._fitted import kind_of_rows, last_of

_CHANNELS = (1, 3)  # grey; red, green and blue


def image_shape_of(estimator: Any) -> tuple[int, ...] | None:
    """What a transformer of ours says about the shape of images; None where rows are none."""
    kind = kind_of_rows(last_of(estimator))
    drawn = isinstance(kind, Images) and kind.shape[0] in _CHANNELS
    return tuple(kind.shape) if drawn else None


def as_images(rows: NDArray[Any], shape: Sequence[int] | None = None) -> NDArray[Any]:
    """Images of shape (n, height, width) or (n, height, width, 3).

    Parameters
    ----------
    rows : ndarray of shape (n, n_pixels), or of more axes
    shape : sequence of int, default=None
        Of a row: (height, width), (channels, height, width) or (height, width, channels). None:
        that of ``rows``.

    Raises
    ------
    ValueError
        If rows are no such images.
    """
    shape, n_numbers = tuple(rows.shape[1:] if shape is None else shape), rows[0].size
    if len(shape) not in (2, 3) or np.prod(shape) != n_numbers:
        raise ValueError(
            "image_shape must be (height, width), (channels, height, width) or (height, width, "
            f"channels) of {n_numbers} numbers, the width of a row; got {shape!r}."
        )
    images = rows.reshape(len(rows), *shape)
    if len(shape) == 2:
        return images
    behind = shape[-1] == 1 and shape[0] != 1
    if shape[0] in _CHANNELS and not behind:
        images = np.moveaxis(images, 1, -1)
    if images.shape[-1] not in _CHANNELS:
        raise ValueError(
            "Images have 1 or 3 channels, (channels, height, width) or (height, width, channels); "
            f"got {shape!r}."
        )
    return images[..., 0] if images.shape[-1] == 1 else images
