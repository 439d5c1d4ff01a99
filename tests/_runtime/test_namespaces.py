"""Tensors and arrays of other libraries, given and given back."""

import array_api_strict
import numpy as np
import pytest
import torch
from quick import quick
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_array_api_input

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    OutlierDetector,
    RepresentationImputer,
    VAETransformer,
)
from sklearn_replearn._runtime.namespaces import as_cell, as_numpy
from sklearn_replearn._tables.arrays import rows_as_array, without_mask
from sklearn_replearn.metrics import knn_probe
from sklearn_replearn.rows import Arrays

N = 24
ROWS = np.random.default_rng(0).normal(size=(N, 3))
TENSOR = torch.tensor(ROWS)
HALVES = TENSOR.bfloat16()


class Renamed(torch.Tensor):
    """A subclass of tensors."""


TENSORS = {
    "float64": (TENSOR, ROWS),
    "gradients": (TENSOR.clone().requires_grad_(), ROWS),
    "of a graph": (2 * TENSOR.clone().requires_grad_(), 2 * ROWS),
    "parameter": (torch.nn.Parameter(TENSOR), ROWS),
    "subclass": (TENSOR.as_subclass(Renamed), ROWS),
    "bfloat16": (HALVES, HALVES.float().numpy()),
    "float16": (TENSOR.half(), ROWS.astype(np.float16)),
    "float8": (TENSOR.to(torch.float8_e5m2), TENSOR.to(torch.float8_e5m2).float().numpy()),
    "uint8": ((TENSOR > 0).to(torch.uint8), (ROWS > 0).astype(np.uint8)),
    "bool": (TENSOR > 0, ROWS > 0),
    "negative": (torch.complex(TENSOR, TENSOR).conj().imag, -ROWS),
    "transposed": (TENSOR.t().contiguous().t(), ROWS),
    "strict": (array_api_strict.asarray(ROWS), ROWS),
}


@pytest.mark.parametrize("name", TENSORS)
def test_a_tensor_gives_what_its_array_gives(name):
    given, same = TENSORS[name]
    array = as_numpy(given)
    assert type(array) is np.ndarray
    assert array.dtype == same.dtype
    fitted, expected = (quick(AutoencoderTransformer).fit(X) for X in (given, same))
    codes = fitted.transform(given)
    assert type(codes) is np.ndarray
    assert np.array_equal(codes, expected.transform(same))
    assert np.array_equal(fitted.inverse_transform(torch.tensor(codes, requires_grad=True)),
                          expected.inverse_transform(codes))  # fmt: skip


def test_what_holds_no_numbers_is_refused():
    for tensor, said in (
        (TENSOR.to("meta"), 'on the device "meta"'),
        (TENSOR.to_sparse(), "to_dense()"),
    ):
        with pytest.raises(ValueError) as caught:
            quick(AutoencoderTransformer).fit(tensor)
        assert said in str(caught.value)


@pytest.mark.filterwarnings("ignore:The PyTorch API of MaskedTensors")
def test_masked_cells_of_tensors_are_missing():
    masked = torch.masked.masked_tensor(TENSOR, TENSOR > 0)
    assert np.array_equal(np.isnan(without_mask(as_numpy(masked))), ROWS <= 0)


@pytest.mark.parametrize("given", [TENSOR.clone().requires_grad_(), HALVES], ids=["", "bfloat16"])
def test_rows_and_cells_of_lists_may_be_tensors(given):
    array = given.detach().float().numpy()
    assert np.allclose(rows_as_array(list(given)), array)
    assert np.allclose(rows_as_array([list(row) for row in given]), array)
    mixed = rows_as_array([[row[0], "a"] for row in given])
    assert mixed[:, 1].tolist() == ["a"] * N
    assert np.allclose(mixed[:, 0].astype(float), array[:, 0])
    assert isinstance(as_cell(given[0, 0]), np.floating)


def test_arrays_of_several_axes_may_be_tensors():
    windows = HALVES.reshape(N, 1, 3).requires_grad_()
    fitted = quick(AutoencoderTransformer, rows=Arrays((1, 3))).fit(windows)
    assert fitted.inverse_transform(fitted.transform(windows)).shape == (N, 1, 3)


