"""The sets of few_labels.py: tables, images and texts, and what other methods see of them."""

import re

import numpy as np
import pandas as pd
from _few_labels_methods import (
    NARROW,
    OURS,
    QUANTILES,
    REFERENCE,
    SEEDS,
    VECTORIZED,
    compared,
)
from _tables_sets import one_hot, without_text
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer, StandardScaler

from sklearn_replearn.rows import Images, Tokens

TABLES = (
    "adult",
    "titanic",
    "telco_churn",
    "german_credit",
    "hypothyroid",
    "mushroom",
    "dry_bean",
    "california_housing",
)
IMAGE_SHARES = (10, 0.01, 1.0)


def table(name):
    """A mixed table; a number to predict becomes four classes, by quartiles."""
    from load import load_table

    rows, target = load_table(name)
    rows, n_train = without_text(rows), rows.attrs["n_train"]
    if rows.attrs["task"] == "regression":
        target = pd.qcut(target, 4, labels=False)
    y = np.unique(np.asarray(target).astype(str), return_inverse=True)[1]
    kept = np.isin(y, np.flatnonzero(np.bincount(y) >= 10))  # too few to have in both parts
    rows, y = rows[kept].reset_index(drop=True), np.unique(y[kept], return_inverse=True)[1]
    if n_train is None:
        parts = train_test_split(np.arange(len(y)), test_size=0.25, stratify=y, random_state=0)
    else:
        parts = np.split(np.arange(len(y)), [int(kept[:n_train].sum())])
    train, test = (np.sort(part) for part in parts)
    rows, rows_test = rows.iloc[train], rows.iloc[test]
    prepared = one_hot("median").fit(rows)
    width = prepared.transform(rows.iloc[:1]).shape[1]
    codings = {
        QUANTILES: one_hot("median", QuantileTransformer(output_distribution="normal")),
        VECTORIZED: vectorizer(),
        REFERENCE: reduced(prepared.transform, PCA(min(32, width), random_state=0)),
        REFERENCE + NARROW: reduced(prepared.transform, PCA(min(16, width), random_state=0)),
    }
    encoders = {cls.__name__: cls() for cls in OURS}
    encoders |= {cls.__name__ + NARROW: cls(latent_dim=16) for cls in OURS}
    return compared(
        (rows, y[train]),
        (rows_test, y[test]),
        prepared.transform,
        codings,
        encoders,
        n_seeds=SEEDS,
    )


def vectorizer():
    """What skrub makes of a table before a linear model."""
    from skrub import tabular_pipeline

    return tabular_pipeline(LogisticRegression())[:-1]


def reduced(prepare, reduction):
    """Codes of prepared rows."""
    return make_pipeline(FunctionTransformer(prepare), reduction)


def digits():
    X, y = load_digits(return_X_y=True)
    train, test = train_test_split(np.arange(len(y)), test_size=0.25, stratify=y, random_state=0)
    return compared(
        (X[train], y[train]),
        (X[test], y[test]),
        lambda X: X / 16,
        {REFERENCE: reduced(lambda X: X / 16, PCA(32, random_state=0))},
        {cls.__name__: cls() for cls in OURS},
        shares=IMAGE_SHARES,
        n_seeds=SEEDS,
    )


def images(load):
    """A set of images, of one of the functions of ``_image_sets``."""
    train, y, test, y_test = load()
    shape = train.shape[1:]

    def flat(X):
        return X.reshape(len(X), -1) / 255

    return compared(
        (train, y),
        (test, y_test),
        flat,
        {REFERENCE: reduced(flat, PCA(64, random_state=0))},
        {cls.__name__: cls(latent_dim=64, rows=Images(shape)) for cls in OURS},
        shares=IMAGE_SHARES,
        most_boosted=700,
        most_tuned=1,
    )


def newsgroups():
    """Texts as rows of the numbers of their words; others get counts and tf-idf."""
    from load import load_text

    texts, y, n_train = load_text("newsgroups20")
    y = np.unique(np.asarray(y).astype(str), return_inverse=True)[1]
    bodies = [re.split(r"\r?\n[ \t]*\r?\n", text, maxsplit=1)[-1] for text in texts]
    counter = CountVectorizer(
        token_pattern=r"[a-z]{2,}", stop_words="english", min_df=5, max_features=9999
    ).fit(bodies[:n_train])
    words, number = counter.build_analyzer(), counter.vocabulary_
    ids = np.zeros((len(bodies), 200), dtype=np.int64)
    for row, body in zip(ids, bodies, strict=True):
        found = [number[word] + 1 for word in words(body) if word in number][:200]
        row[: len(found)] = found
    counts = counter.transform(bodies)
    weights = TfidfTransformer().fit(counts[:n_train])
    rare = dict(zip(map(bytes, ids), weights.transform(counts), strict=True))
    frequent = dict(zip(map(bytes, ids), counts, strict=True))

    def looked_up(known):
        import scipy.sparse as sp

        return lambda X: sp.vstack([known[bytes(row)] for row in X])

    return compared(
        (ids[:n_train], y[:n_train]),
        (ids[n_train:], y[n_train:]),
        looked_up(rare),
        {
            # Rows of tf-idf have length 1: as they are, a head makes little of their codes.
            name: reduced(
                looked_up(rows), make_pipeline(TruncatedSVD(64, random_state=0), StandardScaler())
            )
            for name, rows in ((REFERENCE, rare), ("counts, TruncatedSVD, LR", frequent))
        },
        {cls.__name__: cls(latent_dim=64, rows=Tokens(10_000)) for cls in OURS},
        most_boosted=0,
        most_tuned=1,
    )
