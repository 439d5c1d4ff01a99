"""How the surprise at a row is shared among its cells."""

import numpy as np

_LEAST_NET = 0.5  # of an excess, as a share of the sizes of its parts


def attributions(nats, parts, expected):
    """Share nats among columns by how far the parts of a statistic exceed what is expected.

    Where the excesses add up to little beside their sizes, because some cells speak for an anomaly
    and others against, what their sum does not explain is shared in proportion to their sizes.

    Parameters
    ----------
    nats : ndarray of shape (n,)
    parts : ndarray of shape (n, n_features)
    expected : ndarray of shape (n_features,)

    Returns
    -------
    ndarray of shape (n, n_features)
        Rows add up to ``nats``.
    """
    excess = parts - expected
    sizes = np.abs(excess)
    gross = sizes.sum(axis=1, keepdims=True)
    even = gross == 0
    sizes = np.where(even, 1.0 / parts.shape[1], sizes / np.where(even, 1.0, gross))
    net = excess.sum(axis=1, keepdims=True)
    nats = nats[:, None]
    agree = (nats * net > 0) & ~even
    slope = np.where(
        agree, np.abs(nats) / np.maximum(np.abs(net), _LEAST_NET * gross + 1e-300), 0.0
    )
    contributions = slope * excess
    return contributions + (nats - contributions.sum(axis=1, keepdims=True)) * sizes
