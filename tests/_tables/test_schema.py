"""The table of fit, and tables like it."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn._tables.conditions import conditions_of
from sklearn_replearn._tables.schema import Schema, frame_of_row
from sklearn_replearn._tables.validation import read_table


def read(X):
    return read_table(AutoencoderTransformer(), X)


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "height": [1.5, 1.75, np.nan],
            "size": pd.Categorical(["s", "l", "s"], ["s", "m", "l"], ordered=True),
            "group": ["b", "a", None],
            "visits": [3, 4, 5],
            "member": [True, False, True],
        }
    )


def test_the_numbers_of_a_frame(frame):
    table, schema = read(frame)
    expected = [[1.5, 1, 2, 3, 1], [1.75, 2, 1, 4, 0], [np.nan, 1, np.nan, 5, 1]]
    assert np.array_equal(table, expected, equal_nan=True)
    levels = schema.levels(5)
    assert levels.sizes.tolist() == [0, 2, 2, 0, 0]  # "m" was not there
    assert levels.ordered.tolist() == [False, True, False, False, False]
    pd.testing.assert_frame_equal(schema.decode(table.astype(float)), frame)


def test_a_decoded_frame_may_have_an_index_of_its_own(frame):
    table, schema = read(frame)
    index = pd.Index(["x", "y", "z"])
    assert schema.decode(table.astype(float), index=index).index.equals(index)


def test_given_cells_become_conditions(frame):
    _, schema = read(frame)
    given = {"group": "b", "visits": (3.5, None), 0: [1.25, 2], "size": ("s", "l")}
    given["member"] = {True}
    ends = [(c.column, c.low, c.high) for c in conditions_of(given, schema, 5)]
    assert ends == [(2, 2, 2), (3, 3.5, np.inf), (0, 1.25, 2), (1, 1, 2), (4, 1, 1)]
    of_values = conditions_of({"visits": np.array([3, 5])}, schema, 5)[0]
    assert of_values.holds(np.arange(7)).nonzero()[0].tolist() == [3, 5]


def test_ends_of_ranges_are_met_by_cells_that_are_rounded():
    _, schema = read(np.random.default_rng(0).random((5, 1)).astype(np.float32))
    found = conditions_of({0: (0.1, 0.3)}, schema, 1)[0]
    assert 0.1 <= found.low < 0.1 + 1e-8 and 0.3 - 1e-7 < found.high <= 0.3
    assert np.float32(found.high) == found.high


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weight": 1.0}, "given names 'weight', which is no column of the table: .* 'height'"),
        ({"group": "z"}, "'group' has no level 'z' in fit; it has 'a', 'b'"),
        ({"visits": 3.5}, "'visits' has dtype int64; 3.5 is no value of it"),
        ({"height": None}, "the given cell is missing. Leave the column out"),
        ({"height": np.inf}, "the given cell is inf"),
        ([("height", 1)], r"must be a dict of columns, such as \{'column': value\}"),
        ((1, 2), r"must be a dict of columns, such as .*; got \(1, 2\)"),
        ({"visits": (1, 2, 3)}, "a tuple is a range .* got a tuple of 3"),
        ({"visits": (5, 3)}, "a range goes from its lower to its upper end"),
        ({"visits": (np.nan, 3)}, "the given cell is missing"),
        ({"visits": ("a", "b")}, "'visits' held numbers in fit"),
        ({"group": ("a", "b")}, "no order: give a list of levels"),
        ({"group": []}, "the list of given values is empty"),
        ({"group": ["a", "z"]}, "'group' has no level 'z' in fit"),
        ({"visits": [3, 3.5]}, "3.5 is no value of it"),
        ({"visits": {3: 4}}, "given as a list of cells"),
    ],
)
def test_given_cells_that_the_table_of_fit_could_not_have_are_refused(given, message, frame):
    _, schema = read(frame)
    with pytest.raises(ValueError, match=message):
        conditions_of(given, schema, 5)


def test_missing_cells_are_filled_and_others_stay(frame):
    table, schema = read(frame)
    filled = schema.filled(frame, table, np.full((3, 5), 2.0), np.arange(3))
    expected = frame.assign(height=[1.5, 1.75, 2.0], group=["b", "a", "b"])
    pd.testing.assert_frame_equal(filled, expected)


@pytest.mark.parametrize(
    ("X", "decoded"),
    [
        (np.array([[1, 2]]), [[3, 0]]),
        (np.array([[1, 2]], dtype=np.uint8), [[3, 0]]),
        (np.array([[True, False]]), [[True, False]]),
        (np.array([[0.5, 2.0]], dtype=np.float32), [[2.75, -0.4]]),
    ],
    ids=["int", "uint8", "bool", "float32"],
)
def test_arrays_come_back_as_numbers_of_their_kind(X, decoded):
    _, schema = read(np.repeat(X, 3, axis=0))
    back = schema.decode(np.array([[2.75, -0.4]]))
    assert back.tolist() == decoded
    # Decoded floats keep their digits; drawn ones are of the dtype of fit, as whole numbers are.
    assert back.dtype == (np.float64 if X.dtype.kind == "f" else X.dtype)
    assert schema.decode(np.array([[2.75, -0.4]]), drawn=True).dtype == X.dtype


def test_drawn_rows_of_a_sparse_table_are_sparse():
    _, schema = read(sp.csr_array(np.eye(3)))
    drawn = schema.decode(np.array([[0.0, 2.0, 0.0]]), drawn=True)
    assert isinstance(drawn, sp.csr_array)
    assert drawn.nnz == 1
    assert isinstance(schema.decode(np.zeros((1, 3))), np.ndarray)


def test_drawn_numbers_stay_within_the_range_of_fit():
    schema = Schema(None, None, None, np.dtype(float))
    values = np.array([[-2.0, 0.5], [2.0, np.nan]])
    assert np.array_equal(schema.within_range(values), values, equal_nan=True)
    schema.range = np.array([[-1.0, 0.0], [1.0, 1.0]])
    assert schema.within_range(values)[:, 0].tolist() == [-1.0, 1.0]


def test_a_row_of_a_frame_is_a_table_of_one_row(frame):
    row = frame_of_row(frame.iloc[1])
    assert row.shape == (1, 5)
    assert row["height"].dtype == float
    assert row["member"].dtype == bool
    assert row["group"].tolist() == ["a"]
