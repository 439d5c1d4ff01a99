"""Labels of rows: which are classes, how those are drawn, and which rows are normal."""

import numpy as np
import pandas as pd

from .._runtime.namespaces import as_numpy
from .._tables.frames import as_pandas
from ._axes import CLASS_COLORS, MARKERS, short
from ._rows import n_rows_of

_MOST_CLASSES, _MOST_NUMBERS = len(CLASS_COLORS), 20


def labels_of(y, X, rows):
    """Classes or numbers of the rows that are drawn, and what they are called."""
    if y is None:
        return None, None
    found = as_pandas(y)
    if found is not None:
        y = found[0].iloc[:, 0] if found[0].shape[1] == 1 else found[0]
    name = getattr(y, "name", None)
    y = np.asarray(y if isinstance(y, pd.Series) else as_numpy(y))
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    n = n_rows_of(X)
    if y.shape != (n,):
        raise ValueError(
            f"y must have a class or a number for each of the {n} rows; got shape {y.shape}."
        )
    if y.dtype == object:
        y = pd.Series(y).infer_objects().to_numpy()
    return y[rows], None if name is None else str(name)


def are_classes(y):
    """Whether labels are classes rather than numbers."""
    if y.dtype.kind not in "iuf":
        return True
    known = np.unique(y[~pd.isna(y)])
    whole = y.dtype.kind != "f" or (known == np.round(known)).all()
    return bool(whole and len(known) <= _MOST_NUMBERS)


def classes(y, known):
    """Name, rows, colour and marker of each class; of the many the most frequent ones."""
    numbers, levels = pd.factorize(y[known], sort=True)
    counts = np.bincount(numbers, minlength=len(levels))
    codes = np.full(len(y), -1)
    codes[known] = numbers
    kept = np.arange(len(levels))
    if len(levels) > _MOST_CLASSES:
        kept = np.sort(np.argsort(-counts, kind="stable")[: _MOST_CLASSES - 1])
    rest = known & ~np.isin(codes, kept)
    for place, number in enumerate(kept):
        name = levels[number]
        name = f"{name:g}" if isinstance(name, float | np.floating) else str(name)
        yield short(name) or '""', codes == number, CLASS_COLORS[place], MARKERS[place]
    if rest.any():
        yield f"{len(levels) - len(kept)} other classes", rest, "0.6", "."
    if not known.all():
        yield "no label", ~known, "0.8", "."


def are_normal(y, n):
    """Which rows are labelled as normal rather than as anomalies, all where there is no label."""
    if y is None:
        return np.ones(n, dtype=bool)
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise ValueError(f"y must hold one label a row, {n} of them; got shape {labels.shape}.")
    if not np.isin(labels, (1, -1)).all():
        raise ValueError(
            "y must be 1 for normal rows and -1 for anomalies, as predict gives them; got "
            f"{np.unique(labels)[:5].tolist()}. Where 1 marks anomalies give "
            "np.where(y == 1, -1, 1)."
        )
    return labels == 1
