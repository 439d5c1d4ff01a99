"""What the tests share: one thread for torch in each worker, so that two workers fit two cores."""

import os

# Before scikit-learn is imported: with it one of its checks runs instead of being skipped.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import torch

torch.set_num_threads(1)
