"""How many epochs, and the learning rate in each update."""

import math

from .._dataset.batches import n_batches

# Twice as many updates classified digits, breast cancer and wine no better.
_UPDATES = 1000


_FEWEST_EPOCHS, _MOST_EPOCHS = 5, 500


RISE = 0.05  # share of the updates over which the learning rate rises


# What a rare level says about a column came out as in a complete table after twice to three times
# the epochs where half of that column was missing.
_MOST_FOR_MISSING = 4.0


def default_epochs(n_draws, batch_size, known=1.0):
    """Epochs that give a table of this many rows about the same number of updates as any other.

    ``known`` is the least share of the rows that have a cell, of all columns: the cells of each
    column are seen as often as in a complete table, up to four times as many epochs.
    """
    epochs = math.ceil(_UPDATES / n_batches(n_draws, batch_size))
    epochs = min(max(epochs, _FEWEST_EPOCHS), _MOST_EPOCHS)
    return math.ceil(epochs * min(1 / known, _MOST_FOR_MISSING))


class CosineSchedule:
    """Raises the learning rate over the first updates, then lowers it along half a cosine.

    After Loshchilov and Hutter (2017).

    Parameters
    ----------
    n_updates : int
    """

    def __init__(self, n_updates):
        self.n_updates = n_updates

    def __call__(self, update):
        share = 0.5 * (1 + math.cos(math.pi * update / self.n_updates))
        return share * min(1.0, (update + 1) / (RISE * self.n_updates))
