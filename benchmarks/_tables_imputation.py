"""Removed cells filled again: ours beside the imputers of scikit-learn."""

import numpy as np
import pandas as pd
from _tables_contenders import ours, seconds, timed
from _tables_sets import cut, imputed_tables, mixed_table
from scipy.stats import norm, rankdata
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

MOST_ROWS = 3000
CATEGORICAL = "adult", "telco_churn", "german_credit", "mushroom", "titanic"


def imputation():
    """Root mean squared error of removed cells, in deviations of the column; lower is better.

    At most 3,000 rows of each table. The cells that are removed:

    - MCAR: a fifth of the cells of each column, at random;
    - MAR: every other column stays whole; each of the others loses three tenths of its cells, more
      often where the whole column beside it is high;
    - MNAR: a fifth of the cells of each column, more often high ones.

    "More often" is a probability that is logistic in twice the column's normal scores. All but ours
    see standardised columns. ridge: IterativeImputer as it comes; trees: IterativeImputer with 50
    ExtraTrees, 5 rounds; kNN: KNNImputer. Seconds are those of CPU.
    """
    for mechanism, gone_of in MECHANISMS.items():
        for name, X in imputed_tables().items():
            X = cut(X, MOST_ROWS)
            gone = gone_of(X, np.random.RandomState(0))
            row = {"cells": mechanism, "table": name, "rows": len(X), "columns": X.shape[1]}
            yield _filled(row, contenders(), np.where(gone, np.nan, X), X, gone)


def _filled(row, contenders, holes, X, gone):
    took, deviation = {}, X.std(axis=0)
    for contender, fill in contenders.items():
        filled, took[seconds(contender)] = timed(fill, holes)
        row[contender] = float(np.sqrt((((filled - X) / deviation)[gone] ** 2).mean()))
    return {**row, **took}


def contenders():
    trees = ExtraTreesRegressor(50, random_state=0)
    return {
        "mean": _standardised(SimpleImputer()),
        "ridge": _standardised(IterativeImputer(random_state=0)),
        "trees": _standardised(IterativeImputer(trees, max_iter=5, random_state=0)),
        "kNN": _standardised(KNNImputer()),
        **{name: _of_ours(make) for name, make in ours().items()},
    }


def _standardised(imputer):
    def fill(holes):
        mean, deviation = np.nanmean(holes, axis=0), np.nanstd(holes, axis=0)
        return imputer.fit_transform((holes - mean) / deviation) * deviation + mean

    return fill


def _of_ours(make):
    return lambda holes: make(random_state=0).fit(holes).impute(holes)


# ---------------------------------------------------------------- which cells are removed


def mcar(X, random):
    return random.rand(*X.shape) < 0.2


def mar(X, random):
    gone = np.zeros(X.shape, dtype=bool)
    for j in range(1, X.shape[1], 2):
        gone[:, j] = _high(X[:, j - 1], 0.3, random)
    return gone


def mnar(X, random):
    return np.column_stack([_high(x, 0.2, random) for x in X.T])


def _high(x, share, random):
    """This share of rows, with a probability that is logistic in the column's normal scores."""
    scores = norm.ppf(rankdata(x) / (len(x) + 1))
    uneven = 2 * scores + random.logistic(size=len(x))
    return uneven > np.quantile(uneven, 1 - share)


MECHANISMS = {"MCAR": mcar, "MAR": mar, "MNAR": mnar}

# ---------------------------------------------------------------- categories


def categories():
    """Share of removed cells of categories that are filled right; a fifth of all cells removed.

    At most 3,000 rows. kNN: KNNImputer (15 rows) on standardised numbers and one-hot levels, the
    level of the highest mean. boosting: HistGradientBoostingClassifier on the other columns as they
    are, holes and all, one for each column. Seconds are those of CPU.
    """
    for name in CATEGORICAL:
        table = cut(mixed_table(name), MOST_ROWS)
        gone = (np.random.RandomState(0).rand(*table.shape) < 0.2) & table.notna().to_numpy()
        row, took = {"table": name, "rows": len(table)}, {}
        for contender, fill in _of_categories().items():
            filled, took[seconds(contender)] = timed(fill, table.mask(gone))
            row[contender] = _share_right(table, filled, gone)
        yield {**row, **took}


def _share_right(table, filled, gone):
    right = [
        (table[column].astype(object) == filled[column].astype(object))[gone[:, j]]
        for j, column in enumerate(table)
        if column in _categories(table)
    ]
    return float(np.concatenate(right).mean())


def _categories(table):
    return [column for column in table if table[column].dtype == "category"]


def _of_categories():
    return {
        "mode": _mode,
        "kNN": _neighbours,
        "boosting": _boosted,
        **{name: _of_ours(make) for name, make in ours().items()},
    }


def _mode(table):
    return table.assign(**{c: table[c].mode()[0] for c in _categories(table)})


def _neighbours(table):
    numbers = table.select_dtypes("number")
    parts = [(numbers - numbers.mean()) / numbers.std()]
    for column in _categories(table):
        levels = pd.get_dummies(table[column].cat.remove_unused_categories(), dtype=float)
        levels.loc[table[column].isna()] = np.nan
        parts.append(levels / np.sqrt(2))
    imputer = KNNImputer(n_neighbors=15, keep_empty_features=True)
    filled = imputer.fit_transform(pd.concat(parts, axis=1).to_numpy())
    ends = np.cumsum([part.shape[1] for part in parts])[1:]
    return table.assign(
        **{
            column: part.columns.to_numpy()[filled[:, end - part.shape[1] : end].argmax(axis=1)]
            for column, part, end in zip(_categories(table), parts[1:], ends, strict=True)
        }
    )


def _boosted(table):
    filled = {}
    for column in _categories(table):
        known, inputs = table[column].notna(), table.drop(columns=column)
        model = HistGradientBoostingClassifier(
            max_iter=50, categorical_features="from_dtype", random_state=0
        ).fit(inputs[known], table[column][known].astype(str))
        filled[column] = model.predict(inputs)
    return table.assign(**filled)
