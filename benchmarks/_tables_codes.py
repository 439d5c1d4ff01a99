"""Codes of raw tables and of counts of words for a linear classifier, beside linear ones."""

import resource
import time

import numpy as np
from _tables_sets import ADULT_TRAIN, SMALL_TABLES, binary, one_hot
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.rows import Table

OURS = (AutoencoderTransformer, VAETransformer, ContrastiveTransformer)
NEWS_TRAIN = 11314


def adult():
    """AUROC of LogisticRegression on codes; official split."""
    from load import load_table

    table, target = load_table("adult")
    y = (target == ">50K").to_numpy().astype(int)
    train, test = slice(0, ADULT_TRAIN), slice(ADULT_TRAIN, None)

    def scored(name, latent_dim, encoder):
        start = time.perf_counter()
        codes = encoder.fit_transform(table[train])
        seconds = time.perf_counter() - start
        classifier = LogisticRegression(max_iter=1000).fit(codes, y[train])
        auroc = roc_auc_score(
            y[test], classifier.predict_proba(encoder.transform(table[test]))[:, 1]
        )
        return {"encoder": name, "columns": latent_dim, "AUROC": auroc, "fit s": seconds}

    yield scored("one-hot, standardised", "all", one_hot())
    for latent_dim in (16, 32):
        yield scored("PCA of it", latent_dim, make_pipeline(one_hot(), PCA(latent_dim)))
        for cls in OURS:
            yield scored(cls.__name__, latent_dim, cls(latent_dim))


def scalings():
    """Mean AUROC of LogisticRegression on codes, three folds, by scaling of the numbers."""
    from load import load_table

    for name, latent_dim in SMALL_TABLES.items():
        table, y = binary(name, *load_table(name))
        rivals = {"PCA": lambda n: make_pipeline(one_hot(), PCA(n), StandardScaler())}
        for cls in OURS[:2]:
            for scaling in ("auto", "standard", "robust", "quantile"):
                rivals[f"{cls.__name__[:3].upper()} {scaling}"] = _scaled(cls, scaling)
        row = {"table": name, "columns": latent_dim}
        for rival, make in rivals.items():
            row[rival] = np.mean(
                [
                    roc_auc_score(y[test], _probabilities(make(latent_dim), table, y, train, test))
                    for train, test in StratifiedKFold(3, shuffle=True, random_state=0).split(
                        table, y
                    )
                ]
            )
        yield row


def _scaled(cls, scaling):
    return lambda latent_dim: cls(latent_dim, rows=Table(scaling=scaling))


def _probabilities(encoder, table, y, train, test):
    codes = encoder.fit_transform(table.iloc[train])
    classifier = LogisticRegression(max_iter=1000).fit(codes, y[train])
    return classifier.predict_proba(encoder.transform(table.iloc[test]))[:, 1]


def counts():
    """Accuracy of LogisticRegression on 32 codes of word counts; official split."""
    from load import load_sparse

    X, y, _ = load_sparse("newsgroups20_counts")
    for name, encoder in (
        ("TruncatedSVD", TruncatedSVD(32, random_state=0)),
        (
            "tf-idf, TruncatedSVD",
            make_pipeline(TfidfTransformer(), TruncatedSVD(32, random_state=0)),
        ),
        ("AutoencoderTransformer", AutoencoderTransformer(32)),
        ("VAETransformer", VAETransformer(32)),
    ):
        start = time.perf_counter()
        codes = encoder.fit_transform(X[:NEWS_TRAIN])
        seconds = time.perf_counter() - start
        classifier = LogisticRegression(max_iter=1000).fit(codes, y[:NEWS_TRAIN])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        accuracy = classifier.score(encoder.transform(X[NEWS_TRAIN:]), y[NEWS_TRAIN:])
        yield {"encoder": name, "accuracy": accuracy, "fit s": seconds, "process MB": peak}
