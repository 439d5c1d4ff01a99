"""Detectors that anomaly.py compares, and in which protocols each takes part.

Each is given rows that train, rows that are tested, a seed and the name of the protocol; it gives
how anomalous the tested rows are, and the seconds of its fit and of its scores.
"""

import time

import numpy as np
from _anomaly_protocols import PROTOCOLS
from _tables_sets import one_hot
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.preprocessing import OrdinalEncoder
from sklearn.svm import OneClassSVM

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    OutlierDetector,
    VAETransformer,
)

FEW = 5000
MIXED = "contaminated mixed"
NUMERIC = tuple(name for name in PROTOCOLS if name != MIXED)
EVERY = tuple(PROTOCOLS)
WITH_ANOMALIES = ("unlabelled", MIXED)


def ours(estimator=None, novelty=None):
    """Ours; unless it is given, novelty is as the rows of the protocol ask for."""

    def scored(train, test, seed, protocol):
        detector = OutlierDetector(
            None if estimator is None else estimator(random_state=seed),
            novelty=protocol not in WITH_ANOMALIES if novelty is None else novelty,
            random_state=seed,
        )
        start = time.perf_counter()
        detector.fit(train)
        fitted = time.perf_counter()
        return -detector.score_samples(test), fitted - start, time.perf_counter() - fitted

    return scored


def other(make, score=lambda model, rows: -model.score_samples(rows), levels=one_hot):
    """A detector of others, which gets standardised columns; of mixed ones encoded levels."""

    def scored(train, test, seed, protocol):
        if protocol == MIXED:
            encoder = levels().fit(train)
            train, test = encoder.transform(train), encoder.transform(test)
        else:
            train, test = standardised(train, test)
        model = make(train, seed, protocol)
        start = time.perf_counter()
        model.fit(train)
        fitted = time.perf_counter()
        return score(model, test), fitted - start, time.perf_counter() - fitted

    return scored


def standardised(train, test):
    train, test = train.astype(np.float64), test.astype(np.float64)
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation[deviation <= 1e-12 * np.maximum(1, np.abs(mean))] = 1
    return (train - mean) / deviation, (test - mean) / deviation


def numbered():
    """Levels as numbers, for detectors that are asked about one column at a time."""
    levels = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    levels.set_params(encoded_missing_value=-1)
    return make_column_transformer(
        (SimpleImputer(keep_empty_features=True), make_column_selector(dtype_include="number")),
        (levels, make_column_selector(dtype_exclude="number")),
    )


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
    return NearestNeighbors(n_neighbors=min(5 + (protocol in WITH_ANOMALIES), len(train)))


def forest(train, seed, protocol):
    return IsolationForest(random_state=seed)


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
    "ours (novelty=True)": (ours(novelty=True), (MIXED,)),
    "ours (AutoencoderTransformer)": (on_few_rows(ours(AutoencoderTransformer)), ("networks",)),
    "ours (VAETransformer)": (on_few_rows(ours(VAETransformer)), ("networks",)),
    "ours (ContrastiveTransformer)": (on_few_rows(ours(ContrastiveTransformer)), ("networks",)),
    "kNN": (other(nearest, score=fifth_neighbour), EVERY),
    "LOF": (other(local, local_score), NUMERIC),
    "IForest": (other(forest, levels=numbered), EVERY),
    "OCSVM": (on_few_rows(other(lambda *_: OneClassSVM())), NUMERIC),
    "PCA": (other(residual, score=left_over), NUMERIC),
    "ECOD": (pyod("ecod", "ECOD"), NUMERIC),
    "COPOD": (pyod("copod", "COPOD"), NUMERIC),
    "PyOD AutoEncoder": network_of_pyod("auto_encoder", "AutoEncoder"),
    "PyOD VAE": network_of_pyod("vae", "VAE"),
    "PyOD DeepSVDD": network_of_pyod(
        "deep_svdd", "DeepSVDD", n_features=lambda train, seed: train.shape[1]
    ),
}
