"""Stopping when validation rows gain no more."""

import copy
import math

from skorch.callbacks import Callback


def default_patience(max_epochs):
    """Epochs without improvement after which training stops, unless a user says how many."""
    return max(10, max_epochs // 5)


class StopTraining(Exception):
    """Training is over before its last epoch."""


class KeepBest(Callback):
    """Stop when the validation loss no longer falls, and go back to the weights of the best epoch.

    It begins to look when the learning rate and the objective have warmed up: before that a loss
    that stands still says nothing.

    Parameters
    ----------
    patience : int
        Epochs without improvement before training stops.
    tol : float
        Smallest improvement that counts, in units of the loss.
    n_warmup : int
        Updates before it looks.
    """

    def __init__(self, patience, tol, n_warmup):
        self.patience = patience
        self.tol = tol
        self.n_warmup = n_warmup

    def initialize(self):
        self.misses = 0
        self.best, self.weights, self.kept = math.inf, None, None
        return self

    def state(self):
        """What it has seen so far."""
        weights = None if self.weights is None else dict(self.weights)
        return self.misses, self.best, weights, self.kept

    def on_epoch_end(self, net, **kwargs):
        if net.n_updates_ < self.n_warmup:
            return
        loss = net.history[-1, "valid_loss"]
        self.misses = 0 if loss < self.best - self.tol else self.misses + 1
        if loss < self.best:
            self.best, self.weights = loss, copy.deepcopy(net.module_.state_dict())
            self.kept = len(net.history)
        if self.misses >= self.patience:
            raise StopTraining

    def on_train_end(self, net, **kwargs):
        if self.weights is not None:
            net.module_.load_state_dict(self.weights)
