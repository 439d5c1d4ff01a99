"""Score against the width of the code."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from inspected_tables import mixed_table
from quick import quick
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn.inspection import LatentDimDisplay


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def folds_of(search, metric="score"):
    results = search.cv_results_
    return np.column_stack([results[f"split{k}_test_{metric}"] for k in range(search.n_splits_)])


@pytest.mark.parametrize("cls", [GridSearchCV, RandomizedSearchCV])
def test_a_search_of_mixed_rows(cls):
    how = {"n_iter": 2, "random_state": 0} if cls is RandomizedSearchCV else {}
    search = cls(quick(AutoencoderTransformer), {"latent_dim": [3, 1]}, cv=2, **how).fit(
        mixed_table(30)
    )
    display = LatentDimDisplay.from_estimator(search)
    assert display.latent_dims.tolist() == [1, 3] and display.scores.shape == (2, 2)
    tried = search.cv_results_["param_latent_dim"].astype(int)
    np.testing.assert_array_equal(display.scores, folds_of(search)[np.argsort(tried)])
    assert display.best_latent_dim == search.best_params_["latent_dim"]
    assert display.ax_.get_xlabel() == "latent_dim"


def test_a_pipeline_in_which_other_parameters_vary(wine):
    X, y = wine
    pipeline = Pipeline([("enc", quick(AutoencoderTransformer)), ("clf", LogisticRegression())])
    grid = {"enc__latent_dim": [1, 2], "clf__C": [1e-6, 1.0]}
    scoring = ["accuracy", "neg_log_loss"]
    search = GridSearchCV(pipeline, grid, cv=2, scoring=scoring, refit="accuracy").fit(X, y)
    display = LatentDimDisplay.from_estimator(search)
    best = [
        max(
            (folds for folds, params in zip(folds_of(search, "accuracy"), tried, strict=True)
             if params["enc__latent_dim"] == width),
            key=np.mean,
        )
        for tried in [search.cv_results_["params"]]
        for width in (1, 2)
    ]  # fmt: skip
    np.testing.assert_array_equal(display.scores, best)
    assert display.ax_.get_ylabel() == "accuracy"
    other = LatentDimDisplay.from_estimator(search, scoring="neg_log_loss")
    assert other.score_name == "neg log loss" and (other.scores < 0).all()
    with pytest.raises(ValueError, match="scoring must say which"):
        LatentDimDisplay.from_estimator(search, scoring="f1")


def test_any_parameter_by_name():
    X = np.random.RandomState(0).normal(size=(20, 4))
    search = GridSearchCV(PCA(), {"n_components": [1, 2]}, cv=2).fit(X)
    display = LatentDimDisplay.from_estimator(search, param="n_components")
    assert display.latent_dims.tolist() == [1, 2] and display.ax_.get_xlabel() == "n_components"
    with pytest.raises(ValueError, match=r"found none among \['n_components'\]"):
        LatentDimDisplay.from_estimator(search)
    with pytest.raises(ValueError, match="does not vary"):
        LatentDimDisplay.from_estimator(search, param="latent_dim")
    with pytest.raises(NotFittedError):
        LatentDimDisplay.from_estimator(GridSearchCV(PCA(), {}))
    search = GridSearchCV(PCA(), {"n_components": [1, None]}, cv=2).fit(X)
    with pytest.raises(ValueError, match="must be a number"):
        LatentDimDisplay.from_estimator(search, param="n_components")


def test_the_rule_of_one_standard_error():
    scores = np.array([[0.8, 0.9], [0.4, 0.6], [0.85, 0.95], [0.86, 0.94]])
    display = LatentDimDisplay.from_predictions([4, 2, 16, 8], scores)
    assert display.latent_dims.tolist() == [2, 4, 8, 16]
    np.testing.assert_allclose(display.mean_scores, [0.5, 0.85, 0.9, 0.9])
    np.testing.assert_allclose(display.standard_errors, [0.1, 0.05, 0.04, 0.05])
    assert display.best_latent_dim == 8
    assert display.threshold == pytest.approx(0.86)
    assert display.latent_dim_1se == 8
    wider = LatentDimDisplay.from_predictions([2, 4, 8], [[0, 0.6], [0.8, 0.9], [0.84, 0.98]])
    assert (wider.best_latent_dim, wider.latent_dim_1se) == (8, 4)
    assert wider.one_se_.get_xdata().tolist() == [4] and wider.best_.get_xdata().tolist() == [8]
    legend = {text.get_text() for text in wider.ax_.get_legend().get_texts()}
    assert {"best: 8", "smallest within one error: 4"} <= legend


def test_one_width_one_fold_and_fits_that_failed():
    one = LatentDimDisplay.from_predictions([3], [[0.5]])
    assert one.best_latent_dim == one.latent_dim_1se == 3 and np.isnan(one.standard_errors).all()
    failed = LatentDimDisplay.from_predictions([1, 2, 3], [[0.1, 0.2], [0.9, np.nan], [0.5, 0.6]])
    assert failed.best_latent_dim == failed.latent_dim_1se == 3


@pytest.mark.parametrize(
    ("widths", "scores", "message"),
    [
        ([1, 2], [[0.5]], "a row for each"),
        ([1], [0.5], "n_widths, n_folds"),
        (["a"], [[0.5]], "must be numbers"),
        ([1, 1], [[0.5], [0.6]], "must differ"),
        ([1], [[np.nan]], "all fits have failed"),
        ([], np.zeros((0, 2)), "n_widths"),
    ],
)
def test_bad_input_is_refused(widths, scores, message):
    with pytest.raises(ValueError, match=message):
        LatentDimDisplay.from_predictions(widths, scores)
