"""Is a file ever read that was half written? Processes are killed at random moments.

    python benchmarks/kills.py

A process that is warm forks one that works, and kills it (SIGKILL) after a random time; then it
reads what is there. A fit with checkpoints must go on to the same bits; of a file that two models
are saved to in turn one of them must be read, and folders that tables are written to in parts must
be whole or not there. What killed processes leave beside a file must be gone after the next run, a
minute later. Seeds are fixed; moments are not, as no machine is equally quick twice. It writes
results/kills.json and results/kills.md, in about two minutes on one core.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _markdown import table_of
from _record import RESULTS, write
from sklearn.datasets import load_digits

from sklearn_replearn import AutoencoderTransformer, Parts, VAETransformer, load, save
from sklearn_replearn._training import checkpoints

X = load_digits().data[:300]


class Fit:
    """One fit after the other, with a checkpoint at the end of each epoch."""

    wanted = "same bits as without a kill"

    def __init__(self):
        self.epochs = 20
        self.whole = self._unfitted().fit(X).transform(X)

    def _unfitted(self, **params):
        little = {"n_importance_samples": 2, "max_epochs": self.epochs, "early_stopping": True}
        return VAETransformer(8, batch_size=64, **little, **params)

    def work(self, folder):
        self._unfitted(checkpoint=folder).fit(X)

    def found(self, folder):
        n_files = sum(not path.name.startswith(".") for path in folder.iterdir())
        fitted = self._unfitted(checkpoint=folder).fit(X)
        if not np.array_equal(fitted.transform(X), self.whole):
            return "wrong"
        return "went on from a checkpoint" if n_files else "began anew"


class Save:
    """Two models of different sizes that are saved to one file, in turn."""

    wanted = "one of two models, whole"

    def __init__(self):
        widths = {"the one": 64, "the other": 512}
        self.models = {
            name: AutoencoderTransformer(4, hidden_layer_sizes=width, max_epochs=1).fit(X)
            for name, width in widths.items()
        }

    def work(self, folder):
        for model in self.models.values():
            save(model, folder / "model.safetensors")

    def found(self, folder):
        path = folder / "model.safetensors"
        if not path.exists():
            return "no file yet"
        codes = load(path).transform(X)
        for name, model in self.models.items():
            if np.array_equal(codes, model.transform(X)):
                return name
        return "wrong"


class ToParquet:
    """Tables that are written in parts, each to a folder that is new then, in turn."""

    wanted = "each of three tables whole, or not there"

    def __init__(self):
        random = np.random.default_rng(0)
        self.tables = {str(size): random.normal(size=(size, 50, 4)) for size in (10, 20, 30)}

    def work(self, folder):
        for name, table in self.tables.items():
            shutil.rmtree(folder / "before", ignore_errors=True)
            if (folder / name).exists():
                (folder / name).rename(folder / "before")
            Parts(lambda parts=table: iter(parts)).to_parquet(folder / name)

    def found(self, folder):
        there = [name for name in self.tables if (folder / name).exists()]
        for name in there:
            cells = pd.read_parquet(folder / name).to_numpy()
            if not np.array_equal(cells, self.tables[name].reshape(-1, 4)):
                return "wrong"
        return ("no table", "one table", "two tables", "all tables")[len(there)]


#: What is killed; each makes files in a folder by ``work``, and says by ``found`` what they are.
TASKS = {"fit(checkpoint=...)": Fit, "save": Save, "Parts.to_parquet": ToParquet}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=150, help="over all tasks")
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    checkpoints.SECONDS, checkpoints._TIMES_AS_LONG = 0.0, 0.0
    record = {"torch": torch.__version__, "system": sys.platform, "tasks": {}}
    for seed, (name, task) in enumerate(TASKS.items()):
        share = args.kills // len(TASKS) + (seed < args.kills % len(TASKS))
        with tempfile.TemporaryDirectory() as folder:
            told = killed(task(), Path(folder), share, random.Random(seed))
        record["tasks"][name] = {"wanted": task.wanted, **told}
        print(name, json.dumps(told), flush=True)
    write("kills", record, markdown, args.results)


def killed(task, folder, n_kills, moments):
    """Kill a process that works, so many times, and say what was found after each kill."""
    start = time.perf_counter()
    task.work(folder)
    seconds = max(0.2, time.perf_counter() - start)
    found, while_writing = [], 0
    for _ in range(n_kills):
        before = parts(folder).items()
        child = os.fork()
        if child == 0:
            work_until_killed(task, folder)
        time.sleep(moments.uniform(0.0, seconds))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WTERMSIG(status) != signal.SIGKILL:
            raise RuntimeError("It ended by itself.")
        while_writing += bool(parts(folder).items() - before)
        found.append(task.found(folder))
    for path in parts(folder):
        os.utime(path, (0, 0))
    task.work(folder)
    counts = {what: found.count(what) for what in sorted(set(found))}
    return {
        "kills": n_kills,
        "while a file was written": while_writing,
        "found": counts,
        "wrong": counts.get("wrong", 0),
        "parts left after the next run": len(parts(folder)),
    }


def work_until_killed(task, folder):
    """In a process of its own; what goes wrong ends it otherwise than by the kill."""
    try:
        while True:
            task.work(folder)
    finally:
        os._exit(1)


def parts(folder):
    """What is not whole, beside what is, and when it was last changed."""
    return {path: path.stat().st_mtime_ns for path in folder.iterdir() if path.name[0] == "."}


def markdown(record):
    rows = []
    for name, task in record["tasks"].items():
        found = ", ".join(f"{what} {count}" for what, count in task["found"].items())
        rows.append(
            {
                "killed": f"`{name}`",
                "kills": str(task["kills"]),
                "while a file was written": str(task["while a file was written"]),
                "wanted": task["wanted"],
                "found": found,
                "read wrongly": str(task["wrong"]),
                "parts left after the next run": str(task["parts left after the next run"]),
            }
        )
    total = sum(task["kills"] for task in record["tasks"].values())
    return "\n".join(
        [
            "# Processes killed at random moments",
            "",
            f"{total} kills by SIGKILL, torch {record['torch']}, {record['system']}. A checkpoint "
            "was written at the end of each epoch, not each 30 seconds.",
            "",
            table_of(rows),
            "",
        ]
    )


if __name__ == "__main__":
    main()
