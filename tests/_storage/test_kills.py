"""Processes that are killed leave nothing that is read wrongly; the whole of it is a benchmark."""

import json
import os
import subprocess
import sys

import pytest
from pages import ROOT


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked, which Windows does not")
def test_what_killed_processes_leave_is_never_read_wrongly(tmp_path):
    kills = ROOT / "benchmarks" / "kills.py"
    subprocess.run(
        [sys.executable, kills, "--kills", "8", "--results", tmp_path],
        capture_output=True,
        check=True,
        timeout=300,
    )
    tasks = json.loads((tmp_path / "kills.json").read_text())["tasks"]
    assert sum(task["kills"] for task in tasks.values()) == 8
    for name, task in tasks.items():
        assert task["wrong"] == task["parts left after the next run"] == 0, name
        assert sum(task["found"].values()) == task["kills"], name
