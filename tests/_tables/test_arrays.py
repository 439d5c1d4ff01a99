"""Masked arrays, lists of rows, and what is no table."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from quick import quick

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    OutlierDetector,
    VAETransformer,
)
from sklearn_replearn._tables.arrays import rows_as_array, without_mask
from sklearn_replearn.outliers import NearestDistance
from sklearn_replearn.rows import Arrays

RANDOM = np.random.default_rng(0)
N = 24
NUMBERS, HIDDEN = RANDOM.normal(size=(N, 3)), RANDOM.random((N, 3)) < 0.2
WORDS = np.where(NUMBERS > 0, "up", "down")
ALL = [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
MASKED = {
    "float64": np.where(HIDDEN, 1e300, NUMBERS),
    "infinite below": np.where(HIDDEN, np.inf, NUMBERS),
    "float32": NUMBERS.astype(np.float32),
    "int64": (5 * NUMBERS).astype(np.int64),
    "uint8": np.abs(5 * NUMBERS).astype(np.uint8),
    "bool": NUMBERS > 0,
    "numbers": (5 * NUMBERS).astype(np.int64).astype(object),
    "words": WORDS.astype(object),
    "U": WORDS,
    "dates": np.datetime64("2020-01-01") + (50 * NUMBERS).astype("m8[D]"),
}


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("name", MASKED)
def test_masked_cells_are_missing(cls, name):
    X = np.ma.array(MASKED[name], mask=HIDDEN)
    plain = without_mask(X)
    assert type(plain) is np.ndarray
    assert np.array_equal(pd.isna(plain), HIDDEN)
    fitted, other = quick(cls).fit(X), quick(cls).fit(plain)
    codes = fitted.transform(X)
    assert np.array_equal(codes, other.transform(plain))
    assert np.array_equal(codes, fitted.transform(plain))
    assert np.array_equal(codes[:1], fitted.transform(X[:1]))
    assert X.mask is not np.ma.nomask
    if cls is ContrastiveTransformer:
        return
    assert np.array_equal(fitted.score_samples(X), other.score_samples(plain))
    filled = fitted.impute(X)
    assert type(filled) is np.ndarray
    assert not pd.isna(filled).any()
    assert (filled[~HIDDEN] == MASKED[name][~HIDDEN]).all()
    if name != "U":
        assert filled.dtype == X.dtype


def test_a_mask_that_hides_nothing_changes_nothing():
    for mask in (np.ma.nomask, np.zeros_like(HIDDEN)):
        assert np.array_equal(without_mask(np.ma.array(NUMBERS, mask=mask)), NUMBERS)
    assert without_mask(NUMBERS) is NUMBERS


def test_a_detector_sees_the_mask():
    X, mask = RANDOM.normal(size=(100, 3)), RANDOM.random((100, 3)) < 0.1
    masked, plain = np.ma.array(X, mask=mask), np.where(mask, np.nan, X)
    detector = OutlierDetector(judges=[NearestDistance()]).fit(masked)
    assert np.array_equal(detector.score_samples(masked), detector.score_samples(plain))


def test_masked_windows_are_refused_as_missing_ones_are():
    X = np.ma.array(NUMBERS.reshape(N, 1, 3), mask=HIDDEN.reshape(N, 1, 3))
    with pytest.raises(ValueError, match="In Arrays no cell may be missing"):
        quick(AutoencoderTransformer, rows=Arrays((1, 3))).fit(X)


def test_weights_leave_masked_rows_out():
    X = np.ma.array(WORDS.astype(object), mask=HIDDEN)
    weights = np.arange(N) > 3
    fitted = quick(AutoencoderTransformer).fit(X, sample_weight=weights)
    other = quick(AutoencoderTransformer).fit(X[4:])
    assert np.array_equal(fitted.transform(X[4:]), other.transform(X[4:]))


MIXED = [[float(i), "u" if i % 2 else "v"] for i in range(N)]
ROWS = {
    "lists": MIXED,
    "tuples": list(map(tuple, MIXED)),
    "arrays of objects": [np.array(row, dtype=object) for row in MIXED],
    "series": [pd.Series(row) for row in MIXED],
    "named series": [pd.Series(row, index=["a", "b"]) for row in MIXED],
    "named tuples": list(pd.DataFrame(MIXED, columns=["a", "b"]).itertuples(index=False)),
    "a tuple of rows": tuple(MIXED),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_list_may_have_rows_of_any_kind(name):
    expected = np.array(MIXED, dtype=object)
    fitted = quick(AutoencoderTransformer).fit(ROWS[name])
    assert np.array_equal(fitted.transform(ROWS[name]), fitted.transform(expected))
    assert np.array_equal(fitted.impute(ROWS[name]), expected)


@pytest.mark.parametrize(
    "row", [np.array, pd.Series, tuple, np.ma.array], ids=lambda row: row.__name__
)
def test_a_list_of_rows_of_numbers_is_an_array_of_numbers(row):
    array = rows_as_array([row([1.0, 2.0]), row([3.0, 4.0])])
    assert array.dtype == np.float64
    assert array.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_masked_rows_and_cells_of_a_list_are_missing():
    rows = [np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.array([3.0, 4.0], mask=[0, 0])]
    assert pd.isna(rows_as_array(rows)).tolist() == [[False, True], [False, False]]
    cells = [[1.0, np.ma.masked], ["a", 2.0]]
    assert pd.isna(rows_as_array(cells)).tolist() == [[False, True], [False, False]]


TEXTS = ["a long text of a corpus " * 20] * N
NO_TABLES = {
    "a list of texts": (TEXTS, "Tfidf"),
    "a tuple of texts": (tuple(TEXTS), "Tfidf"),
    "an array of texts": (np.array(TEXTS), "Tfidf"),
    "objects of texts": (np.array(TEXTS, dtype=object), "Tfidf"),
    "a series of texts": (pd.Series(TEXTS), "Tfidf"),
    "an index": (pd.Index(TEXTS), "Tfidf"),
    "a polars series": (pl.Series(TEXTS), "Tfidf"),
    "bytes": ([b"abc " * 100] * N, "Tfidf"),
    "numbers": ([1.5] * N, "Reshape your data"),
    "an array of numbers": (np.ones(N), "Reshape your data"),
    "a series": (pd.Series(np.ones(N)), "X.to_frame()"),
    "a scalar": (np.float64(3.0), "Reshape your data"),
    "a dict": ({"a": list(range(N))}, "pandas.DataFrame(X)"),
    "dicts": ([{"a": i} for i in range(N)], "pandas.DataFrame(X)"),
    "records": (list(pd.DataFrame(MIXED).to_records()), "pandas.DataFrame(X)"),
    "a string": ("abc " * 1000, "or a folder of such"),
    "None": (None, "list of rows"),
    "a generator": ((row for row in MIXED), "list(X)"),
    "a map": (map(list, MIXED), "list(X)"),
    "a set": ({(1, 2), (3, 4)}, "list(X)"),
    "a structured array": (np.zeros(N, dtype=[("a", "f8")]), "pandas.DataFrame("),
    "nested lists": ([[[1, 2], [3, 4]]] * N, "column of its own"),
    "arrays in lists": ([["a", np.ones(3)]] * N, "column of its own"),
    "ragged arrays": ([np.ones(2), np.ones(3)], "different lengths, 2 and 3"),
    "ragged lists": ([["a"], ["a", "b"]], "different lengths, 1 and 2"),
    "nothing": ([], "Reshape your data"),
}


@pytest.mark.parametrize("name", NO_TABLES)
@pytest.mark.parametrize("later", [False, True])
def test_what_is_no_table_is_refused_briefly_with_a_remedy(name, later):
    X, remedy = NO_TABLES[name]
    model = quick(AutoencoderTransformer)
    if later:
        model.fit(NUMBERS)
    with pytest.raises((ValueError, TypeError, OSError), match=re.escape(remedy)) as caught:
        model.transform(X) if later else model.fit(X)
    assert len(str(caught.value)) < 500


def test_the_remedy_for_masked_structured_arrays_keeps_the_mask():
    X = np.ma.array([(1, 2.0), (2, 3.0)], dtype=[("a", int), ("b", float)], mask=[(1, 0), (0, 1)])
    with pytest.raises(ValueError, match="structured") as caught:
        quick(AutoencoderTransformer).fit(X)
    remedy = str(caught.value).split("for example with ")[1].rstrip(".")
    frame = eval(remedy, {"X": X, "pandas": pd})
    assert frame.isna().to_numpy().tolist() == [[True, False], [False, True]]


@pytest.mark.parametrize(
    ("rows", "cells"),
    [
        ([[1.0, np.ma.masked], (2.0, 3.0)], [[1.0, None], [2.0, 3.0]]),
        ([np.array([1, 2]), [np.str_("a"), True]], [[1, 2], ["a", True]]),
        ([[b"a", 1], [None, np.array(2)]], [[b"a", 1], [None, 2]]),
        ([pd.Series([1, "a"]), np.array([None, 2], dtype=object)], [[1, "a"], [None, 2]]),
    ],
)
def test_cells_of_several_types_stay_as_they_are(rows, cells):
    array = rows_as_array(rows)
    assert array.dtype == object
    assert array.tolist() == cells


@pytest.mark.parametrize("cell", [[1], (1,), {1}, {"a": 1}, np.ones(1), pd.Series([1])], ids=str)
def test_a_cell_that_holds_several_is_refused_in_any_row(cell):
    with pytest.raises(TypeError, match=f"Column 1 holds cells of type {type(cell).__name__}"):
        rows_as_array([np.ones(2), [1.0, np.float64(2)], [3.0, cell]])
