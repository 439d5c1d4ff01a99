"""Epochs as tasks of a fit."""

from functools import partial

from skorch.callbacks import Callback

from .early_stopping import StopTraining

_SHOWN = "train_loss", "valid_loss"


class Follow(Callback):
    """Tells of each epoch, before other callbacks can end training in it.

    Parameters
    ----------
    task : Task
        Has begun, with the epochs as parts.
    fitted : callable, default=None
        Gives the attributes of an estimator that were fitted so far, from the net.
    """

    def __init__(self, task, fitted=None):
        self.task, self.fitted = task, fitted
        self.stop = False

    def on_epoch_begin(self, net, **kwargs):
        self.epoch = self.task.part("epoch")
        self.epoch.begins()

    def on_epoch_end(self, net, **kwargs):
        row = net.history[-1]
        figures = {name: row[name] for name in _SHOWN if name in row}
        fitted = None if self.fitted is None else partial(self.fitted, net)
        self.stop = self.epoch.ends(figures, fitted)


class StopAsAsked(Callback):
    """Ends training where a follower asked for it, after all others have seen the epoch.

    Parameters
    ----------
    follow : Follow
    """

    def __init__(self, follow):
        self.follow = follow

    def on_epoch_end(self, net, **kwargs):
        if self.follow.stop:
            raise StopTraining
