"""What a VAE minimises: the likelihoods that are asked for, and how the terms are weighed."""

import math

from .._tables.names import by_number
from ..likelihoods.names import class_of
from ..objectives import ELBO
from ..objectives.base import check_network_of


def asked_likelihoods(likelihood, schema, n_features):
    """The class of likelihood asked for, for each column; None leaves it to the column.

    Parameters
    ----------
    likelihood : str, class or dict
    schema : Schema
    n_features : int
    """
    if not isinstance(likelihood, dict):
        return [class_of(likelihood, "likelihood")] * n_features
    asked, levels = [None] * n_features, schema.levels(n_features)
    given = by_number(likelihood, n_features, schema.names, "likelihood")
    for j, (column, one) in given.items():
        kind = class_of(one, f"likelihood of column {column!r}")
        if not levels.numbers[j]:
            raise ValueError(
                f"likelihood names column {column!r}, which holds categories: they have one of "
                "their own. Leave it out."
            )
        asked[j] = kind
    return asked


def objective_of(vae, n_updates):
    """The objective of a VAETransformer, of which it may have one or the weights of the default."""
    if vae.objective is None:
        return ELBO(vae.beta, warmup_steps=math.floor(vae.kl_warmup * n_updates))
    check_network_of(vae.objective, type(vae).__name__, posterior=True)
    if (vae.beta, vae.kl_warmup) != (1.0, 0.1):
        raise ValueError(
            f"beta={vae.beta!r} and kl_warmup={vae.kl_warmup!r} are of the default objective. "
            "Leave them out, and give weights and the warm-up to the objective itself, such as "
            f"ELBO(beta=4.0, warmup_steps=0.2); got objective={vae.objective!r}."
        )
    return vae.objective
