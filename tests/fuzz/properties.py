"""What holds for any fitted transformer and any table: one function each."""

import copy
import pickle
import random

import numpy as np
import pandas as pd
import polars as pl
import torch
from from_a_file import from_a_file
from pandas.testing import assert_frame_equal
from repeatability import global_state
from scipy import sparse
from sklearn.base import clone
from tables_at_random import NUMBERS

from sklearn_replearn import VAETransformer

#: Columns that polars takes from pandas as they are.
POLARS = (*NUMBERS, "text", "string", "boolean", "Int32", "ns", "float32")


class Case:
    """A transformer, the table that it was fitted on, and its codes.

    Parameters
    ----------
    transformer : transformer
        Unfitted.
    X : DataFrame
    rng : RandomState
    """

    def __init__(self, transformer, X, rng):
        self.unfitted, self.X, self.rng = transformer, X, rng
        self.untouched = X.copy(deep=True)
        self.transformer = clone(transformer).fit(X)
        self.codes = self.transformer.transform(X)


def _vae(function):
    """A property of VAEs; it holds for what is none."""

    def holds(case):
        if isinstance(case.transformer, VAETransformer):
            function(case)

    holds.__name__ = function.__name__
    return holds


def _same_form(X, frame):
    assert list(X.columns) == list(frame.columns)
    for name in frame:
        missing = X[name].isna().any()
        whole = pd.api.types.is_integer_dtype(frame[name].dtype) or frame[name].dtype == bool
        if not (missing and whole):
            assert X[name].dtype == frame[name].dtype, name


def codes_are_finite(case):
    assert case.codes.shape == (len(case.X), case.transformer.latent_dim)
    assert np.isfinite(case.codes).all()


def codes_repeat(case):
    np.testing.assert_array_equal(case.transformer.transform(case.X), case.codes)


def a_row_alone_has_its_code(case):
    for i in case.rng.choice(len(case.X), 3):
        np.testing.assert_array_equal(case.transformer.transform(case.X.iloc[[i]]), case.codes[[i]])


def order_of_rows_does_not_matter(case):
    order = case.rng.permutation(len(case.X))
    np.testing.assert_array_equal(case.transformer.transform(case.X.iloc[order]), case.codes[order])


def order_of_rows_in_fit_does_not_matter(case):
    again = clone(case.unfitted).fit(case.X.iloc[case.rng.permutation(len(case.X))])
    np.testing.assert_array_equal(again.transform(case.X), case.codes)


def fits_repeat(case):
    np.testing.assert_array_equal(clone(case.unfitted).fit_transform(case.X), case.codes)


def a_weight_of_two_is_the_row_twice(case):
    weights = case.rng.randint(1, 3, len(case.X))
    weighted = clone(case.unfitted).fit(case.X, sample_weight=weights)
    repeated = clone(case.unfitted).fit(case.X.loc[case.X.index.repeat(weights)])
    np.testing.assert_array_equal(weighted.transform(case.X), repeated.transform(case.X))


def a_weight_of_zero_is_no_row(case):
    weights = np.append(np.ones(len(case.X)), 0.0)
    longer = pd.concat([case.X, case.X.iloc[[0]]])
    weighted = clone(case.unfitted).fit(longer, sample_weight=weights)
    np.testing.assert_array_equal(weighted.transform(case.X), case.codes)


def pickles_come_back(case):
    back = pickle.loads(pickle.dumps(case.transformer))
    np.testing.assert_array_equal(back.transform(case.X), case.codes)


def files_come_back(case):
    back = from_a_file(case.transformer)
    np.testing.assert_array_equal(back.transform(case.X), case.codes)
    decoded = back.inverse_transform(case.codes)
    assert_frame_equal(decoded, case.transformer.inverse_transform(case.codes))


def copies_are_the_same(case):
    np.testing.assert_array_equal(copy.deepcopy(case.transformer).transform(case.X), case.codes)


def global_generators_stay(case):
    random.seed(1)
    np.random.seed(2)
    torch.manual_seed(3)
    before = global_state()
    clone(case.unfitted).fit(case.X).transform(case.X)
    assert global_state() == before


def tables_are_not_changed(case):
    assert_frame_equal(case.X, case.untouched)


def parameters_are_not_changed(case):
    assert repr(case.transformer.get_params()) == repr(case.unfitted.get_params())


def a_clone_is_unfitted(case):
    assert not hasattr(clone(case.transformer), "n_features_in_")


def names_are_those_of_the_frame(case):
    assert list(case.transformer.feature_names_in_) == list(case.X.columns)
    names = case.transformer.get_feature_names_out()
    assert len(set(names)) == case.codes.shape[1]


def frames_of_codes_keep_the_index(case):
    codes = copy.deepcopy(case.transformer).set_output(transform="pandas").transform(case.X)
    assert list(codes.index) == list(case.X.index)
    np.testing.assert_array_equal(codes.to_numpy(), case.codes)


def decoded_tables_have_the_form_of_fit(case):
    decoded = case.transformer.inverse_transform(case.codes)
    assert len(decoded) == len(case.X)
    _same_form(decoded, case.X)
    for name in decoded:
        nothing = case.X[name].isna().all()
        assert decoded[name].isna().all() if nothing else decoded[name].notna().all(), name


def any_code_decodes(case):
    far = 100 * case.rng.normal(size=case.codes.shape)
    assert len(case.transformer.inverse_transform(far)) == len(far)


def errors_are_missing_where_cells_are(case):
    errors = case.transformer.reconstruction_error(case.X).to_numpy()
    gone = case.X.isna().to_numpy()
    assert np.isnan(errors[gone]).all()
    assert np.isfinite(errors[~gone]).all()
    assert (errors[~gone] >= 0).all()


