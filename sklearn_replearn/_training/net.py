"""The training loop: skorch, used by its extension points."""

import dis
import math
from contextlib import nullcontext, suppress

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import EpochTimer
from skorch.utils import TeeGenerator
from torch import nn

from .._dataset.batches import Batch
from .._runtime.pausing import heed_interruption
from .._runtime.processes import current_processes
from .._runtime.randomness import give_way, lent
from .._runtime.transaction import FitInterrupted
from ..augmentations._calling import view
from ..augmentations.composition import ToDecode
from ..objectives.base import checked_terms, name_of
from .early_stopping import StopTraining
from .sharing import Sharing

try:
    from .handwritten import handwritten_step
except ModuleNotFoundError:  # that file may be deleted: autograd does the same, more slowly

    def handwritten_step(net):
        return None


class LossNotFinite(ArithmeticError):
    """The loss of an epoch became NaN or infinite, that of "train" or of "valid" rows."""

    def __init__(self, epoch, of):
        super().__init__(epoch, of)
        self.epoch, self.of = epoch, of


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

    def forward(self, rows, labels=None, partners=None, seen=None):
        batch = self.batch(rows, labels, partners, seen)
        return checked_terms(
            self.objective, self.network, self.heads, batch, self.current_generator
        )

    @property
    def current_generator(self):
        """That of training, or the one that starts anew for each pass over validation rows."""
        return self.generator if self.training else self.validation_generator

    def batch(self, rows, labels=None, partners=None, seen=None):
        """Rows with a left view of themselves and a right view of themselves or of partners."""
        left, right = self.views
        generator = self.current_generator
        encoded = rows if seen is None else seen
        other = encoded if partners is None else partners
        return Batch(
            rows,
            view(left, encoded, generator),
            # What is decoded is compared with the cells, however far off these are.
            view(right, rows if isinstance(right, ToDecode) else other, generator),
            labels,
            seen,
        )

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

    def initialize(self):
        """Its parts, of a training that has not begun."""
        super().initialize()
        self.n_updates_, self.names_ = 0, {}
        self.first_terms_, self.last_terms_ = {}, {}
        self.processes_ = current_processes()
        self.sharing_ = Sharing(self.module_, self.processes_, torch.device(self.device))
        return self

    def fit_loop(self, *args, **kwargs):
        self.get_ready()
        return super().fit_loop(*args, **kwargs)

    def get_ready(self):
        """Before the first update of this process."""
        self.processes_.same_weights(self.module_)
        by_autograd = self.users_callbacks or self.processes_.size > 1
        self.handwritten_ = None if by_autograd else handwritten_step(self)

    def partial_fit(self, X, y=None, **fit_params):
        """Train; unlike skorch's, which takes an interruption for an early end."""
        try:
            self.notify("on_train_begin", X=X, y=y)
            with suppress(StopTraining):
                self.fit_loop(X, y, **fit_params)
            self.notify("on_train_end", X=X, y=y)
        except KeyboardInterrupt as interrupt:
            epoch = len(self.history)
            raise FitInterrupted(f" in epoch {epoch}" if epoch else "") from interrupt
        return self

    def notify(self, method_name, **cb_kwargs):
        if method_name != "on_epoch_end":
            self._notify(method_name, **cb_kwargs)
            return
        stop = False
        try:
            self._notify(method_name, **cb_kwargs)
        except StopTraining:
            stop = True
        if self.processes_.any(stop):
            raise StopTraining

    def _notify(self, method_name, **cb_kwargs):
        try:
            with lent() if self.users_callbacks else nullcontext():
                super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt as interrupt:
            # skorch's EarlyStopping ends training by this exception; so does a person.
            if not _raised_in(interrupt, "skorch.callbacks"):
                raise
            raise StopTraining from interrupt

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        if iterator is None:
            return
        self._set_training(training)
        means = Means(len(iterator))
        for number, batch in enumerate(iterator):
            give_way()
            heed_interruption()
            if self.users_callbacks:
                self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            rows = batch[0]["rows"] if isinstance(batch[0], dict) else batch[0]
            n_rows = rows.shape[0]
            self._check_names(prefix, step["y_pred"])
            means.take(number, step["y_pred"], n_rows)
            if self.users_callbacks:
                self.history.record_batch(prefix + "_loss", step["loss"].item())
                self.history.record_batch(prefix + "_batch_size", n_rows)
                self.notify("on_batch_end", batch=batch, training=training, **step)
        self.record_epoch(prefix, means)

    def record_epoch(self, prefix, means):
        """Put what an epoch came to into the history."""
        self.history.record(prefix + "_batch_count", len(means.sizes))
        # What decides how a fit goes on is one process's, the same for all.
        terms = self.processes_.first(means.of_the_epoch())
        if prefix == "train":
            self.processes_.same_weights(self.module_)
            self.last_terms_ = terms
            if len(self.history) == 1:
                self.first_terms_ = self.processes_.first(means.of_the_first_batch())
        self._record(prefix, terms)

    def train_step(self, batch, **fit_params):
        module = self.module_
        self.set_learning_rate()
        if self.handwritten_ is not None:
            step = {"y_pred": self.handwritten_(batch[0])}
        else:
            step = self._autograd_step(batch)
        with torch.no_grad():
            module.objective.after_step(module.network, module.heads)
        self.n_updates_ += 1
        return step

    def set_learning_rate(self):
        """That of the update that comes."""
        if self.schedule is not None:
            for group in self.optimizer_.param_groups:
                group["lr"] = self.lr * self.schedule(self.n_updates_)

    def _autograd_step(self, batch):
        first = {}
        if self.users_callbacks:
            self._set_training(True)  # whatever a callback did with the module

        def closure():
            self.optimizer_.zero_grad()
            marked = isinstance(batch[0], dict)
            with self.sharing_.out():
                terms = self.module_(**batch[0]) if marked else self.module_(batch[0])
            loss = self.criterion_(terms, batch[1])
            loss.backward()
            self.processes_.average_gradients(self.module_)
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

    def validation_step(self, batch, **fit_params):
        with self.sharing_.out():
            return super().validation_step(batch, **fit_params)

    def _check_names(self, prefix, terms):
        """The terms of each step are those of the first one, or the history has gaps."""
        names = self.names_.setdefault(prefix, terms.keys())
        if terms.keys() != names:
            raise ValueError(
                f"{name_of(self.module_.objective)}.terms returned {', '.join(names)} in the first "
                f"step and {', '.join(terms)} in epoch {len(self.history)}. Return the same names "
                "in every step; a term that does not count is a zero."
            )

    def _record(self, prefix, means):
        """Put the mean of every named term into the history, and their sum as the loss."""
        if not all(map(math.isfinite, means.values())):
            raise LossNotFinite(len(self.history), prefix)
        aside = self.module_.objective.terms_aside
        loss = sum(mean for name, mean in means.items() if name not in aside)
        earlier = [row[prefix + "_loss"] for row in self.history[:-1]]
        self.history.record(prefix + "_loss", loss)
        self.history.record(prefix + "_loss_best", loss < min(earlier, default=math.inf))
        for name, mean in means.items():
            self.history.record(f"{prefix}_{name}", mean)


class Means:
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

    def of_the_first_batch(self):
        return {name: float(values[0]) for name, values in self.terms.items()}

    def of_the_epoch(self):
        shares = self.sizes / self.sizes.sum()
        terms = {name: values.cpu().numpy() for name, values in self.terms.items()}
        return {name: float((shares * values).sum()) for name, values in terms.items()}


def _raised_in(error, package):
    """Whether a statement of a package raised it, rather than a signal while the package ran."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    frame = trace.tb_frame
    statement = dis.opname[frame.f_code.co_code[trace.tb_lasti]]
    return statement == "RAISE_VARARGS" and frame.f_globals.get("__name__", "").startswith(package)