def test_metrics_take_tensors():
    labels = torch.arange(N) % 2
    given = TENSOR.clone().requires_grad_()
    assert knn_probe(given, labels, given, labels) == knn_probe(ROWS, labels, ROWS, labels)


def can_dispatch():
    """Whether scikit-learn and SciPy are new enough; 1.6 wants another package for it as well."""
    try:
        with config_context(array_api_dispatch=True):
            return True
    except ImportError:
        return False


dispatched = pytest.mark.skipif(not can_dispatch(), reason="needs SciPy 1.14 or newer")
SMALL = {"latent_dim": 2, "hidden_layer_sizes": (8,), "max_epochs": 2}
ESTIMATORS = [
    AutoencoderTransformer(**SMALL),
    VAETransformer(**SMALL),
    ContrastiveTransformer(**SMALL),
    OutlierDetector(AutoencoderTransformer(**SMALL), alpha=0.2),
    EncoderClassifier(AutoencoderTransformer(**SMALL)),
    EncoderRegressor(AutoencoderTransformer(**SMALL)),
]


# The tag ``array_api_support`` stays False: with it scikit-learn wants rows of another library than
# in fit refused, and these take them.
@dispatched
@pytest.mark.parametrize(
    ("namespace", "dtype"), [("torch", "float32"), ("array_api_strict", "float64")]
)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_results_are_of_the_namespace_of_the_rows(estimator, namespace, dtype):
    name = type(estimator).__name__
    check_array_api_input(name, estimator, namespace, None, dtype, check_values=True)


def float32(seed):
    return torch.randn(N, 4, generator=torch.Generator().manual_seed(seed))


@dispatched
@pytest.mark.parametrize("cls", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer])
@pytest.mark.parametrize("head", [LogisticRegression(), Ridge(solver="svd")], ids=["", "ridge"])
def test_a_pipeline_of_tensors_stays_one(cls, head):
    X = float32(0)
    y = (X[:, 0] > 0).long() if isinstance(head, LogisticRegression) else X[:, 0]
    pipe = make_pipeline(RepresentationImputer(quick(AutoencoderTransformer)), quick(cls), head)
    expected = clone(pipe[:2]).fit(X.numpy())
    with config_context(array_api_dispatch=True):
        pipe.fit(X, y)
        codes, predicted = pipe[:2].transform(X), pipe.predict(X)
        assert 0 < pipe.score(X, y) <= 1
    assert isinstance(pipe[-1].coef_, torch.Tensor)
    assert predicted.dtype == y.dtype
    assert codes.dtype == torch.float32
    assert codes.device == X.device
    assert np.array_equal(codes.numpy(), expected.transform(X.numpy()))


@dispatched
def test_every_array_of_a_result_is_of_the_namespace():
    X = float32(1)
    with config_context(array_api_dispatch=True):
        fitted = quick(VAETransformer).fit(X)
        X[0, 0] = torch.nan
        results = [
            *fitted.posterior(X),
            *fitted.score_samples(X, return_std=True),
            *fitted.impute(X, n_draws=2, random_state=0),
            fitted.inverse_transform(fitted.transform(X)),
            fitted.interpolate(X[1].requires_grad_(False), X[2], n_steps=3),
            fitted.traverse(X[1], 0),
        ]
        terms, rows = fitted.elbo_terms(X), fitted.transform(X.numpy())
    assert all(isinstance(result, torch.Tensor) for result in results)
    assert list(terms.columns)[-1] == "kl"
    assert type(rows) is np.ndarray


@dispatched
def test_names_of_classes_stay_in_numpy():
    X = float32(2)
    names = np.where(X[:, 0].numpy() > 0, "p", "n")
    with config_context(array_api_dispatch=True):
        fitted = EncoderClassifier(AutoencoderTransformer(**SMALL)).fit(X, names)
        assert isinstance(fitted.predict_proba(X), torch.Tensor)
        assert set(fitted.predict(X).tolist()) <= {"p", "n"}
