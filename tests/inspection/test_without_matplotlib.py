"""Displays keep what they draw as arrays; only plot asks for matplotlib."""

import ast
import builtins
import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklearn_replearn import inspection
from sklearn_replearn.inspection import (
    CodeDependenceDisplay,
    HistoryDisplay,
    LatentDimDisplay,
    LatentMapDisplay,
    PValueDisplay,
    ReasonsDisplay,
    ReconstructionDisplay,
    SampleDisplay,
    TraversalDisplay,
)

FRAME, POINTS = pd.DataFrame({"x0": [1.0, 2.0, 3.0]}), np.zeros((3, 2))
TABLE = np.arange(6.0).reshape(2, 3) / 6
DISPLAYS = [
    HistoryDisplay(epochs=np.arange(3), train={"loss": np.arange(3.0)}),
    LatentMapDisplay(points=POINTS, axis_names=("a", "b")),
    ReconstructionDisplay(original=FRAME, reconstruction=FRAME, error=np.zeros((3, 1))),
    ReconstructionDisplay(original=np.zeros((2, 4, 4)), reconstruction=np.zeros((2, 4, 4))),
    SampleDisplay(real=FRAME, drawn=FRAME),
    CodeDependenceDisplay(dependence=TABLE, features=["a", "b"], codes=["c", "d", "e"]),
    LatentDimDisplay(latent_dims=np.array([1, 2]), scores=TABLE),
    PValueDisplay(p_values=TABLE[0]),
    ReasonsDisplay(contributions=TABLE, columns=["a", "b", "c"], rows=["0", "1"]),
    ReasonsDisplay(contributions=TABLE[:1], columns=["a", "b", "c"], rows=["0"]),
    TraversalDisplay(deviations=np.array([-1.0, 1.0]), codes=["c"], images=np.ones((1, 2, 3, 3))),
    TraversalDisplay(
        deviations=np.array([-1.0, 1.0]),
        codes=["c"],
        changes=TABLE[None],
        levels=np.full((1, 2, 3), ""),
        columns=["a", "b", "c"],
    ),
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

    settings, display = dict(plt.rcParams), copy.copy(display)  # others see it undrawn
    assert display.plot() is display
    display.figure_.draw_without_rendering()
    assert display.ax_.figure is display.figure_
    assert plt.fignum_exists(display.figure_.number) and dict(plt.rcParams) == settings
    plt.close("all")


def test_it_is_imported_only_where_something_is_drawn():
    for path in Path(inspection.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [getattr(node, "module", None) or "", *map(str, _imported(node))]
            assert not any(name.startswith("matplotlib") for name in names), path.name


def _imported(node):
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
