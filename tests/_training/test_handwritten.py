"""Steps by hand are those of autograd, and nothing depends on them."""

import copy
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

import sklearn_replearn
from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn._estimators import fitting
from sklearn_replearn._training import net as loop
from sklearn_replearn.augmentations import SwapNoise
from sklearn_replearn.modules.layers import ACTIVATIONS
from sklearn_replearn.objectives import L1Sparsity, TopKSparsity
from sklearn_replearn.rows import Table

SMALL = {"latent_dim": 3, "hidden_layer_sizes": (24,)}
ACTIVATED = [{"activation": name} for name in sorted(ACTIVATIONS)]
WIDTHS = [
    {"hidden_layer_sizes": ()},
    {"hidden_layer_sizes": (17, 64), "latent_dim": 5},
    {"latent_dim": 64},
]
OTHERS = [{"corruption": SwapNoise(0.5)}, {"gradient_clip": 1e-3}]
BCE = {"loss": "bce", "rows": Table(scaling="minmax")}
BERNOULLI = {"likelihood": "bernoulli", "rows": Table(scaling="minmax")}
ESTIMATORS = [
    *(AutoencoderTransformer(**SMALL | params) for params in [*ACTIVATED, *WIDTHS, *OTHERS]),
    *(AutoencoderTransformer(**SMALL | BCE | params) for params in WIDTHS),
    *(VAETransformer(**SMALL | params, kl_warmup=0.0) for params in [*ACTIVATED, *WIDTHS]),
    VAETransformer(**SMALL, beta=4.0, kl_warmup=1.0),
    VAETransformer(**SMALL, scale=0.5, gradient_clip=1e-3),
    *(VAETransformer(**SMALL | BERNOULLI | params) for params in WIDTHS),
]


@pytest.fixture
def X():
    X = np.random.default_rng(0).normal(size=(40, 7)) * 10.0 ** np.arange(-3, 4)
    X[:, 2] = 5.0  # a column that tells nothing
    return X


def trained(estimator, X, monkeypatch, by_hand=True, **params):
    """The net behind a fit, and the fitted estimator."""
    nets = []
    train = fitting.train

    def keep(*args, **kwargs):
        nets.append(train(*args, **kwargs))
        return nets[-1]

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "train", keep)
        if not by_hand:
            patch.setattr(loop, "handwritten_step", lambda net: None)
        fitted = copy.deepcopy(estimator).set_params(**{"max_epochs": 1, **params}).fit(X)
    return nets[0], fitted


def gradients_of_autograd(net, rows):
    module = copy.deepcopy(net.module_)
    module.generator = torch.Generator()
    module.generator.set_state(net.module_.generator.get_state())
    terms = module(rows)
    sum(terms.values()).backward()
    return terms, {name: weight.grad for name, weight in module.named_parameters()}


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_gradients_are_those_of_autograd(estimator, X, monkeypatch):
    net, _ = trained(estimator, X, monkeypatch)
    step = net.handwritten_
    assert step is not None
    net.module_.train()
    rows = torch.from_numpy(np.random.default_rng(1).uniform(0, 1, size=(33, 7))).float()
    rows[:, 2] = 0.0
    expected_terms, expected = gradients_of_autograd(net, rows)
    with torch.no_grad():
        terms = step.gradients(rows)
    assert list(terms) == list(expected_terms)
    for name, value in expected_terms.items():
        assert terms[name].item() == pytest.approx(value.item(), rel=1e-5)
    names = {id(weight): name for name, weight in net.module_.named_parameters()}
    places = {names[id(weight)]: place for weight, place in step.places}
    assert set(places) == set(expected)
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    for name, place in places.items():
        torch.testing.assert_close(
            place.gradient, expected[name], rtol=1e-4, atol=1e-6 * largest, msg=name
        )


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_fits_are_those_of_autograd(estimator, X, monkeypatch):
    params = {"batch_size": 16, "max_epochs": 4, "early_stopping": True, "lr": 1e-3}
    _, by_hand = trained(estimator, X, monkeypatch, **params)
    _, by_autograd = trained(estimator, X, monkeypatch, by_hand=False, **params)
    for name in by_hand.history_.columns.drop("seconds"):
        assert by_hand.history_[name].to_numpy() == pytest.approx(
            by_autograd.history_[name].to_numpy(), rel=1e-4, abs=1e-5
        )


