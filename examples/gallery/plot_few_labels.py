"""
When do unlabelled rows help a classifier?
==========================================

``EncoderClassifier`` learns codes from all rows and a classifier from those that have a
label. Beside it stands a logistic regression that sees the labelled rows only.
"""

# %%
# Rows without a label have the label -1. The encoder does not look at labels: here it
# is fitted once, and ``FrozenEstimator`` of scikit-learn keeps it as it is.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import ContrastiveTransformer, EncoderClassifier
from sklearn_replearn.rows import Images

N_LABELS = [1, 2, 5, 20]


def accuracies(encoder, X, y):
    """Of both on rows held out, for each number of labels a class and five draws."""
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
    with_codes = EncoderClassifier(FrozenEstimator(encoder.fit(X)))
    alone = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    found = np.empty((2, len(N_LABELS), 5))
    for place in np.ndindex(len(N_LABELS), 5):
        order = np.random.RandomState(place[1]).permutation(len(y))
        labelled = np.concatenate(
            [order[y[order] == label][: N_LABELS[place[0]]] for label in np.unique(y)]
        )
        few = np.full(len(y), -1)
        few[labelled] = y[labelled]
        found[0][place] = with_codes.fit(X, few).score(X_test, y_test)
        found[1][place] = alone.fit(X[labelled], y[labelled]).score(X_test, y_test)
    return found


# %%
# Lines are means, bands go from the worst draw of the labels to the best. On images the
# unlabelled rows help, less with each label. On the table they help with one label a
# class; from two on the raw columns alone are as good, and the encoder is not needed.
images = ContrastiveTransformer(rows=Images((1, 8, 8)), max_epochs=10)
table = ContrastiveTransformer(max_epochs=40)
results = {
    "digits": accuracies(images, *load_digits(return_X_y=True)),
    "breast cancer": accuracies(table, *load_breast_cancer(return_X_y=True)),
}
_, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
for ax, (title, found) in zip(axes, results.items(), strict=True):
    names = "EncoderClassifier", "LogisticRegression"
    for name, marker, of_draws in zip(names, "os", found, strict=True):
        ax.plot(N_LABELS, of_draws.mean(axis=1), marker=marker, label=name)
        ax.fill_between(N_LABELS, of_draws.min(axis=1), of_draws.max(axis=1), alpha=0.2)
        print(f"{title}, {name}:", of_draws.mean(axis=1).round(3))
    ax.set(xscale="log", xlabel="labels a class", title=title)
    ax.set_xticks(N_LABELS, N_LABELS)
    ax.minorticks_off()
axes[0].set_ylabel("accuracy on rows held out")
axes[0].legend(loc="lower right")
