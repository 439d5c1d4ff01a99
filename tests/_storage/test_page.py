"""The code blocks of docs/guide/storing.md run, in order, as one session."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "guide" / "storing.md").read_text()


def test_the_code_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = {"__name__": "storing_page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(compile(block, "storing.md", "exec"), session)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
