"""What each cell of a row adds to the surprise at it."""

import numpy as np

_SIMILAR, _MOST_COLUMNS = 8, 64
_LEAST_NET = 0.5  # of the drops together, as a share of their sizes


def contributions(surprise, table, similar):
    """Share the surprise at rows among their cells.

    A cell speaks for an anomaly as much as the surprise drops with what similar training rows have
    in its place, on average over eight of them. Of more than 64 columns those are tried in which
    these rows differ most often from the row.

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
    (n, n_features), nats = table.shape, surprise(table)
    others = similar.table[similar.to(table, _SIMILAR)]  # (n, n_similar, n_features)
    here = table[:, None]
    differs = (others != here) & ~(np.isnan(others) & np.isnan(here))
    often = np.argsort(-differs.sum(axis=1), axis=1, kind="stable")[:, :_MOST_COLUMNS]
    changed = np.zeros(differs.shape, dtype=bool)
    np.put_along_axis(changed, often[:, None], True, axis=2)
    row, other, column = np.nonzero(changed & differs)
    occluded = table[row]
    occluded[np.arange(len(row)), column] = others[row, other, column]
    drops = np.zeros((n, n_features))
    if len(row):
        np.add.at(drops, (row, column), (nats[row] - surprise(occluded)) / others.shape[1])
    return shared(nats, drops)


def shared(nats, drops):
    """Share nats among columns in proportion to drops.

    Where the drops add up to little beside their sizes, because some cells speak for an anomaly and
    others against, what their sum does not explain is shared in proportion to their sizes.

    Parameters
    ----------
    nats : ndarray of shape (n,)
    drops : ndarray of shape (n, n_features)

    Returns
    -------
    ndarray of shape (n, n_features)
        Rows add up to ``nats``.
    """
    sizes = np.abs(drops)
    gross, net = sizes.sum(axis=1, keepdims=True), drops.sum(axis=1, keepdims=True)
    even = gross == 0
    sizes = np.where(even, 1.0 / drops.shape[1], sizes / np.where(even, 1.0, gross))
    nats = nats[:, None]
    agree = (nats * net > 0) & ~even
    slope = np.where(
        agree, np.abs(nats) / np.maximum(np.abs(net), _LEAST_NET * gross + 1e-300), 0.0
    )
    contributions = slope * drops
    return contributions + (nats - contributions.sum(axis=1, keepdims=True)) * sizes
