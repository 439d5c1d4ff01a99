"""ContrastiveTransformer: views, objectives, the decoder beside them, bits."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from sklearn_replearn import ContrastiveTransformer
from sklearn_replearn.augmentations import GaussianNoise, Identity, SwapNoise
from sklearn_replearn.objectives import (
    BYOL,
    BarlowTwins,
    NTXent,
    Objective,
    SimSiam,
    VICReg,
)
from sklearn_replearn.rows import Table

OBJECTIVES = [
    NTXent(),
    NTXent(queue_size=256),
    NTXent(beta=0.5),
    NTXent(tau_plus=0.1, queue_size=256),
    BYOL(),
    SimSiam(),
    BarlowTwins(),
    VICReg(),
]
STANDARD = Table(scaling="standard")
all_objectives = pytest.mark.parametrize("objective", OBJECTIVES, ids=str)


@all_objectives
def test_every_objective_learns_codes_that_classify_and_decode(objective, wine):
    X_train, X_test, y_train, y_test = train_test_split(*wine, train_size=0.5, random_state=0)
    # Two columns: with wider codes a network without training classifies as well.
    hardly, trained = (
        ContrastiveTransformer(2, objective=objective, rows=STANDARD, max_epochs=epochs).fit(
            X_train
        )
        for epochs in (1, 60)
    )
    before, after = (
        LogisticRegression()
        .fit(encoder.transform(X_train), y_train)
        .score(encoder.transform(X_test), y_test)
        for encoder in (hardly, trained)
    )
    assert before < 0.85 < 0.88 < after
    assert hardly.score_samples(X_test).mean() < -1 < -0.7 < trained.score_samples(X_test).mean()
    assert trained.info_nce_bits(X_test) > hardly.info_nce_bits(X_test)


class NoDecoder(Objective):
    """The objective, without the code being decoded: what the decoder must not influence."""

    def __init__(self, objective):
        self.objective = objective

    def heads(self, network, generator):
        network.decoder.requires_grad_(False)
        return self.objective.heads(network, generator)

    def terms(self, network, heads, batch, generator):
        return self.objective.terms(network, heads, batch, generator)

    def after_step(self, network, heads):
        self.objective.after_step(network, heads)


@all_objectives
def test_the_decoder_does_not_influence_the_code(objective, wine):
    X, _ = wine
    params = {"latent_dim": 8, "max_epochs": 10, "gradient_clip": 0.5, "batch_size": 64}
    with_decoder = ContrastiveTransformer(objective=objective, **params).fit(X)
    without = ContrastiveTransformer(objective=NoDecoder(objective), **params).fit(X)
    untrained = without.history_["train_reconstruction"]
    assert untrained.iloc[-1] > with_decoder.history_["train_reconstruction"].iloc[-1]
    assert np.array_equal(with_decoder.transform(X), without.transform(X))


def test_heads_are_dropped_after_fit(wine):
    X, _ = wine
    fitted = ContrastiveTransformer(8, objective=BYOL(), max_epochs=2).fit(X)
    names = {name.partition(".")[0] for name in fitted._model.arrays}
    assert names == {"encoder", "decoder", "likelihood", "code_mean", "code_axes", "code_inverse"}
    assert fitted._model.resumable is None


def test_the_score_is_in_bits_against_chance(wine):
    X, _ = wine
    fitted = ContrastiveTransformer(8).fit(X)
    assert 1.0 < fitted.info_nce_bits(X) < np.log2(len(X))
    noisy = ContrastiveTransformer(8, augmentation=SwapNoise(1.0), max_epochs=50).fit(X)
    assert abs(noisy.info_nce_bits(X)) < 0.3
    clean = ContrastiveTransformer(8, augmentation=Identity(), max_epochs=50).fit(X)
    assert clean.info_nce_bits(X) == pytest.approx(np.log2(len(X)), abs=0.05)
    with pytest.raises(ValueError, match="at least 2 rows; got 1"):
        fitted.info_nce_bits(X[:1])


def test_the_score_compares_between_batch_sizes_and_orders_of_rows():
    X = load_digits().data[:800]
    scores = [
        ContrastiveTransformer(8, batch_size=batch_size, max_epochs=epochs).fit(X).info_nce_bits(X)
        for batch_size, epochs in ((64, 20), (400, 80))
    ]
    assert scores[0] == pytest.approx(scores[1], rel=0.15)
    fitted = ContrastiveTransformer(8, max_epochs=5).fit(X)
    assert (
        fitted.info_nce_bits(X)
        == fitted.info_nce_bits(X[::-1])
        == fitted.info_nce_bits(np.asfortranarray(X))
    )


def test_views_may_differ(wine):
    X, _ = wine
    one_clean = ContrastiveTransformer(
        8, augmentation=(Identity(), SwapNoise(0.6)), max_epochs=5
    ).fit(X)
    both = ContrastiveTransformer(8, augmentation=SwapNoise(0.6), max_epochs=5).fit(X)
    assert not np.array_equal(one_clean.transform(X), both.transform(X))
    with pytest.raises(ValueError, match="two callables"):
        ContrastiveTransformer(augmentation=(Identity(),)).fit(X)


class Collapsing(Objective):
    """Draws all codes to one point."""

    def terms(self, network, heads, batch, generator):
        return {"size": (network.code(batch.left) - 1.0).square().mean()}


class OneDirection(Objective):
    """Draws all columns of the code to the first."""

    def terms(self, network, heads, batch, generator):
        code = network.code(batch.left)
        gap = (code - code[:, :1]).square().mean()
        return {"gap": gap, "size": (code[:, 0].std() - 1).square()}


@pytest.mark.parametrize(
    ("objective", "message"),
    [(Collapsing(), "at a size of"), (OneDirection(), "along one direction")],
    ids=["constant", "one direction"],
)
def test_a_collapsed_code_is_a_warning_that_says_what_to_change(objective, message, wine):
    X, _ = wine
    with pytest.warns(ConvergenceWarning, match=f"{message}.*Try another objective"):
        ContrastiveTransformer(8, objective=objective).fit(X)


@all_objectives
def test_no_objective_collapses_on_real_tables_by_default(objective, wine):
    X, _ = wine
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        ContrastiveTransformer(objective=objective, max_epochs=50).fit(X)
        ContrastiveTransformer(
            objective=objective, augmentation=GaussianNoise(0.5), max_epochs=50
        ).fit(X)
