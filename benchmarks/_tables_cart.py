"""Tables drawn column by column from decision trees, as synthpop does (Nowok et al. 2016)."""

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor


class SequentialCART:
    """A tree for each column given those before it; a drawn cell is that of a row of its leaf.

    The first column is drawn from the training rows. So all cells are cells of training rows, and a
    cell is missing where it was in the row that gave it.
    """

    def __init__(self, random_state=0, min_samples_leaf=5):
        self.random_state, self.min_samples_leaf = random_state, min_samples_leaf

    def fit(self, table):
        self.table, self.trees = table, []
        known = _numbers(table)
        width = 0
        for column in table:
            y, cls = table[column], DecisionTreeRegressor
            if y.dtype == "category":
                y, cls = y.cat.codes, DecisionTreeClassifier
            elif y.isna().any():
                y = y.fillna(2 * y.min() - y.max())  # far from all others
            tree = None  # of the first column
            if width:
                tree = cls(min_samples_leaf=self.min_samples_leaf, random_state=self.random_state)
                tree.fit(known[:, :width], y)
                rows_of = pd.Series(range(len(table))).groupby(tree.apply(known[:, :width]))
                tree = tree, {leaf: rows.to_numpy() for leaf, rows in rows_of}
            self.trees.append(tree)
            width += _width(table[column])
        return self

    def sample(self, n_rows, random_state=0):
        random = np.random.RandomState(random_state)
        drawn = {}
        for column, tree in zip(self.table, self.trees, strict=True):
            if tree is None:
                rows = random.randint(len(self.table), size=n_rows)
            else:
                tree, rows_of = tree
                leaves = tree.apply(_numbers(pd.DataFrame(drawn)))
                rows = np.empty(n_rows, dtype=int)
                for leaf in np.unique(leaves):
                    here = leaves == leaf
                    rows[here] = random.choice(rows_of[leaf], here.sum())
            drawn[column] = self.table[column].iloc[rows].reset_index(drop=True)
        return pd.DataFrame(drawn)


def _numbers(table):
    """What trees take: levels one-hot, and beside a number whether it is missing."""
    parts = []
    for column in table:
        x = table[column]
        if x.dtype == "category":
            codes = x.cat.codes.to_numpy()[:, None]
            parts.append(codes == np.arange(-1, len(x.cat.categories)))
        else:
            parts.append(np.column_stack([x.fillna(0), x.isna()]))
    return np.hstack(parts).astype(np.float32)


def _width(x):
    return len(x.cat.categories) + 1 if x.dtype == "category" else 2
