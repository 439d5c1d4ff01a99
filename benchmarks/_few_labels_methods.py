"""What few_labels.py compares: heads on codes of all rows, and what one would take else."""

import time
from functools import partial

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    VAETransformer,
)

#: Labels that are kept: shares of those of each class, or so many of each.
SHARES = (0.01, 0.05, 1.0)
DRAWS, SEEDS = 5, 3
OURS = (AutoencoderTransformer, VAETransformer, ContrastiveTransformer)
NAMES = tuple(cls.__name__ for cls in OURS)
RAW, QUANTILES, REFERENCE = "raw, LR", "raw quantiles, LR", "PCA, LR"
VECTORIZED = "skrub, LR"
SELF_TRAINED, SPREAD = "raw, self-training", "raw, label spreading"
BOOSTED = "raw, HistGradientBoosting"
DEFAULT, TUNED = "EncoderClassifier", "EncoderClassifier, full"
NARROW = ", 16"  # behind the name of what is measured with so many columns, too
ORDER = (
    *(RAW, QUANTILES, VECTORIZED, REFERENCE, REFERENCE + NARROW),
    *(SELF_TRAINED, SPREAD, BOOSTED),
    *(name + narrow for narrow in ("", NARROW) for name in NAMES),
    *(DEFAULT, DEFAULT + NARROW, TUNED),
)
_MOST_SPREAD = 4000  # rows without a label of which a graph is made
_MOST_CELLS = 2**23  # of raw rows for what goes over all of them with each draw


