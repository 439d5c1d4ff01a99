"""Anomaly detection on real tables: ours beside other detectors, in one run.

    python benchmarks/anomaly.py --data FOLDER
    python benchmarks/anomaly.py --data FOLDER --protocols plain split --detectors ours kNN IForest

FOLDER holds ``anomaly/*.npz`` (X, y; 1 is an anomaly), ``split/*.npz`` (NAME/X_train, NAME/X_test,
NAME/y_test) and, to be set beside what is measured, ``published/dte_means.csv``. Detectors of PyOD
take part where it is installed. Nothing is tuned, no labels are seen before scoring. It writes
results/anomaly.json and results/anomaly.md; what is not measured anew is kept. All of it takes
about an hour on one core.

Protocols:

published   The first half of the normal rows in file order trains, the rest and all anomalies are
            tested (Livernoche et al. 2024). Sets of more than 50,000 rows are cut to 50,000 random
            ones, sets of fewer than 1,000 are resampled to 1,000 with replacement, so that copies
            of training rows are tested, which flatters whatever memorises.
plain       The same without resampling of the small sets.
networks    The same on the sets of fewer than 1,000 rows; here networks take part, too.
split       Sets with a split of their own; the training part is normal.
unlabelled  Trained and tested on the whole set, with anomalies (the paper trains on a bootstrap).
"""

import argparse
import csv
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from _anomaly_protocols import PROTOCOLS
from _markdown import table_of
from _record import RESULTS, read, write
from scipy.stats import rankdata, wilcoxon
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.svm import OneClassSVM

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    OutlierDetector,
    VAETransformer,
)

FEW = 5000
REFERENCE = "kNN"


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


EVERY = tuple(PROTOCOLS)


# ---------------------------------------------------------------- detectors: train, test -> anomaly


def ours(estimator=None):
    def scored(train, test, seed, protocol):
        detector = OutlierDetector(
            None if estimator is None else estimator(random_state=seed),
            novelty=protocol != "unlabelled",
            random_state=seed,
        )
        start = time.perf_counter()
        detector.fit(train)
        fitted = time.perf_counter()
        return -detector.score_samples(test), fitted - start, time.perf_counter() - fitted

    return scored


def other(make, score=lambda model, rows: -model.score_samples(rows)):
    """A detector of others, which gets standardised columns."""

    def scored(train, test, seed, protocol):
        train, test = train.astype(np.float64), test.astype(np.float64)
        mean, deviation = train.mean(axis=0), train.std(axis=0)
        deviation[deviation <= 1e-12 * np.maximum(1, np.abs(mean))] = 1
        train, test = (train - mean) / deviation, (test - mean) / deviation
        model = make(train, seed, protocol)
        start = time.perf_counter()
        model.fit(train)
        fitted = time.perf_counter()
        return score(model, test), fitted - start, time.perf_counter() - fitted

    return scored


def on_few_rows(scored):
    """The same, trained on at most 5,000 rows: for detectors whose time grows fast with them."""

    def scored_on_few(train, test, seed, protocol):
        if len(train) > FEW:
            train = train[np.random.RandomState(seed).permutation(len(train))[:FEW]]
        return scored(train, test, seed, protocol)

    return scored_on_few


def fifth_neighbour(model, rows):
    return model.kneighbors(rows)[0][:, -1]


def nearest(train, seed, protocol):
    # A row that is judged by the table it is in is its own nearest neighbour.
    return NearestNeighbors(n_neighbors=min(5 + (protocol == "unlabelled"), len(train)))


def local(train, seed, protocol):
    return LocalOutlierFactor(n_neighbors=min(20, len(train) - 1), novelty=True)


def local_score(model, rows):
    # Training rows shall not be their own neighbours.
    if len(rows) == model.n_samples_fit_ and np.array_equal(rows, model._fit_X):
        return -model.negative_outlier_factor_
    return -model.score_samples(rows)


def residual(train, seed, protocol):
    # As many components as hold nine tenths of the variance.
    return PCA(0.9, svd_solver="full")


def left_over(model, rows):
    return np.square(rows - model.inverse_transform(model.transform(rows))).sum(axis=1)


def pyod(module, name, **parameters):
    def make(train, seed, protocol):
        found = __import__(f"pyod.models.{module}", fromlist=[name])
        given = {k: v(train, seed) if callable(v) else v for k, v in parameters.items()}
        return getattr(found, name)(**given)

    return other(make, score=lambda model, rows: model.decision_function(rows))


def network_of_pyod(module, name, **parameters):
    parameters |= {"random_state": lambda train, seed: seed, "verbose": 0}
    return on_few_rows(pyod(module, name, **parameters)), ("networks",)


