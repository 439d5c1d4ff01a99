"""Columns of any scale that float64 has: exact to relative precision, or refused at fit."""

import numpy as np
import pandas as pd
import pytest
from quick import quick
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, PowerTransformer, RobustScaler

from sklearn_replearn import AutoencoderTransformer, VAETransformer
from sklearn_replearn._dataset.multiset import canonical
from sklearn_replearn._scaling.profile import Profile
from sklearn_replearn._scaling.scaler import Scaler
from sklearn_replearn._tables.levels import Levels
from sklearn_replearn.rows import Arrays, Images, Table

RANDOM = np.random.default_rng(0)
ORDINARY = RANDOM.normal([3.0, 0.0], size=(60, 2))
SCALINGS = ["auto", "standard", "robust", "quantile", "minmax"]
SCALES = [1e-300, 1e-200, 1e-155, 1e-40, 1e-16, 1e16, 1e40, 1e155, 1e200, 1e300]
ESTIMATORS = [AutoencoderTransformer, VAETransformer]


def learn(scaling, X):
    return Scaler(scaling, canonical(X, np.ones(len(X))), None, seed=0)


@pytest.mark.parametrize(
    "scaling", [*SCALINGS, RobustScaler(), MinMaxScaler(), MaxAbsScaler()], ids=str
)
@pytest.mark.parametrize("scale", SCALES)
def test_a_column_of_any_scale_is_scaled_as_that_of_1_and_comes_back(scaling, scale):
    X = np.exp(ORDINARY) if scaling == "auto" else ORDINARY  # a heavy tail, too
    columns = learn(scaling, X * scale)
    rows = columns.scale(X * scale)
    assert rows == pytest.approx(learn(scaling, X).scale(X), rel=1e-6, abs=1e-9)
    assert columns.unscale(rows) / scale == pytest.approx(X, rel=1e-9, abs=1e-9)
    slopes = columns.log_slope(X * scale) + np.log(scale)
    assert slopes == pytest.approx(learn(scaling, X).log_slope(X), abs=1e-5)


@pytest.mark.parametrize("scale", [1e-320, 1e-310, 1e-305, 1e304, 1e307])
@pytest.mark.parametrize("scaling", [*SCALINGS, None])
def test_what_float64_cannot_compute_with_is_refused_with_a_remedy(scaling, scale):
    with pytest.raises(ValueError, match=r"column 1: values .*(Divide|Multiply) them by a const"):
        learn(scaling, ORDINARY * [1.0, scale])


@pytest.mark.parametrize(
    ("scaling", "scale"),
    [(None, scale) for scale in (1e-200, 1e-30, 1e-16, 1e30)]
    + [(PowerTransformer(), scale) for scale in (1e-200, 1e-30, 1e-16)],
    ids=str,
)
def test_what_a_scaling_leaves_beyond_a_network_is_refused_with_a_remedy(scaling, scale):
    with pytest.raises(ValueError, match=r"column 1: .*([Dd]ivide|[Mm]ultiply) them by a const"):
        learn(scaling, ORDINARY * [1.0, scale])


@pytest.mark.parametrize("value", [0.0, 1e-320, 1e-300, 1e308])
@pytest.mark.parametrize("scaling", [*SCALINGS, None])
def test_a_constant_may_be_any_number(scaling, value):
    X = np.column_stack([ORDINARY, np.full(60, value)])
    columns = learn(scaling, X)
    assert (columns.unscale(columns.scale(X))[:, 2] == value).all()


def test_a_profile_finds_heavy_tails_at_any_scale():
    X = np.exp(2.5 * RANDOM.normal(size=(300, 1)))
    for scale in (1.0, 1e-200, 1e200):
        profile = Profile(canonical(X * scale, np.ones(300)), Levels.none(1))
        assert profile.heavy.all()
        assert profile.deviation / scale == pytest.approx(X.std(axis=0))
        assert profile.mean / scale == pytest.approx(X.mean(axis=0))


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e200])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_scores_and_decoded_cells_follow_the_scale(cls, scale, mixed):
    X = pd.DataFrame(ORDINARY, columns=["a", "b"])
    if mixed:
        X["c"] = np.resize(["u", "v"], 60)
    scaled = X.assign(b=X["b"] * scale)
    # A mixture of the codes of sixty rows depends on which bits these have.
    prior = {"prior": "normal"} if cls is VAETransformer else {}
    one, other = quick(cls, **prior).fit(X), quick(cls, **prior).fit(scaled)
    decoded = other.inverse_transform(other.transform(scaled))["b"].to_numpy() / scale
    assert np.abs(decoded).max() < X["b"].abs().max()
    assert decoded.std() > 1e-3
    shift = np.log(scale) if cls is VAETransformer else 0.0
    # Other bits, and another order of training rows.
    assert other.score(scaled) + shift == pytest.approx(one.score(X), abs=0.3)


@pytest.mark.parametrize("cell", [1e39, 1e155, 1e200, -1e308])
@pytest.mark.parametrize("kind", ["float64", "float32", "mixed"])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_cell_far_beyond_fit_gives_finite_results(cls, kind, cell):
    X = ORDINARY.astype("float32") if kind == "float32" else ORDINARY
    later = ORDINARY[:3].copy()
    later[0] = cell, np.nan
    if kind == "mixed":
        X, later = (pd.DataFrame(x, columns=["a", "b"]).assign(c="u") for x in (X, later))
    fitted = quick(cls).fit(X)
    assert np.isfinite(fitted.transform(later)).all()
    scores = fitted.score_samples(later)
    assert np.isfinite(scores).all()
    assert scores[0] < scores[1:].min()
    filled = fitted.impute(later)
    numbers = np.asarray(filled)[:, :2].astype(float)
    assert np.isfinite(numbers).all()
    assert numbers[0, 0] == cell
    alone = later[1:2] if kind != "mixed" else later.iloc[1:2]
    assert np.array_equal(fitted.transform(alone), fitted.transform(later)[1:2])


def test_infinite_cells_are_refused_all_the_same():
    X = pd.DataFrame(ORDINARY, columns=["a", "b"]).assign(c="u")
    fitted = quick(AutoencoderTransformer).fit(X)
    with pytest.raises(ValueError, match=r"contains inf .* in column 'a'"):
        fitted.transform(X.assign(a=[*X["a"][1:], np.inf]))


@pytest.mark.parametrize("rows", [Arrays((2, 4)), Images((1, 2, 4))], ids=str)
@pytest.mark.parametrize("scale", [1e-200, 1e-16, 1e16, 1e200])
def test_arrays_of_any_scale_are_exact_or_refused(rows, scale):
    X = RANDOM.random((20, 8))
    model = quick(AutoencoderTransformer, rows=rows)
    if 1e-30 < scale < 1e30:
        small = model.fit(X * scale).reconstruction_error(X * scale)
        assert small == pytest.approx(model.fit(X).reconstruction_error(X), rel=1e-2, abs=1e-3)
    else:
        with pytest.raises(ValueError, match=r"Cells go up to .*(Divide|Multiply) them"):
            model.fit(X * scale)


def test_columns_of_a_table_of_floats_that_hold_no_more_than_float32_are_decoded_within_it():
    X = ORDINARY * [1.0, 1e300]
    fitted = quick(AutoencoderTransformer, rows=Table(scaling="robust")).fit(X)
    codes = fitted.transform(X).astype(np.float32)
    assert np.isfinite(fitted.inverse_transform(codes)).all()
