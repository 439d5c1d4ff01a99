"""Rows of a known distribution: intervals of imputed cells, and rows drawn with ``given``."""

import time
from functools import partial

import numpy as np
import pandas as pd
from _tables_contenders import ours, timed
from scipy.special import softmax
from scipy.stats import multivariate_normal

N_TRAIN, N_DRAWS, N_DRAWN, N_TRUE = 5000, 50, 500, 100_000
_LEAST_VARIANCE = 0.01  # of a frequency of 1 %
LEVELS = np.array(["red", "green", "blue"])


class Mixture:
    """Normal components, whose conditional distributions are mixtures again.

    Parameters
    ----------
    shares : ndarray of shape (n_components,)
    means : ndarray of shape (n_components, n_columns)
    covariances : ndarray of shape (n_components, n_columns, n_columns)
    """

    def __init__(self, shares, means, covariances):
        self.shares, self.means, self.covariances = shares, means, covariances

    def sample(self, n_rows, random):
        """Rows, and the component of each."""
        component = random.choice(len(self.shares), n_rows, p=self.shares)
        roots = np.linalg.cholesky(self.covariances)
        noise = random.normal(size=(n_rows, self.means.shape[1]))
        return self.means[component] + (roots[component] @ noise[:, :, None])[:, :, 0], component

    def given(self, known, cells):
        """That of the other columns, where those of ``known`` (a mask) have these cells."""
        if not known.any():
            return self
        parts = zip(self.shares, self.means, self.covariances, strict=True)
        logits, means, covariances = zip(
            *(self._component(known, cells, *part) for part in parts), strict=True
        )
        return Mixture(softmax(logits), np.array(means), np.array(covariances))

    def _component(self, known, cells, share, mean, covariance):
        among = covariance[np.ix_(known, known)]
        slope = np.linalg.solve(among, covariance[np.ix_(known, ~known)]).T
        logit = np.log(share) + multivariate_normal(mean[known], among).logpdf(cells)
        shifted = mean[~known] + slope @ (cells - mean[known])
        rest = covariance[np.ix_(~known, ~known)] - slope @ covariance[np.ix_(known, ~known)]
        return logit, shifted, rest

    def mean(self):
        return self.shares @ self.means

    def variance(self):
        squares = np.diagonal(self.covariances, axis1=1, axis2=2) + self.means**2
        return self.shares @ squares - self.mean() ** 2


def joints():
    """One normal distribution with two factors, and a mixture of three, bent and far apart."""
    random = np.random.RandomState(0)

    def covariance(n_factors, scale):
        loadings = random.normal(size=(5, n_factors))
        return scale * (loadings @ loadings.T + np.diag(random.uniform(0.1, 0.6, 5)))

    one = Mixture(np.ones(1), np.zeros((1, 5)), covariance(2, 1.0)[None])
    means = 2 * random.normal(size=(3, 5))
    three = np.array([covariance(2, 0.6) for _ in range(3)])
    return {"normal": one, "mixture of three": Mixture(np.array([0.5, 0.3, 0.2]), means, three)}


# ---------------------------------------------------------------- intervals


def coverage():
    """Share of removed cells within their 90 % interval, from 50 imputed tables.

    5,000 rows of 5 columns, a fifth of the cells removed. Ends of intervals are quantiles of the
    draws, numbered so that draws from the truth are right in 90 of 100 cells ("weibull" in NumPy;
    with its default they would be in 86.5).

    - exact: draws from the true conditional distributions;
    - width: of the intervals, beside that of exact ones;
    - error: root mean squared error of the mean of the draws, beside that of the exact mean.
    """
    for name, joint in joints().items():
        X = joint.sample(N_TRAIN, np.random.RandomState(1))[0]
        gone = np.random.RandomState(2).rand(*X.shape) < 0.2
        holes, true = np.where(gone, np.nan, X), X[gone]
        reference = exact_draws(joint, holes)[:, gone]
        squares = _squares(expected(joint, holes)[gone], true)
        for contender, draw in {"exact": None, **_imputing()}.items():
            draws, took = (reference, "") if draw is None else timed(draw, holes)
            draws = draws if draw is None else draws[:, gone]
            low, high = _ends(draws)
            yield {
                "joint": name,
                "contender": contender,
                "covered": float(((low <= true) & (true <= high)).mean()),
                "width": float((high - low).mean() / np.subtract(*_ends(reference)[::-1]).mean()),
                "error": float(np.sqrt(_squares(draws.mean(axis=0), true) / squares)),
                "s": took,
            }


def _ends(draws):
    return np.quantile(draws, [0.05, 0.95], axis=0, method="weibull")


def _squares(values, true):
    return ((values - true) ** 2).mean()


