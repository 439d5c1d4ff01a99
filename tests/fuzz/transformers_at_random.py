"""Transformers with parameters at random, with little to train."""

import numpy as np

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.augmentations import Compose, GaussianNoise, MaskFeatures, SwapNoise
from sklearn_replearn.objectives import (
    BYOL,
    DCL,
    ELBO,
    IWAE,
    BarlowTwins,
    BetaTCVAE,
    CapacityELBO,
    InfoVAE,
    KLSparsity,
    L1Sparsity,
    NTXent,
    SimSiam,
    TopKSparsity,
    VICReg,
)
from sklearn_replearn.priors import Mixture, VampPrior
from sklearn_replearn.rows import Table

_SHARED = {
    "latent_dim": [1, 2, 5, 17],
    "hidden_layer_sizes": ["auto", (), (8,), (8, 4)],
    "activation": ["auto", "relu", "tanh"],
    "rows": [None, Table(scaling="robust"), Table(scaling="quantile"), Table(scaling="minmax")],
    "batch_size": [1, 7, 256],
    "max_epochs": [1, 3],
    "lr": ["auto", 1e-3],
    "lr_schedule": ["cosine", None],
    "optimizer": ["adamw", "adam", "sgd"],
    "weight_decay": [0.0, 0.01],
    "gradient_clip": [10.0, None],
    "early_stopping": [False, True],
    "random_state": [0, 42],
}
_OWN = {
    AutoencoderTransformer: {
        "corruption": [None, GaussianNoise(0.3), SwapNoise(0.2), MaskFeatures(0.2, value=np.nan)],
        "sparsity": [None, L1Sparsity(0.1), KLSparsity(0.1), TopKSparsity(1)],
    },
    VAETransformer: {
        "beta": [0.0, 1.0, 4.0],
        "likelihood": ["auto", "gaussian", "student_t"],
        "scale": [None, 0.5],
        "kl_warmup": [0.0, 0.5],
        "prior": ["auto", "normal", "mixture", Mixture(3), VampPrior(2)],
        "objective": [None, ELBO(), IWAE(3), BetaTCVAE(), CapacityELBO(), InfoVAE()],
        "n_importance_samples": [1, 8],
    },
    ContrastiveTransformer: {
        "objective": [None, NTXent(0.2), DCL(), BYOL(), SimSiam(), BarlowTwins(), VICReg()],
        "augmentation": [None, Compose([SwapNoise(0.2), GaussianNoise(0.1)]), MaskFeatures(0.3)],
    },
}


def transformer_at_random(rng):
    """One of the three, most of its parameters at their defaults."""
    kind = list(_OWN)[rng.randint(3)]
    choices = {**_SHARED, **_OWN[kind]}
    few = {name: choices[name] for name in ("latent_dim", "max_epochs")}
    drawn = {name: values for name, values in choices.items() if name in few or rng.rand() < 0.25}
    params = {name: values[rng.randint(len(values))] for name, values in drawn.items()}
    if params.get("likelihood") == "student_t":
        params.pop("scale", None)
    if params.get("objective") is not None and kind is VAETransformer:  # it has weights of its own
        params.pop("beta", None)
        params.pop("kl_warmup", None)
    return kind(**params)
