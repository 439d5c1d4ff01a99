"""What a caller may have switched on around our calls, and must not reach into them."""

import os
import threading
import warnings
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cache, wraps
from types import FunctionType

import torch
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import ThreadpoolController

from .randomness import global_state_kept
from .turns import Turns

# With fewer weights a batch is done before a second thread has woken up; and where another process
# wants the core, threads that wait for each other make a fit tens of times slower.
WEIGHTS_WORTH_THREADS = 2_000_000

_CPU = torch.device("cpu")
# Both the number of threads of libraries and the filters of warnings belong to the process.
_ONE_AT_A_TIME = Turns()

# Packages whose parts draw from the generators that they are given.
_TRUSTED = (__name__.partition(".")[0] + ".", "skorch.", "sklearn.", "torch.optim.")


def resolve_device(device):
    """The ``torch.device`` that the parameter ``device`` stands for on this machine.

    Raises
    ------
    ValueError
        If the name is unknown to torch, or names an accelerator that is not here.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"device={device!r} is not available here: {str(error).splitlines()[0]}. "
            'Use device="auto" (a GPU where there is one, else the CPU) or device="cpu".'
        ) from error
    if resolved.type == "meta":
        raise ValueError('device="meta" holds no numbers. Use device="auto" or device="cpu".')
    return resolved


@cache
def _libraries():
    """Those that compute with threads; to find them takes longer than to fit a small model."""
    return ThreadpoolController()


@contextmanager
def undisturbed():
    """Fit models of scikit-learn within: on one thread, as by default, and without its warnings.

    The last bits of sums depend on how many threads there are.
    """
    with (
        _ONE_AT_A_TIME.turn(),
        _libraries().limit(limits=1),
        warnings.catch_warnings(),
        config_context(array_api_dispatch=False),
    ):
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


@contextmanager
def plain_torch(device, *, gradients):
    """Switch off autocast, inference mode and default devices of the caller; set gradients."""
    with torch.inference_mode(not gradients):
        # What a caller changed is undone; the rest would only take time.
        changed = [torch.enable_grad()] if gradients and not torch.is_grad_enabled() else []
        if torch.is_autocast_enabled(device.type):
            changed.append(torch.autocast(device.type, enabled=False))
        # Not torch.get_default_device(): before torch 2.5 it knows no `with torch.device(...)`, and
        # fails after set_default_device(None).
        if torch.empty(0).device != _CPU:
            changed.append(_CPU)
        if not changed:
            yield
            return
        with ExitStack() as stack:
            for context in changed:
                stack.enter_context(context)
            yield


class _Threads(threading.local):
    """How many threads this one computed on before :func:`one_thread`, or None."""

    before = None


_THREADS = _Threads()
_FORKED = False


def _in_forked_process():
    global _FORKED
    _FORKED = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_process)


@contextmanager
def one_thread():
    """Compute on one thread, but for what :func:`few_threads` allows; afterwards as before.

    So all that fit and inference do starts no threads of torch's. Threads are not taken to a forked
    process, where torch would wait for them forever.

    Torch counts threads for each calling thread, but a thread that uses torch for the first time
    while this block runs takes over its count.
    """
    threads = torch.get_num_threads()
    if threads == 1:
        yield
        return
    outer, _THREADS.before = _THREADS.before, threads
    try:
        torch.set_num_threads(1)
        yield
    finally:
        _THREADS.before = outer
        torch.set_num_threads(threads)


@contextmanager
def few_threads(n_weights, device):
    """Compute on one thread where a network has few weights, else on as many as a caller has."""
    now = torch.get_num_threads()
    wanted = 1
    if n_weights > WEIGHTS_WORTH_THREADS and device.type == "cpu":
        wanted = _threads_of_caller(now)
    if now == wanted:
        yield
        return
    try:
        torch.set_num_threads(wanted)
        yield
    finally:
        torch.set_num_threads(now)


def _threads_of_caller(now):
    threads = now if _THREADS.before is None else _THREADS.before
    if _FORKED and threads > 1:
        warnings.warn(
            "This process was forked, so torch may wait forever for threads that were not taken "
            "along: a large network is computed on one. For several start processes by spawning, "
            'as multiprocessing.get_context("spawn") and joblib do; or leave one to torch with '
            "torch.set_num_threads(1), and this is not said.",
            RuntimeWarning,
            stacklevel=2,
        )
        return 1
    return threads


class OnOneThread:
    """A mixin: the public methods of classes that have it run in :func:`one_thread`."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name, method in list(vars(cls).items()):
            # A fit is in it anyway, see in_one_step.
            if isinstance(method, FunctionType) and not name.startswith(("_", "fit")):
                setattr(cls, name, on_one_thread(method))


def on_one_thread(function):
    """The function, run in :func:`one_thread`."""

    @wraps(function)
    def guarded(*args, **kwargs):
        with one_thread():
            return function(*args, **kwargs)

    return guarded


@contextmanager
def isolated(parts, seed, device, *, gradients):
    """Neither see nor change what is global: generators, and what the caller switched on.

    Parameters
    ----------
    parts : iterable
        Modules, augmentations, callbacks, …; those of a user may draw from global generators, which
        are then started from ``seed`` and put back afterwards.
    seed : int
    device : torch.device
    gradients : bool

    Yields
    ------
    callable
        Says whether a part of a user's has drawn from the global generators in this block.
    """
    foreign = any(map(is_foreign, parts))
    with (
        global_state_kept(seed, device) if foreign else nullcontext(bool) as drew,
        plain_torch(device, gradients=gradients),
    ):
        yield drew


def is_foreign(part):
    """Whether an object or class is none of ours, nor of a package whose parts we know."""
    if part is None or isinstance(part, str):
        return False
    owner = part if hasattr(part, "__qualname__") else type(part)
    if not (owner.__module__ or "").startswith(_TRUSTED):
        return True
    return any(map(is_foreign, getattr(part, "steps", ())))  # of a Compose
