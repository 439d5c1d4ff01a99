"""Transformers that fit in a moment."""

from sklearn.base import clone

from sklearn_replearn import VAETransformer


def quick(transformer, **params):
    """An unfitted copy of a transformer, or of its class by default, with little to train.

    Parameters
    ----------
    transformer : transformer or class
    **params
        Of the transformer.
    """
    transformer = transformer() if isinstance(transformer, type) else clone(transformer)
    few = {"n_importance_samples": 2} if isinstance(transformer, VAETransformer) else {}
    little = {"latent_dim": 3, "max_epochs": 2, "batch_size": 32, **few}
    return transformer.set_params(**{**little, **params})
