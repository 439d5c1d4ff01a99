"""Each judge by itself: what it sees, and that it says the same of a row in any company."""

import numpy as np
import pytest
from outlier_tables import factors, mixed, observed, odd
from scipy.spatial.distance import cdist
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.utils.validation import NotFittedError, check_is_fitted

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn.outliers import (
    EstimatorScore,
    LowDensity,
    NearestDistance,
    PairDensity,
    Trimmed,
)
from sklearn_replearn.outliers.judges.base import seeded, statistic_of

JUDGES = [
    NearestDistance(),
    NearestDistance("quantile"),
    PairDensity(),
    LowDensity(),
    LowDensity(2, space="standard"),
    EstimatorScore(PCA(3)),
    Trimmed(LowDensity(1)),
    Trimmed(PairDensity()),
    Trimmed(EstimatorScore(PCA(3))),
]
every_judge = pytest.mark.parametrize("judge", JUDGES, ids=repr)


def asks_for_pairs(judge):
    return isinstance(getattr(judge, "judge", judge), PairDensity)


@every_judge
def test_it_sees_a_broken_relation(judge):
    training, covariance = factors(1200, 0, 8)
    test, _ = factors(400, 1, 8)
    broken, j = test[:200].copy(), np.arange(200) % 8
    broken[np.arange(200), j] += 8 / np.sqrt(np.diag(np.linalg.inv(covariance)))[j]
    rows, normal, anomalous = observed(training, test[200:], broken)
    fitted = seeded(judge, 0).fit(rows)
    statistic = np.concatenate([statistic_of(fitted, some) for some in (normal, anomalous)])
    # Of relations among all columns pairs show little.
    least = 0.75 if asks_for_pairs(judge) else 0.98
    assert roc_auc_score(np.repeat([0, 1], 200), statistic) > least


@every_judge
def test_what_it_says_of_a_row_does_not_depend_on_the_others(judge):
    rows, some = observed(mixed(150, 0), mixed(20, 1))
    if isinstance(getattr(judge, "judge", judge), EstimatorScore):  # PCA takes neither
        rows, some = observed(factors(150, 0, 5)[0], factors(20, 1, 5)[0])
    fitted = seeded(judge, 0).fit(rows)
    together = statistic_of(fitted, some)
    backwards = statistic_of(fitted, some.take(np.arange(20)[::-1]))[::-1]
    np.testing.assert_allclose(backwards, together, rtol=1e-12)
    for i in (0, 7, 19):
        alone = statistic_of(fitted, some.take(np.array([i])))
        np.testing.assert_allclose(alone, together[[i]], rtol=1e-9)


@every_judge
def test_odd_tables_get_numbers(judge):
    if isinstance(getattr(judge, "judge", judge), EstimatorScore):
        judge = EstimatorScore(AutoencoderTransformer(max_epochs=2))
    far = np.vstack([np.full((1, 7), np.nan), np.full((1, 7), 1e30), np.zeros((1, 7))])
    rows, some = observed(odd(), far)
    fitted = seeded(judge, 0).fit(rows)
    usual, odd_ones = statistic_of(fitted, rows), statistic_of(fitted, some)  # refuses NaN
    assert odd_ones[1] > np.median(usual)


@every_judge
@pytest.mark.parametrize("shape", [(2, 1), (3, 1), (3, 4), (30, 1)])
def test_few_rows_and_one_column(judge, shape):
    judge = clone(judge)
    if "PCA" in repr(judge):
        inner = judge if isinstance(judge, EstimatorScore) else judge.judge
        inner.set_params(estimator=PCA(1))
    points = np.random.RandomState(0).normal(size=shape)
    rows, far = observed(points, points + 50)
    fitted = seeded(judge, 0).fit(rows)
    usual, distant = statistic_of(fitted, rows), statistic_of(fitted, far)
    assert np.isfinite(usual).all() and np.isfinite(distant).all()
    if "PCA" not in repr(judge):  # to one component all rows of one column are equal
        assert distant.min() > usual.max()


