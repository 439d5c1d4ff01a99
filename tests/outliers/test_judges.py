"""Each judge by itself: what it sees, and how it judges rows that it was fitted to."""

import numpy as np
import pandas as pd
import pytest
from outlier_tables import factors, mixed, observed, odd
from scipy.spatial.distance import cdist
from scipy.stats import kstest, multivariate_normal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KernelDensity
from sklearn.utils.validation import NotFittedError, check_is_fitted

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn._runtime.randomness import new_generator
from sklearn_replearn.outliers import (
    CellSurprise,
    EstimatorScore,
    Evidence,
    FarFromBulk,
    Judge,
    LowDensity,
    NearestDistance,
    ReconstructionError,
    TrimmedEstimatorScore,
)
from sklearn_replearn.outliers.evidence import evidence_of
from sklearn_replearn.outliers.judges.cross_fitting import cross_fitted, seeded

JUDGES = [
    NearestDistance(),
    NearestDistance("quantile"),
    CellSurprise(),
    LowDensity(),
    FarFromBulk(),
    ReconstructionError(),
    EstimatorScore(PCA(3)),
    TrimmedEstimatorScore(PCA(3)),
]
# Of relations among all columns pairs show little (measured: .721 and .525), and an autoencoder
# spreads an error over the columns that depend on it (.999 and .39); others .990 and .95 at least.
SEES = {CellSurprise: (0.7, 0.5), ReconstructionError: (0.98, 0.35)}
every_judge = pytest.mark.parametrize("judge", JUDGES, ids=repr)


@every_judge
def test_it_sees_a_broken_relation_and_the_cell_that_breaks_it(judge):
    training, covariance = factors(1200, 0, 8)
    test, _ = factors(400, 1, 8)
    broken, j = test[:200].copy(), np.arange(200) % 8
    broken[np.arange(200), j] += 8 / np.sqrt(np.diag(np.linalg.inv(covariance)))[j]
    rows, normal, anomalous = observed(training, test[200:], broken)
    fitted = seeded(judge, 0).fit(rows)
    found = [evidence_of(fitted, some) for some in (normal, anomalous)]
    statistic = np.concatenate([some.statistic for some in found])
    auroc, named = SEES.get(type(judge), (0.98, 0.94))
    assert roc_auc_score(np.repeat([0, 1], 200), statistic) > auroc
    excess = found[1].parts - np.median(found[0].parts, axis=0)
    assert (excess.argmax(axis=1) == j).mean() > named


@every_judge
def test_what_it_says_of_a_row_does_not_depend_on_the_others(judge):
    training = factors(150, 0, 5)[0]
    rows, some = observed(training, factors(20, 1, 5)[0])
    fitted = seeded(judge, 0).fit(rows)
    together = evidence_of(fitted, some)
    for i in (0, 7):
        alone = evidence_of(fitted, some.take(np.array([i])))
        np.testing.assert_allclose(alone.statistic, together.statistic[[i]], rtol=1e-9)
        np.testing.assert_allclose(alone.parts, together.parts[[i]], rtol=1e-6, atol=1e-9)


@every_judge
def test_training_rows_are_judged_as_rows_that_come_later(judge):
    rows, later = observed(factors(2100, 0, 5)[0], factors(2000, 1, 5)[0])
    found = judge.fit_held_out(rows, new_generator(0))
    statistic = evidence_of(found.judge, later).statistic
    ranks = np.searchsorted(np.sort(found.statistic), statistic) / len(found.statistic)
    # By chance 99 in 100 of such tables depart by less than .051, and by .018 at .05. Autoencoders
    # differ from each other by more than that (measured: .073, and .070 for .05).
    most, at_most = (0.08, 0.022) if isinstance(judge, ReconstructionError) else (0.051, 0.018)
    assert kstest(ranks, "uniform").statistic < most
    assert (ranks > 0.95).mean() == pytest.approx(0.05, abs=at_most)
    assert found.expected.shape == (5,)
    with pytest.raises(NotFittedError):
        check_is_fitted(judge)


