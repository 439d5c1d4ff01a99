"""Processes that do one fit together, where a user has started such: a process group of torch."""

import math
import os
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

import torch
from torch import distributed

_current = ContextVar("the processes that do this fit")

# Parameters that may differ between processes: they say where and how a fit is shown or computed.
_OF_EACH = {"callbacks", "device", "verbose"}

# What differs is shown up to this length.
_SHOWN = 100


class Alone:
    """One process does the fit: nothing has to be agreed on."""

    rank, size = 0, 1

    def first(self, figures):
        """Those of the first process, for all, dict of str to float."""
        return figures

    def any(self, holds):
        """Whether it holds in one of the processes."""
        return holds

    def same_weights(self, module):
        """Give a module the weights and buffers that it has in the first process."""

    def average_gradients(self, module):
        """Give the weights of a module the mean of their gradients in the processes."""

    def check_same(self, what):
        """Refuse what differs between the processes.

        Parameters
        ----------
        what : callable
            Gives a dict with a text for each name; equal texts stand for equal things.

        Raises
        ------
        ValueError
            In all processes. Says what differs, and how.
        """


class Several(Alone):
    """Several processes that do the same fit, each with all of its rows.

    They have process groups of their own, whose end is none of the user's group. A copy, or what
    another process reads of it, does a fit alone.
    """

    def __init__(self):
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self._groups = {}
        self._group("gloo")

    def __reduce__(self):
        return Alone, ()

    def _group(self, backend):
        if backend not in self._groups:
            timeout = _patience()
            self._groups[backend] = distributed.new_group(backend=backend, timeout=timeout)
        return self._groups[backend]

    def group_for(self, tensor):
        """The process group by which tensors of this one's device travel."""
        return self._group("nccl" if tensor.is_cuda else "gloo")

    def first(self, figures):
        tensor = torch.tensor(list(figures.values()), dtype=torch.float64, device="cpu")
        distributed.broadcast(tensor, 0, group=self.group_for(tensor))
        return dict(zip(figures, tensor.tolist(), strict=True))

    def any(self, holds):
        tensor = torch.tensor(float(holds), device="cpu")
        distributed.all_reduce(tensor, group=self.group_for(tensor))
        return bool(tensor > 0)

    def same_weights(self, module):
        for tensors in _alike([*module.parameters(), *module.buffers()]):
            flat = _flat(tensors)
            distributed.broadcast(flat, 0, group=self.group_for(flat))
            _put(flat, tensors)

    def average_gradients(self, module):
        gradients = (weight.grad for weight in module.parameters())
        for tensors in _alike(gradient for gradient in gradients if gradient is not None):
            flat = _flat(tensors)
            distributed.all_reduce(flat, group=self.group_for(flat))
            _put(flat.div_(self.size), tensors)

    def check_same(self, what):
        all_of_it = [None] * self.size
        distributed.all_gather_object(all_of_it, what(), group=self._group("gloo"))
        for name in dict.fromkeys(name for texts in all_of_it for name in texts):
            texts = [texts.get(name, "nothing") for texts in all_of_it]
            for rank, text in enumerate(texts):
                if text != texts[0]:
                    raise ValueError(
                        "The processes of one fit must give it the same, each of them the whole "
                        f"table and equal parameters. They differ in {name}: {texts[0][:_SHOWN]} "
                        f"in process 0, {text[:_SHOWN]} in process {rank}. For another fit in "
                        "each process do not call torch.distributed.init_process_group before."
                    )

    def ends(self):
        """Let go of the others. Who waits for this process gets an error, rather than to wait."""
        for backend in list(self._groups):
            distributed.destroy_process_group(self._groups.pop(backend))


def _alike(tensors):
    """Lists of tensors that fit into one vector: of one dtype and device."""
    kinds = {}
    for tensor in tensors:
        kinds.setdefault((tensor.dtype, tensor.device), []).append(tensor.detach())
    return kinds.values()


def _flat(tensors):
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def _put(flat, tensors):
    """Put the numbers of one vector into tensors, one after the other."""
    start = 0
    for tensor in tensors:
        end = start + math.prod(tensor.shape)
        tensor.copy_(flat[start:end].view(tensor.shape))
        start = end


def current_processes():
    """Those that do the current fit."""
    return _current.get(_ALONE)


_ALONE = Alone()


@contextmanager
def together(estimator):
    """What is fitted within is done by all processes of the process group, if there is one.

    The block ends well where it does in all of them.

    Raises
    ------
    ValueError
        If the parameters of the estimator differ between the processes.
    RuntimeError
        If another process ends within the block, or raises something.
    """
    if isinstance(current_processes(), Several) or not _in_a_group():
        yield
        return
    processes = Several()
    token = _current.set(processes)
    try:
        processes.check_same(lambda: _parameters(estimator))
        yield
        processes.any(False)
    except RuntimeError as problem:
        if not _is_of_the_network(problem):
            raise
        raise RuntimeError(
            f"Process {processes.rank} of {processes.size} lost another one in the middle of a "
            "fit that they do together. That one ended or raised something: its own message says "
            "why. The estimator is as it was before."
        ) from problem
    finally:
        _current.reset(token)
        processes.ends()


def _in_a_group():
    """Whether this process is one of several, and this thread the one that speaks for it.

    In other threads fits are made in no certain order: those of two processes would wait for each
    other's.
    """
    return (
        distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
        and threading.current_thread() is threading.main_thread()
    )


def speaks():
    """Whether this process is the one of its group that shows how far a fit is."""
    return not _in_a_group() or distributed.get_rank() == 0


def _parameters(estimator):
    """What all processes must have the same of an estimator, as texts."""
    given = estimator.get_params(deep=False).items()
    stated = {name: _text(value) for name, value in given if name not in _OF_EACH}
    return {"the estimator": type(estimator).__name__, **stated}


def _text(value):
    """The same for the same in any process: no address."""
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, os.PathLike):
        return repr(os.fspath(value))
    if isinstance(value, partial):
        return f"{_text(value.func)} of {_text(value.args)}, {_text(list(value.keywords.items()))}"
    if not isinstance(value, type) and hasattr(value, "tolist"):
        return _text(value.tolist())
    if isinstance(value, type) or not hasattr(value, "get_params"):
        return getattr(value, "__qualname__", type(value).__name__)
    parts = (f"{name}={_text(part)}" for name, part in value.get_params(deep=False).items())
    return f"{type(value).__name__}({', '.join(parts)})"


def _patience():
    """How long a process waits for another, as the user has said when it started."""
    try:
        options = distributed.group.WORLD._get_backend(torch.device("cpu")).options
        return options._timeout
    except (AttributeError, RuntimeError):  # of NCCL alone, or of another torch
        return None


def _is_of_the_network(problem):
    if isinstance(problem, distributed.DistError):
        return True
    return any(word in str(problem) for word in ("gloo", "Connection closed", "NCCL"))
