"""On a GPU a step is not waited for: values are looked at once an epoch, however many batches.

There is no GPU here: operations that would wait for one are counted on the CPU, with the package
told that values are not at hand.
"""

import sys
from collections import Counter

import numpy as np
import pytest
import torch
from mixed_table import mixed
from quick import quick
from torch.utils._python_dispatch import TorchDispatchMode

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn._training.net import RepresentationNet
from sklearn_replearn.likelihoods import Categorical, Gaussian, Joint
from sklearn_replearn.likelihoods import Tokens as TokensLikelihood
from sklearn_replearn.likelihoods.masses import log_normal_mass
from sklearn_replearn.modules import TokenEncoder
from sklearn_replearn.rows import Images, Tokens

#: A result whose size depends on values, or that is a value of Python's.
WAITS = {
    "_local_scalar_dense",
    "_unique2",
    "bincount",
    "equal",
    "is_nonzero",
    "masked_select",
    "nonzero",
    "repeat_interleave",
    "unique_dim",
}
#: On CUDA these add in any order (torch.use_deterministic_algorithms lists them).
ANY_ORDER = {"index_add", "index_add_", "scatter_add", "scatter_add_", "put_"}


class Counted(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.waits, self.names = 0, Counter()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = operation._schema.name.partition("::")[2]
        self.names[name] += 1
        masks = args[1] if name.startswith("index") and isinstance(args[1], list | tuple) else ()
        listed = any(mask is not None and mask.dtype == torch.bool for mask in masks)
        self.waits += name in WAITS or listed
        return operation(*args, **(kwargs or {}))


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    for name, module in list(sys.modules.items()):
        if name.startswith("sklearn_replearn.") and hasattr(module, "at_hand"):
            monkeypatch.setattr(module, "at_hand", lambda tensor: False)
    # Steps by hand are for CPUs only.
    monkeypatch.setattr("sklearn_replearn._training.net.handwritten_step", lambda net: None)


def counted(estimator, X, n_batches, monkeypatch):
    """What an epoch does."""
    mode, whole = Counted(), RepresentationNet.run_single_epoch

    def epoch(net, *args, **kwargs):
        with mode:
            return whole(net, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(RepresentationNet, "run_single_epoch", epoch)
        estimator.set_params(batch_size=len(X) // n_batches, max_epochs=1).fit(X)
    return mode


RANDOM = np.random.default_rng(0)
NUMBERS = RANDOM.normal(size=(160, 5))
HOLES = np.where(RANDOM.random(NUMBERS.shape) < 0.1, np.nan, NUMBERS)
SPIKES = np.where(RANDOM.random(NUMBERS.shape) < 0.4, 0.0, NUMBERS).round(1)
TABLES = {
    "numbers": (NUMBERS, {}),
    "clipped": (NUMBERS, {"gradient_clip": 1.0}),
    "holes": (HOLES, {}),
    "spikes": (SPIKES, {}),
    "counts": (RANDOM.poisson(2, (160, 4)), {}),
    "mixed": (mixed(160), {}),
    "mixed, clipped": (mixed(160), {"gradient_clip": 1.0}),
    "images": (RANDOM.random((40, 1, 8, 8)), {"rows": Images((1, 8, 8))}),
}
CLASSES = [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("cls", CLASSES)
def test_an_epoch_waits_as_often_for_many_batches_as_for_two(cls, table, as_on_a_gpu, monkeypatch):
    X, params = TABLES[table]
    few, many = (counted(quick(cls, **params), X, n, monkeypatch) for n in (2, 10))
    assert few.waits == many.waits <= 8
    assert many.names["addmm"] + many.names["mm"] > few.names["addmm"] + few.names["mm"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("cls", CLASSES)
def test_it_learns_the_same_without_looking(cls, table, request, monkeypatch):
    X, params = TABLES[table]
    monkeypatch.setattr("sklearn_replearn._training.net.handwritten_step", lambda net: None)
    looking = quick(cls, **params).fit(X).history_["train_loss"]
    request.getfixturevalue("as_on_a_gpu")
    np.testing.assert_allclose(quick(cls, **params).fit(X).history_["train_loss"], looking, 2e-4)


@pytest.mark.parametrize("cls", CLASSES)
def test_tokens_add_in_one_order(cls, as_on_a_gpu, monkeypatch):
    ids = RANDOM.integers(0, 9, (160, 7))
    epoch = counted(quick(cls, rows=Tokens(9)), ids, 4, monkeypatch)
    assert not ANY_ORDER & epoch.names.keys()
    assert epoch.names["embedding_dense_backward"]


@pytest.mark.parametrize("module", ["encoder", "likelihood"])
def test_tokens_have_the_same_gradients_either_way(module, request):
    ids = torch.tensor([[3, 9, 0, 3], [5, 0, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]])
    generator = torch.Generator().manual_seed(0)
    if module == "encoder":
        module = TokenEncoder(9, 3, generator)
        inputs = ids
    else:
        module = TokensLikelihood(4, [0.0, *[0.1] * 9], [0.5] * 4, n_states=2, width=3)
        inputs = torch.randn(4, 10, generator=generator, requires_grad=True)
        module.embeddings.data.normal_(generator=generator)

    def gradients():
        given = (inputs,) if inputs is ids else (ids.float(), inputs)
        result = module(*given) if inputs is ids else module.cell_log_prob(*given)
        return torch.autograd.grad(
            result.square().sum(), list(module.parameters()), allow_unused=True
        )

    looking = gradients()
    request.getfixturevalue("as_on_a_gpu")
    for one, other in zip(looking, gradients(), strict=True):
        torch.testing.assert_close(one, other)


def test_masses_and_their_gradients_are_the_same_either_way(request):
    ends = torch.tensor(
        [-300.0, -40, -9, -3, -1e-3, 0, 1e-9, 0.4, 2.5, 9, 41, float("inf")]
    ).double()
    a, b = torch.meshgrid(ends, ends, indexing="ij")
    a, b = (end[a < b].requires_grad_() for end in (a, b))
    looking = log_normal_mass(a, b)
    slopes = torch.autograd.grad(looking.sum(), (a, b))
    request.getfixturevalue("as_on_a_gpu")
    others = log_normal_mass(a, b)
    torch.testing.assert_close(others, looking)
    for one, other in zip(slopes, torch.autograd.grad(others.sum(), (a, b)), strict=True):
        torch.testing.assert_close(one.nan_to_num(), other.nan_to_num())
        assert torch.equal(one.isnan(), other.isnan())


def test_columns_that_vary_are_asked_for_anew_where_weights_are_loaded():
    """Categories count less beside numbers, but for numbers that never vary."""
    likelihood = Joint([(Gaussian(1, scale=1.0), [0]), (Categorical([2]), [1])])
    cells, output = torch.ones(1, 2), torch.zeros(1, likelihood.n_outputs)
    beside_numbers = likelihood.cell_error(cells, output)[0, 1]
    likelihood.set_constant(torch.tensor([True, False]))
    alone = likelihood.cell_error(cells, output)[0, 1]
    assert beside_numbers < alone
    varying = Joint([(Gaussian(1, scale=1.0), [0]), (Categorical([2]), [1])])
    likelihood.load_state_dict(varying.state_dict())
    assert likelihood.cell_error(cells, output)[0, 1] == beside_numbers
