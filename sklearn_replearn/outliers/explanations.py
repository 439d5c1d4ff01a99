"""What each cell of a row adds to the surprise at it."""

import numpy as np

_SIMILAR, _MOST_COLUMNS = 8, 64


def contributions(surprise, table, similar):
    """Share the surprise at rows among their cells.

    A cell speaks for an anomaly as much as the surprise drops with what training rows that are
    similar in all other columns have in its place, on average over eight of them. What the drops
    together leave of the surprise all cells share alike. Of more than 64 columns those are tried in
    which rows that are similar in all columns differ most often.

    Parameters
    ----------
    surprise : callable
        Gives that of rows of a table, ndarray of shape (n,).
    table : ndarray of shape (n, n_features)
    similar : Similar

    Returns
    -------
    ndarray of shape (n, n_features)
        Rows add up to the surprise at them.

    References
    ----------
    Zeiler and Fergus (2014), *Visualizing and understanding convolutional networks*: occlusion.
    """
    rows, columns, cells = _others(table, similar)
    occluded = np.repeat(table[rows], cells.shape[1], axis=0)
    occluded[np.arange(len(occluded)), np.repeat(columns, cells.shape[1])] = cells.ravel()
    nats, drops = surprise(table), np.zeros(table.shape)
    drops[rows, columns] = nats[rows] - surprise(occluded).reshape(cells.shape).mean(axis=1)
    return drops + (nats - drops.sum(axis=1))[:, None] / table.shape[1]


def _others(table, similar):
    """Which cells are changed, and to what: rows, columns, ndarray of shape (n_cells, 8)."""
    n, n_features = table.shape
    if n_features > _MOST_COLUMNS:
        numbers = similar.to(table, _SIMILAR)
        order = np.argsort(-similar.gaps(table, numbers), axis=1, kind="stable")
        rows, columns = np.repeat(np.arange(n), _MOST_COLUMNS), order[:, :_MOST_COLUMNS].ravel()
        return rows, columns, similar.table[numbers[rows], columns[:, None]]
    alike = [similar.table[similar.to(table, _SIMILAR, without=j), j] for j in range(n_features)]
    columns, rows = np.divmod(np.arange(n * n_features), n)
    return rows, columns, np.concatenate(alike)
