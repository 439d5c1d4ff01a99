"""Imputing computes rows with missing cells only, and fills them as if it had computed all."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
import torch
from mixed_table import mixed
from quick import quick
from sklearn.base import clone
from torch import nn

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    RepresentationImputer,
    VAETransformer,
)
from sklearn_replearn._tables.holes import beside_others, with_holes
from sklearn_replearn.densities import Autoregressive
from sklearn_replearn.likelihoods import Gaussian

N = 1100  # rows: more than are computed at once
WHICH = np.array([3, 700, 1050, N - 1])
NUMBERS = np.random.default_rng(0).normal(size=(N, 4))
HOLES = NUMBERS.copy()
HOLES[WHICH, [0, 1, 2, 3]] = np.nan
HOLES[700] = np.nan


def frame(counts):
    table = mixed(N).assign(size=NUMBERS[:, 0], colour=np.where(NUMBERS[:, 1] > 0, "red", "blue"))
    table["grade"] = table["grade"].astype(str)
    table = table if counts else table.drop(columns="count")
    table.loc[WHICH[:3], "size"] = np.nan
    table.loc[WHICH[2:], "colour"] = None
    return table


TABLES = {
    "array": HOLES,
    "float32": HOLES.astype(np.float32),
    "objects": HOLES.astype(object),
    "frame": frame(counts=True),
    "polars": pl.from_pandas(frame(counts=True)),
    "arrow": pa.Table.from_pandas(frame(counts=True), preserve_index=False),
}
ESTIMATORS = {
    "autoencoder": quick(AutoencoderTransformer, max_epochs=1),
    "vae": quick(VAETransformer, max_epochs=1),
    "autoregressive": quick(VAETransformer, max_epochs=1, density=Autoregressive(max_updates=3)),
    "contrastive": quick(ContrastiveTransformer, max_epochs=1),
}


def some(table, rows):
    return table.iloc[rows] if isinstance(table, pd.DataFrame) else table[rows]


def cells(table, rows=slice(None)):
    if isinstance(table, pa.Table | pl.DataFrame):
        table = pd.DataFrame(table.to_pydict() if isinstance(table, pa.Table) else table.to_dict())
    return np.asarray(table, dtype=object)[rows].tolist()


class Counting(nn.Module):
    """An encoder that counts the rows which it sees."""

    seen = 0

    def __init__(self, n_in, n_out):
        super().__init__()
        self.linear = nn.Linear(n_in, n_out)

    def forward(self, x):
        Counting.seen += len(x)
        return self.linear(x)


@pytest.mark.parametrize(
    ("cls", "drawn"),
    [
        (AutoencoderTransformer, {}),
        (ContrastiveTransformer, {}),
        (VAETransformer, {}),
        (VAETransformer, {"n_draws": 2}),
    ],
)
def test_the_encoder_sees_rows_with_missing_cells_only(cls, drawn):
    fitted = quick(cls, max_epochs=1, encoder=Counting).fit(NUMBERS[:100])
    Counting.seen = 0
    fitted.impute(HOLES, **drawn)
    # Each part of a table is filled up to a multiple of 16.
    assert 0 < Counting.seen <= 16 * len(WHICH) * drawn.get("n_draws", 1)
    Counting.seen = 0
    fitted.impute(NUMBERS, **drawn)
    assert Counting.seen == 0


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_rows_are_filled_as_they_are_without_the_others(estimator, table):
    X = TABLES[table]
    fitted = ESTIMATORS[estimator].fit(
        X[:200] if table in ("polars", "arrow") else some(X, slice(200))
    )
    filled = fitted.impute(X)
    alone = pa.table(X).take(WHICH) if table == "arrow" else some(X, WHICH)
    assert type(filled) is type(X)
    assert cells(filled, WHICH) == cells(fitted.impute(alone))
    complete = np.setdiff1d(np.arange(N), WHICH)
    assert cells(filled, complete) == cells(X, complete)


@pytest.mark.parametrize("estimator", ["vae", "autoregressive"])
@pytest.mark.parametrize("counts", [None, False, True])
def test_draws_are_those_of_a_table_that_is_computed_whole(estimator, counts, monkeypatch):
    X = HOLES if counts is None else frame(counts)
    likelihood = {"count": "poisson"} if counts else "auto"
    fitted = clone(ESTIMATORS[estimator]).set_params(likelihood=likelihood).fit(some(X, slice(200)))
    drawn = fitted.impute(X, n_draws=2, random_state=0)
    if estimator == "vae":
        alike = fitted.network_.likelihood.draws_alike
        assert alike == (not counts)
        monkeypatch.setattr(
            "sklearn_replearn._estimators.importance.with_holes",
            lambda values: np.arange(len(values)),
        )
    assert list(map(cells, fitted.impute(X, n_draws=2, random_state=0))) == list(map(cells, drawn))


@pytest.mark.parametrize("estimator", ["vae", "autoregressive"])
@pytest.mark.parametrize("X", [HOLES, frame(counts=False)], ids=["numbers", "mixed"])
def test_draws_do_not_depend_on_complete_rows(estimator, X):
    fitted = ESTIMATORS[estimator].fit(some(X, slice(200)))
    complete = np.setdiff1d(np.arange(N), WHICH)
    order = np.arange(N)
    order[complete] = complete[::-1]
    first, second = (
        fitted.impute(table, n_draws=1, random_state=0)[0] for table in (X, some(X, order))
    )
    assert cells(first, WHICH) == cells(second, WHICH)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("X", [NUMBERS, frame(True).dropna()], ids=["numbers", "mixed"])
def test_a_complete_table_comes_back_without_a_network(estimator, X, monkeypatch):
    fitted = ESTIMATORS[estimator].fit(some(X, slice(200)))
    monkeypatch.setattr("sklearn_replearn._estimators.inference._TablePart", None)
    drawn = fitted.impute(X, n_draws=2) if estimator in ("vae", "autoregressive") else []
    for filled in (fitted.impute(X), *drawn):
        assert filled is not X
        assert type(filled) is type(X)
        assert cells(filled) == cells(X)


@pytest.mark.parametrize("cls", [AutoencoderTransformer, VAETransformer])
def test_sparse_tables_are_filled_where_they_are_stored(cls):
    counts = sp.csr_array(np.random.default_rng(0).poisson(0.3, size=(N, 12)).astype(float))
    holes = counts.copy()
    places = np.array([5, 40, len(holes.data) - 1])
    holes.data[places] = np.nan
    fitted = quick(cls, max_epochs=1).fit(counts[:200])
    filled, which = fitted.impute(holes), with_holes(holes.toarray())
    assert type(filled) is type(holes)
    assert np.isfinite(filled.data).all()
    assert (filled.indices == holes.indices).all()
    assert (np.delete(filled.data, places) == np.delete(counts.data, places)).all()
    assert (filled[which] != fitted.impute(holes[which])).nnz == 0
    assert (fitted.impute(counts) != counts).nnz == 0


def test_an_imputer_fills_a_single_row_as_it_does_in_company():
    imputer = RepresentationImputer(ESTIMATORS["vae"], add_indicator=True).fit(HOLES)
    filled = imputer.transform(HOLES)
    for row in WHICH:
        assert np.array_equal(imputer.transform(HOLES[row][None]), filled[row][None])


def test_values_stand_beside_those_that_nobody_looks_at():
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    beside = beside_others(values, np.array([1, 3]), 5)
    assert np.array_equal(beside[[1, 3]], values)
    assert np.array_equal(beside[[0, 2, 4]], values[[0, 0, 0]])
    assert not beside_others(values[:0], np.array([], dtype=int), 5).any()


def test_a_likelihood_of_ones_own_is_drawn_with_all_rows():
    class Uneven(Gaussian):
        draws_alike = False

        def sample(self, output, generator):
            return torch.poisson(output.exp(), generator=generator)

    fitted = quick(VAETransformer, max_epochs=1, likelihood={0: Uneven}, encoder=Counting)
    fitted = fitted.fit(NUMBERS[:100])
    Counting.seen = 0
    fitted.impute(HOLES, n_draws=1)
    assert Counting.seen >= N
