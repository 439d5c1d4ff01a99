"""What a judge says of rows: how anomalous each is, and what of it is due to each cell."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


class Evidence:
    """How anomalous rows are, and what of it is due to each cell.

    Parameters
    ----------
    statistic : array-like of shape (n,)
        In any unit; larger is less normal.
    parts : array-like of shape (n, n_features), callable that returns one, or None, default=None
        What is due to each cell, in any unit; an explanation shares a row's nats among its cells by
        how far their parts exceed the average of their columns. A callable is called when an
        explanation is asked for. None: the cells of a row have equal shares.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn.outliers import Evidence
    >>> squares = np.array([[0.0, 1.0], [9.0, 4.0]])
    >>> Evidence(squares.sum(axis=1), squares).statistic
    array([ 1., 13.])
    """

    def __init__(self, statistic, parts=None):
        self.statistic, self._parts = statistic, parts

    @cached_property
    def parts(self):
        """What is due to each cell, of shape (n, n_features), or None."""
        return self._parts() if callable(self._parts) else self._parts


@dataclass(frozen=True)
class HeldOut:
    """A fitted judge, and what training rows are to one that has not seen them.

    Attributes
    ----------
    judge : Judge
    statistic : ndarray of shape (n,)
        Of each training row.
    expected : ndarray of shape (n_features,)
        Parts of evidence that are nothing unusual.
    """

    judge: Any
    statistic: np.ndarray
    expected: np.ndarray


def evidence_of(judge, rows):
    """Ask a judge about rows, and check what it says."""
    evidence, name = judge.evidence(rows), type(judge).__name__
    if not isinstance(evidence, Evidence):
        raise TypeError(
            f"{name}.evidence must return an Evidence, such as Evidence(statistic, parts); "
            f"got {type(evidence).__name__}."
        )
    statistic = _numbers(evidence.statistic, (len(rows),), f"The statistic of {name}.evidence")
    if np.isnan(statistic).any():
        raise ValueError(
            f"The statistic of {name}.evidence is NaN for {np.isnan(statistic).sum()} of "
            f"{len(rows)} rows. Give a number for every row, also for one with missing cells "
            "(rows.known says which cells are there)."
        )
    return Evidence(statistic, lambda: _parts(evidence, rows, name))


def _parts(evidence, rows, name):
    if evidence.parts is None:
        return np.zeros(rows.table.shape)
    parts = _numbers(evidence.parts, rows.table.shape, f"The parts of {name}.evidence")
    if not np.isfinite(parts).all():
        raise ValueError(
            f"The parts of {name}.evidence are not finite for {(~np.isfinite(parts)).sum()} cells. "
            "Give 0 where a cell says nothing, such as a missing one."
        )
    return parts


def _numbers(values, shape, what):
    """As float64, of this shape."""
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise TypeError(f"{what} must be an array of numbers: {problem}") from problem
    if values.shape != shape:
        each = "row" if len(shape) == 1 else "cell"
        raise ValueError(
            f"{what} must have shape {shape}, one number for each {each}; got {values.shape}."
        )
    return values
