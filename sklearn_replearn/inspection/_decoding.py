"""Codes decoded step by step, as images or as changes of columns."""

import numpy as np
import pandas as pd

from .._runtime.arrays import evenly
from ..rows import Tokens
from ._columns import frame_of, is_category, is_date
from ._fitted import categories_of, codes_of, kind_of_rows, last_of
from ._images import as_images

_CELLS = 2**22  # looked at for the spread of columns
IMAGE_AXES = 3  # of several images of one channel


def decoded_along(encoder, X, codes, n_steps, width):
    """Numbers of codes, deviations, and rows: the mean code decoded, then all steps."""
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


def levels_among(encoder, n_columns):
    """Numbers of columns whose cells are levels, which is how tokens are shown, too."""
    estimator = last_of(encoder)
    tokens = isinstance(kind_of_rows(estimator), Tokens)
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
        images = as_images(decoded[1:], image_shape)
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
