"""The examples run, print what they say, and leave nothing but their figures."""

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_quickstart(tmp_path):
    result = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / "quickstart.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "Done in" in result.stdout  # how long is up to what else the machine is doing
    figures = re.findall(r"\S+\.png", result.stdout)
    assert len(figures) >= 3
    for figure in figures:
        assert (tmp_path / figure).read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == []
