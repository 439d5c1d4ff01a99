"""Mixed tables among whose training rows there are anomalies; see anomaly.py."""

import sys

import numpy as np
import pandas as pd

RATES, SIZES, SEEDS = (0.05, 0.1, 0.4), (300, 1000), (0, 1)
SHUFFLED = ("adult", "telco_churn", "german_credit", "hypothyroid")
CLASSES = {
    "hypothyroid": ("compensated_hypothyroid", "primary_hypothyroid", "secondary_hypothyroid"),
    "mushroom": ("p",),
    "german_credit": ("bad",),
}


def contaminated_mixed_protocol(data, n_seeds):
    """Whole tables that train and are tested, by kind and share of the anomalies."""
    sys.path.insert(0, str(data))
    from load import load_table

    kinds = {
        "cells of others": {name: with_cells_of_others for name in SHUFFLED},
        "another class": {name: with_another_class for name in CLASSES},
        "counts": {"synthetic": counts},
    }
    for kind, tables in kinds.items():
        for rate in RATES:
            for name, drawn in tables.items():
                given = None if name == "synthetic" else load_table(name)
                for n in SIZES:
                    tasks = [drawn(name, given, rate, n, seed) for seed in SEEDS]
                    yield f"{kind}, {rate:.0%}: {name}, {n} rows", tasks


def with_cells_of_others(name, given, rate, n, seed):
    """Each cell of an anomaly is that of some other row: likely alone, but not together."""
    random, (table, _) = np.random.RandomState(seed), given
    rows = table.iloc[random.choice(len(table), n, replace=False)].reset_index(drop=True)
    y = np.arange(n) < rate * n
    shuffled = {}
    for column in rows:
        taken = np.where(y, random.randint(n, size=n), np.arange(n))
        shuffled[column] = rows[column].take(taken).reset_index(drop=True)
    return with_itself(pd.DataFrame(shuffled), y, seed)


def with_another_class(name, given, rate, n, seed):
    """Anomalies are rows of a class; where there are too few of either kind, fewer rows."""
    random, (table, target) = np.random.RandomState(seed), given
    anomalous = np.isin(np.asarray(target).astype(str), CLASSES[name])
    n = int(min(n, anomalous.sum() / rate, (~anomalous).sum() / (1 - rate)))
    n_anomalies = round(rate * n)
    rows = [
        random.choice(np.flatnonzero(anomalous), n_anomalies, replace=False),
        random.choice(np.flatnonzero(~anomalous), n - n_anomalies, replace=False),
    ]
    table = table.iloc[np.concatenate(rows)].reset_index(drop=True)
    return with_itself(table, np.arange(n) < n_anomalies, seed)


def counts(name, given, rate, n, seed):
    """Counts that a rate of the row drives, and anomalies in which each has a rate of its own."""
    random, y = np.random.RandomState(seed), np.arange(n) < rate * n
    rates = np.where(y[:, None], random.gamma(2.0, size=(n, 5)), random.gamma(2.0, size=(n, 1)))
    table = random.poisson(rates * [1.0, 2.0, 0.5, 1.0, 1.0]).astype(float)
    return with_itself(pd.DataFrame(table).add_prefix("count "), y, seed)


def with_itself(table, y, seed):
    return table, table, y.astype(int), seed
