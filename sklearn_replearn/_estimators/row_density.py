"""The density of rows beside the decoder's: fitted after the network, and applied."""

import math

import numpy as np
import torch

from ..densities import Autoregressive
from .likelihood_bounds import N_FIGURES


def fitted_density(density, train_rows, model, measure):
    """What ``density=`` asks for, fitted to the training rows; None is the decoder's.

    Parameters
    ----------
    density : str or Autoregressive
    train_rows : TrainingRows
    model : Model
        But for its weights.
    measure : Measure

    Raises
    ------
    ValueError
        If rows are none of a table, or the table is too wide.
    """
    if density == "decoder":
        return None
    if not model.rows.tabular:
        raise ValueError(
            f"density={density!r} is for rows of a table; rows are {type(model.rows).__name__}. "
            'Leave it at "decoder".'
        )
    density = Autoregressive() if density == "autoregressive" else density
    return density.fitted(train_rows.multiset, model, measure, train_rows.device)


def log_likelihoods(inference, table, generation):
    """As :func:`bounds_of`, by a density that needs no codes: exact, with no divergence.

    Parameters
    ----------
    inference : Inference
    table : ndarray of shape (n_rows, n_features)
    generation : Generation
    """
    density, scaler = generation.density, inference.scaler
    network = density.network(inference.device)
    log_unseen = -math.log(scaler.n_rows + 1.0)

    def of_part(_, part):
        cells = density.log_prob(network, scaler, generation.measure, log_unseen, part.values)
        cells = torch.from_numpy(cells)
        figures = torch.zeros((len(cells), N_FIGURES), dtype=cells.dtype)
        figures[:, 0] = cells.sum(1)
        return torch.cat([figures, cells], dim=1)

    width = N_FIGURES + table.shape[1]
    return inference.of_table(of_part, table, width, np.float64)
