"""Two axes for rows of many columns: principal components, UMAP."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from ._columns import is_category, is_date

#: The second axis where there is only one.
SPREAD = "spread at random"
_PCA = ("first principal component", "second principal component")


def map_of(codes, method, random_state):
    """Points of a map of codes, and what its axes are."""
    if method not in ("pca", "umap"):
        raise ValueError(f'method must be "pca" or "umap"; got {method!r}.')
    if codes.shape[1] == 2:
        return codes, ("code 0", "code 1")
    if codes.shape[1] == 1:
        return _on_a_line(codes[:, 0], random_state), ("code 0", SPREAD)
    if method == "umap":
        return _umap(codes, random_state), ("first axis of UMAP", "second axis of UMAP")
    return principal_components(codes, random_state)


def _on_a_line(values, random_state):
    """Points of one axis, spread beside it so that they do not cover each other."""
    spread = np.random.RandomState(random_state).uniform(-0.4, 0.4, len(values))
    return np.column_stack([values, spread])


def principal_components(
    columns: NDArray[Any], random_state: int
) -> tuple[NDArray[Any], tuple[str, str]]:
    """The first two of columns of numbers, and their names with the share of variance."""
    n_components = min(2, *columns.shape)
    if not columns.size or not columns.std(axis=0).any():
        return np.zeros((len(columns), 2)), (f"{_PCA[0]} (no variance)", SPREAD)
    pca = PCA(n_components, random_state=random_state).fit(columns)
    shares = np.nan_to_num(pca.explained_variance_ratio_)
    names = [
        f"{name} ({100 * share:.0f} % of variance)"
        for name, share in zip(_PCA, shares, strict=False)
    ]
    points = pca.transform(columns)
    if n_components == 1:
        return _on_a_line(points[:, 0], random_state), (names[0], SPREAD)
    return points, (names[0], names[1])


def standardised(frame: pd.DataFrame) -> NDArray[np.float64]:
    """A table as columns for principal components: factor analysis of mixed data.

    Numbers and dates have mean 0 and variance 1, missing ones are at the mean. A level of a
    category is a column of 0 and 1, centred and divided by the root of its share; where the
    category is missing it is at its mean, too.
    """
    columns = []
    for j in range(frame.shape[1]):
        column = frame.iloc[:, j]
        missing = column.isna().to_numpy()
        if is_category(column):
            codes = column.cat.codes.to_numpy()
            cells = (codes[:, None] == np.arange(len(column.cat.categories))).astype(np.float64)
            share = cells.mean(axis=0, keepdims=True, where=~missing[:, None]) if len(cells) else 0
            cells, share = cells[:, share[0] > 0], share[:, share[0] > 0]
            cells = (cells - share) / share**0.5
        else:
            cells = (
                column.to_numpy().astype("M8[s]").astype(np.int64) if is_date(column) else column
            )
            cells = np.where(missing, np.nan, np.asarray(cells, np.float64))[:, None]
            if missing.all():
                continue
            # Divided first: squares of what is far from 1 have no float.
            unit = np.nanmax(np.abs(cells)) or 1.0
            cells = cells / unit
            deviation = np.nanstd(cells)
            if not deviation > 1e-12:
                continue
            cells = (cells - np.nanmean(cells)) / deviation
        columns.append(np.where(missing[:, None], 0.0, cells))
    return np.hstack(columns) if columns else np.zeros((len(frame), 0))


def _umap(codes, random_state):
    """Two axes by UMAP."""
    try:
        from umap import UMAP
    except ImportError as missing:
        raise ImportError(
            'method="umap" needs the package umap-learn: pip install umap-learn. method="pca" '
            "needs none."
        ) from missing
    if len(codes) < 5:
        raise ValueError(
            f'method="umap" compares neighbours, of at least 5 rows; got {len(codes)}. Use '
            'method="pca".'
        )
    neighbors = min(15, len(codes) - 1)
    few = {} if len(codes) > 20 else {"init": "random"}  # eigenvectors need more rows
    reducer = UMAP(n_neighbors=neighbors, random_state=random_state, n_jobs=1, **few)
    return np.asarray(reducer.fit_transform(codes), dtype=np.float64)
