"""The state of a training in a file, from which the same fit goes on in another process."""

import copy
import tempfile
import time
import warnings
from pathlib import Path

import torch
from skorch.callbacks import Callback

from .._runtime.processes import current_processes
from .._runtime.randomness import global_state_of_this_fit, put_global_state
from .._storage.files import FileReader, FileWriter
from .._storage.fingerprint import fingerprint
from .._storage.sealed import opened, remove_whole, sealed, write_whole
from .._storage.stored import version
from .early_stopping import KeepBest

#: Seconds of training after which its state is written; so a short fit writes nothing.
SECONDS = 30.0

# Nor does writing take more than a twentieth of the time of a fit, on however slow a disk.
_TIMES_AS_LONG = 20

_FORMAT = "sklearn_replearn checkpoint 1"

# They change nothing of what is learned; where a fit starts from is told by its weights and
# generators, and random_state is none of a fit any more.
_OF_NO_MATTER = {"callbacks", "checkpoint", "device", "random_state", "verbose"}


def folder_of(estimator):
    """The folder for the checkpoints of an estimator's fits, which is then there; None: no folder.

    Raises
    ------
    ValueError
        If it can be none, or if a fit of these parameters could not go on from a checkpoint.
    """
    if estimator.checkpoint is None:
        return None
    if estimator.random_state is None:
        raise ValueError(
            "With random_state=None no two fits are the same one, so that none could go on from "
            f"the checkpoint of another. Give random_state a number beside checkpoint="
            f"{str(estimator.checkpoint)!r}."
        )
    if estimator.callbacks:
        raise ValueError(
            "A checkpoint has the state of the training, and not that of skorch's callbacks, which "
            "a fit that goes on would lack. Leave out callbacks or checkpoint; those of "
            "scikit-learn (set_callbacks) go with it."
        )
    folder = Path(estimator.checkpoint)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise ValueError(
            "checkpoint must be a folder that can be written to, or that can be made; "
            f"{str(folder)!r} is not: {problem.strerror}."
        ) from problem
    return folder


def checkpoint_of(estimator, levels, *rows):
    """The :class:`Checkpoint` of a training, if its estimator asks for one, else None.

    Parameters
    ----------
    estimator : estimator
    levels : Levels
        Of the columns: a cell may be a number, or that of a level.
    *rows : tuple of Multiset and RowMetadata or None, or None
        All rows of the training.
    """
    folder = folder_of(estimator)
    if folder is None:
        return None
    return Checkpoint(folder, estimator, [levels, *(part and _stated(*part) for part in rows)])


def _stated(multiset, metadata):
    return multiset.stated(None if metadata is None else metadata.as_columns())


