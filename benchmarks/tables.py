"""Raw tables: codes for a classifier, imputation, synthesis, counts of words, speed of encoding.

    python benchmarks/tables.py --data FOLDER
    python benchmarks/tables.py --data FOLDER --only imputation

FOLDER holds the data sets and a ``load.py`` with ``load_table``, ``load_anomaly`` and
``load_sparse``. Everything stands beside what a user would take otherwise, in one run, with our
default settings, and losses are shown. It writes results/tables.json and results/tables.md; parts
that are not measured anew are kept. All of it takes about twenty minutes on one core.
"""

import argparse
import resource
import sys
import time
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _markdown import table_of
from _record import RESULTS, read, write
from _tables_sets import SMALL_TABLES, binary, numeric_tables, one_hot, without_text
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn._tables.validation import read_table
from sklearn_replearn.rows import Table

OURS = (AutoencoderTransformer, VAETransformer, ContrastiveTransformer)
ADULT_TRAIN, NEWS_TRAIN = 32561, 11314


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with load.py")
    parser.add_argument("--only", choices=sorted(PARTS), nargs="*", default=sorted(PARTS))
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    args = parser.parse_args()
    sys.path.insert(0, args.data)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    record = read("tables", args.results)
    for part in args.only:
        print(f"\n# {part}", flush=True)
        record[part] = [row for row in PARTS[part]() if not print(row, flush=True)]
        write("tables", record, markdown, args.results)


# ---------------------------------------------------------------- parts


def adult():
    """AUROC of LogisticRegression on codes; official split."""
    from load import load_table

    table, target = load_table("adult")
    y = (target == ">50K").to_numpy().astype(int)
    train, test = slice(0, ADULT_TRAIN), slice(ADULT_TRAIN, None)

    def scored(name, latent_dim, encoder):
        start = time.perf_counter()
        codes = encoder.fit_transform(table[train])
        seconds = time.perf_counter() - start
        classifier = LogisticRegression(max_iter=1000).fit(codes, y[train])
        auroc = roc_auc_score(
            y[test], classifier.predict_proba(encoder.transform(table[test]))[:, 1]
        )
        return {"encoder": name, "columns": latent_dim, "AUROC": auroc, "fit s": seconds}

    yield scored("one-hot, standardised", "all", one_hot())
    for latent_dim in (16, 32):
        yield scored("PCA of it", latent_dim, make_pipeline(one_hot(), PCA(latent_dim)))
        for cls in OURS:
            yield scored(cls.__name__, latent_dim, cls(latent_dim))


def scalings():
    """Mean AUROC of LogisticRegression on codes, three folds, by scaling of the numbers."""
    from load import load_table

    for name, latent_dim in SMALL_TABLES.items():
        table, y = binary(name, *load_table(name))
        rivals = {"PCA": lambda n: make_pipeline(one_hot(), PCA(n), StandardScaler())}
        for cls in OURS[:2]:
            for scaling in ("auto", "standard", "robust", "quantile"):
                rivals[f"{cls.__name__[:3].upper()} {scaling}"] = _scaled(cls, scaling)
        row = {"table": name, "columns": latent_dim}
        for rival, make in rivals.items():
            row[rival] = np.mean(
                [
                    roc_auc_score(y[test], _probabilities(make(latent_dim), table, y, train, test))
                    for train, test in StratifiedKFold(3, shuffle=True, random_state=0).split(
                        table, y
                    )
                ]
            )
        yield row


def _scaled(cls, scaling):
    return lambda latent_dim: cls(latent_dim, rows=Table(scaling=scaling))


def _probabilities(encoder, table, y, train, test):
    codes = encoder.fit_transform(table.iloc[train])
    classifier = LogisticRegression(max_iter=1000).fit(codes, y[train])
    return classifier.predict_proba(encoder.transform(table.iloc[test]))[:, 1]


