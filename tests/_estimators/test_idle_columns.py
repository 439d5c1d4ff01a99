"""Columns that say nothing, under every likelihood; and sparse tables under every scaling."""

import numpy as np
import pytest
from quick import quick
from scipy import sparse
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
)

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.likelihoods.names import NAMED
from sklearn_replearn.rows import Table

ROWS = np.random.RandomState(0)
BITS = ROWS.randint(0, 2, (20, 2)).astype(float)
IDLE = {
    "all zero": np.zeros((20, 3)),
    "one zero": np.hstack([np.zeros((20, 1)), BITS]),
    "all constant": np.ones((20, 3)),
    "one constant": np.hstack([np.ones((20, 1)), BITS]),
    "one missing": np.hstack([np.full((20, 1), np.nan), BITS]),
    "all missing": np.full((20, 2), np.nan),
    "one row": np.eye(20)[:, :3],
}
ESTIMATORS = [
    *(VAETransformer(likelihood=name, n_importance_samples=2) for name in ("auto", *NAMED)),
    *(AutoencoderTransformer(loss=name) for name in ("auto", "mse", "bce", "poisson")),
    ContrastiveTransformer(),
]
SCORES = ("transform", "score_samples", "score")
TABLES = ("reconstruction_error", "impute", "elbo_terms")
pytestmark = pytest.mark.filterwarnings("ignore:The codes collapsed")


def all_answers(estimator, X):
    """What every method says of these rows; scores and codes are finite."""
    answers = {name: getattr(estimator, name)(X) for name in SCORES}
    assert all(np.isfinite(answer).all() for answer in answers.values())
    answers |= {name: getattr(estimator, name)(X) for name in TABLES if hasattr(estimator, name)}
    answers["back"] = estimator.inverse_transform(answers["transform"])
    if hasattr(estimator, "sample"):
        answers["sample"] = estimator.sample(3, random_state=0)
    return answers


@pytest.mark.parametrize("X", IDLE.values(), ids=IDLE)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: f"{e!r}"[:40])
def test_idle_columns_are_learned_and_come_back(estimator, X):
    fitted = quick(estimator, hidden_layer_sizes=(4,), max_epochs=1).fit(X)
    back = all_answers(fitted, X)["back"]
    idle = np.ptp(X, axis=0) == 0
    assert np.array_equal(back[:, idle], X[:, idle])


@pytest.mark.parametrize("of", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("likelihood", ["auto", "poisson", "negative_binomial"])
@pytest.mark.parametrize("name", ["all zero", "one zero", "one row"])
def test_idle_columns_of_sparse_tables_are_learned(of, likelihood, name):
    X = of(IDLE[name])
    vae = VAETransformer(likelihood=likelihood, n_importance_samples=2)
    all_answers(quick(vae, hidden_layer_sizes=(4,), max_epochs=1).fit(X), X)


SCALINGS = [
    PowerTransformer(),
    QuantileTransformer(n_quantiles=10),
    FunctionTransformer(np.log1p, np.expm1),
    StandardScaler(with_mean=False),
    MaxAbsScaler(),
]
FORMATS = [
    f"{kind}_{form}" for form in ("matrix", "array") for kind in ("csr", "csc", "coo", "dok")
]


@pytest.mark.parametrize("scaling", SCALINGS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("cls", [VAETransformer, AutoencoderTransformer, ContrastiveTransformer])
def test_a_sparse_table_is_the_dense_one_under_any_scaling(cls, scaling):
    X = np.where(ROWS.rand(20, 4) < 0.5, 0.0, ROWS.gamma(2.0, 1.0, (20, 4)))
    fitted = quick(cls, rows=Table(scaling=scaling), hidden_layer_sizes=(4,), max_epochs=1).fit(
        sparse.csr_array(X)
    )
    dense = all_answers(fitted, X)
    for form in FORMATS:
        found = all_answers(fitted, getattr(sparse, form)(X))
        for name in ("transform", "score_samples", "reconstruction_error"):
            assert np.array_equal(found[name], dense[name]), (form, name)
