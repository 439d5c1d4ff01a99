"""Fits that wait for each other, and whose networks are trained together."""

from contextlib import suppress

import torch

from .._dataset.batches import Batches, n_batches
from .._dataset.epochs import is_large
from .._runtime.isolation import one_thread, plain_torch
from .._runtime.pausing import can_pause, pause
from .._runtime.processes import current_processes
from .._runtime.randomness import foreign_code_runs
from ..augmentations import Identity
from ..augmentations.composition import ToDecode
from .early_stopping import StopTraining
from .net import LossNotFinite, Means

with suppress(ModuleNotFoundError):  # steps by hand may be deleted: each net trains by itself then
    from .stacked import StackedRows, StackedStep, n_products, shape_of

#: Multiplications of a forward pass up to which a stack took clearly less time than one by one;
#: see benchmarks/results/stacked.md.
WORTH = 2_500_000
#: Nets in a stack at most, which bounds its buffers; of 4, 8, 15 and 30 the last was the quickest.
MOST = 32


def trained_with_others(net, rows):
    """Pause until others have come to here, too; whether the net was then trained with them."""
    if not can_pause():
        return False
    if foreign_code_runs() or not _stackable(net, rows):
        return False
    return pause(Training(net, rows))


def _stackable(net, rows):
    if rows.kept is None or rows.has_metadata or net.users_callbacks:
        return False
    if current_processes().size > 1 or is_large(len(rows), rows.multiset.width):
        return False
    if [type(view) for view in net.module_.views] != [Identity, ToDecode]:
        return False
    net.get_ready()
    step = net.handwritten_
    return step is not None and n_products(step, _in_batch(net, rows)) <= WORTH


def _in_batch(net, rows):
    return -(-len(rows) // n_batches(len(rows), net.batch_size))


class Training:
    """A net that waits for being trained on its rows."""

    def __init__(self, net, rows):
        self.net, self.rows = net, rows
        self.batches = Batches(rows, net.batch_size, net.module_.generator, shuffle=True)
        #: Only what is the same here can be stacked.
        self.kind = shape_of(net.handwritten_), len(rows), len(self.batches), net.max_epochs
        self.n_bytes = rows.kept.numel() * rows.kept.element_size()
        self.over, self.error = False, None

    def in_order(self):
        """Numbers of all its rows, as they stand."""
        return Batches(self.rows, self.net.batch_size, torch.Generator(), shuffle=False).drawn()

    def begin_epoch(self):
        self.net.notify("on_epoch_begin", dataset_train=self.rows, dataset_valid=None)

    def end_epoch(self, means):
        """Put an epoch into the history; it may be the last one."""
        try:
            self.net.record_epoch("train", means)
            self.net.notify("on_epoch_end", dataset_train=self.rows, dataset_valid=None)
        except StopTraining:
            self.over = True
        except LossNotFinite as problem:
            self.over, self.error = True, problem


def train_together(trainings):
    """Train nets of one kind, each as it is trained by itself.

    Parameters
    ----------
    trainings : list of Training
        They get an ``error`` where the loss was not finite.

    Returns
    -------
    bool
        False: nothing was done, as results would differ in the last bits.
    """
    with one_thread(), plain_torch(torch.device("cpu"), gradients=True), torch.no_grad():
        return _train(trainings)


def _train(trainings):
    nets = [training.net for training in trainings]
    step = StackedStep(nets)
    rows = StackedRows([training.rows for training in trainings])
    firsts = (training.in_order() for training in trainings)
    parts = torch.stack(list(firsts)).tensor_split(len(trainings[0].batches), dim=1)
    sizes = {part.shape[1]: part for part in parts}
    if not all(step.same_bits(rows.take(part), rows.width) for part in sizes.values()):
        return False
    for training in trainings:
        training.net.notify("on_train_begin", X=training.rows, y=None)
        training.net.module_.train()
    for _ in range(nets[0].max_epochs):
        for training in trainings:
            if not training.over:
                training.begin_epoch()
        means = _epoch(step, rows, trainings)
        for training, own in zip(trainings, means, strict=True):
            if not training.over:
                training.end_epoch(own)
                if training.over:
                    step.let_go(training.net)
        if all(training.over for training in trainings):
            break
    for training in trainings:
        training.net.notify("on_train_end", X=training.rows, y=None)
    return True


def _epoch(step, rows, trainings):
    """An epoch of all; the means of the terms of each."""
    nets = [training.net for training in trainings]
    drawn = torch.stack([training.batches.drawn() for training in trainings])
    parts = drawn.tensor_split(len(trainings[0].batches), dim=1)
    terms = []
    for places in parts:
        terms.append(step(rows.take(places)))
        for net in nets:
            net.module_.objective.after_step(net.module_.network, net.module_.heads)
            net.n_updates_ += 1
    tables = {name: torch.stack([batch[name] for batch in terms], dim=1) for name in terms[0]}
    for number in range(len(nets)):
        means = Means(len(parts))
        means.sizes[:] = [part.shape[1] for part in parts]
        means.terms = {name: table[number] for name, table in tables.items()}
        yield means
