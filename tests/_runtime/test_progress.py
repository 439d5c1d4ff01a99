"""verbose=1 is one bar on a terminal, plain lines elsewhere, and costs nothing."""

import io
import multiprocessing
import re
import sys

import numpy as np
import pytest
from seen_output import Terminal
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    OutlierDetector,
    RepresentationImputer,
    VAETransformer,
)
from sklearn_replearn._runtime.progress import Progress

X, Y = load_wine(return_X_y=True)
X, Y = X[::4], Y[::4]
QUICK = {"max_epochs": 20, "latent_dim": 2}
SMALL = AutoencoderTransformer(**QUICK)
ESTIMATORS = [
    SMALL,
    VAETransformer(**QUICK),
    ContrastiveTransformer(**QUICK),
    EncoderClassifier(SMALL),
    EncoderRegressor(SMALL, fine_tune="full"),
    OutlierDetector(),
    OutlierDetector(SMALL),
    RepresentationImputer(SMALL),
]
ESCAPE = "\x1b"


def names(estimator):
    return " ".join(str(estimator).split())


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=names)
def test_where_there_is_no_terminal_a_line_each_tenth(estimator, capsys):
    quiet = clone(estimator).fit(X, Y)
    assert capsys.readouterr() == ("", "")
    loud = clone(estimator).set_params(verbose=1).fit(X, Y)
    printed, errors = capsys.readouterr()
    lines = printed.splitlines()
    name = type(estimator).__name__
    shares = [int(re.match(rf"{name} +(\d+) %", line)[1]) for line in lines]
    assert shares == sorted(set(shares)) and shares[-1] == 100
    assert 3 <= len(lines) <= 10
    assert ESCAPE not in printed and "\r" not in printed and errors == ""
    method = "score_samples" if hasattr(loud, "score_samples") else None
    method = method or ("predict" if hasattr(loud, "predict") else "transform")
    assert np.array_equal(getattr(loud, method)(X), getattr(quiet, method)(X))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=names)
def test_on_a_terminal_one_line_is_written_anew(estimator, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    clone(estimator).set_params(verbose=1).fit(X, Y)
    shown = terminal.getvalue()
    assert shown.count("\n") == 1 and shown.endswith("\n")
    last = shown.rstrip("\n").split("\r")[-1]
    assert last.startswith(type(estimator).__name__) and "100%" in last
    assert ESCAPE not in shown


def test_losses_are_shown(capsys):
    estimator = AutoencoderTransformer(max_epochs=10, early_stopping=True, verbose=1).fit(X)
    last = capsys.readouterr().out.splitlines()[-1]
    row = estimator.history_.iloc[-1]
    assert f"train_loss {row['train_loss']:.4g}" in last
    assert f"valid_loss {row['valid_loss']:.4g}" in last
    assert "epoch 10/10" in last


def test_a_fit_that_stops_early_is_shown_as_done(capsys):
    estimator = AutoencoderTransformer(
        max_epochs=100, early_stopping=True, n_iter_no_change=1, tol=10.0, verbose=1
    )
    estimator.fit(X)
    assert "100 %" in capsys.readouterr().out.splitlines()[-1]
    assert estimator.n_iter_ < 100


def test_what_is_fitted_inside_shows_no_bar_of_its_own(capsys):
    inner = clone(SMALL).set_params(verbose=1)
    EncoderClassifier(inner, verbose=1).fit(X, Y)
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {
        "EncoderClassifier"
    }
    EncoderClassifier(make_pipeline(inner, clone(SMALL))).fit(X, Y)
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {
        "AutoencoderTransformer"
    }


def test_several_fits_may_join_one_task():
    root = Progress(_Nothing())
    root.begins(2)
    part = root.part("fit-transformer")
    for _ in range(3):
        joined = part.joined()
        joined.begins(4)
        for _ in range(4):
            epoch = joined.part("epoch")
            epoch.begins(0)
            epoch.ends({}, None)
        joined.ends({}, None)
    part.ends({}, None)
    assert root.done == pytest.approx(0.5)
    root.ends({}, None)
    assert root.done == pytest.approx(1.0)


class _Nothing:
    def shows(self, share, where, figures):
        assert 0 <= share <= 1 + 1e-9


def test_a_search_shows_each_of_its_fits(capsys):
    search = GridSearchCV(
        make_pipeline(clone(SMALL).set_params(verbose=1), LogisticRegression()),
        {"autoencodertransformer__latent_dim": [1, 2]},
        cv=2,
    )
    search.fit(X, Y)
    assert capsys.readouterr().out.count("100 %") == 2 * 2 + 1


def test_without_a_library_for_bars_there_are_lines(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    clone(SMALL).set_params(verbose=1).fit(X)
    lines = terminal.getvalue().splitlines()
    assert len(lines) == 10 and "100 %" in lines[-1]


def test_processes_of_a_search_write_lines_because_bars_would_overwrite_each_other(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(multiprocessing.current_process(), "_name", "LokyProcess-1")
    clone(SMALL).set_params(verbose=1).fit(X)
    assert terminal.getvalue().count("\n") == 10


class _WithoutFlush:
    def __init__(self):
        self.written = ""

    def write(self, text):
        self.written += text


class _Gone(io.StringIO):
    """A pipe that nobody reads any more."""

    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal

    def write(self, text):
        raise BrokenPipeError


def _closed(stream):
    stream.close()
    return stream


@pytest.mark.parametrize(
    "out",
    [None, _closed(io.StringIO()), _closed(Terminal()), _Gone(True), _Gone(False)],
    ids=["none", "closed", "closed terminal", "broken terminal", "broken pipe"],
)
def test_no_fit_is_lost_for_what_it_shows(out, monkeypatch):
    quiet = clone(SMALL).fit(X)
    monkeypatch.setattr(sys, "stdout", out)
    loud = clone(SMALL).set_params(verbose=1).fit(X)
    assert np.array_equal(loud.transform(X), quiet.transform(X))


def test_lines_are_written_in_one_piece(monkeypatch):
    out = _WithoutFlush()
    lines = []
    monkeypatch.setattr(out, "write", lines.append, raising=False)
    monkeypatch.setattr(sys, "stdout", out)
    clone(SMALL).set_params(verbose=1).fit(X)
    assert len([line for line in lines if line]) == 10
    assert all(line.endswith("\n") for line in lines if line)


def test_what_stands_in_for_a_file_need_not_flush(monkeypatch):
    out = _WithoutFlush()
    monkeypatch.setattr(sys, "stdout", out)
    clone(SMALL).set_params(verbose=1).fit(X)
    assert "100 %" in out.written


def test_a_single_epoch_is_counted(capsys):
    clone(SMALL).set_params(verbose=1, max_epochs=1).fit(X)
    assert "epoch 1/1  train_loss" in capsys.readouterr().out


@pytest.mark.parametrize("where", ["terminal", "file"])
def test_an_error_leaves_what_was_shown_and_closes_the_line(where, monkeypatch):
    out = Terminal() if where == "terminal" else io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    estimator = AutoencoderTransformer(lr=1e30, max_epochs=20, verbose=1, optimizer="sgd")
    with pytest.raises(ValueError, match=r"loss"):
        estimator.fit(X)
    assert out.getvalue() == "" or out.getvalue().endswith("\n")