@every_judge
def test_odd_tables_get_numbers(judge):
    if isinstance(judge, EstimatorScore):
        judge = type(judge)(AutoencoderTransformer(max_epochs=2))
    far = np.vstack([np.full((1, 7), np.nan), np.full((1, 7), 1e30), np.zeros((1, 7))])
    rows, some = observed(odd(), far)
    fitted = seeded(judge, 0).fit(rows)
    for asked in (rows, some):
        evidence = evidence_of(fitted, asked)  # refuses NaN
        assert evidence.parts.shape == (len(asked), 7)
    assert evidence.statistic[1] > np.median(evidence_of(fitted, rows).statistic)


@every_judge
def test_clones_find_the_same(judge):
    (rows,) = observed(factors(100, 0, 4)[0])
    once, again = (seeded(clone(judge), 3).fit(rows).evidence(rows) for _ in range(2))
    np.testing.assert_array_equal(once.statistic, again.statistic)
    np.testing.assert_array_equal(once.parts, again.parts)


@pytest.mark.parametrize("judge", [CellSurprise(), ReconstructionError(), LowDensity()], ids=repr)
def test_it_sees_levels_that_do_not_go_together(judge):
    codes = np.random.RandomState(0).randint(5, size=(600, 1)).repeat(2, axis=1).astype(float)
    training, same, unlike = observed(
        codes, [[3.0, 3.0]], [[3.0, 1.0]], categorical_features=[0, 1]
    )
    assert training.is_categorical.all()
    fitted = seeded(judge, 0).fit(training)
    assert evidence_of(fitted, unlike).statistic > evidence_of(fitted, same).statistic


def test_a_level_that_the_network_has_not_seen_is_like_one_that_no_training_row_has():
    frame = pd.DataFrame(factors(300, 0, 4)[0]).rename(columns=str)
    frame["name"] = [f"row {i}" for i in range(300)]
    training, renamed = observed(frame, frame.assign(name="never seen"))
    fitted = ReconstructionError(random_state=0).fit(training.take(np.arange(150)))
    held_out = np.arange(150, 300)
    found = [evidence_of(fitted, rows.take(held_out)).statistic for rows in (training, renamed)]
    np.testing.assert_allclose(*found, rtol=1e-6)


# ---------------------------------------------------------------- cross-fitting


class Remembers(Judge):
    """Says whether it has seen a row, and how many."""

    def fit(self, rows):
        self.seen_ = {row.tobytes() for row in rows.table}

    def evidence(self, rows):
        return Evidence([row.tobytes() in self.seen_ for row in rows.table])


@pytest.mark.parametrize("n, n_folds", [(2, 2), (3, 3), (30, 10), (1500, 5), (5000, 4)])
def test_each_row_is_held_out_once(n, n_folds):
    (rows,) = observed(np.random.RandomState(0).normal(size=(n, 2)))
    folds = list(cross_fitted(Remembers(), rows, new_generator(0)))
    assert len(folds) == n_folds
    np.testing.assert_array_equal(
        np.sort(np.concatenate([held_out for _, held_out, _ in folds])), np.arange(n)
    )
    for judge, held_out, evidence in folds:
        assert not evidence.statistic.any()
        assert len(judge.seen_) == n - len(held_out)


def test_later_rows_are_judged_by_the_model_without_the_first_fold():
    (rows,) = observed(np.random.RandomState(0).normal(size=(40, 2)))
    found = Remembers().fit_held_out(rows, new_generator(0))
    assert not found.statistic.any()
    seen = evidence_of(found.judge, rows).statistic
    np.testing.assert_array_equal(np.flatnonzero(seen == 0), np.arange(0, 40, 10))


