"""What goes wrong around a fit: nothing is half changed, nothing hangs, and it is said."""

import pickle
import re
import subprocess
import sys
import textwrap
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from repeatability import global_state
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import Callback
from torch import nn

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    VAETransformer,
)
from sklearn_replearn._runtime import memory
from sklearn_replearn.rows import Tokens

TRANSFORMERS = (AutoencoderTransformer, VAETransformer, ContrastiveTransformer)
X = np.random.RandomState(0).normal(size=(60, 4))
SMALL = {"latent_dim": 2, "hidden_layer_sizes": 4, "max_epochs": 3}


def own(n_in, n_out):
    return nn.Sequential(nn.Linear(n_in, 4), nn.Dropout(0.1), nn.Linear(4, n_out))


def run(code, seconds=60):
    """Run code in a process of its own, with several threads for torch, and return its output."""
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    return process.stdout.split()


# ---------------------------------------------------------------- forks and memory, in one process


def test_forked_and_other_processes_fit_the_same_whatever_threads_there_were():
    # Threads of torch's in the parent, and a turn that another thread has, are not in the child.
    output = run(
        """
        import os, signal, threading, time
        import numpy as np, torch
        from torch import nn
        from sklearn_replearn import AutoencoderTransformer, OutlierDetector, VAETransformer
        from sklearn_replearn._runtime.randomness import global_state_kept
        from sklearn_replearn.outliers import LowDensity, NearestDistance

        judges = [LowDensity(), NearestDistance()]
        torch.set_num_threads(4)
        X = np.random.RandomState(0).normal(size=(1500, 30))
        small = {"latent_dim": 2, "max_epochs": 1, "hidden_layer_sizes": 4}

        def threads():
            return len(os.listdir("/proc/self/task"))

        def work(X):
            model = AutoencoderTransformer(**small, encoder=nn.Linear).fit(X)
            vae = VAETransformer(**small).fit(X)
            vae.inverse_transform(vae.transform(X)), vae.score_samples(X[:99]), vae.sample(500)
            OutlierDetector(judges=judges).fit(X[:20]).score_samples(X[:9])
            return model.transform(X)

        before = threads()
        codes = work(X)
        print(float(np.abs(codes).sum()))
        print(threads() - before)
        torch.randn(10**6).exp_()  # a user's own work starts threads
        print(threads() > before)

        taken, go = threading.Event(), threading.Event()

        def hold():
            with global_state_kept(0, torch.device("cpu")):
                taken.set()
                go.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        taken.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            os._exit(0 if np.array_equal(work(X), codes) else 1)
        print(os.waitpid(child, 0)[1])
        go.set()
        holder.join()
        """
    )
    rows = np.random.RandomState(0).normal(size=(1500, 30))
    small = {**SMALL, "max_epochs": 1}
    codes = AutoencoderTransformer(**small, encoder=nn.Linear).fit(rows).transform(rows)
    assert output == [str(float(np.abs(codes).sum())), "0", "True", "0"]


def test_memory_that_runs_out_is_said_and_leaves_the_estimator_as_it_was():
    output = run(
        """
        import resource, warnings
        import numpy as np
        from sklearn_replearn import AutoencoderTransformer

        warnings.simplefilter("ignore")
        X = np.random.RandomState(0).normal(size=(20, 50))
        model = AutoencoderTransformer(max_epochs=1).fit(X)
        codes = model.transform(X)
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 3 * 10**8,) * 2)
        for width, hidden in ((40_000, 256), (1_000, 4)):
            try:
                model.set_params(hidden_layer_sizes=hidden).fit(np.zeros((20, width)) + X[:, :1])
                print("fitted")
            except MemoryError as error:
                print("HashingVectorizer" in str(error), np.array_equal(model.transform(X), codes))
        """
    )
    assert output == ["True", "True", "fitted"]


# ---------------------------------------------------------------- memory


def test_a_network_for_which_memory_is_too_little_is_refused_or_warned_of(monkeypatch):
    for free, expected in ((10_000, pytest.raises(MemoryError)), (10**5, pytest.warns())):
        monkeypatch.setattr("sklearn_replearn._estimators.model.free_memory", lambda f=free: f)
        with expected as caught:
            AutoencoderTransformer(latent_dim=2, max_epochs=1).fit(X)
        said = str(caught.value if free == 10_000 else caught[0].message)
        assert re.search(r"needs about .* MB, and .* are free.*smaller hidden_layer_sizes", said)


def test_very_wide_tables_get_narrower_networks():
    rows = AutoencoderTransformer().fit(X)._model.rows
    assert [rows.hidden(n) for n in (10, 2**15, 2**16, 2**18, 2**20)] == [
        (256,),
        (256,),
        (128,),
        (32,),
        (32,),
    ]


def test_free_memory_is_known_here():
    assert memory.free_memory() is None or memory.free_memory() > 0


