"""Which cells make rows anomalous, drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from inspected_tables import mixed_table
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_replearn import OutlierDetector
from sklearn_replearn.inspection import ReasonsDisplay
from sklearn_replearn.outliers import NearestDistance


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def detector():
    return OutlierDetector(judges=[NearestDistance("quantile")]).fit(mixed_table(80))


@pytest.fixture
def odd():
    frame = mixed_table(30, seed=1).set_index(pd.Index([f"order {i}" for i in range(30)]))
    frame = frame.iloc[1:6]
    frame.iloc[0, 1] = 20.0
    return frame


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_bars_of_one_row_say_what_was_expected(detector, odd):
    display = ReasonsDisplay.from_estimator(detector, odd[:1], [-1])
    explained = detector.explain(odd[:1])
    np.testing.assert_array_equal(display.contributions, explained)
    assert display.rows == ["order 1"] and display.columns == odd.columns.tolist()
    texts = detector.top_reasons(odd[:1], n=5).iloc[0].tolist()
    told = [text for text in display.reasons[0] if "(expected" in text]
    assert sorted(told) == sorted(filter(None, texts))
    assert "twice = 20 (expected" in display.reasons[0][1]
    assert all(
        text.startswith(f"{name} = ")
        for name, text in zip(odd.columns, display.reasons[0], strict=True)
    )
    lengths = [bar.get_width() for bar in display.bars_]
    assert lengths == sorted(lengths, reverse=True)
    assert sum(lengths) == pytest.approx(-detector.score_samples(odd[:1])[0])
    assert display.ax_.get_title() == "row order 1 (anomaly)"
    assert labels(display.ax_.yaxis)[0].startswith("twice = 20")


def test_a_heat_map_of_several_rows(detector, odd):
    y = np.array([-1, 1, 1, -1, 1])
    display = ReasonsDisplay.from_estimator(detector, odd, y)
    explained = detector.explain(odd)
    np.testing.assert_array_equal(display.contributions, explained)
    assert labels(display.ax_.yaxis) == [
        "order 1 ●", "order 2", "order 3", "order 4 ●", "order 5"
    ]  # fmt: skip
    order = labels(display.ax_.xaxis)
    np.testing.assert_array_equal(display.image_.get_array(), explained[order])
    assert (np.diff(explained[order].mean()) <= 0).all()
    low, high = display.image_.get_clim()
    assert low == -high and high == explained.abs().max().max()
    again = ReasonsDisplay.from_predictions(explained, y=y)
    np.testing.assert_array_equal(again.contributions, display.contributions)
    assert again.rows == display.rows


def test_polars_and_pipelines(detector, odd):
    frame = pl.from_pandas(odd.reset_index(drop=True))
    display = ReasonsDisplay.from_estimator(detector, frame)
    np.testing.assert_array_equal(display.contributions, detector.explain(frame))
    assert display.rows == [str(i) for i in range(5)]
    assert "twice = 20" in ReasonsDisplay.from_estimator(detector, frame[:1]).reasons[0][1]
    pipeline = make_pipeline(FunctionTransformer(), detector)
    by_pipeline = ReasonsDisplay.from_estimator(pipeline, odd)
    np.testing.assert_array_equal(by_pipeline.contributions, display.contributions)
    assert by_pipeline.rows == odd.index.tolist()


@pytest.mark.parametrize("shape", [(3, 1), (1, 1), (1, 40), (200, 40)])
def test_what_is_left_out_is_one_column(shape):
    values = np.random.RandomState(0).normal(size=shape)
    display = ReasonsDisplay.from_predictions(values)
    drawn = (
        np.array([[bar.get_width() for bar in display.bars_]])
        if shape[0] == 1
        else np.asarray(display.image_.get_array())
    )
    np.testing.assert_allclose(drawn.sum(axis=1), values.sum(axis=1))
    kept = 8 if shape[0] == 1 else 20
    assert drawn.shape[1] == min(shape[1], kept + 1)
    names = labels(display.ax_.yaxis if shape[0] == 1 else display.ax_.xaxis)
    assert (names[-1] == f"{40 - kept} other columns") == (shape[1] == 40)
    few = display.plot(ax=plt.figure().add_subplot(), max_columns=2)
    assert few is display


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"contributions": [[np.nan]]}, "finite"),
        ({"contributions": np.zeros((0, 2))}, "at least one row"),
        ({"contributions": np.zeros((1, 2, 2))}, "n_samples, n_features"),
        ({"y": [1, 0]}, "-1 for anomalies"),
        ({"y": [1]}, "y must hold one label a row"),
        ({"rows": ["a"]}, "rows must be of shape"),
        ({"columns": ["a"]}, "columns must be of shape"),
        ({"reasons": [["a"]]}, "reasons must be of shape"),
        ({"max_columns": 0}, "max_columns"),
    ],
)
def test_bad_input_is_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        ReasonsDisplay.from_predictions(**{"contributions": np.zeros((2, 2)), **kwargs})


def test_what_does_not_explain_is_refused():
    with pytest.raises(TypeError, match="from_predictions"):
        ReasonsDisplay.from_estimator(object(), [[1.0]])
