"""The figures of the README: one of each record, beside what one would take otherwise."""

import numpy as np
from _anomaly_report import summary as of_detectors
from _few_labels_report import TABLES
from _markdown import table_of
from _speed_report import medians
from _speed_task import WORKLOADS
from _tables_report import imputation_summary

PAGES = "docs/benchmarks"


def headlines(tables, few_labels, anomaly, cpu):
    """A row for each question: which, our figure, and those beside it.

    Parameters
    ----------
    tables, few_labels, anomaly, cpu : dict
        The records of that name in ``results``.
    """
    rows = [speed(cpu), anomalies(anomaly), labels(few_labels), imputed(tables), drawn(tables)]
    table = table_of([dict(zip(("", "ours", "beside it"), row, strict=True)) for row in rows])
    return table.replace("](", f"]({PAGES}/")


def speed(record):
    seconds = medians(record)
    took = {
        name: seconds[f"fit/autoencoder/M/{name}/seconds"]
        for name in ("ours", "bare loop", "skorch", "PyOD")
    }
    n_rows, n_columns, _ = WORKLOADS["M"]
    asked = f"[Fit of an autoencoder](cpu.md), {n_rows:,} x {n_columns}, s of CPU"
    beside = f"PyTorch by hand {took['bare loop']:.2f}, skorch {took['skorch']:.2f}"
    return asked, f"{took['ours']:.2f}", f"{beside}, PyOD {took['PyOD']:.2f}"


def anomalies(record):
    n_tables, rows = of_detectors(record["protocols"]["plain"])
    area = {row["detector"]: f"{row['AUROC']:.3f}" for row in rows}
    beside = f"nearest neighbours {area['kNN']}, isolation forest {area['IForest']}"
    return f"[Anomalies](anomaly.md), {n_tables} tables, mean AUROC", area["ours"], beside


def labels(record):
    def mean(method):
        rows = [row for name in TABLES for row in record[name] if row["method"] == method]
        return f"{np.mean([np.mean(row['auroc']['5%']) for row in rows]):.3f}"

    raw, ranks = mean("raw, LR"), mean("raw quantiles, LR")
    asked = f"[5 % of the labels](few_labels.md), {len(TABLES)} tables, mean AUROC"
    beside = f"raw columns {raw}, their ranks {ranks}"
    boosted = mean("raw, HistGradientBoosting")
    return asked, mean("EncoderClassifier"), f"{beside}, boosting {boosted}"


def imputed(record):
    rows = {row["contender"]: row for row in imputation_summary(record["imputation"])}

    def of(name):
        return f"{rows[name]['MCAR, mean']:.3f} ({rows[name]['MCAR, mean s']:.1f})"

    n_tables = len({row["table"] for row in record["imputation"] if row["cells"] == "MCAR"})
    asked = f"[Cells imputed](tables.md), {n_tables} tables, error (s of CPU)"
    beside = f"`IterativeImputer`: ridge {of('ridge')}, trees {of('trees')}"
    return asked, of("ours, decoder"), beside


def drawn(record):
    def of(contender):
        rows = [row for row in record["synthesis"] if row["contender"] == contender]
        area, seconds = (np.mean([row[key] for row in rows]) for key in ("C2ST", "s"))
        return f"{area:.3f} ({seconds:.1f})"

    n_tables = len({row["table"] for row in record["synthesis"]})
    asked = f"[Tables drawn](tables.md), {n_tables} tables, told from real ones, AUROC (s)"
    beside = f"sequential CART {of('sequential CART')}; .5 is perfect"
    return asked, of("ours, autoregressive"), beside
