"""What a file gives back."""

import tempfile
from pathlib import Path

from sklearn_replearn import load, save


def from_a_file(estimator):
    """What ``load`` reads of what ``save`` has written."""
    with tempfile.TemporaryDirectory() as folder:
        save(estimator, Path(folder) / "model")
        return load(Path(folder) / "model")
