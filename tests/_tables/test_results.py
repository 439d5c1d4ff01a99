"""What is said of rows comes in the container that is asked for, or that fit saw."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from quick import quick

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    OutlierDetector,
    VAETransformer,
)

TRANSFORMERS = [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
ROWS = pd.DataFrame(
    np.random.default_rng(0).normal(size=(24, 2)), columns=["size", "age"], index=range(100, 124)
).assign(kind=list("ab") * 12)
CONTAINERS = {
    "pandas": (lambda frame: frame, pd.DataFrame),
    "polars": (lambda frame: pl.DataFrame(frame.to_dict("list")), pl.DataFrame),
    "pyarrow": (lambda frame: pa.table(frame.to_dict("list")), pa.Table),
}
by_container = pytest.mark.parametrize("name", CONTAINERS)


def said(estimator, X):
    """Everything that an estimator says in a table, and the names of its columns."""
    columns, told = ["size", "age", "kind"], {}
    if isinstance(estimator, OutlierDetector):
        told["explain"] = estimator.explain(X), columns
        told["top_reasons"] = estimator.top_reasons(X, n=2), ["reason 1", "reason 2"]
        return told
    told["errors"] = estimator.reconstruction_error(X), columns
    if isinstance(estimator, VAETransformer):
        codes = estimator.get_feature_names_out().tolist()
        told["mean"], told["std"] = ((moment, codes) for moment in estimator.posterior(X))
        told["elbo_terms"] = estimator.elbo_terms(X), [*columns, "kl"]
    return told


def names(frame):
    return list(frame.column_names if isinstance(frame, pa.Table) else frame.columns)


def numbers(frame):
    """Cells as an array."""
    return np.asarray(frame.to_pandas() if isinstance(frame, pa.Table) else frame)


@by_container
@pytest.mark.parametrize("cls", [*TRANSFORMERS, OutlierDetector])
@pytest.mark.filterwarnings("ignore:No row can be called anomalous")
def test_tables_are_of_the_library_of_fit(cls, name):
    make, kind = CONTAINERS[name]
    estimator = cls() if cls is OutlierDetector else quick(cls)
    fitted = estimator.fit(make(ROWS))
    for (told, columns), (as_pandas, _) in zip(
        said(fitted, make(ROWS)).values(),
        said(estimator.fit(ROWS), ROWS).values(),
        strict=True,
    ):
        assert type(told) is kind and names(told) == columns
        assert as_pandas.index.equals(ROWS.index)
        assert (numbers(told) == as_pandas.to_numpy()).all()


@by_container
@pytest.mark.parametrize("cls", TRANSFORMERS)
def test_histories_are_of_the_library_of_fit(cls, name):
    make, kind = CONTAINERS[name]
    history = quick(cls).fit(make(ROWS)).history_
    assert type(history) is kind
    assert numbers(history["train_loss"]).shape == (2,)
    if name == "pandas":
        assert history.index.name == "epoch"
    else:
        assert names(history)[0] == "epoch" and numbers(history["epoch"]).tolist() == [1, 2]


# Scikit-learn before 1.7 takes no rows of a table of pyarrow.
@pytest.mark.parametrize("name", ["pandas", "polars"])
@pytest.mark.parametrize("cls", [EncoderClassifier, EncoderRegressor])
def test_histories_of_fine_tuning_are_of_the_library_of_fit(cls, name):
    make, kind = CONTAINERS[name]
    tuned = cls(quick(AutoencoderTransformer), fine_tune="full").fit(make(ROWS), np.arange(24) % 2)
    assert type(tuned.history_) is kind
    assert not hasattr(tuned.set_params(fine_tune=False).fit(ROWS, np.arange(24) % 2), "history_")


@pytest.mark.parametrize("asked", ["pandas", "polars"])
@pytest.mark.parametrize("by", ["set_output", "set_config"])
@pytest.mark.parametrize("make", [*(m for m, _ in CONTAINERS.values()), pd.DataFrame.to_numpy])
def test_set_output_says_it_otherwise(make, by, asked):
    kind, fitted = CONTAINERS[asked][1], quick(VAETransformer).fit(make(ROWS))
    in_general = asked if by == "set_config" else "default"
    with sklearn.config_context(transform_output=in_general):
        if by == "set_output":
            fitted.set_output(transform=asked)
        tables = [told for told, _ in said(fitted, make(ROWS)).values()]
        assert {type(told) for told in [*tables, fitted.history_]} == {kind}
        assert type(fitted.transform(make(ROWS))) is kind
        assert len(fitted.loss_curve_) == 2
    if asked == "pandas" and isinstance(make(ROWS), pd.DataFrame):
        assert all(told.index.equals(ROWS.index) for told in tables)
    fitted.set_output(transform="default")
    back = fitted.reconstruction_error(make(ROWS))
    assert type(back) is type(make(ROWS))


@pytest.mark.parametrize("cls", TRANSFORMERS)
def test_of_arrays_numbers_are_arrays_and_what_has_names_is_a_pandas_frame(cls):
    X = ROWS[["size", "age"]].to_numpy()
    fitted = quick(cls).fit(X)
    assert type(fitted.reconstruction_error(X)) is np.ndarray
    assert type(fitted.history_) is pd.DataFrame
    if cls is VAETransformer:
        assert [type(moment) for moment in fitted.posterior(X)] == [np.ndarray] * 2
        assert list(fitted.elbo_terms(X)) == ["x0", "x1", "kl"]


def test_rows_of_another_library_than_those_of_fit():
    fitted = quick(VAETransformer).fit(ROWS)
    of_polars = fitted.reconstruction_error(CONTAINERS["polars"][0](ROWS))
    assert type(of_polars) is pd.DataFrame and of_polars.index.tolist() == list(range(24))


def test_names_that_are_no_strings_become_strings_where_they_have_to():
    fitted = quick(AutoencoderTransformer).fit(pd.DataFrame(np.eye(4)))
    assert list(fitted.reconstruction_error(pd.DataFrame(np.eye(4)))) == [0, 1, 2, 3]
    fitted.set_output(transform="polars")
    assert fitted.reconstruction_error(pd.DataFrame(np.eye(4))).columns == ["0", "1", "2", "3"]