def imputation():
    """Root mean squared error of removed cells, in deviations of the column; a fifth removed."""
    for name, X in numeric_tables().items():
        gone = np.random.RandomState(0).rand(*X.shape) < 0.2
        holes, deviation = np.where(gone, np.nan, X), X.std(axis=0)
        row = {"table": name, "rows": len(X), "columns": X.shape[1]}
        for rival, imputer in (
            ("mean", SimpleImputer()),
            ("IterativeImputer", IterativeImputer(random_state=0)),
            ("KNNImputer", KNNImputer()),
        ):
            row[rival] = _error(imputer.fit_transform(holes), X, gone, deviation)
        row["VAETransformer"] = _error(
            VAETransformer().fit(holes).impute(holes), X, gone, deviation
        )
        yield row


def _error(filled, X, gone, deviation):
    return float(np.sqrt((((filled - X) / deviation)[gone] ** 2).mean()))


def categories():
    """Share of removed cells of categories that are filled right; a fifth of all cells removed."""
    from load import load_table

    for name in ("adult", "telco_churn", "german_credit", "mushroom", "titanic"):
        table = without_text(load_table(name)[0]).iloc[:8000].reset_index(drop=True)
        gone = (np.random.RandomState(0).rand(*table.shape) < 0.2) & table.notna().to_numpy()
        filled = VAETransformer().fit(table.mask(gone)).impute(table.mask(gone))
        mode, ours = [], []
        for j, column in enumerate(table):
            if table[column].dtype == "category":
                true = table[column][gone[:, j]]
                mode.append(true == table[column].mask(gone[:, j]).mode()[0])
                ours.append(true == filled[column][gone[:, j]])
        yield {"table": name, "mode": _share(mode), "VAETransformer": _share(ours)}


def _share(parts):
    return float(np.concatenate(parts).mean())


def synthesis():
    """Gradient boosting trained on drawn rows, tested on real ones; marginals; nearest rows."""
    from load import load_table

    for name in ("adult", "telco_churn"):
        table, target = load_table(name)
        table = table.assign(target=pd.Categorical(np.asarray(target)))
        order = np.arange(len(table))
        if name != "adult":
            order = np.random.RandomState(0).permutation(order)
        cut = ADULT_TRAIN if name == "adult" else 5000
        train, test = (
            table.iloc[part].reset_index(drop=True) for part in (order[:cut], order[cut:])
        )
        real = _boosted(train, test)
        for prior in ("mixture", "normal"):
            drawn = VAETransformer(prior=prior).fit(train).sample(len(train), random_state=0)
            distances = _nearest(train, drawn), _nearest(train, test)
            yield {
                "table": name,
                "codes from": prior,
                "AUROC, real rows": real,
                "drawn rows": _boosted(drawn, test),
                "total variation": float(np.mean([_variation(train[c], drawn[c]) for c in train])),
                "nearest row, drawn": float(np.median(distances[0])),
                "held out": float(np.median(distances[1])),
                "copies, drawn": float((distances[0] < 1e-6).mean()),
                "copies, held out": float((distances[1] < 1e-6).mean()),
            }


def _boosted(train, test):
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0)
    model.fit(train.drop(columns="target"), train["target"])
    return roc_auc_score(test["target"], model.predict_proba(test.drop(columns="target"))[:, 1])


def _variation(real, drawn):
    """Total variation distance; numbers of more than 20 values in 20 bins of equal shares."""
    if real.dtype != "category" and real.nunique() > 20:
        edges = np.unique(np.nanquantile(real, np.linspace(0, 1, 21)))
        bins = np.concatenate([[-np.inf], edges[1:-1], [np.inf]])
        real, drawn = (pd.cut(column, bins, right=False) for column in (real, drawn))
    shares = (c.astype(object).value_counts(normalize=True) for c in (real, drawn))
    return 0.5 * next(shares).sub(next(shares), fill_value=0).abs().sum()


def _nearest(train, rows):
    train, rows = train[:8000], rows[:1500]
    encoder = one_hot().fit(train)
    index = NearestNeighbors(n_neighbors=1).fit(encoder.transform(train))
    return index.kneighbors(encoder.transform(rows))[0][:, 0]


