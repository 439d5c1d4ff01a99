"""What the tests share: two data sets, and one thread for torch in each of two workers."""

import os

# Before scikit-learn is imported: with it one of its checks runs instead of being skipped.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
import torch
from sklearn.datasets import load_digits, load_wine

torch.set_num_threads(1)

#: Read by type checkers, never run.
collect_ignore = ["typed"]


@pytest.fixture(scope="session")
def wine():
    """Thirteen measurements of 178 wines, and their cultivars."""
    return load_wine(return_X_y=True)


@pytest.fixture(scope="session")
def digits():
    """Digits of 8 x 8 pixels, flat, and which they are."""
    return load_digits(return_X_y=True)
