"""The examples of the gallery run, and each draws something."""

import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("plot_*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_runs(path, monkeypatch):
    before = plt.rcParams.copy()
    monkeypatch.setattr(plt, "show", lambda: None)
    try:
        runpy.run_path(str(path))
        assert plt.get_fignums()
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()  # what is laid out, too
    finally:
        plt.close("all")
    assert plt.rcParams == before
    assert path.read_text().count("# %%") >= 1
