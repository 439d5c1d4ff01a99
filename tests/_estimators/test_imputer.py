"""Missing cells filled as a step of a pipeline."""

from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    RepresentationImputer,
    VAETransformer,
)

small = {"latent_dim": 2, "hidden_layer_sizes": (8,), "max_epochs": 5}


@pytest.fixture
def holes():
    X, y = load_wine(return_X_y=True)
    X[:, 2:6][np.random.default_rng(0).random((len(X), 4)) < 0.3] = np.nan
    return X, y


@pytest.fixture
def frame(holes):
    X, y = holes
    table = pd.DataFrame(X[:, :4], columns=list("abcd"))
    table["kind"] = pd.Series(np.array(["x", "y", "z"])[y]).mask(np.arange(len(y)) % 5 == 0)
    return table


@pytest.mark.parametrize("cls", [AutoencoderTransformer, ContrastiveTransformer, VAETransformer])
def test_it_fills_what_its_transformer_fills(cls, holes):
    X, _ = holes
    imputer = RepresentationImputer(cls(**small))
    filled = imputer.fit_transform(X)
    assert np.array_equal(filled, cls(**small).fit(X).impute(X))
    assert np.array_equal(filled[~np.isnan(X)], X[~np.isnan(X)])
    assert not hasattr(imputer.estimator, "n_features_in_")  # it is cloned
    assert np.array_equal(clone(imputer).fit(X).transform(X), filled)


def test_none_is_a_vae(frame, monkeypatch):
    quick = partial(VAETransformer, **small)
    monkeypatch.setattr("sklearn_replearn._estimators.imputer.VAETransformer", quick)
    assert isinstance(RepresentationImputer().fit(frame).estimator_, VAETransformer)


def test_a_search_goes_over_the_parameters_of_its_transformer(holes):
    X, y = holes
    pipeline = make_pipeline(
        RepresentationImputer(VAETransformer(**small)), StandardScaler(), LogisticRegression()
    )
    search = GridSearchCV(
        pipeline, {"representationimputer__estimator__latent_dim": [1, 2]}, cv=2
    ).fit(X, y)
    assert search.best_score_ > 0.85
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_columns_of_a_frame_go_on_to_others(frame, holes):
    _, y = holes
    columns = make_column_transformer((OneHotEncoder(), ["kind"]), (StandardScaler(), list("abcd")))
    pipeline = make_pipeline(
        RepresentationImputer(VAETransformer(**small)), columns, LogisticRegression()
    )
    assert pipeline.fit(frame, y).score(frame, y) > 0.8
    inside = make_column_transformer((RepresentationImputer(VAETransformer(**small)), list("abc")))
    assert np.isfinite(inside.fit_transform(frame)).all()


@pytest.mark.parametrize(
    "made", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas], ids=["pandas", "polars", "arrow"]
)
def test_frames_come_back_as_frames_with_indicators(made, frame):
    X = made(frame)
    imputer = RepresentationImputer(VAETransformer(**small), add_indicator=True).fit(X)
    filled = imputer.transform(X)
    assert type(filled) is type(X)
    names = [*"abcd", "kind", *(f"missingindicator_{name}" for name in ("c", "d", "kind"))]
    assert list(imputer.get_feature_names_out()) == names
    filled = filled.to_pandas() if hasattr(filled, "to_pandas") else filled
    assert filled.columns.tolist() == names
    assert filled.notna().all(axis=None)
    assert np.array_equal(filled.iloc[:, 5:], frame[["c", "d", "kind"]].isna())


@pytest.mark.parametrize("made", [np.asarray, lambda X: X.astype(np.float32), sp.csr_array])
def test_indicators_are_those_of_scikit_learn(made, holes):
    X = made(holes[0])
    imputer = RepresentationImputer(AutoencoderTransformer(**small), add_indicator=True)
    ours, theirs = imputer.fit_transform(X), SimpleImputer(add_indicator=True).fit_transform(X)
    assert type(ours) is type(X)
    assert ours.dtype == X.dtype
    dense = (table.toarray() if sp.issparse(table) else table for table in (ours, theirs))
    ours, theirs = (table[:, 13:] for table in dense)
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_output_may_be_a_frame(output, holes):
    X, _ = holes
    imputer = RepresentationImputer(VAETransformer(**small), add_indicator=True)
    filled = imputer.set_output(transform=output).fit_transform(X)
    assert list(filled.columns) == list(imputer.get_feature_names_out())
    assert isinstance(filled, {"pandas": pd.DataFrame, "polars": pl.DataFrame}[output])


def test_columns_of_which_fit_saw_no_cell_are_left_out(frame):
    for X in (frame.assign(b=np.nan), frame.assign(b=None)):
        for table in (X, pl.from_pandas(X)):
            imputer = RepresentationImputer(VAETransformer(**small))
            with pytest.warns(UserWarning, match="All cells are missing in column 'b'"):
                imputer.fit(table)
            assert list(imputer.transform(table).columns) == ["a", "c", "d", "kind"]
            assert imputer.get_feature_names_out().tolist() == ["a", "c", "d", "kind"]
    numbers = frame[list("abcd")].assign(b=np.nan).to_numpy()
    with pytest.warns(UserWarning, match="All cells are missing in column 1"):
        filled = RepresentationImputer(VAETransformer(**small)).fit_transform(numbers)
    assert filled.shape[1] == 3


def test_a_frozen_transformer_is_used_as_it_is(holes):
    X, _ = holes
    fitted = AutoencoderTransformer(**small).fit(X)
    imputer = RepresentationImputer(FrozenEstimator(fitted), add_indicator=True).fit(X[:20])
    assert np.array_equal(imputer.transform(X)[:, :13], fitted.impute(X))


@pytest.mark.parametrize("estimator", [PCA(2), SimpleImputer(), VAETransformer, "vae"])
def test_other_estimators_are_refused(estimator, holes):
    with pytest.raises(ValueError, match="estimator"):
        RepresentationImputer(estimator).fit(holes[0])


@pytest.mark.parametrize("made", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas])
def test_a_column_with_the_name_of_an_indicator_is_refused(made, frame):
    table = made(frame.rename(columns={"a": "missingindicator_c"}))
    imputer = RepresentationImputer(AutoencoderTransformer(**small), add_indicator=True)
    with pytest.raises(ValueError, match=r"adds a column 'missingindicator_c'.* has one of this"):
        imputer.fit(table)
    assert not hasattr(imputer, "estimator_")
    assert len(imputer.set_params(add_indicator=False).fit_transform(table)) == len(frame)
