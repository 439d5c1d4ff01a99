"""What all contenders of speed.py have in common: rows, network, batches, epochs and loss."""

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

HIDDEN, LATENT, BATCH, LR = 256, 16, 256, 1e-3
_FACTORS, _CURVES, _NOISE = 12, 64, 0.3


class Workload(NamedTuple):
    n_rows: int
    n_columns: int
    epochs: int


WORKLOADS = {
    "S": Workload(2_000, 30, 50),
    "M": Workload(50_000, 50, 5),
    "L": Workload(500_000, 100, 1),
    "L3": Workload(500_000, 100, 3),
}
FEWEST_ROWS = 2 * BATCH  # PyOD fails without a full batch


def scaled(workload, options):
    """The workload with its rows cut down by --rows-scale."""
    n_rows, n_columns, epochs = WORKLOADS[workload]
    return Workload(max(FEWEST_ROWS, int(n_rows * options.rows_scale)), n_columns, epochs)


def make_rows(n_rows, n_columns):
    """Low-rank nonlinear structure and noise, in units that differ by column; float32, C order."""
    generator = np.random.default_rng(0)
    inner = generator.normal(size=(_FACTORS, _CURVES)) / math.sqrt(_FACTORS)
    outer = generator.normal(size=(_CURVES, n_columns)) / math.sqrt(_CURVES)
    unit = 10.0 ** generator.uniform(-2, 3, size=n_columns)
    centre = generator.normal(size=n_columns)
    rows = np.empty((n_rows, n_columns), np.float32)
    for start in range(0, n_rows, 4096):  # little memory beside the table
        part = rows[start : start + 4096]
        structure = np.tanh(generator.normal(size=(len(part), _FACTORS)) @ inner) @ outer
        part[:] = unit * (centre + structure + _NOISE * generator.normal(size=part.shape))
    return rows


def standardise(rows):
    """Mean 0 and deviation 1 for each column, in place."""
    mean, deviation = rows.mean(0, dtype=np.float64), rows.std(0, dtype=np.float64)
    for start in range(0, len(rows), 4096):
        part = rows[start : start + 4096]
        part[:] = (part - mean) / deviation
    return rows


class Table:
    """The same rows as a user has them (``raw``) and standardised (``scaled``)."""

    def __init__(self, n_rows, n_columns):
        self.n_rows, self.n_columns = n_rows, n_columns

    @cached_property
    def raw(self):
        return make_rows(self.n_rows, self.n_columns)

    @cached_property
    def scaled(self):
        return standardise(self.raw.copy())


def n_batches(n_rows):
    return math.ceil(n_rows / BATCH)


def squared_error(reconstruct, table, device):
    """Mean over all cells of the training rows, in standardised units."""

    @torch.no_grad()
    def of_part(part):
        rows = torch.from_numpy(table.scaled[part]).to(device)
        return float(F.mse_loss(reconstruct(rows), rows))

    return mean_over_parts(of_part, table.n_rows)


def mean_over_parts(function, n_rows, size=50_000):
    starts = range(0, n_rows, size)
    lengths = [min(size, n_rows - start) for start in starts]
    means = [function(slice(start, start + size)) for start in starts]
    return float(np.average(means, weights=lengths))