def test_only_what_is_unset_is_seeded():
    assert seeded(LowDensity(), 7).random_state == 7
    assert seeded(LowDensity(random_state=3), 7).random_state == 3
    assert seeded(EstimatorScore(PCA()), 7).estimator.random_state == 7


# ---------------------------------------------------------------- one by one


def test_nearest_distances_leave_out_the_row_itself():
    points = np.random.RandomState(0).normal(size=(200, 3))
    training, later = observed(points, points[:50] + 0.1)
    found = NearestDistance().fit_held_out(training, new_generator(0))
    # Space scales columns to variance 1; the statistic is the root of the mean square.
    scaled, moved = (rows.points() / np.sqrt(3) for rows in (training, later))
    distances = cdist(scaled, scaled)
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_allclose(found.statistic, distances.min(axis=1), rtol=1e-5)
    np.testing.assert_allclose(
        evidence_of(found.judge, later).statistic, cdist(moved, scaled).min(axis=1), rtol=1e-5
    )


def test_a_training_row_that_comes_again_is_compared_with_the_others():
    points = np.random.RandomState(0).normal(size=(200, 3))
    (training,) = observed(points)
    found = NearestDistance().fit_held_out(training, new_generator(0))
    np.testing.assert_allclose(evidence_of(found.judge, training).statistic, found.statistic)
    training.copies = np.full(200, 2.0)  # where rows repeat, one more copy is nothing new
    assert evidence_of(NearestDistance().fit(training), training).statistic.max() < 1e-6


def test_density_is_that_of_the_normal_distribution():
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
    random = np.random.RandomState(0)
    training, later = observed(
        random.multivariate_normal([0, 0], covariance, size=5000),
        random.multivariate_normal([0, 0], covariance, size=100),
    )
    found = LowDensity(n_components=1, random_state=0).fit(training).evidence(later).statistic
    expected = -multivariate_normal([0, 0], covariance).logpdf(later.table)
    np.testing.assert_allclose(found, expected, atol=0.15)


def test_the_bulk_is_not_shaped_by_a_cluster_of_anomalies():
    rows, _ = factors(450, 0, 4)
    cluster = 0.1 * np.random.RandomState(1).normal(size=(50, 4)) + 6
    (training,) = observed(np.vstack([rows, cluster]))
    bulk = FarFromBulk(random_state=0).fit(training).evidence(training).statistic
    y = np.repeat([0, 1], [450, 50])
    assert roc_auc_score(y, bulk) > 0.99
    held_out = LowDensity().fit_held_out(training, new_generator(0)).statistic
    assert roc_auc_score(y, held_out) < 0.9


def test_a_part_of_an_estimators_score_is_what_a_typical_cell_would_change():
    frame = mixed(300, 0)[["size", "count", "price"]].dropna()
    training, later = observed(frame, frame[:5])
    judge = EstimatorScore(KernelDensity(bandwidth=3.0)).fit(training)
    medians = np.sort(frame.to_numpy(dtype=float), axis=0)[len(frame) // 2]
    np.testing.assert_allclose(judge.typical_, medians)
    changed = frame[:5].assign(price=medians[2])
    scores = [-judge.estimator_.score_samples(table) for table in (frame[:5], changed)]
    found = judge.evidence(later)
    np.testing.assert_allclose(found.statistic, scores[0])
    np.testing.assert_allclose(found.parts[:, 2], scores[0] - scores[1], rtol=1e-5)


def test_an_estimator_that_is_fitted_is_not_fitted_again():
    rows, _ = factors(200, 0, 4)
    pca = PCA(2).fit(rows)
    judge = EstimatorScore(pca)
    for kind in (EstimatorScore, TrimmedEstimatorScore):
        found = kind(pca).fit_held_out(observed(rows[:50])[0], new_generator(0))
        assert found.judge.estimator_ is pca
        np.testing.assert_allclose(found.statistic, -pca.score_samples(rows[:50]), rtol=1e-5)
    assert not hasattr(judge, "estimator_")
