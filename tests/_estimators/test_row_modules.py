"""A fitted transformer as torch modules: codes of raw rows, and raw rows of codes."""

import numpy as np
import pytest
import torch
from fitted_kinds import KINDS, fitted
from sklearn.preprocessing import PowerTransformer
from torch.func import jacrev, vmap

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn.rows import Table

by_kind = pytest.mark.parametrize("kind", KINDS)
# What differs for tracers: scalings, levels, convolutions, tokens.
traced = pytest.mark.parametrize(
    "kind", ["atoms", "missing, contrastive", "mixed", "counts", "images", "texts"]
)


def raw(kind):
    """A fitted transformer and its rows as a Tensor, as they are where they are arrays."""
    encoder, X = fitted(kind)
    return encoder, torch.tensor(X if np.ndim(X) > 2 else encoder.to_numbers(X))


def near(a, b):
    """Whether codes are the same to the precision of float32."""
    return np.abs(a.detach().numpy() - np.asarray(b)).max() <= 2e-6 * np.abs(b).max()


@by_kind
def test_codes_are_those_of_transform(kind):
    encoder, rows = raw(kind)
    module = encoder.encoder_module()
    codes = encoder.transform(fitted(kind)[1])
    assert near(module(rows), codes)
    assert near(module(rows[:1]), codes[:1])
    assert module(rows).dtype == torch.float32
    assert near(module.double()(rows), codes) and module(rows).dtype == torch.float64


@pytest.mark.parametrize("kind", ["numbers", "heavy", "ranks", "atoms", "heavy, contrastive"])
def test_codes_of_rows_beyond_those_of_fit_are_those_of_transform(kind):
    encoder, rows = raw(kind)
    for factor in (-3.0, 1.7, 1e12):
        assert near(
            encoder.encoder_module()(rows * factor), encoder.transform((rows * factor).numpy())
        )


@by_kind
def test_rows_are_those_of_inverse_transform_before_they_are_rounded(kind):
    encoder, rows = raw(kind)
    codes = encoder.transform(fitted(kind)[1])
    decoded = encoder.decoder_module()(torch.tensor(codes)).detach()
    assert decoded.shape == rows.shape and decoded.dtype == torch.float64
    scaler = encoder._model.scaler
    back = encoder.inverse_transform(codes.astype(np.float64))
    back = encoder.to_numbers(back).reshape(len(back), -1)
    decoded = scaler.on_steps(decoded.flatten(1).numpy())
    step = np.where(scaler.grain.step > 0, scaler.grain.step, 0)
    np.testing.assert_allclose(
        np.abs(decoded - back) <= 1.001 * step + 1e-4 * np.nanmax(np.abs(back), axis=0),
        ~np.isnan(back),
    )
    assert (decoded == back).mean() > 0.5 or (step == 0).any()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "texts" not in kind])  # ids are names
def test_gradients_in_raw_cells_are_finite_and_zero_where_cells_are_missing(kind):
    encoder, rows = raw(kind)
    rows = rows.double().requires_grad_()
    encoder.encoder_module()(rows).square().sum().backward()
    assert rows.grad.isfinite().all()
    assert (rows.grad[rows.isnan()] == 0).all()
    assert rows.grad.any()


@pytest.mark.parametrize("kind", ["numbers", "heavy", "ranks", "minmax", "heavy, contrastive"])
def test_gradients_are_differences(kind):
    encoder, rows = raw(kind)
    module = encoder.encoder_module().double()
    row, step = rows[40:42].mean(dim=0), 1e-6 * rows.std(dim=0)
    jacobian = jacrev(lambda row: module(row[None])[0])(row)
    steps = torch.diag(step)
    differences = (module(row + steps) - module(row - steps)).T / (2 * step)
    varies = step > 0
    assert torch.allclose(jacobian[:, varies], differences[:, varies], rtol=1e-3, atol=1e-9)


@traced
def test_they_work_with_torch_func_and_export(kind):
    encoder, rows = raw(kind)
    codes = encoder.encoder_module()(rows).detach()
    for module, given in ((encoder.encoder_module(), rows), (encoder.decoder_module(), codes)):
        wanted = module(given).detach()
        mapped = vmap(lambda row, module=module: module(row[None])[0])(given)
        assert torch.allclose(mapped, wanted, rtol=1e-4, atol=1e-5, equal_nan=True)
        any_number = ({0: torch.export.Dim("n")},)
        exported = torch.export.export(module, (given[:5],), dynamic_shapes=any_number).module()
        for some in (given, given[:1]):
            assert torch.allclose(exported(some), module(some), equal_nan=True)


def test_a_scaling_that_no_module_computes_is_refused():
    _, X = fitted("numbers")
    encoder = AutoencoderTransformer(
        latent_dim=2, rows=Table(scaling=PowerTransformer()), max_epochs=2
    ).fit(X)
    for method in (encoder.encoder_module, encoder.decoder_module):
        with pytest.raises(ValueError, match="scaled by a PowerTransformer, which no torch module"):
            method()
    assert encoder.to_numbers(X).tolist() == X.tolist()


def test_a_module_is_a_copy():
    encoder, rows = raw("numbers")
    before = encoder.transform(rows.numpy())
    with torch.no_grad():
        for weight in encoder.encoder_module().parameters():
            weight.zero_()
    assert np.array_equal(encoder.transform(rows.numpy()), before)
    assert not encoder.encoder_module().training


@pytest.mark.parametrize("kind", ["numbers", "heavy", "images"])
def test_they_compute_in_float32_where_there_is_no_float64(kind):
    encoder, rows = raw(kind)
    codes = encoder.encoder_module().float()(rows.float())
    assert codes.dtype == torch.float32
    exact = encoder.encoder_module()(rows).detach()
    assert (codes - exact).abs().max() <= 1e-3 * exact.abs().max()
    assert encoder.decoder_module().float()(codes).dtype == torch.float32
