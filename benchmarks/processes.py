"""Does a second process make one fit quicker? Seconds of two processes and of one, in turn.

    python -m torch.distributed.run --standalone --nproc-per-node 2 benchmarks/processes.py

Each process computes on one thread. In each round the first one fits alone (in a thread, where fits
are of one process) while the other waits, and then both fit together. The median of the ratios is
told, and its range; and the share of the CPU seconds of one alone that a process of two takes,
which is what would be left where none waits for a core or for the other. It writes
results/processes.json and results/processes.md, in about ten minutes on two cores.
"""

import argparse
import threading
import time
from pathlib import Path

import numpy as np
import torch
from _markdown import table
from _record import RESULTS, write
from sklearn.base import clone
from torch import distributed

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer
from sklearn_replearn.rows import Images

COMMON = {"device": "cpu", "random_state": 0}
WIDE = {**COMMON, "hidden_layer_sizes": (1024, 1024), "latent_dim": 32}
IMAGES = {**COMMON, "rows": Images((1, 28, 28)), "max_epochs": 4}


def rows(n_rows, n_columns):
    """Rows that seven numbers tell, with noise."""
    random = np.random.default_rng(0)
    values = random.normal(size=(n_rows, 7)) @ random.normal(size=(7, n_columns))
    return (values + 0.1 * random.normal(size=values.shape)).astype(np.float32)


# Name: estimator, rows, columns.
FITS = {
    "autoencoder, default network": (
        AutoencoderTransformer(**COMMON, max_epochs=2),
        20_000,
        50,
    ),
    "contrastive, default network": (ContrastiveTransformer(**COMMON, max_epochs=2), 10_000, 50),
    "autoencoder, 1024-1024": (AutoencoderTransformer(**WIDE, max_epochs=3), 3_000, 500),
    "the same, batches of 2,048": (
        AutoencoderTransformer(**WIDE, max_epochs=3, batch_size=2048),
        4_096,
        500,
    ),
    "contrastive, images of 28 x 28": (ContrastiveTransformer(**IMAGES), 1_024, 784),
    "autoencoder, images of 28 x 28": (AutoencoderTransformer(**IMAGES), 1_024, 784),
}


def timed(estimator, X):
    """Seconds, CPU seconds of this process, and what was fitted."""
    begun, cpu = time.perf_counter(), time.process_time()
    fitted = clone(estimator).fit(X)
    return time.perf_counter() - begun, time.process_time() - cpu, fitted


def together(estimator, X):
    distributed.barrier()
    return timed(estimator, X)


def alone(estimator, X):
    """In the first process, while the others wait."""
    distributed.barrier()
    found = [(np.nan, np.nan, None)]
    if distributed.get_rank() == 0:
        thread = threading.Thread(target=lambda: found.append(timed(estimator, X)))
        thread.start()
        thread.join()
    distributed.barrier()
    return found[-1]


def measured(estimator, X, n_rounds):
    one, both = alone(estimator, X)[-1], together(estimator, X)[-1]  # warms up
    found = {"alone": [], "together": [], "cpu_alone": [], "cpu_together": [], "difference": None}
    if one is not None:
        found["difference"] = float(np.abs(one.transform(X[:200]) - both.transform(X[:200])).max())
    for _ in range(n_rounds):
        for name, timing in (("alone", alone), ("together", together)):
            seconds, cpu, _ = timing(estimator, X)
            found[name].append(seconds)
            found[f"cpu_{name}"].append(cpu)
    return found


def markdown(record):
    lines = []
    for name, found in record["fits"].items():
        one, both = np.array(found["alone"]), np.array(found["together"])
        ratios, cpu = both / one, np.divide(found["cpu_together"], found["cpu_alone"])
        lines.append(
            [
                name,
                f"{found['rows']:,} x {found['columns']}",
                f"{np.median(one):.2f}",
                f"{np.median(both):.2f}",
                f"{np.median(ratios):.2f}",
                f"{ratios.min():.2f} to {ratios.max():.2f}",
                f"{np.median(cpu):.2f}",
                f"{found['difference']:.0e}",
            ]
        )
    head = [
        "fit",
        "rows x columns",
        "seconds, one process",
        "two",
        "ratio, median",
        "its range",
        "ratio, CPU of a process",
        "codes differ by",
    ]
    return (
        "# Two processes for one fit\n\n"
        f"torch {record['torch']}, gloo, one thread in each process, "
        f"{record['rounds']} rounds; {record['machine']}.\n\n{table(head, lines)}\n"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--machine", default="two cores that nothing else used")
    parser.add_argument("--to", type=Path, default=RESULTS, help="folder of the record")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    record = {"torch": torch.__version__, "rounds": asked.rounds, "machine": asked.machine}
    record["fits"] = {}
    for name, (estimator, n_rows, n_columns) in FITS.items():
        found = measured(estimator, rows(n_rows, n_columns), asked.rounds)
        record["fits"][name] = {"rows": n_rows, "columns": n_columns, **found}
        if distributed.get_rank() == 0:
            print(name, *map(np.median, list(found.values())[:4]), flush=True)
    if distributed.get_rank() == 0:
        write("processes", record, markdown, asked.to)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
