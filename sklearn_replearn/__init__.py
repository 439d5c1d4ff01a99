"""Autoencoders, variational autoencoders and contrastive encoders as scikit-learn transformers."""

from ._autoencoder import AutoencoderTransformer
from ._contrastive import ContrastiveTransformer
from ._predictors import EncoderClassifier, EncoderRegressor
from ._vae import VAETransformer
from .outliers import OutlierDetector

__all__ = [
    "AutoencoderTransformer",
    "ContrastiveTransformer",
    "EncoderClassifier",
    "EncoderRegressor",
    "OutlierDetector",
    "VAETransformer",
    "__version__",
]

__version__ = "0.1.0"
