"""The figures of the README: one of each record, beside what one would take otherwise."""

import numpy as np
from _anomaly_report import summary as of_detectors
from _few_labels_report import TABLES
from _markdown import table_of
from _speed_report import medians
from _tables_report import imputation_summary

PAGES = "docs/benchmarks"


def headlines(tables, few_labels, anomaly, cpu):
    """A row a question, as a table in Markdown.

    Parameters
    ----------
    tables, few_labels, anomaly, cpu : dict
        The records of that name in ``results``.
    """
    rows = [
        ("[Fit of an autoencoder](cpu.md), 50,000 x 50, s of CPU", *speed(cpu)),
        ("[Anomalies](anomaly.md), 22 tables, mean AUROC", *anomalies(anomaly)),
        ("[5 % of the labels](few_labels.md), 8 tables, mean AUROC", *labels(few_labels)),
        ("[Cells imputed](tables.md), 10 tables, error (s of CPU)", *imputed(tables)),
        ("[Tables drawn](tables.md), 6 tables, told from real ones, AUROC (s)", *drawn(tables)),
    ]
    table = table_of([dict(zip(("", "ours", "beside it"), row, strict=True)) for row in rows])
    return table.replace("](", f"]({PAGES}/")


def speed(record):
    seconds = medians(record)
    took = {
        name: seconds[f"fit/autoencoder/M/{name}/seconds"]
        for name in ("ours", "bare loop", "skorch", "PyOD")
    }
    beside = f"PyTorch by hand {took['bare loop']:.2f}, skorch {took['skorch']:.2f}"
    return f"{took['ours']:.2f}", f"{beside}, PyOD {took['PyOD']:.2f}"


def anomalies(record):
    rows = of_detectors(record["protocols"]["plain"])[1]
    area = {row["detector"]: f"{row['AUROC']:.3f}" for row in rows}
    beside = f"nearest neighbours {area['kNN']}, isolation forest {area['IForest']}"
    return area["ours"], beside


def labels(record):
    def mean(method):
        rows = [row for name in TABLES for row in record[name] if row["method"] == method]
        return f"{np.mean([np.mean(row['auroc']['5%']) for row in rows]):.3f}"

    raw, ranks = mean("raw, LR"), mean("raw quantiles, LR")
    beside = f"raw columns {raw}, their ranks {ranks}"
    return mean("EncoderClassifier"), f"{beside}, boosting {mean('raw, HistGradientBoosting')}"


def imputed(record):
    rows = {row["contender"]: row for row in imputation_summary(record["imputation"])}

    def of(name):
        return f"{rows[name]['MCAR, mean']:.3f} ({rows[name]['MCAR, mean s']:.1f})"

    return of("ours, decoder"), f"`IterativeImputer`: ridge {of('ridge')}, trees {of('trees')}"


def drawn(record):
    def of(contender):
        rows = [row for row in record["synthesis"] if row["contender"] == contender]
        area, seconds = (np.mean([row[key] for row in rows]) for key in ("C2ST", "s"))
        return f"{area:.3f} ({seconds:.1f})"

    return of("ours, autoregressive"), f"sequential CART {of('sequential CART')}; .5 is perfect"
