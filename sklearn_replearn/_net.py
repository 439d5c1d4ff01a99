"""The training loop: skorch, used by its extension points."""

import copy
import math
import traceback
from functools import partial

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, PrintLog
from skorch.helper import predefined_split
from torch import nn

from ._batches import Batches, n_batches
from ._history import History
from .augmentations import view

# Twice as many updates classified digits, breast cancer and wine no better.
_UPDATES = 1000
_FEWEST_EPOCHS, _MOST_EPOCHS = 5, 500
_RISE = 0.05  # share of the updates over which the learning rate rises

OPTIMIZERS = {
    "adam": partial(torch.optim.Adam, fused=True),
    "adamw": partial(torch.optim.AdamW, fused=True),
    "sgd": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
}


class LossNotFinite(ArithmeticError):
    """The loss of an epoch became NaN or infinite."""

    def __init__(self, epoch):
        super().__init__(epoch)
        self.epoch = epoch


class FitInterrupted(Exception):
    """A person interrupted training; says in which epoch."""


def default_epochs(n_draws, batch_size):
    """Epochs that give a table of this many rows about the same number of updates as any other."""
    epochs = math.ceil(_UPDATES / n_batches(n_draws, batch_size))
    return min(max(epochs, _FEWEST_EPOCHS), _MOST_EPOCHS)


class Training(nn.Module):
    """skorch's module: rows of a batch to the named terms of the objective.

    Parameters
    ----------
    network, heads : torch.nn.Module
    objective : Objective
    views : tuple of two augmentations
    generator, validation_generator : torch.Generator
    """

    def __init__(self, network, heads, objective, views, generator, validation_generator):
        super().__init__()
        self.network = network
        self.heads = heads
        self.objective = objective
        self.views = views
        self.generator = generator
        self.validation_generator = validation_generator

    def forward(self, rows):
        generator = self.generator if self.training else self.validation_generator
        left, right = (view(make, rows, generator) for make in self.views)
        return self.objective.terms(self.network, self.heads, left, right, generator)

    def parts(self):
        """Parameters of encoder, decoder, …, heads: the parts whose gradients are clipped apart."""
        modules = [*self.network.children(), self.heads]
        parts = ([p for p in part.parameters() if p.requires_grad] for part in modules)
        return [part for part in parts if part]


class SumOfTerms(nn.Module):
    """skorch's criterion."""

    def forward(self, terms, labels):
        return sum(terms.values())


class RepresentationNet(NeuralNet):
    """A skorch net that reports an interruption instead of passing over it."""

    @property
    def _default_callbacks(self):
        return [("epoch_timer", EpochTimer()), ("terms", Terms())]

    def notify(self, method_name, **cb_kwargs):
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt as interrupt:
            # skorch's EarlyStopping ends training by this exception; so does a person.
            if not _raised_in(interrupt, "skorch.callbacks"):
                raise
            raise _Stop from interrupt

    def fit_loop(self, *args, **kwargs):
        try:
            return super().fit_loop(*args, **kwargs)
        except _Stop:
            return self
        except KeyboardInterrupt as interrupt:
            raise FitInterrupted(f" in epoch {len(self.history)}") from interrupt


class _Stop(Exception):
    """Training is over before its last epoch."""


def _raised_in(error, package):
    frames = traceback.walk_tb(error.__traceback__)
    *_, (innermost, _) = frames
    return innermost.f_globals.get("__name__", "").startswith(package)


class Terms(Callback):
    """Put the mean of every named term into the history, and steer the objective's own updates."""

    def on_epoch_begin(self, net, **kwargs):
        self.sums = {}

    def on_batch_end(self, net, batch, training, y_pred, **kwargs):
        module = net.module_
        if training:
            with torch.no_grad():
                module.objective.after_step(module.network, module.heads)
        n = len(batch[0])
        part = self.sums.setdefault("train" if training else "valid", {"rows": 0})
        part["rows"] += n
        for name, value in y_pred.items():
            part[name] = part.get(name, 0.0) + n * value.item()

    def on_epoch_end(self, net, **kwargs):
        aside = net.module_.objective.terms_aside
        for part, sums in self.sums.items():
            rows = sums.pop("rows")
            means = {name: total / rows for name, total in sums.items()}
            loss = sum(mean for name, mean in means.items() if name not in aside)
            if not all(map(math.isfinite, means.values())):
                raise LossNotFinite(len(net.history))
            earlier = [row[part + "_loss"] for row in net.history[:-1]]
            net.history.record(part + "_loss", loss)
            net.history.record(part + "_loss_best", loss < min(earlier, default=math.inf))
            for name, mean in means.items():
                net.history.record(f"{part}_{name}", mean)


class CosineSchedule(Callback):
    """Raise the learning rate over the first updates, then lower it along half a cosine.

    After Loshchilov and Hutter (2017).
    """

    def __init__(self, n_updates):
        self.n_updates = n_updates

    def on_train_begin(self, net, **kwargs):
        self.update = 0

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        if training:
            share = 0.5 * (1 + math.cos(math.pi * self.update / self.n_updates))
            share *= min(1.0, (self.update + 1) / (_RISE * self.n_updates))
            for group in net.optimizer_.param_groups:
                group["lr"] = net.lr * share
            self.update += 1


