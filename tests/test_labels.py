"""Which rows have a label: one rule for SupCon, EncoderClassifier and the probes."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer

from sklearn_replearn import ContrastiveTransformer, EncoderClassifier
from sklearn_replearn._dataset.labels import class_numbers, read_labels
from sklearn_replearn.metrics import knn_probe, linear_probe
from sklearn_replearn.objectives import SupCon

N = 6
OBJECTS = np.array(["b", -1, "a", "b", -1, "a"], dtype=object)

# Labels, and which rows have one.
CASES = {
    "all": ([0, 1, 2, 0, 1, 2], [1, 1, 1, 1, 1, 1]),
    "some": ([0, -1, 1, 0, -1, 1], [1, 0, 1, 1, 0, 1]),
    "floats": ([0.0, -1.0, 1.0, 0.0, -1.0, 1.0], [1, 0, 1, 1, 0, 1]),
    "beside strings": (OBJECTS, [1, 0, 1, 1, 0, 1]),
    "objects": (np.array([0, -1, 1, 0, -1, 1], dtype=object), [1, 0, 1, 1, 0, 1]),
    "strings": (["b", "a", "a", "b", "b", "a"], [1, 1, 1, 1, 1, 1]),
    "booleans": ([True, False, True, False, True, True], [1, 1, 1, 1, 1, 1]),
    "two signs": ([-1, 1, 1, -1, 1, -1], [1, 1, 1, 1, 1, 1]),
    "two signs as floats": ([-1.0, 1.0, 1.0, -1.0, 1.0, -1.0], [1, 1, 1, 1, 1, 1]),
    "two signs as objects": (np.array([-1, 1, 1, -1, 1, -1], dtype=object), [1, 1, 1, 1, 1, 1]),
    "none": (["b", None, "a", "b", None, "a"], [1, 0, 1, 1, 0, 1]),
    "nan": ([0.0, np.nan, 1.0, 0.0, np.nan, 1.0], [1, 0, 1, 1, 0, 1]),
    "empty": (["b", "", "a", "b", "", "a"], [1, 0, 1, 1, 0, 1]),
    "booleans as objects": (
        np.array([True, None, False, True, -1, False], dtype=object),
        [1, 0, 1, 1, 0, 1],
    ),
    "floats as objects": (np.array([2.0, None, 1, 2, -1, 1], dtype=object), [1, 0, 1, 1, 0, 1]),
    "signs and nan": ([1.0, np.nan, -1.0, 1.0, np.nan, -1.0], [1, 0, 1, 1, 0, 1]),
    "numpy strings": (np.array([np.str_("b"), "", "a"] * 2, dtype=object), [1, 0, 1, 1, 0, 1]),
    "categorical": (pd.Categorical(["b", None, "a"] * 2), [1, 0, 1, 1, 0, 1]),
    "Int64": (pd.Series([0, None, 1] * 2, dtype="Int64"), [1, 0, 1, 1, 0, 1]),
    "boolean": (pd.Series([True, None, False] * 2, dtype="boolean"), [1, 0, 1, 1, 0, 1]),
    "string": (pd.Series(["b", None, "a"] * 2, dtype="string"), [1, 0, 1, 1, 0, 1]),
    "arrow": (pa.array(["b", None, "a"] * 2), [1, 0, 1, 1, 0, 1]),
    "arrow numbers": (pa.array([0, None, 1] * 2), [1, 0, 1, 1, 0, 1]),
    "polars": (pl.Series(["b", None, "a"] * 2), [1, 0, 1, 1, 0, 1]),
    "polars numbers": (pl.Series([0, None, 1] * 2), [1, 0, 1, 1, 0, 1]),
    "three signs": ([-1, 1, 0, -1, 1, 0], [0, 1, 1, 0, 1, 1]),
}
every_case = pytest.mark.parametrize(("y", "labelled"), CASES.values(), ids=CASES)
X = np.eye(N)


@every_case
def test_the_objective_sees_labels(y, labelled):
    numbers = class_numbers(y, N)
    assert (numbers >= 0).tolist() == list(map(bool, labelled))
    known = np.asarray(y)[np.array(labelled, dtype=bool)].tolist()
    assert [sorted(set(known)).index(label) for label in known] == numbers[numbers >= 0].tolist()


@every_case
def test_the_classifier_sees_labels(y, labelled):
    head = KNeighborsClassifier(n_neighbors=1)
    fitted = EncoderClassifier(FunctionTransformer(), head).fit(X, y)
    labelled = np.array(labelled, dtype=bool)
    known = np.asarray(y)[labelled].tolist()
    assert fitted.estimator_.n_samples_fit_ == labelled.sum()
    assert fitted.predict(X[labelled]).tolist() == known
    assert fitted.classes_.tolist() == sorted(set(known))
    assert fitted.score(X, np.asarray(y)) == 1


@every_case
def test_the_probes_see_labels(y, labelled):
    # A row without a label is found to be of some class, so it counts as an error.
    labelled = np.array(labelled, dtype=bool)
    assert knn_probe(X, y, X, y, n_neighbors=1) == labelled.mean()
    assert linear_probe(X, y, X, y) == labelled.mean()
    assert knn_probe(X, y, X[labelled], np.asarray(y)[labelled], n_labels=5, n_neighbors=1) == 1


PLACES = {
    "objective": lambda y: class_numbers(y, N),
    "classifier": lambda y: EncoderClassifier(FunctionTransformer()).fit(X, y),
    "knn_probe": lambda y: knn_probe(X, y, X, y),
    "linear_probe": lambda y: linear_probe(X, y, X, y),
}
every_place = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)


@every_place
def test_minus_one_in_words_is_refused(place):
    with pytest.raises(ValueError, match=r'the string "-1".*number -1, beside strings in an array'):
        place(np.where(np.arange(N) < 4, ["a", "b"] * 3, "-1"))


def test_supcon_takes_two_signs_as_two_classes():
    rows, y = np.random.RandomState(0).normal(size=(40, 3)), np.arange(40) % 2
    small = ContrastiveTransformer(2, objective=SupCon(), max_epochs=2)
    codes = [small.fit(rows, labels).transform(rows) for labels in (y, 2 * y - 1)]
    assert np.array_equal(*codes)
    assert not np.array_equal(codes[0], small.fit(rows, np.zeros(40)).transform(rows))


AS_OBJECTS = {
    "signed": np.array([3, -1, 1, -1, 0, 3], dtype=np.int8),
    "unsigned": np.array([3, 255, 1, 1, 0, 3], dtype=np.uint8),
    "two signs": np.array([-1, 1, -1, 1, 1, 1]),
    "one class": np.array([-1, 1, -1, 1, -1, -1])[[1, 3]],
    "no label": np.array([-1, -1]),
    "no string": np.array(["", ""]),
    "strings": np.array(["b", "", "aaaa", "b"]),
    "booleans": np.array([True, False, True]),
    "no rows": np.array([], dtype=int),
}


@pytest.mark.parametrize("classes", [None, np.array([-1, 1]), np.array([0, 1])], ids=str)
@pytest.mark.parametrize("y", AS_OBJECTS.values(), ids=AS_OBJECTS)
def test_labels_are_read_alike_by_their_dtype_and_cell_by_cell(y, classes):
    labels, labeled = read_labels(y, classes)
    expected, there = read_labels(y.astype(object), classes)
    assert labeled.dtype == bool
    assert labeled.tolist() == there.tolist()
    assert labels[labeled].tolist() == expected[there].tolist()
    assert labels.dtype.kind == expected.dtype.kind or labels is y


@pytest.mark.parametrize("y", [[0, 2**63], [2**70, 0], [-(2**63), 1]], ids=str)
def test_numbers_beyond_64_bits_are_refused_by_the_name_of_the_argument(y):
    with pytest.raises(ValueError, match="test_y holds a number of more than 64 bits"):
        read_labels(np.array(y), None, "test_y")
