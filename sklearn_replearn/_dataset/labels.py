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
    reject_minus_one_in_words(labels)
    if labels.dtype.kind == "f" and (labels != np.rint(labels)).any():
        raise ValueError(
            "y must be classes: strings, booleans or whole numbers, -1 where a row has no label; "
            f"got {labels[labels != np.rint(labels)][0]:.6g}."
        )
    # In object arrays of strings, too, -1 is the number.
    unlabeled = np.array([label == -1 for label in labels], dtype=bool)
    numbers = np.full(n_samples, -1, dtype=np.int64)
    if not unlabeled.all():
        known = labels[~unlabeled]
        known = known.astype(str) if known.dtype == object else known
        numbers[~unlabeled] = np.unique(known, return_inverse=True)[1]
    return numbers


def reject_minus_one_in_words(y):
    """Refuse labels among which the string "-1" is.

    Raises
    ------
    ValueError
    """
    if any(isinstance(label, str) and label == "-1" for label in y):
        raise ValueError(
            'y holds the string "-1", a class like any other. For rows without a label give the '
            "number -1, beside strings in an array of dtype object."
        )


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
