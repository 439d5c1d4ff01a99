"""HistoryDisplay: which terms share a panel, validation rows, the epoch that is kept."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from mixed_table import mixed
from quick import quick
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    RepresentationImputer,
    VAETransformer,
    load,
    save,
)
from sklearn_replearn.inspection import HistoryDisplay
from sklearn_replearn.objectives import CapacityELBO, L1Sparsity, NTXent, VICReg

NATS, ERROR = "nats per row", "error per cell (columns scaled)"
X = mixed()
NUMBERS = np.random.RandomState(0).normal(size=(40, 3))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("estimator", "panels"),
    [
        (AutoencoderTransformer(), {ERROR: "loss reconstruction"}),
        (
            AutoencoderTransformer(sparsity=L1Sparsity()),
            {ERROR: "loss reconstruction sparsity"},
        ),
        (VAETransformer(), {NATS: "loss reconstruction kl"}),
        (VAETransformer(objective=CapacityELBO()), {NATS: "loss reconstruction capacity kl"}),
        (ContrastiveTransformer(), {NATS: "loss contrast", ERROR: "reconstruction"}),
        (
            ContrastiveTransformer(objective=NTXent(learn_temperature=True)),
            {NATS: "loss contrast", "temperature": "temperature", ERROR: "reconstruction"},
        ),
        (
            ContrastiveTransformer(objective=VICReg()),
            {"sum of the terms": "loss invariance variance covariance", ERROR: "reconstruction"},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_terms_of_one_unit_share_a_panel(estimator, panels):
    display = HistoryDisplay.from_estimator(quick(estimator).fit(X))
    found = {}
    for term, unit in display.units.items():
        found.setdefault(unit, []).append(term)
    assert found == {unit: terms.split() for unit, terms in panels.items()}
    assert [panel.get_ylabel() for panel in display.axes_] == list(panels)
    assert display.ax_ is display.axes_[0] and display.figure_ is display.ax_.figure
    np.testing.assert_array_equal(display.epochs, [1, 2])


def test_validation_rows_are_dashed_and_have_the_colour_of_their_term():
    vae = quick(VAETransformer, early_stopping=True, max_epochs=6).fit(X)
    display, history = HistoryDisplay.from_estimator(vae), vae.history_
    assert set(display.lines_) == set(history.columns) - {"seconds"}
    for name, line in display.lines_.items():
        np.testing.assert_array_equal(line.get_ydata(), history[name])
        np.testing.assert_array_equal(line.get_xdata(), history.index)
        assert line.get_linestyle() == ("-" if name.startswith("train") else "--")
    for term in ("loss", "reconstruction", "kl"):
        train, valid = display.lines_[f"train_{term}"], display.lines_[f"valid_{term}"]
        assert train.get_color() == valid.get_color()
    assert len({display.lines_[f"train_{t}"].get_color() for t in ("loss", "kl")}) == 2


def test_what_is_recorded_of_validation_rows_alone_has_panels_of_its_own():
    encoder = quick(ContrastiveTransformer, early_stopping=True).fit(X)
    display = HistoryDisplay.from_estimator(encoder)
    assert len(display.axes_) == 4
    assert "train_alignment" not in display.lines_
    assert display.lines_["valid_alignment"].axes is not display.lines_["valid_uniformity"].axes


def test_the_kept_epoch_is_the_one_that_fit_went_back_to(tmp_path):
    vae = quick(VAETransformer, early_stopping=True, max_epochs=30, lr=0.05, n_iter_no_change=4)
    vae.fit(NUMBERS)
    kept = HistoryDisplay.from_estimator(vae).kept_epoch
    n_warmup = 3  # a tenth of the epochs
    losses = vae.history_["valid_loss"].iloc[n_warmup:]
    assert kept == losses.idxmin() < vae.n_iter_
    save(vae, tmp_path / "vae")
    assert HistoryDisplay.from_estimator(load(tmp_path / "vae")).kept_epoch == kept
    assert HistoryDisplay.from_estimator(quick(VAETransformer).fit(NUMBERS)).kept_epoch is None


def test_a_fit_that_went_on_counts_epochs_on():
    vae = quick(VAETransformer, warm_start=True).fit(NUMBERS)
    vae.set_params(early_stopping=True).fit(NUMBERS)
    display = HistoryDisplay.from_estimator(vae)
    assert display.kept_epoch in (3, 4)
    assert np.isnan(display.valid["loss"][:2]).all()
    assert display.units["kl"] == NATS


def test_fine_tuning_has_the_unit_of_its_predictions():
    encoder, y = quick(AutoencoderTransformer, early_stopping=True), NUMBERS[:, 0]
    classifier = EncoderClassifier(encoder, fine_tune="full").fit(NUMBERS, y > 0)
    regressor = EncoderRegressor(encoder, fine_tune="linear_probe").fit(NUMBERS, y)
    of_classifier, of_regressor = map(HistoryDisplay.from_estimator, (classifier, regressor))
    assert set(of_classifier.units.values()) == {NATS}
    assert set(of_regressor.units.values()) == {"squared error (y scaled)"}
    assert of_classifier.kept_epoch in (1, 2)


@pytest.mark.parametrize(
    "around",
    [
        lambda encoder: FrozenEstimator(encoder.fit(X)),
        lambda encoder: make_pipeline(encoder).fit(X),
        lambda encoder: EncoderClassifier(encoder).fit(X, np.arange(40) % 2),
        lambda encoder: RepresentationImputer(encoder).fit(X),
        lambda encoder: GridSearchCV(encoder, {"max_epochs": [2]}, cv=2).fit(X),
        lambda encoder: EncoderClassifier(FrozenEstimator(encoder.fit(X))).fit(
            X, np.arange(40) % 2
        ),
    ],
)
def test_it_is_found_within_other_estimators(around):
    display = HistoryDisplay.from_estimator(around(quick(AutoencoderTransformer)))
    assert set(display.train) == {"loss", "reconstruction"} and len(display.epochs) == 2


@pytest.mark.parametrize("rows", [X[["size"]], X.iloc[:3], X[["colour"]], pl.from_pandas(X)])
def test_any_table_may_have_been_fitted(rows):
    display = HistoryDisplay.from_estimator(quick(AutoencoderTransformer).fit(rows))
    assert np.isfinite(display.train["loss"]).all()


def test_a_table_alone_draws_the_same():
    vae = quick(VAETransformer, early_stopping=True).fit(X)
    given = HistoryDisplay.from_estimator(vae)
    frames = [vae.history_, pl.from_pandas(vae.history_.reset_index()), vae.history_.reset_index()]
    for frame in frames:
        display = HistoryDisplay.from_predictions(frame, kept_epoch=1)
        assert display.units == given.units and display.kept_epoch == 1
        np.testing.assert_array_equal(display.epochs, given.epochs)
        np.testing.assert_array_equal(display.valid["kl"], given.valid["kl"])


def test_terms_of_a_users_have_units_that_are_given():
    history = pd.DataFrame({"train_loss": [3.0, 2.0], "train_gap": [3.0, 2.0], "train_heat": 1.0})
    display = HistoryDisplay.from_predictions(history, units={"gap": "metres", "heat": "kelvin"})
    assert display.units == {"loss": "metres", "gap": "metres", "heat": "kelvin"}
    assert set(display.lines_) == {"train_loss", "train_heat"}  # the gap is the loss


def test_one_axes_is_divided_and_several_are_taken():
    encoder = quick(ContrastiveTransformer).fit(X)
    _, ax = plt.subplots()
    display = HistoryDisplay.from_estimator(encoder, ax=ax)
    assert len(display.axes_) == 2 and display.figure_ is ax.figure
    _, axes = plt.subplots(2)
    assert list(display.plot(axes, alpha=0.5).axes_) == list(axes)
    assert display.lines_["train_loss"].get_alpha() == 0.5
    with pytest.raises(ValueError, match=r"2 of them, one for each panel; got 3"):
        display.plot(plt.subplots(3)[1])


def test_errors_say_what_is_wanted():
    with pytest.raises(NotFittedError):
        HistoryDisplay.from_estimator(VAETransformer())
    with pytest.raises(TypeError, match="StandardScaler has none"):
        HistoryDisplay.from_estimator(StandardScaler().fit(NUMBERS))
    with pytest.raises(TypeError, match="LogisticRegression has none"):
        HistoryDisplay.from_estimator(LogisticRegression().fit(NUMBERS, np.arange(40) % 2))
    with pytest.raises(TypeError, match="history must be a frame"):
        HistoryDisplay.from_predictions([1.0, 2.0])
    with pytest.raises(ValueError, match="'train_loss'"):
        HistoryDisplay.from_predictions(X)
    with pytest.raises(ValueError, match="no epoch"):
        HistoryDisplay.from_predictions(pd.DataFrame({"train_loss": []}))
