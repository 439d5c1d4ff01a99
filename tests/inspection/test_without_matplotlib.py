"""Displays keep what they draw as arrays; only plot asks for matplotlib."""

import builtins
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from sklearn_replearn.inspection import (
    HistoryDisplay,
    LatentMapDisplay,
    ReconstructionDisplay,
    SampleDisplay,
)

FRAME, POINTS = pd.DataFrame({"x0": [1.0, 2.0, 3.0]}), np.zeros((3, 2))
DISPLAYS = [
    HistoryDisplay(epochs=np.arange(3), train={"loss": np.arange(3.0)}),
    LatentMapDisplay(points=POINTS, axis_names=("a", "b")),
    ReconstructionDisplay(original=FRAME, reconstruction=FRAME, error=np.zeros((3, 1))),
    ReconstructionDisplay(original=np.zeros((2, 4, 4)), reconstruction=np.zeros((2, 4, 4))),
    SampleDisplay(real=FRAME, drawn=FRAME),
]


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda display: type(display).__name__)
def test_a_display_says_how_to_install_it(display, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    kept = dict(vars(display))
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'pip install "sklearn_replearn\[plot\]"') as raised:
        display.plot()
    assert str(raised.value).startswith(type(display).__name__)
    assert all(vars(display)[name] is value for name, value in kept.items())


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda display: type(display).__name__)
def test_a_display_made_of_arrays_draws_itself_and_leaves_pyplot_as_it_was(display):
    import matplotlib.pyplot as plt

    settings = dict(plt.rcParams)
    assert display.plot() is display
    display.figure_.draw_without_rendering()
    assert display.ax_.figure is display.figure_
    assert plt.fignum_exists(display.figure_.number) and dict(plt.rcParams) == settings
    plt.close("all")


def test_importing_displays_imports_no_matplotlib():
    code = "import sys, sklearn_replearn.inspection; print('matplotlib' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "False", result.stderr
