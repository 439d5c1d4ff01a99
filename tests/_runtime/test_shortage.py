"""Where the memory of a GPU runs out: which batches would fit, and nothing is half changed."""

import numpy as np
import pytest
import torch
from quick import quick
from torch import nn

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn._runtime.memory import batch_that_fits, fewer_rows_asked

SAID = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8.00 GiB"
X = np.random.default_rng(0).normal(size=(600, 5))


class Small(nn.Module):
    """An encoder on a device that has room for so many rows."""

    room = 10**6

    def __init__(self, n_in, n_out):
        super().__init__()
        self.linear = nn.Linear(n_in, n_out)

    def forward(self, x):
        if self.training and len(x) > Small.room:
            raise torch.OutOfMemoryError(SAID)
        return self.linear(x)


@pytest.mark.parametrize("cls", [AutoencoderTransformer, VAETransformer, ContrastiveTransformer])
def test_fit_says_which_batches_would_fit_and_they_do(cls, monkeypatch):
    encoder = quick(cls, encoder=Small, batch_size=300).fit(X)
    before, attributes = encoder.transform(X), vars(encoder).copy()
    monkeypatch.setattr(Small, "room", 256)
    wanted = r"fit ran out of memory on cpu \(CUDA out of memory.*with batches of 300 rows, and "
    with pytest.raises(MemoryError, match=wanted) as caught:
        encoder.fit(X[::-1] + 1)
    assert "set batch_size=128." in str(caught.value)
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)
    assert vars(encoder) == attributes
    assert np.array_equal(encoder.transform(X), before)
    encoder.set_params(batch_size=128).fit(X)


def test_a_batch_that_is_smaller_than_asked_for_counts_as_it_is(monkeypatch):
    monkeypatch.setattr(Small, "room", 16)
    with pytest.raises(MemoryError, match=r"with batches of 20 rows.*set batch_size=8\."):
        quick(AutoencoderTransformer, encoder=Small, batch_size=4096).fit(X[:20])


def test_other_errors_of_a_module_come_as_they_are(monkeypatch):
    monkeypatch.setattr(Small, "room", 1)
    monkeypatch.setattr(torch, "OutOfMemoryError", RuntimeError)
    monkeypatch.setitem(globals(), "SAID", "the module has another problem")
    with pytest.raises(RuntimeError, match=r"^the module has another problem$"):
        quick(AutoencoderTransformer, encoder=Small).fit(X)


@pytest.mark.parametrize(
    ("failed", "room", "fits"),
    [(4096, None, 2048), (4096, 10**9, 2048), (4000, 28_000 + 32 * 100 * 700, 512), (1, None, 0)],
)
def test_a_batch_that_fits_is_a_power_of_two_within_the_room(failed, room, fits):
    assert batch_that_fits(failed, n_weights=1000, n_cells=100, room=room) == fits
    assert batch_that_fits(failed, n_weights=1000, n_cells=100, room=20_000) == 0


def test_after_fit_fewer_rows_are_asked_for_where_a_gpu_has_no_room():
    device = torch.device("cuda", 0)
    wanted = r"The memory of cuda:0 ran out \(CUDA out of memory.*Give fewer rows at a time"
    with pytest.raises(MemoryError, match=wanted), fewer_rows_asked(device):
        raise torch.OutOfMemoryError(SAID)
    with pytest.raises(RuntimeError, match=r"^another$"), fewer_rows_asked(device):
        raise RuntimeError("another")
