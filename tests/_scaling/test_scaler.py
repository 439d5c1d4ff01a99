"""Columns to scaled rows and back."""

import numpy as np
import pytest
from scipy import integrate, stats
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from sklearn_replearn._dataset.multiset import canonical
from sklearn_replearn._scaling.scaler import Scaler

NAMED = ["standard", "robust", "quantile", "minmax"]
TRANSFORMERS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    RobustScaler(),
    MinMaxScaler((-1, 1)),
    MaxAbsScaler(),
    PowerTransformer(),
    QuantileTransformer(n_quantiles=50),
    make_pipeline(FunctionTransformer(np.log, np.exp), StandardScaler()),
]


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return np.exp(rng.normal(size=(200, 3))) * [1e-6, 1.0, 1e6]


def learn(scaling, X):
    return Scaler(scaling, canonical(X, np.ones(len(X))), None, seed=0)


@pytest.mark.parametrize("scaling", [*NAMED, *TRANSFORMERS, None], ids=str)
def test_scaling_has_an_inverse(scaling, table):
    columns = learn(scaling, table)
    assert columns.unscale(columns.scale(table)) == pytest.approx(table, rel=1e-6)


@pytest.mark.parametrize(
    ("scaling", "scaler"),
    [("standard", StandardScaler()), ("robust", RobustScaler()), ("minmax", MinMaxScaler())],
)
def test_named_scalings_are_those_of_scikit_learn(scaling, scaler, table):
    assert learn(scaling, table).scale(table) == pytest.approx(scaler.fit_transform(table))


def test_a_scaler_that_is_not_to_centre_does_not(table):
    scaler = StandardScaler(with_mean=False)
    assert learn(scaler, table).scale(table) == pytest.approx(scaler.fit_transform(table))


@pytest.mark.parametrize("scaling", [*NAMED, None])
def test_constant_columns_come_back_as_they_were(scaling):
    X = np.column_stack([np.arange(20.0), np.full(20, 0.1), np.full(20, 1e12 / 3)])
    columns = learn(scaling, X)
    assert columns.constant.tolist() == [False, True, True]
    back = columns.unscale(columns.scale(X) + 0.5)
    assert (back[:, 1:] == X[:, 1:]).all()


@pytest.mark.parametrize("scaling", ["standard", "robust", "minmax", MaxAbsScaler()], ids=str)
def test_change_of_variables_is_exact_for_linear_scalings(scaling, table):
    columns = learn(scaling, table)
    step = np.ptp(table, axis=0) * 1e-3
    slope = (columns.scale(table + step) - columns.scale(table)) / step
    assert np.broadcast_to(columns.log_slope(table), table.shape).sum(axis=1) == pytest.approx(
        np.log(slope).sum(axis=1)
    )


def test_change_of_variables_gives_a_density_in_original_units():
    X = np.exp(np.random.default_rng(0).normal(size=(5000, 1)))
    scaling = make_pipeline(FunctionTransformer(np.log, np.exp), StandardScaler())
    columns = learn(scaling, X)
    density = stats.norm.logpdf(columns.scale(X))[:, 0] + columns.log_slope(X)[:, 0]
    expected = stats.lognorm.logpdf(X[:, 0], s=np.log(X).std(), scale=np.exp(np.log(X).mean()))
    assert density == pytest.approx(expected, abs=0.02)


def test_change_of_variables_of_a_quantile_scaling_integrates_to_one():
    X = np.random.default_rng(0).gamma(2.0, size=(5000, 1))
    columns = learn("quantile", X)
    grid = np.linspace(X.min(), X.max(), 200_000)[:, None]
    density = np.exp(stats.norm.logpdf(columns.scale(grid))[:, 0] + columns.log_slope(grid)[:, 0])
    assert integrate.trapezoid(density, grid[:, 0]) == pytest.approx(1.0, abs=0.02)
    assert np.isfinite(columns.log_slope(np.array([[-1e3], [1e3]]))).all()


