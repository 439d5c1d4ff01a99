"""Learn codes from tables with scikit-learn pipelines, in half a minute and without a GPU.

    python -m pip install -e ".[plots]"
    python examples/quickstart.py

The three transformers of sklearn_replearn are used here as one would use PCA: in a pipeline before
a classifier, in a grid search, and to score how normal a row is. All data ship with scikit-learn
and go in as they are, in their own units: the transformers scale columns themselves.
"""

import os
import time
from contextlib import contextmanager
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.rows import Table

FIGURES = Path(__file__).resolve().parent / "figures"
DATASETS = {"digits": load_digits, "breast cancer": load_breast_cancer, "wine": load_wine}


def main():
    start = time.perf_counter()
    encoders = compare_classifiers()
    search_latent_dim()
    find_anomalies()
    draw_figures(encoders)
    print(f"\nDone in {time.perf_counter() - start:.0f} s.")


# ------------------------------------------------------------------------- 1. classification


def compare_classifiers():
    """Print test accuracies on three tables; return the encoders fitted on the digits."""
    print("1. Codes as features: accuracy of logistic regression on the unseen half of the rows\n")
    accuracy, fitted = {}, {}
    for table in DATASETS:
        X_train, X_test, y_train, y_test = halves(table)
        fitted[table] = classifiers(n_features=X_train.shape[1])
        accuracy[table] = {}
        for name, classifier in fitted[table].items():
            with step(f"{table}: {name}"):
                classifier.fit(X_train, y_train)
                accuracy[table][name] = classifier.score(X_test, y_test)
    print_table(accuracy)
    print("One row more or less is 0.001 for digits, 0.004 for breast cancer, 0.011 for wine.")
    return {name: fitted["digits"][name]["enc"] for name in ("VAE", "autoencoder", "contrastive")}


def classifiers(n_features):
    """The three transformers, with default settings, and what they have to compete with."""
    vae = VAETransformer()
    # Where a table has fewer columns than the code, PCA of "the same width" keeps all of them.
    pca = PCA(n_components=min(vae.latent_dim, n_features))
    return {
        "VAE": Pipeline([("enc", vae), ("clf", LogisticRegression())]),
        "autoencoder": Pipeline([("enc", AutoencoderTransformer()), ("clf", LogisticRegression())]),
        "contrastive": Pipeline([("enc", ContrastiveTransformer()), ("clf", LogisticRegression())]),
        "PCA": make_pipeline(StandardScaler(), pca, LogisticRegression()),
        "raw": make_pipeline(StandardScaler(), LogisticRegression()),
    }


def halves(table):
    """Half of the rows to learn from, half to test on, with the classes in the same shares."""
    X, y = DATASETS[table](return_X_y=True)
    return train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)


# ---------------------------------------------------------------------------- 2. grid search


def search_latent_dim():
    """Choose the width of the code by cross-validation, like any other parameter."""
    print("\n\n2. How wide should the code be? Grid search on the digits\n")
    X, _, y, _ = halves("digits")
    # Fewer epochs than by default: enough to tell widths apart, and 9 fits should not take long.
    pipe = Pipeline([("enc", VAETransformer(max_epochs=30)), ("clf", LogisticRegression())])
    search = GridSearchCV(pipe, {"enc__latent_dim": [2, 8, 32]}, cv=3)
    with step("9 fits, and one more with the best width"):
        search.fit(X, y)
    results = pd.DataFrame(search.cv_results_).set_index("param_enc__latent_dim")
    results = results[["mean_test_score", "std_test_score"]].rename_axis("latent_dim")
    print("\n" + results.to_string(float_format="{:.3f}".format))
    print(f"\nBest: latent_dim={search.best_params_['enc__latent_dim']}")


# ------------------------------------------------------------------------------ 3. anomalies


def find_anomalies():
    """Learn from normal rows only, then rank unseen normal rows and anomalies by their scores."""
    print("\n\n3. Anomalies: ROC AUC of scores learned from half of the normal rows\n")
    is_normal = {
        "wine": ("cultivars 0 and 1, not 2", lambda y: y < 2),
        "digits": ("0 to 4, not 5 to 9", lambda y: y < 5),
    }
    auc = {}
    for table, (meaning, rule) in is_normal.items():
        X, y = DATASETS[table](return_X_y=True)
        normal = rule(y)
        X_train, X_unseen = train_test_split(X[normal], test_size=0.5, random_state=0)
        X_test = np.vstack([X_unseen, X[~normal]])
        truth = np.repeat([1, 0], [len(X_unseen), np.sum(~normal)])
        every = 1 + len(X_test) // 500  # some hundred rows tell enough
        X_test, truth = X_test[::every], truth[::every]
        with step(f"{table}: {meaning}"):
            scores = {
                "VAE": VAETransformer().fit(X_train).score_samples(X_test),
                "autoencoder": AutoencoderTransformer().fit(X_train).score_samples(X_test),
                "PCA": pca_scores(X_train, X_test),
                "isolation forest": IsolationForest(random_state=0)
                .fit(X_train)
                .score_samples(X_test),
            }
        auc[table] = {name: roc_auc_score(truth, score) for name, score in scores.items()}
    print_table(auc)


