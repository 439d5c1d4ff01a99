"""Text that is numbers, dates or identifiers by its look: one warning with the remedy."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from quick import quick
from sklearn.datasets import load_digits, load_wine

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    OutlierDetector,
    VAETransformer,
)
from sklearn_replearn._tables.column_types import learned
from sklearn_replearn._tables.looks import look_of
from sklearn_replearn.outliers import NearestDistance
from sklearn_replearn.rows import Table

N = 40
NUMBER = np.random.default_rng(0).normal(size=N)
ALL = [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
BY_LOOK = {
    "numbers": [f"{x:.3f}" for x in NUMBER],
    "few numbers": np.resize(["1", "2", "3"], N),
    "spaces": [f" {x:.2f} " for x in NUMBER],
    "a hole": ["" if i == 7 else str(i) for i in range(N)],
    "scientific": [f"{x:e}" for x in NUMBER],
    "decorated": [f"${i + 1},{i:03}.50" for i in range(N)],
    "percent": [f"{i / 3:.1f} %" for i in range(N)],
    "days": [f"2020-01-{i % 28 + 1:02}" for i in range(N)],
    "moments": [f"2020-01-{i % 28 + 1:02}T{i % 24:02}:30:00Z" for i in range(N)],
    "european": [f"{i % 28 + 1}.{i % 12 + 1}.2020" for i in range(N)],
    "american": [f"{i % 12 + 1}/{i % 28 + 1}/20 10:30 AM" for i in range(N)],
    "months": [f"Jan {i % 28 + 1}, 2020" for i in range(N)],
}
REMEDIES = {"num": "pd.to_numeric", "dat": "pd.to_datetime", "ide": "Leave it out"}


def warnings_of(fit, *arguments):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(*arguments)
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize("name", BY_LOOK)
def test_text_that_is_numbers_or_dates_warns_once_with_the_remedy(name):
    frame = pd.DataFrame({"x": NUMBER, "t": BY_LOOK[name]})
    (message,) = warnings_of(quick(AutoencoderTransformer, max_epochs=1).fit, frame)
    of_dates = name in ("days", "moments", "european", "american", "months")
    assert "column 't'" in message
    assert ("pd.to_datetime" if of_dates else "pd.to_numeric") in message
    asked = frame.astype({"t": "category"})
    assert warnings_of(quick(AutoencoderTransformer, max_epochs=1).fit, asked) == []


@pytest.mark.parametrize("name", ["numbers", "decorated", "percent", "spaces", "days", "months"])
def test_the_remedy_works(name):
    df, column = pd.DataFrame({"t": BY_LOOK[name]}), "t"
    (message,) = warnings_of(quick(AutoencoderTransformer, max_epochs=1).fit, df)
    remedy = message.split("Convert it with ")[1].split("; if")[0]
    converted = eval(remedy, {"df": df, "column": column, "pd": pd})
    assert converted.notna().all()
    assert converted.dtype.kind in "fiM"


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("container", ["frame", "polars", "array", "list", "weights"])
def test_identifiers_warn_once_in_every_container(cls, container):
    frame = pd.DataFrame({"x": NUMBER, "name": [f"row {chr(65 + i)}" for i in range(N)]})
    X = {
        "polars": lambda: pl.DataFrame(frame.to_dict("list")),
        "array": lambda: frame.to_numpy(object),
        "list": lambda: frame.to_numpy(object).tolist(),
    }.get(container, lambda: frame)()
    weights = {"sample_weight": np.arange(N) > 0} if container == "weights" else {}
    fit = quick(cls, max_epochs=1).fit
    (message,) = warnings_of(lambda: fit(X, **weights))
    assert "text of its own" in message
    assert REMEDIES["ide"] in message


@pytest.mark.parametrize(
    "texts",
    [
        np.resize(["red", "green", "blue"], N),
        np.resize(["1-2", "3-4", "5+"], N),
        np.resize(["A1", "B2"], N),
        np.resize(["192.168.0.1", "10.0.0.7"], N),
        np.resize(["1.2.3", "1.10.0"], N),
        np.resize(["may", "march", "10:30"], N),
        ["1"] * 8 + ["one"] * (N - 8),
        np.resize([b"1", b"2"], N),
        [None] * N,
        [f"text {i // 3}" for i in range(N)],
    ],
    ids=range(10),
)
def test_ordinary_categories_do_not_warn(texts):
    frame = pd.DataFrame({"x": NUMBER, "t": pd.Series(list(texts), dtype=object)})
    assert warnings_of(quick(AutoencoderTransformer, max_epochs=1).fit, frame) == []


def test_a_detector_warns_of_looks_as_well():
    frame = pd.DataFrame({"x": NUMBER, "t": BY_LOOK["numbers"]})
    detector = OutlierDetector(judges=[NearestDistance()])
    (said,) = warnings_of(detector.fit, frame)
    assert "column 't' looks like numbers" in said


def test_what_a_user_says_is_a_category_does_not_warn():
    frame = pd.DataFrame({"x": NUMBER, "t": BY_LOOK["numbers"]})
    rows = Table(categorical_features=["t"])
    assert warnings_of(quick(AutoencoderTransformer, max_epochs=1, rows=rows).fit, frame) == []


def test_a_kind_is_marked_for_those_that_sample_its_levels():
    names = pd.Series([f"row {i}" for i in range(N)])
    assert learned(names, "Column 'n'", False)[0].one_a_row
    ordered = names.astype(pd.CategoricalDtype(names, ordered=True))
    assert not learned(ordered, "Column 'n'", False)[0].one_a_row
    again = names.where(names != "row 1", "row 0")  # two rows of one name
    assert learned(again, "Column 'n'", False)[0].one_a_row
    # What a user says is a category does not warn; it tells rows apart all the same.
    assert learned(names, "Column 'n'", True)[0].one_a_row
    assert learned(names.astype("category"), "Column 'n'", False)[0].one_a_row
    assert not learned(pd.Series(["a", "b"] * 20), "Column 'n'", False)[0].one_a_row


def test_levels_that_no_row_has_do_not_count():
    assert look_of(pd.Index(["1", "never", "none"]), np.array([5, 0, 0])) == "number"


# ------------------------------------------------------------------- tables of counts


def counts(width=30, mean=1.0):
    return np.random.default_rng(0).poisson(mean, size=(200, width)).astype(float)


@pytest.mark.parametrize(
    ("cls", "remedy"),
    [
        (AutoencoderTransformer, {"loss": "poisson"}),
        (VAETransformer, {"likelihood": "poisson"}),
    ],
)
@pytest.mark.parametrize("as_frame", [False, True])
def test_dense_counts_warn_once_and_not_with_the_remedy_or_another_choice(cls, remedy, as_frame):
    X = pd.DataFrame(counts().astype(int)) if as_frame else counts()
    ((name, value),) = remedy.items()
    (message,) = warnings_of(quick(cls, max_epochs=1).fit, X)
    assert f'{name}="{value}"' in message
    assert warnings_of(quick(cls, max_epochs=1, **remedy).fit, X) == []
    other = {"loss": "mse"} if name == "loss" else {"likelihood": "gaussian"}
    assert warnings_of(quick(cls, max_epochs=1, **other).fit, X) == []


ORDINARY = {
    "digits": load_digits().data,
    "wine": load_wine().data,
    "ratings": np.random.default_rng(0).integers(1, 6, size=(200, 30)),
    "ratings from 0": np.random.default_rng(0).binomial(4, 0.2, size=(200, 30)),
    "flags": np.random.default_rng(0).integers(0, 2, size=(200, 30)),
    "rare flags": np.random.default_rng(0).random(size=(200, 30)) < 0.1,
    "one-hot": np.eye(30)[np.arange(200) % 30],
    "intensities": np.maximum(0, np.random.default_rng(0).integers(-400, 256, size=(200, 30))),
    "flags and counts": np.c_[counts(12), counts(40) > 0],
    "few counts": counts(8),
    "counts and numbers": np.c_[counts(12), np.random.default_rng(0).normal(size=(200, 12))],
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_whole_numbers_do_not_warn(name):
    X = np.asarray(ORDINARY[name], dtype=float)[:200]
    assert warnings_of(quick(AutoencoderTransformer, max_epochs=1).fit, X) == []


def test_what_has_no_likelihood_of_its_own_has_no_use_for_the_remedy():
    assert warnings_of(quick(ContrastiveTransformer, max_epochs=1).fit, counts()) == []
    assert warnings_of(OutlierDetector().fit, counts(12)) == []  # judges see tables of any kind
