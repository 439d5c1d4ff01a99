"""What estimators give for tables that are read in parts: the same as for the whole."""

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest
from quick import quick
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

import sklearn_replearn
from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    OutlierDetector,
    Parts,
    RepresentationImputer,
    VAETransformer,
)
from sklearn_replearn._tables.given import _AFTER_FIT, _BY_ROW

N = 60
RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "a": RANDOM.normal(size=N),
        "b": np.where(np.arange(N) % 7 == 4, np.nan, RANDOM.normal(size=N)),
        "c": [None if i % 11 == 5 else "uvw"[i % 3] for i in range(N)],
    }
)
LABELS = np.arange(N) % 2


def parts():
    return (FRAME.iloc[start : start + 17] for start in range(0, N, 17))


FITTED = {
    "autoencoder": lambda: quick(AutoencoderTransformer).fit(FRAME),
    "vae": lambda: quick(VAETransformer).fit(FRAME),
    "contrastive": lambda: quick(ContrastiveTransformer).fit(FRAME),
    "imputer": lambda: RepresentationImputer(quick(VAETransformer)).fit(FRAME),
    "classifier": lambda: EncoderClassifier(quick(AutoencoderTransformer)).fit(FRAME, LABELS),
    "regressor": lambda: EncoderRegressor(quick(AutoencoderTransformer)).fit(FRAME, LABELS * 1.0),
    "detector": lambda: OutlierDetector().fit(FRAME),
}
WITH_ALL_ROWS = {"fit", "partial_fit", "score", "info_nce_bits", "interpolate", "traverse"}
NEEDED = {"predict_at": {"alpha": 0.2}}


@pytest.fixture(scope="module")
def fitted():
    return {name: make() for name, make in FITTED.items()}


def methods(estimator):
    found = dict(inspect.getmembers(type(estimator), lambda x: hasattr(x, "takes_table")))
    return {name: method for name, method in found.items() if name not in _AFTER_FIT}


def same(one, other):
    if isinstance(one, tuple):
        return all(map(same, one, other))
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
        return True
    if isinstance(one, list):
        return one == other
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


@pytest.mark.filterwarnings("ignore:No row can be called anomalous")
@pytest.mark.parametrize("name", FITTED)
def test_of_parts_is_to_the_last_bit_what_is_of_the_whole(fitted, name):
    estimator = fitted[name]
    by_row = methods(estimator).keys() & _BY_ROW.keys()
    assert by_row
    for method in by_row:
        X = parts
        if method == "inverse_transform":
            X = estimator.transform(parts)
        whole = X.collect() if isinstance(X, Parts) else FRAME
        apply = getattr(estimator, method)
        found = apply(X, **NEEDED.get(method, {}))
        assert isinstance(found, Parts), method
        pieces = list(found)
        assert len(pieces) == 4
        assert same(found.collect(), apply(whole, **NEEDED.get(method, {}))), method


def test_every_method_that_takes_a_table_says_what_parts_are_to_it(fitted):
    for estimator in fitted.values():
        for name in methods(estimator):
            assert (name in _BY_ROW) != (name in WITH_ALL_ROWS), name
    public = {name for estimator in fitted.values() for name in methods(estimator)}
    assert _BY_ROW.keys() <= public


def test_a_score_of_parts_is_that_of_the_whole(fitted):
    weights = RANDOM.uniform(size=N)
    for name in ("autoencoder", "vae", "contrastive"):
        score = fitted[name].score
        assert score(parts) == score(FRAME)
        assert score(parts, sample_weight=weights) == score(FRAME, sample_weight=weights)
    with pytest.raises(ValueError, match="sample_weight"):
        score(parts, sample_weight=weights[:-1])


