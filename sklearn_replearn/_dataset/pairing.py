"""Which rows are alike: those of a group, and neighbours in time."""

import re
from datetime import date
from numbers import Real

import numpy as np
import torch

from .columns import one_for_each_row, reject_missing


class Partners:
    """For each row the other rows that are alike, to draw one of.

    Parameters
    ----------
    metadata : RowMetadata
    """

    def __init__(self, metadata):
        n = len(metadata.groups if metadata.times is None else metadata.times)
        groups = np.zeros(n, dtype=np.int64) if metadata.groups is None else metadata.groups
        # The number of a row last: rows of one time follow in canonical order.
        keys = (groups,) if metadata.times is None else (metadata.times, groups)
        order = np.lexsort((np.arange(n), *keys))
        rank = np.empty(n, dtype=np.int64)
        rank[order] = np.arange(n)
        ordered = groups[order]
        low = np.searchsorted(ordered, groups, side="left")
        high = np.searchsorted(ordered, groups, side="right")
        if metadata.times is not None:
            low = np.maximum(low, rank - metadata.n_neighbors)
            high = np.minimum(high, rank + metadata.n_neighbors + 1)
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


def group_numbers(groups, n_samples):
    """Groups as numbers, or None.

    Values that are equal are a group, whatever their types; the numbers follow how values look, so
    that they do not depend on the order of the rows.

    Raises
    ------
    ValueError
        If values cannot be told apart by what they are, such as plain objects.
    """
    if groups is None:
        return None
    groups = one_for_each_row(groups, n_samples, "groups")
    reject_missing(groups, "groups", "Give rows without one their own.")
    if groups.dtype != object:
        return np.unique(groups, return_inverse=True)[1].astype(np.int64)
    try:
        values = dict.fromkeys(groups.tolist())
    except TypeError:
        unhashable = next(value for value in groups.tolist() if not _is_hashable(value))
        raise ValueError(f"{_WANTED_GROUPS}; got {unhashable!r:.80}.") from None
    looks = {value: (type(value).__name__, str(value)) for value in values}
    numbers = {value: i for i, value in enumerate(sorted(values, key=looks.__getitem__))}
    for value, (_, look) in looks.items():
        if not isinstance(value, str) and _ADDRESS.search(look):
            raise ValueError(f"{_WANTED_GROUPS}; got {look}, which is another one in each run.")
    if len(set(looks.values())) < len(looks):
        raise ValueError(f"{_WANTED_GROUPS}; got different values that look the same.")
    return np.array([numbers[value] for value in groups.tolist()], dtype=np.int64)


_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # as objects look that do not say what they are
_WANTED_GROUPS = (
    "groups must be strings, numbers, dates or other values that compare by what they are"
)


def _is_hashable(value):
    try:
        hash(value)
    except TypeError:
        return False
    return True


def time_numbers(times, n_samples):
    """Times as numbers in their order, or None."""
    if times is None:
        return None
    times = one_for_each_row(times, n_samples, "times")
    reject_missing(times, "times", "Leave out rows without one.")
    if times.dtype.kind == "f" and np.isinf(times).any():
        raise ValueError("times contain infinity. Leave out rows without a time.")
    sortable = times.dtype == object and all(isinstance(t, Real | date) for t in times)
    if times.dtype.kind not in "fiuMm" and not sortable:
        raise ValueError(f"times must be numbers or dates; got dtype {times.dtype}.")
    try:
        return np.unique(times, return_inverse=True)[1].astype(np.float64)
    except TypeError as error:
        raise ValueError(f"times must be all numbers or all dates: {error}.") from error
