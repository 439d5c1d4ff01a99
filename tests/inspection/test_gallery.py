"""Gallery examples run without a warning, and draw something."""

import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

GALLERY = sorted((Path(__file__).parents[2] / "examples").glob("plot_*.py"))


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_the_example_draws(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    plt.close("all")
    settings = dict(plt.rcParams)
    runpy.run_path(str(path))
    text = path.read_text()
    title, line = text.splitlines()[1:3]
    assert set(line) == {"="} and len(line) == len(title)  # as sphinx-gallery wants it
    assert "\n# %%\n" in text and plt.get_fignums()
    for number in plt.get_fignums():
        figure = plt.figure(number)
        figure.draw_without_rendering()
        assert figure.axes
    plt.close("all")
    assert dict(plt.rcParams) == settings
    assert list(tmp_path.iterdir()) == []
