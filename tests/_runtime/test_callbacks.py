"""scikit-learn's callbacks follow every fit, and change nothing in it."""

import pickle
import random
import threading

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    OutlierDetector,
    RepresentationImputer,
    VAETransformer,
    load,
    save,
)
from sklearn_replearn.densities import Autoregressive

pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
from sklearn.callback import ProgressBar, ScoringMonitor


def short(estimator):
    """Its name, and what it is of."""
    return " ".join(str(estimator).split())


X, Y = load_wine(return_X_y=True)
X, Y = X[::4], Y[::4]
EPOCHS = 3
QUICK = {"max_epochs": EPOCHS, "latent_dim": 2}
TRANSFORMERS = [
    AutoencoderTransformer(**QUICK),
    VAETransformer(**QUICK),
    ContrastiveTransformer(**QUICK),
]
SMALL = AutoencoderTransformer(**QUICK)
OTHERS = [
    EncoderClassifier(SMALL),
    EncoderClassifier(SMALL, fine_tune="full"),
    EncoderRegressor(SMALL, fine_tune="linear_probe"),
    OutlierDetector(),
    OutlierDetector(SMALL),
    RepresentationImputer(SMALL),
]


class Recorder:
    """Writes down all that it is told; with ``max_propagation_depth`` it is passed on."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.told = []

    def setup(self, estimator, context):
        self.told.append(("setup", context.task_name))

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.told.append(("begin", context.task_name, estimator, X, y, metadata))

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.told.append(("end", context.task_name, estimator, fitted_estimator))
        n_epochs = sum(told[:2] == ("end", "epoch") for told in self.told)
        return n_epochs == self.stop_after

    def teardown(self, estimator, context):
        self.told.append(("teardown", context.task_name))

    def names(self, event):
        return [told[1] for told in self.told if told[0] == event]


class Propagated(Recorder):
    max_propagation_depth = None


def outputs(estimator):
    """What a fitted estimator says of the rows."""
    for name in ("transform", "predict_proba", "score_samples", "predict"):
        if hasattr(estimator, name):
            return np.asarray(getattr(estimator, name)(X))
    raise AssertionError(estimator)


@pytest.mark.parametrize("estimator", TRANSFORMERS + OTHERS, ids=short)
def test_fits_are_the_same_with_callbacks(estimator):
    plain, followed = clone(estimator), clone(estimator)
    followed.set_callbacks(Propagated(), Recorder())
    state = torch.get_rng_state()
    assert np.array_equal(outputs(plain.fit(X, Y)), outputs(followed.fit(X, Y)))
    assert torch.equal(torch.get_rng_state(), state)
    left = set(vars(followed)) - set(vars(plain))
    assert left == {"_skl_callbacks"}


@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=short)
def test_each_epoch_is_a_task_with_the_users_estimator(estimator):
    recorder, estimator = Recorder(), clone(estimator)
    weights = np.ones(len(X))
    estimator.set_callbacks(recorder).fit(X, sample_weight=weights)
    assert recorder.names("begin") == ["fit"] + ["epoch"] * EPOCHS
    assert recorder.names("end") == ["epoch"] * EPOCHS + ["fit"]
    assert recorder.names("setup") == recorder.names("teardown") == ["fit"]
    begun = [told for told in recorder.told if told[0] == "begin"]
    for _, _, whose, rows, target, metadata in begun:
        assert whose is estimator
        assert rows is X and target is X  # without y rows are their own target
        assert metadata["sample_weight"] is weights


@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=short)
def test_hooks_are_given_an_estimator_as_if_the_fit_had_ended(estimator):
    recorder, estimator = Recorder(), clone(estimator)
    estimator.set_callbacks(recorder).fit(X)
    *epochs, whole = [told[3] for told in recorder.told if told[0] == "end"]
    assert [fitted.n_iter_ for fitted in epochs] == [1, 2, 3]
    codes = estimator.transform(X)
    assert np.array_equal(epochs[-1].transform(X), codes)
    assert np.array_equal(whole.transform(X), codes)
    assert epochs[-1].score(X) == estimator.score(X)
    assert not np.array_equal(epochs[0].transform(X), codes)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_hook_that_returns_true_stops(early_stopping):
    recorder = Recorder(stop_after=2)
    estimator = AutoencoderTransformer(max_epochs=9, latent_dim=2, early_stopping=early_stopping)
    estimator.set_callbacks(recorder).fit(X)
    assert estimator.n_iter_ == 2
    assert recorder.names("end") == ["epoch", "epoch", "fit"]


def test_early_stopping_ends_the_task_of_its_last_epoch():
    recorder = Recorder()
    estimator = AutoencoderTransformer(
        max_epochs=50, latent_dim=2, early_stopping=True, n_iter_no_change=1, tol=10.0
    )
    estimator.set_callbacks(recorder).fit(X)
    assert estimator.n_iter_ < 50
    assert recorder.names("end") == ["epoch"] * estimator.n_iter_ + ["fit"]


@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=short)
def test_scores_are_monitored_each_epoch(estimator):
    monitor = ScoringMonitor(scoring=_score)
    estimator = clone(estimator).set_callbacks(monitor).fit(X)
    logs = monitor.get_logs().data_as_pandas
    scores = logs.loc[logs["task_name"] == "epoch", "score"].to_numpy()
    assert len(scores) == EPOCHS and np.isfinite(scores).all()
    assert scores[-1] == estimator.score(X)


def _score(estimator, X, y):
    return {"score": estimator.score(X)}


def test_rows_given_for_validation_are_those_that_epochs_are_scored_on():
    monitor = ScoringMonitor(scoring=_score)
    estimator = AutoencoderTransformer(**QUICK).set_callbacks(monitor)
    estimator.fit(X[:30], X_val=X[30:])
    logs = monitor.get_logs().data_as_pandas
    scores = logs.loc[logs["task_name"] == "epoch", "score"].to_numpy()
    assert np.allclose(scores, estimator.history_["valid_score"])
    assert logs.loc[logs["task_name"] == "fit", "score"].item() == estimator.score(X[:30])


@pytest.mark.parametrize("fine_tune", ["linear_probe", "full"])
def test_epochs_of_fine_tuning_are_scored(fine_tune):
    monitor = ScoringMonitor(scoring="accuracy")
    estimator = EncoderClassifier(SMALL, fine_tune=fine_tune).set_callbacks(monitor).fit(X, Y)
    logs = monitor.get_logs().data_as_pandas
    assert (logs["task_name"] == "epoch").sum() == EPOCHS
    whole = logs.loc[logs["task_name"] == "fit", "accuracy"].item()
    assert whole == estimator.score(X, Y)


PARTS = [
    (EncoderClassifier(SMALL), ["fit", "fit-transformer", "fit-head"]),
    (EncoderRegressor(SMALL, fine_tune="full"), ["fit-transformer", "fit-head", "fine-tune"]),
    (RepresentationImputer(SMALL), ["fit", "fit-estimator"]),
    (OutlierDetector(), ["fit", "fold-1-of-10-NearestDistance", "all-rows-LowDensity"]),
    (
        VAETransformer(**QUICK, density=Autoregressive(max_updates=20)),
        ["network", "epoch", "density", "check", "missing-cells"],
    ),
]


@pytest.mark.parametrize(("estimator", "names"), PARTS, ids=lambda value: type(value).__name__)
def test_parts_of_a_fit_are_tasks(estimator, names):
    recorder = Recorder()
    clone(estimator).set_callbacks(recorder).fit(X, Y)
    assert set(names) <= set(recorder.names("begin"))
    assert sorted(recorder.names("begin")) == sorted(recorder.names("end"))


WRAPPED = [
    EncoderClassifier(SMALL),
    EncoderClassifier(make_pipeline(StandardScaler(), SMALL), LogisticRegression()),
    OutlierDetector(SMALL),
    RepresentationImputer(SMALL),
    make_pipeline(SMALL, LogisticRegression()),
]


@pytest.mark.parametrize("estimator", WRAPPED, ids=short)
def test_callbacks_reach_the_estimator_inside(estimator):
    recorder = Propagated()
    clone(estimator).set_callbacks(recorder).fit(X, Y)
    owners = {type(told[2]).__name__ for told in recorder.told if told[1] == "epoch"}
    assert owners == {"AutoencoderTransformer"}
    assert recorder.names("setup") == recorder.names("teardown") == ["fit"]


def test_a_frozen_estimator_is_left_alone():
    encoder, recorder = clone(SMALL).fit(X), Propagated()
    before = dict(vars(encoder))
    EncoderClassifier(FrozenEstimator(encoder)).set_callbacks(recorder).fit(X, Y)
    assert vars(encoder) == before
    assert recorder.names("end") == ["fit-transformer", "fit-head", "fit"]


@pytest.mark.parametrize("inner", [PCA(2), LogisticRegression()], ids=short)
def test_parts_without_callbacks_are_no_reason_to_warn(inner):
    transformer, head = (inner, None) if isinstance(inner, PCA) else (PCA(2), inner)
    EncoderClassifier(transformer, head).set_callbacks(Propagated()).fit(X, Y)
    OutlierDetector(PCA(2)).set_callbacks(Propagated()).fit(X)


def test_a_search_shows_nested_bars_and_scores(capsys):  # in other processes: see the page
    pytest.importorskip("rich", reason="ProgressBar draws with it")
    monitor = ScoringMonitor(scoring=_score)
    inner = AutoencoderTransformer(**QUICK).set_callbacks(monitor)
    search = GridSearchCV(
        make_pipeline(inner, LogisticRegression()),
        {"autoencodertransformer__latent_dim": [1, 2]},
        cv=2,
    )
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y)
    printed = capsys.readouterr().out
    assert printed.count("AutoencoderTransfo") == 2 * 2 + 1
    logs = monitor.get_logs("all")
    epochs = sum(row["task_name"] == "epoch" for log in logs for row in log.data)
    assert epochs == (2 * 2 + 1) * EPOCHS


def _draws():
    torch.rand(1), np.random.rand(), random.random()


def _waits_for_a_fit_elsewhere():
    other = threading.Thread(target=lambda: clone(FOREIGN).fit(X))
    other.start()
    other.join(20)
    assert not other.is_alive()


FOREIGN = AutoencoderTransformer(
    max_epochs=1,
    latent_dim=2,
    encoder=torch.nn.Sequential(torch.nn.Dropout(0.3), torch.nn.Linear(X.shape[1], 2)),
)


@pytest.mark.parametrize("does", [_draws, _waits_for_a_fit_elsewhere])
def test_what_hooks_do_is_no_part_of_a_fit_that_draws_from_global_generators(does):
    class Does(Recorder):
        def on_fit_task_end(self, estimator, context):
            does()

    plain = clone(FOREIGN).fit(X).transform(X)
    assert np.array_equal(clone(FOREIGN).set_callbacks(Does()).fit(X).transform(X), plain)


def test_a_fit_that_fails_tears_down_and_leaves_the_estimator_as_it_was():
    class Fails(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise OSError("disk full")

    recorder, estimator = Fails(), AutoencoderTransformer(**QUICK)
    estimator.set_callbacks(recorder)
    with pytest.raises(OSError, match="disk full"):
        estimator.fit(X)
    assert recorder.names("teardown") == ["fit"]
    assert set(vars(estimator)) - set(estimator.get_params()) == {"_skl_callbacks"}
    with pytest.raises(ValueError, match=r"infinite|infinity"):
        estimator.fit(np.full_like(X, np.inf))
    assert recorder.names("setup") == recorder.names("teardown")


@pytest.mark.parametrize("callback", [Recorder(), ProgressBar], ids=["instance", "bar"])
def test_callbacks_of_scikit_learn_are_none_of_skorch(callback):
    if isinstance(callback, type):
        pytest.importorskip("rich", reason="ProgressBar draws with it")
        callback = callback()
    with pytest.raises(ValueError, match=r"set_callbacks"):
        AutoencoderTransformer(callbacks=[callback], **QUICK).fit(X)


def test_callbacks_go_to_other_processes_and_not_into_files(tmp_path):
    estimator = AutoencoderTransformer(**QUICK).set_callbacks(Recorder()).fit(X)
    (again,) = pickle.loads(pickle.dumps(estimator))._skl_callbacks
    assert isinstance(again, Recorder)
    pipeline = make_pipeline(estimator, LogisticRegression()).set_callbacks(Recorder()).fit(X, Y)
    save(pipeline, tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    assert np.array_equal(loaded.predict_proba(X), pipeline.predict_proba(X))
    assert not hasattr(loaded, "_skl_callbacks") and not hasattr(loaded[0], "_skl_callbacks")
