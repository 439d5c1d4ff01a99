"""Labels beside rows, and which rows have none."""

from numbers import Real

import numpy as np
import pandas as pd

from .._runtime.parameters import is_number
from .columns import one_for_each_row

_WANTED = (
    "must be classes: strings, booleans or whole numbers, all of one kind, and -1, None, NaN or "
    '"" where a row has no label'
)


def class_numbers(y, n_samples):
    """Labels as numbers of classes, -1 where a row has none.

    Raises
    ------
    ValueError
        If there are no labels, or they are not one for each row.
    """
    if y is None:
        raise ValueError(
            "The objective compares rows by their class and needs y; give -1 where a row has no "
            "label."
        )
    labels, labeled = read_labels(one_for_each_row(y, n_samples, "y"))
    numbers = np.full(n_samples, -1, dtype=np.int64)
    if labeled.any():
        numbers[labeled] = np.unique(labels[labeled], return_inverse=True)[1]
    return numbers


def read_labels(y, classes=None, name="y"):
    """Labels in an array of one dtype, and which rows have one.

    A row has no label where ``y`` is -1 (but where the classes are -1 and 1), missing, or the empty
    string: in an array of strings that is what tools that sort labels, such as folds, can take.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
    classes : ndarray, default=None
        What the classes are; None: what ``y`` holds.
    name : str, default="y"
        For messages.

    Returns
    -------
    labels : ndarray of shape (n_samples,)
        Of strings, booleans, or numbers; any class where a row has no label.
    labeled : ndarray of shape (n_samples,), bool

    Raises
    ------
    ValueError
        If these are no classes, or of several kinds.
    """
    labeled = _labeled_of_dtype(y, classes)
    if labeled is None:
        labeled = _labeled_of_cells(y, classes, name)
    if y.dtype.kind == "O" or not labeled.all():
        some = np.array(y[labeled].tolist())
        labels = np.full(len(y), some[0] if len(some) else -1, dtype=some.dtype)
        labels[labeled] = some
        return labels, labeled
    return y, labeled


def _are_two_signs(known):
    """Whether -1 is a class, beside 1, and no sign of a row without a label."""
    return known == {-1, 1}


def _labeled_of_dtype(y, classes):
    """Which rows have a label where the dtype says that all cells are of one kind; else None."""
    if y.dtype.kind == "b":
        return np.ones(len(y), dtype=bool)
    if y.dtype.kind == "U":
        return None if (y == "-1").any() else y != ""
    if y.dtype.kind not in "iu" or not len(y) or not -(2**63) < y.min() <= y.max() < 2**63:
        return None
    known = np.unique(y) if classes is None else classes
    return np.full(len(y), True) if _are_two_signs(set(known.tolist())) else y != -1


def _labeled_of_cells(y, classes, name):
    """Which rows have a label where each cell may be of another kind."""
    cells, missing = y.tolist(), pd.isna(y)
    if any(isinstance(cell, str) and cell == "-1" for cell in cells):
        raise ValueError(
            f'{name} holds the string "-1", a class like any other. For rows without a label give '
            'the number -1, beside strings in an array of dtype object, or "".'
        )
    kinds = [
        "none" if gone else _kind(cell, name) for cell, gone in zip(cells, missing, strict=True)
    ]
    known = {cell for cell, kind in zip(cells, kinds, strict=True) if kind == "number"}
    if not _are_two_signs(known if classes is None else set(classes.tolist())):
        kinds = [
            "none" if kind == "number" and cell == -1 else kind
            for cell, kind in zip(cells, kinds, strict=True)
        ]
    _check_kinds(cells, kinds, name)
    return np.array([kind != "none" for kind in kinds], dtype=bool)


def _kind(label, name):
    """What a label is: "text", "boolean", "number", "none", or the name of another type."""
    if isinstance(label, str):
        return "text" if label else "none"
    if isinstance(label, bool | np.bool_):
        return "boolean"
    if isinstance(label, Real) and not -np.inf < label < np.inf:
        raise ValueError(
            f"Input {name} contains infinity. Give -1 or NaN where a row has no label."
        )
    return "number" if isinstance(label, Real) else type(label).__name__


def _check_kinds(cells, kinds, name):
    first = {}
    for cell, kind in zip(cells, kinds, strict=True):
        if kind != "none":
            first.setdefault(kind, cell)
    strange = first.keys() - {"text", "boolean", "number"}
    if strange or len(first) > 1:
        shown = [
            getattr(first[k], "item", lambda k=k: first[k])() for k in sorted(strange or first)
        ]
        unsupported = "Complex data not supported: " if "complex" in strange else ""
        came = " and ".join(f"{cell!r}"[:80] for cell in shown)
        raise ValueError(f"{unsupported}{name} {_WANTED}; got {came}.")
    fractions = [cell for cell, k in zip(cells, kinds, strict=True) if k == "number" and cell % 1]
    if fractions:
        # In the words that scikit-learn has for it.
        raise ValueError(
            f"Unknown label type: continuous. {name} {_WANTED}; got {fractions[0]:.6g}."
        )
    large = [c for c, k in zip(cells, kinds, strict=True) if k == "number" and not abs(c) < 2**63]
    if large:
        raise ValueError(
            f"{name} holds a number of more than 64 bits, {large[0]!r:.40}... Give strings."
        )


def targets(y):
    """Labels that are numbers, ndarray of float64, NaN where a row has none.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)

    Raises
    ------
    ValueError
        If they are no numbers, or infinite; if a row has some of its targets only.
    """
    try:
        if y.dtype.kind == "c":
            raise ValueError("Complex data not supported: y is complex")
        if y.dtype.kind in "mM":
            raise ValueError("got dates or durations: give their number of days or seconds")
        if y.dtype == object:
            y = np.where(pd.isna(y), np.nan, y)
        y = y.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"y must be numbers, NaN where a row has no target; {error}.") from None
    if np.isinf(y).any():
        raise ValueError("Input y contains infinity. Give NaN where a row has no target.")
    if y.ndim == 2:
        missing = np.isnan(y)
        partly = np.flatnonzero(missing.any(axis=1) & ~missing.all(axis=1))
        if len(partly):
            raise ValueError(
                f"y has {len(partly)} rows with some of their {y.shape[1]} targets only, the first "
                f"is row {partly[0]}. Give NaN for all targets of such a row, or fit a regressor "
                "for each target."
            )
    return y


def have_targets(y):
    """Which rows have what :func:`targets` gives, ndarray of shape (n_samples,), bool."""
    return ~np.isnan(y if y.ndim == 1 else y[:, 0])


def class_factors(class_weight, labels, weights):
    """How much a row of each class counts, dict, or None where all count the same.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
    labels, weights : ndarray of shape (n_samples,)
        Of rows that have a label.

    Raises
    ------
    ValueError
        If the dict names what is no class, or factors that are no numbers above 0.
    """
    if class_weight is None:
        return None
    classes, numbers = np.unique(labels, return_inverse=True)
    if isinstance(class_weight, str):
        # By weights, not rows: weight 2 is the row twice.
        balanced = weights.sum() / (len(classes) * np.bincount(numbers, weights=weights))
        return dict(zip(classes.tolist(), balanced.tolist(), strict=True))
    known = set(classes.tolist())
    for label, factor in class_weight.items():
        if label not in known or not is_number(factor) or factor <= 0:
            raise ValueError(
                f"class_weight must give a number above 0 for some of the classes "
                f"{classes.tolist()}; got {factor!r} for {label!r}."
            )
    return class_weight
