"""What the code of docs/guide/onnx.md comes to; its tables are complete."""

from pages import DOCS, session_of

import sklearn_replearn
from sklearn_replearn.onnx.operators import OPERATORS

PAGE = DOCS / "guide" / "onnx.md"


def test_the_code_blocks_run():
    session, _ = session_of(PAGE)
    assert session["probabilities"].shape == (300, 2)
    assert session["codes"].shape == (300, 8)


def test_every_estimator_is_in_the_table():
    estimators = [name for name in sklearn_replearn.__all__ if name[0].isupper()]
    estimators.remove("Parts")
    text = PAGE.read_text()
    assert all(f"`{name}`" in text for name in estimators)
    assert "linear" in OPERATORS and "sklearn_replearn/onnx/operators.py" in text
