"""StackedSearchCV finds what GridSearchCV finds."""

import pickle
import warnings

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    VAETransformer,
    augmentations,
)
from sklearn_replearn._training import together
from sklearn_replearn._training.following import Follow
from sklearn_replearn._training.stacked import StackedStep
from sklearn_replearn.model_selection import StackedSearchCV

rng = np.random.default_rng(0)
X = rng.normal(size=(91, 3)) @ rng.normal(size=(3, 5)) + 0.1 * rng.normal(size=(91, 5))
BINARY = (X > 0).astype(float)
SMALL = {"hidden_layer_sizes": (8,), "max_epochs": 4, "device": "cpu"}
AE, VAE = AutoencoderTransformer(**SMALL), VAETransformer(**SMALL)
DIMS = {"latent_dim": [2, 3]}


def both(estimator, grid, rows=X, y=None, **kwargs):
    """The two searches, which have the same results but for the times."""
    searches = [Search(estimator, grid, **kwargs) for Search in (GridSearchCV, StackedSearchCV)]
    for search in searches:
        search.fit(rows, y)
    one_by_one, stacked = (search.cv_results_ for search in searches)
    assert list(one_by_one) == list(stacked)
    for name in one_by_one:
        if "_time" not in name:
            np.testing.assert_array_equal(one_by_one[name], stacked[name], name)
    return searches


@pytest.mark.parametrize(
    ("estimator", "grid", "rows", "n_stacked"),
    [
        (AE, {**DIMS, "lr": [1e-3, 1e-2], "weight_decay": [0.0, 0.1]}, X, 24),
        (AE, {"random_state": [0, 1]}, X[:90], 6),
        (clone(AE).set_params(batch_size=20), DIMS, X, 6),  # batches of an epoch of two sizes
        (clone(AE).set_params(hidden_layer_sizes=()), DIMS, X, 6),
        (clone(AE).set_params(hidden_layer_sizes=(7, 50)), DIMS, X, 6),
        (clone(AE).set_params(gradient_clip=1e-3, optimizer="adam"), DIMS, X, 6),
        (clone(AE).set_params(lr_schedule=None, activation="tanh"), DIMS, X.astype("f4"), 6),
        (clone(AE).set_params(loss="bce", activation="elu"), DIMS, BINARY, 6),
        (AE, {"latent_dim": [2, 20], "hidden_layer_sizes": [(8,), (9,)]}, X, 12),
        (AE, {"max_epochs": [2, 3]}, X, 4),  # one of the folds is alone
        (VAE, {**DIMS, "beta": [1.0, 4.0]}, X, 12),
        (clone(VAE).set_params(likelihood="bernoulli", activation="gelu"), DIMS, BINARY, 6),
        (clone(VAE).set_params(batch_size=20), DIMS, X[:60], 6),
    ],
)
def test_results_are_those_of_a_grid_search(estimator, grid, rows, n_stacked):
    folds = KFold(3)
    # Of 91 rows two folds leave 61 and one 60: these are stacks of their own.
    one_by_one, stacked = both(estimator, grid, rows, cv=folds)
    n_fits = len(one_by_one.cv_results_["params"]) * 3
    assert stacked.n_stacked_ == n_stacked <= n_fits
    assert stacked.best_params_ == one_by_one.best_params_
    codes = [search.best_estimator_.transform(rows) for search in (one_by_one, stacked)]
    np.testing.assert_array_equal(*codes)


def test_weights_and_history_are_those_of_a_separate_fit():
    kept = []

    def score(estimator, rows):
        kept.append(estimator)
        return estimator.score(rows)

    search = StackedSearchCV(VAE, DIMS, cv=KFold(3), scoring=score, refit=False).fit(X[:90])
    assert search.n_stacked_ == 6 and len(kept) == 6
    for estimator in kept:
        train = next(
            train
            for train, _ in KFold(3).split(X[:90])
            if (clone(estimator).fit(X[train]).loss_curve_ == estimator.loss_curve_)
        )
        alone = clone(estimator).fit(X[train])
        for name, weight in alone.network_.state_dict().items():
            assert torch.equal(weight, estimator.network_.state_dict()[name]), name
        assert alone.history_.drop(columns="seconds").equals(
            estimator.history_.drop(columns="seconds")
        )
        assert (estimator.history_["seconds"] > 0).all()


def test_steps_of_a_pipeline():
    iris, y = load_iris(return_X_y=True)
    pipe = make_pipeline(StandardScaler(), AE, LogisticRegression())
    grid = {"autoencodertransformer__latent_dim": [1, 2], "logisticregression__C": [0.1, 1.0]}
    one_by_one, stacked = both(pipe, grid, iris, y, cv=3, return_train_score=True)
    assert stacked.n_stacked_ == 12
    np.testing.assert_array_equal(one_by_one.predict(iris), stacked.predict(iris))


@pytest.mark.parametrize(
    "estimator",
    [
        clone(AE).set_params(early_stopping=True),
        clone(AE).set_params(corruption=augmentations.GaussianNoise(0.1)),
        clone(AE).set_params(hidden_layer_sizes=(4000,), lr=1e-5),
        clone(AE).set_params(optimizer="sgd"),
        clone(AE).set_params(encoder=lambda n_in, n_out: torch.nn.Linear(n_in, n_out)),
        ContrastiveTransformer(**SMALL),
        LogisticRegression(),
    ],
)
def test_what_cannot_be_stacked_is_fitted_one_by_one(estimator):
    grid = {"tol": [1e-4, 1e-3]}
    _, stacked = both(estimator, grid, X, BINARY[:, 0], cv=3, scoring=None)
    assert stacked.n_stacked_ == 0


