"""The examples run, show good results, and leave nothing but their figures."""

import re
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

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
        assert (EXAMPLES.parent / figure).read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == []
    return result.stdout


def rows(printed, names):
    """The numbers of each line that starts with one of these names, line by line."""
    lines = re.findall(rf"^ *({'|'.join(names)})  +(.*\d)$", printed, flags=re.MULTILINE)
    return [
        (name, [float(number) for number in re.findall(r"\d\.\d+", rest)]) for name, rest in lines
    ]


def test_quickstart(tmp_path):
    printed = run("quickstart.py", tmp_path, n_figures=3)
    classified, anomalies = printed.split("2. How wide")[0], printed.split("3. Anomalies")[1]
    # Default settings, on the half of the rows that no fit has seen: VAE, autoencoder and, for
    # wine, contrastive.
    wanted = {"digits": (0.93, 0.93), "breast cancer": (0.955, 0.955), "wine": (0.95, 0.95, 0.95)}
    accuracies = rows(classified, wanted)
    assert [name for name, _ in accuracies] == list(wanted)
    for name, accuracy in accuracies:
        assert len(accuracy) == 2 + len(wanted[name])
        assert all(a >= least for a, least in zip(accuracy, wanted[name], strict=False)), name
    ((_, widths),) = rows(printed, ["accuracy"])
    assert widths[0] + 0.2 < widths[1] < widths[2]
    scores = rows(anomalies, wanted)
    assert [name for name, _ in scores] == ["wine", "digits"]
    for name, (detector, pca, _) in scores:
        assert detector > pca, name
    assert " (expected " in anomalies
    # The picture of the README; of another version of matplotlib letters stand a little elsewhere.
    made, shown = (
        plt.imread(EXAMPLES.parent / name)
        for name in ("examples/figures/latent_map.png", "docs/_static/latent_map.png")
    )
    assert made.shape == shown.shape and np.abs(made - shown).mean() < 0.02
    # A page: neither longer nor wider than what a terminal shows at once.
    assert len(printed.splitlines()) <= 40 and max(map(len, printed.splitlines())) <= 100


def test_anomalies(tmp_path):
    printed = run("anomalies.py", tmp_path, n_figures=1)
    assert float(re.search(r"AUROC ([\d.]+)", printed)[1]) > 0.98
    assert "fee = 0 (expected " in printed


def test_few_labels(tmp_path):
    printed = run("few_labels.py", tmp_path, n_figures=0)
    accuracy = dict(rows(printed, ["raw pixels", "codes", "contrastive", "tf-idf, SVD"]))
    assert accuracy["codes"][0] > accuracy["raw pixels"][0]
    assert accuracy["contrastive"][1] > accuracy["tf-idf, SVD"][1] + 0.05
