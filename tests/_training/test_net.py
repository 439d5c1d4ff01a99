"""The loop: views, means over rows, gradients clipped by part, when it stops."""

import numpy as np
import pytest
import torch
from quick import quick
from skorch.callbacks import Callback
from torch import nn

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn._training.schedule import RISE, CosineSchedule, default_epochs
from sklearn_replearn.augmentations import Identity
from sklearn_replearn.objectives import Objective

SEEN = []


@pytest.fixture
def X():
    SEEN.clear()
    return np.random.default_rng(0).normal(size=(91, 4))


class MeanOfLeft(Objective):
    """A term that differs from batch to batch, and one that trains."""

    def terms(self, network, heads, batch, generator):
        SEEN.append((len(batch.rows), batch.left[:, 0].mean().item()))
        gap = (network.code(batch.left) - network.code(batch.right)).square().mean()
        return {"gap": gap, "left": batch.left[:, 0].mean()}


def test_terms_of_an_epoch_are_means_over_rows(X):
    views = {"augmentation": Identity(), "objective": MeanOfLeft(), "max_epochs": 1}
    fitted = quick(ContrastiveTransformer, batch_size=31, **views).fit(X)
    sizes, means = np.transpose(SEEN[-3:])  # the steps behind what fit tries before it begins
    assert sizes.tolist() == [31, 30, 30]
    expected = np.average(means, weights=sizes)
    assert fitted.history_["train_left"].iloc[0] == pytest.approx(expected, abs=1e-6)


def test_views_of_training_change_and_those_of_validation_do_not(X):
    fitted = quick(
        ContrastiveTransformer, objective=MeanOfLeft(), early_stopping=True, max_epochs=3, lr=1e-9
    ).fit(X)
    assert fitted.history_["train_left"].nunique() == 3
    assert fitted.history_["valid_left"].nunique() == 1


class Norms(Callback):
    """Notes the norm of the gradient of each part before a step."""

    def on_batch_end(self, net, training, **kwargs):
        if training:
            of_parts = (
                torch.stack([p.grad.norm() for p in part]).norm().item()
                for part in net.module_.parts()
            )
            SEEN.append(list(of_parts))


@pytest.mark.parametrize("clip", [None, 1e-3])
@pytest.mark.parametrize("cls", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer])
def test_gradients_of_each_part_are_clipped_apart(cls, clip, X):
    quick(cls, callbacks=[Norms()], gradient_clip=clip).fit(X)
    norms = np.array(SEEN)
    assert norms.shape[1] >= 2
    if clip is None:
        assert (norms.max(axis=0) > 2e-3).all()
    else:
        assert norms.max(axis=0) == pytest.approx([clip] * norms.shape[1], rel=1e-3)


class Rates(Callback):
    def on_batch_end(self, net, training, **kwargs):
        SEEN.append(net.optimizer_.param_groups[0]["lr"])


def test_the_learning_rate_follows_its_schedule(X):
    quick(AutoencoderTransformer, callbacks=[Rates()], lr=0.01, max_epochs=20).fit(X)
    expected = CosineSchedule(60)
    assert pytest.approx([0.01 * expected(update) for update in range(60)]) == SEEN
    SEEN.clear()
    quick(AutoencoderTransformer, callbacks=[Rates()], lr=0.01, lr_schedule=None).fit(X)
    assert SEEN == [0.01] * 6


def test_the_schedule_rises_and_falls_along_a_cosine():
    rates = np.array([CosineSchedule(1000)(update) for update in range(1000)])
    assert rates.argmax() == pytest.approx(1000 * RISE, abs=1)
    assert rates[0] < 0.03 < 0.98 < rates.max() <= 1
    assert rates[500] == pytest.approx(0.5)
    assert rates[-1] < 1e-5
    assert (np.diff(rates[: int(1000 * RISE)]) > 0).all()
    assert (np.diff(rates[int(1000 * RISE) :]) < 0).all()


@pytest.mark.parametrize(
    ("n_draws", "batch_size", "epochs"),
    [(1, 256, 500), (2_000, 256, 125), (20_000, 256, 13), (10**7, 256, 5), (2_000, 2_000, 500)],
)
def test_a_thousand_updates_unless_rows_are_very_few_or_very_many(n_draws, batch_size, epochs):
    assert default_epochs(n_draws, batch_size) == epochs


class Worsening(Objective):
    """A loss that is what a test says, epoch by epoch."""

    def __init__(self, losses):
        self.losses = losses

    def terms(self, network, heads, batch, generator):
        zero = 0 * sum(p.sum() for p in network.parameters())
        epoch = max(heads.epoch.item() - 1, 0)  # validation follows on the only step of an epoch
        return {"asked": zero + self.losses[min(epoch, len(self.losses) - 1)]}

    def heads(self, network, generator):
        heads = nn.Module()
        heads.register_buffer("epoch", torch.zeros((), dtype=torch.long))
        return heads

    def after_step(self, network, heads):
        heads.epoch += 1


@pytest.mark.parametrize(
    ("losses", "tol", "n_epochs"),
    [
        ([9, 8, 7, 6, 5, 5, 5, 5, 5], 0.5, 8),  # three epochs after the fall to 5
        ([9, 8, 7, 6, 5, 5, 5, 4, 4, 4, 4], 0.5, 11),  # the fall to 4 came in time
        ([9, 8, 7, 6.8, 6.6, 6.4, 6.2], 0.5, 6),  # falls of 0.2 are too little each
    ],
)
def test_training_stops_when_the_validation_loss_gains_no_more(losses, tol, n_epochs, X):
    fitted = quick(
        ContrastiveTransformer,
        objective=Worsening([float(loss) for loss in losses]),
        early_stopping=True,
        n_iter_no_change=3,
        tol=tol,
        max_epochs=50,
        batch_size=1000,
        lr_schedule=None,
    ).fit(X)
    assert fitted.n_iter_ == n_epochs


class Vanishing(Objective):
    """A term that later epochs lack."""

    def terms(self, network, heads, batch, generator):
        SEEN.append(1)
        gap = (network.code(batch.left) - network.code(batch.right)).square().mean()
        return {"gap": gap, "late": gap} if len(SEEN) < 6 else {"gap": gap}


def test_terms_that_change_their_names_are_refused(X):
    with pytest.raises(
        ValueError, match=r"returned gap, late, .* first step and gap, .* in epoch 2"
    ):
        quick(ContrastiveTransformer, objective=Vanishing(), max_epochs=9).fit(X)
