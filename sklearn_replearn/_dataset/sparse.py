"""Sparse matrices, read as dense rows a few at a time."""

import numpy as np


class SparseTable:
    """A sparse matrix of which rows are read as a dense array, a few at a time.

    Parameters
    ----------
    matrix : scipy CSR matrix or array
        Where it has repeated entries, a copy of it without them is taken.
    """

    def __init__(self, matrix):
        if not matrix.has_canonical_format:
            matrix = matrix.copy()
            matrix.sum_duplicates()
        self.matrix = matrix
        self.shape, self.dtype = matrix.shape, matrix.dtype

    def __len__(self):
        return self.shape[0]

    def __array__(self, dtype=None, copy=None):
        # Else NumPy would ask row by row, which is one of two axes in a scipy matrix.
        return self.matrix.toarray().astype(dtype, copy=False)

    def __getitem__(self, rows):
        return self.matrix[rows].toarray()

    def take(self, rows, axis=0):
        """The same, by numbers of rows, as of an ndarray."""
        return self[rows]

    def with_holes(self):
        """Which rows have a missing cell, ndarray of int."""
        return np.unique(self._rows_of_cells()[np.isnan(self.matrix.data)])

    def filled(self, values, which):
        """A copy of the matrix, its missing cells replaced by those of a dense array.

        Parameters
        ----------
        values : ndarray of shape (n, n_features)
            Of the rows with missing cells.
        which : ndarray of int
            These rows.
        """
        matrix = self.matrix.copy()
        gone = np.isnan(matrix.data)
        rows = np.searchsorted(which, self._rows_of_cells()[gone])
        matrix.data[gone] = values[rows, matrix.indices[gone]]
        return matrix

    def _rows_of_cells(self):
        return np.repeat(np.arange(len(self)), np.diff(self.matrix.indptr))

    def of_whole_numbers(self):
        """Columns that hold nothing but whole numbers, ndarray of shape (n_features,), bool."""
        cells = self.matrix.data
        broken = self.matrix.indices[(cells != np.rint(cells)) & ~np.isnan(cells)]
        return np.bincount(broken, minlength=self.shape[1]) == 0

    def n_stored(self, rows, weights):
        """Weight of the rows in which each column is other than zero."""
        matrix = self.matrix[rows]
        there = matrix.data != 0
        of_cells = np.repeat(weights, np.diff(matrix.indptr))[there]
        return np.bincount(matrix.indices[there], of_cells, minlength=self.shape[1])

    def columns(self, rows, which):
        """Cells of these columns one after the other, each dense."""
        by_columns = self.matrix[rows].tocsc()
        return (by_columns[:, [j]].toarray()[:, 0] for j in which)