CGROUPS = {
    "version 2": ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    "version 1": (
        *("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
        *("memory/memory.stat", "total_inactive_file"),
    ),
}


@pytest.mark.parametrize("version", CGROUPS)
@pytest.mark.parametrize(
    ("limit", "used", "cached", "free"),
    [
        ("4000", "3900", 3000, 3100),
        ("4000", "3900", None, 100),
        ("4000", "5000", 0, 0),
        ("4000", "100", 200, 4000),
        ("max", "3900", 3000, None),
    ],
)
def test_files_that_were_read_take_no_memory_of_a_container(
    version, limit, used, cached, free, tmp_path, monkeypatch
):
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    (tmp_path / "memory").mkdir()
    *sizes, stat, name = CGROUPS[version]
    for file, text in zip(sizes, (limit, used), strict=True):
        (tmp_path / file).write_text(f"{text}\n")
    if cached is not None:
        (tmp_path / stat).write_text(f"inactive_anon 7\n{name} {cached}\nactive_file 9\n")
    assert memory._within_cgroup() == free


# ---------------------------------------------------------------- interruptions


def test_an_interruption_at_any_point_changes_nothing():
    output = run(
        """
        import random, signal, time, warnings
        import numpy as np, torch
        from torch import nn
        from sklearn.datasets import load_wine
        from sklearn_replearn import AutoencoderTransformer, EncoderClassifier

        warnings.simplefilter("ignore")
        torch.set_num_threads(2)
        X, y = load_wine(return_X_y=True)
        small = {"latent_dim": 2, "max_epochs": 4}

        def everything():
            return (
                torch.get_rng_state().numpy().tobytes(), np.random.get_state()[1].tobytes(),
                random.getstate(), torch.get_num_threads(), torch.is_grad_enabled(),
                torch.is_inference_mode_enabled(),
            )

        signal.signal(signal.SIGALRM, signal.default_int_handler)
        before = everything()
        for model in (
            AutoencoderTransformer(**small),
            AutoencoderTransformer(**small, encoder=nn.Linear),
            EncoderClassifier(AutoencoderTransformer(**small), fine_tune="full"),
        ):
            model.fit(X, y)
            start = time.perf_counter()
            model.fit(X, y)
            seconds, interrupted = time.perf_counter() - start, 0
            for delay in np.linspace(0.02, 0.9, 25):
                state, said = dict(vars(model)), ""
                try:
                    signal.setitimer(signal.ITIMER_REAL, delay * seconds)
                    model.fit(X, y)
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except KeyboardInterrupt as error:
                    said = str(error)  # no words where it came before or after all work
                    interrupted += 1
                if said:
                    assert said.count("fit was interrupted") == 1, said
                    assert said.endswith(f"; this {type(model).__name__} is as it was before.")
                    assert vars(model) == state
                assert everything() == before
            print(interrupted > 5)
        """
    )
    assert output == ["True", "True", "True"]


class Raises(Callback):
    def __init__(self, event, error):
        self.event, self.error = event, error

    def raise_it(self, net, **kwargs):
        raise self.error

    def initialize(self):
        setattr(self, self.event, self.raise_it)
        return self


@pytest.mark.parametrize("make", TRANSFORMERS)
@pytest.mark.parametrize("event", ["on_train_begin", "on_epoch_begin", "on_batch_end"])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_exception_in_a_callback_changes_nothing(make, event, error):
    model = make(**SMALL).fit(X)
    before, state = dict(vars(model)), global_state()
    model.set_params(callbacks=[Raises(event, error())])
    with pytest.raises(error) as caught:
        model.fit(X)
    model.set_params(callbacks=None)
    assert vars(model) == before
    assert global_state() == state
    assert error is ZeroDivisionError or "as it was before" in str(caught.value)


# ---------------------------------------------------------------- threads and processes


@pytest.mark.parametrize("make", TRANSFORMERS)
@pytest.mark.parametrize("encoder", [None, own], ids=["ours", "own"])
def test_threads_that_fit_and_transform_at_once_get_the_same(make, encoder):
    width = 2 if make is VAETransformer else 1
    built = encoder if encoder is None else lambda n_in, n_out: own(n_in, width * 2)
    model = make(**SMALL, encoder=built).fit(X)
    codes, state = model.transform(X), global_state()

    def job(number):
        return (
            make(**SMALL, encoder=built).fit(X).transform(X) if number % 2 else model.transform(X)
        )

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(job, range(16), timeout=60))
    assert all(np.array_equal(codes, one) for one in found)
    assert global_state() == state


class Waits(Callback):
    """Waits for a fit with parts of a user's in another thread."""

    found = []

    def on_train_end(self, net, **kwargs):
        thread = threading.Thread(target=self.fit)
        thread.start()
        thread.join(30)

    def fit(self):
        self.found.append(AutoencoderTransformer(**SMALL, encoder=own).fit(X).transform(X))