class ClipGradients(Callback):
    """Scale down the gradient of each part whose norm exceeds a limit."""

    def __init__(self, limit):
        self.limit = limit

    def on_grad_computed(self, net, named_parameters, training=False, **kwargs):
        for part in net.module_.parts():
            nn.utils.clip_grad_norm_(part, self.limit)


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

    def on_train_begin(self, net, **kwargs):
        self.updates = self.misses = 0
        self.best, self.weights = math.inf, None

    def on_batch_end(self, net, training=False, **kwargs):
        self.updates += training

    def on_epoch_end(self, net, **kwargs):
        if self.updates < self.n_warmup:
            return
        loss = net.history[-1, "valid_loss"]
        self.misses = 0 if loss < self.best - self.tol else self.misses + 1
        if loss < self.best:
            self.best, self.weights = loss, copy.deepcopy(net.module_.state_dict())
        if self.misses >= self.patience:
            raise _Stop

    def on_train_end(self, net, **kwargs):
        if self.weights is not None:
            net.module_.load_state_dict(self.weights)


def train(training, rows, validation_rows, estimator, lr, max_epochs, device, resumed=None):
    """Run the loop and return the net.

    Parameters
    ----------
    training : Training
    rows, validation_rows : TrainingRows
        ``validation_rows`` may be None.
    estimator : estimator
        Read for its training parameters.
    lr : float
    max_epochs : int
    device : torch.device
    resumed : dict, default=None
        What :func:`training_state` returned after an earlier fit.
    """
    optimizer = estimator.optimizer
    params = {"weight_decay": estimator.weight_decay} if estimator.weight_decay else {}
    params |= estimator.optimizer_params or {}
    net = RepresentationNet(
        module=training,
        criterion=SumOfTerms,
        optimizer=OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer,
        **{f"optimizer__{name}": value for name, value in params.items()},
        lr=lr,
        max_epochs=max_epochs,
        batch_size=estimator.batch_size,
        iterator_train=Batches,
        iterator_train__generator=training.generator,
        iterator_train__shuffle=True,
        iterator_valid=Batches,
        iterator_valid__generator=training.validation_generator,
        iterator_valid__shuffle=False,
        train_split=None if validation_rows is None else predefined_split(validation_rows),
        callbacks=_callbacks(
            estimator,
            max_epochs,
            max_epochs * n_batches(len(rows), estimator.batch_size),
            getattr(training.objective, "warmup_steps", 0),
        ),
        verbose=estimator.verbose,
        device=device,
    )
    net.initialize()
    if resumed is not None:
        net.module_.load_state_dict(to_tensors(resumed["module"]))
        if resumed["trained_by"] == repr(optimizer):
            # Its moments, with the learning rate and other settings of this fit.
            state = to_tensors(resumed["optimizer"])
            state["param_groups"] = net.optimizer_.state_dict()["param_groups"]
            net.optimizer_.load_state_dict(state)
    return net.partial_fit(rows)


def _callbacks(estimator, max_epochs, n_updates, n_warmup):
    callbacks = []
    if estimator.gradient_clip is not None:
        callbacks.append(ClipGradients(estimator.gradient_clip))
    if estimator.lr_schedule == "cosine":
        callbacks.append(CosineSchedule(n_updates))
        n_warmup = max(n_warmup, math.ceil(_RISE * n_updates))
    if estimator.verbose:
        callbacks.append(PrintLog())
    for callback in estimator.callbacks or []:
        _check_callback(callback, estimator.early_stopping)
        # A copy, because skorch writes into the callbacks that it is given.
        callbacks.append(copy.deepcopy(callback))
    if estimator.early_stopping:
        patience = estimator.n_iter_no_change
        if patience == "auto":
            patience = max(10, max_epochs // 5)
        callbacks.append(KeepBest(patience, estimator.tol, n_warmup))
    return callbacks


def _check_callback(callback, early_stopping):
    one = callback[-1] if isinstance(callback, tuple) else callback
    if not (hasattr(one, "on_epoch_end") and hasattr(one, "initialize")):
        raise ValueError(f"callbacks must be skorch callbacks; got {callback!r}.")
    monitor = getattr(one, "monitor", None)
    if isinstance(monitor, str) and monitor.startswith("valid") and not early_stopping:
        raise ValueError(
            f"{type(one).__name__} monitors {monitor!r}, for which rows must be held out: set "
            'early_stopping=True, or monitor="train_loss".'
        )


def history_of(net):
    """The terms and seconds in skorch's history."""
    epochs = list(net.history)
    names = [
        name
        for name in epochs[0]
        if name.startswith(("train_", "valid_")) and not name.endswith(("_best", "_batch_count"))
    ]
    columns = {name: np.array([epoch[name] for epoch in epochs], np.float32) for name in names}
    seconds = np.array([epoch["dur"] for epoch in epochs])
    return History(columns, np.arange(1, len(epochs) + 1), seconds)


def training_state(net, optimizer):
    """All that a later fit needs to go on, as arrays."""
    return {
        "trained_by": repr(optimizer),
        "module": to_arrays(net.module_.state_dict()),
        "optimizer": to_arrays(net.optimizer_.state_dict()),
    }


def to_arrays(tree):
    """Copy of nested containers with NumPy arrays for tensors."""
    return _map(tree, torch.Tensor, lambda tensor: tensor.detach().cpu().numpy().copy())


def to_tensors(tree):
    """Copy of nested containers with tensors for NumPy arrays."""
    return _map(tree, np.ndarray, lambda array: torch.from_numpy(array.copy()))


def _map(tree, leaf, function):
    if isinstance(tree, leaf):
        return function(tree)
    if isinstance(tree, dict):
        return {key: _map(value, leaf, function) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(_map(value, leaf, function) for value in tree)
    return tree
