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
    EstimatorScore,
    Judge,
    LowDensity,
    NearestDistance,
    PairDensity,
    Trimmed,
)


class FarFromMedian(Judge):
    """How far cells are from the medians of their columns."""

    def __init__(self, power=2.0):
        self.power = power

    def fit(self, rows):
        self.medians_ = np.median(rows.points(), axis=0)
        return self

    def statistic(self, rows):
        return (np.abs(rows.points() - self.medians_) ** self.power).sum(axis=1)


class NumberOfMissingCells(Judge):
    """Nothing to learn."""

    def statistic(self, rows):
        return (~rows.known).sum(axis=1)


class FarAlongSomeAxis(Judge):
    """One that draws."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, rows):
        random = np.random.RandomState(self.random_state)
        self.axis_ = random.normal(size=rows.points().shape[1])  # and returns nothing

    def statistic(self, rows):
        return np.abs((rows.points() * self.axis_).sum(axis=1))


JUDGES = [NearestDistance(), FarFromMedian(power=1.5)]


@pytest.fixture(scope="module")
def detector():
    return OutlierDetector(judges=JUDGES).fit(factors(600, 0, 5)[0])


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
    # Of 600 training and 2,000 other rows 99 in 100 depart by less than this by chance.
    assert kstest(p_values, "uniform").statistic < 1.63 * np.sqrt(1 / 600 + 1 / 2000)
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
    again = copy.fit(factors(600, 0, 5)[0])
    loaded = pickle.loads(pickle.dumps(detector))
    for other in (again, loaded):
        np.testing.assert_array_equal(other.score_samples(rows), detector.score_samples(rows))


def test_the_order_of_training_rows_does_not_matter(detector):
    rows = factors(600, 0, 5)[0]
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


def test_mixed_tables():
    frame = mixed(400, 0)
    detector = OutlierDetector(judges=[NumberOfMissingCells(), FarFromMedian()]).fit(frame)
    rows = mixed(100, 1)
    explained = detector.explain(rows)
    assert list(explained.columns) == list(frame.columns)
    np.testing.assert_allclose(explained.sum(axis=1), -detector.score_samples(rows), atol=1e-9)
    alone = OutlierDetector(judges=[NumberOfMissingCells()]).fit(frame)
    shares, missing = alone.explain(rows).to_numpy(), rows.isna().to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), -alone.score_samples(rows), atol=1e-9)
    assert shares[missing].min() > shares[~missing & missing.any(axis=1)[:, None]].max()
    dtypes = frame.dtypes.to_dict() | {"count": float}
    empty = pd.DataFrame({name: [None] for name in frame}).astype(dtypes)
    assert alone.predict(empty)[0] == -1
    # A statistic of three values: those that most rows have are no alarm.
    assert (alone.predict(rows[rows.notna().all(axis=1)]) == 1).all()


def test_trimmed_it_may_draw_too():
    rows = factors(100, 0, 5)[0]
    one, again, other = (
        OutlierDetector(judges=[Trimmed(FarAlongSomeAxis())], random_state=seed)
        .fit(rows)
        .score_samples(rows)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


@pytest.mark.parametrize("novelty", [True, False])
def test_the_default_judges_are_of_the_same_kind(novelty):
    rows = factors(40, 0, 3)[0]
    default = OutlierDetector(novelty=novelty).fit(rows)
    if novelty:
        given = [NearestDistance(), NearestDistance("quantile"), PairDensity(), LowDensity()]
    else:
        mixtures = LowDensity(1, space="standard"), LowDensity(8, space="standard")
        given = [*map(Trimmed, (*mixtures, PairDensity()))]
    found = OutlierDetector(judges=given).fit(rows)
    np.testing.assert_array_equal(found.score_samples(rows), default.score_samples(rows))


def test_rows_are_taken_and_answers_remembered():
    class AsksOften(Judge):
        def statistic(self, rows):
            rows.once(self.count, rows)
            rows.once(self.count, rows)
            assert rows.take(np.arange(len(rows))).points("quantile").shape == (len(rows), 3)
            np.testing.assert_array_equal(rows.take(np.array([0])).points(), rows.points()[:1])
            with pytest.raises(ValueError, match="space must be one of"):
                rows.points("cosine")
            return rows.points()[:, 0]

        def count(self, rows):
            asked.append(len(rows))

    asked = []
    OutlierDetector(judges=[AsksOften()]).fit(factors(40, 0, 3)[0])
    assert asked == [4] * 10


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
        ({"judges": [LowDensity()], "novelty": False}, ValueError, "Leave novelty=True"),
        ({"judges": []}, ValueError, "judges is empty"),
        ({"judges": [IsolationForest()]}, TypeError, r"as EstimatorScore\(estimator\)"),
        ({"judges": [FarFromMedian(), FarFromMedian]}, TypeError, r"judges\[1\].*Give instances"),
        ({"judges": ["nearest"]}, TypeError, "subclasses of sklearn_replearn.outliers.Judge"),
        ({"judges": "nearest"}, ValueError, "judges"),
        ({"judges": [NearestDistance("cosine")]}, ValueError, "'space' parameter.*'cosine'"),
    ],
)
def test_parameters_that_cannot_work_are_refused(parameters, kind, words):
    with pytest.raises(kind, match=words):
        OutlierDetector(**parameters).fit(factors(50, 0, 4)[0])


def one_short(rows):
    return np.ones(len(rows) - 1)


def nothing_for_one(rows):
    return np.append(np.ones(len(rows) - 1), np.nan)


def one_number_a_cell(rows):
    return np.ones(rows.table.shape)


@pytest.mark.parametrize(
    "says, kind, words",
    [
        (
            one_short,
            ValueError,
            r"one number for each of the .* rows, of shape \(5,\).*got \(4,\)",
        ),
        (
            one_number_a_cell,
            ValueError,
            r"one number for each of the .* rows, of shape \(5,\).*got \(5, 4\)",
        ),
        (lambda rows: 0.5, ValueError, r"one number for each of the.*got \(\)"),
        (lambda rows: None, ValueError, r"one number for each of the.*got \(\)"),
        (nothing_for_one, ValueError, "rows.known.*NaN for 1 of them"),
        (lambda rows: ["a"] * len(rows), TypeError, "one number for each of the"),
        (lambda rows: {"statistic": 1}, TypeError, "one number for each of the"),
        (lambda rows: [[1.0], [1.0, 2.0]], TypeError, "one number for each of the"),
    ],
)
@pytest.mark.parametrize("trimmed", [False, True])
def test_a_judge_that_says_nothing_sensible_is_named(says, kind, words, trimmed):
    class Confused(Judge):
        def statistic(self, rows):
            return says(rows)

    judge = Confused()
    if trimmed:  # which asks about as many rows as it is fitted to
        judge, words = Trimmed(judge), words.replace("5", r"\d+").replace("4", r"\d+")
    with pytest.raises(kind, match=f"(?s)Confused.statistic.*{words}"):
        OutlierDetector(judges=[judge]).fit(np.random.RandomState(0).normal(size=(50, 4)))


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
def test_infinite_statistics_are_the_largest_that_there_are(value):
    class Sure(Judge):
        def statistic(self, rows):
            return np.where(rows.table[:, 0] > 1, value, rows.table[:, 0])

    rows = np.random.RandomState(0).normal(size=(100, 2))
    scores = OutlierDetector(judges=[Sure()]).fit(rows).score_samples(rows)
    assert np.isfinite(scores).all()
    sure = rows[:, 0] > 1
    assert (scores[sure].max() < scores[~sure].min()) == (value > 0)


def test_lists_and_other_numbers_are_statistics_too():
    class Lists(Judge):
        def statistic(self, rows):
            return [int(cell) for cell in 100 * np.abs(rows.table[:, 0])]

    rows = np.random.RandomState(0).normal(size=(100, 2))
    assert OutlierDetector(judges=[Lists()]).fit(rows).predict([[50.0, 0.0]]) == [-1]


def test_a_judge_without_a_statistic_cannot_be_made():
    class Silent(Judge):
        pass

    with pytest.raises(TypeError, match="statistic"):
        Silent()
