"""Weights of training rows: how often each one counts."""

import numpy as np
import pandas as pd
import pytest
from outlier_tables import factors, mixed
from sklearn.base import clone
from sklearn.decomposition import PCA

from sklearn_replearn import OutlierDetector
from sklearn_replearn.outliers import LowDensity, NearestDistance

# Of 40 rows, or fewer that differ, none can be called anomalous at .05.
pytestmark = pytest.mark.filterwarnings("ignore:No row can be called anomalous at alpha=0.05")

DETECTORS = {
    "normal": OutlierDetector(),
    "contaminated": OutlierDetector(novelty=False),
    "share": OutlierDetector(contamination=0.1),
    "share, contaminated": OutlierDetector(novelty=False, contamination=0.1),
    "own judges": OutlierDetector(judges=[NearestDistance(), LowDensity(1)]),
    "estimator": OutlierDetector(PCA(2)),
}
every_detector = pytest.mark.parametrize("name", DETECTORS)


def table(name, n, seed):
    return factors(n, seed, 3)[0] if name == "estimator" else mixed(n, seed)


def same(one, other, rows):
    for method in ("predict", "score_samples", "p_values"):
        np.testing.assert_array_equal(getattr(one, method)(rows), getattr(other, method)(rows))
    assert one.offset_ == other.offset_


@every_detector
def test_a_weight_is_as_many_equal_rows_and_none_is_no_row(name):
    rows, later = pd.DataFrame(table(name, 60, 0)), pd.DataFrame(table(name, 20, 1))
    times = np.random.RandomState(2).randint(3, size=60)
    repeated = rows.iloc[np.repeat(np.arange(60), times)]
    weighted = clone(DETECTORS[name]).fit(rows, sample_weight=times)
    same(weighted, DETECTORS[name].fit(repeated), pd.concat([rows, later]))


def test_a_level_of_rows_that_weigh_nothing_has_not_been_seen():
    rows = mixed(60, 0).dropna()
    weights = (rows["kind"] != "a").astype(float).to_numpy()
    weighted = OutlierDetector().fit(rows, sample_weight=weights)
    same(weighted, OutlierDetector().fit(rows[weights > 0]), rows)


@pytest.mark.parametrize(
    "given", [None, np.ones(40), [1] * 40, 1.0], ids=["None", "ones", "list", "number"]
)
def test_equal_weights_are_none(given):
    rows = factors(40, 0, 3)[0]
    expected = OutlierDetector().fit(rows)
    same(OutlierDetector().fit(rows, sample_weight=given), expected, rows)
    share = OutlierDetector(contamination=0.1).fit(rows, None, given)
    assert (share.predict(rows) == -1).sum() == 4


def test_with_contamination_the_share_is_of_weights():
    rows = factors(100, 0, 3)[0]
    far = np.arange(100) < 10
    rows[far] += 20
    weights = np.where(far, 1.0, 9.0)  # of 820 rows that count 10 are far
    detector = OutlierDetector(novelty=False, contamination=10 / 820).fit(rows, None, weights)
    np.testing.assert_array_equal(detector.predict(rows) == -1, far)


@pytest.mark.parametrize("weight", [0.25, 10.0])
def test_how_large_equal_weights_are_raises_no_false_alarms(weight):
    alarms = []
    for seed in range(3):
        random = np.random.RandomState(seed)
        rows, later = random.normal(size=(100, 3)), random.normal(size=(500, 3))
        detector = OutlierDetector().fit(rows, sample_weight=np.full(100, weight))
        alarms.append((detector.predict(later) == -1).mean())
    assert 0.01 < np.mean(alarms) < 0.09


def test_what_weighs_nothing_is_not_looked_at():
    rows = factors(60, 0, 3)[0]
    odd = np.vstack([rows, np.full((1, 3), 1e200)])
    weights = np.append(np.ones(60), 0)
    same(OutlierDetector().fit(odd, None, weights), OutlierDetector().fit(rows), rows)


@pytest.mark.parametrize(
    "weights, words",
    [
        ([1.0, 2.0], "sample_weight"),
        (-np.ones(30), "Negative|negative"),
        (np.full(30, np.nan), "NaN"),
        (np.full(30, 1e308), "adds up to more"),
        (np.zeros(30), "at least one non-zero"),
        (np.eye(30)[0], "sample_weight leaves one row"),
        (["a"] * 30, "sample_weight must be numbers"),
    ],
    ids=["too few", "negative", "NaN", "huge", "zeros", "one", "text"],
)
def test_weights_that_cannot_be_are_refused(weights, words):
    detector, rows = OutlierDetector(), factors(30, 0, 3)[0]
    with pytest.raises(ValueError, match=words):
        detector.fit(rows, sample_weight=weights)
    assert not hasattr(detector, "offset_")
