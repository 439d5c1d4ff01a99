"""What rows are: rows of a table, images, or tokens. The one room that knows what each asks for."""

import math
from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
import torch

from .._dataset.sparse import SparseTable
from .._runtime.arrays import slices
from .._scaling.scaler import Columns
from .._scaling.shared_scale import PixelColumns, TokenColumns
from .._tables.names import name_columns
from ..augmentations import (
    ColorJitter,
    Compose,
    CropTokens,
    Identity,
    MaskTokens,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
    SwapNoise,
    TokenDropout,
)
from ..augmentations._binding import OnImages, OnTables, OnTokens
from ..likelihoods import Tokens
from ..modules import (
    ChannelStandardization,
    ConvDecoder,
    ConvEncoder,
    LinearSkip,
    TokenDecoder,
    TokenEncoder,
    TokenIds,
    linear,
    mlp,
)
from ..modules.foreign import own_copy
from ..objectives import NTXent
from .ends import inputs_for, likelihood_for

_CELLS = 2**20
_DECODED = 64
# Large enough for a thousand updates; without hidden layers the weights have further to go; beside
# categories and for sparse counts; for images and tokens.
_LR, _LR_LINEAR, _LR_MIXED, _LR_DEEP = 5e-3, 2e-2, 2e-3, 2e-3
_LOGITS = 2**14  # of a row: more take seconds a step


def domain_of(image_shape, vocabulary_size, stacked=False):
    """What rows are, by the two parameters of an estimator and the form of the images.

    Raises
    ------
    ValueError
        If both are given, or ``image_shape`` is none.
    """
    if image_shape is None:
        return Tables() if vocabulary_size is None else TokenRows(int(vocabulary_size))
    if vocabulary_size is not None:
        raise ValueError(
            "Rows are images or tokens: give image_shape or vocabulary_size, not both; got "
            f"image_shape={image_shape!r} and vocabulary_size={vocabulary_size!r}."
        )
    shape = tuple(image_shape)
    if len(shape) != 3 or not all(isinstance(size, Integral) and size >= 1 for size in shape):
        raise ValueError(
            "image_shape must be three whole numbers of at least 1, (channels, height, width), "
            f"such as (1, 28, 28); got {image_shape!r}."
        )
    return Images(tuple(map(int, shape)), stacked)


@dataclass(frozen=True)
class Tables:
    """Rows of a table, each column of a kind of its own."""

    def as_table(self, X):
        """What is validated as a table."""
        return X

    def one_row(self, x):
        """A single row as a table of one, where its form alone tells that it is one."""
        return x

    def described(self, X):
        """What :func:`domain_of` takes, for rows that are given back in the form of these."""
        return None, None, False

    def given_back(self, rows):
        """Rows in the form of fit."""
        return rows

    def check(self, table, schema):
        """Refuse tables that are valid tables and no rows of this domain."""

    def columns(self, scaling, multiset, names, seed, likelihoods, schema):
        """See :class:`Columns`."""
        return Columns(scaling, multiset, names, seed, likelihoods, schema.n_levels, schema.ordered)

    def ends(self, columns, scale, hides):
        """Inputs (or None) and likelihood."""
        return inputs_for(columns, hides), likelihood_for(columns, scale)

    def encoder(self, plan, n_out, columns, generator):
        """Inputs to ``n_out`` numbers a row."""
        n_in, hidden = plan["n_inputs"], plan["hidden"]
        if plan["encoder"] is not None:
            return own_copy(plan["encoder"], n_in, n_out)
        encoder = mlp((n_in, *hidden, n_out), plan["activation"], generator)
        if hidden and (plan["hides"] or not columns.plain):
            # Levels one-hot say much that is linear: measured on mixed tables, see benchmarks.
            return LinearSkip(encoder, linear(n_in, n_out, generator))
        return encoder

    def decoder(self, plan, generator):
        """Codes to what the likelihood takes."""
        if plan["decoder"] is not None:
            return own_copy(plan["decoder"], plan["latent_dim"], plan["n_outputs"])
        sizes = (plan["latent_dim"], *plan["hidden"][::-1], plan["n_outputs"])
        return mlp(sizes, plan["activation"], generator)

    def bound(self, augmentation, columns):
        """An augmentation of a user's as one of scaled cells."""
        if not columns.mixed:
            return augmentation
        return OnTables(augmentation, torch.from_numpy(~columns.numbers))

    def corruption(self, columns):
        """That of an autoencoder by default."""
        return SwapNoise(0.3) if columns.mixed else Identity()

    def augmentation(self):
        """The views by default."""
        return SwapNoise(0.3)

    def objective(self):
        """What compares them by default."""
        return NTXent()

    def lr(self, plan, columns):
        """The learning rate by default."""
        if not plan["hidden"]:
            return _LR_LINEAR
        of_codes = columns.mixed or columns.rarity is not None
        return _LR_MIXED if of_codes else _LR

    #: Numbers of a plan that are widened where rows must not depend on each other, in float32; None
    #: where float64 has to do.
    widened = ("n_inputs", "n_outputs", "latent_dim")

    #: Whether numbers lie within 0 and 1 by the scaling "auto".
    within_unit_interval = False

    #: Whether the networks are linear layers one behind the other.
    dense = True

    #: Rows of a batch that a decoder learns from beside a contrastive objective; None: all.
    n_decoded = None


