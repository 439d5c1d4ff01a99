"""The pages of dask, ray and Spark run, each in a process of its own, and leave none behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pages import DOCS

RUN = """
import sys
from pathlib import Path
from pages import session_of
session_of(Path(sys.argv[1]), {passed_over})
"""


def left_behind(mark):
    """Processes started under an environment with this mark, where the system shows that."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes():
                found.append((path.parent / "cmdline").read_bytes().replace(b"\0", b" "))
        except OSError:  # ended, or of someone else
            continue
    return [command for command in found if command]  # ended ones have none


def run(name, folder, passed_over=""):
    """Run a page; of what other packages warn of themselves, these are passed over."""
    mark = f"REPLEARN_PAGE={folder}"
    paths = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, **dict([mark.split("=")]), "PYTHONPATH": paths}
    code = RUN.format(passed_over=f"[{passed_over}]")
    command = [sys.executable, "-c", code, str(DOCS / "guide" / f"{name}.md")]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(folder.iterdir()) == []
    end = time.monotonic() + 20
    while left_behind(mark.encode()) and time.monotonic() < end:
        time.sleep(0.1)
    assert left_behind(mark.encode()) == []


def test_dask(tmp_path):
    run("dask", tmp_path)


def test_ray(tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="ray is 250 MB, and not in the extra for tests")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # else a token is laid down at home
    deprecated = r'(r"`use_\w+` is deprecated", DeprecationWarning)'
    inplace = r'("The inplace keyword in DataFrame.reset_index", DeprecationWarning)'
    run("ray", tmp_path, f"{deprecated}, {inplace}")


def test_spark(tmp_path):
    pytest.importorskip("pyspark", reason="Spark is 490 MB and Java, and not in the extra")
    newer = r'("PySpark does not yet fully support pandas >= 3", FutureWarning)'
    copies = r'("The copy keyword is deprecated", DeprecationWarning)'
    run("spark", tmp_path, f"{newer}, {copies}")
