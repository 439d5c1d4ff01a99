"""Losses as their papers write them, one row, pair or column after the other."""

from itertools import combinations, product
from math import exp, log, sqrt

import numpy as np


def cosine(u, v):
    u, v = np.asarray(u), np.asarray(v)
    return float(u @ v) / sqrt(float(u @ u) * float(v @ v))


def slow_nt_xent(left, right, temperature, negatives=(), beta=0.0, tau_plus=0.0):
    """Chen et al. (2020), equation 1, with N times g of Chuang et al. (2020) for its negatives.

    Each negative is weighed as in Robinson et al. (2021); N is the number of negatives.
    """
    views = np.concatenate([left, right])
    losses = []
    for i, view in enumerate(views):
        partner = (i + len(left)) % len(views)
        others = [v for k, v in enumerate(views) if k not in (i, partner)] + list(negatives)
        logits = [cosine(view, other) / temperature for other in others]
        mean_weight = np.mean([exp(beta * s) for s in logits])
        total = sum(exp(beta * s) / mean_weight * exp(s) for s in logits)
        positive = exp(cosine(view, views[partner]) / temperature)
        corrected = (total - tau_plus * len(others) * positive) / (1 - tau_plus)
        corrected = max(corrected, len(others) * exp(-1 / temperature))
        losses.append(-log(positive / (positive + corrected)))
    return np.mean(losses)


def slow_info_nce(queries, keys, negatives, temperature, beta=0.0, tau_plus=0.0):
    """He et al. (2020), equation 1, with the other keys of the batch among the negatives.

    These are weighed and corrected as in slow_nt_xent.
    """
    losses = []
    for i, query in enumerate(queries):
        others = [key for k, key in enumerate(keys) if k != i] + list(negatives)
        logits = [cosine(query, other) / temperature for other in others]
        mean_weight = sum(exp(beta * s) for s in logits) / max(len(logits), 1)
        total = sum(exp(beta * s) / mean_weight * exp(s) for s in logits)
        positive = exp(cosine(query, keys[i]) / temperature)
        corrected = (total - tau_plus * len(others) * positive) / (1 - tau_plus)
        corrected = max(corrected, len(others) * exp(-1 / temperature))
        losses.append(-log(positive / (positive + corrected)))
    return np.mean(losses)


def slow_decoupled(left, right, temperature):
    """Yeh et al. (2022), L_DC: views of other rows alone in the sum, averaged over views."""
    views, n = np.concatenate([left, right]), len(left)
    losses = []
    for i, view in enumerate(views):
        others = [other for k, other in enumerate(views) if k % n != i % n]
        total = sum(exp(cosine(view, other) / temperature) for other in others)
        losses.append(log(total) - cosine(view, views[(i + n) % (2 * n)]) / temperature)
    return np.mean(losses)


def slow_sup_con(left, right, labels, temperature):
    """Khosla et al. (2020), equation 2, averaged over views; -1 is like no other label."""
    views, n = np.concatenate([left, right]), len(left)

    def alike(i, k):
        return i % n == k % n or labels[i % n] == labels[k % n] != -1

    losses = []
    for i, view in enumerate(views):
        others = [k for k in range(2 * n) if k != i]
        total = sum(exp(cosine(view, views[k]) / temperature) for k in others)
        shares = [exp(cosine(view, views[k]) / temperature) / total for k in others if alike(i, k)]
        losses.append(-np.mean([log(share) for share in shares]))
    return np.mean(losses)


def slow_alignment(left, right, alpha=2):
    """Wang and Isola (2020), section 4.1.1; between unit rows d² = 2 - 2 cos."""
    gaps = [max(0.0, 2 - 2 * cosine(u, v)) for u, v in zip(left, right, strict=True)]
    return np.mean([gap ** (alpha / 2) for gap in gaps])


def slow_uniformity(codes, t=2):
    """Wang and Isola (2020), section 4.1.2."""
    return log(np.mean([exp(-t * (2 - 2 * cosine(u, v))) for u, v in combinations(codes, 2)]))


def slow_negative_cosine(prediction, target):
    """Chen and He (2021), equation 1."""
    return -np.mean([cosine(p, t) for p, t in zip(prediction, target, strict=True)])


def slow_cross_correlation(left, right):
    """Zbontar et al. (2021), equation 2, on columns of mean 0."""
    left, right = left - left.mean(0), right - right.mean(0)
    return np.array([[cosine(u, v) for v in right.T] for u in left.T])


def slow_covariance(x, i, j):
    gaps = [(row[i] - x[:, i].mean()) * (row[j] - x[:, j].mean()) for row in x]
    return sum(gaps) / (len(x) - 1)


def slow_variance_hinge(x, floor=1.0):
    """Bardes et al. (2022), equations 1 and 2, with the paper's epsilon of 0.0001."""
    deviations = [sqrt(slow_covariance(x, j, j) + 1e-4) for j in range(x.shape[1])]
    return np.mean([max(0.0, floor - deviation) for deviation in deviations])


def slow_off_diagonal_covariance(x):
    """Bardes et al. (2022), equations 3 and 4."""
    width = x.shape[1]
    pairs = [(i, j) for i, j in product(range(width), repeat=2) if i != j]
    return sum(slow_covariance(x, i, j) ** 2 for i, j in pairs) / width
