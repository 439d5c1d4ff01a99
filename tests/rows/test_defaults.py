"""What rows ask for where the user asks for nothing: scaling, both ends of a network, views."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from quick import quick
from repeatability import weights

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.likelihoods import (
    Bernoulli,
    Categorical,
    Gaussian,
    Joint,
    Ordinal,
    PointMasses,
    Poisson,
    StudentT,
    Tokens,
)
from sklearn_replearn.modules import ColumnEncoding, LinearSkip
from sklearn_replearn.rows import Images, Table
from sklearn_replearn.rows import Tokens as TokenRows

N = 90
RANDOM = np.random.default_rng(0)
NUMBERS = RANDOM.normal(size=(N, 3))
TRUTHS = RANDOM.random((N, 3)) < 0.5
COUNTS = sp.csr_array(RANDOM.poisson(0.5, size=(N, 6)))
MIXED = pd.DataFrame(
    {
        "number": NUMBERS[:, 0],
        "truth": TRUTHS[:, 0],
        "often_zero": np.where(RANDOM.random(N) < 0.5, 0.0, NUMBERS[:, 1]),
        "group": RANDOM.choice(list("abc"), N),
        "size": pd.Categorical.from_codes(RANDOM.integers(0, 3, N), list("sml"), ordered=True),
    }
)
PIXELS = RANDOM.integers(0, 17, size=(N, 64))
IDS = RANDOM.integers(1, 9, size=(N, 5))

pytestmark = pytest.mark.filterwarnings("ignore:The codes collapsed")


def network(cls, X, **params):
    return quick(cls, **{"max_epochs": 1, **params}).fit(X).network_


def kinds(likelihood):
    """Columns of each kind of likelihood."""
    if isinstance(likelihood, Joint):
        return {type(part): sorted(columns) for part, columns in likelihood.parts()}
    return {type(likelihood): list(range(likelihood.n_features))}


@pytest.mark.parametrize(
    ("X", "params", "expected"),
    [
        (NUMBERS, {}, {Gaussian: [0, 1, 2]}),
        (TRUTHS, {}, {Bernoulli: [0, 1, 2]}),
        (COUNTS, {}, {Poisson: [*range(6)]}),
        (NUMBERS, {"likelihood": "student_t"}, {StudentT: [0, 1, 2]}),
        (NUMBERS, {"likelihood": {1: "student_t"}}, {Gaussian: [0, 2], StudentT: [1]}),
        (PIXELS, {"rows": Images((1, 8, 8))}, {Gaussian: [*range(64)]}),
        (IDS, {"rows": TokenRows(9)}, {Tokens: [*range(5)]}),
        (
            MIXED,
            {},
            {Gaussian: [0], PointMasses: [2], Bernoulli: [1], Categorical: [3], Ordinal: [4]},
        ),
        (
            NUMBERS.round(),
            {"rows": Table(categorical_features=[2])},
            {PointMasses: [0, 1], Categorical: [2]},
        ),
    ],
    ids=range(9),
)
def test_a_vae_models_each_column_as_what_it_holds(X, params, expected):
    assert kinds(network(VAETransformer, X, **params).likelihood) == expected


@pytest.mark.parametrize(
    ("X", "missing", "width"),
    [
        # A category has an input a level, a column with missing cells one that says so.
        (MIXED, [], 3 + 3 + 3),
        (MIXED, ["number", "group"], 3 + 3 + 3 + 2),
        (MIXED[["number"]], ["number"], 1 + 1),
        (pd.DataFrame({"id": [f"{i:03}" for i in range(300)]}, dtype="category"), [], 18 + 17),
    ],
    ids=range(4),
)
@pytest.mark.parametrize("cls", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer])
def test_an_encoder_takes_levels_one_hot_and_which_cells_are_missing(cls, X, missing, width):
    X = X.copy()
    for name in missing:
        X[name] = X[name].astype(object).where(np.arange(len(X)) % 5 > 0, None)
    inputs = network(cls, X).inputs
    assert isinstance(inputs, ColumnEncoding)
    assert inputs.width - inputs.n_scores == width


def test_complete_numbers_go_into_the_first_layer_as_they_are():
    encoder = network(AutoencoderTransformer, NUMBERS, hidden_layer_sizes=(17,)).encoder
    assert [getattr(layer, "in_features", None) for layer in encoder] == [3, None, 17]
    mixed = network(AutoencoderTransformer, MIXED, hidden_layer_sizes=(17,)).encoder
    assert isinstance(mixed, LinearSkip)  # levels one-hot say much that is linear


def test_unseen_levels_and_missing_cells_of_complete_columns_count_as_average():
    """They are then the same row: the mean of the column, the average of the levels."""
    fitted = quick(AutoencoderTransformer).fit(MIXED)
    unknown, missing = MIXED[:20].copy(), MIXED[:20].copy()
    unknown["group"] = "never seen"
    missing["group"] = None
    assert np.array_equal(fitted.transform(unknown), fitted.transform(missing))
    shares = MIXED["group"].value_counts(normalize=True).sort_index()
    assert fitted.network_.inputs.shares[:3].tolist() == pytest.approx(shares.tolist(), abs=1e-6)


def test_small_objects_that_say_the_same_are_equal():
    assert Table(scaling="robust") == Table(scaling="robust") != Table()
    assert Images((1, 8, 8)) == Images((1, 8, 8)) != Images((1, 4, 16))
    assert Images((1, 8, 8)) != TokenRows(9)


@pytest.mark.parametrize(
    ("rows", "X", "message"),
    [
        (Images((1, 8, 8)), PIXELS[:, :60], "has 64 numbers in a row; the rows have 60 columns"),
        (Images((1, 1, 2)), MIXED[["group", "number"]], "got text or categories"),
        (TokenRows(9), IDS + 4, r"from 0 \(padding\) to 8; the table has 12"),
        (TokenRows(9), IDS - 0.5, "token ids, whole numbers; the table has 1.5"),
        (Table(scaling="log"), NUMBERS, "scaling"),
        (Table(categorical_features=["nowhere"]), MIXED, "'nowhere'.*no column of the table"),
    ],
    ids=range(6),
)
@pytest.mark.parametrize("cls", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer])
def test_what_is_none_of_these_rows_is_refused(cls, rows, X, message):
    with pytest.raises(ValueError, match=message):
        quick(cls, rows=rows).fit(X)


@pytest.mark.parametrize("rows", [Images((1, 8, 8)), TokenRows(17)], ids=["images", "tokens"])
def test_no_parameter_is_silently_ignored(rows):
    with pytest.raises(ValueError, match='have no hidden_layer_sizes: leave it at "auto"'):
        quick(AutoencoderTransformer, rows=rows, hidden_layer_sizes=(8,)).fit(PIXELS)
    plain, tanh = (
        quick(AutoencoderTransformer, rows=rows, activation=activation).fit(PIXELS)
        for activation in ("auto", "tanh")
    )
    assert weights(plain) != weights(tanh)
