"""The code blocks of docs/guide/onnx.md run, in order, as one session, and its tables are complete."""

import re
from pathlib import Path

import sklearn_replearn
from sklearn_replearn.onnx.operators import OPERATORS

PAGE = (Path(__file__).parents[2] / "docs" / "guide" / "onnx.md").read_text()


def test_the_code_blocks_run():
    session = {"__name__": "onnx_page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(compile(block, "onnx.md", "exec"), session)
    assert session["probabilities"].shape == (300, 2)
    assert session["codes"].shape == (300, 8)


def test_every_estimator_is_in_the_table():
    estimators = [name for name in sklearn_replearn.__all__ if name[0].isupper()]
    assert all(f"`{name}`" in PAGE for name in estimators)
    assert "linear" in OPERATORS and "sklearn_replearn/onnx/operators.py" in PAGE
