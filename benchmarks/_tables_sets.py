"""Tables that several benchmarks measure on, and what others need of them: one-hot numbers."""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ADULT_TRAIN = 32561  # rows of the official split
SMALL_TABLES = {
    "telco_churn": 16,
    "german_credit": 16,
    "titanic": 8,
    "hypothyroid": 16,
    "california_housing": 8,
    "dry_bean": 8,
}


def binary(name, table, target):
    """At most 6,000 rows of a table, and a question of two answers."""
    table, target = without_text(table), pd.Series(np.asarray(target))
    if name == "california_housing":
        y = target > target.median()
    elif name == "hypothyroid":
        y = target != "negative"
    elif name == "dry_bean":
        y = target.isin(["SIRA", "DERMASON"])
    else:
        y = target == target.value_counts().index[1]
    rows = np.random.RandomState(0).permutation(len(table))[:6000]
    return table.iloc[rows].reset_index(drop=True), y.to_numpy()[rows].astype(int)


def imputed_tables():
    """Ten tables of numbers, of at most 5,000 rows each."""
    from load import load_anomaly, load_table

    tables = {
        load.__name__[5:]: load().data
        for load in (load_wine, load_breast_cancer, load_diabetes, load_iris)
    }
    housing = load_table("california_housing")[0].select_dtypes("number").dropna()
    tables["california_housing"] = housing.to_numpy()
    tables["dry_bean"] = load_table("dry_bean")[0].to_numpy()
    for name in ("magic.gamma", "pendigits", "waveform", "wpbc"):
        tables[name] = load_anomaly(name)[0].astype(np.float64)
    for name, X in tables.items():
        tables[name] = X[np.random.RandomState(0).permutation(len(X))[:5000]]
    return tables


def cut(table, most):
    """So many rows of a table at most, drawn at random, always the same."""
    rows = np.random.RandomState(0).permutation(len(table))[:most]
    return table[rows] if isinstance(table, np.ndarray) else table.iloc[rows].reset_index(drop=True)


def mixed_table(name):
    """A table with categories, without its target and its free text."""
    from load import load_table

    return without_text(load_table(name)[0])


def without_text(table):
    return table.select_dtypes(exclude=["object", "string"])


def one_hot(strategy="mean", scaler=None):
    """Levels one-hot, and standardised numbers, those missing filled by ``strategy``."""
    imputer = SimpleImputer(strategy=strategy, keep_empty_features=True)
    numbers = make_pipeline(imputer, scaler or StandardScaler())
    levels = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (levels, make_column_selector(dtype_exclude="number")),
    )