def scores_are_finite(case):
    scores = case.transformer.score_samples(case.X)
    assert scores.shape == (len(case.X),)
    assert np.isfinite(scores).all()
    assert np.isclose(case.transformer.score(case.X), scores.mean())


def a_row_alone_has_its_score(case):
    scores = case.transformer.score_samples(case.X)
    i = case.rng.randint(len(case.X))
    np.testing.assert_array_equal(case.transformer.score_samples(case.X.iloc[[i]]), scores[[i]])


def imputed_cells_fill_what_is_missing(case):
    holes = case.X.copy()
    for name in holes:
        if holes[name].dtype.kind not in "iub":
            holes[name] = holes[name].mask(case.rng.rand(len(holes)) < 0.3)
    filled = case.transformer.impute(holes)
    there = holes.notna()
    for name in holes:
        known = there[name].to_numpy()
        assert list(filled[name][known]) == list(holes[name][known]), name
        if case.X[name].notna().any():
            assert filled[name].notna().all(), name
    assert list(filled.index) == list(holes.index)


@_vae
def drawn_tables_have_the_form_of_fit(case):
    drawn = case.transformer.sample(9, random_state=0)
    assert len(drawn) == 9
    _same_form(drawn, case.X)
    for name in drawn:
        cells, fit = drawn[name].dropna(), case.X[name].dropna()
        if fit.dtype.kind in "fiuM" and fit.nunique():
            assert cells.min() >= fit.min(), name
            assert cells.max() <= fit.max(), name


@_vae
def draws_repeat(case):
    first, again = (case.transformer.sample(5, random_state=7) for _ in range(2))
    assert_frame_equal(first, again)


@_vae
def the_bound_is_the_sum_of_its_terms(case):
    terms = case.transformer.elbo_terms(case.X)
    scores = case.transformer.score_samples(case.X)
    assert terms.shape == (len(case.X), case.X.shape[1] + 1)
    assert (terms.sum(axis=1).to_numpy() <= scores + 1e-6 * (1 + np.abs(scores))).all()


@_vae
def codes_are_means_of_posteriors(case):
    mean, std = case.transformer.posterior(case.X)
    np.testing.assert_array_equal(mean, case.codes)
    assert (std > 0).all(axis=None)


@_vae
def paths_begin_and_end_at_the_rows(case):
    first, last = case.X.iloc[[0]], case.X.iloc[[-1]]
    path = case.transformer.interpolate(first, last, n_steps=4)
    ends = case.transformer.inverse_transform(case.codes[[0, -1]].astype(np.float64))
    for name in path:
        found, wanted = path[name].iloc[[0, -1]], ends[name]
        assert list(found.astype(str)) == list(wanted.astype(str)), name


def an_array_is_the_frame_without_names(case):
    if not set(case.X.columns) <= set(NUMBERS):
        return
    array = case.X.to_numpy(dtype=np.float64)
    for same in (array, np.asfortranarray(array), array.tolist()):
        np.testing.assert_array_equal(clone(case.unfitted).fit_transform(same), case.codes)


def sparse_formats_say_the_same(case):
    if not set(case.X.columns) <= set(NUMBERS) or case.X.isna().to_numpy().any():
        return
    X = sparse.csr_array(case.X.to_numpy(dtype=np.float64))
    codes = clone(case.unfitted).fit_transform(X)
    assert np.isfinite(codes).all()
    for same in (X.tocsc(), X.tocoo(), sparse.csr_matrix(X)):
        transformer = clone(case.unfitted).fit(same)
        np.testing.assert_array_equal(transformer.transform(same), codes)
        assert np.isfinite(transformer.score_samples(same)).all()


def polars_is_pandas(case):
    if not set(case.X.columns) <= set(POLARS):
        return
    X = pl.from_pandas(case.X)
    transformer = clone(case.unfitted).fit(X)
    np.testing.assert_array_equal(transformer.transform(X), case.codes)
    decoded = transformer.inverse_transform(case.codes)
    assert isinstance(decoded, pl.DataFrame)
    assert decoded.columns == X.columns


def another_column_is_refused(case):
    _refused(case, case.X.assign(more=1.0), "more")


def a_lost_column_is_refused(case):
    said = str(case.X.columns[0]) if case.X.shape[1] > 1 else "0 feature(s)"
    _refused(case, case.X.iloc[:, 1:], said)


def no_rows_are_refused(case):
    _refused(case, case.X.iloc[:0], "0 sample")


def an_infinite_cell_is_refused(case):
    for name in case.X:
        if case.X[name].dtype == np.float64 and case.X[name].notna().any():
            broken = case.X.copy()
            broken.loc[broken.index[0], name] = np.inf
            _refused(case, broken, "inf")
            with_inf = clone(case.unfitted)
            try:
                with_inf.fit(broken)
            except ValueError as error:
                assert "inf" in str(error)
                assert not hasattr(with_inf, "n_features_in_")
            else:
                raise AssertionError("inf was accepted in fit")


def text_for_numbers_is_refused(case):
    for name in case.X:
        if case.X[name].dtype.kind == "f" and case.X[name].notna().any():
            words = case.X.astype({name: object})
            words[name] = "word"
            _refused(case, words, name)


def _refused(case, X, said):
    try:
        case.transformer.transform(X)
    except ValueError as error:
        assert said in str(error)
    else:
        raise AssertionError("it was accepted")
    np.testing.assert_array_equal(case.transformer.transform(case.X), case.codes)


PROPERTIES = [
    holds
    for name, holds in list(globals().items())
    if callable(holds)
    and getattr(holds, "__module__", None) == __name__
    and not name.startswith("_")
    and name != "Case"
]
