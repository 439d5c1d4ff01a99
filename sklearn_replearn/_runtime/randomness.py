"""Randomness: one generator per fit, and the process-wide generators left alone."""

import random
from contextlib import contextmanager
from numbers import Integral

import numpy as np
import torch

from .processes import current_processes
from .turns import Turn, Turns

_FOREIGN_CODE = Turns()


def draw_seed(random_state):
    """Turn scikit-learn's ``random_state`` into one integer seed.

    ``None`` takes entropy from the operating system rather than from NumPy's global generator,
    so that drawing a seed changes no global state. A ``RandomState`` instance advances. Processes
    that do a fit together take what the first one has drawn.
    """
    if random_state is None:
        return _of_first(int(np.random.SeedSequence().generate_state(1)[0]))
    if isinstance(random_state, np.random.RandomState):
        return _of_first(int(random_state.randint(2**31 - 1)))
    if not isinstance(random_state, Integral):
        raise ValueError(
            f"random_state must be an int, a RandomState instance or None; got {random_state!r}."
        )
    return int(random_state)


def _of_first(seed):
    # 32 bits: a float64 has room for them.
    return int(current_processes().first({"seed": seed})["seed"])


def new_generator(seed, device="cpu"):
    """A torch generator on ``device``, started from ``seed``."""
    return torch.Generator(device=device).manual_seed(seed)


def draw_integer(generator):
    """One integer drawn from ``generator``, to seed something that takes only integers."""
    # From 64 bits with every torch: its randint once took 32 for such numbers, so that another
    # model followed from the same seed.
    bits = torch.empty((), dtype=torch.int64, device=generator.device)
    return int(bits.random_(-(2**63), None, generator=generator)) % 2**64 % (2**31 - 1)


def next_integer(generator):
    """What :func:`draw_integer` will give next, without drawing it."""
    ahead = torch.Generator(generator.device)
    ahead.set_state(generator.get_state())
    return draw_integer(ahead)


class _GlobalState:
    """Of torch's, NumPy's and Python's global generators, and torch's default dtype, as it is."""

    def __init__(self, device):
        self.device = device if device.type == "cuda" else None
        self.python, self.numpy = random.getstate(), np.random.get_state()
        self.torch, self.dtype = torch.get_rng_state(), torch.get_default_dtype()
        self.cuda = None if self.device is None else torch.cuda.get_rng_state(self.device)

    def put_back(self):
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.torch)
        torch.set_default_dtype(self.dtype)
        if self.device is not None:
            torch.cuda.set_rng_state(self.cuda, self.device)

    def __eq__(self, other):
        return (
            self.python == other.python
            and torch.equal(self.torch, other.torch)
            and self.numpy[2:] == other.numpy[2:]
            and np.array_equal(self.numpy[1], other.numpy[1])
            and (self.cuda is None or torch.equal(self.cuda, other.cuda))
        )

    __hash__ = None


def global_draws(device):
    """A function that says whether anything was drawn from global generators since this call."""
    before = _GlobalState(device)
    return lambda: before != _GlobalState(device)


class _OwnState(Turn):
    """A turn in which the global generators are those of one fit or of one call."""

    def __init__(self, device):
        super().__init__()
        self.device, self.outside = device, None

    def begin(self):
        """Wait for the turn, and remember what is outside of it."""
        _FOREIGN_CODE.take(self)
        self.outside = _GlobalState(self.device)

    def end(self):
        """Put back what is outside, if the turn has begun."""
        self.undo()
        self.outside = None
        _FOREIGN_CODE.leave(self)

    def undo(self):
        if self.outside is not None:
            self.outside.put_back()

    @contextmanager
    def set_aside(self):
        """Let others have their turn meanwhile, and go on where one was."""
        inside = _GlobalState(self.device)
        self.end()
        try:
            yield
        finally:
            self.begin()
            inside.put_back()


@contextmanager
def global_state_kept(seed, device):
    """Run foreign code that draws from the global generators, repeatably and without a trace.

    Modules, augmentations and callbacks of users draw from torch's, NumPy's and Python's global
    generators, and build their weights in torch's default dtype. Those are process-wide, so threads
    take turns in such blocks; in a long one they call :func:`give_way` now and then.

    Yields
    ------
    callable
        Says whether anything was drawn since the block began.
    """
    turn = _OwnState(device)
    try:
        turn.begin()
        random.seed(seed)
        np.random.seed(seed % 2**32)
        # Not torch.manual_seed: that would seed GPUs beside this one, too.
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        torch.set_default_dtype(torch.float32)
        yield global_draws(device)
    finally:
        interrupt = None
        while not turn.over:
            try:
                turn.end()
            except KeyboardInterrupt as again:
                interrupt = again
        if interrupt is not None:
            raise interrupt


def foreign_code_runs():
    """Whether this thread is in a fit with parts of a user's, which draw from global generators."""
    return _FOREIGN_CODE.is_mine()


def global_state_of_this_fit(device):
    """Plain values of what the global generators are at, where a fit has them for itself, or None.

    Parameters
    ----------
    device : torch.device
    """
    if not _FOREIGN_CODE.is_mine():
        return None
    state = _GlobalState(device)
    return {name: getattr(state, name) for name in ("python", "numpy", "torch", "cuda")}


def put_global_state(values, device):
    """Make the global generators what :func:`global_state_of_this_fit` has told."""
    if values is not None:
        state = _GlobalState(device)
        vars(state).update(values)
        state.put_back()


def give_way():
    """Between two steps of a fit with foreign parts: others that wait have their turn."""
    turn = _FOREIGN_CODE.mine() if _FOREIGN_CODE.awaited else None
    if turn is not None:
        with turn.set_aside():
            pass


#: Around code of a user's that may wait for other threads' fits, such as a callback.
lent = _FOREIGN_CODE.lent


@contextmanager
def outside():
    """Run what is no part of a fit as if it ran outside of it, in the middle of this thread's turn.

    It draws from the caller's generators, and may wait for fits of other threads.
    """
    turn = _FOREIGN_CODE.mine()
    if turn is None:
        yield
        return
    with turn.set_aside():
        yield
