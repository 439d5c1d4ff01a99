"""Randomness: one generator per fit, and the process-wide generators left alone."""

import random
import threading
from contextlib import contextmanager
from numbers import Integral

import numpy as np
import torch

_FOREIGN_CODE = threading.RLock()  # again in the same thread: a callback may fit, too


def draw_seed(random_state):
    """Turn scikit-learn's ``random_state`` into one integer seed.

    ``None`` takes entropy from the operating system rather than from NumPy's global generator,
    so that drawing a seed changes no global state. A ``RandomState`` instance advances.
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if not isinstance(random_state, Integral):
        raise ValueError(
            f"random_state must be an int, a RandomState instance or None; got {random_state!r}."
        )
    return int(random_state)


def new_generator(seed, device="cpu"):
    """A torch generator on ``device``, started from ``seed``."""
    return torch.Generator(device=device).manual_seed(seed)


def draw_integer(generator):
    """One integer drawn from ``generator``, to seed something that takes only integers."""
    return int(torch.randint(2**31 - 1, (), generator=generator, device=generator.device))


@contextmanager
def global_state_kept(seed, device):
    """Run foreign code that draws from the global generators, repeatably and without a trace.

    Modules, augmentations and callbacks of users draw from torch's, NumPy's and Python's global
    generators, and build their weights in torch's default dtype. Those are process-wide, so this
    block is entered by one thread at a time: fits with foreign parts queue.
    """
    with _FOREIGN_CODE:
        python_state, numpy_state = random.getstate(), np.random.get_state()
        default_dtype = torch.get_default_dtype()
        on_gpu = device.type == "cuda"
        try:
            with torch.random.fork_rng(devices=[device] if on_gpu else []):
                random.seed(seed)
                np.random.seed(seed % 2**32)
                # Not torch.manual_seed: that would seed GPUs beside this one, too.
                torch.default_generator.manual_seed(seed)
                if on_gpu:
                    with torch.cuda.device(device):
                        torch.cuda.manual_seed(seed)
                torch.set_default_dtype(torch.float32)
                yield
        finally:
            torch.set_default_dtype(default_dtype)
            random.setstate(python_state)
            np.random.set_state(numpy_state)
