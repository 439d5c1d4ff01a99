"""Normal scores that an encoder sees beside cells."""

import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    VAETransformer,
)
from sklearn_replearn._dataset.multiset import canonical
from sklearn_replearn._scaling import score_curves as module
from sklearn_replearn._scaling.normal_scores import NormalScores
from sklearn_replearn._scaling.scaler import Scaler
from sklearn_replearn._scaling.score_curves import score_curves
from sklearn_replearn.modules import ColumnEncoding
from sklearn_replearn.rows import Table

RANDOM = np.random.default_rng(0)
N = 400
NORMAL = RANDOM.normal(size=N)
BENT = {
    "uniform ends": RANDOM.beta(0.3, 0.3, size=N),
    "skewed": RANDOM.exponential(size=N) ** 1.2,
    "few values": RANDOM.choice([0.0, 1.0, 9.0], p=[0.5, 0.3, 0.2], size=N),
    "huge": RANDOM.exponential(size=N) * 1e200,
    "gaps": np.where(RANDOM.random(N) < 0.2, np.nan, RANDOM.exponential(size=N)),
}


def learned(X):
    multiset = canonical(X, np.ones(len(X)))
    scaler = Scaler("auto", multiset, None, 0, by_ranks=np.zeros(X.shape[1], dtype=bool))
    return scaler, score_curves(scaler, multiset)


@pytest.mark.parametrize("name", BENT)
def test_inputs_are_about_the_normal_scores_of_the_cells(name):
    X = np.column_stack([NORMAL, BENT[name]])
    scaler, curves = learned(X)
    assert curves.columns.tolist() == [1]
    missing = np.isnan(X).any(axis=0)
    encoding = ColumnEncoding([0, 0], missing, [], curves=curves)
    cells = torch.from_numpy(scaler.scale(X))
    for dtype in (torch.float32, torch.float64):
        found = encoding(cells.to(dtype)).numpy()[:, -1]
        known = ~np.isnan(X[:, 1])
        expected = NormalScores(X[known, 1], smallest_atom=0.0).forward(X[known, 1])
        # Of the last cells before an end float32 tells some not apart.
        assert (np.abs(found[known] - expected) < 0.2).mean() > 0.98
        assert np.corrcoef(found[known], expected)[0, 1] > 0.995
        assert (found[~known] == 0).all()


@pytest.mark.parametrize(
    "column",
    [
        NORMAL,
        np.ones(N),
        RANDOM.integers(0, 2, N).astype(float),
        np.full(N, np.nan),
        np.r_[np.zeros(N - 1), 1.0],
    ],
    ids=["normal", "constant", "binary", "empty", "one other"],
)
def test_what_is_nearly_normal_or_of_two_values_has_none(column):
    assert len(learned(np.column_stack([column, NORMAL]))[1]) == 0


def test_they_are_the_same_in_any_order_and_for_repeated_rows():
    X = np.column_stack(list(BENT.values()))
    order = RANDOM.permutation(N)
    one, other = learned(X)[1], learned(X[order])[1]
    for name in ("columns", "cells", "scores"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_views_are_compared_by_them_and_nothing_else_is():
    X = np.column_stack([NORMAL, BENT["skewed"]])

    def n_scores(cls, **parameters):
        inputs = cls(latent_dim=2, max_epochs=1, **parameters).fit(X).network_.inputs
        return 0 if inputs is None else inputs.n_scores

    assert n_scores(ContrastiveTransformer) == 1
    assert n_scores(ContrastiveTransformer, rows=Table(scaling="standard")) == 0
    assert n_scores(AutoencoderTransformer) == n_scores(VAETransformer) == 0


def test_an_encoder_of_a_users_takes_the_columns_there_are():
    """As the parameter says: a module has its widths before the columns are looked at."""
    X = np.column_stack([NORMAL, BENT["skewed"]])
    given = ContrastiveTransformer(2, encoder=torch.nn.Linear(2, 2), max_epochs=1)
    assert given.fit(X).transform(X).shape == (N, 2)


def test_columns_of_sparse_tables_have_none():
    X = sparse.random(60, 30, 0.1, format="csr", random_state=0)
    assert ContrastiveTransformer(2, max_epochs=1).fit(X).network_.inputs is None


def test_of_wide_tables_fewer_rows_are_looked_at(monkeypatch):
    seen = []

    class Watched(Scaler):
        def scale(self, X):
            seen.append(len(X))
            return super().scale(X)

    X = np.column_stack(list(BENT.values()))
    multiset = canonical(X, np.ones(N))
    scaler = Watched("auto", multiset, None, 0, by_ranks=np.zeros(X.shape[1], dtype=bool))
    monkeypatch.setattr(module, "_CELLS_LOOKED_AT", 100 * X.shape[1])
    monkeypatch.setattr(module, "_FEWEST_ROWS", 50)
    assert len(score_curves(scaler, multiset)) == len(BENT)
    assert seen[-1] == 100