def pca_scores(X_train, X_test):
    """Minus the error with which PCA reconstructs a row: higher is more normal."""
    scaler = StandardScaler().fit(X_train)
    # Nine tenths of the variance: with all components nothing would be left to measure.
    pca = PCA(n_components=0.9).fit(scaler.transform(X_train))
    rows = scaler.transform(X_test)
    return -np.mean((rows - pca.inverse_transform(pca.transform(rows))) ** 2, axis=1)


# -------------------------------------------------------------------------------- 4. figures


def draw_figures(encoders):
    """Save what the encoders of the first part have learned from the digits."""
    print("\n\n4. Figures of the digits\n")
    plt.switch_backend("agg")  # Files only, no windows.
    plt.rcParams.update({"figure.constrained_layout.use": True, "savefig.dpi": 150})
    FIGURES.mkdir(exist_ok=True)
    X_train, X_test, _, y_test = halves("digits")
    with step("VAE with a code of two columns, for the map"):
        # Pixels lie between white and black: for columns with limits there is "bernoulli".
        flat = VAETransformer(
            latent_dim=2, likelihood="bernoulli", rows=Table(scaling="minmax")
        ).fit(X_train)
    save(latent_map(flat, X_test, y_test), "latent_map.png")
    save(reconstructions(encoders["VAE"], X_test, y_test), "reconstructions.png")
    save(loss_curves(encoders), "loss_curves.png")


def latent_map(vae, X, y):
    """Where unseen digits lie in a code of two columns."""
    codes = vae.transform(X)
    figure, axes = plt.subplots(figsize=(8, 7))
    for digit in range(10):
        # Drawn as what they are, so that the map reads without a legend and without colours.
        axes.scatter(*codes[y == digit].T, s=40, linewidths=0, marker=f"${digit}$")
    across, up = vae.get_feature_names_out()
    axes.set(xlabel=across, ylabel=up, title="Unseen digits in the two columns of a VAE's code")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def reconstructions(vae, X, y):
    """One unseen digit of each class, what its code keeps of it, and digits nobody wrote."""
    _, first = np.unique(y, return_index=True)
    rows = {
        "original": X[first],
        "reconstructed": vae.inverse_transform(vae.transform(X[first])),
        "sampled": vae.sample(10, random_state=0),
    }
    figure, axes = plt.subplots(len(rows), 10, figsize=(10, 3.2))
    for (title, images), line in zip(rows.items(), axes, strict=True):
        for image, cell in zip(images, line, strict=True):
            cell.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
            cell.set(xticks=[], yticks=[])
            cell.spines[:].set_color("lightgray")
        line[0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=11)
    figure.suptitle("Unseen digits, what a code of 32 columns keeps, and samples of the VAE")
    return figure


def loss_curves(encoders):
    """Every named term of each objective, epoch by epoch."""
    units = {"VAE": "nats", "autoencoder": "squared error", "contrastive": "nats, squared error"}
    colors = {"train_reconstruction": "C0", "train_kl": "C1", "train_contrast": "C2"}
    figure, axes = plt.subplots(1, len(encoders), figsize=(12, 3.8))
    for (name, encoder), panel in zip(encoders.items(), axes, strict=True):
        terms = encoder.history_.drop(columns=["train_loss", "seconds"])
        terms.plot(ax=panel, color=colors, title=f"{name} ({units[name]})")
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="y", alpha=0.3)
    axes[0].set_ylabel("mean over the training rows")
    figure.suptitle("Digits: the terms of each loss, which are columns of history_")
    return figure


def save(figure, name):
    path = FIGURES / name
    figure.savefig(path)
    plt.close(figure)
    print(f"  saved {os.path.relpath(path)}")


# ------------------------------------------------------------------------------------ output


@contextmanager
def step(text):
    """Say what is being done, and how long it took."""
    print(f"  {text:<60}", end="", flush=True)
    start = time.perf_counter()
    yield
    print(f"{time.perf_counter() - start:5.1f} s")


def print_table(scores):
    """A line for each data set, with a star at the best of its scores (as printed)."""
    table = pd.DataFrame(scores).T.round(3)
    is_best = table.eq(table.max(axis=1), axis=0)
    cells = table.map("{:.3f}".format).where(~is_best, table.map("*{:.3f}".format))
    print("\n" + cells.to_string() + "\n\n* best of its line")


if __name__ == "__main__":
    main()
