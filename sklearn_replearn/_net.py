"""The training loop: skorch, used by its extension points."""

import copy
import math
import traceback

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, PrintLog
from skorch.helper import predefined_split
from skorch.utils import TeeGenerator
from torch import nn

from ._atomic import FitInterrupted
from ._batches import Batches, n_batches
from ._history import History
from ._optimizers import optimizer_class
from .augmentations import view

try:
    from ._handwritten import handwritten_step
except ModuleNotFoundError:  # that file may be deleted: autograd does the same, more slowly

    def handwritten_step(net):
        return None


# Twice as many updates classified digits, breast cancer and wine no better.
_UPDATES = 1000
_FEWEST_EPOCHS, _MOST_EPOCHS = 5, 500
_RISE = 0.05  # share of the updates over which the learning rate rises


class LossNotFinite(ArithmeticError):
    """The loss of an epoch became NaN or infinite."""

    def __init__(self, epoch):
        super().__init__(epoch)
        self.epoch = epoch


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

    def forward(self, rows, labels=None, others=None):
        generator = self.generator if self.training else self.validation_generator
        left, right = self.views_of(rows, others)
        marks = {"labels": labels} if self.objective.uses_labels else {}
        return self.objective.terms(self.network, self.heads, left, right, generator, **marks)

    def views_of(self, rows, others=None):
        """Left view of rows, right view of the same or of others."""
        generator = self.generator if self.training else self.validation_generator
        both = rows, rows if others is None else others
        return [view(make, rows, generator) for make, rows in zip(self.views, both, strict=True)]

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
    """A skorch net that does nothing for a batch which nobody asked for.

    Losses stay where they are computed and are read once an epoch. Only where a user has callbacks
    does every batch go through skorch's history and events and through autograd: they may look at
    anything, and change it. An interruption is reported instead of being passed over.

    Parameters
    ----------
    schedule : callable or None
        Share of the learning rate, from the number of the update.
    gradient_clip : float or None
        Largest norm of the gradient of each part of the network.
    users_callbacks : sequence of skorch callbacks
    **kwargs
        Of skorch's NeuralNet.
    """

    def __init__(self, *args, schedule=None, gradient_clip=None, users_callbacks=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.schedule = schedule
        self.gradient_clip = gradient_clip
        self.users_callbacks = users_callbacks

    @property
    def _default_callbacks(self):
        return [("epoch_timer", EpochTimer())]

    def fit_loop(self, *args, **kwargs):
        self.n_updates_ = 0
        self.handwritten_ = None if self.users_callbacks else handwritten_step(self)
        try:
            return super().fit_loop(*args, **kwargs)
        except _Stop:
            return self
        except KeyboardInterrupt as interrupt:
            raise FitInterrupted(f" in epoch {len(self.history)}") from interrupt

    def notify(self, method_name, **cb_kwargs):
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt as interrupt:
            # skorch's EarlyStopping ends training by this exception; so does a person.
            if not _raised_in(interrupt, "skorch.callbacks"):
                raise
            raise _Stop from interrupt

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        if iterator is None:
            return
        self._set_training(training)
        means = _Means(len(iterator))
        for number, batch in enumerate(iterator):
            if self.users_callbacks:
                self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            rows = batch[0]["rows"] if isinstance(batch[0], dict) else batch[0]
            n_rows = rows.shape[0]
            means.take(number, step["y_pred"], n_rows)
            if self.users_callbacks:
                self.history.record_batch(prefix + "_loss", step["loss"].item())
                self.history.record_batch(prefix + "_batch_size", n_rows)
                self.notify("on_batch_end", batch=batch, training=training, **step)
        self.history.record(prefix + "_batch_count", len(iterator))
        self._record(prefix, means.of_the_epoch())

    def train_step(self, batch, **fit_params):
        module = self.module_
        if self.schedule is not None:
            for group in self.optimizer_.param_groups:
                group["lr"] = self.lr * self.schedule(self.n_updates_)
        if self.handwritten_ is not None:
            step = {"y_pred": self.handwritten_(batch[0])}
        else:
            step = self._autograd_step(batch)
        with torch.no_grad():
            module.objective.after_step(module.network, module.heads)
        self.n_updates_ += 1
        return step

    def _autograd_step(self, batch):
        first = {}
        if self.users_callbacks:
            self._set_training(True)  # whatever a callback did with the module

        def closure():
            self.optimizer_.zero_grad()
            marked = isinstance(batch[0], dict)
            terms = self.module_(**batch[0]) if marked else self.module_(batch[0])
            loss = self.criterion_(terms, batch[1])
            loss.backward()
            if self.gradient_clip is not None:
                for part in self.module_.parts():
                    nn.utils.clip_grad_norm_(part, self.gradient_clip)
            if self.users_callbacks:
                parameters = TeeGenerator(self.get_all_learnable_params())
                self.notify(
                    "on_grad_computed", named_parameters=parameters, batch=batch, training=True
                )
            if not first:  # some optimizers ask for the loss more than once
                first.update(loss=loss, y_pred=terms)
            return loss

        self.optimizer_.step(closure)
        return first

    def _record(self, prefix, means):
        """Put the mean of every named term into the history, and their sum as the loss."""
        if not all(map(math.isfinite, means.values())):
            raise LossNotFinite(len(self.history))
        aside = self.module_.objective.terms_aside
        loss = sum(mean for name, mean in means.items() if name not in aside)
        earlier = [row[prefix + "_loss"] for row in self.history[:-1]]
        self.history.record(prefix + "_loss", loss)
        self.history.record(prefix + "_loss_best", loss < min(earlier, default=math.inf))
        for name, mean in means.items():
            self.history.record(f"{prefix}_{name}", mean)


class _Means:
    """Mean of every named term over the rows of an epoch, read when the epoch is over.

    One vector for each term: a small tensor kept for each batch scatters memory, and reading one
    makes a GPU wait.
    """

    def __init__(self, n_batches):
        self.terms = {}
        self.sizes = np.empty(n_batches)

    def take(self, number, terms, n_rows):
        self.sizes[number] = n_rows
        for name, value in terms.items():
            if name not in self.terms:
                self.terms[name] = value.new_zeros(len(self.sizes), requires_grad=False)
            self.terms[name][number] = value.detach()

    def of_the_epoch(self):
        shares = self.sizes / self.sizes.sum()
        terms = {name: values.cpu().numpy() for name, values in self.terms.items()}
        return {name: float((shares * values).sum()) for name, values in terms.items()}


class _Stop(Exception):
    """Training is over before its last epoch."""


def _raised_in(error, package):
    frames = traceback.walk_tb(error.__traceback__)
    *_, (innermost, _) = frames
    return innermost.f_globals.get("__name__", "").startswith(package)


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
        return share * min(1.0, (update + 1) / (_RISE * self.n_updates))


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
        self.misses = 0
        self.best, self.weights = math.inf, None

    def on_epoch_end(self, net, **kwargs):
        if net.n_updates_ < self.n_warmup:
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
    optimizer, params = estimator.optimizer, dict(estimator.optimizer_params or {})
    if isinstance(optimizer, str):
        params.setdefault("weight_decay", estimator.weight_decay)
        optimizer = optimizer_class(optimizer, params)
    elif estimator.weight_decay:
        params["weight_decay"] = estimator.weight_decay
    n_updates = max_epochs * n_batches(len(rows), estimator.batch_size)
    n_warmup = getattr(training.objective, "warmup_steps", 0)
    schedule = None
    if estimator.lr_schedule == "cosine":
        schedule = CosineSchedule(n_updates)
        n_warmup = max(n_warmup, math.ceil(_RISE * n_updates))
    net = RepresentationNet(
        module=training,
        criterion=SumOfTerms,
        optimizer=optimizer,
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
        callbacks=_callbacks(estimator, max_epochs, n_warmup),
        verbose=estimator.verbose,
        device=device,
        schedule=schedule,
        gradient_clip=estimator.gradient_clip,
        users_callbacks=estimator.callbacks or (),
    )
    net.initialize()
    if resumed is not None:
        net.module_.load_state_dict(to_tensors(resumed["module"]))
        if resumed["trained_by"] == _trainer(estimator):
            # Its moments, with the learning rate and other settings of this fit.
            state = to_tensors(resumed["optimizer"])
            state["param_groups"] = net.optimizer_.state_dict()["param_groups"]
            net.optimizer_.load_state_dict(state)
    return net.partial_fit(rows)


def _callbacks(estimator, max_epochs, n_warmup):
    callbacks = []
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


def _trainer(estimator):
    """What must be the same for an optimizer to go on with the moments of an earlier one."""
    params = dict(estimator.optimizer_params or {})
    for name in ("betas", "eps", "weight_decay"):
        params.pop(name, None)
    return repr((estimator.optimizer, sorted(params.items())))


def training_state(net, estimator):
    """All that a later fit needs to go on, as arrays."""
    return {
        "trained_by": _trainer(estimator),
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