@dataclass(frozen=True)
class Images(Tables):
    """Images, as flat rows or as an array of four axes.

    Attributes
    ----------
    shape : tuple of int
        (channels, height, width).
    stacked : bool
        Whether fit saw an array of four axes.
    """

    shape: tuple
    stacked: bool = field(default=False, compare=False)

    within_unit_interval = True
    widened = ("latent_dim",)
    dense = False
    n_decoded = _DECODED

    def as_table(self, X):
        if isinstance(X, list | tuple):
            X = np.asarray(X)
        if getattr(X, "ndim", 2) > 2:
            shown = tuple(X.shape)
            if shown[1:] != self.shape:
                last = shown[1:] == (*self.shape[1:], self.shape[0])
                hint = " Channels come first: use X.transpose(0, 3, 1, 2)." if last else ""
                raise ValueError(
                    f"image_shape={self.shape} takes rows of shape (n, {self._width}) or images of "
                    f"shape (n, {', '.join(map(str, self.shape))}); got shape {shown}.{hint}"
                )
            return np.asarray(X).reshape(len(X), self._width)
        return X

    @property
    def _width(self):
        return math.prod(self.shape)

    def one_row(self, x):
        return np.asarray(x)[None] if np.shape(x) == self.shape else x

    def described(self, X):
        return self.shape, None, getattr(X, "ndim", 2) > 2 or _depth(X) > 2

    def given_back(self, rows):
        if not self.stacked or not isinstance(rows, np.ndarray):
            return rows
        return rows.reshape(len(rows), *self.shape)

    def check(self, table, schema):
        if table.shape[1] != self._width:
            raise ValueError(
                f"image_shape={self.shape} makes {self._width} pixels; the rows have "
                f"{table.shape[1]} columns. Give the shape (channels, height, width) of the images."
            )
        _reject_other_than_numbers(table, schema, "image_shape")

    def columns(self, scaling, multiset, names, seed, likelihoods, schema):
        asked = ["gaussian" if name == "auto" else name for name in likelihoods]
        return PixelColumns(self.shape, scaling, multiset, names, seed, asked)

    def ends(self, columns, scale, hides):
        _reject_hiding(hides, "images")
        inputs = ChannelStandardization(self.shape, columns.channel_mean, columns.channel_scale)
        return inputs, likelihood_for(columns, scale)

    def encoder(self, plan, n_out, columns, generator):
        if plan["encoder"] is not None:
            return _of_images(plan["encoder"], self.shape, n_out)
        return ConvEncoder(self.shape, n_out, generator)

    def decoder(self, plan, generator):
        if plan["decoder"] is not None:
            return super().decoder(plan, generator)
        return ConvDecoder(plan["latent_dim"], self.shape, generator)

    def bound(self, augmentation, columns):
        return OnImages(augmentation, self.shape)

    def corruption(self, columns):
        return Identity()

    def augmentation(self):
        if self.shape[0] != 3:
            crop = RandomResizedCrop(scale=(0.5, 1.0), ratio=(0.8, 1.25))
            return Compose([RandomRotation(15), crop, ColorJitter()])
        return Compose(
            [RandomResizedCrop(), RandomHorizontalFlip(), ColorJitter(), RandomGrayscale()]
        )

    def objective(self):
        return NTXent(temperature=0.2)

    def lr(self, plan, columns):
        return _LR_DEEP


