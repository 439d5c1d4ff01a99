"""Views of rows: callables ``augmentation(rows, generator) -> rows``.

Corruptions of a denoising autoencoder and views of a contrastive encoder are the same thing. Each
is stateless and draws only from the generator that it is given. Those of tables see scaled cells,
Tensor of shape (n, n_features): with the default scaling, units are standard deviations of the
column; categories are whole numbers from 1, 0 is an unknown one; missing cells are NaN. Those of
images see values between 0 and 1, Tensor of shape (n, channels, height, width), and those of tokens
whole numbers, Tensor of shape (n, length), in which 0 is padding.

Any callable of this form works where these are accepted, and so does one that takes rows only and
draws from torch's global generator, as the transforms of torchvision and kornia do.
"""

from .composition import Compose, Identity
from .images import (
    ColorJitter,
    GaussianBlur,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
)
from .tables import CutMix, FeatureSubsets, GaussianNoise, MaskFeatures, MixUp, SwapNoise
from .tokens import CropTokens, MaskTokens, TokenDropout

__all__ = [
    "ColorJitter",
    "Compose",
    "CropTokens",
    "CutMix",
    "FeatureSubsets",
    "GaussianBlur",
    "GaussianNoise",
    "Identity",
    "MaskFeatures",
    "MaskTokens",
    "MixUp",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "SwapNoise",
    "TokenDropout",
]
