"""What does it cost to follow a fit? CPU seconds with and without, in turn within one run.

    python benchmarks/progress.py

Each fit is of the digits (1,797 rows of 64 columns), with default settings but for the epochs: with
nothing, with verbose=1 into a file, with a callback that does nothing and with scikit-learn's
ProgressBar, which draws ten times a second in a thread of its own, in turn. The median of the
ratios is told, of CPU seconds of all threads, for a bar has one of its own; codes, probabilities or
scores must be the same to the last bit. It writes results/progress.json and results/progress.md, in
about five minutes on one core.
"""

import argparse
import io
import time
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import sklearn
import torch
from _markdown import table_of
from _record import RESULTS, write
from sklearn.base import clone
from sklearn.callback import ProgressBar
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    OutlierDetector,
    VAETransformer,
)

EPOCHS = 40
INNER = VAETransformer(max_epochs=EPOCHS)
FITS = {
    "AutoencoderTransformer": AutoencoderTransformer(),
    "VAETransformer": INNER,
    "ContrastiveTransformer": ContrastiveTransformer(max_epochs=EPOCHS // 3),
    "Pipeline": make_pipeline(INNER, LogisticRegression()),
    "GridSearchCV": GridSearchCV(
        make_pipeline(VAETransformer(max_epochs=EPOCHS // 3), LogisticRegression()),
        {"vaetransformer__latent_dim": [2, 8]},
        cv=2,
    ),
    "EncoderClassifier": EncoderClassifier(INNER),
    "OutlierDetector": OutlierDetector(),
}


def quiet(estimator):
    return estimator


def verbose(estimator):
    names = ("estimator__vaetransformer__verbose", "vaetransformer__verbose", "verbose")
    first = next(name for name in names if name in estimator.get_params())
    return estimator.set_params(**{first: 1})


class Silent:
    """A callback that is told of every task, and does nothing."""

    max_propagation_depth = None

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass


def with_callback(estimator):
    return estimator.set_callbacks(Silent())


def with_bar(estimator):
    return estimator.set_callbacks(ProgressBar(max_propagation_depth=None))


WAYS = {"verbose=1": verbose, "a callback": with_callback, "ProgressBar": with_bar}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    X, y = load_digits(return_X_y=True)
    record = {"scikit-learn": sklearn.__version__, "torch": torch.__version__, "fits": {}}
    for name, estimator in FITS.items():
        seconds = {way: [] for way in ("without", *WAYS)}
        found = {}
        for number in range(args.repeats + 1):
            for way, following in {"without": quiet, **WAYS}.items():
                fresh = following(clone(estimator))
                with redirect_stdout(io.StringIO()):
                    start = time.process_time()
                    fresh.fit(X, y)
                    took = time.process_time() - start
                if number:  # the first is for what is made once in a process
                    seconds[way].append(round(took, 4))
                else:
                    found[way] = outputs(fresh, X[:200])
        same = all(np.array_equal(found["without"], found[way]) for way in WAYS)
        record["fits"][name] = {"seconds": seconds, "same to the last bit": same}
        print(name, ratios(seconds), same, flush=True)
    write("progress", record, markdown, args.results)


def outputs(fitted, X):
    for method in ("predict_proba", "score_samples", "transform"):
        if hasattr(fitted, method):
            return np.asarray(getattr(fitted, method)(X))
    raise TypeError(fitted)


def ratios(seconds):
    """Median over the repetitions of the time with each way in units of that without."""
    without = np.array(seconds["without"])
    return {way: round(float(np.median(seconds[way] / without)), 3) for way in WAYS}


def markdown(record):
    rows = []
    for name, fit in record["fits"].items():
        told = ratios(fit["seconds"])
        median = np.median(fit["seconds"]["without"])
        same = "yes" if fit["same to the last bit"] else "no"
        times = {f"time with {way}": told[way] for way in WAYS}
        rows.append({"fit": name, "CPU seconds": f"{median:.2f}", **times, "same bits": same})
    return "\n".join(
        [
            "# What it costs to follow a fit",
            "",
            f"scikit-learn {record['scikit-learn']}, torch {record['torch']}, one thread. What is "
            "measured in turn is told as the median of the ratios to the time without.",
            "",
            table_of(rows),
            "",
        ]
    )


if __name__ == "__main__":
    main()
