"""When does StackedSearchCV pay? Searches beside those of GridSearchCV, in turn within one run.

    python benchmarks/stacked.py

Tables are normal numbers of a random covariance; networks have one hidden layer of twice the width
of the table; by default a fit has 1,000 updates. What is told is CPU seconds, as other processes of
the machine do not count in these, and the median of the ratios; for two processes (n_jobs=2)
seconds of the clock. "All stacked" is what it would be without the rule by which larger networks
are fitted one by one. Scores must be the same to the last bit. It writes results/stacked.json and
results/stacked.md.
"""

import math
import statistics
import time
import warnings

import numpy as np
import sklearn
import torch
from _markdown import table_of
from _record import write
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV

from sklearn_replearn import AutoencoderTransformer, VAETransformer
from sklearn_replearn._dataset.batches import n_batches
from sklearn_replearn._training import together
from sklearn_replearn.model_selection import StackedSearchCV

ROUNDS = 3
AE, VAE = AutoencoderTransformer, VAETransformer
# Estimator, columns, rows, seeds (of 6 fits each: two widths of code in three folds), updates.
CASES = [
    (AE, 8, 1000, 5, 1000),
    (AE, 16, 1000, 5, 1000),
    (AE, 32, 1000, 2, 1000),
    (AE, 32, 1000, 1, 1000),
    (AE, 8, 1000, 2, 100),
    (AE, 16, 1000, 1, 100),
    (AE, 16, 1000, 5, 100),
    (AE, 16, 1000, 15, 100),
    (AE, 16, 200, 2, 100),
    (AE, 16, 5000, 2, 100),
    (AE, 32, 1000, 2, 100),
    (AE, 64, 1000, 2, 100),
    (AE, 128, 1000, 1, 100),
    (AE, 256, 1000, 1, 100),
    (VAE, 8, 1000, 1, 1000),
    (VAE, 16, 1000, 1, 1000),
    (VAE, 8, 1000, 1, 100),
    (VAE, 16, 1000, 2, 100),
    (VAE, 32, 1000, 1, 100),
    (VAE, 64, 1000, 1, 100),
]


def measured(search, X, clock):
    """Seconds of a search, and its scores."""
    begun = clock()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X)
    return clock() - begun, search.cv_results_["mean_test_score"]


def case(estimator, width, n_rows, n_seeds, n_updates):
    """One line of the record."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, width)) @ rng.normal(size=(width, width))
    epochs = math.ceil(n_updates / n_batches(n_rows * 2 // 3, 256))
    model = estimator(hidden_layer_sizes=(2 * width,), max_epochs=epochs, device="cpu")
    grid = {"latent_dim": [2, 8], "random_state": list(range(n_seeds))}
    one_by_one = GridSearchCV(model, grid, cv=3, refit=False)
    stacked = StackedSearchCV(model, grid, cv=3, refit=False)
    seconds = {name: [] for name in ("one by one", "stacked", "all stacked", "clock", "n_jobs=2")}
    same, worth = True, together.WORTH
    for _ in range(ROUNDS):
        clock = time.perf_counter()
        a, scores = measured(one_by_one, X, time.process_time)
        seconds["clock"].append(time.perf_counter() - clock)
        seconds["one by one"].append(a)
        b, others = measured(stacked, X, time.process_time)
        n_stacked = stacked.n_stacked_
        seconds["stacked"].append(b)
        same = same and np.array_equal(scores, others)
        together.WORTH = math.inf
        c, others = measured(stacked, X, time.process_time)
        together.WORTH = worth
        seconds["all stacked"].append(c)
        same = same and np.array_equal(scores, others)
        with parallel_config(n_jobs=2):
            two, _ = measured(one_by_one, X, time.perf_counter)
        seconds["n_jobs=2"].append(two)

    def ratio(over, under):
        pairs = zip(seconds[over], seconds[under], strict=True)
        return round(statistics.median(a / b for a, b in pairs), 2)

    line = {
        "estimator": estimator.__name__,
        "columns / hidden": f"{width} / {2 * width}",
        "rows": n_rows,
        "updates": n_updates,
        "fits": 6 * n_seeds,
        "stacked": n_stacked,
        "CPU s, one by one": round(statistics.median(seconds["one by one"]), 2),
        "ratio": ratio("one by one", "stacked"),
        "ratio if all were stacked": ratio("one by one", "all stacked"),
        "ratio of n_jobs=2": ratio("clock", "n_jobs=2"),
        "same bits": "yes" if same else "no",
    }
    print(line, flush=True)
    return line


def markdown(record):
    """The record as a page."""
    return (
        "# Many small networks as one\n\n"
        f"scikit-learn {record['scikit-learn']}, torch {record['torch']}, one thread. By default a "
        "fit has 1,000 updates. A ratio is the time of `GridSearchCV(n_jobs=1)` to that of the "
        "other: more than 1 is quicker.\n\n" + table_of(record["cases"], str) + "\n"
    )


def main():
    """Measure all cases and write the record."""
    torch.set_num_threads(1)
    record = {
        "scikit-learn": sklearn.__version__,
        "torch": torch.__version__,
        "cases": [case(*args) for args in CASES],
    }
    write("stacked", record, markdown)


if __name__ == "__main__":
    main()
