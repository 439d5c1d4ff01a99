"""Rows that are there several times, ties of scores, and what follows for p-values."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklearn_replearn import OutlierDetector
from sklearn_replearn.outliers import Judge, NearestDistance
from sklearn_replearn.outliers.calibration import Calibration
from sklearn_replearn.outliers.repeats import Repeated, groups_of, middle_of_equals, units_of

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
DETECTORS = {
    "normal": OutlierDetector(),
    "unlabelled": OutlierDetector(novelty=False),
}
every_detector = pytest.mark.parametrize("mode", DETECTORS)


# ---------------------------------------------------------------- which rows are copies


def test_rows_are_equal_where_all_cells_are_missing_cells_included():
    table = np.array([[1.0, np.nan], [1.0, np.nan], [1.0, 2.0], [1.0, 2.0], [np.nan, 2.0]])
    np.testing.assert_array_equal(groups_of(table), [0, 0, 1, 1, 2])


def test_copies_are_held_out_together_and_rows_that_are_equal_by_chance_are_not():
    rows = np.sort(np.random.RandomState(0).normal(size=(50, 1)), axis=0)
    copied = np.repeat(rows, np.where(np.arange(50) < 10, 3, 1), axis=0)
    numbers = np.array([False])
    np.testing.assert_array_equal(units_of(copied, numbers), groups_of(copied))
    answers = np.repeat(np.arange(5.0), 14)[:, None]
    np.testing.assert_array_equal(units_of(answers, numbers), np.arange(70))
    np.testing.assert_array_equal(units_of(copied, ~numbers), np.arange(70))  # levels
    often = np.vstack([np.zeros((12, 1)), np.abs(copied)])
    np.testing.assert_array_equal(units_of(often, numbers)[:12], np.arange(12))


@pytest.mark.parametrize("times", [2, 10, 100])
def test_rows_that_weights_repeat_are_copies(times):
    rows = np.sort(np.random.RandomState(0).normal(size=(50, 1)), axis=0)
    copied = np.repeat(rows, times, axis=0)
    np.testing.assert_array_equal(units_of(copied, np.array([False])), groups_of(copied))


def test_equal_rows_have_the_middle_of_their_values():
    values = np.array([3.0, 1.0, 2.0, 7.0, 5.0, 4.0])
    found = middle_of_equals(np.array([0, 0, 0, 1, 2, 2]), values)
    np.testing.assert_array_equal(found, [2.0, 2.0, 2.0, 7.0, 5.0, 5.0])


def test_a_row_is_at_most_as_surprising_as_its_equals():
    table = np.array([[1.0, 0.0], [1.0, 0.0], [2.0, np.nan]])
    repeated = Repeated(groups_of(table), np.arange(3), table, np.array([3.0, 3.0, 5.0]))
    later = np.array([[1.0, -0.0], [2.0, np.nan], [1.0, 0.0]])
    np.testing.assert_array_equal(repeated.at_most(np.array([4.0, 6.0, 2.0]), later), [3, 6, 2])


def test_a_copy_counts_as_often_as_rows_do():
    calibration = Calibration(np.array([1.0, 1.0, 2.0, 2.0]), weight=2.0)
    np.testing.assert_allclose(calibration.p_values([0.0, 1.0, 3.0]), [1 / 3, 2 / 3, 1])
    assert calibration.smallest == pytest.approx(1 / 3)
    assert calibration.threshold(0.3) == -np.inf
    assert calibration.threshold(0.5) == 1.0


def test_ties_that_are_drawn_lie_between_none_and_all():
    calibration, scores = Calibration(np.array([1.0, 1.0, 1.0, 2.0])), np.array([1.0, 1.0])
    found = calibration.p_values_at_random(scores, scores, np.array([0.0, 1 - 1e-9]))
    np.testing.assert_allclose(found, [0.8, 0.0], atol=1e-8)


def test_p_values_with_ties_at_random_do_not_go_by_place():
    X = np.random.default_rng(0).integers(0, 3, (60, 2)).astype(float)
    detector = OutlierDetector(judges=[NearestDistance()], random_state=0).fit(X)
    different = np.unique(X, axis=0)
    p = detector.p_values(different, ties="random")
    assert np.array_equal(detector.p_values(different[::-1], ties="random"), p[::-1])
    alone = [detector.p_values(row[None], ties="random")[0] for row in different]
    assert np.array_equal(alone, p)
    assert len(set(detector.p_values(X, ties="random"))) > len(different)


# ---------------------------------------------------------------- what it comes to


@every_detector
@pytest.mark.parametrize(
    "table",
    [
        np.ones((300, 2)),
        np.ones((25, 1)),
        np.full((100, 3), np.nan),
        pd.DataFrame({"a": ["x"] * 60, "b": pd.Timestamp("2024-01-01")}),
        pd.DataFrame({"a": [True] * 60, "b": pd.Categorical(["x"] * 60)}),
    ],
    ids=["ones", "few", "missing", "date", "levels"],
)
def test_rows_of_a_constant_table_are_normal(mode, table):
    detector = DETECTORS[mode].fit(table)
    np.testing.assert_array_equal(detector.p_values(table[:2]), 1.0)
    np.testing.assert_array_equal(detector.predict(table[:2]), 1)


@every_detector
@pytest.mark.parametrize("share", [0.01, 0.15])
def test_the_most_frequent_row_is_the_most_normal(mode, share):
    flags = (np.random.RandomState(0).uniform(size=(300, 3)) < share / 3).astype(float)
    detector = DETECTORS[mode].fit(flags)
    assert detector.p_values(np.zeros((1, 3)))[0] == 1.0
    assert detector.p_values(np.ones((1, 3)))[0] < 0.05


@every_detector
def test_equal_rows_are_no_more_extreme_than_those_of_training(mode):
    counts = np.random.RandomState(0).poisson(1.0, size=(200, 2)).astype(float)
    detector = DETECTORS[mode].fit(counts)
    values, times = np.unique(counts, axis=0, return_counts=True)
    repeated = times > 1
    p_values = detector.p_values(values[repeated])
    assert (p_values >= (times[repeated] + 1) / 201).all()
    explained = detector.explain(values)
    np.testing.assert_allclose(explained.sum(axis=1), -detector.score_samples(values), atol=1e-9)


class Uneven(Judge):
    """Models of several folds that do not agree, and a network's last bits."""

    def fit(self, rows):
        self.shift_ = 0.01 * len(rows) + rows.table.mean()
        return self

    def statistic(self, rows):
        return rows.table[:, 0] + self.shift_ + 1e-7 * np.arange(len(rows))


