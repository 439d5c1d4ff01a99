"""A user writes an objective, outside the package and with its public names only."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn

from sklearn_replearn import ContrastiveTransformer, EncoderClassifier
from sklearn_replearn.augmentations import GaussianNoise
from sklearn_replearn.objectives import Objective


class CloseViews(Objective):
    """Views of a row are close, and codes are spread."""

    def __init__(self, weight=1.0):
        self.weight = weight

    def terms(self, network, heads, batch, generator):
        left, right = network.code(batch.left), network.code(batch.right)
        spread = torch.relu(1 - left.std(0)).mean()
        return {"gap": (left - right).square().mean(), "spread": self.weight * spread}


class Centres(Objective):
    """Rows of a class lie about a centre of their own, which is learned in training."""

    uses_labels = True

    def __init__(self, n_classes):
        self.n_classes = n_classes

    def heads(self, network, generator):
        heads = nn.Module()
        start = torch.randn(self.n_classes, network.latent_dim, generator=generator)
        heads.centres = nn.Parameter(start)
        return heads

    def terms(self, network, heads, batch, generator):
        known = batch.labels >= 0
        distances = torch.cdist(network.code(batch.left)[known], heads.centres)
        return {"class": nn.functional.cross_entropy(-distances, batch.labels[known])}


class FollowsItself(Objective):
    """The code of a view is predicted from that of the other by a slow copy of the network."""

    def __init__(self, momentum=0.9):
        self.momentum = momentum

    def heads(self, network, generator):
        heads = nn.Module()
        heads.slow = copy.deepcopy(network).requires_grad_(False)
        heads.register_buffer("n_steps", torch.zeros(()))
        return heads

    def terms(self, network, heads, batch, generator):
        gap = network.code(batch.left) - heads.slow.code(batch.right)
        return {"gap": gap.square().mean(), "steps": heads.n_steps.clone()}

    def after_step(self, network, heads):
        heads.n_steps += 1
        for slow, fast in zip(heads.slow.parameters(), network.parameters(), strict=True):
            slow.lerp_(fast, 1 - self.momentum)


@pytest.fixture(scope="module")
def kinds():
    return np.random.default_rng(0).integers(0, 3, 120)


@pytest.fixture(scope="module")
def X(kinds):
    return np.eye(3, 5)[kinds] * 4 + np.random.default_rng(1).normal(size=(120, 5))


def small(objective, **others):
    settings = {"latent_dim": 2, "max_epochs": 4, "batch_size": 40, "hidden_layer_sizes": (16,)}
    return ContrastiveTransformer(objective=objective, **{**settings, **others})


def test_an_objective_of_three_lines(X):
    noise = GaussianNoise(0.3)
    encoder = small(CloseViews(), max_epochs=60, augmentation=noise).fit(X)
    history = encoder.history_
    assert np.allclose(history["train_loss"], history["train_gap"] + history["train_spread"])
    assert history["train_loss"].iloc[-1] < 0.6 * history["train_loss"].iloc[0]
    decoded = encoder.inverse_transform(encoder.transform(X))  # a decoder learns beside it
    assert np.square(decoded - X).mean() < 0.8 * X.var()
    assert np.array_equal(clone(encoder).fit(X[::-1]).transform(X), encoder.transform(X))
    stored = pickle.loads(pickle.dumps(encoder))
    assert np.array_equal(stored.transform(X), encoder.transform(X))


def test_its_parameters_are_searched_over(X):
    search = GridSearchCV(small(CloseViews()), {"objective__weight": [0.0, 5.0]}, cv=2).fit(X)
    assert search.best_estimator_.objective.weight in (0.0, 5.0)
    spreads = [
        small(CloseViews(weight), max_epochs=60)
        .fit(X)
        .network_.code_inverse.square()
        .sum(1)
        .sqrt()
        .mean()
        for weight in (0.0, 5.0)
    ]
    assert spreads[1] > 2 * spreads[0]


def test_labels_reach_it(X, kinds):
    few = np.where(np.arange(len(kinds)) < 60, kinds, -1)
    encoder = small(Centres(3), max_epochs=100).fit(X, few)
    assert encoder.history_["train_class"].iloc[-1] < 0.7 * encoder.history_["train_class"].iloc[0]
    classifier = EncoderClassifier(small(Centres(3), max_epochs=100)).fit(X, few)
    assert classifier.score(X[60:], kinds[60:]) > 0.75
    with pytest.raises(ValueError, match="needs y"):
        small(Centres(3)).fit(X)


def test_a_moving_average_is_brought_up_to_date_after_each_step(X):
    encoder = small(FollowsItself(), max_epochs=4, early_stopping=True, validation_fraction=0.25)
    encoder.fit(X)
    n_batches = 3  # of 40 of the 90 rows that are left
    steps = n_batches * np.arange(4) + (n_batches - 1) / 2
    assert encoder.history_["train_steps"].to_numpy() == pytest.approx(steps)
    assert encoder.history_["valid_steps"].to_numpy() == pytest.approx(n_batches * np.arange(1, 5))
    at_once = small(FollowsItself(momentum=0.0)).fit(X)
    slowly = small(FollowsItself(momentum=1.0)).fit(X)
    assert not np.array_equal(at_once.transform(X), slowly.transform(X))


class Returns(Objective):
    """Returns what a function makes of the distance and the number of the step."""

    def __init__(self, function):
        self.function = function

    def heads(self, network, generator):
        heads = nn.Module()
        heads.n_steps = 0
        return heads

    def terms(self, network, heads, batch, generator):
        heads.n_steps += 1
        gaps = (network.code(batch.left) - network.code(batch.right)).square().mean(1)
        return self.function(gaps, heads.n_steps)


class NoHeads(CloseViews):
    def heads(self, network, generator):
        pass


class Silent(Objective):
    pass


FAULTS = {
    "empty": (lambda gaps, step: {}, "dict of at least one named term"),
    "tensor": (lambda gaps, step: gaps.mean(), "must return a dict of at least one named term"),
    "pairs": (lambda gaps, step: [("gap", gaps.mean())], "must return a dict"),
    "nothing": (lambda gaps, step: None, "it returned None"),
    "loss": (lambda gaps, step: {"loss": gaps.mean()}, "a term 'loss': .* Give it another name"),
    "number": (lambda gaps, step: {0: gaps.mean()}, "a term 0: names are strings"),
    "taken": (lambda gaps, step: {"reconstruction": gaps.mean()}, "need other names"),
    "float": (lambda gaps, step: {"gap": gaps.mean(), "one": 1.0}, "'one' is 1.0"),
    "item": (lambda gaps, step: {"gap": gaps.mean().item()}, "float Tensors of shape"),
    "rows": (lambda gaps, step: {"gap": gaps}, r"'gap' is of shape \(40,\)"),
    "one row": (lambda gaps, step: {"gap": gaps[:1]}, r"'gap' is of shape \(1,\)"),
    "whole": (lambda gaps, step: {"gap": gaps.mean(), "n": torch.tensor(3)}, "torch.int64"),
    "detached": (lambda gaps, step: {"gap": gaps.mean().detach()}, "none has a gradient"),
    "lacking": (
        lambda gaps, step: {"gap": gaps.mean(), **({"b": gaps.mean()} if step < 5 else {})},
        "returned gap, b.* in the first step and gap.* in epoch 2. Return the same names",
    ),
    "new": (
        lambda gaps, step: {"gap": gaps.mean(), **({"b": gaps.mean()} if step > 4 else {})},
        "returned gap.* in the first step and gap, b.* in epoch 2. Return the same names",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_terms_that_are_none_are_named_with_their_objective(X, fault):
    function, message = FAULTS[fault]
    encoder = small(Returns(function))
    before = vars(encoder).copy()
    with pytest.raises(ValueError, match=f"^Returns.*{message}"):
        encoder.fit(X)
    assert vars(encoder) == before


def test_a_failed_fit_leaves_the_model_of_the_one_before(X):
    encoder = small(CloseViews()).fit(X)
    codes = encoder.transform(X)
    with pytest.raises(ValueError, match="at least one named term"):
        encoder.set_params(objective=Returns(FAULTS["empty"][0])).fit(X)
    assert np.array_equal(encoder.transform(X), codes)


def test_terms_that_are_not_finite_are_refused(X):
    with pytest.raises(ValueError, match="loss became NaN or infinite in epoch 1"):
        small(Returns(lambda gaps, step: {"gap": gaps.mean() / 0})).fit(X)


def test_heads_and_terms_that_there_are_not(X):
    with pytest.raises(ValueError, match=r"NoHeads.heads must return a torch.nn.Module"):
        small(NoHeads()).fit(X)
    with pytest.raises(TypeError, match=r"Silent does not define terms\(\)"):
        small(Silent()).fit(X)
    with pytest.raises(ValueError, match=r"must be an objective .* Got <class"):
        small(CloseViews).fit(X)
