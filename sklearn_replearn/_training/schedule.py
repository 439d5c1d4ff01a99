"""How many epochs, and the learning rate in each update."""

import math

from .._dataset.batches import n_batches

# Twice as many updates classified digits, breast cancer and wine no better.
_UPDATES = 1000


_FEWEST_EPOCHS, _MOST_EPOCHS = 5, 500


RISE = 0.05  # share of the updates over which the learning rate rises


def default_epochs(n_draws, batch_size):
    """Epochs that give a table of this many rows about the same number of updates as any other."""
    epochs = math.ceil(_UPDATES / n_batches(n_draws, batch_size))
    return min(max(epochs, _FEWEST_EPOCHS), _MOST_EPOCHS)


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
