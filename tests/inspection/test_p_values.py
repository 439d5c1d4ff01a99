"""P-values of normal rows beside the uniform."""

import matplotlib.pyplot as plt
import numpy as np
import polars as pl
import pytest
from inspected_tables import mixed_table
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_replearn import OutlierDetector
from sklearn_replearn.inspection import PValueDisplay
from sklearn_replearn.outliers import NearestDistance


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def detector():
    return OutlierDetector(judges=[NearestDistance("quantile")]).fit(mixed_table(80))


def test_from_a_detector_and_from_its_p_values(detector):
    rows = mixed_table(40, seed=1)
    y = np.where(np.arange(40) % 4 == 0, -1, 1)
    p_values = detector.p_values(rows)
    display = PValueDisplay.from_estimator(detector, rows, y)
    np.testing.assert_array_equal(display.p_values, p_values[y == 1])
    np.testing.assert_array_equal(display.anomaly_p_values, p_values[y == -1])
    assert display.n_calibration == detector.n_calibration_ == 80
    again = PValueDisplay.from_predictions(p_values, y, n_calibration=80)
    np.testing.assert_array_equal(again.p_values, display.p_values)
    assert again.half_width == display.half_width
    pipeline = make_pipeline(FunctionTransformer(), detector)
    by_pipeline = PValueDisplay.from_estimator(pipeline, pl.from_pandas(rows), ties="random")
    np.testing.assert_array_equal(
        by_pipeline.p_values, detector.p_values(pl.from_pandas(rows), ties="random")
    )
    assert by_pipeline.anomaly_p_values is by_pipeline.anomalies_line_ is None


def test_the_curve_is_the_share_of_rows():
    display = PValueDisplay.from_predictions([0.5, 0.1, 0.1, 1.0], [1, 1, 1, -1])
    assert display.share_below([0.0, 0.1, 0.4, 0.5]).tolist() == [0, 2 / 3, 2 / 3, 1]
    x, y = display.line_.get_data()
    assert x.tolist() == [0, 0.1, 0.1, 0.5, 1]
    np.testing.assert_allclose(y, [0, 1 / 3, 2 / 3, 1, 1])
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["uniform, 95% band", "normal rows (3)", "anomalies (1)"]


def test_curves_of_uniform_p_values_stay_within_the_band():
    random, outside, n, m = np.random.RandomState(0), 0, 60, 40
    for _ in range(300):
        scores = random.uniform(size=m)
        p_values = (1 + (scores[:, None] <= random.uniform(size=n)).sum(axis=0)) / (m + 1)
        display = PValueDisplay(p_values=p_values, n_calibration=m)
        grid = np.sort(p_values)
        outside += np.abs(display.share_below(grid) - grid).max() > display.half_width + 1 / m
    assert outside / 300 <= 0.05
    # Without the calibration rows in common it would be too narrow.
    alone = PValueDisplay(p_values=np.zeros(n))
    assert alone.half_width == pytest.approx(np.sqrt(np.log(2 / 0.05) / 2 / n))
    assert display.half_width == pytest.approx(alone.half_width * np.sqrt(1 + n / m))


def test_one_row():
    assert PValueDisplay.from_predictions([0.3]).share_below(0.3) == 1


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        (([0.5, 1.5],), {}, "from 0 to 1"),
        (([0.5, np.nan],), {}, "none missing"),
        (([[0.5]],), {}, r"shape \(1, 1\)"),
        (([],), {}, "at least one normal row"),
        (([0.5], [-1]), {}, "at least one normal row"),
        (([0.5, 0.1], [0, 1]), {}, "np.where"),
        (([0.5, 0.1], [1]), {}, "one label a row"),
        (([0.5],), {"confidence_level": 1.0}, "confidence_level"),
        (([0.5],), {"n_calibration": 0}, "n_calibration"),
    ],
)
def test_bad_input_is_refused(args, kwargs, message):
    with pytest.raises(ValueError, match=message):
        PValueDisplay.from_predictions(*args, **kwargs)


def test_detectors_without_p_values_are_refused():
    with pytest.raises(TypeError, match="from_predictions"):
        PValueDisplay.from_estimator(IsolationForest().fit([[1.0], [2.0]]), [[1.0]])
