"""Autoencoders, variational autoencoders and contrastive encoders as scikit-learn transformers."""

from ._estimators.autoencoder import AutoencoderTransformer
from ._estimators.contrastive import ContrastiveTransformer
from ._estimators.imputer import RepresentationImputer
from ._estimators.semi_supervised import EncoderClassifier, EncoderRegressor
from ._estimators.vae import VAETransformer
from ._storage.files import load, save
from ._storage.trusted import trusted_types
from ._tables.parts import Parts
from .outliers import OutlierDetector

__all__ = [
    "AutoencoderTransformer",
    "ContrastiveTransformer",
    "EncoderClassifier",
    "EncoderRegressor",
    "OutlierDetector",
    "Parts",
    "RepresentationImputer",
    "VAETransformer",
    "__version__",
    "load",
    "save",
    "trusted_types",
]

__version__ = "0.2.0"
