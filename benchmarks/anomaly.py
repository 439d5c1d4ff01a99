"""Anomaly detection on real tables: ours beside other detectors, in one run.

    python benchmarks/anomaly.py --data FOLDER
    python benchmarks/anomaly.py --data FOLDER --protocols plain split --detectors ours kNN IForest

FOLDER holds ``anomaly/*.npz`` (X, y; 1 is an anomaly), ``split/*.npz`` (NAME/X_train, NAME/X_test,
NAME/y_test), a ``load.py`` with ``load_table`` and, to be set beside what is measured,
``published/dte_means.csv``. Detectors of PyOD take part where it is installed. Nothing is tuned, no
labels are seen before scoring. It writes results/anomaly.json and results/anomaly.md; what is not
measured anew is kept. All of it takes about half an hour on one core.

Protocols:

published   The first half of the normal rows in file order trains, the rest and all anomalies are
            tested (Livernoche et al. 2024). Sets of more than 50,000 rows are cut to 50,000 random
            ones, sets of fewer than 1,000 are resampled to 1,000 with replacement, so that copies
            of training rows are tested, which flatters whatever memorises.
plain       The same without resampling of the small sets.
networks    The same on the sets of fewer than 1,000 rows; here networks take part, too.
split       Sets with a split of their own; the training part is normal.
unlabelled  Trained and tested on the whole set, with anomalies (the paper trains on a bootstrap).
contaminated mixed
            The same on 300 and 1,000 rows of tables with categories (and on counts), of which 5,
            10 or 40 % are anomalies; see _anomaly_mixed.py.

Sets are split into halves by name, once and for all: a choice that is made on one half counts only
with its figures on the other, and both are shown, but for networks and contaminated mixed.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
from _anomaly_detectors import DETECTORS
from _anomaly_protocols import PROTOCOLS
from _anomaly_report import markdown, published
from _record import RESULTS, read, write
from sklearn.metrics import average_precision_score, roc_auc_score


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder with anomaly/ and split/")
    parser.add_argument("--protocols", nargs="*", choices=list(PROTOCOLS), default=list(PROTOCOLS))
    parser.add_argument("--detectors", nargs="*", choices=list(DETECTORS), default=None)
    parser.add_argument("--seeds", type=int, default=5, help="of the published protocol")
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    record = {"protocols": {}} | read("anomaly", args.results)
    for protocol in args.protocols:
        print(f"\n# {protocol}", flush=True)
        measured = record["protocols"].setdefault(protocol, {})
        for name, tasks in PROTOCOLS[protocol](args.data, args.seeds):
            found = measured.setdefault(name, {})
            for detector in args.detectors or DETECTORS:
                if protocol in DETECTORS[detector][1]:
                    runs = [run(detector, protocol, *task) for task in tasks]
                    found[detector] = None if None in runs else columns(runs)
            shown = {k: round(float(np.mean(v["AUROC"])), 3) for k, v in found.items() if v}
            print(name, shown, flush=True)
            record["published"] = published(args.data)
            write("anomaly", record, markdown, args.results)


def run(detector, protocol, train, test, y, seed):
    """Figures of one detector on one task; None where it cannot take part."""
    try:
        scores, fit, score = DETECTORS[detector][0](train, test, seed, protocol)
    except Exception as problem:
        print(f"  {detector}: {type(problem).__name__}: {str(problem)[:120]}", flush=True)
        return None
    scores = np.nan_to_num(scores, posinf=np.finfo(np.float64).max)
    return {
        "AUROC": roc_auc_score(y, scores),
        "AUPR": average_precision_score(y, scores),
        "fit s": fit,
        "score s": score,
    }


def columns(runs):
    return {key: [round(one[key], 5) for one in runs] for key in runs[0]}


if __name__ == "__main__":
    main()
