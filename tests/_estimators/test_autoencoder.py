"""AutoencoderTransformer: plain, denoising, sparse."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn.augmentations import SwapNoise
from sklearn_replearn.objectives import KLSparsity, L1Sparsity, TopKSparsity
from sklearn_replearn.rows import Table


@pytest.fixture(scope="module")
def X(wine):
    return wine[0]


def test_a_linear_autoencoder_reconstructs_like_pca(X):
    scaled = StandardScaler().fit_transform(X)
    pca = PCA(3).fit(scaled)
    best = np.mean((scaled - pca.inverse_transform(pca.transform(scaled))) ** 2)
    linear = AutoencoderTransformer(3, hidden_layer_sizes=(), max_epochs=1000, lr=0.03).fit(X)
    assert -linear.score(X) == pytest.approx(best, rel=0.01)


def test_codes_have_unit_scale_and_are_undone_by_the_decoder(X):
    fitted = AutoencoderTransformer(13).fit(X)
    codes = fitted.transform(X)
    assert codes.mean(axis=0) == pytest.approx(np.zeros(13), abs=1e-4)
    assert codes.std(axis=0) == pytest.approx(np.ones(13), abs=1e-3)
    assert np.abs(fitted.inverse_transform(codes) - X).max() < 0.2 * X.std(axis=0).max()


def test_denoising_recovers_a_replaced_cell_better():
    X = load_digits().data[:600]
    plain = AutoencoderTransformer(max_epochs=200).fit(X)
    denoising = AutoencoderTransformer(max_epochs=200, corruption=SwapNoise(0.2)).fit(X)
    rng = np.random.default_rng(0)
    replaced = rng.random(X.shape) < 0.2
    corrupted = np.where(replaced, rng.permuted(X, axis=0), X)

    def error(fitted):
        gap = np.abs(fitted.inverse_transform(fitted.transform(corrupted)) - X)
        return gap[replaced].mean()

    assert error(denoising) < 0.9 * error(plain)


def test_top_k_codes_have_exactly_k_values(X):
    for k in (1, 3, 8):
        codes = AutoencoderTransformer(8, sparsity=TopKSparsity(k), max_epochs=20).fit_transform(X)
        assert (np.count_nonzero(codes, axis=1) == k).all()


def test_kl_sparsity_draws_the_mean_activity_to_the_target(X):
    for target in (0.05, 0.3):
        sparse = AutoencoderTransformer(16, sparsity=KLSparsity(target, weight=1.0))
        codes = sparse.fit_transform(X)
        assert ((codes > 0) & (codes < 1)).all()
        assert codes.mean(axis=0) == pytest.approx(np.full(16, target), abs=0.02)


def test_an_l1_penalty_makes_codes_small(X):
    sizes = [
        np.abs(AutoencoderTransformer(8, sparsity=L1Sparsity(weight)).fit_transform(X)).mean()
        for weight in (1e-4, 1e-2, 1.0)
    ]
    assert sizes[0] > sizes[1] > sizes[2]


def test_bce_takes_columns_within_0_and_1_and_gives_them_back(X):
    unit = (X - X.min(axis=0)) / np.ptp(X, axis=0)
    fitted = AutoencoderTransformer(8, loss="bce").fit(unit)
    back = fitted.inverse_transform(fitted.transform(unit))
    assert ((back >= 0) & (back <= 1)).all()
    assert np.abs(back - unit).mean() < 0.1
    scaled = AutoencoderTransformer(8, loss="bce", rows=Table(scaling="minmax")).fit(X)
    assert np.corrcoef(scaled.inverse_transform(scaled.transform(X)).T, X.T)[0, 13] > 0.9


def test_bce_refuses_other_columns_by_name(X):
    frame = pd.DataFrame({"share": [0.1, 0.5, 0.9], "percent": [10.0, 50.0, 90.0]})
    with pytest.raises(ValueError, match=r"outside: column 'percent', .* from 10 to 90"):
        AutoencoderTransformer(loss="bce").fit(frame)
    with pytest.raises(ValueError, match="columns 0, 1"):
        AutoencoderTransformer(loss="bce", rows=Table(scaling="standard")).fit(frame.to_numpy())


@pytest.mark.parametrize(
    ("sparsity", "message"),
    [
        (TopKSparsity(9), "between 1 and latent_dim=8; got 9"),
        (KLSparsity(1.5), r"range \(0.0, 1.0\). Got 1.5"),
    ],
)
def test_sparsity_that_does_not_fit_is_refused(sparsity, message, X):
    with pytest.raises(ValueError, match=message):
        AutoencoderTransformer(8, sparsity=sparsity).fit(X)