@pytest.mark.parametrize("batch_size", [1, 2, 7, 10**12])
@pytest.mark.parametrize("cls", [AutoencoderTransformer, VAETransformer])
def test_batches_of_any_size_work(cls, batch_size, X, monkeypatch):
    losses = [
        trained(cls(**SMALL), X, monkeypatch, by_hand, batch_size=batch_size, lr=1e-4)[
            1
        ].loss_curve_
        for by_hand in (True, False)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_padding_stays_zero(X, monkeypatch):
    net, _ = trained(VAETransformer(**SMALL), X, monkeypatch, max_epochs=20, weight_decay=0.1)
    for layer in (*net.handwritten_.encoder.layers, *net.handwritten_.decoder.layers):
        n_out, n_in = layer.matrix.shape
        weight = layer.weight.clone()
        weight[:n_out, :n_in] = 0.0
        assert not weight.any()
        assert not layer.shift[n_out:].any()


def test_warm_start_goes_on_across_the_two_ways(X, monkeypatch):
    params = {"warm_start": True, "max_epochs": 3, "lr_schedule": None}
    histories = []
    for ways in ((True, True), (True, False), (False, True)):
        estimator = AutoencoderTransformer(**SMALL)
        for by_hand in ways:
            _, estimator = trained(estimator, X, monkeypatch, by_hand=by_hand, **params)
        histories.append(estimator.history_["train_loss"].to_numpy())
    assert len(histories[0]) == 6
    assert histories[1] == pytest.approx(histories[0], rel=1e-4)
    assert histories[2] == pytest.approx(histories[0], rel=1e-4)


class Listening(Callback):
    def on_batch_end(self, net, **kwargs):
        assert net.history[-1, "batches", -1, "train_loss"] > 0


class Own(nn.Linear):
    """A layer of a user's own."""


def hooked(n_in, n_out):
    layers = nn.Sequential(nn.Linear(n_in, n_out))
    layers.register_forward_hook(lambda module, args, output: 2 * output)
    return layers


def masked(n_in, n_out):
    layers = nn.Sequential(nn.Linear(n_in, n_out))
    layers[0].weight.register_hook(lambda gradient: 0 * gradient)
    return layers


def twice(n_in, n_out):
    layers = nn.Sequential(nn.Linear(n_in, n_in), nn.ReLU(), nn.Linear(n_in, n_in), nn.ReLU())
    layers[2].weight = layers[0].weight
    return layers.append(nn.Linear(n_in, n_out))


def overridden(n_in, n_out):
    layers = nn.Sequential(nn.Linear(n_in, n_out))
    layers[0].forward = layers[0].forward
    return layers


def shared(n_in, n_out):
    first = nn.Linear(n_in, n_in)
    return nn.Sequential(first, nn.ReLU(), first, nn.ReLU(), nn.Linear(n_in, n_out))


@pytest.mark.parametrize(
    "estimator",
    [
        ContrastiveTransformer(),
        AutoencoderTransformer(sparsity=L1Sparsity()),
        AutoencoderTransformer(sparsity=TopKSparsity(1)),
        AutoencoderTransformer(optimizer="sgd"),
        AutoencoderTransformer(optimizer=partial(torch.optim.Adam, amsgrad=True)),
        AutoencoderTransformer(callbacks=[Listening()]),
        AutoencoderTransformer(encoder=lambda n_in, n_out: nn.Sequential(Own(n_in, n_out))),
        AutoencoderTransformer(encoder=nn.Linear),
        AutoencoderTransformer(encoder=hooked),
        AutoencoderTransformer(encoder=masked),
        AutoencoderTransformer(encoder=twice),
        AutoencoderTransformer(encoder=overridden),
        AutoencoderTransformer(encoder=shared),
        AutoencoderTransformer(
            encoder=lambda i, o: nn.Sequential(nn.Linear(i, 9), nn.ELU(alpha=0.5), nn.Linear(9, o))
        ),
        AutoencoderTransformer(
            encoder=lambda i, o: nn.Sequential(nn.Linear(i, 9), nn.GELU("tanh"), nn.Linear(9, o))
        ),
        AutoencoderTransformer(
            encoder=lambda i, o: nn.Sequential(nn.Linear(i, o, bias=False), nn.ReLU())
        ),
    ],
    ids=range(16),
)
def test_what_is_not_known_goes_through_autograd(estimator, X, monkeypatch):
    net, fitted = trained(estimator, X, monkeypatch)
    _, by_autograd = trained(estimator, X, monkeypatch, by_hand=False)
    assert net.handwritten_ is None
    assert fitted.history_["train_loss"].equals(by_autograd.history_["train_loss"])


def test_networks_of_ones_own_made_of_known_layers_are_known(X, monkeypatch):
    def own(n_in, n_out):
        return nn.Sequential(nn.Linear(n_in, 9), nn.ReLU(inplace=True), nn.Linear(9, n_out))

    net, _ = trained(AutoencoderTransformer(encoder=own), X, monkeypatch)
    assert net.handwritten_ is not None


@pytest.mark.parametrize(
    "params", [{}, {"likelihood": "bernoulli", "rows": Table(scaling="minmax")}]
)
def test_columns_that_were_constant_before_count_in_both_ways(params, monkeypatch):
    later = np.random.default_rng(0).uniform(size=(40, 4))
    first = later.copy()
    first[:, 1] = 0.0
    terms = []
    for by_hand in (True, False):
        vae = VAETransformer(**SMALL, **params, warm_start=True, lr=1e-6)
        vae = trained(vae, first, monkeypatch, by_hand)[1]
        with pytest.warns(UserWarning, match="column 1 many numbers are beyond"):
            vae = trained(vae, later, monkeypatch, by_hand)[1]
        terms.append(vae.history_["train_loss"])
    assert terms[0].to_numpy() == pytest.approx(terms[1].to_numpy(), rel=1e-5)


def test_without_the_file_everything_works(tmp_path):
    package = Path(sklearn_replearn.__file__).parent
    shutil.copytree(package, tmp_path / package.name)
    (tmp_path / package.name / "_training" / "handwritten.py").unlink()
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import sklearn_replearn, numpy as np\n"
        "assert sklearn_replearn.__file__.startswith(sys.argv[1])\n"
        "X = np.random.default_rng(0).normal(size=(50, 4))\n"
        "for name in sklearn_replearn.__all__:\n"
        "    if not name.endswith('Transformer'): continue\n"
        "    getattr(sklearn_replearn, name)(2, max_epochs=2).fit_transform(X)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