class Checkpoint(Callback):
    """Writes the state of a training at ends of epochs, and takes it up.

    It is the last of the callbacks, so that the state is that after all of them.

    Parameters
    ----------
    folder : Path
    estimator : estimator
        Of whose parameters it is.
    rows : list
        What its rows are the same by.
    """

    def __init__(self, folder, estimator, rows):
        self.folder, self.estimator, self.rows = folder, estimator, rows

    def resume(self, net):
        """Take up what an earlier fit of the same rows and parameters has written, if it has.

        Parameters
        ----------
        net : RepresentationNet
            Initialised, and not trained yet.

        Returns
        -------
        int
            How many epochs are done.
        """
        start, parameters = _state_of(net), self.estimator.get_params(deep=False)
        parameters = {k: v for k, v in parameters.items() if k not in _OF_NO_MATTER}
        training, n_processes = net.module_, current_processes().size  # whose sums are rounded
        try:
            name = fingerprint(
                (version(), torch.__version__, net.device.type, n_processes),
                (type(self.estimator), parameters, net.lr, net.max_epochs),
                [(name, weight.requires_grad) for name, weight in training.named_parameters()],
                [(name, type(part)) for name, part in training.named_modules()],
                dict(training.named_buffers()),  # those that its state lacks, too
                training.objective,
                self.rows,
                start,
            )
        except TypeError as problem:
            raise ValueError(
                f"checkpoint must tell one fit from others by their parameters; {problem}. Give a "
                "function or a class in its place, or leave out checkpoint."
            ) from problem
        self.path = self.folder / f"{type(self.estimator).__name__}-{name}.safetensors"
        self.failed = False
        self._wait(0.0)
        self._take_up(net, copy.deepcopy(start))
        n_done = len(net.history)
        current_processes().check_same(lambda: {f"epochs in {str(self.folder)!r}": str(n_done)})
        return n_done

    def _take_up(self, net, start):
        try:
            _put(net, _read(self.path))
        except FileNotFoundError:
            return
        except Exception as problem:  # whatever can be wrong with a file
            _put(net, start)
            warnings.warn(
                f"The checkpoint {str(self.path)!r} is not whole ({problem}): this fit starts from "
                "its beginning, and overwrites it.",
                UserWarning,
                stacklevel=2,
            )

    def on_epoch_end(self, net, **kwargs):
        # Processes that do a fit together have the same state.
        if current_processes().rank or time.monotonic() < self.due:
            return
        start = time.monotonic()
        try:
            write_whole(self.path, _bytes_of(_state_of(net)))
        except (OSError, TypeError) as problem:
            # The same fit, done at the same time, may have ended and removed what was beside it.
            removed = isinstance(problem, FileNotFoundError) and self.folder.is_dir()
            if not self.failed and not removed:
                self.failed = True
                warnings.warn(
                    f"No checkpoint could be written: {str(problem).rstrip('.')}. The fit goes on "
                    "without.",
                    UserWarning,
                    stacklevel=2,
                )
        self._wait(time.monotonic() - start)

    def _wait(self, took):
        self.due = time.monotonic() + max(SECONDS, _TIMES_AS_LONG * took)


def remove_checkpoint(net):
    """Remove the checkpoint of a training, if it has one."""
    for _, callback in net.callbacks_:
        if isinstance(callback, Checkpoint) and not current_processes().rank:
            remove_whole(callback.path)


def _bytes_of(state):
    writer = FileWriter()
    root = writer.plain(state)
    return sealed(_FORMAT, {"root": root, "objects": writer.objects}, writer.arrays)


def _read(path):
    model, arrays = opened(_FORMAT, path.read_bytes())
    return FileReader(model["objects"], arrays, {}).value(model["root"])


def _state_of(net):
    """All that another epoch depends on, and what is told of those before."""
    training = net.module_
    return {
        "module": dict(training.state_dict()),
        "optimizer": net.optimizer_.state_dict(),
        "generators": [generator.get_state() for generator in _generators(training)],
        "global generators": global_state_of_this_fit(net.device),
        "history": [dict(epoch) for epoch in net.history],
        "updates": net.n_updates_,
        "terms": [net.first_terms_, net.last_terms_],
        "sharing": net.sharing_.state(),
        "best": [keeper.state() for keeper in _keepers(net)],
    }


def _put(net, state):
    """Make the state of a training that of another."""
    training = net.module_
    weights = training.state_dict()  # which tells of what version each module is
    weights.update(state["module"])
    training.load_state_dict(weights)
    net.optimizer_.load_state_dict(state["optimizer"])
    for generator, numbers in zip(_generators(training), state["generators"], strict=True):
        generator.set_state(numbers)
    put_global_state(state["global generators"], net.device)
    net.history.clear()
    net.history.extend(state["history"])
    net.n_updates_ = state["updates"]
    net.first_terms_, net.last_terms_ = state["terms"]
    net.sharing_.resume(state["sharing"])
    for keeper, held in zip(_keepers(net), state["best"], strict=True):
        keeper.misses, keeper.best, keeper.weights, keeper.kept = held


def _generators(training):
    return training.generator, training.validation_generator


def _keepers(net):
    return [callback for _, callback in net.callbacks_ if isinstance(callback, KeepBest)]
