"""Codes decoded step by step, as images or as changes of columns."""

import numpy as np
import pandas as pd

from .._runtime.arrays import evenly
from ..rows import Images, Tokens
from ._columns import categories_of, frame_of, is_category, is_date
from ._fitted import codes_of, last_of

_CELLS = 2**22  # looked at for the spread of columns
IMAGE_AXES = 3  # of several images of one channel


def decoded_along(encoder, X, codes, n_steps, width):
    """Numbers of codes, deviations, and rows: the mean code decoded, then all steps."""
    if not hasattr(encoder, "inverse_transform"):
        raise TypeError(
            f"estimator must decode codes by inverse_transform; {type(encoder).__name__} does not."
        )
    every = codes_of(encoder, X)
    mean, spread = every.mean(axis=0), every.std(axis=0)
    numbers = np.arange(len(mean)) if codes is None else np.asarray(codes, dtype=np.intp)
    if (numbers >= len(mean)).any():
        raise ValueError(
            f"codes must be numbers from 0 to {len(mean) - 1}; got {numbers.tolist()}."
        )
    deviations = np.linspace(-width, width, n_steps)
    moved = np.tile(mean, (len(numbers), n_steps, 1))
    for place, number in enumerate(numbers):
        moved[place, :, number] += deviations * spread[number]
    every = np.vstack([mean, moved.reshape(-1, len(mean))])
    return numbers, deviations, encoder.inverse_transform(every)


def image_shape_of(encoder):
    """What an estimator of ours says about the shape of images; None where rows are none."""
    kind = getattr(last_of(encoder), "rows", None)
    return kind.shape if isinstance(kind, Images) else None


def levels_among(encoder, n_columns):
    """Numbers of columns whose cells are levels, which is how tokens are shown, too."""
    estimator = last_of(encoder)
    tokens = isinstance(getattr(estimator, "rows", None), Tokens)
    return range(n_columns) if tokens else categories_of(estimator)


def effects(found):
    """How much rows change along each code, ndarray of shape (n_codes,)."""
    if "images" in found:
        images = found["images"].astype(np.float64)
        return np.ptp(images, axis=1).reshape(len(images), -1).mean(axis=1)
    return np.ptp(found["changes"], axis=1).mean(axis=1)


def parts_of(decoded, X, shape, image_shape, categories=()):
    """What a display is made of: images, or changes of columns from the first decoded row."""
    is_array = isinstance(decoded, np.ndarray)
    if is_array and (image_shape is not None or decoded.ndim >= IMAGE_AXES):
        images = decoded[1:]
        if image_shape is not None:
            _check_shape(image_shape, int(np.prod(images.shape[1:])))
            images = images.reshape(len(images), *image_shape)
        images = _with_channels_last(images)
        return {"images": images.reshape(*shape, *images.shape[1:])}
    few = evenly(len(X), max(2, _CELLS // max(1, len(X.names))))
    rows = frame_of(decoded, categories=categories)
    seen = frame_of(X.take(few).given, categories=categories)
    changes = np.zeros((len(rows), rows.shape[1]))
    levels = np.full(changes.shape, "", dtype=object)
    for j in range(rows.shape[1]):
        column, of_fit = rows.iloc[:, j], seen.iloc[:, j]
        if is_category(column):
            levels[:, j] = column.astype(object).where(column.notna(), "missing").map(str)
            changes[:, j] = levels[:, j] != levels[0, j]
            continue
        if is_date(column):
            column, of_fit = _days(column), _days(of_fit)
        spread = float(of_fit.std(ddof=0)) if of_fit.notna().any() else 0.0
        numbers = column.to_numpy(dtype=np.float64)
        if spread > 0:
            changes[:, j] = np.nan_to_num((numbers - numbers[0]) / spread)
    n_columns = rows.shape[1]
    return {
        "changes": changes[1:].reshape(*shape, n_columns),
        "levels": levels[1:].reshape(*shape, n_columns),
        "columns": [str(name) for name in X.names],
    }


def _days(column):
    return (column - pd.Timestamp(0)) / pd.Timedelta(days=1)


def _check_shape(image_shape, n_pixels):
    if len(image_shape) not in (2, 3) or int(np.prod(image_shape)) != n_pixels:
        raise ValueError(
            "image_shape must be (height, width), or three numbers with channels, of "
            f"{n_pixels} pixels in all; got {tuple(image_shape)}."
        )


def _with_channels_last(images):
    """Images of shape (n, height, width), or with three channels behind."""
    if images.ndim == IMAGE_AXES:
        return images
    if images.ndim == IMAGE_AXES + 1 and images.shape[1] in (1, 3):
        images = np.moveaxis(images, 1, -1)
    if images.ndim != IMAGE_AXES + 1 or images.shape[-1] not in (1, 3):
        raise ValueError(
            "Images are of one or three channels, (n, channels, height, width) or (n, height, "
            f"width); got rows of shape {images.shape[1:]}."
        )
    return images[..., 0] if images.shape[-1] == 1 else images