def test_spread_is_the_deviation_of_the_scaled_columns(table):
    columns = learn("robust", table)
    assert columns.spread == pytest.approx(columns.scale(table).std(axis=0))


def test_weights_count_in_every_scaling(table):
    weights = np.random.default_rng(1).integers(0, 3, size=200)
    for scaling in [*NAMED, PowerTransformer()]:
        weighted = Scaler(scaling, canonical(table, weights.astype(float)), None, seed=0)
        repeated = learn(scaling, np.repeat(table, weights, axis=0))
        assert np.array_equal(weighted.scale(table), repeated.scale(table))


def test_a_scaling_that_changes_the_width_is_refused(table):
    class Half(StandardScaler):
        def transform(self, X):
            return super().transform(X)[:, :1]

    with pytest.raises(ValueError, match="must keep the number of columns: it got 3 and returned"):
        learn(Half(), table)


def test_values_beyond_float32_are_refused_by_column():
    X = np.array([[1.0, 1e300], [2.0, -1e300], [3.0, 0.0]])
    with pytest.raises(ValueError, match="column 1: values up to 1e\\+300"):
        learn(None, X)


def test_rows_beyond_those_of_fit_are_limited_for_the_encoder(table):
    columns = learn("standard", table)
    rows = columns.scale(table)
    assert columns.limit(rows) == pytest.approx(rows, abs=1e-6)
    distances = [1.0, 1e3, 1e9, 1e15, 1e20, 1e300]
    far = np.array([columns.limit(rows.max(axis=0)[None] + distance)[0] for distance in distances])
    assert (np.diff(far, axis=0) > 0).all()
    assert (far[-1] < rows.max(axis=0) + 1000).all()
    higher = columns.unscale(rows + 5)
    wider = columns.widened(canonical(higher, np.ones(200)))
    assert wider.limit(rows + 5) == pytest.approx(rows + 5, abs=1e-5)


@pytest.mark.parametrize("scaling", [*NAMED, None, PowerTransformer()], ids=str)
def test_constant_columns_are_at_zero_whatever_the_scaling(scaling):
    X = np.column_stack([np.arange(1.0, 21.0), np.full(20, 0.1), np.full(20, 50.0)])
    columns = learn(scaling, X)
    assert columns.idle.tolist() == [False, True, True]
    assert (columns.scale(X)[:, 1:] == 0).all()
    assert np.array_equal(columns.unscale(columns.scale(X))[:, 1:], X[:, 1:])


@pytest.mark.parametrize("scaling", [*NAMED, None])
def test_columns_equal_up_to_rounding_are_constant(scaling):
    X = np.column_stack([np.arange(1.0, 21.0), np.where(np.arange(20) % 2, 0.1 + 0.2, 0.3)])
    columns = learn(scaling, X)
    assert columns.idle.tolist() == [False, True]
    assert (columns.scale(X)[:, 1] == 0).all()
    assert columns.unscale(columns.scale(X))[:, 1] == pytest.approx(0.3, rel=1e-15)


def test_columns_far_from_zero_keep_their_digits():
    X = 1e9 + np.random.default_rng(0).normal(size=(100, 1)) * 1e-4
    rows = learn("standard", X).scale(X)
    assert rows.mean() == pytest.approx(0, abs=1e-3)
    assert rows.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scaling", [*NAMED, *TRANSFORMERS, None], ids=str)
def test_rows_are_scaled_alike_in_any_company_and_not_written_to(scaling, dtype, table):
    X = np.column_stack([table, np.full(200, 0.1)]).astype(dtype)
    columns = learn(scaling, X)
    X[3, 3] = 7.0  # a constant column with a new value
    before, rows = X.copy(), columns.scale(X)
    for part in (slice(0, 50), slice(50, 51), slice(51, 200)):
        assert np.array_equal(columns.scale(np.asfortranarray(X)[part]), rows[part])
    assert rows[3, 3] != 0
    assert not np.delete(rows[:, 3], 3).any()
    assert np.array_equal(X, before)
