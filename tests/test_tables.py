"""What comes through the door, and what does not."""

import numpy as np
import pandas as pd
import pytest

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn._tables import check_table


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"a": [1, 2], "city": ["x", "y"]}, "column 'city' of the table: dtype"),
        ({"a": [1, 2], "when": pd.to_datetime(["2020-01-01", "2021-01-01"])}, "column 'when'"),
        ({"a": [1, 2], "kind": pd.Categorical([1, 2])}, "column 'kind'"),
        ({"a": [1.0, np.nan], "b": [1.0, 2.0]}, r"NaN \(missing values\) in column 'a'"),
        ({"a": [1.0, 2.0], "b": [np.inf, 2.0]}, r"inf \(infinite values\) in column 'b'"),
    ],
)
def test_cells_that_are_not_numbers_are_refused_by_column(frame, message):
    with pytest.raises(ValueError, match=message):
        check_table(AutoencoderTransformer(), pd.DataFrame(frame), reset=True)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([["1", "2"], ["3", "4"]], "strings"),
        (np.array([["1", "2"], ["3", "4"]]), "strings"),
        (np.array([["1", 2], [3, 4]], dtype=object), "strings"),
        (np.array([["2020-01-01"], ["2020-01-02"]], dtype="M8[D]"), "dates"),
        (np.zeros((2, 2, 2)), "dim 3"),
        (np.zeros(5), "1D array"),
        (np.zeros((0, 3)), "0 sample"),
        (np.zeros((3, 0)), "0 feature"),
        (np.zeros((1, 3)), "1 sample"),
        (np.array([[np.inf, 1.0], [1.0, 1.0]]), "inf"),
    ],
)
def test_what_is_not_a_table_of_numbers_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        check_table(AutoencoderTransformer(), X, reset=True)


def test_two_columns_of_one_name_are_refused():
    frame = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["a", "a"])
    with pytest.raises(ValueError, match="names column 'a' more than once"):
        check_table(AutoencoderTransformer(), frame, reset=True)


@pytest.mark.parametrize(
    "dtype", ["Int64", "boolean", "Float32", "int64[pyarrow]", "float64[pyarrow]", "bool", "uint8"]
)
def test_every_dtype_of_numbers_is_taken(dtype):
    frame = pd.DataFrame({"a": [0, 1, 1], "b": [1, 0, 1]}).astype(dtype)
    table = check_table(AutoencoderTransformer(), frame, reset=True)
    assert np.array_equal(table, [[0, 1], [1, 0], [1, 1]])
    assert table.dtype == np.float64
