"""Tables drawn from distributions of which the likelihood of each row is known."""

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import logsumexp

CORRELATED = stats.multivariate_normal([3, -1], [[1, 0.9], [0.9, 1]])


def of_normal_steps(x, step):
    """Log-density of normal numbers that were rounded: constant over each step."""
    x = np.asarray(x)
    return np.log(stats.norm.cdf(x + step / 2) - stats.norm.cdf(x - step / 2)) - np.log(step)


def mixture(random, n):
    first = random.random(n) < 0.4
    x = np.where(first, random.normal(-2, 0.5, n), random.normal(1.5, 0.7, n))
    log_p = [stats.norm.logpdf(x, -2, 0.5), stats.norm.logpdf(x, 1.5, 0.7)]
    return x[:, None], logsumexp(log_p, axis=0, b=[[0.4], [0.6]])


def correlated(random, n):
    X = CORRELATED.rvs(n, random_state=random)
    return X, CORRELATED.logpdf(X)


def missing(random, n):
    X, log_p = correlated(random, n)
    gone = random.random(n) < 0.3
    log_p = np.where(gone, stats.norm.logpdf(X[:, 1], -1), log_p)
    X[gone, 0] = np.nan
    return X, log_p


def independent(distribution):
    def drawn(random, n):
        X = distribution.rvs((n, 2), random_state=random)
        return X, distribution.logpdf(X).sum(axis=1)

    return drawn


def circle(random, n):
    radius, angle = 1 + 0.1 * random.normal(size=n), random.uniform(0, 2 * np.pi, n)
    log_p = stats.norm.logpdf(radius, 1, 0.1) - np.log(2 * np.pi * radius)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), log_p


def bits(random, n):
    shares = np.array([0.1, 0.5, 0.8])
    X = (random.random((n, 3)) < shares).astype(float)
    return X, stats.bernoulli.logpmf(X, shares).sum(axis=1)


def mixed(random, n):
    first = random.random(n) < 0.3
    x = random.normal(size=n) + 2 * first
    log_p = np.log(np.where(first, 0.3, 0.7)) + stats.norm.logpdf(x, 2 * first)
    return pd.DataFrame({"x": x, "kind": np.where(first, "a", "b")}), log_p


def zero_inflated(random, n):
    some = random.random(n) < 0.2
    x = np.where(some, random.lognormal(size=n), 0.0)
    positive = np.log(0.2) + stats.lognorm.logpdf(np.where(some, x, 1.0), 1)
    return x[:, None], np.where(some, positive, np.log(0.8))


def rounded(random, n):
    X = np.stack([random.normal(size=n).round(1), np.rint(2 * random.normal(size=n)) / 2], axis=1)
    return X, of_normal_steps(X[:, 0], 0.1) + of_normal_steps(X[:, 1], 0.5)


def beside_a_category(draw):
    def drawn(random, n):
        X, log_p = draw(random, n)
        names = [f"x{j}" for j in range(X.shape[1])]
        frame = pd.DataFrame(X, columns=names).assign(kind=random.choice(["a", "b"], n))
        return frame, log_p - np.log(2)

    return drawn


TABLES = {
    "mixture": mixture,
    "correlated": correlated,
    "log-normal": independent(stats.lognorm(1)),
    "t": independent(stats.t(3)),
    "uniform": independent(stats.uniform()),
    "exponential": independent(stats.expon()),
    "circle": circle,
    "bits": bits,
    "mixed": mixed,
    "missing": missing,
    "zero-inflated": zero_inflated,
    "zero-inflated, mixed": beside_a_category(zero_inflated),
    "rounded": rounded,
    "rounded, mixed": beside_a_category(rounded),
}
