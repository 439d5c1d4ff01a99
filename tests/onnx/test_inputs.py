"""Cells of any type as inputs of a model, and what has no graph."""

import builtins
import datetime
import importlib

import numpy as np
import onnxruntime
import pandas as pd
import polars as pl
import pytest
import skl2onnx
import torch
from fitted_kinds import KINDS, fitted, mixed
from quick import quick
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer
from torch import nn

import sklearn_replearn.onnx
from sklearn_replearn import (
    AutoencoderTransformer,
    EncoderClassifier,
    RepresentationImputer,
)
from sklearn_replearn.onnx import inputs_for, to_onnx
from sklearn_replearn.rows import Table


def codes_of(model, X):
    """What a model gives for rows."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, inputs_for(session, X))[0]


def assert_near(codes, wanted):
    assert np.abs(codes - wanted).max() < 1e-5 * np.abs(wanted).max()


def test_missing_and_unseen_cells_are_as_in_transform():
    encoder, X = fitted("mixed")
    model = to_onnx(encoder, X)
    new = X.iloc[:8].copy()
    new.loc[0, "colour"] = "violet"
    new.loc[1, ["amount", "colour", "since"]] = None
    new["grade"] = pd.Categorical(["a", "b", "c", None, "z", "a", "b", "c"])
    new.loc[6, "amount"] = 1e9
    assert_near(codes_of(model, new), encoder.transform(new))


def test_dates_of_another_unit_are_the_same_dates():
    encoder, X = fitted("mixed")
    model = to_onnx(encoder, X)
    wanted = encoder.transform(X)
    for unit in ("s", "ms", "ns"):
        assert_near(codes_of(model, X.assign(since=X["since"].dt.as_unit(unit))), wanted)
    since = [None if cell is pd.NaT else cell.to_pydatetime() for cell in X["since"]]
    assert_near(codes_of(model, X.assign(since=pd.Series(since, dtype=object))), wanted)


COLUMNS = {
    "nullable": pd.array([1, None, 3, 4], dtype="Int64"),
    "truth with holes": np.array([True, None, False, True], dtype=object),
    "durations": pd.to_timedelta([1, 2, None, 5], unit="h"),
    "dates in a zone": pd.to_datetime(["2024-01-01", "2024-02-01", None, "2024-03-01"], utc=True),
    "days": np.array([datetime.date(2024, 1, day) for day in (1, 2, 5, 9)], dtype=object),
    "whole levels": pd.Categorical([3, 5, 3, None]),
    "levels between": pd.Categorical([0.5, 0.25, 0.5, 1.0]),
    "truth as levels": pd.Categorical([True, False, True, True]),
    "text with a level of nothing": ["", "a", "b", "a"],
    "nothing": np.full(4, np.nan),
    "float32": np.array([1, 2, np.nan, 4], dtype=np.float32),
    "one value": [7, 7, 7, 7],
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_every_type(name):
    X = pd.DataFrame({"size": [0.5, 1.5, 0.7, 0.9], name: COLUMNS[name]})
    encoder = quick(AutoencoderTransformer).fit(X)
    assert_near(codes_of(to_onnx(encoder, X), X), encoder.transform(X))


def test_frames_of_other_libraries():
    X = pl.from_pandas(mixed())
    encoder = quick(AutoencoderTransformer).fit(X)
    assert_near(codes_of(to_onnx(encoder, X), X), encoder.transform(X))


def test_one_column_and_one_input_of_all_columns():
    one = pd.DataFrame({"a b": ["x", "y", "x", "z"]})
    encoder = quick(AutoencoderTransformer).fit(one)
    assert_near(codes_of(to_onnx(encoder, one), one), encoder.transform(one))
    frame = pd.DataFrame(fitted("heavy")[1], columns=list("abc"))
    encoder = quick(AutoencoderTransformer).fit(frame)
    model = to_onnx(encoder, frame.to_numpy())
    assert_near(codes_of(model, frame), encoder.transform(frame))
    text = np.array([["x", "u"], ["y", "v"], ["x", "v"]], dtype=object)
    encoder = quick(AutoencoderTransformer).fit(text)
    assert_near(codes_of(to_onnx(encoder, text), text), encoder.transform(text))


def test_columns_may_be_named_like_what_a_model_gives():
    X = pd.DataFrame(fitted("heavy")[1], columns=["codes", "constant", "a b"])
    encoder = quick(AutoencoderTransformer).fit(X)
    model = to_onnx(encoder, X)
    assert [given.name for given in model.graph.input] == list(X)
    assert [given.name for given in model.graph.output] == ["codes_of_model"]
    assert_near(codes_of(model, X), encoder.transform(X))
    frame = X.set_axis(["label", "probabilities", "a"], axis=1)
    pipeline = make_pipeline(quick(AutoencoderTransformer), LogisticRegression())
    labels = np.arange(len(X)) % 2
    assert (
        codes_of(to_onnx(pipeline.fit(frame, labels), frame), frame) == pipeline.predict(frame)
    ).all()


def test_several_types_behind_a_column_transformer_are_refused():
    X = mixed()
    columns = ColumnTransformer([("codes", quick(AutoencoderTransformer), ["amount", "colour"])])
    with pytest.raises(ValueError, match="give a frame of several types to the transformer"):
        to_onnx(columns.fit(X), X)


def test_skl2onnx_knows_the_estimators():
    encoder, X = fitted("numbers")
    types = [("rows", DoubleTensorType([None, X.shape[1]]))]
    model = skl2onnx.to_onnx(encoder, initial_types=types, target_opset={"": 18, "ai.onnx.ml": 3})
    assert_near(codes_of(model, X), encoder.transform(X))
    classifier = EncoderClassifier(encoder).fit(X, np.arange(len(X)) % 2)
    model = skl2onnx.to_onnx(classifier, initial_types=types, options={"zipmap": False})
    assert {(opset.domain, opset.version >= 1) for opset in model.opset_import} >= {("", True)}
    assert [output.name for output in model.graph.output] == ["label", "probabilities"]


def test_options_are_those_of_skl2onnx():
    encoder, X = fitted("numbers")
    X = X.astype(np.float32)  # onnxruntime has zipmaps of these only
    classifier = EncoderClassifier(encoder, LogisticRegression()).fit(X, np.arange(len(X)) % 2)
    model = to_onnx(classifier, X, options={id(classifier): {"zipmap": True}})
    session = onnxruntime.InferenceSession(model.SerializeToString())
    _, probabilities = session.run(None, inputs_for(session, X))
    assert set(probabilities[0]) == {0, 1}


def test_inputs_are_those_of_the_model_or_the_session():
    _, X = fitted("mixed")
    model = to_onnx(fitted("mixed")[0], X)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    for name, cells in inputs_for(model, X).items():
        assert cells.shape == (len(X), 1)
        assert (cells == inputs_for(session, X)[name]).all() or name == "amount"
    with pytest.raises(ValueError, match="no columns of X: member"):
        inputs_for(model, X.drop(columns="member"))
    with pytest.raises(ValueError, match="'count' is an input of int64, which has no missing cell"):
        inputs_for(model, X.assign(count=np.nan))
    with pytest.raises(ValueError, match="'amount' is an input of float64, and X holds text"):
        inputs_for(model, X.assign(amount="much"))
    with pytest.raises(ValueError, match="'colour' is an input of text, and X holds number"):
        inputs_for(model, X.assign(colour=3))
    with pytest.raises(ValueError, match="give a frame with these columns"):
        inputs_for(model, X.to_numpy())


class _Looking(nn.Module):
    """Chooses by a value."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.layer = nn.Linear(n_in, n_out)

    def forward(self, x):
        return self.layer(x) if x.sum() > 1e9 else self.layer(-x)


