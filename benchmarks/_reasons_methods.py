"""What reasons.py compares: how much each cell of a row speaks for an anomaly, by several methods.

Each is fitted to a frame and gives a function of rows that returns an array, one number a cell.
"""

import numpy as np
import pandas as pd
from _tables_sets import one_hot
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from sklearn_replearn import AutoencoderTransformer, OutlierDetector

OURS = "OutlierDetector().explain"


class Numbers:
    """Frames as arrays of floats, and back: levels are numbered, missing cells NaN."""

    def __init__(self, frame):
        self.levels = {name: frame[name].cat.categories for name in frame.select_dtypes("category")}

    def array(self, frame):
        columns = [
            frame[name].cat.codes.replace(-1, np.nan) if name in self.levels else frame[name]
            for name in frame
        ]
        return np.stack([column.to_numpy(np.float64) for column in columns], axis=1)

    def frame(self, array, like):
        columns = {}
        for name, column in zip(like, array.T, strict=True):
            if name in self.levels:
                codes = np.where(np.isnan(column), -1, column).astype(int)
                column = pd.Categorical.from_codes(codes, self.levels[name])
            columns[name] = column
        return pd.DataFrame(columns)


class Encoded:
    """Rows of a frame with levels one-hot, and what is found there by column of the frame."""

    def __init__(self, train):
        self.encoder = one_hot().fit(train)
        self.rows = self.encoder.transform(train)
        levels = list(train.select_dtypes(exclude="number"))
        widths = {name: 1 for name in train if name not in levels}
        if levels:
            categories = self.encoder.transformers_[1][1].categories_
            widths |= {name: len(of) for name, of in zip(levels, categories, strict=True)}
        self.owner = np.repeat([train.columns.get_loc(name) for name in widths], [*widths.values()])
        self.n_columns = train.shape[1]

    def by_column(self, squares):
        return squares @ np.equal.outer(self.owner, np.arange(self.n_columns))


def ours(train):
    detector = OutlierDetector().fit(train)
    return lambda rows: detector.explain(rows).to_numpy()


def nearest(train):
    """Squared difference from the mean of the five nearest training rows."""
    encoded = Encoded(train)
    search = NearestNeighbors(n_neighbors=5).fit(encoded.rows)

    def scored(rows):
        rows = encoded.encoder.transform(rows)
        means = encoded.rows[search.kneighbors(rows)[1]].mean(axis=1)
        return encoded.by_column(np.square(rows - means))

    return scored


def left_over(train):
    """Squared residual of the principal components that hold nine tenths of the variance."""
    encoded = Encoded(train)
    model = PCA(0.9, svd_solver="full").fit(encoded.rows)

    def scored(rows):
        rows = encoded.encoder.transform(rows)
        decoded = model.inverse_transform(model.transform(rows))
        return encoded.by_column(np.square(rows - decoded))

    return scored


def reconstructed(train):
    fitted = AutoencoderTransformer(random_state=0).fit(train)
    return lambda rows: np.asarray(fitted.reconstruction_error(rows))


def at_random(train):
    return lambda rows: np.random.RandomState(0).uniform(size=rows.shape)


METHODS = {
    OURS: ours,
    "kNN by column": nearest,
    "AutoencoderTransformer().reconstruction_error": reconstructed,
    "PCA, residual by column": left_over,
    "at random": at_random,
}
