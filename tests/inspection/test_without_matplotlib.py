"""Where matplotlib is not installed, displays say how to install it, and keep their arrays."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest

from sklearn_replearn import inspection
from sklearn_replearn.inspection import (
    CodeDependenceDisplay,
    LatentDimDisplay,
    PValueDisplay,
    ReasonsDisplay,
    TraversalDisplay,
)

TABLE = np.arange(6.0).reshape(2, 3) / 6
DISPLAYS = [
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
def test_displays_say_how_to_install_it(display, monkeypatch):
    before = dict(vars(display))
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=rf"{type(display).__name__}.*sklearn_replearn\[plot\]"):
        display.plot()
    assert all(vars(display)[name] is value for name, value in before.items())


def test_it_is_imported_only_where_something_is_drawn():
    for path in Path(inspection.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [getattr(node, "module", None) or "", *map(str, _imported(node))]
            assert not any(name.startswith("matplotlib") for name in names), path.name


def _imported(node):
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