def test_what_goes_by_all_rows_is_refused(fitted):
    with pytest.raises(ValueError, match="control='fdr' goes by all rows together"):
        fitted["detector"].predict_at(parts, 0.1, "fdr")
    with pytest.raises(ValueError, match="Leave ties at 'count'"):
        fitted["detector"].p_values(parts, ties="random")
    with pytest.raises(ValueError, match="n_draws=2 goes by all rows"):
        fitted["vae"].impute(parts, n_draws=2)
    for refused in (
        lambda: fitted["contrastive"].info_nce_bits(parts),
        lambda: fitted["classifier"].score(parts, LABELS),
        lambda: EncoderClassifier().fit(parts, LABELS),
        lambda: OutlierDetector().fit_predict(parts),
    ):
        with pytest.raises(ValueError, match="needs all rows at once, and this function is read"):
            refused()


def test_results_are_of_the_model_that_was_asked(fitted):
    encoder = quick(AutoencoderTransformer).fit(FRAME)
    before, codes = encoder.transform(FRAME), encoder.transform(parts)
    encoder.set_params(latent_dim=2).fit(FRAME[["a"]])
    assert np.array_equal(codes.collect(), before)
    with pytest.raises(NotFittedError):
        quick(AutoencoderTransformer).transform(parts)


@pytest.mark.parametrize("asked", ["pandas", "polars"])
def test_frames_are_of_the_library_that_is_asked_for(asked):
    encoder = quick(AutoencoderTransformer).fit(FRAME).set_output(transform=asked)
    frame = {"pandas": pd.DataFrame, "polars": pl.DataFrame}[asked]
    for found in (encoder.transform(parts), encoder.fit_transform(parts)):
        assert all(type(part) is frame for part in found)
        assert next(iter(found)).columns[0] == "autoencodertransformer0"


def test_written_results_have_names(fitted, tmp_path):
    codes = fitted["vae"].transform(parts).to_parquet(tmp_path / "codes")
    assert pd.read_parquet(codes).columns[0] == "vaetransformer0"
    assert np.array_equal(pd.read_parquet(codes).to_numpy(), fitted["vae"].transform(FRAME))
    scores = fitted["vae"].score_samples(parts).to_parquet(tmp_path / "scores")
    assert np.array_equal(
        pd.read_parquet(scores)["score_samples"], fitted["vae"].score_samples(FRAME)
    )
    shares = fitted["classifier"].predict_proba(parts).to_parquet(tmp_path / "shares")
    assert list(pd.read_parquet(shares)) == ["predict_proba0", "predict_proba1"]


def test_a_pipeline_of_ours_takes_a_folder(tmp_path):
    folder = Parts(parts).to_parquet(tmp_path / "in")
    pipeline = make_pipeline(
        RepresentationImputer(quick(AutoencoderTransformer)), quick(AutoencoderTransformer)
    )
    codes = pipeline.fit(folder).transform(folder)
    whole = pipeline.fit(pd.read_parquet(folder)).transform(pd.read_parquet(folder))
    assert np.array_equal(codes.collect(), whole)
    with pytest.raises((TypeError, ValueError)):
        make_pipeline(quick(AutoencoderTransformer), Ridge()).fit(folder, LABELS)


def test_a_large_sample_is_drawn_in_parts(fitted, monkeypatch):
    monkeypatch.setattr(sklearn_replearn._tables.parts, "_ROWS", 16)
    found = fitted["vae"].sample_in_parts(40, random_state=3)
    assert list(map(len, found)) == [16, 16, 8]
    pd.testing.assert_frame_equal(found.collect(), found.collect())
    again = fitted["vae"].sample_in_parts(40, random_state=3).collect()
    pd.testing.assert_frame_equal(found.collect(), again)
    first, second, _ = found
    assert not np.array_equal(first["a"], second["a"])
    given = fitted["vae"].sample_in_parts(20, given={"c": "u"}, missing="as_fit").collect()
    assert set(given["c"]) == {"u"}
    others = [fitted["vae"].sample_in_parts(5).collect()["a"].tolist() for _ in range(2)]
    assert others[0] != others[1]
    with pytest.raises(ValueError, match="n_samples"):
        fitted["vae"].sample_in_parts(0)
