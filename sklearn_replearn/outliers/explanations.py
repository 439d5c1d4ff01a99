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
    nats, drops = surprise(table), np.zeros(table.shape)
    tried = _tried(table, similar)
    for column in np.flatnonzero(tried.any(axis=0)):
        rows = np.flatnonzero(tried[:, column])
        cells = similar.table[similar.to(table[rows], _SIMILAR, without=column), column]
        occluded = np.repeat(table[rows], cells.shape[1], axis=0)
        occluded[:, column] = cells.ravel()
        drops[rows, column] = nats[rows] - surprise(occluded).reshape(cells.shape).mean(axis=1)
    return drops + (nats - drops.sum(axis=1))[:, None] / table.shape[1]


def _tried(table, similar):
    """Which cells are changed, ndarray of shape (n, n_features), bool."""
    tried = np.ones(table.shape, dtype=bool)
    if table.shape[1] > _MOST_COLUMNS:
        others, here = similar.table[similar.to(table, _SIMILAR)], table[:, None]
        differ = (others != here) & ~(np.isnan(others) & np.isnan(here))
        order = np.argsort(-differ.sum(axis=1), axis=1, kind="stable")
        np.put_along_axis(tried, order[:, _MOST_COLUMNS:], False, axis=1)
    return tried
