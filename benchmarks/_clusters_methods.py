"""What clusters.py measures: neighbours and clusters of codes and of what one would take else."""

import time
from functools import partial

import numpy as np
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer

SEEDS = 3
OURS = (AutoencoderTransformer, VAETransformer, ContrastiveTransformer)
ISOMETRIC = {
    f"{cls.__name__}, isometric": partial(cls, isometric=True)
    for cls in (AutoencoderTransformer, ContrastiveTransformer)
}


def compared(labelled):
    """A row for each method: mean measures, and how far those of seeds are spread."""
    numbers, rows = labelled.numbers, []

    def add(method, results, seconds=None):
        found = {key: [result[key] for result in results] for key in results[0]}
        row = {"method": method, **{key: float(np.mean(cells)) for key, cells in found.items()}}
        if len(results) > 1:
            row["spread"] = {key: float(np.std(cells, ddof=1)) for key, cells in found.items()}
        rows.append(row | {"fit s": seconds})
        print(rows[-1], flush=True)

    for name, values in numbers.items():
        add(f"raw, {name}", [measured(values, labelled.labels)])
        step = PCA(min(labelled.width, *values.shape), random_state=0)
        add(f"PCA, {name}", [measured(step.fit_transform(values), labelled.labels)])
    first = next(iter(numbers))
    umapped(numbers[first][:100], 2)  # what it compiles is not its time
    for n_components in (2, 10):
        codes, seconds = timed(lambda n=n_components: umapped(numbers[first], n))
        add(f"UMAP, {n_components}", [measured(codes, labelled.labels)], seconds)
    ours = {cls.__name__: cls for cls in OURS}
    for name, cls in (ours if labelled.parameters else ours | ISOMETRIC).items():
        results, spent = [], []
        for seed in range(SEEDS):
            encoder = cls(latent_dim=labelled.width, random_state=seed, **labelled.parameters)
            codes, seconds = timed(
                lambda one=encoder: one.fit(labelled.rows).transform(labelled.rows)
            )
            results.append(measured(codes, labelled.labels))
            spent.append(seconds)
        add(name, results, float(np.median(spent)))
    return rows


def measured(codes, y):
    """Accuracy of ten neighbours, and how clusters agree with classes (adjusted Rand index).

    What HDBSCAN calls noise counts as a cluster.
    """
    codes, n_classes = np.asarray(codes, dtype=np.float64), len(np.unique(y))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    neighbors = cross_val_score(KNeighborsClassifier(10), codes, y, cv=folds)
    agreements = [
        adjusted_rand_score(y, KMeans(n_classes, n_init=10, random_state=seed).fit_predict(codes))
        for seed in range(SEEDS)
    ]
    dense = HDBSCAN(min_cluster_size=max(5, len(y) // 100), copy=True).fit_predict(codes)
    return {
        "kNN": neighbors.mean(),
        "KMeans": np.mean(agreements),
        "HDBSCAN": adjusted_rand_score(y, dense),
        "noise": np.mean(dense < 0),
    }


def umapped(values, n_components):
    from umap import UMAP

    return UMAP(n_components=n_components, random_state=0, n_jobs=1).fit_transform(values)


def timed(make):
    start = time.process_time()
    return make(), time.process_time() - start
