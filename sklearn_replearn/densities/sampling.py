"""Rows drawn from a density, and chosen among candidates by how likely conditions are."""

import numpy as np
import torch

from .._runtime.arrays import slices
from .drawing import Drawing

_CANDIDATES, _ROUNDS = 2**13, 8
_ENOUGH = 4  # candidates of weight, for each row
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

    Raises
    ------
    ValueError
        If none of the candidates meets the conditions.
    """

    def some(n):
        values, log_weights = [], []
        for part in slices(n, _ROWS_AT_ONCE):
            drawing = Drawing(density, network, scaler, part.stop - part.start, generator)
            drawing.run(conditions, as_fit)
            values.append(drawing.values)
            log_weights.append(drawing.log_weights.cpu().numpy())
        return np.concatenate(values), np.concatenate(log_weights)

    if not conditions:
        return some(n)[0]
    values, log_weights = np.zeros((0, len(scaler.low))), np.zeros(0)
    for _ in range(_ROUNDS):
        more = some(max(_CANDIDATES, n))
        values = np.concatenate([values, more[0]])
        log_weights = np.concatenate([log_weights, more[1]])
        if not log_weights.max() > -np.inf:
            raise ValueError(
                "given: no row that the model draws meets these conditions together. Give fewer of "
                "them, wider ranges, or values that fit has seen."
            )
        weights = np.exp(log_weights - log_weights.max())
        if weights.sum() ** 2 > _ENOUGH * n * np.square(weights).sum():
            break
    ends = np.cumsum(weights)
    # One uniform number serves all: a row is chosen as often as its weight asks, up to one time.
    offset = torch.rand((), generator=generator, dtype=torch.float64, device=generator.device)
    places = np.searchsorted(ends, (np.arange(n) + float(offset)) / n * ends[-1], side="right")
    order = torch.randperm(n, generator=generator, device=generator.device).cpu().numpy()
    return values[places.clip(max=len(values) - 1)][order]
