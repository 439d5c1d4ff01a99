"""What anomaly.py measured, as Markdown and as the table of its page."""

import csv

import numpy as np
from _anomaly_detectors import DETECTORS
from _anomaly_protocols import HALVED
from _halves import HALVES, half
from _markdown import table_of
from scipy.stats import rankdata, wilcoxon

REFERENCE, GROUPED = "kNN", ": "


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
        "the networks of PyOD are trained on at most 5,000 rows. The development sets are halved "
        "by a checksum of their names: a choice that was made on one half counts only with its "
        "gain on the other."
    ]
    for protocol, measured in record["protocols"].items():
        n_sets, rows = summary(measured)
        sections.append(f"## {protocol}: {n_sets} sets\n\n{table_of(rows)}")
        if protocol in HALVED:
            sections.append(f"Ours and kNN on either half of the sets:\n\n{halved(measured)}")
        if any(GROUPED in name for name in measured):
            sections.append(f"AUROC by kind of anomaly:\n\n{grouped(measured)}")
        sections.append(f"AUROC of each set:\n\n{table_of(of_sets(measured))}")
    for setting, means in record.get("published", {}).items():
        ordered = sorted(means.items(), key=lambda item: -item[1].get("AUROC", 0))
        rows = [{"method": method, **found} for method, found in ordered]
        sections.append(f"## From the paper, {setting}\n\n{table_of(rows)}")
    return "\n\n".join(sections) + "\n"


def halved(measured):
    """Means of ours and of kNN, and the gain, for the sets of either half and for all."""
    compared = [n for n, found in measured.items() if found.get("ours") and found.get(REFERENCE)]
    halves = {which: [n for n in compared if half(n) == which] for which in HALVES}
    rows = []
    for which, names in {**halves, "both": compared}.items():
        row = {"half": which, "sets": len(names)}
        for metric in ("AUROC", "AUPR"):
            ours, reference = (
                float(np.mean([np.mean(measured[n][d][metric]) for n in names]))
                for d in ("ours", REFERENCE)
            )
            row |= {f"ours, {metric}": ours, f"{REFERENCE}, {metric}": reference}
            row[f"gain, {metric}"] = ours - reference
        rows.append(row)
    return table_of(rows)


def grouped(measured):
    """Means over sets of which the names begin alike."""
    groups = {}
    for row in of_sets(measured):
        groups.setdefault(row["set"].partition(GROUPED)[0], []).append(row)
    rows = []
    for group, of_group in groups.items():
        detectors = [name for name in of_group[0] if name != "set"]
        means = {name: float(np.mean([row[name] for row in of_group])) for name in detectors}
        rows.append({"anomalies": group, "sets": len(of_group), **means})
    return table_of(rows)


def of_sets(measured):
    detectors = [d for d in DETECTORS if any(found.get(d) for found in measured.values())]
    return [
        {
            "set": name,
            **{d: np.mean(found[d]["AUROC"]) if found.get(d) else "" for d in detectors},
        }
        for name, found in measured.items()
    ]


def page_table(record):
    """What the page shows of the record: AUROC / AUPR by protocol."""
    found = {name: summary(record["protocols"][name])[1] for name in HALVED}
    rows = {}
    for name in HALVED:
        for row in found[name]:
            line = rows.setdefault(row["detector"], {"detector": row["detector"]})
            line[name] = f"{row['AUROC']:.3f} / {row['AUPR']:.3f}"
    for row in found["plain"]:
        rows[row["detector"]]["22 fits, s"] = row["fit s"]
    return table_of(list(rows.values()))
