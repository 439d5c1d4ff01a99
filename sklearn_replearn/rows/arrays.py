"""Rows that are arrays of one shape, such as windows of a time series."""

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .._dataset.multiset import Multiset
from .._runtime.parameters import is_whole
from .._scaling.profile import Profile
from .._scaling.scaler import Scaler
from .._scaling.shared_scale import SharedScale
from .._tables.arrays import without_mask
from .._tables.schema import Schema
from ..likelihoods import Gaussian
from ..likelihoods.base import Likelihood
from ..likelihoods.names import name_of
from ..modules.foreign import own_copy
from .base import Rows, reject_hiding, reject_other_than_numbers


class Arrays(Rows):
    """Arrays of numbers of one shape, channels first.

    They are given as an array of shape (n_samples, \\*shape) or as flat rows, and are given back as
    fit saw them. Each channel has one scale. Networks take flat rows; a subclass with an encoder
    and a decoder of its own makes them convolutional ones, for example.

    Parameters
    ----------
    shape : tuple of int
        Of one row, such as (channels, length).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import AutoencoderTransformer
    >>> from sklearn_replearn.rows import Arrays
    >>> windows = np.random.RandomState(0).normal(size=(20, 3, 8))
    >>> encoder = AutoencoderTransformer(latent_dim=4, rows=Arrays((3, 8)), max_epochs=2)
    >>> codes = encoder.fit_transform(windows)
    >>> codes.shape, encoder.inverse_transform(codes).shape
    ((20, 4), (20, 3, 8))
    """

    tabular = False

    #: Whether fit saw an array of all axes rather than flat rows.
    _stacked = False

    def __init__(self, shape: Sequence[int]) -> None:
        self.shape = shape

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        given = tags.input_tags
        given.sparse = given.string = given.categorical = False
        given.three_d_array = np.shape(self.shape) == (2,)
        return tags

    @property
    def _shape(self):
        """The shape, checked."""
        shape = tuple(self.shape) if isinstance(self.shape, tuple | list) else ()
        if not self._has_axes(len(shape)) or not all(
            is_whole(size) and 1 <= size < 2**31 for size in shape
        ):
            raise ValueError(
                f"{type(self).__name__}: shape must be {self._wanted}; got {self.shape!r}."
            )
        return tuple(map(int, shape))

    _wanted = "whole numbers of at least 1, the shape of one row, such as (3, 100)"

    def _has_axes(self, n_axes):
        """Whether a row may have so many axes."""
        return n_axes > 0

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return math.prod(self._shape)

    def in_form_of(self, X: Any) -> Self:
        """A copy that gives back arrays of all axes where ``X`` has them."""
        rows = super().in_form_of(X)
        rows._stacked = getattr(X, "ndim", 2) > 2 or _depth(X) > 2
        return rows

    def to_table(self, X: Any) -> Any:
        """Flat rows.

        Raises
        ------
        ValueError
            If ``X`` is an array of more than two axes, of another shape.
        """
        if isinstance(X, list | tuple):
            X = np.asarray(X)
        X = without_mask(X)
        if getattr(X, "ndim", 2) <= 2:
            return X
        shape, shown = self._shape, tuple(X.shape)
        if shown[1:] != shape:
            last = len(shape) > 1 and shown[1:] == (*shape[1:], shape[0])
            order = [0, len(shape), *range(1, len(shape))]
            hint = f" Channels come first: use X.transpose{tuple(order)}." if last else ""
            if shape[0] == 1 and shown[1:] == shape[1:]:
                hint = " Give the axis of the one channel: use X[:, None]."
            raise ValueError(
                f"{type(self).__name__}({shape}) takes rows of shape (n, {self.width}) or arrays "
                f"of shape (n, {', '.join(map(str, shape))}); got shape {shown}.{hint}"
            )
        return np.asarray(X).reshape(len(X), self.width)

    def row_to_table(self, x: Any) -> Any:
        """One array as a table of one row."""
        return np.asarray(x)[None] if np.shape(x) == self._shape else x

    def from_table(self, table: Any) -> Any:
        """Arrays of all axes where fit saw such."""
        if not self._stacked or not isinstance(table, np.ndarray):
            return table
        return table.reshape(len(table), *self._shape)

    def check(self, table: Any, schema: Schema) -> None:
        """Refuse other widths, sparse tables, text and missing cells."""
        if table.shape[1] != self.width:
            raise ValueError(
                f"{type(self).__name__}({self._shape}) has {self.width} numbers in a row; the rows "
                f"have {table.shape[1]} columns. Give the shape of one row: {self._wanted}."
            )
        reject_other_than_numbers(table, schema, type(self).__name__)

    def likelihoods(
        self,
        profile: Profile,
        asked: Sequence[type[Likelihood] | None],
        binary: type[Likelihood],
        names: NDArray[Any] | None,
    ) -> list[type[Likelihood]]:
        """That which is asked for, else normal ones: cells of 0 and 1 are numbers, too."""
        kinds = [Gaussian if kind is None else kind for kind in asked]
        for kind in dict.fromkeys(kinds):
            if kind.support.logarithmic or (kind.support.as_given and not self._unit_interval):
                raise ValueError(
                    f"Cells of {type(self).__name__} share a scale: their likelihood is one of "
                    f"numbers, such as gaussian or student_t; got {name_of(kind)}, of "
                    f"{kind.support.words}."
                )
        return kinds

    #: Whether scaled cells are within 0 and 1.
    _unit_interval = False

    def scaler(
        self,
        profile: Profile,
        multiset: Multiset,
        likelihoods: Sequence[type[Likelihood]],
        asked: Sequence[type[Likelihood] | None],
        names: NDArray[Any] | None,
        seed: int,
    ) -> Scaler:
        """One scale for each channel."""
        supports = [kind.support for kind in likelihoods]
        return SharedScale(
            self._shape[0], multiset, names, seed, profile=profile, supports=supports
        )

    def encoding(self, scaler: Scaler, hides: bool) -> nn.Module | None:
        """None: encoders take flat rows."""
        reject_hiding(hides, type(self).__name__)

    def given_encoder(self, plan: Any, n_out: int) -> nn.Module:
        """A user's encoder, which takes arrays or flat rows, as one of flat rows."""
        shape = self._shape
        arrays = torch.zeros((2, *shape), dtype=torch.float32, device="cpu")
        try:
            built = own_copy(plan.encoder, self.width, n_out, arrays)
        except ValueError as error:
            try:
                return own_copy(plan.encoder, self.width, n_out)
            except ValueError:
                raise error from None
        return torch.nn.Sequential(torch.nn.Unflatten(1, shape), built)


def _depth(X):
    depth = 0
    while isinstance(X, list | tuple) and len(X):
        X, depth = X[0], depth + 1
    return depth + getattr(X, "ndim", 0) if depth else 0
