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

from .base import Compose, Identity, OnImages, OnTables, OnTokens, view
from .images import Blur, ColorJitter, GrayScale, HorizontalFlip, RandomResizedCrop, Rotate
from .tables import FeatureSubsets, GaussianNoise, MaskFeatures, MixUp, SwapNoise, SwapRows
from .tokens import CropTokens, DeleteTokens, MaskTokens

__all__ = [
    "Blur",
    "ColorJitter",
    "Compose",
    "CropTokens",
    "DeleteTokens",
    "FeatureSubsets",
    "GaussianNoise",
    "GrayScale",
    "HorizontalFlip",
    "Identity",
    "MaskFeatures",
    "MaskTokens",
    "MixUp",
    "OnImages",
    "OnTables",
    "OnTokens",
    "RandomResizedCrop",
    "Rotate",
    "SwapNoise",
    "SwapRows",
    "view",
]
