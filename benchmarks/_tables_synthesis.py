"""Drawn tables: ours beside real rows and sequential decision trees."""

import numpy as np
import pandas as pd
from _tables_cart import SequentialCART
from _tables_contenders import ours, timed
from _tables_sets import ADULT_TRAIN, one_hot, without_text
from pandas.api.types import is_numeric_dtype
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import NearestNeighbors

MOST_TRAIN, MOST_TEST, MOST_COMPARED = 6000, 20_000, 3000
NAMES = "adult", "telco_churn", "german_credit", "hypothyroid", "mushroom", "california_housing"


def synthesis():
    """As many rows drawn as trained on, with missing cells as in fit, beside held-out rows.

    Half of the rows train, at most 6,000 (of adult: of its official training part); the target is a
    column like others. "real rows": held-out rows as if they had been drawn.

    - C2ST: AUROC of gradient boosting that tells drawn rows from as many held-out ones, three
      folds; .5 is perfect. For real rows: training rows from held-out ones;
    - TSTR: AUROC of gradient boosting trained on drawn rows (for real rows: on training rows), on
      held-out ones: is the target the commonest level, or a number above its median?
    - nearest: share of drawn rows that are nearer to a training row than to any of as many held-out
      rows; .5 is perfect, ties count half;
    - variation: mean total variation distance of the columns from those of the training rows;
    - copies: share of drawn rows that are a training row, cell by cell;
    - rules: share of drawn rows that break what real rows hardly ever break. adult: the education
      is not that of education-num, a husband is not male or a wife not female. telco_churn: a
      service is "No internet service" where there is internet, or the other way round, or the same
      of the telephone;
    - s: seconds of CPU, to fit and to draw.
    """
    for name in NAMES:
        train, test = split(name)
        for contender, draw in contenders().items():
            drawn, took = timed(draw, train)
            row = {"table": name, "rows": len(train), "contender": contender}
            yield {**row, **_figures(name, drawn, train, test), "s": took}
        yield {"table": name, "rows": len(train), "contender": "real rows"} | _real(
            name, train, test
        )


def _figures(name, drawn, train, test):
    return {
        "C2ST": two_samples(drawn, test),
        "TSTR": on_real(drawn, test),
        "nearest": nearest(drawn, train, test),
        **_alone(name, drawn, train),
    }


def _real(name, train, test):
    """What to hope for: held-out rows are drawn ones, but training rows are trained on."""
    return {
        "C2ST": two_samples(train, test),
        "TSTR": on_real(train, test),
        **_alone(name, test, train),
    }


def _alone(name, drawn, train):
    return {
        "variation": float(np.mean([variation(train[c], drawn[c]) for c in train])),
        "copies": copies(drawn, train),
        "rules": broken(name, drawn) if name in RULES else "",
    }


def contenders():
    return {
        "sequential CART": lambda train: SequentialCART().fit(train).sample(len(train)),
        **{name: _of_ours(make) for name, make in ours().items()},
    }


def _of_ours(make):
    def draw(train):
        model = make(random_state=0).fit(train)
        return model.sample(len(train), random_state=0, missing="as_fit")

    return draw


# ---------------------------------------------------------------- tables


def split(name):
    """Training rows and held-out rows, the target as the last column."""
    from load import load_table

    table, target = load_table(name)
    target = pd.Series(np.asarray(target))
    if not is_numeric_dtype(target):
        target = target.astype("category")
    table = without_text(table).dropna(axis=1, how="all").assign(target=target)
    random = np.random.RandomState(0)
    n_train = ADULT_TRAIN if name == "adult" else len(table) // 2
    order = np.arange(len(table)) if name == "adult" else random.permutation(len(table))
    train = random.permutation(order[:n_train])[:MOST_TRAIN]
    test = order[n_train:][:MOST_TEST]
    return tuple(table.iloc[part].reset_index(drop=True) for part in (train, test))


# ---------------------------------------------------------------- figures


def _boosting():
    return HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0)


def two_samples(drawn, test):
    """Held-out AUROC of telling them apart (a classifier two-sample test)."""
    n = min(len(drawn), len(test))
    both = pd.concat([drawn[:n], test[:n].astype(drawn.dtypes)], ignore_index=True)
    is_real = np.repeat([0, 1], n)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    chances = cross_val_predict(_boosting(), both, is_real, cv=folds, method="predict_proba")
    return roc_auc_score(is_real, chances[:, 1])


def on_real(drawn, test):
    target = test["target"]
    if target.dtype == "category":
        common = target.mode()[0]
        answers = [(part["target"] == common).to_numpy() for part in (drawn, test)]
    else:
        middle = target.median()
        answers = [(part["target"] > middle).to_numpy() for part in (drawn, test)]
    model = _boosting().fit(drawn.drop(columns="target"), answers[0])
    return roc_auc_score(answers[1], model.predict_proba(test.drop(columns="target"))[:, 1])


def variation(real, drawn):
    """Total variation distance; numbers of more than 20 values in 20 bins of equal shares."""
    if real.dtype != "category" and real.nunique() > 20:
        edges = np.unique(np.nanquantile(real, np.linspace(0, 1, 21)))
        bins = np.concatenate([[-np.inf], edges[1:-1], [np.inf]])
        real, drawn = (pd.cut(column, bins, right=False) for column in (real, drawn))
    shares = (c.astype(object).value_counts(normalize=True, dropna=False) for c in (real, drawn))
    return 0.5 * next(shares).sub(next(shares), fill_value=0).abs().sum()


def copies(drawn, train):
    seen = set(_cells(train))
    return float(np.mean([row in seen for row in _cells(drawn)]))


def _cells(table):
    return table.astype(object).where(table.notna(), None).itertuples(index=False, name=None)


def nearest(drawn, train, test):
    n = min(len(train), len(test), MOST_COMPARED)
    encoder = one_hot().fit(train)
    rows = encoder.transform(drawn[:MOST_COMPARED])
    to_train, to_test = (
        NearestNeighbors(n_neighbors=1).fit(encoder.transform(part[:n])).kneighbors(rows)[0][:, 0]
        for part in (train, test)
    )
    tie = np.abs(to_train - to_test) < 1e-9
    return float(np.where(tie, 0.5, to_train < to_test).mean())


# ---------------------------------------------------------------- rules


def broken(name, table):
    return float(np.any([rule(table) for rule in RULES[name]], axis=0).mean())


def education(table):
    """The number is not that of the level."""
    number = table["education"].astype(str).map(EDUCATION)
    return table["education-num"] != number


def spouses(table):
    sex = table["relationship"].astype(str).map({"Husband": "Male", "Wife": "Female"})
    return sex.notna() & (sex != table["sex"].astype(str))


def telephone(table):
    return (table["PhoneService"] == "No") != (table["MultipleLines"] == "No phone service")


def no_internet(table):
    services = table.columns[(table.astype(object) == NO_INTERNET).any()]
    none = (table[services] == NO_INTERNET).to_numpy()
    no = (table["InternetService"] == "No").to_numpy()
    return (none != no[:, None]).any(axis=1)


NO_INTERNET = "No internet service"
LEVELS = (
    "Preschool 1st-4th 5th-6th 7th-8th 9th 10th 11th 12th HS-grad Some-college Assoc-voc "
    "Assoc-acdm Bachelors Masters Prof-school Doctorate"
)
EDUCATION = {level: number for number, level in enumerate(LEVELS.split(), start=1)}
RULES = {"adult": (education, spouses), "telco_churn": (telephone, no_internet)}
