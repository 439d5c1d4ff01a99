"""How far cells are from what is decoded of them, in units of each column."""

import numpy as np
import torch
from skorch.callbacks import Callback

from .._runtime.arrays import CELLS


def cell_errors(network, scaler, cells, seen):
    """Squared differences of numbers, nats of categories, in units of the column; NaN if missing.

    Parameters
    ----------
    network : torch.nn.Module
    scaler : Scaler
    cells : Tensor of shape (n, n_features)
        Scaled cells as they are.
    seen : Tensor of shape (at least n, n_features)
        As an encoder sees them.

    Returns
    -------
    Tensor of shape (n, n_features), of the dtype of ``cells``
    """
    output = network.decoded(network.encode(seen))[: len(cells)].to(cells.dtype)
    spread = torch.tensor(scaler.spread, dtype=cells.dtype, device=cells.device)
    squares = (cells - network.likelihood.mean(output)).div_(spread).square_()
    if not scaler.mixed:
        return squares
    numbers = torch.from_numpy(scaler.numbers).to(cells.device)
    nats = -network.likelihood.log_prob(cells, output) / spread
    return torch.where(numbers | cells.isnan(), squares, nats)


def minus_means(errors):
    """Minus the mean error of each row over the cells that are there.

    Parameters
    ----------
    errors : ndarray of shape (n, n_features)

    Returns
    -------
    ndarray of shape (n, 1)
    """
    known = ~np.isnan(errors)
    if known.all():
        return -errors.mean(axis=1, keepdims=True)
    sums = np.where(known, errors, 0.0).sum(axis=1, keepdims=True)
    return -sums / np.maximum(known.sum(axis=1, keepdims=True), 1)


class ScoreOfEpochs(Callback):
    """Puts the score of validation rows into the history, as ``score`` computes it after fit.

    Parameters
    ----------
    rows : UnseenRows
    scaler : Scaler
    """

    def __init__(self, rows, scaler):
        self.rows = rows
        self.scaler = scaler

    def on_epoch_end(self, net, **kwargs):
        network, rows = net.module_.network, self.rows
        was_training, total = network.training, 0.0
        network.eval()
        with torch.no_grad():
            for part in rows.multiset.parts(CELLS):
                cells = rows.rows(part)
                errors = cell_errors(network, self.scaler, cells, rows.seen(cells))
                scores = minus_means(errors.double().cpu().numpy())[:, 0]
                total += float(rows.multiset.weights[part] @ scores)
        network.train(was_training)
        net.history.record("valid_score", total / rows.multiset.total)