def test_models_that_do_not_agree_break_no_ties():
    levels = np.random.RandomState(0).randint(3, size=(300, 1)).astype(float)
    detector = OutlierDetector(judges=[Uneven()]).fit(levels)
    np.testing.assert_array_equal(detector.predict(levels), 1)


def drawn(n, share, random):
    rows = random.normal(size=(n, 2)) @ [[2.0, 1.0, 0.0], [0.0, 1.0, 1.0]]
    rows += 0.5 * random.normal(size=rows.shape)
    copies = int(share * n)
    rows[:copies] = rows[random.randint(copies, n, size=copies)]
    return rows


SHORT = [
    "one flag at 1 %",
    "one answer 1-5",
    "four error counters",
    "zero-inflated",
    "mixed, copies, 50 %",
]


@every_detector
def test_false_alarms(mode, monkeypatch):
    """A short form of benchmarks/p_values.py: there the figures of each table are, of 40 tables."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    benchmark = importlib.import_module("p_values")
    found = []
    for name in SHORT:
        runs = [benchmark.run(DETECTORS[mode], name, seed) for seed in range(2)]
        found.append({key: np.mean([one[key] for one in runs]) for key in runs[0]})
    # By chance those of two tables of 300 rows and 500 later ones depart from .05 by less than .03.
    assert max(row["alarms at .05"] for row in found) < 0.085
    assert np.mean([row["alarms at .05"] for row in found]) < 0.05
    assert np.mean([row["ties at random: at .05"] for row in found]) == pytest.approx(
        0.05, abs=0.012
    )
    assert max(row["FDR at .1"] for row in found) <= 0.2


@every_detector
def test_copies_make_no_false_alarms(mode):
    alarms = []
    for seed in range(4):
        random = np.random.RandomState(seed)
        detector = DETECTORS[mode].set_params(random_state=seed).fit(drawn(300, 0.5, random))
        alarms.append((detector.p_values(drawn(500, 0.0, random)) <= 0.05).mean())
    assert 0.02 < np.mean(alarms) < 0.075


@pytest.mark.parametrize("shape", [(100, 40)])
def test_the_bulk_of_few_rows_is_not_remembered(shape):
    alarms = []
    for seed in range(2):
        random = np.random.RandomState(seed)
        rows = random.normal(size=(500 + shape[0], 4)) @ random.normal(size=(4, shape[1]))
        rows += random.normal(size=rows.shape)
        detector = OutlierDetector(novelty=False, random_state=seed).fit(rows[500:])
        alarms.append((detector.p_values(rows[:500]) <= 0.05).mean())
    assert np.mean(alarms) < 0.08
