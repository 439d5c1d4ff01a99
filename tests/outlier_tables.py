"""Tables that the tests of outliers share, and rows as judges see them."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from sklearn_replearn._dataset.multiset import canonical
from sklearn_replearn._tables.validation import read_table
from sklearn_replearn.outliers import Observations
from sklearn_replearn.outliers.spaces import Space


def factors(n, seed, n_features=20, scale=0.4):
    """Rows of correlated columns, and their covariance; the loadings are the same each time."""
    loadings = np.random.RandomState(99).normal(size=(n_features, 4))
    generator = np.random.RandomState(seed)
    noise = scale * generator.normal(size=(n, n_features))
    rows = generator.normal(size=(n, 4)) @ loadings.T + noise
    return rows, loadings @ loadings.T + scale**2 * np.eye(n_features)


def mixed(n, seed):
    """A frame of categories, numbers and dates, with missing cells."""
    generator = np.random.RandomState(seed)
    kind = generator.choice(["a", "b", "c"], size=n)
    size = np.where(kind == "a", 1.0, 10.0) * np.exp(0.1 * generator.normal(size=n))
    frame = pd.DataFrame(
        {
            "kind": pd.Categorical(kind),
            "size": size,
            "count": generator.poisson(3, size=n),
            "price": np.round(7 * size + generator.normal(size=n), 2),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(generator.randint(90, size=n), "D"),
        },
        index=[f"row {i}" for i in range(n)],
    )
    frame.loc[generator.uniform(size=n) < 0.1, "size"] = None
    frame.loc[generator.uniform(size=n) < 0.1, "kind"] = None
    return frame


def odd():
    """Columns that are constant, huge, tiny, heavy-tailed, of few values, or missing."""
    generator = np.random.RandomState(0)
    return np.column_stack(
        [
            np.full(100, 7.0),
            1e12 * generator.normal(size=100) + 1e15,
            1e-12 * generator.normal(size=100),
            generator.standard_cauchy(size=100),
            generator.randint(2, size=100),
            np.where(generator.uniform(size=100) < 0.5, np.nan, 1.0 * np.arange(100)),
            np.full(100, np.nan),
        ]
    )


def observed(training, *others, categorical_features=None):
    """Training rows, and other rows of the same columns, as judges see them."""
    estimator = BaseEstimator()
    table, schema = read_table(estimator, training, categorical_features)
    multiset = canonical(table, np.ones(len(table)))
    spaces = {
        scaling: Space(scaling, multiset, schema, None, 0) for scaling in ("standard", "quantile")
    }
    later = (read_table(estimator, rows, schema=schema)[0] for rows in others)
    return [Observations(rows, spaces, schema.decode) for rows in (table, *later)]
