"""The examples run, print what they say, and leave nothing but their figures."""

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name, tmp_path, n_figures):
    """Run an example where no packages are, and give back what it prints."""
    result = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "Done in" in result.stdout  # how long is up to what else the machine is doing
    figures = re.findall(r"\S+\.png", result.stdout)
    assert len(figures) >= n_figures
    for figure in figures:
        assert (tmp_path / figure).read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == []
    return result.stdout


def test_quickstart(tmp_path):
    run("quickstart.py", tmp_path, n_figures=3)


def test_anomalies(tmp_path):
    printed = run("anomalies.py", tmp_path, n_figures=1)
    assert float(re.search(r"AUROC ([\d.]+)", printed)[1]) > 0.98
    assert "fee = 0 (expected " in printed


def test_few_labels(tmp_path):
    printed = run("few_labels.py", tmp_path, n_figures=0)
    accuracy = {
        name: [float(number) for number in re.findall(r"\d\.\d+", rest)]
        for name, rest in re.findall(r"^   (\S.{19}) (.*\d)$", printed, flags=re.MULTILINE)
    }
    accuracy = {name.strip(): numbers for name, numbers in accuracy.items()}
    assert accuracy["codes"][0] > accuracy["raw pixels"][0]
    assert accuracy["contrastive"][1] > accuracy["tf-idf, SVD"][1] + 0.05