@every_judge
def test_clones_find_the_same_and_the_one_given_stays_as_it_was(judge):
    (rows,) = observed(factors(100, 0, 4)[0])
    once, again = (seeded(clone(judge), 3).fit(rows).statistic(rows) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    with pytest.raises(NotFittedError):
        check_is_fitted(judge)


@pytest.mark.parametrize(
    "judge", [PairDensity(), LowDensity(), NearestDistance(), Trimmed(PairDensity())], ids=repr
)
def test_it_sees_levels_that_do_not_go_together(judge):
    codes = np.random.RandomState(0).randint(5, size=(300, 1)).repeat(2, axis=1).astype(float)
    training, same, unlike = observed(
        codes, [[3.0, 3.0]], [[3.0, 1.0]], categorical_features=[0, 1]
    )
    assert training.is_categorical.all()
    fitted = seeded(judge, 0).fit(training)
    assert statistic_of(fitted, unlike) > statistic_of(fitted, same)


# ---------------------------------------------------------------- nearest


def test_nearest_distances_leave_out_the_row_itself():
    points = np.random.RandomState(0).normal(size=(200, 3))
    training, later = observed(points, points[:50] + 0.1)
    fitted = NearestDistance().fit(training)
    # Space scales columns to variance 1; the statistic is the root of the mean square.
    scaled, moved = (rows.points() / np.sqrt(3) for rows in (training, later))
    distances = cdist(scaled, scaled)
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_allclose(fitted.statistic(training), distances.min(axis=1), rtol=1e-5)
    np.testing.assert_allclose(fitted.statistic(later), cdist(moved, scaled).min(axis=1), rtol=1e-5)


def test_where_rows_repeat_one_more_copy_is_nothing_new():
    (training,) = observed(np.repeat(np.random.RandomState(0).normal(size=(100, 3)), 2, axis=0))
    assert NearestDistance().fit(training).statistic(training).max() < 1e-6


# ---------------------------------------------------------------- densities


def test_density_is_that_of_the_normal_distribution():
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
    random = np.random.RandomState(0)
    training, later = observed(
        random.multivariate_normal([0, 0], covariance, size=4000),
        random.multivariate_normal([0, 0], covariance, size=100),
    )
    found = LowDensity(1, space="standard", random_state=0).fit(training).statistic(later)
    expected = -multivariate_normal([0, 0], covariance).logpdf(later.table)
    np.testing.assert_allclose(found, expected, atol=0.15)


@pytest.mark.parametrize("n, least, most", [(12, 1, 1), (600, 3, 16)])
def test_as_many_components_as_there_are_rows_for(n, least, most):
    random = np.random.RandomState(0)
    points = random.normal(size=(n, 2)) + 20 * random.randint(3, size=(n, 1))
    (rows,) = observed(points)
    assert least <= len(LowDensity(random_state=0).fit(rows).density_.means) <= most
    assert len(LowDensity(2, random_state=0).fit(rows).density_.means) == min(2, most)


# ---------------------------------------------------------------- estimators


def test_an_estimators_statistic_is_minus_its_score():
    frame = mixed(200, 0)[["size", "count", "price"]].dropna()
    training, later = observed(frame, frame[:5])
    judge = EstimatorScore(PCA(2)).fit(training)
    np.testing.assert_allclose(
        judge.statistic(later), -judge.estimator_.score_samples(frame[:5].astype(float))
    )


def test_an_estimator_that_is_fitted_is_not_fitted_again():
    rows, _ = factors(200, 0, 4)
    pca, (some,) = PCA(2).fit(rows), observed(rows[:50])
    judge = EstimatorScore(pca).fit(some)
    assert judge.estimator_ is pca
    np.testing.assert_allclose(judge.statistic(some), -pca.score_samples(rows[:50]), rtol=1e-5)
