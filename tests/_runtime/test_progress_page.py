"""The table of docs/guide/progress.md, and its blocks, which run in order as one session."""

import re
import sys

import pytest
from pages import DOCS, ROOT, session_of
from seen_output import Terminal
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_replearn import EncoderClassifier, OutlierDetector, VAETransformer

PAGE = (DOCS / "guide" / "progress.md").read_text()
X, Y = load_wine(return_X_y=True)
X, Y = X[::4], Y[::4]
EPOCHS = 2
VAE = VAETransformer(max_epochs=EPOCHS, latent_dim=2, n_importance_samples=2)


def search(inner, n_jobs):
    grid = {"vaetransformer__latent_dim": [1, 2]}
    return GridSearchCV(make_pipeline(inner, LogisticRegression()), grid, cv=2, n_jobs=n_jobs)


# An estimator around a transformer, whose verbose is set, and how often the latter is fitted.
FITS = {
    "`VAETransformer`": (lambda vae: vae, "verbose", 1),
    "`Pipeline`": (
        lambda vae: make_pipeline(vae, LogisticRegression()),
        "vaetransformer__verbose",
        1,
    ),
    "`GridSearchCV`, `n_jobs=1`": (
        lambda vae: search(vae, 1),
        "estimator__vaetransformer__verbose",
        2 * 2 + 1,
    ),
    "`GridSearchCV`, `n_jobs=2`": (
        lambda vae: search(vae, 2),
        "estimator__vaetransformer__verbose",
        2 * 2 + 1,
    ),
    "`EncoderClassifier`": (lambda vae: EncoderClassifier(vae), "verbose", 1),
    "`OutlierDetector`": (lambda vae: OutlierDetector(vae), "verbose", 10 + 1),
}


def cells(name):
    """Of the row of a fit: bars before scikit-learn 1.9, bars since, scores."""
    return re.search(re.escape(f"| {name} | ") + r"(.*) \| (.*) \| (.*) \|\n", PAGE).groups()


# Other processes write lines, see test_progress.py.
@pytest.mark.parametrize("name", [name for name in FITS if "n_jobs=2" not in name])
def test_the_page_says_what_verbose_shows(name, monkeypatch):
    make, verbose, n_fits = FITS[name]
    bars = {"a bar": 1, "a bar of the step": 1, "a bar for each fit": n_fits, "one bar": 1}
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    make(clone(VAE)).set_params(**{verbose: 1}).fit(X, Y)
    assert terminal.getvalue().count("\n") == bars[cells(name)[0]]


class Nesting:
    """Which estimators' tasks are within which, from outer to inner."""

    max_propagation_depth = None

    def __init__(self, path):
        self.path = path  # of a file, because a search fits in other processes

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        names = []
        while context is not None:
            names += [context.estimator_name, *filter(None, [context.source_estimator_name])]
            context = context.parent
        chain = list(dict.fromkeys(reversed(names)))
        with self.path.open("a") as file:
            file.write(" > ".join(chain) + "\n")

    def on_fit_task_end(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass


def _score(vae, X, y):
    return {"score": vae.score(X)}


@pytest.mark.parametrize("name", FITS)
def test_the_page_says_what_callbacks_see(name, tmp_path):
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    from sklearn.callback import ScoringMonitor

    make, _, n_fits = FITS[name]
    monitor = ScoringMonitor(scoring=_score)
    path = tmp_path / "nesting.txt"
    made = make(clone(VAE).set_callbacks(monitor))
    made.set_callbacks(*getattr(made, "_skl_callbacks", []), Nesting(path)).fit(X, Y)
    _, chain, scored = cells(name)
    deepest = max(path.read_text().splitlines(), key=lambda line: line.count(">"))
    assert deepest == chain
    rows = [row for log in monitor.get_logs("all") for row in log.data]
    epochs = [row["score"] for row in rows if row["task_name"] == "epoch"]
    assert len(epochs) == n_fits * EPOCHS
    assert scored.startswith("each epoch") and (" of each " in scored) == (n_fits > 1)


def test_the_page_has_the_costs_of_the_record():
    table = (
        (ROOT / "benchmarks" / "results" / "progress.md").read_text().partition("| fit")[2].rstrip()
    )
    assert "| fit" + table in PAGE


def test_the_blocks_run():
    _, printed = session_of(DOCS / "guide" / "progress.md")
    assert "VAETransformer 100 %" in printed
