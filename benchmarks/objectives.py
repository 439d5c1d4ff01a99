"""What codes of each contrastive objective are worth to a linear classifier, on two tables.

    python benchmarks/objectives.py

Digits and the breast cancer table, which come with scikit-learn; default settings, half of the rows
held out, three seeds of split and encoder. Accuracy of a linear probe on codes, with 10 labels a
class (drawn five times a seed) and with all labels of the training half; the effective rank of 32
columns of code; CPU seconds of the fit. None is the default: NT-Xent, and for tables the encoder
learns to make rows decodable as well. ``SupCon`` sees all labels in fit, the others none. It
writes results/objectives.json and .md, in about seven minutes on one core.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from _markdown import table_of
from _record import RESULTS, write
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split

from sklearn_replearn import ContrastiveTransformer
from sklearn_replearn.metrics import effective_rank, linear_probe
from sklearn_replearn.objectives import (
    BYOL,
    DCL,
    BarlowTwins,
    NTXent,
    SimSiam,
    SupCon,
    VICReg,
)

SETS = {"digits": load_digits, "breast cancer": load_breast_cancer}
OBJECTIVES = [None, NTXent(), DCL(), BYOL(), SimSiam(), BarlowTwins(), VICReg(), SupCon()]
SEEDS, DRAWS, FEW = 3, 5, 10


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    args = parser.parse_args()
    torch.set_num_threads(1)
    runs = []
    for name in SETS:
        for objective in OBJECTIVES:
            for seed in range(SEEDS):
                told = {"set": name, "objective": repr(objective), "seed": seed}
                runs.append({**told, **measured(name, objective, seed)})
                print(runs[-1], flush=True)
    write("objectives", {"runs": runs}, markdown, args.results)


def measured(name, objective, seed):
    """Figures of one fit."""
    X, y = SETS[name](return_X_y=True)
    train, test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=seed
    )
    encoder = ContrastiveTransformer(objective=objective, random_state=seed)
    start = time.process_time()
    encoder.fit(train, y_train if isinstance(objective, SupCon) else None)
    seconds = time.process_time() - start
    halves = encoder.transform(train), y_train, encoder.transform(test), y_test
    few = [linear_probe(*halves, n_labels=FEW, random_state=draw) for draw in range(DRAWS)]
    return {
        "few": few,
        "all": linear_probe(*halves),
        "effective rank": effective_rank(halves[2]),
        "s": seconds,
    }


def markdown(record):
    """Means over seeds; of accuracies with their standard deviation over the seeds."""
    rows = []
    for objective in dict.fromkeys(run["objective"] for run in record["runs"]):
        row = {"objective": objective}
        for name in SETS:
            told = [r for r in record["runs"] if (r["set"], r["objective"]) == (name, objective)]
            few, every = [np.mean(r["few"]) for r in told], [r["all"] for r in told]
            row |= {
                f"{name}, {FEW} labels a class": f"{np.mean(few):.3f} ± {np.std(few):.3f}",
                f"{name}, all labels": f"{np.mean(every):.3f} ± {np.std(every):.3f}",
                f"{name}, rank": f"{np.mean([r['effective rank'] for r in told]):.1f}",
                f"{name}, s": f"{np.mean([r['s'] for r in told]):.1f}",
            }
        rows.append(row)
    return (
        "# Contrastive objectives\n\nWritten by `benchmarks/objectives.py`, whose docstring says "
        f"how; mean and deviation over {SEEDS} seeds.\n\n{table_of(rows)}\n"
    )


if __name__ == "__main__":
    main()