DETECTORS = {
    "ours": (ours(), EVERY),
    "ours (AutoencoderTransformer)": (on_few_rows(ours(AutoencoderTransformer)), ("networks",)),
    "ours (VAETransformer)": (on_few_rows(ours(VAETransformer)), ("networks",)),
    "ours (ContrastiveTransformer)": (on_few_rows(ours(ContrastiveTransformer)), ("networks",)),
    "kNN": (other(nearest, score=fifth_neighbour), EVERY),
    "LOF": (other(local, local_score), EVERY),
    "IForest": (other(lambda train, seed, _: IsolationForest(random_state=seed)), EVERY),
    "OCSVM": (on_few_rows(other(lambda *_: OneClassSVM())), EVERY),
    "PCA": (other(residual, score=left_over), EVERY),
    "ECOD": (pyod("ecod", "ECOD"), EVERY),
    "COPOD": (pyod("copod", "COPOD"), EVERY),
    "PyOD AutoEncoder": network_of_pyod("auto_encoder", "AutoEncoder"),
    "PyOD VAE": network_of_pyod("vae", "VAE"),
    "PyOD DeepSVDD": network_of_pyod(
        "deep_svdd", "DeepSVDD", n_features=lambda train, seed: train.shape[1]
    ),
}


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


# ---------------------------------------------------------------- report


def published(data):
    """Means that the paper of the protocol reports for the 22 sets, by method."""
    path = data / "published" / "dte_means.csv"
    means = {}
    if path.exists():
        for row in csv.DictReader(path.open()):
            metric = row["metric"].removeprefix("mean_")
            if "22" in row["dataset"] and metric in ("AUROC", "AUPR"):
                setting = f"{row['protocol']} {row['dataset']}"
                means.setdefault(setting, {}).setdefault(row["method"], {})[metric] = float(
                    row["value"]
                )
    return means


def summary(measured):
    """A row for each detector: means over the sets that all of them have."""
    detectors = [d for d in DETECTORS if any(found.get(d) for found in measured.values())]
    names = [n for n, found in measured.items() if all(found.get(d) for d in detectors)]
    auroc = np.array([[np.mean(measured[n][d]["AUROC"]) for d in detectors] for n in names])
    ranks = np.array([rankdata(-row) for row in auroc]).mean(axis=0)
    against = auroc[:, detectors.index(REFERENCE)] if REFERENCE in detectors else None
    rows = []
    for k, detector in enumerate(detectors):
        figures = {
            key: [np.mean(measured[n][detector][key]) for n in names]
            for key in ("AUPR", "fit s", "score s")
        }
        row = {
            "detector": detector,
            "AUROC": auroc[:, k].mean(),
            "AUPR": float(np.mean(figures["AUPR"])),
            "mean rank": ranks[k],
            "wins, losses against kNN": "",
            "Wilcoxon p": "",
            "fit s": float(np.sum(figures["fit s"])),
            "score s": float(np.sum(figures["score s"])),
        }
        if against is not None and detector != REFERENCE:
            differences = auroc[:, k] - against
            wins, losses = (int((sign * differences > 5e-4).sum()) for sign in (1, -1))
            row["wins, losses against kNN"] = f"{wins}, {losses}"
            row["Wilcoxon p"] = f"{wilcoxon(differences).pvalue:.2g}"
        rows.append(row)
    return len(names), sorted(rows, key=lambda row: -row["AUROC"])


def markdown(record):
    sections = [
        "# Anomaly detection\n\nWritten by `benchmarks/anomaly.py`, whose docstring says what the "
        "protocols are; default settings, one thread. Means over sets; seconds are of all sets "
        "together. kNN is the distance to the fifth neighbour. OCSVM, our transformers alone and "
        "the networks of PyOD are trained on at most 5,000 rows."
    ]
    for protocol, measured in record["protocols"].items():
        n_sets, rows = summary(measured)
        sections.append(f"## {protocol}: {n_sets} sets\n\n{table_of(rows)}")
        sections.append(f"AUROC of each set:\n\n{table_of(of_sets(measured))}")
    for setting, means in record.get("published", {}).items():
        ordered = sorted(means.items(), key=lambda item: -item[1].get("AUROC", 0))
        rows = [{"method": method, **found} for method, found in ordered]
        sections.append(f"## From the paper, {setting}\n\n{table_of(rows)}")
    return "\n\n".join(sections) + "\n"


def of_sets(measured):
    detectors = [d for d in DETECTORS if any(found.get(d) for found in measured.values())]
    return [
        {
            "set": name,
            **{d: np.mean(found[d]["AUROC"]) if found.get(d) else "" for d in detectors},
        }
        for name, found in measured.items()
    ]


def readme_table(record):
    """What the README shows of the record: AUROC / AUPR by protocol."""
    shown = [name for name in PROTOCOLS if name != "networks"]
    found = {name: summary(record["protocols"][name])[1] for name in shown}
    rows = {}
    for name in shown:
        for row in found[name]:
            line = rows.setdefault(row["detector"], {"detector": row["detector"]})
            line[name] = f"{row['AUROC']:.3f} / {row['AUPR']:.3f}"
    for row in found["plain"]:
        rows[row["detector"]]["22 fits, s"] = row["fit s"]
    return table_of(list(rows.values()))


if __name__ == "__main__":
    main()
