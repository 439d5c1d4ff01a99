"""Density of held-out rows: ours beside one Gaussian, Gaussian mixtures and a spline flow."""

import time
from functools import partial

import numpy as np
import torch
from _tables_contenders import ours, seconds, timed
from _tables_sets import cut, mixed_table
from sklearn.mixture import GaussianMixture

SEEDS = range(3)
TRAIN = 0.7
COMPONENTS = 1, 2, 5, 10, 20, 40
FLOW_SECONDS, FLOW_PATIENCE = 20, 30


def density():
    """Held-out nats a row, mean of three seeds; higher is better. Columns of numbers, standardised.

    At most 10,000 rows, 70 % of them train; a seed is a permutation of the rows and the models'
    seed. Where values repeat, a mixture or a flow has no highest density, and our score measures
    columns of a step by intervals: so before anyone sees them, uniform noise is added to all
    columns, as wide as the smallest gap between two values, and a hundredth of the range where one
    value is that of over 3 % of the rows. Then all scores are densities of the same rows. Columns
    of two values are left out. GaussianMixture: full covariances, K of 1 to 40 by a held-out fifth
    of the training rows. Spline flow: of zuko, 20 s, stopped by a held-out tenth. Seconds are those
    of CPU, of fit and of scoring. In the record our autoregressive density is of a later run on the
    same rows, while other work shared the machine.
    """
    for name, X in numeric_tables().items():
        yield _row(name, X, contenders(), partial(_standardised, X))


def mixed_density():
    """Held-out nats a row, mean of three seeds; higher is better. Tables with categories.

    At most 6,000 rows, 70 % of them train. Here cells have probabilities, or densities in the units
    of their column, so only ours compare with each other.
    """
    for name, table in mixed_tables().items():
        yield _row(name, table, _ours(), partial(_split, table))


def _row(name, table, contenders, split):
    row = {"table": name, "rows": len(table), "columns": table.shape[1]}
    took = {}
    for contender, fitted in contenders.items():
        results = [timed(_held_out, fitted, *split(seed), seed) for seed in SEEDS]
        nats, times = np.mean(results, axis=0)
        row[contender], took[seconds(contender)] = float(nats), float(times)
        print(f"{name}: {contender} {nats:.2f}, {times:.1f} s", flush=True)
    return {**row, **took}


def _held_out(fitted, train, test, seed):
    return fitted(train, seed).score_samples(test).mean()


def contenders():
    return {
        "one Gaussian": lambda X, seed: GaussianMixture(random_state=seed).fit(X),
        "GaussianMixture": mixture,
        "spline flow": lambda X, seed: SplineFlow(seed).fit(X),
        **_ours(),
    }


def _ours():
    return {name: partial(_of_ours, make) for name, make in ours().items()}


def _of_ours(make, X, seed):
    return make(random_state=seed).fit(X)


def mixture(X, seed):
    """The number of components by a held-out fifth, then all rows."""
    held_out = len(X) // 5  # rows are permuted already
    models = (_mixture(k, seed).fit(X[held_out:]) for k in COMPONENTS)
    best = max(models, key=lambda model: model.score(X[:held_out]))
    return _mixture(best.n_components, seed).fit(X)


def _mixture(k, seed):
    return GaussianMixture(k, random_state=seed, max_iter=300)


class SplineFlow:
    """An autoregressive neural spline flow (Durkan et al. 2019) as zuko builds it.

    Trained with Adam for some seconds of CPU, or until a held-out tenth no longer gains; the best
    weights are kept.
    """

    def __init__(self, seed, seconds=FLOW_SECONDS):
        self.seed, self.seconds = seed, seconds

    def fit(self, X):
        import zuko

        start = time.process_time()
        generator = torch.Generator().manual_seed(self.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.flow = zuko.flows.NSF(X.shape[1], transforms=3, hidden_features=(128, 128))
        rows = torch.as_tensor(X, dtype=torch.float32)
        held_out, rows = rows[: len(rows) // 10], rows[len(rows) // 10 :]
        optimizer = torch.optim.Adam(self.flow.parameters(), lr=2e-3)
        best, waited = -np.inf, 0
        while waited < FLOW_PATIENCE and time.process_time() - start < self.seconds:
            for batch in torch.randperm(len(rows), generator=generator).split(256):
                optimizer.zero_grad()
                (-self.flow().log_prob(rows[batch]).mean()).backward()
                torch.nn.utils.clip_grad_norm_(self.flow.parameters(), 5.0)
                optimizer.step()
            nats, waited = self._log_prob(held_out).mean().item(), waited + 1
            if nats > best:
                best, waited = nats, 0
                weights = {k: v.clone() for k, v in self.flow.state_dict().items()}
        self.flow.load_state_dict(weights)
        return self

    @torch.no_grad()
    def _log_prob(self, rows):
        return self.flow().log_prob(rows)

    def score_samples(self, X):
        return self._log_prob(torch.as_tensor(X, dtype=torch.float32)).numpy()


# ---------------------------------------------------------------- tables


def numeric_tables():
    """Ten tables of numbers, of 3 to 30 columns and 569 to 10,000 rows."""
    from load import load_anomaly, load_table
    from sklearn.datasets import load_breast_cancer

    tables = {
        name: load_table(name)[0].select_dtypes("number").dropna().to_numpy(np.float64)
        for name in ("california_housing", "dry_bean", "telco_churn")
    }
    for name in ("magic.gamma", "pendigits", "wilt", "waveform", "fault", "skin"):
        tables[name] = load_anomaly(name)[0].astype(np.float64)
    tables["breast_cancer"] = load_breast_cancer().data
    return {
        name: cut(X[:, [len(np.unique(x)) > 2 for x in X.T]], 10_000) for name, X in tables.items()
    }


def mixed_tables():
    """Five tables with categories, at most 6,000 rows."""
    names = "adult", "telco_churn", "german_credit", "california_housing", "titanic"
    return {name: cut(mixed_table(name), 6_000) for name in names}


def _standardised(X, seed):
    train, test = _split(with_noise(X, seed), seed)
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    return (train - mean) / deviation, (test - mean) / deviation


def with_noise(X, seed):
    """Steps and repeated values made continuous; see :func:`density`."""
    width = np.array([_width(*np.unique(x, return_counts=True)) for x in X.T])
    return X + width * np.random.RandomState(seed).uniform(-0.5, 0.5, X.shape)


def _width(values, counts):
    gap = np.diff(values).min()
    often = counts.max() > 0.03 * counts.sum()
    return max(gap, np.ptp(values) / 100) if often else gap


def _split(table, seed):
    order = np.random.RandomState(seed).permutation(len(table))
    first = round(TRAIN * len(table))
    parts = order[:first], order[first:]
    if isinstance(table, np.ndarray):
        return tuple(table[part] for part in parts)
    return tuple(table.iloc[part].reset_index(drop=True) for part in parts)
