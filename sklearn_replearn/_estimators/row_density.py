"""The density of rows beside the decoder's: fitted after the network, and applied."""

import math
from dataclasses import replace

import numpy as np
import torch

from .._runtime.tasks import current_task
from ..densities import Autoregressive
from ..densities.masked_prediction import fitted_prediction
from .likelihood_bounds import N_FIGURES

_MOST_ROWS = 2**16

#: What is trained, one after the other: the density of rows, the prediction of missing cells.
STAGES = "density", "missing-cells"


def with_density(generation, density, train_rows, model):
    """A :class:`Generation` with the density that ``density=`` asks for, fitted to training rows.

    Parameters
    ----------
    generation : Generation
    density : {"independent", "autoregressive"} or Autoregressive
    train_rows : TrainingRows
    model : Model
        But for its weights.

    Raises
    ------
    ValueError
        If rows are none of a table, or the table is too wide.
    """
    if density == "independent":
        return generation
    if not model.rows.tabular:
        raise ValueError(
            f"density={density!r} is for rows of a table; rows are {type(model.rows).__name__}. "
            'Leave it at "independent".'
        )
    density = Autoregressive() if density == "autoregressive" else density
    multiset, device = train_rows.multiset, train_rows.device
    task, (of_rows, of_cells) = current_task(), STAGES
    with task.part(of_rows).done():
        fitted = density.fitted(multiset, model, generation.measure, device)
    scaled = model.scaler.scale(multiset.values(multiset.sample(_MOST_ROWS)))
    with torch.inference_mode(False), torch.enable_grad(), task.part(of_cells).done():
        prediction = fitted_prediction(
            scaled, model.scaler, model.seed, device, density.max_updates
        )
    return replace(generation, density=fitted, prediction=prediction)


def expected_cells(inference, table, prediction):
    """Scaled cells as they are expected given those that are there, like ``table``."""

    def of_part(_, part):
        return torch.from_numpy(prediction.expected(part.rows.cpu().numpy()))

    return inference.of_table(of_part, table, table.shape[1], np.float64)


def drawn_cells(inference, table, prediction, generator):
    """Scaled cells, those that are missing drawn given those that are there, like ``table``."""

    def of_part(_, part):
        return torch.from_numpy(prediction.drawn(part.rows.cpu().numpy(), generator))

    return inference.of_table(of_part, table, table.shape[1], np.float64)


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
        figures = torch.zeros((len(cells), N_FIGURES), dtype=cells.dtype, device="cpu")
        figures[:, 0] = cells.sum(1)
        return torch.cat([figures, cells], dim=1)

    width = N_FIGURES + table.shape[1]
    return inference.of_table(of_part, table, width, np.float64)
