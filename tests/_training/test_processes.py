"""Several processes that do one fit: each learns the same, and what one alone would."""

import os
import pickle
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import distributed

import sklearn_replearn
from sklearn_replearn._training.sharing import _sizes

sys.path.insert(0, str(Path(__file__).parent))
from fits_of_processes import ESTIMATORS, SETTINGS, X, what_is_learned

SCRIPT = Path(__file__).parent / "fits_of_processes.py"
PACKAGES = str(Path(sklearn_replearn.__file__).parents[1])

pytestmark = pytest.mark.skipif(
    not (distributed.is_available() and distributed.is_gloo_available()),
    reason="this torch has no gloo",
)


def environment(**others):
    return {**os.environ, "PYTHONPATH": PACKAGES, "OMP_NUM_THREADS": "1", **others}


def by_torchrun(folder, task):
    """What two processes have found that torch starts."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*torchrun, "--nproc-per-node=2", str(SCRIPT), str(folder), task],
        env=environment(TMPDIR=str(folder)),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return [pickle.loads((folder / f"{rank}.pickle").read_bytes()) for rank in (0, 1)]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return by_torchrun(tmp_path_factory.mktemp("processes"), "all")


LEARNED = [
    *ESTIMATORS,
    "any order",
    "X_val",
    "warm start",
    "partial_fit",
    "in parts",
    "no seed",
    "a generator",
    "stopped by one",
    "copied by one",
    "detector",
]


@pytest.mark.parametrize("name", LEARNED)
def test_processes_learn_the_same_to_the_last_bit(found, name):
    first, second = (of_one[name] for of_one in found)
    assert first.keys() == second.keys()
    for part, values in first.items():
        np.testing.assert_array_equal(values, second[part], err_msg=part)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_they_learn_what_one_process_would(found, name):
    alone, together = what_is_learned(clone(ESTIMATORS[name]).fit(X)), found[0][name]
    for part, values in alone.items():
        np.testing.assert_allclose(together[part], values, rtol=1e-5, atol=1e-5, err_msg=part)


def test_the_order_of_rows_may_differ_between_them(found):
    for part, values in found[0]["autoencoder"].items():
        np.testing.assert_array_equal(found[0]["any order"][part], values)


def test_a_table_in_parts_is_the_same_to_them(found):
    for part, values in found[0]["autoencoder"].items():
        np.testing.assert_array_equal(found[0]["in parts"][part], values)


def test_they_go_on_from_the_checkpoint_of_the_first(found):
    first, second = (of_one["after an end"] for of_one in found)
    assert (first["ended by"], second["ended by"]) == ("RuntimeError", "FitInterrupted")
    assert (first["written"], first["written again"]) == (2, 1)
    assert (second["written"], second["written again"]) == (0, 0)
    assert (first["files"], first["files left"]) == (1, 0)
    for of_one in (first, second):
        for part, values in found[0]["autoencoder"].items():
            np.testing.assert_array_equal(of_one["learned"][part], values, err_msg=part)


def test_one_of_them_ends_training_for_all(found):
    assert len(found[0]["stopped by one"]["history"]) == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("other rows", "differ in X: 101 distinct rows of 16 columns"),
        ("other X_val", "differ in X_val: 101 distinct rows of 16 columns"),
        ("other seeds", "differ in random_state: 0 in process 0, 1 in process 1"),
        ("other number", "differ in latent_dim: 2 in process 0, 3 in process 1"),
        ("other optimizer", "differ in optimizer: SGD of [], [['momentum', 0.0]] in process 0"),
        ("other columns_from", "differ in columns_from: 101 distinct rows of 16 columns"),
        ("other folders", "differ in checkpoint: '0' in process 0, '1' in process 1"),
        ("other levels", "differ in columns of X: shop, price"),
    ],
)
def test_what_differs_is_an_error_in_both(found, name, said):
    assert all(of_one[name].startswith("ValueError") and said in of_one[name] for of_one in found)


@pytest.mark.parametrize(
    ("name", "error"), [("one has bad cells", "ValueError"), ("one raises", "ArithmeticError")]
)
def test_an_error_of_one_ends_the_fit_of_both(found, name, error):
    first, second = (of_one[name] for of_one in found)
    assert first.startswith("RuntimeError: Process 0 of 2 lost another one")
    assert second.startswith(error)
    assert not any(of_one["is fitted"] for of_one in found)


def test_fits_in_threads_are_of_one_process(found):
    first, second = (of_one["in threads"] for of_one in found)
    np.testing.assert_array_equal(first["codes"], found_alone()["codes"])
    assert not np.array_equal(first["codes"], second["codes"])  # of one row less


def found_alone():
    return what_is_learned(clone(ESTIMATORS["autoencoder"]).fit(X))


def test_the_first_process_shows_how_far_it_is(found):
    first, second = (of_one["shown"] for of_one in found)
    assert "AutoencoderTransformer" in first
    assert second == ""


def test_who_is_left_does_not_wait_for_a_process_that_died(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    # Without torchrun, which ends what is left.
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    begun = time.monotonic()
    started = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(tmp_path), "death"],
            env=environment(**place, RANK=str(rank)),
        )
        for rank in (0, 1)
    ]
    try:
        assert [process.wait(timeout=100) for process in started] == [0, 3]
    finally:
        for process in started:
            process.kill()
    assert time.monotonic() - begun < 60
    said = pickle.loads((tmp_path / "0.pickle").read_bytes())
    assert said.startswith("RuntimeError: Process 0 of 2 lost another one")


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="there are no two GPUs here")
def test_two_gpus_learn_the_same(tmp_path):
    first, second = by_torchrun(tmp_path, "GPU")
    for name, learned in first.items():
        for part, values in learned.items():
            np.testing.assert_array_equal(values, second[name][part], err_msg=f"{name} {part}")
        alone = clone(ESTIMATORS[name]).set_params(device="cuda").fit(X)
        np.testing.assert_allclose(learned["codes"], alone.transform(X), rtol=1e-3, atol=1e-3)


def test_shares_are_near_equal():
    assert _sizes(7, 3) == [3, 2, 2]
    assert _sizes(3, 3) == [1, 1, 1]
    assert SETTINGS["batch_size"] < len(X)  # the last batch has an odd number of rows
