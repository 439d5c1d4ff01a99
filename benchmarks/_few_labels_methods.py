"""What few_labels.py compares: heads on codes of all rows, and what one would take else."""

import time
from functools import partial

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    VAETransformer,
)

SHARES = (0.01, 0.05, 0.1, 1.0)
DRAWS = 5
OURS = (AutoencoderTransformer, VAETransformer, ContrastiveTransformer)
RAW, BOOSTED, TUNED = "raw, LR", "raw, HistGradientBoosting", "EncoderClassifier, full"
REFERENCE = "PCA, LR"
ORDER = (RAW, REFERENCE, "raw, self-training", BOOSTED, *(cls.__name__ for cls in OURS), TUNED)


def compared(
    train,
    test,
    prepare,
    reduction,
    most_boosted=np.inf,
    most_tuned=DRAWS,
    also=None,
    **parameters,
):
    """A row for each method.

    ``prepare`` makes numbers of rows for other methods; boosting sees at most ``most_boosted``
    labels; fine-tuning is tried on ``most_tuned`` draws.
    """
    (X, y), (X_test, y_test) = train, test
    raw, raw_test = prepare(X), prepare(X_test)
    codes, seconds = {RAW: (raw, raw_test)}, {}
    reductions = {REFERENCE: (reduction, raw, raw_test)}
    reductions |= {name: (step, X, X_test) for name, step in (also or {}).items()}
    encoders = {}
    for name, (step, rows, test_rows) in reductions.items():
        start = time.process_time()
        step.fit(rows)
        seconds[name] = time.process_time() - start
        codes[name] = step.transform(rows), step.transform(test_rows)
    for cls in OURS:
        start = time.process_time()
        encoders[cls.__name__] = encoder = cls(**parameters).fit(X)
        seconds[cls.__name__] = time.process_time() - start
        codes[cls.__name__] = encoder.transform(X), encoder.transform(X_test)

    def on_codes(name, labeled):
        rows, test_rows = codes[name]
        head = LogisticRegression(max_iter=1000)
        if name != RAW:
            head = make_pipeline(StandardScaler(with_mean=isinstance(rows, np.ndarray)), head)
        return head.fit(rows[labeled], y[labeled]), test_rows

    def self_trained(labeled):
        few = np.full(len(y), -1)
        few[labeled] = y[labeled]
        return SelfTrainingClassifier(LogisticRegression(max_iter=200)).fit(raw, few), raw_test

    def boosted(labeled):
        rows, test_rows = (X, X_test) if isinstance(X, pd.DataFrame) else (raw, raw_test)
        if isinstance(X, pd.DataFrame):
            known = X.columns[X.iloc[labeled].notna().any()]
            rows, test_rows = X[known], X_test[known]
        model = HistGradientBoostingClassifier(random_state=0)
        picked = rows.iloc[labeled] if isinstance(rows, pd.DataFrame) else rows[labeled]
        return model.fit(picked, y[labeled]), test_rows

    def tuned(labeled):
        few = np.full(len(y), -1)
        few[labeled] = y[labeled]
        encoder = FrozenEstimator(encoders["ContrastiveTransformer"])
        return EncoderClassifier(encoder, fine_tune="full").fit(X, few), X_test

    methods = {name: partial(on_codes, name) for name in codes}
    others = {"raw, self-training": self_trained, BOOSTED: boosted, TUNED: tuned}
    small = len(y) * np.prod(raw.shape[1:]) < 2**23
    result = []
    for name, method in {**methods, **others}.items():
        accuracy, auroc, spent = {}, {}, []
        for share in SHARES:
            n_draws = 1 if share == 1 else most_tuned if name == TUNED else DRAWS
            if name == "raw, self-training" and (share == 1 or not small):
                continue
            if name == BOOSTED and share * len(y) > most_boosted:
                continue
            if name == TUNED and n_draws < DRAWS and share in (0.05, 0.1):
                continue
            scores = []
            for seed in range(n_draws):
                start = time.process_time()
                model, rows = method(draw(y, share, seed))
                probabilities = model.predict_proba(rows)
                spent.append(time.process_time() - start)
                scores.append(
                    (accuracy_score(y_test, probabilities.argmax(1)), area(y_test, probabilities))
                )
            accuracy[f"{share:.0%}"], auroc[f"{share:.0%}"] = map(float, np.mean(scores, axis=0))
        row = {"method": name, "accuracy": accuracy, "auroc": auroc}
        row |= {
            "fit s": seconds.get(name),
            "head s": float(np.median(spent)) if spent else None,
        }
        print(row, flush=True)
        result.append(row)
    return result


def draw(y, share, seed):
    """Numbers of the rows that keep their label: a share of each class, at least two."""
    if share == 1:
        return np.arange(len(y))
    order = np.random.RandomState(seed).permutation(len(y))
    chosen = [
        rows[: max(2, round(share * len(rows)))]
        for rows in (order[y[order] == label] for label in np.unique(y))
    ]
    return np.sort(np.concatenate(chosen))


def area(y, probabilities):
    if probabilities.shape[1] == 2:
        return roc_auc_score(y, probabilities[:, 1])
    return roc_auc_score(
        y, probabilities, multi_class="ovr", labels=np.arange(probabilities.shape[1])
    )
