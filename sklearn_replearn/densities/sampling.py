"""Rows drawn from a density, and chosen among candidates by how likely conditions are."""

import numpy as np
import torch

from .drawing import Drawing

_CANDIDATES, _ROUNDS = 2**13, 8
_ROWS_AT_ONCE = 2**13


def rows_of(density, network, scaler, n, generator, conditions, as_fit):
    """Rows drawn from a density, ndarray of shape (n, n_features).

    With conditions, candidates are drawn that meet them, more where they weigh little, and rows are
    chosen from these by how likely the conditions were for each.

    Parameters
    ----------
    density : AutoregressiveDensity
    network : MaskedNetwork
    scaler : Scaler
    n : int
    generator : torch.Generator
    conditions : dict of int to Condition
        By column.
    as_fit : bool
        Whether cells without a condition may be missing.
    """

    def some(size):
        drawing = Drawing(density, network, scaler, size, generator)
        drawing.run(conditions, as_fit)
        return drawing.values, drawing.log_weights.cpu().numpy()

    if not conditions:
        sizes = [min(_ROWS_AT_ONCE, n - start) for start in range(0, n, _ROWS_AT_ONCE)]
        return np.concatenate([some(size)[0] for size in sizes])
    values, log_weights = some(max(_CANDIDATES, n))
    for _ in range(_ROUNDS - 1):
        weights = np.exp(log_weights - log_weights.max())
        if weights.sum() ** 2 > 4 * n * np.square(weights).sum():
            break
        more = some(max(_CANDIDATES, n))
        values = np.concatenate([values, more[0]])
        log_weights = np.concatenate([log_weights, more[1]])
    weights = np.exp(log_weights - log_weights.max())
    ends = np.cumsum(weights)
    # One uniform number serves all: a row is chosen as often as its weight asks, up to one time.
    offset = float(
        torch.rand((), generator=generator, dtype=torch.float64, device=generator.device)
    )
    places = np.searchsorted(ends, (np.arange(n) + offset) / n * ends[-1], side="right")
    chosen = values[places.clip(max=len(values) - 1)]
    order = torch.randperm(n, generator=generator, device=generator.device).cpu().numpy()
    return chosen[order]