def _imputing():
    def drawing(make):
        def draws(holes):
            model = make(random_state=0).fit(holes)
            return np.array(model.impute(holes, n_draws=N_DRAWS, random_state=0))

        return draws

    return {name: drawing(make) for name, make in ours().items()}


def exact_draws(joint, holes):
    random, draws = np.random.RandomState(3), np.repeat(holes[None], N_DRAWS, axis=0)
    for i, row in enumerate(holes):
        known = ~np.isnan(row)
        if not known.all():
            draws[:, i, ~known] = joint.given(known, row[known]).sample(N_DRAWS, random)[0]
    return draws


def expected(joint, holes):
    filled = holes.copy()
    for row in filled:
        known = ~np.isnan(row)
        if not known.all():
            row[~known] = joint.given(known, row[known]).mean()
    return filled


# ---------------------------------------------------------------- sample(given=)


def conditions():
    """Means and frequencies of rows drawn with ``given``, beside the exact conditional ones.

    A mixture of three normal components of 5 columns, with the component as a column of categories.
    5,000 rows train; 500 are drawn for each of 33 conditions: a level, a cell, a level and a cell,
    two cells, a range, a level and a range. A check is the mean of a column or the frequency of a
    level that the condition leaves open; its error is counted in standard errors of 500 rows, the
    exact figures are those of 100,000 true rows. "exact" draws true rows.
    """
    joint = joints()["mixture of three"]
    train = _frame(*joint.sample(N_TRAIN, np.random.RandomState(1)))
    asked = list(_asked(train, _frame(*joint.sample(5, np.random.RandomState(2)))))
    random = np.random.RandomState(3)
    true = [_indicators(true_rows(joint, given, N_TRUE, random), given) for given in asked]

    def exact(given):
        return true_rows(joint, given, N_DRAWN, random)

    for contender, draw in {"exact": exact, **_drawing(train)}.items():
        start = time.process_time()
        drawn = [_indicators(draw(given), given) for given in asked]
        took = time.process_time() - start
        errors = np.abs(np.concatenate([_errors(*pair) for pair in zip(drawn, true, strict=True)]))
        yield {
            "contender": contender,
            "checks": len(errors),
            "within 3 errors": float((errors < 3).mean()),
            "median error": float(np.median(errors)),
            "largest": float(errors.max()),
            "s": took,
        }


def _drawing(train):
    def draw(model, given):
        return model.sample(N_DRAWN, random_state=0, given=given)

    return {name: partial(draw, make(random_state=0).fit(train)) for name, make in ours().items()}


def _frame(X, component):
    numbers = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    return numbers.assign(level=pd.Categorical(LEVELS[component], LEVELS))


def _asked(train, rows):
    numbers = list(train)[:-1]
    yield from ({"level": level} for level in LEVELS)
    for j, x in enumerate(numbers):
        level = LEVELS[j % 3]
        quarter, middle, high, higher = train[x].quantile([0.25, 0.6, 0.75, 0.9])
        of_level = train[x][train["level"] == level].median()
        other = numbers[j - 1]
        yield {x: quarter}
        yield {x: high}
        yield {"level": level, x: of_level}
        yield {x: rows[x][j], other: rows[other][j]}
        yield {x: (middle, higher)}
        yield {"level": level, x: (of_level, None)}


def true_rows(joint, given, n_rows, random):
    """Rows of the truth that meet the conditions."""
    allowed = given["level"] == LEVELS if "level" in given else np.ones(len(LEVELS), dtype=bool)
    shares = np.where(allowed, joint.shares, 0) / joint.shares[allowed].sum()
    joint = Mixture(shares, joint.means, joint.covariances)
    cells = {int(x[1:]): cell for x, cell in given.items() if isinstance(cell, float)}
    ranges = {x: cell for x, cell in given.items() if isinstance(cell, tuple)}
    known = np.isin(np.arange(joint.means.shape[1]), list(cells))
    rest = joint.given(known, np.array([cells[j] for j in sorted(cells)]))
    rows = []
    while sum(map(len, rows)) < n_rows:
        X = np.empty((n_rows, len(known)))
        X[:, list(cells)] = list(cells.values())
        X[:, ~known], component = rest.sample(n_rows, random)
        part = _frame(X, component)
        for x, (low, high) in ranges.items():
            part = part[part[x].between(low, np.inf if high is None else high)]
        rows.append(part)
    return pd.concat(rows, ignore_index=True)[:n_rows]


def _indicators(rows, given):
    return pd.get_dummies(rows.drop(columns=list(given)), dtype=float)


def _errors(drawn, true):
    """Of the means, in standard errors; levels that are nearly certain are no checks."""
    varies = true.var() > _LEAST_VARIANCE
    errors = (drawn.mean() - true.mean()) / np.sqrt(true.var() / len(drawn))
    return errors[varies].to_numpy()
