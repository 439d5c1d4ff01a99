"""Small images."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from numpy.typing import NDArray
from torch import nn

from .._dataset.multiset import Multiset
from .._scaling.profile import Profile
from .._scaling.scaler import Scaler
from ..augmentations import Identity
from ..augmentations._binding import OnImages
from ..likelihoods.base import Likelihood
from ..modules import ChannelStandardization, ConvDecoder, ConvEncoder
from ..objectives import NTXent
from ..objectives.base import Objective
from .arrays import Arrays
from .base import reject_hiding
from .image_views import ImageScale, ImageViews

_LR = 2e-3
_DECODED = 64


class Images(Arrays):
    """Images, as flat rows of pixels or as arrays of shape (n, channels, height, width).

    Networks are convolutional. Augmentations see images of shape (n, channels, height, width) with
    pixels between 0 and 1; a given ``encoder`` may take images or flat rows.

    By default views are crops with changes of colour. They are mirrored as well where mirrored
    images are about as near as they were to 16 principal components of others, and turned by up to
    15 degrees where turned images are as near as crops are. Fewer than 200 images are neither.

    Parameters
    ----------
    shape : tuple of int
        (channels, height, width).
    scaling : {"auto", "minmax"} or None, default="auto"
        All pixels have one scale: the range of the training images becomes 0 to 1, or None where
        they are within 0 and 1 as they are.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_replearn import ContrastiveTransformer
    >>> from sklearn_replearn.rows import Images
    >>> X = load_digits().data[:100]
    >>> encoder = ContrastiveTransformer(latent_dim=8, rows=Images((1, 8, 8)), max_epochs=1)
    >>> encoder.fit_transform(X).shape
    (100, 8)
    """

    hidden_layer_sizes = None
    activation = "relu"
    padded = ("latent_dim",)
    n_decoded = _DECODED
    _wanted = "three whole numbers of at least 1, (channels, height, width), such as (1, 28, 28)"

    def __init__(
        self, shape: Sequence[int], scaling: Literal["auto", "minmax"] | None = "auto"
    ) -> None:
        self.shape = shape
        self.scaling = scaling

    def _has_axes(self, n_axes):
        return n_axes == 3

    _unit_interval = True

    def scaler(
        self,
        profile: Profile,
        multiset: Multiset,
        likelihoods: Sequence[type[Likelihood]],
        asked: Sequence[type[Likelihood] | None],
        names: NDArray[Any] | None,
        seed: int,
    ) -> Scaler:
        """One scale for all pixels, and which changes give images like the others."""
        scaling = self.scaling
        if scaling is not None and not (isinstance(scaling, str) and scaling in ("auto", "minmax")):
            raise ValueError(
                'All pixels of images have one scale: scaling is "auto" (the range of the training '
                f"images becomes 0 to 1) or None (it is within 0 and 1); got {self.scaling!r}."
            )
        supports = [kind.support for kind in likelihoods]
        return ImageScale(
            self._shape,
            self.scaling is None,
            multiset,
            names,
            seed,
            profile=profile,
            supports=supports,
        )

    def encoding(self, scaler: Scaler, hides: bool) -> nn.Module | None:
        """Each channel with mean 0 and standard deviation 1."""
        reject_hiding(hides, "images")
        return ChannelStandardization(self._shape, scaler.channel_mean, scaler.channel_scale)

    def encoder(self, plan: Any, n_out: int, generator: torch.Generator) -> nn.Module:
        """Convolutions."""
        return ConvEncoder(self._shape, n_out, generator, activation=plan.activation)

    def decoder(self, plan: Any, generator: torch.Generator) -> nn.Module:
        """Convolutions."""
        shape = self._shape
        return ConvDecoder(plan.latent_dim, shape, generator, activation=plan.activation)

    def bound(self, augmentation: Any, scaler: Scaler) -> Any:
        """An augmentation of images as one of flat rows."""
        if isinstance(augmentation, ImageViews):
            augmentation = augmentation.for_images(scaler)
        return OnImages(augmentation, self._shape)

    def corruption(self, scaler: Scaler) -> Any:
        """None."""
        return Identity()

    def augmentation(self) -> Any:
        """Crops and changes of colour; turned and mirrored where images look like others then."""
        return ImageViews(self._shape[0] == 3)

    def objective(self) -> Objective:
        """At a temperature of 0.2."""
        return NTXent(temperature=0.2)

    def lr(self, plan: Any, scaler: Scaler) -> float:
        """Lower than for tables."""
        return _LR