def compared(
    train,
    test,
    prepare,
    codings,
    encoders,
    *,
    shares=SHARES,
    most_boosted=np.inf,
    most_tuned=DRAWS,
    n_seeds=1,
):
    """A row for each method: its figures, one for each draw of the labels.

    Parameters
    ----------
    train, test : tuple of rows and classes
    prepare : callable
        Makes numbers of rows for methods that want such.
    codings : dict of str to transformer
        Whose codes are given to ``LogisticRegression`` as they are.
    encoders : dict of str to transformer
        The same, and some are used by ``EncoderClassifier``.
    shares : tuple
        Of labels that are kept.
    most_boosted : float
        Labels that boosting sees at most.
    most_tuned : int
        Draws on which fine-tuning is tried, fewer on few shares where it takes long.
    n_seeds : int
        How often encoders are fitted, to see how much figures depend on the seed.
    """
    (X, y), (X_test, y_test) = train, test
    raw, raw_test = prepare(X), prepare(X_test)
    seconds, codes, fitted, others = {}, {RAW: (raw, raw_test)}, {}, {}
    for name, step in {**codings, **encoders}.items():
        start = time.process_time()
        fitted[name] = clone(step).fit(X)
        seconds[name] = time.process_time() - start
        codes[name] = fitted[name].transform(X), fitted[name].transform(X_test)
        for seed in range(1, n_seeds) if name in NAMES else ():
            other = clone(step).set_params(random_state=seed).fit(X)
            others.setdefault(name, []).append((other.transform(X), other.transform(X_test)))

    def on_codes(pair, labeled):
        rows, test_rows = pair
        return LogisticRegression(max_iter=1000).fit(rows[labeled], y[labeled]), test_rows

    def few(labeled):
        kept = np.full(len(y), -1)
        kept[labeled] = y[labeled]
        return kept

    def self_trained(labeled):
        model = SelfTrainingClassifier(LogisticRegression(max_iter=200))
        return model.fit(raw, few(labeled)), raw_test

    def spread(labeled):
        rest = np.setdiff1d(np.arange(len(y)), labeled)
        rest = np.random.RandomState(0).permutation(rest)[:_MOST_SPREAD]
        scaler, some = StandardScaler().fit(raw), np.concatenate([labeled, rest])
        model = LabelSpreading(kernel="knn", max_iter=100)
        return model.fit(scaler.transform(raw[some]), few(labeled)[some]), scaler.transform(
            raw_test
        )

    def boosted(labeled):
        rows, test_rows = (X, X_test) if isinstance(X, pd.DataFrame) else (raw, raw_test)
        if isinstance(X, pd.DataFrame):
            known = X.columns[X.iloc[labeled].notna().any()]
            rows, test_rows = X[known], X_test[known]
        smallest = max(1, min(20, len(labeled) // 10))  # twenty would see nothing in a few labels
        model = HistGradientBoostingClassifier(random_state=0, min_samples_leaf=smallest)
        picked = rows.iloc[labeled] if isinstance(rows, pd.DataFrame) else rows[labeled]
        return model.fit(picked, y[labeled]), test_rows

    def ours(name, labeled, **params):
        classifier = EncoderClassifier(FrozenEstimator(fitted[name]), **params)
        return classifier.fit(X, few(labeled)), X_test

    small = len(y) * np.prod(raw.shape[1:]) < _MOST_CELLS
    contrastive = NAMES[-1]
    methods = {name: partial(on_codes, pair) for name, pair in codes.items()}
    methods |= {SELF_TRAINED: self_trained, SPREAD: spread} if small else {}
    methods |= {BOOSTED: boosted, DEFAULT: partial(ours, contrastive)}
    if contrastive + NARROW in fitted:
        methods[DEFAULT + NARROW] = partial(ours, contrastive + NARROW)
    methods[TUNED] = partial(ours, contrastive, fine_tune="full")
    result = []
    for name, method in methods.items():
        tried = {share: 1 if share == 1.0 else DRAWS for share in shares}
        if name in (SELF_TRAINED, SPREAD):
            tried.pop(1.0)
        if name == BOOSTED:
            tried = {s: n for s, n in tried.items() if len(draw(y, s, 0)) <= most_boosted}
        if name == TUNED:
            tried = {share: min(n, most_tuned) for share, n in tried.items()}
        row = {"method": name, **measured(method, y, y_test, tried)}
        row["fit s"] = seconds.get(name)
        if name in others:
            # Of each seed the mean over draws.
            each = [
                row,
                *(measured(partial(on_codes, o), y, y_test, tried) for o in others[name]),
            ]
            row["seeds"] = {
                share: [float(np.mean(one["auroc"][share])) for one in each]
                for share in row["auroc"]
            }
        print(row, flush=True)
        result.append(row)
    return result


def measured(method, y, y_test, tried):
    """Figures of a method on so many draws of each share."""
    accuracy, auroc, spent = {}, {}, []
    for share, n_draws in tried.items():
        scores = []
        for seed in range(n_draws):
            start = time.process_time()
            model, rows = method(draw(y, share, seed))
            # Rows that are near none with a label have no probabilities.
            probabilities = np.nan_to_num(model.predict_proba(rows))
            spent.append(time.process_time() - start)
            scores.append(
                (accuracy_score(y_test, probabilities.argmax(1)), area(y_test, probabilities))
            )
        accuracy[title(share)], auroc[title(share)] = map(list, np.transpose(scores).tolist())
    return {
        "accuracy": accuracy,
        "auroc": auroc,
        "head s": float(np.median(spent)) if spent else None,
    }


def title(share):
    """What labels are kept, in words."""
    return f"{share} a class" if isinstance(share, int) else f"{share:.0%}"


def draw(y, share, seed):
    """Numbers of the rows that keep their label: a share of each class, at least two."""
    if share == 1.0 and isinstance(share, float):
        return np.arange(len(y))
    order = np.random.RandomState(seed).permutation(len(y))
    chosen = []
    for label in np.unique(y):
        rows = order[y[order] == label]
        most = share if isinstance(share, int) else max(2, round(share * len(rows)))
        chosen.append(rows[:most])
    return np.sort(np.concatenate(chosen))


def area(y, probabilities):
    if probabilities.shape[1] == 2:
        return roc_auc_score(y, probabilities[:, 1] - probabilities[:, 0])
    sums = probabilities.sum(axis=1, keepdims=True)
    even = np.full_like(probabilities, 1 / probabilities.shape[1])
    probabilities = np.divide(probabilities, sums, out=even, where=sums > 0)
    return roc_auc_score(
        y, probabilities, multi_class="ovr", labels=np.arange(probabilities.shape[1])
    )
