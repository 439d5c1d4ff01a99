"""What stands beside the rows in training: labels, and which other rows are alike."""

from dataclasses import dataclass
from datetime import date
from numbers import Real

import numpy as np
import pandas as pd
import torch

_STRETCHES = 50


@dataclass(frozen=True)
class Marks:
    """Marks of the rows of a table, in their order.

    Attributes
    ----------
    labels : ndarray of shape (n_samples,), int64, or None
        Numbers of classes; -1 where a row has none.
    groups : ndarray of shape (n_samples,), int64, or None
        Rows of a group are alike.
    times : ndarray of shape (n_samples,), float64, or None
        Rows that are neighbours in time (and of one group) are alike.
    n_neighbors : int
        So many before and as many after.
    """

    labels: np.ndarray | None = None
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    n_neighbors: int = 1

    def beside(self):
        """All of them as numbers, ndarray of shape (n_samples, n_marks), float64, or None."""
        there = [mark for mark in (self.labels, self.groups, self.times) if mark is not None]
        return np.stack(there, axis=1).astype(np.float64) if there else None

    def take(self, rows):
        """Those of some rows."""
        picked = (
            None if mark is None else mark[rows] for mark in (self.labels, self.groups, self.times)
        )
        return Marks(*picked, self.n_neighbors)

    def of_rows(self, counts):
        """The same, numbered as if only rows that count were there.

        Parameters
        ----------
        counts : ndarray of shape (n_samples,), bool
        """
        if counts.all():
            return self
        return Marks(
            *(_renumbered(mark, counts) for mark in (self.labels, self.groups, self.times)),
            self.n_neighbors,
        )

    def units(self):
        """Numbers of what is held out as a whole, ndarray of shape (n_samples,), or None.

        Groups; within a single one, stretches of time in which rows are alike.
        """
        if self.groups is not None and np.ptp(self.groups) > 0:
            return self.groups
        if self.times is None:
            return None
        rank = np.empty(len(self.times), dtype=np.int64)
        rank[np.lexsort((np.arange(len(rank)), self.times))] = np.arange(len(rank))
        return rank // max(2 * self.n_neighbors, -(-len(rank) // _STRETCHES))

    def partners(self):
        """See :class:`Partners`; None where no other row is alike."""
        return None if self.groups is None and self.times is None else Partners(self)


def _renumbered(mark, counts):
    """A mark in which numbers follow each other over the rows that count; -1 stays."""
    if mark is None:
        return None
    renumbered, there = np.zeros_like(mark), counts & (mark >= 0)
    renumbered[mark < 0] = -1
    renumbered[there] = np.unique(mark[there], return_inverse=True)[1]
    return renumbered


class Partners:
    """For each row the other rows that are alike, to draw one of.

    Parameters
    ----------
    marks : Marks
    """

    def __init__(self, marks):
        n = len(marks.groups if marks.times is None else marks.times)
        groups = np.zeros(n, dtype=np.int64) if marks.groups is None else marks.groups
        # The number of a row last: rows of one time follow in canonical order.
        keys = (groups,) if marks.times is None else (marks.times, groups)
        order = np.lexsort((np.arange(n), *keys))
        rank = np.empty(n, dtype=np.int64)
        rank[order] = np.arange(n)
        ordered = groups[order]
        low = np.searchsorted(ordered, groups, side="left")
        high = np.searchsorted(ordered, groups, side="right")
        if marks.times is not None:
            low = np.maximum(low, rank - marks.n_neighbors)
            high = np.minimum(high, rank + marks.n_neighbors + 1)
        found = order, rank, low, high
        self.order, self.rank, self.low, self.high = map(torch.from_numpy, found)

    def draw(self, numbers, generator):
        """Numbers of partners of these rows, each uniform among its own; itself if it has none.

        Parameters
        ----------
        numbers : Tensor of shape (n,), int64
        generator : torch.Generator

        Returns
        -------
        Tensor of shape (n,), int64, on the CPU
        """
        numbers = numbers.cpu()
        low, rank = self.low[numbers], self.rank[numbers]
        others = self.high[numbers] - low - 1
        uniform = torch.rand(
            len(numbers), generator=generator, device=generator.device, dtype=torch.float64
        )
        steps = (uniform.cpu() * others).long() + 1
        # Round the circle of those alike, at most to the one before itself.
        places = low + (rank - low + steps) % (others + 1)
        return self.order[places]


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
    labels = _one_for_each_row(y, n_samples, "y", "Give -1 where a row has no label.")
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


def group_numbers(groups, n_samples):
    """Groups as numbers, or None."""
    if groups is None:
        return None
    groups = _one_for_each_row(groups, n_samples, "groups", "Give rows without one their own.")
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def time_numbers(times, n_samples):
    """Times as numbers in their order, or None."""
    if times is None:
        return None
    times = _one_for_each_row(times, n_samples, "times", "Leave out rows without one.")
    sortable = times.dtype == object and all(isinstance(t, Real | date) for t in times)
    if times.dtype.kind not in "fiuMm" and not sortable:
        raise ValueError(f"times must be numbers or dates; got dtype {times.dtype}.")
    try:
        return np.unique(times, return_inverse=True)[1].astype(np.float64)
    except TypeError as error:
        raise ValueError(f"times must be all numbers or all dates: {error}.") from error


def _one_for_each_row(values, n_samples, name, advice):
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