@dataclass(frozen=True)
class TokenRows(Tables):
    """Rows of token ids, 0 for padding.

    Attributes
    ----------
    vocabulary_size : int
        Ids are below it.
    """

    vocabulary_size: int

    widened = None
    dense = False
    n_decoded = _DECODED

    def described(self, X):
        return None, self.vocabulary_size, False

    def check(self, table, schema):
        _reject_other_than_numbers(table, schema, "vocabulary_size")
        for part in slices(len(table), max(1, _CELLS // table.shape[1])):
            ids = table[part]
            low, high = ids.min(), ids.max()
            if low < 0 or high >= self.vocabulary_size:
                raise ValueError(
                    f"vocabulary_size={self.vocabulary_size} takes token ids from 0 (padding) to "
                    f"{self.vocabulary_size - 1}; the table has {low if low < 0 else high:.6g}."
                )
            if (ids != np.rint(ids)).any():
                raise ValueError(
                    "With vocabulary_size cells are token ids, whole numbers; the table has "
                    f"{ids[ids != np.rint(ids)][0]:.6g}."
                )

    def columns(self, scaling, multiset, names, seed, likelihoods, schema):
        others = set(likelihoods) - {"auto", "error", "gaussian"}
        if scaling not in ("auto", None) or others:
            given = f"scaling={scaling!r}" if not others else ", ".join(sorted(others))
            raise ValueError(
                "With vocabulary_size cells are names, not numbers: leave scaling and the loss or "
                f"likelihood as they are by default; got {given}."
            )
        return TokenColumns(self.vocabulary_size, multiset, names, seed)

    def ends(self, columns, scale, hides):
        _reject_hiding(hides, "tokens")
        length = len(columns.low)
        n_states = self._n_states(length)
        return TokenIds(length), Tokens(length, columns.frequencies, columns.filled, n_states)

    def _n_states(self, length):
        """States of a decoder: one for each position only where the vocabulary is small."""
        return max(1, min(length, _LOGITS // self.vocabulary_size))

    def encoder(self, plan, n_out, columns, generator):
        if plan["encoder"] is not None:
            shape = 2, plan["n_inputs"]
            ids = torch.full(shape, self.vocabulary_size, dtype=torch.int64, device="cpu")
            return own_copy(plan["encoder"], plan["n_inputs"], n_out, ids)
        return TokenEncoder(self.vocabulary_size, n_out, generator)

    def decoder(self, plan, generator):
        if plan["decoder"] is not None:
            return super().decoder(plan, generator)
        length = plan["n_features"]
        return TokenDecoder(plan["latent_dim"], length, generator, self._n_states(length))

    def bound(self, augmentation, columns):
        return OnTokens(augmentation, self.vocabulary_size)

    def corruption(self, columns):
        return MaskTokens(self.vocabulary_size)

    def augmentation(self):
        return Compose([CropTokens((0.3, 1.0)), TokenDropout(0.5)])

    def objective(self):
        return NTXent(temperature=0.3, projector_sizes=(256, 128))

    def lr(self, plan, columns):
        return _LR_DEEP


def _reject_hiding(hides, rows):
    if hides:
        raise ValueError(
            f"MaskFeatures(value=nan) hides cells of tables; rows are {rows}. Use one of the "
            f"augmentations of {rows}."
        )


def _of_images(module, shape, n_out):
    """A user's encoder, which takes images or flat rows, as one of flat rows."""
    images = torch.zeros((2, *shape), dtype=torch.float32, device="cpu")
    try:
        built = own_copy(module, math.prod(shape), n_out, images)
    except ValueError as error:
        try:
            return own_copy(module, math.prod(shape), n_out)
        except ValueError:
            raise error from None
    return torch.nn.Sequential(torch.nn.Unflatten(1, shape), built)


def _reject_other_than_numbers(table, schema, setting):
    """Refuse sparse tables, categories and missing cells."""
    levels = schema.n_levels
    if isinstance(table, SparseTable) or (levels is not None and levels.any()):
        kind = "a sparse matrix" if isinstance(table, SparseTable) else "text or categories"
        raise ValueError(f"With {setting} the table is an array of numbers; got {kind}.")
    if np.isnan(table.sum()):
        gone = np.flatnonzero(np.isnan(table).any(axis=0))
        raise ValueError(
            f"With {setting} no cell may be missing; NaN is in {name_columns(schema.names, gone)}. "
            "Fill or leave out these rows first."
        )


def _depth(X):
    depth = 0
    while isinstance(X, list | tuple) and len(X):
        X, depth = X[0], depth + 1
    return depth + getattr(X, "ndim", 0) if depth else 0
