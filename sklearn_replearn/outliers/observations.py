"""Rows of a table as judges see them."""

import numpy as np


class Seen:
    """Some rows of a table, and what they are in each space, found when it is first asked for.

    Parameters
    ----------
    table : ndarray of shape (n, n_features)
        As :func:`check_table` gives it.
    spaces : dict of str to Space
    raw : table, default=None
        The same rows as the user gave them.
    """

    def __init__(self, table, spaces, raw=None):
        self.table, self.spaces, self.raw = table, spaces, raw
        self.known = ~np.isnan(table)
        self.complete = bool(self.known.all())
        self.n_known = np.maximum(self.known.sum(axis=1), 1)
        self._points = {}

    def __len__(self):
        return len(self.table)

    def points(self, space):
        """Coordinates, ndarray of shape (n, width), float64."""
        if space not in self._points:
            self._points[space] = self.spaces[space].points(self.table)
        return self._points[space]

    def known_points(self, space):
        """Which coordinates are not of missing cells; None where all are there."""
        return None if self.complete else self.known[:, self.spaces[space].owner]

    def by_column(self, space, coordinates):
        """Sums over the coordinates of each column, ndarray of shape (n, n_features)."""
        return self.spaces[space].by_column(coordinates)

    def first(self, n):
        """The first rows of these."""
        return Seen(self.table[:n], self.spaces)

    def mean_over_known(self, parts):
        """Mean of each row over the columns that are there."""
        return np.where(self.known, parts, 0.0).sum(axis=1) / self.n_known
