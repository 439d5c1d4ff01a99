"""What a caller may have switched on around our calls, and must not reach into them."""

from contextlib import ExitStack, contextmanager, nullcontext

import torch

from .randomness import global_state_kept

# With fewer weights a batch is done before a second thread has woken up; and where another process
# wants the core, threads that wait for each other make a fit tens of times slower.
WEIGHTS_WORTH_THREADS = 2_000_000

_CPU = torch.device("cpu")

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


@contextmanager
def plain_torch(device, *, gradients):
    """Switch off autocast, inference mode and default devices of the caller; set gradients."""
    with torch.inference_mode(not gradients):
        # What a caller changed is undone; the rest would only take time.
        changed = [torch.enable_grad()] if gradients and not torch.is_grad_enabled() else []
        if torch.is_autocast_enabled(device.type):
            changed.append(torch.autocast(device.type, enabled=False))
        if torch.get_default_device() != _CPU:
            changed.append(_CPU)
        if not changed:
            yield
            return
        with ExitStack() as stack:
            for context in changed:
                stack.enter_context(context)
            yield


@contextmanager
def few_threads(n_weights, device):
    """Compute on one thread where a network has few weights; afterwards as many as before.

    Torch counts threads for each calling thread, but a thread that uses torch for the first time
    while this block runs takes over its count.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1 or n_weights > WEIGHTS_WORTH_THREADS:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


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
    """
    foreign = any(map(is_foreign, parts))
    with (
        global_state_kept(seed, device) if foreign else nullcontext(),
        plain_torch(device, gradients=gradients),
    ):
        yield


def is_foreign(part):
    """Whether an object or class is none of ours, nor of a package whose parts we know."""
    if part is None or isinstance(part, str):
        return False
    owner = part if hasattr(part, "__qualname__") else type(part)
    if not (owner.__module__ or "").startswith(_TRUSTED):
        return True
    return any(map(is_foreign, getattr(part, "steps", ())))  # of a Compose