def counts():
    """Accuracy of LogisticRegression on 32 codes of word counts; official split."""
    from load import load_sparse

    X, y, _ = load_sparse("newsgroups20_counts")
    for name, encoder in (
        ("TruncatedSVD", TruncatedSVD(32, random_state=0)),
        (
            "tf-idf, TruncatedSVD",
            make_pipeline(TfidfTransformer(), TruncatedSVD(32, random_state=0)),
        ),
        ("AutoencoderTransformer", AutoencoderTransformer(32)),
        ("VAETransformer", VAETransformer(32)),
    ):
        start = time.perf_counter()
        codes = encoder.fit_transform(X[:NEWS_TRAIN])
        seconds = time.perf_counter() - start
        classifier = LogisticRegression(max_iter=1000).fit(codes, y[:NEWS_TRAIN])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        accuracy = classifier.score(encoder.transform(X[NEWS_TRAIN:]), y[NEWS_TRAIN:])
        yield {"encoder": name, "accuracy": accuracy, "fit s": seconds, "process MB": peak}


def encoding():
    """Seconds from a frame of 500,000 rows to numbers: 20 columns of numbers, 10 of categories."""
    random, n = np.random.RandomState(0), 500_000
    numbers = {f"n{j}": random.normal(size=n) for j in range(20)}
    for dtype in ("category", "object"):
        levels = {}
        for j, count in enumerate((2, 3, 5, 8, 10, 12, 24, 42, 56, 80)):
            column = pd.Categorical.from_codes(
                random.randint(count, size=n), [f"level {k}" for k in range(count)]
            )
            levels[f"c{j}"] = pd.Series(column).astype(dtype)
        frame = pd.DataFrame({**numbers, **levels})
        rival = ColumnTransformer(
            [("n", StandardScaler(), list(numbers)), ("c", OneHotEncoder(), list(levels))]
        )
        seconds = {"ours": [], "ColumnTransformer": []}
        for _ in range(5):
            start = time.perf_counter()
            read_table(AutoencoderTransformer(), frame)
            middle = time.perf_counter()
            rival.fit_transform(frame)
            seconds["ours"].append(middle - start)
            seconds["ColumnTransformer"].append(time.perf_counter() - middle)
        tracemalloc.start()
        read_table(AutoencoderTransformer(), frame)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        ours, theirs = (float(np.median(times)) for times in seconds.values())
        yield {
            "dtype": dtype,
            "ours s": ours,
            "ColumnTransformer s (sparse)": theirs,
            "times as fast": theirs / ours,
            "peak MB": peak,
        }


PARTS = {
    part.__name__: part
    for part in (adult, scalings, imputation, categories, synthesis, counts, encoding)
}

# ---------------------------------------------------------------- the record


def markdown(record):
    sections = ["# Raw tables\n\nWritten by `benchmarks/tables.py`; default settings, one thread."]
    for part in PARTS:
        if part in record:
            title = f"## {part}\n\n{PARTS[part].__doc__.splitlines()[0]}"
            sections.append(title + "\n\n" + table_of(record[part]))
    return "\n\n".join(sections) + "\n"


def readme_tables(record):
    """What the README shows of the record, by name."""
    wide = {}
    for row in record["adult"]:
        name = "PCA of one-hot" if row["encoder"] == "PCA of it" else row["encoder"]
        wide.setdefault(name, {"encoder": name})[f"{row['columns']} columns"] = row["AUROC"]
    wide["one-hot, standardised"]["16 columns"] = ""
    order = ["encoder", "16 columns", "32 columns", "all columns"]
    return {
        "adult": table_of([{name: row.get(name, "") for name in order} for row in wide.values()]),
        "imputation": table_of(record["imputation"]),
        "synthesis": table_of(
            [{k: v for k, v in row.items() if "copies" not in k} for row in record["synthesis"]]
        ),
        "counts": table_of(record["counts"]),
    }


if __name__ == "__main__":
    main()
