"""Learn codes from tables with scikit-learn pipelines, in under 30 seconds and without a GPU.

    python -m pip install -e ".[plots]"
    python examples/quickstart.py

The three transformers of sklearn_replearn are used here as one would use PCA: in a pipeline before
a classifier, and in a grid search. OutlierDetector finds rows that are unlike the others. All data
ship with scikit-learn and go in as they are, in their own units: columns are scaled inside.
"""

import time
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

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    OutlierDetector,
    VAETransformer,
)
from sklearn_replearn.inspection import HistoryDisplay, LatentMapDisplay
from sklearn_replearn.rows import Table

FIGURES = Path(__file__).resolve().parent / "figures"
DATASETS = {"digits": load_digits, "breast cancer": load_breast_cancer, "wine": load_wine}


def main():
    start = time.perf_counter()
    vae = compare_classifiers()
    search_latent_dim()
    find_anomalies()
    draw_figures(vae)
    print(f"\nDone in {time.perf_counter() - start:.0f} s.")


# ------------------------------------------------------------------------- 1. classification


def compare_classifiers():
    """Print test accuracies on three tables; return the VAE fitted on the digits."""
    title("1. Codes as features", "accuracy of logistic regression on the unseen half of the rows")
    names = ["VAE", "autoencoder", "contrastive", "PCA", "raw"]
    print_line("", names)
    vae = None
    for table in DATASETS:
        X_train, X_test, y_train, y_test = halves(table)
        fitted = {
            name: classifier.fit(X_train, y_train)
            for name, classifier in classifiers(X_train.shape[1]).items()
            # Takes as long as all others together: the smallest table will do.
            if name != "contrastive" or table == "wine"
        }
        scores = {name: model.score(X_test, y_test) for name, model in fitted.items()}
        print_line(table, [scores.get(name) for name in names])
        vae = vae or fitted["VAE"]["enc"]
    print("\n  * best of its line. A row more or less is 0.001 of digits, 0.004, 0.011 of wine.")
    return vae


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
    title("2. How wide should the code be?", "GridSearchCV on half of the digits, 3 folds")
    X, _, y, _ = halves("digits")
    # Fewer epochs than by default: enough to tell widths apart.
    encoder = AutoencoderTransformer(max_epochs=30)
    pipe = Pipeline([("enc", encoder), ("clf", LogisticRegression())])
    search = GridSearchCV(pipe, {"enc__latent_dim": [2, 8, 32]}, cv=3).fit(X, y)
    results = pd.DataFrame(search.cv_results_)
    print_line("latent_dim", list(results["param_enc__latent_dim"]))
    print_line("accuracy", list(results["mean_test_score"]))
    print_line("± of folds", list(results["std_test_score"]), best="")


# ------------------------------------------------------------------------------ 3. anomalies


def find_anomalies():
    """Learn from normal rows only, then rank unseen normal rows and anomalies by their scores."""
    title("3. Anomalies", "AUROC among unseen rows, learned from half of the normal ones")
    print_line("", ["OutlierDetector", "PCA", "IsolationForest"])
    # Cultivars 0 and 1 are normal and 2 is not; 0 to 4 are and 5 to 9 are not.
    for table, first_anomaly in {"wine": 2, "digits": 5}.items():
        X, y = DATASETS[table](return_X_y=True, as_frame=True)
        normal = y < first_anomaly
        X_train, X_unseen = train_test_split(X[normal], test_size=0.5, random_state=0)
        X_test = pd.concat([X_unseen, X[~normal]])
        is_normal = np.repeat([1, 0], [len(X_unseen), np.sum(~normal)])
        detector = OutlierDetector().fit(X_train)
        forest = IsolationForest(random_state=0).fit(X_train)
        scores = [model.score_samples(X_test) for model in (detector, forest)]
        scores.insert(1, pca_scores(X_train, X_test))
        print_line(table, [roc_auc_score(is_normal, score) for score in scores])
        if table == "wine":
            print_reasons(detector, X_test.iloc[[scores[0].argmin()]])


def print_reasons(detector, row):
    """Say why a row is odd, and how likely a normal one is to be at least as odd."""
    (p_value,) = detector.p_values(row)
    reasons = ", ".join(detector.top_reasons(row, n=1).iloc[0])
    print(f"    the oddest (p = {p_value:.3f}): {reasons}", flush=True)


def pca_scores(X_train, X_test):
    """Minus the error with which PCA reconstructs a row: higher is more normal."""
    scaler = StandardScaler().fit(X_train)
    # Nine tenths of the variance: with all components nothing would be left to measure.
    pca = PCA(n_components=0.9).fit(scaler.transform(X_train))
    rows = scaler.transform(X_test)
    return -np.mean((rows - pca.inverse_transform(pca.transform(rows))) ** 2, axis=1)


# -------------------------------------------------------------------------------- 4. figures


def draw_figures(vae):
    """Save pictures of digits that no fit has seen."""
    title("4. Pictures", "of digits that no fit has seen")
    plt.switch_backend("agg")  # Files only, no windows.
    plt.rcParams.update({"figure.constrained_layout.use": True, "savefig.dpi": 150})
    FIGURES.mkdir(exist_ok=True)
    X_train, X_test, _, y_test = halves("digits")
    # Pixels lie between white and black: for columns with limits there is "bernoulli".
    flat = VAETransformer(
        latent_dim=2, likelihood="bernoulli", rows=Table(scaling="minmax"), early_stopping=True
    ).fit(X_train)
    latent_map = LatentMapDisplay.from_estimator(flat, X_test, y_test, beside="pca")
    save(latent_map.figure_, "latent_map.png", "two columns of a VAE's code beside PCA")
    save(reconstructions(vae, X_test, y_test), "reconstructions.png", "what 32 columns keep")
    history = HistoryDisplay.from_estimator(flat)
    save(history.figure_, "loss_curves.png", "loss of that VAE, and of rows held out")


def reconstructions(vae, X, y):
    """One unseen digit of each class, what its code keeps of it, and digits nobody wrote."""
    _, first = np.unique(y, return_index=True)
    rows = {
        "original": X[first],
        "reconstructed": vae.inverse_transform(vae.transform(X[first])),
        "sampled": vae.sample(10, random_state=0),
    }
    figure, axes = plt.subplots(len(rows), 10, figsize=(10, 3.2))
    for (name, images), line in zip(rows.items(), axes, strict=True):
        for image, cell in zip(images, line, strict=True):
            cell.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
            cell.set(xticks=[], yticks=[])
            cell.spines[:].set_color("lightgray")
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11)
    figure.suptitle("Unseen digits, what a code of 32 columns keeps, and samples of the VAE")
    return figure


def save(figure, name, what):
    path = FIGURES / name
    figure.savefig(path)
    plt.close(figure)
    print(f"  {path.relative_to(FIGURES.parents[1])!s:<38} {what}", flush=True)


# ------------------------------------------------------------------------------------ output


def title(text, what):
    print(f"\n{text}\n   {what}\n", flush=True)


def print_line(name, cells, best="*"):
    """A line of a table, with a mark at the best of its scores (as printed)."""
    texts = [
        f"{cell:.3f}" if isinstance(cell, float) else str("-" if cell is None else cell)
        for cell in cells
    ]
    top = max((text for text in texts if text.startswith(("0.", "1."))), default=None)
    marked = (best + text if text == top else text for text in texts)
    print(f"  {name:<14}" + "".join(f"{text:>16}" for text in marked), flush=True)


if __name__ == "__main__":
    main()
