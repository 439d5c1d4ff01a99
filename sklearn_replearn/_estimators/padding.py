"""Networks widened with zeros, which compute each row the same in any company, in float32.

Kernels treat rows and columns at the edges of a matrix otherwise, so that a row's float32 result
may depend on how many rows are computed with it. On one thread it does not, where the widths of all
layers and the number of rows are multiples of 16. In float64, which keeps the promise for any
network, dense ones take twice as long after fit and convolutional ones three to six times: that is
why this file is here, and nothing but that time depends on it.
"""

from dataclasses import replace

import torch
from torch import nn

from .._runtime.arrays import MULTIPLE, padded_size, to_tensors
from .._runtime.isolation import WEIGHTS_WORTH_THREADS, few_threads, is_foreign
from .._runtime.randomness import new_generator
from ..modules import LinearSkip

_PROBED = (16, 32, 48, 112, 816)  # rows at once
# Of networks of ours that are no chains of linear layers: they compute long, and need much memory.
_FEW_PROBED = (16, 48, 64)


def padded(model, n_weights, device):
    """The trained network with zeros added, where this makes rows independent, or None.

    Parameters
    ----------
    model : Model
    n_weights : int
        Of the network as it is.
    device : torch.device
    """
    rows, plan = model.rows, model.plan
    if rows.padded is None or n_weights > WEIGHTS_WORTH_THREADS:
        return None
    if plan.given or is_foreign(rows):  # of a network of a user's nobody knows where zeros may be
        return None
    network = _with_zeros(model)
    with few_threads(n_weights, device):
        probed = _PROBED if rows.dense else _FEW_PROBED
        return network if _rows_are_independent(network, plan.n_inputs, probed) else None


def _with_zeros(model):
    plan = model.plan
    wide = {name: padded_size(getattr(plan, name)) for name in model.rows.padded}
    wide["hidden"] = tuple(map(padded_size, plan.hidden))
    network = replace(plan, **wide).build(model.rows, model.scaler, new_generator(0))
    arrays, last = to_tensors(model.arrays), _last_layers(network.encoder)
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        for name, target in network.state_dict().items():
            if arrays[name].shape == target.shape:
                target.copy_(arrays[name])
                continue
            n_parts = plan.network.numbers_per_code if name.startswith(last) else 1
            array = arrays[name].reshape(n_parts, -1, *arrays[name].shape[1:])
            corner = (slice(None), *map(slice, array.shape[1:]))
            target.view(n_parts, -1, *target.shape[1:])[corner] = array
        # Sums may be of any length: the input needs no zeros.
        for layer in _first_layers(network.encoder):
            layer.weight = nn.Parameter(layer.weight[:, : plan.n_inputs].contiguous())
    return network.eval()


def _first_layers(encoder):
    """The linear layers that take an encoder's input."""
    if isinstance(encoder, LinearSkip):
        return [encoder.deep[0], encoder.direct]
    return [encoder[0]] if isinstance(encoder, nn.Sequential) else []


def _last_layers(encoder):
    """Beginnings of the names of the parameters that give an encoder's output."""
    if isinstance(encoder, LinearSkip):
        return f"encoder.deep.{len(encoder.deep) - 1}.", "encoder.direct."
    if isinstance(encoder, nn.Sequential):
        return (f"encoder.{len(encoder) - 1}.",)
    return ("encoder.code.",)


def _rows_are_independent(network, n_inputs, probed):
    """Whether this machine computes rows the same together, apart, alone and in another place."""
    with torch.no_grad():
        shape = sum(probed), n_inputs
        rows = torch.zeros(shape, dtype=torch.float32, device="cpu")
        rows.normal_(generator=new_generator(0))
        order = torch.randperm(len(rows), generator=new_generator(1), device="cpu")

        def coded(rows):
            code = network.encoder(rows)
            return torch.cat([code, network.decoder(code[:, : network.latent_dim])], dim=1)

        together = coded(rows)
        apart = torch.cat([coded(part) for part in rows[order].split(probed)])
        alone = coded(torch.cat([rows[-1:], torch.zeros_like(rows[: MULTIPLE - 1])]))
        return torch.equal(together[order], apart) and torch.equal(together[-1], alone[0])
