"""Labels beside rows, and which rows have none."""

import numpy as np
import pandas as pd


def class_numbers(y, n_samples):
    """Labels as numbers of classes, -1 where a row has none.

    Raises
    ------
    ValueError
        If there are no labels, or missing ones, or they are not one for each row.
    """
    if y is None:
        raise ValueError(
            "The objective compares rows by their class and needs y; give -1 where a row has no "
            "label."
        )
    labels = one_for_each_row(y, n_samples, "y", "Give -1 where a row has no label.")
    labeled = has_label(labels)
    if labels.dtype.kind == "f" and (labels != np.rint(labels)).any():
        raise ValueError(
            "y must be classes: strings, booleans or whole numbers, -1 where a row has no label; "
            f"got {labels[labels != np.rint(labels)][0]:.6g}."
        )
    numbers = np.full(n_samples, -1, dtype=np.int64)
    if labeled.any():
        known = labels[labeled]
        known = known.astype(str) if known.dtype == object else known
        numbers[labeled] = np.unique(known, return_inverse=True)[1]
    return numbers


def has_label(y, classes=None):
    """Which rows have a label: those that are not -1, but all where the classes are -1 and 1.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        In an array of strings, which is one of objects then, too, -1 is the number.
    classes : ndarray, default=None
        What the classes are; None: what ``y`` holds.

    Returns
    -------
    ndarray of bool of shape (n_samples,)

    Raises
    ------
    ValueError
        If the string "-1" is among the labels: one cannot tell what was meant.
    """
    labels = y.tolist()
    if "-1" in labels:
        raise ValueError(
            'y holds the string "-1", a class like any other. For rows without a label give the '
            "number -1, beside strings in an array of dtype object."
        )
    two_signs = set(labels if classes is None else classes.tolist()) == {-1, 1}
    return np.array([two_signs or label != -1 for label in labels], dtype=bool)


def one_for_each_row(values, n_samples, name, advice):
    """An array of one value for each row, none missing."""
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (n_samples,):
        raise ValueError(
            f"{name} must have one value for each of the {n_samples} rows of X, shape "
            f"({n_samples},); got shape {array.shape}."
        )
    gone = np.flatnonzero(pd.isna(array))
    if len(gone):
        raise ValueError(
            f"{name} has {len(gone)} missing values (NaN or None), the first in row {gone[0]}. "
            f"{advice}"
        )
    # What cannot be sorted is sorted by how it looks.
    return array.astype(str) if array.dtype == object and name == "groups" else array