def test_gaps_and_categories_are_fitted_one_by_one():
    rows = X.copy()
    rows[::7, 0] = np.nan
    _, stacked = both(AE, DIMS, rows, cv=3)
    assert stacked.n_stacked_ == 0


def test_other_bits_are_not_taken(monkeypatch):
    monkeypatch.setattr(StackedStep, "same_bits", lambda *_: False)
    _, stacked = both(VAE, DIMS, cv=3)
    assert stacked.n_stacked_ == 0


def test_the_check_sees_a_last_bit(monkeypatch):
    seen, gradients, same_bits = [], StackedStep.gradients, StackedStep.same_bits

    def off(self, rows):
        terms = gradients(self, rows)
        one = self.gradient_vectors[0, :1]
        one.copy_(torch.nextafter(one, torch.ones(1)))
        return terms

    monkeypatch.setattr(StackedStep, "gradients", off)
    monkeypatch.setattr(
        StackedStep, "same_bits", lambda *args: seen.append(same_bits(*args)) or seen[-1]
    )
    both(AE, DIMS, X[:90], cv=3)
    assert seen == [False]


def test_a_fit_that_diverges_leaves_the_others_alone():
    grid = {"lr": [1e-3, 1e30]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, stacked = both(AE, grid, X[:90], cv=3, refit=False)
    scores = stacked.cv_results_["mean_test_score"]
    assert np.isfinite(scores[0]) and np.isnan(scores[1]) and stacked.n_stacked_ == 6
    with pytest.raises(ValueError, match="NaN or infinite"):
        StackedSearchCV(AE, grid, cv=3, error_score="raise").fit(X[:90])


def test_a_fit_that_ends_early_leaves_the_others_alone(monkeypatch):
    on_epoch_end, n_iter = Follow.on_epoch_end, []

    def ends_in_the_second(self, net, **kwargs):
        on_epoch_end(self, net, **kwargs)
        self.stop = net.module_.network.latent_dim == 3 and len(net.history) == 2

    def score(estimator, rows):
        n_iter.append(estimator.n_iter_)
        return estimator.score(rows)

    monkeypatch.setattr(Follow, "on_epoch_end", ends_in_the_second)
    _, stacked = both(VAE, DIMS, X[:90], cv=3, scoring=score)
    assert stacked.n_stacked_ == 6
    # Only from scikit-learn 1.9 on are fits followed.
    assert sorted(n_iter) in ([2] * 6 + [4] * 6, [4] * 12)


def test_errors_before_training_are_those_of_a_grid_search():
    with pytest.raises(ValueError, match="latent_dim"):
        StackedSearchCV(AE, {"latent_dim": [2, 0]}, cv=3, error_score="raise").fit(X)


def test_an_interruption_ends_all(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(StackedStep, "__call__", interrupted)
    search = StackedSearchCV(AE, DIMS, cv=3)
    before = torch.get_rng_state()
    with pytest.raises(KeyboardInterrupt):
        search.fit(X)
    assert not hasattr(search, "cv_results_") and torch.equal(before, torch.get_rng_state())


def test_few_wait_at_a_time(monkeypatch):
    monkeypatch.setattr("sklearn_replearn.model_selection.meeting._MOST_WAITING", 4)
    _, stacked = both(AE, DIMS, X[:90], cv=3)
    assert stacked.n_stacked_ == 6
    monkeypatch.setattr("sklearn_replearn.model_selection.meeting.MOST", 2)
    both(AE, DIMS, X[:90], cv=3)


def test_the_backend_is_for_the_fits_alone():
    iris, y = load_iris(return_X_y=True)
    pipe = make_pipeline(AE, RandomForestClassifier(5, random_state=0, n_jobs=2))
    grid = {"autoencodertransformer__latent_dim": [1, 2]}
    one_by_one, stacked = both(pipe, grid, iris, y, cv=2)
    np.testing.assert_array_equal(one_by_one.predict(iris), stacked.predict(iris))
    before = joblib.parallel.get_active_backend()
    with pytest.raises(ValueError):
        StackedSearchCV(AE, {"no_such": [1]}, cv=2).fit(iris)
    assert type(joblib.parallel.get_active_backend()[0]) is type(before[0])


def test_times_are_shares_of_a_stack():
    search = StackedSearchCV(AE, {**DIMS, "lr": [1e-3, 1e-2]}, cv=3).fit(X[:90])
    times = search.cv_results_["mean_fit_time"]
    assert (times > 0).all() and times.max() < 5 * times.min()


def test_it_is_an_estimator_like_others():
    search = StackedSearchCV(AE, DIMS, cv=2)
    assert set(clone(search).get_params(deep=False)) == set(search.get_params(deep=False))
    assert "n_jobs" not in search.get_params()
    fitted = pickle.loads(pickle.dumps(search.fit(X)))
    np.testing.assert_array_equal(fitted.transform(X), search.transform(X))
    assert together.WORTH > 0