def test_a_callback_may_wait_for_a_fit_in_another_thread():
    alone = AutoencoderTransformer(**SMALL, encoder=own).fit(X).transform(X)
    AutoencoderTransformer(**SMALL, callbacks=[Waits()]).fit(X)
    assert np.array_equal(Waits.found.pop(), alone)


class Tells(Callback):
    """Says that a fit has begun, and asks for it to go on until it may end."""

    begun, done = threading.Event(), threading.Event()

    def on_epoch_end(self, net, **kwargs):
        self.begun.set()
        if self.done.is_set():
            raise ZeroDivisionError


def test_nobody_waits_for_the_end_of_a_fit_with_own_parts():
    model = AutoencoderTransformer(**SMALL, encoder=own).fit(X)
    endless = AutoencoderTransformer(
        **{**SMALL, "max_epochs": 10**6}, encoder=own, callbacks=[Tells()]
    )

    def fit():
        with pytest.raises(ZeroDivisionError):
            endless.fit(X)

    thread = threading.Thread(target=fit)
    thread.start()
    Tells.begun.wait(30)
    model.transform(X[:1])
    AutoencoderTransformer(**SMALL, encoder=own).fit(X)
    assert thread.is_alive()
    Tells.done.set()
    thread.join(30)
    assert not thread.is_alive()


# ---------------------------------------------------------------- fits that diverge


@pytest.mark.parametrize("make", TRANSFORMERS)
def test_a_fit_that_diverged_says_so_once_with_what_to_do(make):
    for lr in (1.0, 100.0):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                make(latent_dim=2, max_epochs=60, lr=lr).fit(X)
            except ValueError as error:
                assert "loss became NaN or infinite" in str(error)
                continue
        said = [str(w.message) for w in caught if w.category is ConvergenceWarning]
        assert sum("diverged" in one and f"Lower lr (now {lr}" in one for one in said) == 1


@pytest.mark.parametrize("fine_tune", ["linear_probe", "full"])
def test_fine_tuning_that_diverged_says_so(fine_tune):
    encoder = AutoencoderTransformer(latent_dim=2, max_epochs=30).fit(X).set_params(lr=100.0)
    y = np.random.RandomState(1).randint(0, 2, len(X))
    with pytest.warns(ConvergenceWarning, match="diverged"):
        EncoderClassifier(FrozenEstimator(encoder), fine_tune=fine_tune).fit(X, y)


# ---------------------------------------------------------------- missing cells and stored models


def test_fits_last_longer_where_cells_of_a_column_are_often_missing(monkeypatch):
    monkeypatch.setattr("sklearn_replearn._training.schedule._UPDATES", 20)
    epochs = []
    for share in (0.0, 0.5, 0.9, 1.0):
        rows = X.copy()
        rows[: int(share * len(rows)), 1] = np.nan
        model = AutoencoderTransformer(latent_dim=2, hidden_layer_sizes=2, batch_size=15)
        epochs.append(model.fit(rows).n_iter_)
    assert epochs == [5, 10, 20, 5]


@pytest.mark.parametrize("make", TRANSFORMERS)
@pytest.mark.parametrize("width", [4, 500])
@pytest.mark.parametrize("named", [False, True])
def test_stored_models_take_what_is_promised(make, width, named):
    rows = np.random.RandomState(0).normal(size=(30, width))
    names = [f"measurement number {j}" for j in range(width)]
    table = pd.DataFrame(rows, columns=names) if named else rows
    warnings.simplefilter("ignore", ConvergenceWarning)  # so few rows, so short
    model = make(latent_dim=2, hidden_layer_sizes=2, max_epochs=300 if width == 4 else 20).fit(
        table
    )
    stored = pickle.dumps(model)
    weights = sum(array.nbytes for array in model._model.arrays.values())
    per_column = 50 * width + sum(map(len, names)) if named else 40 * width
    drawn_from = 15_000 + 500 * width if make is VAETransformer else 0
    bent = 300 * len(getattr(model._model.scaler, "curves", None) or ())
    assert len(stored) - weights <= 15_000 + per_column + drawn_from + bent
    again = pickle.loads(stored)
    assert np.array_equal(again.transform(table), model.transform(table))
    assert again._model.schema.names is None or list(again._model.schema.names) == names


def test_stored_models_of_tokens_take_what_the_readme_says():
    ids = np.random.RandomState(0).randint(0, 3000, (30, 200))
    model = AutoencoderTransformer(latent_dim=2, max_epochs=1, rows=Tokens(3000)).fit(ids)
    weights = sum(array.nbytes for array in model._model.arrays.values())
    assert len(pickle.dumps(model)) - weights <= 15_000 + 40 * 200 + 4 * 3000
