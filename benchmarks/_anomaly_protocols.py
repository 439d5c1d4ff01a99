"""Protocols of anomaly detection: which rows train, which are tested; see anomaly.py."""

import numpy as np
from _anomaly_mixed import contaminated_mixed_protocol

EMBEDDED = ("cifar10", "20news")
MOST, FEWEST = 50_000, 1000
HALVED = ("published", "plain", "split", "unlabelled")


def sets(data):
    """Name, rows and labels of the classical sets."""
    for path in sorted((data / "anomaly").glob("*.npz")):
        if not path.stem.startswith(EMBEDDED):
            with np.load(path) as stored:
                yield path.stem, stored["X"].astype(np.float32), stored["y"].astype(int)


def cut(X, y, seed, resample):
    """At most 50,000 rows and, if asked for, at least 1,000."""
    random = np.random.RandomState(seed)
    if len(X) > MOST:
        rows = random.choice(len(X), MOST, replace=False)
        return X[rows], y[rows]
    if resample and len(X) < FEWEST:
        rows = random.choice(len(X), FEWEST, replace=True)
        return X[rows], y[rows]
    return X, y


def halves(X, y):
    """The first half of the normal rows, and the others with their labels."""
    normal = np.flatnonzero(y == 0)
    train = normal[: round(len(normal) / 2)]
    test = np.setdiff1d(np.arange(len(X)), train)
    return X[train], X[test], y[test]


def with_seeds(X, n_seeds, resample):
    """The seeds that make a difference to the rows."""
    return range(n_seeds if len(X) > MOST or (resample and len(X) < FEWEST) else 1)


def published_protocol(data, n_seeds):
    for name, X, y in sets(data):
        seeds = with_seeds(X, n_seeds, True)
        yield name, [(*halves(*cut(X, y, seed, True)), seed) for seed in seeds]


def plain_protocol(data, n_seeds):
    for name, X, y in sets(data):
        yield name, [(*halves(*cut(X, y, 0, False)), 0)]


def networks_protocol(data, n_seeds):
    for name, X, y in sets(data):
        if len(X) < FEWEST:
            yield name, [(*halves(X, y), 0)]


def split_protocol(data, n_seeds):
    for path in sorted((data / "split").glob("*.npz")):
        with np.load(path) as stored:
            for name in sorted({key.partition("/")[0] for key in stored.files}):
                parts = [stored[f"{name}/{part}"] for part in ("X_train", "X_test", "y_test")]
                train, test, y = parts
                yield name, [(train.astype(np.float32), test.astype(np.float32), y.astype(int), 0)]


def unlabelled_protocol(data, n_seeds):
    for name, X, y in sets(data):
        seeds = with_seeds(X, n_seeds, False)
        tasks = [(*cut(X, y, seed, False), seed) for seed in seeds]
        yield name, [(X, X, y, seed) for X, y, seed in tasks]


PROTOCOLS = {
    "published": published_protocol,
    "plain": plain_protocol,
    "networks": networks_protocol,
    "split": split_protocol,
    "unlabelled": unlabelled_protocol,
    "contaminated mixed": contaminated_mixed_protocol,
}