class _Writing(_Looking):
    """Writes into its rows."""

    def forward(self, x):
        x = x.clone()
        x[:, 0] = 0
        return self.layer(x)


class _Comparing(_Looking):
    """Chooses by what torch finds of all values."""

    def forward(self, x):
        return self.layer(x) * (2.0 if torch.equal(x.relu(), x) else 1.0)


class _Fourier(nn.Module):
    """Calls what has no node."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.layer = nn.Linear(n_in, n_out)

    def forward(self, x):
        return self.layer(torch.fft.fft(x).real)


_OF_THEIR_OWN = (_Looking, _Fourier, _Writing, _Comparing)


def _refused():
    _, X = fitted("numbers")
    own = [quick(AutoencoderTransformer, encoder=kind) for kind in _OF_THEIR_OWN]
    scaled = quick(AutoencoderTransformer, rows=Table(scaling=PowerTransformer()))
    varied = X[:, :4]
    levels = pd.DataFrame({"a": pd.Categorical(pd.interval_range(0, 4)), "b": [1.0, 2, 4, 3]})
    return {
        "looks at values": (own[0], X, "looks at values of its rows"),
        "writes into rows": (own[2], X, r"writes into them \(__setitem__\)"),
        "compares all": (own[3], X, r"looks at values .*\(equal\)"),
        "no node": (own[1], X, r"no ONNX for torch's fft_fft\(\) here"),
        "own scaling": (scaled, varied, "scaled by a PowerTransformer"),
        "levels": (quick(AutoencoderTransformer), levels, "Convert the column to text"),
        "imputer": (
            RepresentationImputer(quick(AutoencoderTransformer)),
            varied,
            "completes cells before they are encoded",
        ),
    }


@pytest.mark.parametrize("name", list(_refused()))
def test_what_has_no_graph_is_refused_with_what_to_do(name):
    estimator, X, message = _refused()[name]
    estimator.fit(X)
    with pytest.raises(ValueError, match=message):
        to_onnx(estimator, X)


def test_other_refusals():
    encoder, X = fitted("numbers, VAE")
    with pytest.raises(ValueError, match="draws codes for each row"):
        to_onnx(encoder, X, method="score_samples")
    with pytest.raises(ValueError, match="Fit and convert with a frame"):
        to_onnx(encoder, np.array([[1, "a"]], dtype=object))
    encoder, X = fitted("mixed")
    with pytest.raises(ValueError, match="2 inputs here, and fit saw 6 columns"):
        to_onnx(encoder, X[["amount", "colour"]])
    assert "mixed" in KINDS


def test_without_skl2onnx_the_error_says_what_to_install(monkeypatch):
    found = builtins.__import__

    def missing(name, *args):
        if name == "skl2onnx":
            raise ImportError("No module named 'skl2onnx'")
        return found(name, *args)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=r"pip install 'sklearn_replearn\[onnx\]'"):
        importlib.reload(sklearn_replearn.onnx)
