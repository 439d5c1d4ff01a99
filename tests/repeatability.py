"""What tests of repeatability compare: weights of fits, global generators, draws of one seed."""

import random

import numpy as np
import torch


def weights(estimator):
    """All that a fitted transformer computes with, in bytes."""
    return b"".join(array.tobytes() for _, array in sorted(estimator._model.arrays.items()))


def global_state():
    """States of the generators that all code of a process shares."""
    name, numbers, *rest = np.random.get_state()
    return random.getstate(), (name, numbers.tolist(), *rest), torch.get_rng_state().tolist()


def seeded(seed=0):
    """A generator of torch that starts from a seed."""
    return torch.Generator().manual_seed(seed)
