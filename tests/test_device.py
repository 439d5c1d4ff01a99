"""The same promises on a GPU, where there is one."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from sklearn.base import clone

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.augmentations import Compose, GaussianNoise, MaskFeatures, SwapNoise
from sklearn_replearn.densities import Autoregressive
from sklearn_replearn.objectives import (
    BYOL,
    BarlowTwins,
    BetaTCVAE,
    KLSparsity,
    NTXent,
    SimSiam,
    TopKSparsity,
    VICReg,
)
from sklearn_replearn.priors import VampPrior

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")

small = {"latent_dim": 4, "hidden_layer_sizes": (32,), "max_epochs": 5, "batch_size": 64}
corruption = Compose([SwapNoise(), MaskFeatures(), GaussianNoise()])
ESTIMATORS = [
    AutoencoderTransformer(**small, corruption=corruption),
    AutoencoderTransformer(**small, sparsity=KLSparsity(), early_stopping=True),
    AutoencoderTransformer(**small, sparsity=TopKSparsity(2), warm_start=True),
    VAETransformer(**small),
    VAETransformer(**small, density=Autoregressive(max_updates=60)),
    VAETransformer(**small, objective=BetaTCVAE(), prior=VampPrior(5)),
    *(
        ContrastiveTransformer(**small, objective=objective)
        for objective in (
            NTXent(),
            NTXent(queue_size=100),
            NTXent(beta=0.5, tau_plus=0.1),
            BYOL(),
            SimSiam(),
            BarlowTwins(),
            VICReg(),
        )
    ),
]
all_estimators = pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(500, 6))


@all_estimators
def test_a_fit_repeats_and_works_through(estimator, X):
    state = torch.cuda.get_rng_state()
    first, second = (clone(estimator).set_params(device="cuda").fit(X) for _ in range(2))
    codes = first.transform(X)
    assert np.array_equal(codes, second.transform(X))
    assert np.isfinite(first.inverse_transform(codes)).all()
    assert np.isfinite(first.score_samples(X)).all()
    assert np.isfinite(first.score(X))
    assert torch.equal(torch.cuda.get_rng_state(), state)
    first.fit(X)


@all_estimators
def test_a_model_trained_here_loads_where_there_is_no_gpu(estimator, X, tmp_path):
    fitted = clone(estimator).set_params(device="cuda").fit(X)
    np.savez(tmp_path / "rows.npz", X=X, codes=fitted.transform(X))
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(fitted))
    script = (
        "import pickle, sys, numpy as np\n"
        "model = pickle.load(open(sys.argv[1] + '/model.pickle', 'rb'))\n"
        "rows = np.load(sys.argv[1] + '/rows.npz')\n"
        "np.testing.assert_allclose(model.transform(rows['X']), rows['codes'], atol=1e-4)\n"
    )
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], env=environment, check=True)


def test_sampling_and_the_posterior_work(X):
    vae = VAETransformer(**small, device="cuda").fit(X)
    assert np.array_equal(vae.sample(5, random_state=0), vae.sample(5, random_state=0))
    assert vae.posterior(X)[1].min() > 0


def test_auto_takes_the_gpu(X):
    fitted = AutoencoderTransformer(**small).fit(X)
    assert fitted._applied().device.type == "cuda"


@pytest.mark.parametrize(
    "cls",
    [AutoencoderTransformer, VAETransformer, ContrastiveTransformer],
    ids=lambda c: c.__name__,
)
def test_raw_tables_work_through(cls):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "number": random.normal(size=300),
            "level": random.choice(["a", "b", "c"], 300),
            "order": pd.Categorical.from_codes(random.integers(0, 3, 300), list("xyz"), True),
            "count": np.where(random.random(300) < 0.8, 0, random.integers(1, 99, 300)),
            "user": [f"u{i}" for i in range(300)],
        }
    ).mask(random.random((300, 5)) < 0.1)
    fitted = cls(**small, device="cuda").fit(frame)
    assert fitted.inverse_transform(fitted.transform(frame)).dtypes.equals(frame.dtypes)
    assert fitted.impute(frame).notna().all(axis=None)
    assert np.isfinite(fitted.score_samples(frame)).all()
    if cls is VAETransformer:
        assert fitted.sample(20, random_state=0, given={"level": "a"})["level"].eq("a").all()
        assert fitted.elbo_terms(frame).notna().all(axis=None)
        assert fitted.impute(frame, n_draws=1, random_state=0)[0].notna().all(axis=None)


@pytest.mark.parametrize("cls", [AutoencoderTransformer, VAETransformer], ids=lambda c: c.__name__)
def test_sparse_counts_work_through(cls):
    counts = sp.csr_array(np.random.default_rng(0).poisson(0.3, size=(300, 40)))
    fitted = cls(**small, device="cuda").fit(counts)
    assert np.isfinite(fitted.transform(counts)).all()
    assert fitted.inverse_transform(fitted.transform(counts)).shape == (300, 40)
