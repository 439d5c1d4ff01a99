"""What several processes fit together, each running this file: `fits_of_processes.py FOLDER TASK`.

Each writes what it has found into FOLDER, by its rank.
"""

import copy
import os
import pickle
import sys
import tempfile
import threading
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from skorch.callbacks import Callback
from torch import distributed, nn

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn._training import checkpoints
from sklearn_replearn._training.early_stopping import StopTraining
from sklearn_replearn._training.net import RepresentationNet as Net
from sklearn_replearn.objectives import BYOL, BarlowTwins, BetaTCVAE, InfoVAE, NTXent
from sklearn_replearn.outliers import OutlierDetector
from sklearn_replearn.priors import VampPrior
from sklearn_replearn.rows import Images

X = np.random.default_rng(0).normal(size=(101, 16))
X[:, 1] = X[:, 0] + 0.1 * X[:, 1]
LABELS = np.where(np.arange(101) % 3, np.arange(101) % 2, -1)

SETTINGS = {"latent_dim": 2, "max_epochs": 3, "batch_size": 40, "random_state": 0, "device": "cpu"}
# Adam divides gradients by their size: of weights whose gradient is zero, such as a bias before
# batch normalisation, that leaves rounding errors as large as any step.
PLAIN = {**SETTINGS, "optimizer": "sgd", "lr": 0.01, "gradient_clip": 1.0}
IMAGES = Images((1, 4, 4))


def with_dropout(n_in, n_out):
    """An encoder that draws from torch's global generator."""
    return nn.Sequential(
        nn.Linear(n_in, 8), nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Linear(8, n_out)
    )


ESTIMATORS = {
    "autoencoder": AutoencoderTransformer(**SETTINGS),
    "early stopping": AutoencoderTransformer(**SETTINGS, early_stopping=True, n_iter_no_change=1),
    "one validation row": AutoencoderTransformer(
        **SETTINGS, early_stopping=True, validation_fraction=0.01
    ),
    "clipped": AutoencoderTransformer(**SETTINGS, gradient_clip=0.1, weight_decay=0.1),
    "VAE": VAETransformer(**SETTINGS),
    "images, reconstructed": AutoencoderTransformer(**PLAIN, rows=IMAGES),
    "dropout": AutoencoderTransformer(**PLAIN, encoder=with_dropout),
    "total correlation": VAETransformer(**PLAIN, objective=BetaTCVAE()),
    "MMD, prior": VAETransformer(**PLAIN, objective=InfoVAE(), prior=VampPrior(3)),
    **{
        type(objective).__name__: ContrastiveTransformer(**PLAIN, objective=objective)
        for objective in (NTXent(), BYOL(), BarlowTwins())
    },
    "queue": ContrastiveTransformer(**PLAIN, objective=NTXent(queue_size=20)),
    "images, compared": ContrastiveTransformer(**PLAIN, rows=IMAGES),
}


def what_is_learned(estimator):
    """Weights, codes and history of a fitted transformer."""
    history = estimator.history_.drop(columns="seconds", errors="ignore")
    return {
        **estimator._model.arrays,
        "codes": estimator.transform(X),
        "history": history.to_numpy(dtype=float, na_value=0.0),
    }


class Copies(Callback):
    """Copies the network, and what knows of the other processes."""

    def on_epoch_end(self, net, **kwargs):
        copy.deepcopy((net.module_, net.sharing_, net.processes_))


class AtTheEndOf(Callback):
    """Raises something in this process, at the end of an epoch."""

    def __init__(self, epoch, error):
        self.epoch, self.error = epoch, error

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise self.error


def outcome(fit):
    """What a fit comes to: the error that it raises, or what is learned."""
    try:
        return what_is_learned(fit())
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"


def in_a_thread(fit):
    found = []
    thread = threading.Thread(target=lambda: found.append(outcome(fit)))
    thread.start()
    thread.join()
    return found[0]


