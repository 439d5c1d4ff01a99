"""A detector that learns from a table in parts is that of the same rows in memory."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.decomposition import PCA

from sklearn_replearn import OutlierDetector
from sklearn_replearn._dataset import stored_rows
from sklearn_replearn.outliers import detector, observations

N = 150
rng = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "height": np.where(rng.random(N) < 0.1, np.nan, rng.normal(size=N)),
        "price": np.round(rng.normal(size=N), 2),
        "shop": pd.Series(rng.choice(list("abc"), N), dtype=object),
    }
)
FRAME.loc[:39, "height"] = np.nan
FRAME.loc[N - 2 :, "shop"] = "last"
FRAME = pd.concat([FRAME, FRAME[90:100]], ignore_index=True)


@pytest.fixture
def few_are_many(monkeypatch):
    """Rows go to the disk, and a sample of them counts."""
    monkeypatch.setattr(stored_rows, "_MOST_CELLS_KEPT", 0)
    monkeypatch.setattr(stored_rows, "_BYTES_SORTED", 1000)
    monkeypatch.setattr(observations, "_MOST_ROWS", 100)
    monkeypatch.setattr(observations, "_FEWEST_ROWS", 100)
    monkeypatch.setattr(detector, "_MOST_SCORED", 60)


def both(table, weights=None, **parameters):
    def parts():
        return (table[start : start + 40] for start in range(0, len(table), 40))

    in_memory = OutlierDetector(random_state=0, **parameters).fit(table, sample_weight=weights)
    in_parts = OutlierDetector(random_state=0, **parameters).fit(parts, sample_weight=weights)
    assert np.array_equal(in_memory.score_samples(table), in_parts.score_samples(table))
    assert np.array_equal(in_memory.predict(table), in_parts.predict(parts).collect())
    assert in_memory.offset_ == in_parts.offset_


@pytest.mark.parametrize("parameters", [{}, {"contamination": 0.1}, {"novelty": False}])
def test_it_is_the_detector_of_memory(parameters, few_are_many):
    both(FRAME, **parameters)


def test_numbers_weights_and_frames_of_others(few_are_many):
    both(FRAME[["height", "price"]].to_numpy(), rng.random(len(FRAME)))
    both(FRAME, rng.integers(0, 3, len(FRAME)), contamination=0.1)
    both(pl.from_pandas(FRAME), rng.integers(0, 3, len(FRAME)))


def test_small_tables_and_estimators_of_others():
    both(FRAME)
    both(rng.normal(size=(N, 3)), estimator=PCA(1), contamination=0.1)


def test_a_file_is_learned_from(tmp_path):
    FRAME.to_parquet(tmp_path / "table.parquet")
    of_file = OutlierDetector(random_state=0).fit_predict(tmp_path / "table.parquet")
    assert np.array_equal(of_file.collect(), OutlierDetector(random_state=0).fit_predict(FRAME))


def test_a_share_of_a_sample_is_nearly_that_of_all(monkeypatch):
    rows = rng.normal(size=(2000, 2))
    monkeypatch.setattr(detector, "_MOST_SCORED", 500)
    called = OutlierDetector(contamination=0.1, random_state=0).fit(rows).predict(rows)
    assert 0.07 < (called < 0).mean() < 0.13
