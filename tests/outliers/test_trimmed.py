"""Judges that are fitted to the bulk of rows among which there are anomalies."""

import numpy as np
import pytest
from outlier_tables import factors, observed
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from sklearn_replearn import OutlierDetector
from sklearn_replearn.outliers import EstimatorScore, Judge, LowDensity, PairDensity, Trimmed
from sklearn_replearn.outliers.judges.base import seeded

JUDGES = [LowDensity(1), LowDensity(8, space="standard"), PairDensity(), EstimatorScore(PCA(2))]


class Remembers(Judge):
    """How far the first column is from that of the rows of fit, and how many these were."""

    def fit(self, rows):
        self.n_ = len(rows)
        self.mean_ = rows.table[:, 0].mean()
        return self

    def statistic(self, rows):
        return np.abs(rows.table[:, 0] - self.mean_)


@pytest.mark.parametrize("judge", JUDGES, ids=repr)
def test_the_bulk_is_not_shaped_by_anomalies(judge):
    rows, _ = factors(360, 0, 4)
    cluster = 0.1 * np.random.RandomState(1).normal(size=(40, 4)) + [6, -6, 6, 6]
    (training,) = observed(np.vstack([rows, cluster]))
    y = np.repeat([0, 1], [360, 40])
    trimmed = seeded(Trimmed(judge), 0).fit(training)
    assert roc_auc_score(y, trimmed.statistic(training)) > 0.99
    of_all = seeded(judge, 0).fit(training)

    def gap(judge):
        statistic = judge.statistic(training)
        return (np.median(statistic[360:]) - np.median(statistic[:360])) / statistic[:360].std()

    assert gap(trimmed) > 1.2 * gap(of_all)


@pytest.mark.parametrize("n, n_bulk", [(2, 2), (3, 2), (100, 75)])
def test_it_is_fitted_to_three_quarters(n, n_bulk):
    points = np.random.RandomState(0).normal(size=(n, 1))
    points[0] = 1e6
    (rows,) = observed(points)
    given = Remembers()
    fitted = Trimmed(given).fit(rows)
    assert fitted.judge_.n_ == n_bulk
    assert not hasattr(given, "n_")
    if n > 2:
        assert abs(fitted.judge_.mean_) < 1
    np.testing.assert_array_equal(fitted.statistic(rows), fitted.judge_.statistic(rows))


def test_what_is_no_judge_is_refused():
    with pytest.raises(ValueError, match="'judge' parameter"):
        OutlierDetector(judges=[Trimmed(PCA())]).fit(factors(50, 0, 3)[0])
