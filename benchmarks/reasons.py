"""Are reasons right? Cells that ``explain`` names beside the truth and beside SHAP values.

    python benchmarks/reasons.py --data FOLDER
    python benchmarks/reasons.py --data FOLDER --tables adult dry_bean

FOLDER holds the data sets and a ``load.py`` with ``load_table`` and ``load_anomaly``. Of each table
up to 2,000 rows train; of 200 others one to three cells are replaced by those of random rows, which
is the truth that methods are to find. For 20 of these rows SHAP values of the detector's own score
are computed by permutations, on a background of 50 training rows; that needs the package shap and
is left out where it is missing. It writes results/reasons.json and results/reasons.md; tables that
are not measured anew are kept. All of it takes about ten minutes on one core.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _markdown import table_of
from _reasons_methods import METHODS, Numbers
from _record import RESULTS, read, write
from _tables_sets import mixed_table
from scipy.stats import spearmanr

from sklearn_replearn import OutlierDetector

TRAINING, CORRUPTED, EXPLAINED, BACKGROUND, ROUNDS = 2000, 200, 20, 50, 4
MIXED = ("adult", "telco_churn", "german_credit", "hypothyroid", "mushroom", "california_housing")
TABLES = (*MIXED, "dry_bean", "magic.gamma", "pendigits", "waveform")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with load.py")
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=TABLES)
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    sys.path.insert(0, args.data)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    record = {"truth": {}, "SHAP": {}} | read("reasons", args.results)
    for name in args.tables:
        train, rows, truth = task(name)
        found = {method: measured(make, train, rows, truth) for method, make in METHODS.items()}
        record["truth"][name] = {"columns": train.shape[1], "methods": found}
        print(name, found, flush=True)
        try:
            record["SHAP"][name] = beside_shap(train, rows[:EXPLAINED], truth[:EXPLAINED])
            print(name, record["SHAP"][name], flush=True)
        except ImportError:
            print("SHAP values are left out: shap is not installed", flush=True)
        write("reasons", record, markdown, args.results)


# ------------------------------------------------------------------------- rows with known reasons


def table(name):
    from load import load_anomaly

    if name in (*MIXED, "dry_bean"):
        return mixed_table(name)
    X, y = load_anomaly(name)
    return pd.DataFrame(X[y == 0].astype(np.float64)).add_prefix("x")


def task(name):
    """Training rows, corrupted rows, and which of their cells are."""
    frame, random = table(name), np.random.RandomState(0)
    order = random.permutation(len(frame))
    train = frame.iloc[order[CORRUPTED:][:TRAINING]].reset_index(drop=True)
    numbers = Numbers(frame)
    rows, truth = corrupted(
        numbers.array(frame.iloc[order[:CORRUPTED]]), numbers.array(train), random
    )
    return train, numbers.frame(rows, train), truth


def corrupted(rows, others, random):
    """Rows of which one to three known cells are those of others; rows that have none are left."""
    rows, truth = rows.copy(), np.zeros(rows.shape, dtype=bool)
    for row, true in zip(rows, truth, strict=True):
        for j in random.permutation(np.flatnonzero(~np.isnan(row)))[: random.randint(1, 4)]:
            differ = others[(others[:, j] != row[j]) & ~np.isnan(others[:, j]), j]
            if len(differ):
                row[j], true[j] = random.choice(differ), True
    some = truth.any(axis=1)
    return rows[some], truth[some]


def measured(make, train, rows, truth):
    start = time.process_time()
    scores = make(train)(rows)
    return hits(scores, truth) | {"CPU s": time.process_time() - start}


def hits(scores, truth):
    order = np.argsort(-np.nan_to_num(scores), axis=1, kind="stable")
    ranked = np.take_along_axis(truth, order, axis=1)
    among = np.arange(truth.shape[1]) < truth.sum(axis=1, keepdims=True)
    return {
        "top-1": float(ranked[:, 0].mean()),
        "top-3": float(ranked[:, :3].any(axis=1).mean()),
        "share found": float(((ranked & among).sum(axis=1) / truth.sum(axis=1)).mean()),
    }


# ------------------------------------------------------------------------- SHAP values


def beside_shap(train, rows, truth):
    """Rank correlation of ours with SHAP values of the same score, and the hits of both."""
    import shap

    detector, numbers = OutlierDetector().fit(train), Numbers(train)

    def surprise(array):
        return -detector.score_samples(numbers.frame(array, train))

    random = np.random.RandomState(0)
    background = numbers.array(train)[random.choice(len(train), BACKGROUND, replace=False)]
    masker = shap.maskers.Independent(background, max_samples=BACKGROUND)
    explainer = shap.explainers.Permutation(surprise, masker, seed=0)
    n_evaluations = ROUNDS * (2 * train.shape[1] + 1)
    explained = explainer(numbers.array(rows), max_evals=n_evaluations, silent=True)
    ours = detector.explain(rows).to_numpy()
    correlations = [
        spearmanr(one, other).statistic for one, other in zip(ours, explained.values, strict=True)
    ]
    return {
        "rank correlation": float(np.nanmean(correlations)),
        "ours": hits(ours, truth),
        "SHAP": hits(explained.values, truth),
    }


# ------------------------------------------------------------------------- report


def means(found):
    """Means over tables, by method."""
    return [
        {
            "method": method,
            **{
                key: float(np.mean([one["methods"][method][key] for one in found.values()]))
                for key in ("top-1", "top-3", "share found", "CPU s")
            },
        }
        for method in METHODS
    ]


def page_table(record):
    """What the page shows of the record."""
    shown = ("method", "top-1", "top-3", "share found")
    return table_of([{key: one[key] for key in shown} for one in means(record["truth"])])


def markdown(record):
    by_table = [
        {
            "table": name,
            "columns": one["columns"],
            **{method: shown(figures) for method, figures in one["methods"].items()},
        }
        for name, one in record["truth"].items()
    ]
    beside = [
        {
            "table": name,
            "rank correlation": one["rank correlation"],
            **{of: shown(one[of]) for of in ("ours", "SHAP")},
        }
        for name, one in record["SHAP"].items()
    ]
    sections = [
        "# Reasons\n\nWritten by `benchmarks/reasons.py`, whose docstring says how. One to three "
        "cells of each row are replaced by those of random rows. top-1, top-3: for which share of "
        "the rows the first cell that a method names, or one of the first three, is one of these; "
        "share found: of as many cells as were replaced, how many are right. Often a cell of "
        "another row is as likely as the one it replaces, so that nothing can find it.",
        f"## Means over {len(by_table)} tables\n\n{table_of(means(record['truth']))}",
        f"## Each table: top-1 / top-3 / share found\n\n{table_of(by_table)}",
        f"## Beside SHAP values of its own score, on {EXPLAINED} of the rows",
    ]
    if beside:
        over_tables = np.mean([row["rank correlation"] for row in beside])
        sections += [
            "Rank correlation over the cells of a row, mean over rows; over tables "
            f"{over_tables:.3f}. Hits as above.",
            table_of(beside),
        ]
    else:
        sections.append("Left out: shap is not installed.")
    return "\n\n".join(sections) + "\n"


def shown(figures):
    return " / ".join(f"{figures[key]:.3f}" for key in ("top-1", "top-3", "share found"))


if __name__ == "__main__":
    main()
