"""From the parameters of an estimator to a trained net."""

import copy
import math

import numpy as np
from skorch.helper import predefined_split

from .._dataset.batches import Batches, n_batches
from .._runtime.arrays import to_arrays, to_tensors
from .._runtime.tasks import current_task
from ..objectives.base import TAKEN
from .checkpoints import remove_checkpoint
from .early_stopping import KeepBest, default_patience
from .following import Follow, StopAsAsked
from .history import History
from .net import LossNotFinite, RepresentationNet, SumOfTerms
from .optimizers import OPTIMIZERS, check_optimizer
from .schedule import RISE, CosineSchedule
from .together import trained_with_others

# What skorch's history has beside the loss, its terms and the score.
_COUNTED = TAKEN - {"loss", "score"}


def train(
    training,
    rows,
    validation_rows,
    estimator,
    lr,
    max_epochs,
    device,
    resumed=None,
    watching=(),
    fitted=None,
    checkpoint=None,
):
    """Run the loop and return the net; its epochs are parts of the current task.

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
    watching : sequence of skorch callbacks, default=()
        Ours, which change nothing.
    fitted : callable, default=None
        Gives the attributes of an estimator that were fitted so far, from the net.
    checkpoint : Checkpoint, default=None
        From which training goes on where one was written, and which is written meanwhile.
    """
    optimizer, decay = estimator.optimizer, {"weight_decay": estimator.weight_decay}
    if isinstance(optimizer, str):
        optimizer = OPTIMIZERS[optimizer]
    else:
        decay = decay if estimator.weight_decay else {}
        check_optimizer(optimizer, lr=lr, **decay)
    n_updates = max_epochs * n_batches(len(rows), estimator.batch_size)
    n_warmup = getattr(training.objective, "warmup_steps", 0)
    schedule = None
    if estimator.lr_schedule == "cosine":
        schedule = CosineSchedule(n_updates)
        n_warmup = max(n_warmup, math.ceil(RISE * n_updates))
    net = RepresentationNet(
        module=training,
        criterion=SumOfTerms,
        optimizer=optimizer,
        **{f"optimizer__{name}": value for name, value in decay.items()},
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
        callbacks=[
            *watching,
            *_callbacks(estimator, max_epochs, n_warmup, validation_rows is not None, fitted),
            *([] if checkpoint is None else [checkpoint]),
        ],
        verbose=0,
        device=device,
        schedule=schedule,
        gradient_clip=estimator.gradient_clip,
        users_callbacks=estimator.callbacks or (),
    )
    current_task().begins(max_epochs)
    net.initialize()
    if resumed is not None:
        # Of a network that was kept without what only training needs, the rest starts anew.
        net.module_.load_state_dict({**net.module_.state_dict(), **to_tensors(resumed["module"])})
        if resumed["trained_by"] == _trainer(estimator):
            # Its moments, with the learning rate and other settings of this fit.
            state = to_tensors(resumed["optimizer"])
            state["param_groups"] = net.optimizer_.state_dict()["param_groups"]
            net.optimizer_.load_state_dict(state)
    alone = validation_rows is not None or resumed is not None or checkpoint is not None
    if not alone and trained_with_others(net, rows):
        return net
    n_done = 0 if checkpoint is None else checkpoint.resume(net)
    current_task().passes(n_done)
    try:
        return net.partial_fit(rows, epochs=max_epochs - n_done)
    except LossNotFinite:  # what goes on from there would end in the same way
        remove_checkpoint(net)
        raise


def _callbacks(estimator, max_epochs, n_warmup, validated, fitted):
    callbacks, task = [], current_task()
    follow = Follow(task, fitted)
    if task.followers:
        callbacks.append(follow)
    for callback in estimator.callbacks or []:
        _check_callback(callback, validated)
        # A copy, because skorch writes into the callbacks that it is given.
        callbacks.append(copy.deepcopy(callback))
    if estimator.early_stopping:
        patience = estimator.n_iter_no_change
        if patience == "auto":
            patience = default_patience(max_epochs)
        callbacks.append(KeepBest(patience, estimator.tol, n_warmup))
    if task.followers:
        callbacks.append(StopAsAsked(follow))
    return callbacks


def _check_callback(callback, validated):
    one = callback[-1] if isinstance(callback, tuple) else callback
    if not (hasattr(one, "on_epoch_end") and hasattr(one, "initialize")):
        if hasattr(one, "on_fit_task_end"):
            name = type(one).__name__
            raise ValueError(
                f"callbacks must be skorch callbacks; {name} is one of scikit-learn's. Give it to "
                f"the estimator by set_callbacks({name}(...))."
            )
        raise ValueError(f"callbacks must be skorch callbacks; got {callback!r}.")
    monitor = getattr(one, "monitor", None)
    if isinstance(monitor, str) and monitor.startswith("valid") and not validated:
        raise ValueError(
            f"{type(one).__name__} monitors {monitor!r}, for which rows must be held out: set "
            'early_stopping=True, or monitor="train_loss", or give X_val to fit.'
        )


def history_of(net):
    """The terms and seconds in skorch's history, and which epoch was kept."""
    epochs = list(net.history)
    names = [
        name
        for name in epochs[0]
        if name.startswith(("train_", "valid_")) and name[len("train_") :] not in _COUNTED
    ]
    columns = {name: np.array([epoch[name] for epoch in epochs], np.float32) for name in names}
    seconds = np.array([epoch["dur"] for epoch in epochs])
    stopping = (callback for _, callback in net.callbacks_ if isinstance(callback, KeepBest))
    kept = next((callback.kept for callback in stopping), None)
    return History(columns, np.arange(1, len(epochs) + 1), seconds, kept)


def _trainer(estimator):
    """What must be the same for an optimizer to go on with the moments of an earlier one."""
    return repr(estimator.optimizer)


def training_state(net, estimator):
    """All that a later fit needs to go on, as arrays."""
    return {
        "trained_by": _trainer(estimator),
        "module": to_arrays(net.module_.state_dict()),
        "optimizer": to_arrays(net.optimizer_.state_dict()),
    }
