"""Networks applied so that a row's result is its own."""

import pickle

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer
from torch import nn

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn._estimators import padding
from sklearn_replearn._runtime.arrays import rounded
from sklearn_replearn.objectives import KLSparsity, L1Sparsity, TopKSparsity
from sklearn_replearn.rows import Table

short = {"max_epochs": 2}
ESTIMATORS = [
    AutoencoderTransformer(3, hidden_layer_sizes=(17,), **short),
    AutoencoderTransformer(3, hidden_layer_sizes=(), **short),
    AutoencoderTransformer(
        16, hidden_layer_sizes=(33, 7), loss="bce", rows=Table(scaling="minmax"), **short
    ),
    AutoencoderTransformer(5, hidden_layer_sizes=(9,), sparsity=TopKSparsity(2), **short),
    AutoencoderTransformer(5, hidden_layer_sizes=(9,), sparsity=KLSparsity(), **short),
    AutoencoderTransformer(5, hidden_layer_sizes=(9,), sparsity=L1Sparsity(), **short),
    VAETransformer(3, hidden_layer_sizes=(17,), **short),
    VAETransformer(20, hidden_layer_sizes=(50,), scale=0.5, **short),
    VAETransformer(3, likelihood="bernoulli", rows=Table(scaling="minmax"), **short),
    ContrastiveTransformer(3, hidden_layer_sizes=(17,), **short),
]


@pytest.fixture
def X():
    X = np.random.default_rng(0).normal(size=(300, 13)) * 10.0 ** np.arange(-6, 7)
    X[:, 4] = 0.1
    return X


def results(fitted, X):
    codes = fitted.transform(X)
    back = fitted.inverse_transform(codes) / 10.0 ** np.arange(-6, 7)
    given = [codes, back, fitted.score_samples(X)]
    if isinstance(fitted, VAETransformer):
        given += fitted.posterior(X)
    return given


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_float32_and_float64_agree(estimator, X, monkeypatch):
    fitted = clone(estimator).fit(X)
    if fitted._applied().dtype != torch.float32:
        pytest.skip("float32 rows depend on each other on this machine")
    single = results(fitted, X)
    monkeypatch.setattr(padding, "_rows_are_independent", lambda *args: False)
    loaded = pickle.loads(pickle.dumps(fitted))
    assert loaded._applied().dtype == torch.float64
    for a, b in zip(single, results(loaded, X), strict=True):
        assert a == pytest.approx(b, rel=2e-4, abs=2e-5)


@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_a_row_has_the_same_bits_in_any_company(estimator, fallback, X, monkeypatch):
    if fallback:
        monkeypatch.setattr(padding, "_rows_are_independent", lambda *args: False)
    fitted = clone(estimator).fit(X[:250])  # and some rows are beyond those of fit
    together = results(fitted, X)
    order = np.random.default_rng(1).permutation(300)
    for which in (order, order[:1], order[:15], order[:17], np.repeat(order[:2], 600)):
        for part, whole in zip(results(fitted, X[which]), together, strict=True):
            assert np.array_equal(part, whole[which])


def test_rows_beyond_those_of_fit_do_not_change_others(X):
    fitted = AutoencoderTransformer(3, **short).fit(X)
    codes = fitted.transform(X)
    X[7, 2] = 1e30
    X[8, 4] = 5.0
    changed = np.flatnonzero((fitted.transform(X) != codes).any(axis=1))
    assert changed.tolist() == [7, 8]


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_rows_of_large_networks_on_several_threads_are_their_own(n_threads):
    X = np.random.default_rng(0).normal(size=(120, 37))
    fitted = AutoencoderTransformer(300, hidden_layer_sizes=(3000,), max_epochs=1).fit(X)
    torch.set_num_threads(n_threads)
    try:
        codes = fitted.transform(X)
        back = fitted.inverse_transform(codes)
        for n in (1, 17, 32, 50):
            assert np.array_equal(fitted.transform(X[:n]), codes[:n])
            assert np.array_equal(fitted.inverse_transform(codes[:n]), back[:n])
    finally:
        torch.set_num_threads(1)


def test_models_in_memory_maps_are_read(X, tmp_path):
    for estimator in (ESTIMATORS[0], ESTIMATORS[6], AutoencoderTransformer(3, encoder=nn.Linear)):
        fitted = clone(estimator).fit(X)
        joblib.dump(fitted, tmp_path / "model")
        loaded = joblib.load(tmp_path / "model", mmap_mode="r")
        for a, b in zip(results(fitted, X), results(loaded, X), strict=True):
            assert np.array_equal(a, b)


def test_values_beyond_all_numbers_have_codes_of_sensible_size():
    X = np.random.default_rng(0).normal(size=(50, 2)) * [1e-10, 1.0]
    fitted = AutoencoderTransformer(2, **short).fit(X)
    codes = fitted.transform([[1e305, 0.0], [-1e305, 0.0], [1e300, 0.0]])
    assert np.abs(codes).max() < 1e4
    assert np.ptp(codes, axis=0).min() > 1  # and yet they are told apart


def test_networks_of_users_are_computed_in_float64(X):
    fitted = AutoencoderTransformer(3, encoder=nn.Linear, **short).fit(X)
    assert fitted._applied().dtype == torch.float64


def test_the_probe_sees_rows_that_depend_on_others(X):
    class Mean(nn.Module):
        def forward(self, rows):
            return rows - rows.mean(0)

    network = AutoencoderTransformer(3, **short).fit(X)._applied().network
    assert padding._rows_are_independent(network, 13, (16, 32))
    network.encoder.append(Mean())
    assert not padding._rows_are_independent(network, 13, (16, 32))


def test_the_widened_network_has_zeros_for_what_is_not_there(X):
    network = VAETransformer(3, hidden_layer_sizes=(17,), **short).fit(X)._applied().network
    with torch.no_grad():
        mean, log_variance = network.posterior(torch.randn(16, 13))
        assert mean.shape == log_variance.shape == (16, 16)
        assert not mean[:, 3:].any()
        assert not log_variance[:, 3:].any()
        assert not network.decoder(mean)[:, 13:].any()
        assert network.decode(mean).shape == (16, 13)


def test_parts_of_frames_and_other_orders_are_read_right(X):
    scaled = FunctionTransformer(np.arcsinh, np.sinh)
    for scaling in ("standard", scaled):
        fitted = AutoencoderTransformer(3, rows=Table(scaling=scaling), **short).fit(X)
        expected = fitted.transform(X)
        for same in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X[::-1][::-1]):
            assert np.array_equal(fitted.transform(same), expected)
        frozen = X.copy()
        frozen.setflags(write=False)
        assert np.array_equal(fitted.transform(frozen), expected)
        assert np.array_equal(
            AutoencoderTransformer(3, rows=Table(scaling=scaling), **short)
            .fit(frozen)
            .transform(X),
            expected,
        )


def test_rounded_keeps_24_bits():
    values = np.array([0.1, -1e300, 3.0, 0.0, 1e-300])
    assert rounded(values) == pytest.approx(values, rel=6e-8)
    assert rounded(values)[0] == np.float32(0.1)
    assert np.array_equal(rounded(rounded(values)), rounded(values))
