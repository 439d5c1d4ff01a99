"""A user's judge: one class outside the package."""

import pickle

import numpy as np
import pandas as pd
import pytest
from outlier_tables import factors, mixed
from scipy.stats import kstest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from sklearn_replearn import OutlierDetector
from sklearn_replearn.outliers import (
    CellSurprise,
    EstimatorScore,
    Evidence,
    FarFromBulk,
    Judge,
    LowDensity,
    NearestDistance,
    ReconstructionError,
)


class FarFromMedian(Judge):
    """How far cells are from the medians of their columns."""

    def __init__(self, power=2.0):
        self.power = power

    def fit(self, rows):
        self.medians_ = np.median(rows.points(), axis=0)
        return self

    def evidence(self, rows):
        far = np.abs(rows.points() - self.medians_) ** self.power
        return Evidence(far.sum(axis=1), rows.by_column(far))


class NumberOfMissingCells(Judge):
    """Nothing to learn, and nothing to say of single cells."""

    def evidence(self, rows):
        return Evidence((~rows.known).sum(axis=1))


class FarAlongSomeAxis(Judge):
    """One that draws."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, rows):
        random = np.random.RandomState(self.random_state)
        self.axis_ = random.normal(size=rows.points().shape[1])

    def evidence(self, rows):
        return Evidence(np.abs((rows.points() * self.axis_).sum(axis=1)))


JUDGES = [NearestDistance(), FarFromMedian(power=1.5)]


@pytest.fixture(scope="module")
def detector():
    return OutlierDetector(judges=JUDGES).fit(factors(1000, 0, 5)[0])


def test_anomalies_are_found_and_explained(detector):
    rows = factors(200, 1, 5)[0]
    odd = rows.copy()
    odd[:, 3] += 20
    scores = [detector.score_samples(table) for table in (rows, odd)]
    assert roc_auc_score(np.repeat([1, 0], 200), np.concatenate(scores)) > 0.99
    explained = detector.explain(odd)
    np.testing.assert_allclose(explained.sum(axis=1), -scores[1], rtol=1e-6, atol=1e-9)
    assert (explained.to_numpy().argmax(axis=1) == 3).mean() > 0.95
    assert detector.top_reasons(odd[:1]).iloc[0, 0].startswith("x3 = ")


def test_p_values_of_normal_rows_are_about_uniform(detector):
    p_values = detector.p_values(factors(2000, 2, 5)[0])
    # Of 1,000 training and 2,000 other rows 99 in 100 depart by less than this by chance.
    assert kstest(p_values, "uniform").statistic < 1.63 * np.sqrt(1 / 1000 + 1 / 2000)
    assert (p_values <= 0.05).mean() == pytest.approx(0.05, abs=0.02)


def test_a_row_has_its_score_in_any_company(detector):
    rows = factors(60, 3, 5)[0]
    alone = [detector.score_samples(row[None])[0] for row in rows]
    np.testing.assert_array_equal(detector.score_samples(rows), alone)


def test_it_is_cloned_and_pickled(detector):
    rows = factors(20, 1, 5)[0]
    copy = clone(detector)
    assert copy.judges[1] is not JUDGES[1]
    assert copy.get_params()["judges"][1].get_params() == {"power": 1.5}
    assert not hasattr(copy.judges[1], "medians_")
    assert not hasattr(JUDGES[1], "medians_")  # that of the user stays as it was
    assert detector.judges_[1].medians_.shape == (5,)
    again = copy.fit(factors(1000, 0, 5)[0])
    loaded = pickle.loads(pickle.dumps(detector))
    for other in (again, loaded):
        np.testing.assert_array_equal(other.score_samples(rows), detector.score_samples(rows))


def test_the_order_of_training_rows_does_not_matter(detector):
    rows = factors(1000, 0, 5)[0]
    shuffled = OutlierDetector(judges=JUDGES).fit(rows[::-1])
    np.testing.assert_array_equal(shuffled.score_samples(rows), detector.score_samples(rows))


def test_it_may_draw():
    rows = factors(200, 0, 5)[0]

    def scores(**parameters):
        judges = [FarAlongSomeAxis(parameters.pop("seed", None))]
        return OutlierDetector(judges=judges, **parameters).fit(rows).score_samples(rows)

    np.testing.assert_array_equal(scores(), scores())
    assert (scores() != scores(random_state=1)).any()
    np.testing.assert_array_equal(scores(seed=5), scores(seed=5, random_state=1))


def test_mixed_tables_and_equal_shares():
    frame = mixed(400, 0)
    detector = OutlierDetector(judges=[NumberOfMissingCells(), FarFromMedian()]).fit(frame)
    rows = mixed(100, 1)
    explained = detector.explain(rows)
    assert list(explained.columns) == list(frame.columns)
    np.testing.assert_allclose(explained.sum(axis=1), -detector.score_samples(rows), atol=1e-9)
    alone = OutlierDetector(judges=[NumberOfMissingCells()]).fit(frame)
    shares = alone.explain(rows)
    np.testing.assert_allclose(shares.std(axis=1), 0, atol=1e-12)
    dtypes = frame.dtypes.to_dict() | {"count": float}
    empty = pd.DataFrame({name: [None] for name in frame}).astype(dtypes)
    assert alone.predict(empty)[0] == -1
    # A statistic of three values: those that most rows have are no alarm.
    assert (alone.predict(rows[rows.notna().all(axis=1)]) == 1).all()


def test_the_default_judges_are_of_the_same_kind():
    rows = factors(20, 0, 3)[0]
    default = OutlierDetector().fit(rows)
    given = [
        NearestDistance("standard"),
        NearestDistance("quantile"),
        CellSurprise(),
        LowDensity(),
        ReconstructionError(),
    ]
    assert [type(judge) for judge in default.judges_] == [type(judge) for judge in given]
    found = OutlierDetector(judges=given).fit(rows)
    np.testing.assert_array_equal(found.score_samples(rows), default.score_samples(rows))


def test_an_estimator_may_be_among_them():
    rows = factors(300, 0, 5)[0]
    detector = OutlierDetector(judges=(FarFromMedian(), EstimatorScore(PCA(3)))).fit(rows)
    assert detector.score_samples(rows + 50).max() < detector.score_samples(rows).min()
    assert detector.estimator_ is None
    assert detector.judges_[1].estimator_.n_components_ == 3


# ---------------------------------------------------------------- what cannot work


@pytest.mark.parametrize(
    "parameters, kind, words",
    [
        ({"judges": JUDGES, "estimator": PCA()}, ValueError, r"EstimatorScore\(estimator\)"),
        ({"judges": [FarFromBulk()], "novelty": False}, ValueError, "Leave novelty=True"),
        ({"judges": []}, ValueError, "judges is empty"),
        ({"judges": [IsolationForest()]}, TypeError, r"EstimatorScore\(IsolationForest\(...\)\)"),
        ({"judges": [FarFromMedian(), FarFromMedian]}, TypeError, r"judges\[1\].*an instance"),
        ({"judges": ["nearest"]}, TypeError, "a subclass of sklearn_replearn.outliers.Judge"),
        ({"judges": "nearest"}, ValueError, "judges"),
        ({"judges": [NearestDistance("cosine")]}, ValueError, "'space' parameter.*'cosine'"),
    ],
)
def test_parameters_that_cannot_work_are_refused(parameters, kind, words):
    with pytest.raises(kind, match=words):
        OutlierDetector(**parameters).fit(factors(50, 0, 4)[0])


def one_short(rows):
    return Evidence(np.ones(len(rows) - 1))


def nothing_for_one(rows):
    return Evidence(np.append(np.ones(len(rows) - 1), np.nan))


def one_number_a_row(rows):
    return Evidence(np.ones(len(rows)), np.ones(len(rows)))


def infinite_parts(rows):
    return Evidence(np.ones(len(rows)), np.full(rows.table.shape, np.inf))


@pytest.mark.parametrize(
    "says, kind, words",
    [
        (one_short, ValueError, r"must have shape \(5,\), one number for each row; got \(4,\)"),
        (nothing_for_one, ValueError, "NaN for 1 of 5 rows.*rows.known"),
        (one_number_a_row, ValueError, r"\(5, 4\), one number for each cell; got \(5,\)"),
        (infinite_parts, ValueError, "not finite for 20 cells.*Give 0"),
        (lambda rows: np.ones(len(rows)), TypeError, "must return an Evidence.*got ndarray"),
        (lambda rows: Evidence(["a"] * len(rows)), TypeError, "must be an array of numbers"),
    ],
)
def test_a_judge_that_says_nothing_sensible_is_named(says, kind, words):
    class Confused(Judge):
        def evidence(self, rows):
            return says(rows)

    with pytest.raises(kind, match=f"(?s)Confused.evidence.*{words}"):
        OutlierDetector(judges=[Confused()]).fit(np.random.RandomState(0).normal(size=(50, 4)))


def test_a_judge_without_evidence_cannot_be_made():
    class Silent(Judge):
        pass

    with pytest.raises(TypeError, match="evidence"):
        Silent()