def found_by(rank):
    found = {name: what_is_learned(estimator.fit(X)) for name, estimator in ESTIMATORS.items()}
    one = AutoencoderTransformer(**SETTINGS)

    def other(**settings):
        return AutoencoderTransformer(**{**SETTINGS, **settings})

    found["any order"] = what_is_learned(other().fit(X[::-1] if rank else X))
    found["X_val"] = what_is_learned(other().fit(X[20:], X_val=X[:20]))
    going_on = other(warm_start=True).fit(X)
    found["warm start"] = what_is_learned(going_on.fit(X))
    found["no seed"] = what_is_learned(other(random_state=None).fit(X))
    found["a generator"] = what_is_learned(other(random_state=np.random.RandomState(rank)).fit(X))
    stops = [AtTheEndOf(2, StopTraining())] if rank else []
    found["stopped by one"] = what_is_learned(other(callbacks=stops, max_epochs=9).fit(X))
    copies = [Copies()] if rank else []
    found["copied by one"] = what_is_learned(other(callbacks=copies).fit(X))
    going_on = other().partial_fit(X[:50])
    found["partial_fit"] = what_is_learned(going_on.partial_fit(X[50:]))
    found["in parts"] = what_is_learned(other().fit(lambda: iter([X[:50], X[50:]])))
    detector = OutlierDetector(random_state=None).fit(X)
    found["detector"] = {"scores": detector.score_samples(X)}

    # Each of these must end in all processes, and leave room for the next one.
    found["other rows"] = outcome(lambda: one.fit(X + rank))
    found["other X_val"] = outcome(lambda: one.fit(X, X_val=X + rank))
    found["other seeds"] = outcome(lambda: other(random_state=rank).fit(X))
    found["other number"] = outcome(lambda: other(latent_dim=np.int64(2 + rank)).fit(X))
    sgd = partial(torch.optim.SGD, momentum=0.1 * rank)
    found["other optimizer"] = outcome(lambda: other(optimizer=sgd).fit(X))
    found["other columns_from"] = outcome(lambda: one.partial_fit(X, columns_from=X + rank))
    found["other folders"] = outcome(lambda: other(checkpoint=Path(str(rank))).fit(X))
    found["other levels"] = outcome(lambda: one.fit(_frame(["a", "bc"[rank]])))
    bad = np.where(np.arange(16) == rank, np.inf, X)
    found["one has bad cells"] = outcome(lambda: one.fit(bad if rank else X))
    raises = [AtTheEndOf(2, ArithmeticError("a callback's"))] if rank else []
    found["one raises"] = outcome(lambda: other(callbacks=raises).fit(X))
    found["is fitted"] = hasattr(one, "_model")
    found["after an end"] = found_after_an_end(rank)
    found["in threads"] = in_a_thread(lambda: other().fit(X[rank:]))
    with redirect_stdout(StringIO()) as shown:
        other(verbose=1).fit(X)
    found["shown"] = shown.getvalue()
    return found


def found_after_an_end(rank):
    """What is found of a fit that one process has ended, and of the same fit afterwards."""
    folder, written = Path(tempfile.gettempdir()) / "checkpoints", []
    step, write_whole = Net.train_step, checkpoints.write_whole

    def ends(net, batch, **kwargs):
        if rank and len(net.history) == 3 and net.n_updates_ % 3 == 1:
            raise KeyboardInterrupt
        return step(net, batch, **kwargs)

    def write(path, data):
        written.append(path)
        write_whole(path, data)

    def fit():
        return AutoencoderTransformer(**SETTINGS, checkpoint=folder).fit(X)

    at_every_epoch = {"SECONDS": 0.0, "_TIMES_AS_LONG": 0.0, "write_whole": write}
    with mock.patch.multiple(checkpoints, **at_every_epoch):
        with mock.patch.object(Net, "train_step", ends):
            try:
                fit()
            except (KeyboardInterrupt, RuntimeError) as problem:
                found = {"ended by": type(problem).__name__}
        distributed.barrier()
        found["files"], found["written"] = len(list(folder.iterdir())), len(written)
        distributed.barrier()
        found["learned"] = what_is_learned(fit())
    distributed.barrier()
    found["written again"] = len(written) - found["written"]
    found["files left"] = len(list(folder.iterdir()))
    return found


def _frame(levels):
    return pd.DataFrame({"shop": levels * 50, "price": np.arange(100.0)})


def found_after_a_death(rank):
    callbacks = [Dies()] if rank else []
    return outcome(lambda: AutoencoderTransformer(**SETTINGS, callbacks=callbacks).fit(X))


def found_on_gpus(rank):
    torch.cuda.set_device(rank)
    return {
        name: what_is_learned(clone(estimator).set_params(device="cuda").fit(X))
        for name, estimator in ESTIMATORS.items()
    }


TASKS = {"all": found_by, "death": found_after_a_death, "GPU": found_on_gpus}


def main(folder, task):
    torch.set_num_threads(1)
    distributed.init_process_group("nccl" if task == "GPU" else "gloo")
    rank = distributed.get_rank()
    found = TASKS[task](rank)
    with (Path(folder) / f"{rank}.pickle").open("wb") as file:
        pickle.dump(found, file)
    if task != "death":
        distributed.destroy_process_group()


class Dies(Callback):
    """Ends the process, without a word."""

    def on_epoch_end(self, net, **kwargs):
        os._exit(3)


if __name__ == "__main__":
    main(*sys.argv[1:])
