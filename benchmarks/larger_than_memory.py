"""Is a table that memory has no room for fitted like one in memory, as fast, in little memory?

    python benchmarks/larger_than_memory.py --gigabytes 20 --epochs 1 3

Distinct rows of 100 columns of float32 are drawn, ten factors through a tanh and noise, and written
as parquet, file by file, to a temporary folder (TMPDIR says where; it needs room for the files, as
much again while a fit runs, and a GB). For each number of epochs two processes follow each other:
one reads the first GB into an array and fits it, the other is given the path of the folder, fits,
and encodes all rows part after part. Each says its peak resident memory (VmHWM of Linux), also
without pages of files (RssAnon, looked at ten times a second), and the loss of 50,000 rows held
out. Rows a second are rows times epochs by the seconds of fit, with all that it reads, sorts and
writes. It writes
results/larger_than_memory.json and results/larger_than_memory.md; 20 GB take an hour with two
epochs, on two cores.
"""

import argparse
import json
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sklearn
import torch
from _markdown import table_of
from _record import RESULTS, write

from sklearn_replearn import AutoencoderTransformer, VAETransformer

N_COLUMNS, N_FACTORS = 100, 10
ROWS_OF_FILE, ROWS_OF_GROUP = 2**18, 2**16
BYTES_OF_ROW = 4 * N_COLUMNS
HELD_OUT = 50_000
KINDS = {"AutoencoderTransformer": AutoencoderTransformer, "VAETransformer": VAETransformer}


def rows(seed, n):
    """Distinct rows, ndarray of shape (n, 100), float32."""
    loadings = np.random.default_rng(0).normal(size=(N_FACTORS, N_COLUMNS)).astype(np.float32)
    rng = np.random.default_rng([1, seed])
    factors = np.tanh(rng.standard_normal((n, N_FACTORS), dtype=np.float32))
    return factors @ loadings + 0.5 * rng.standard_normal((n, N_COLUMNS), dtype=np.float32)


def write_files(folder, gigabytes):
    n_rows, number = int(gigabytes * 1e9 / BYTES_OF_ROW), 0
    while n_rows > 0:
        some = rows(number, min(n_rows, ROWS_OF_FILE))
        columns = {f"x{j}": np.ascontiguousarray(some[:, j]) for j in range(N_COLUMNS)}
        pq.write_table(
            pa.table(columns),
            folder / f"rows-{number:04}.parquet",
            row_group_size=ROWS_OF_GROUP,
            compression="none",
            use_dictionary=False,
        )
        n_rows, number = n_rows - len(some), number + 1


class Memory:
    """The peak of what a process has in memory, in bytes."""

    def __init__(self):
        self.anonymous, self._over = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._over.set()
        self._thread.join()

    def _watch(self):
        while not self._over.wait(0.1):
            self.anonymous = max(self.anonymous, self._now("RssAnon"))

    @property
    def resident(self):
        return self._now("VmHWM")

    @staticmethod
    def _now(name):
        status = Path("/proc/self/status").read_text()
        return 1024 * int(re.search(rf"{name}:\s+(\d+) kB", status)[1])


def fit(where, kind, epochs, gigabytes):
    """What is measured of one fit, in a process of its own."""
    encoder = KINDS[kind](latent_dim=8, max_epochs=epochs, device="cpu", random_state=0)
    found = {"estimator": kind, "epochs": epochs, "rows": "in memory" if gigabytes else "in parts"}
    with Memory() as memory:
        X = where
        if gigabytes:
            files = sorted(Path(where).iterdir())
            files = files[: max(1, round(gigabytes * 1e9 / BYTES_OF_ROW / ROWS_OF_FILE))]
            n_rows = sum(pq.read_metadata(file).num_rows for file in files)
            X, start = np.empty((n_rows, N_COLUMNS), np.float32), 0
            for file in files:
                some = pq.read_table(file)
                for j, column in enumerate(some.columns):
                    X[start : start + len(some), j] = column.to_numpy()
                start += len(some)
        else:
            n_rows = sum(pq.read_metadata(file).num_rows for file in Path(where).iterdir())
        begun, cpu = time.perf_counter(), time.process_time()
        encoder.fit(X)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        found |= {"GB": n_rows * BYTES_OF_ROW / 1e9, "fit, s": seconds, "of a core, s": cpu}
        found["rows a second"] = n_rows * epochs / seconds
        if not gigabytes:
            begun = time.perf_counter()
            encoded = sum(len(codes) for codes in encoder.transform(X))
            assert encoded == n_rows
            found["transform, s"] = time.perf_counter() - begun
        found["peak, MB"] = memory.resident / 1e6
    found["without files, MB"] = memory.anonymous / 1e6
    # After the peak was read: the rows held out are in memory.
    found["loss held out"] = -encoder.score(rows(10**6, HELD_OUT))
    return found


def in_process(*arguments):
    """The same, measured by a new process."""
    command = [sys.executable, __file__, "--fit", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def compared(fits):
    """Of fits in memory and in parts, one after the other, what the second is of the first."""
    for one, other in zip(fits[::2], fits[1::2], strict=True):
        yield {
            "estimator": one["estimator"],
            "epochs": other["epochs"],
            "rows a second": other["rows a second"] / one["rows a second"],
            "rows a second of a core": of_core(other) / of_core(one),
            "loss held out": other["loss held out"] / one["loss held out"],
        }


def of_core(found):
    """GB trained on in a second of a core, which other processes hardly change."""
    return found["GB"] * found["epochs"] / found["of a core, s"]


def shown(cell):
    if not isinstance(cell, float):
        return f"{cell:,}" if isinstance(cell, int) else str(cell)
    return f"{cell:,.0f}" if cell >= 100 else f"{cell:.1f}" if cell >= 10 else f"{cell:.4f}"


def markdown(record):
    fits = record["fits"]
    return f"""# Tables larger than memory

{record["machine"]}; {record["versions"]}; torch on one thread. Distinct rows of {N_COLUMNS} float32
columns in files of parquet; networks of the default size, codes of 8 columns.

## Each fit, in a process of its own

{table_of(fits, shown)}

Fits in memory have more epochs, so that there are as many updates. Rows a second are rows times
epochs by all seconds of fit, with what is read, sorted and written before. Peaks are of fit and
transform, with all that Python, torch and pyarrow take (about 400 MB when nothing is read); those
in memory hold their table.

## In parts, as a share of in memory

{table_of(list(compared(fits)), shown)}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=20)
    parser.add_argument("--in-memory", type=float, default=1, help="GB of the fits in memory")
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--estimators", nargs="+", choices=KINDS, default=list(KINDS)[:1])
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--fit", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fit:
        where, kind, epochs, gigabytes = given.fit
        print(json.dumps(fit(where, kind, int(epochs), float(gigabytes))))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), given.gigabytes)
        fits = []
        for kind in given.estimators:
            for epochs in given.epochs:
                as_many = max(1, round(epochs * given.gigabytes / given.in_memory))
                for number, gigabytes in ((as_many, given.in_memory), (epochs, 0)):
                    fits.append(in_process(folder, kind, number, gigabytes))
                    print(fits[-1], flush=True)
    machine = f"{platform.machine()}, {torch.get_num_threads()} threads seen by torch"
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, scikit-learn "
    record = {"machine": machine, "versions": versions + sklearn.__version__, "fits": fits}
    write("larger_than_memory", record, markdown, given.out)


if __name__ == "__main__":
    main()
