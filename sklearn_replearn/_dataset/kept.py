"""A sample of all rows of a stream so far: those whose hashes are the smallest."""

import numpy as np
import scipy.sparse as sp

from .multiset import Multiset, canonical
from .sparse import SparseTable

_MOST_ROWS, _FEWEST_ROWS, _MOST_CELLS = 2**13, 2**8, 2**21


def joined(kept, multiset, by_cells=True):
    """A multiset of few rows, which is a sample of two others.

    A row that is among those of the smallest hashes has been so ever since it first came: how often
    it came is known exactly, and in which order the rows came makes no difference.

    Parameters
    ----------
    kept : Multiset or None
        What this function gave before; None: nothing.
    multiset : Multiset
        Rows that come now.
    by_cells : bool, default=True
        Whether they are sorted by their cells alone, and not by what stands beside them, too.

    Returns
    -------
    Multiset
    """
    most = max(_FEWEST_ROWS, min(_MOST_ROWS, _MOST_CELLS // multiset.width))
    if not by_cells:
        multiset = canonical(_rows_of(multiset), multiset.weights)
    found = _first(multiset, most)
    if kept is None:
        return found
    table = _stacked([kept.table, found.table])
    weights = np.concatenate([kept.weights, found.weights])
    return _first(canonical(table, weights), most)


def _first(multiset, most):
    """Copies of the first rows of a multiset, and no others."""
    some = multiset.subset(np.arange(min(most, len(multiset))))
    return Multiset(_rows_of(some), np.arange(len(some)), np.array(some.weights[:]))


def _rows_of(multiset):
    table = multiset.table
    if isinstance(table, SparseTable):
        return SparseTable(table.matrix[multiset.numbers])
    return multiset.values()


def _stacked(tables):
    if isinstance(tables[0], SparseTable):
        return SparseTable(sp.vstack([table.matrix for table in tables], format="csr"))
    return np.concatenate(tables)
