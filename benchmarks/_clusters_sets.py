"""The sets of clusters.py: labelled tables and images of at most 4,000 rows."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from _image_sets import patches, shapes, stored
from _tables_sets import cut, one_hot, without_text
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from sklearn_replearn.rows import Images

MOST = 4000
STANDARDISED, QUANTILES, PIXELS = "standardised", "quantiles", "pixels"


@dataclass(frozen=True)
class Labelled:
    """Rows with labels, the numbers that others see of them, and what encoders are told.

    The first of ``numbers`` is what PCA, of ``width`` columns, and UMAP are fitted to.
    """

    rows: object
    labels: np.ndarray
    numbers: dict
    width: int = 16
    parameters: dict = field(default_factory=dict)


def table(name):
    from load import load_table

    rows, target = load_table(name)
    y = np.unique(np.asarray(target).astype(str), return_inverse=True)[1]
    kept = np.isin(y, np.flatnonzero(np.bincount(y) >= 10))
    rows, y = cut(without_text(rows)[kept], MOST), cut(y[kept], MOST)
    return Labelled(rows, _numbered(y), numbers_of(rows))


def of_sklearn(load):
    found = load(as_frame=True)
    return Labelled(found.data, found.target.to_numpy(), numbers_of(found.data))


def digits():
    """As a table of 64 columns, beside which pixels have a scale in common."""
    X, y = load_digits(return_X_y=True)
    numbers = {STANDARDISED: StandardScaler().fit_transform(X), PIXELS: X / 16}
    return Labelled(X, y, numbers, width=32)


def images(load):
    """Of what a function gives: training images, of shape (n, channels, height, width), and labels.

    What else it gives is left out.
    """
    X, y = (cut(part, MOST) for part in load()[:2])
    numbers = {PIXELS: X.reshape(len(X), -1) / 255}
    return Labelled(X, y, numbers, width=64, parameters={"rows": Images(X.shape[1:])})


def numbers_of(rows):
    """Numbers of a table for others: levels one-hot; columns standardised, or by their ranks."""
    fill = partial(SimpleImputer, strategy="median", keep_empty_features=True)
    ranks = QuantileTransformer(n_quantiles=200, output_distribution="normal", random_state=0)
    by_ranks = make_column_transformer(
        (make_pipeline(fill(), ranks), make_column_selector(dtype_include="number")),
        (OneHotEncoder(sparse_output=False), make_column_selector(dtype_exclude="number")),
    )
    return {
        STANDARDISED: one_hot("median").fit_transform(rows),
        QUANTILES: by_ranks.fit_transform(rows),
    }


def _numbered(y):
    return np.unique(pd.Series(y).to_numpy(), return_inverse=True)[1]


TABLES = {
    name: partial(table, name)
    for name in ("adult", "telco_churn", "german_credit", "hypothyroid", "mushroom", "dry_bean")
} | {
    "wine": partial(of_sklearn, load_wine),
    "breast_cancer": partial(of_sklearn, load_breast_cancer),
}
SETS = {
    **TABLES,
    "digits": digits,
    "mnist": partial(images, partial(stored, "mnist")),
    "shapes": partial(images, shapes),
    "patches": partial(images, patches),
    "cifar10_subset": partial(images, partial(stored, "cifar10_subset")),
}
