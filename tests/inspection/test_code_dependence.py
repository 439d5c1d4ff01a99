"""Which columns a code depends on."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import torch
from inspected_tables import mixed_table
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    VAETransformer,
)
from sklearn_replearn.inspection import CodeDependenceDisplay, code_dependence
from sklearn_replearn.rows import Images

OURS = (AutoencoderTransformer, VAETransformer, ContrastiveTransformer)


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def weighted(weights):
    """A transformer whose only code is a weighted sum of the columns."""
    return FunctionTransformer(lambda X: np.asarray(X) @ np.array(weights)[:, None]).fit([[0.0]])


def test_shares_of_a_sum_of_independent_columns_are_those_of_its_variance():
    X = np.random.RandomState(0).normal(size=(3000, 4))
    shares = code_dependence(weighted([3.0, 2.0, 1.0, 0.0]), X, max_samples=3000, n_repeats=10)
    # By rank, which changes a normal distribution's shares by little.
    np.testing.assert_allclose(shares[:, 0], np.array([9, 4, 1, 0]) / 14, atol=0.03)
    assert shares[3, 0] == 0


def test_it_goes_by_rank():
    X = np.random.RandomState(0).normal(size=(200, 3))
    straight = weighted([2.0, 1.0, 0.5])
    curved = FunctionTransformer(lambda X: np.exp(4 * straight.transform(X))).fit(X)
    np.testing.assert_array_equal(code_dependence(straight, X), code_dependence(curved, X))


def test_the_only_column_decides_and_a_constant_code_depends_on_none():
    X = np.arange(300.0)[:, None]
    assert code_dependence(weighted([1.0]), X)[0, 0] == pytest.approx(1, abs=0.1)
    assert code_dependence(weighted([0.0]), X)[0, 0] == 0
    assert 0 < code_dependence(weighted([1.0]), X[:3])[0, 0] <= 1


def test_columns_that_tell_the_same_are_exchanged_together():
    x = np.random.RandomState(0).normal(size=(300, 1))
    frame = pd.DataFrame(np.hstack([x, x, 0.1 * x]), columns=["a", "b", "c"])
    encoder = weighted([1.0, 1.0, 1.0])
    alone = code_dependence(encoder, frame)
    together = code_dependence(encoder, frame, groups={"both": ["a", 1]})
    assert together.index.tolist() == ["both", "c"]
    assert together.loc["both"].item() > alone.loc["a"].item() + 0.3
    np.testing.assert_array_less(0, together.to_numpy())


@pytest.mark.parametrize("cls", OURS)
def test_rows_in_any_order_and_container_give_the_same(cls):
    frame = mixed_table(60)
    fitted = cls(latent_dim=3, max_epochs=2).fit(frame)
    state = np.random.get_state()[1].copy(), torch.get_rng_state()
    shares = code_dependence(fitted, frame, max_samples=40)
    assert (np.random.get_state()[1] == state[0]).all()
    assert torch.equal(torch.get_rng_state(), state[1])
    assert shares.index.tolist() == frame.columns.tolist()
    assert shares.columns.tolist() == fitted.get_feature_names_out().tolist()
    assert ((shares >= 0) & (shares <= 1)).all(axis=None) and shares.to_numpy().max() > 0
    shuffled = frame.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(code_dependence(fitted, shuffled, max_samples=40), shares)
    given = pl.from_pandas(frame)
    of_polars = code_dependence(cls(latent_dim=3, max_epochs=2).fit(given), given, max_samples=40)
    assert isinstance(of_polars, pl.DataFrame) and of_polars.columns[0] == "feature"
    np.testing.assert_array_equal(of_polars[:, 1:].to_numpy(), shares.to_numpy())


def test_arrays_of_any_kind(wine):
    X = wine[0][:60]
    pipeline = make_pipeline(StandardScaler(), PCA(2)).fit(X)
    shares = code_dependence(pipeline, X)
    assert isinstance(shares, np.ndarray) and shares.shape == (13, 2)
    np.testing.assert_allclose(code_dependence(pipeline, X.tolist()), shares)
    np.testing.assert_allclose(code_dependence(PCA(2).fit(X), sp.csr_array(X)).shape, (13, 2))
    images = np.random.RandomState(0).uniform(size=(20, 1, 4, 4))
    encoder = AutoencoderTransformer(2, rows=Images((1, 4, 4)), max_epochs=1).fit(images)
    assert code_dependence(encoder, images, n_repeats=1).shape == (16, 2)
    with_frames = PCA(2).fit(X).set_output(transform="pandas")
    assert code_dependence(with_frames, X).shape == (13, 2)


def test_the_encoder_of_a_predictor(wine):
    X, y = wine
    encoder = AutoencoderTransformer(latent_dim=2, max_epochs=1)
    predictor = EncoderClassifier(encoder).fit(X, y)
    assert code_dependence(predictor, X, n_repeats=1).shape == (13, 2)


def test_columns_of_one_name_are_told_apart():
    frame = pd.DataFrame(np.random.RandomState(0).normal(size=(30, 2)), columns=["a", "a"])
    shares = code_dependence(weighted([1.0, 0.0]), frame)
    assert shares.index.tolist() == ["a", "a (1)"] and shares.iloc[1, 0] == 0 < shares.iloc[0, 0]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"X": [[1.0, 2.0]]}, "at least 2 rows"),
        ({"X": [1.0, 2.0]}, "must be a table"),
        ({"groups": {"g": ["z"]}}, "groups names 'z'"),
        ({"groups": {"g": [0], "h": [0]}}, "twice"),
        ({"groups": {"g": []}}, "list of columns"),
        ({"n_repeats": 0}, "n_repeats"),
        ({"max_samples": 1}, "max_samples"),
        ({"random_state": "a"}, "random_state"),
    ],
)
def test_bad_input_is_refused(kwargs, message):
    X = kwargs.pop("X", np.eye(3)[:, :2])
    with pytest.raises(ValueError, match=message):
        code_dependence(weighted([1.0, 1.0]), X, **kwargs)


def test_what_gives_no_codes_is_refused():
    with pytest.raises(TypeError, match="transform"):
        code_dependence(object(), [[1.0], [2.0]])


def test_the_display_keeps_what_it_draws():
    frame = mixed_table(30)
    fitted = VAETransformer(latent_dim=3, max_epochs=2).fit(frame)
    shares = code_dependence(fitted, frame)
    display = CodeDependenceDisplay.from_estimator(fitted, frame)
    np.testing.assert_array_equal(display.dependence, shares)
    assert display.features == frame.columns.tolist()
    assert display.codes == ["code 0", "code 1", "code 2"]
    drawn = np.asarray(display.image_.get_array())
    order = [label.get_text() for label in display.ax_.get_yticklabels()]
    np.testing.assert_array_equal(drawn, shares.loc[order])
    assert drawn.max(axis=1).tolist() == sorted(drawn.max(axis=1), reverse=True)
    again = CodeDependenceDisplay.from_predictions(shares, ax=plt.figure().add_subplot())
    np.testing.assert_array_equal(again.dependence, display.dependence)
    assert again.codes == shares.columns.tolist()
    polars_shares = pl.DataFrame({"feature": ["a", "b"], "c0": [0.1, 0.2]})
    of_polars = CodeDependenceDisplay.from_predictions(polars_shares)
    assert (of_polars.features, of_polars.codes) == (["a", "b"], ["c0"])
    given = pl.from_pandas(frame)
    assert CodeDependenceDisplay.from_estimator(fitted, given).codes == display.codes


def test_many_columns_are_left_out_and_it_says_so():
    display = CodeDependenceDisplay.from_predictions(np.linspace(0, 1, 80)[:, None])
    assert display.image_.get_array().shape == (30, 1)
    assert "50 more" in display.ax_.get_ylabel()
    with pytest.raises(ValueError, match="n_features, n_codes"):
        CodeDependenceDisplay.from_predictions(np.zeros(3))
    with pytest.raises(ValueError, match="names"):
        CodeDependenceDisplay.from_predictions(np.zeros((3, 1)), features=["a"])
