"""Examples of the gallery have the form that it wants; tests/docs/test_site.py runs them."""

from pathlib import Path

import pytest

GALLERY = sorted((Path(__file__).parents[2] / "examples" / "gallery").glob("plot_*.py"))


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_the_example_has_a_title_and_blocks(path):
    text = path.read_text()
    title, line = text.splitlines()[1:3]
    assert set(line) == {"="} and len(line) == len(title)
    assert "\n# %%\n" in text
    assert max(map(len, text.splitlines())) <= 100


def test_there_are_enough():
    assert len(GALLERY) >= 16
