"""A fitted network applied to rows or codes, so that a row's result is its own.

Kernels treat rows and columns at the edges of a matrix otherwise, so that a row's float32 result
may depend on how many rows are computed with it. On one thread it does not, where the widths of all
layers and the number of rows are multiples of 16: small networks of ours are widened to that with
zeros. Large ones, those of users, and all where a machine's kernels are of another kind are
computed in float64 and rounded to the precision of float32. On a GPU all are computed in float32 as
they are.
"""

import numpy as np
import torch
from torch import nn

from .._runtime.arrays import CHUNK, rounded, slices, to_tensors
from .._runtime.isolation import WEIGHTS_WORTH_THREADS, few_threads, isolated, resolve_device
from .._runtime.randomness import new_generator
from ..modules import LinearSkip

_CHUNK_ON_GPU = 2**16
_CELLS_AT_ONCE = 2**21  # of wide tables
_MULTIPLE = 16
_PROBED = (16, 32, 48, 112, 816)  # rows at once
# Of networks of ours that are no chains of linear layers: they compute long, and need much memory.
_FEW_AT_ONCE, _FEW_PROBED = 128, (16, 48, 64)


class Prepared:
    """Keeps the :class:`Inference` of an estimator, made when it is first needed, never stored."""

    def __init__(self):
        self.inference = None

    def of(self, estimator):
        """That of the estimator on the device that it asks for now."""
        inference = self.inference
        if inference is None or inference.asked_for != estimator.device:
            inference = self.inference = Inference(estimator)
        return inference


class Inference:
    """The network of an estimator, ready to be applied.

    Parameters
    ----------
    estimator : RepresentationTransformer
        Fitted. What it was fitted with counts, not the parameters set since; but for the device.
    """

    def __init__(self, estimator):
        self.asked_for = estimator.device
        try:
            self.device = resolve_device(estimator.device)
        except ValueError:
            # Trained on a device that this machine does not have: the CPU serves as well.
            self.device = torch.device("cpu")
        given = estimator._plan["encoder"], estimator._plan["decoder"]
        self.parts = [part for part in given if part is not None]
        widths = ("n_features", "n_inputs", "n_outputs")
        self.n_features, *others = (estimator._plan[name] for name in widths)
        self.widest = max(self.n_features, *others)
        self.columns = estimator._columns
        # Copies, because torch refuses what may not be written to, such as a memory map.
        ends = (np.array(end) for end in (self.columns.low, self.columns.high))
        self.low, self.high = map(torch.from_numpy, ends)
        self.dtype = torch.float32
        self.dense = estimator._domain.dense
        with isolated(self.parts, 0, torch.device("cpu"), gradients=True):
            network = rebuilt(estimator)
            self.n_weights = sum(weight.numel() for weight in network.parameters())
            if self.device.type == "cpu":
                widened = self._widened(estimator)
                network = network.double() if widened is None else widened
                self.dtype = torch.float64 if widened is None else torch.float32
        self.network = network.to(self.device).requires_grad_(False)

    def _widened(self, estimator):
        """The trained network with zeros added, where this makes rows independent, or None."""
        wider = estimator._domain.widened
        if self.parts or wider is None or self.n_weights > WEIGHTS_WORTH_THREADS:
            return None
        network = _with_zeros(estimator)
        with few_threads(self.n_weights, self.device):
            n_inputs = estimator._plan["n_inputs"]
            probed = _PROBED if self.dense else _FEW_PROBED
            return network if _rows_are_independent(network, n_inputs, probed) else None

    def of_table(self, function, table, width, dtype, n_each=1):
        """Apply ``function(network, part)`` to a table, some rows at a time.

        Parameters
        ----------
        function : callable
            Gets a :class:`_TablePart` and returns Tensor of shape (at least n, at least width).
        table : ndarray of shape (n_rows, n_features)
        width : int
        dtype : dtype
        n_each : int
            Rows that the function computes for each row of the table.

        Returns
        -------
        ndarray of shape (n_rows, width)
        """
        return self._in_chunks(
            lambda part: function(self.network, _TablePart(self, table[part])),
            (len(table), width),
            dtype,
            n_each,
        )

    def of_codes(self, function, codes):
        """Apply ``function(network, codes)`` to codes, some at a time; gives scaled cells."""

        def of_part(part):
            shape = _padded(part.stop - part.start), self.network.latent_dim
            tensor = torch.zeros(shape, dtype=self.dtype, device="cpu")
            tensor[: part.stop - part.start, : codes.shape[1]] = torch.from_numpy(
                np.array(codes[part])  # a copy, because torch refuses what may not be written to
            )
            return function(self.network, tensor.to(self.device))

        return self._in_chunks(of_part, (len(codes), self.n_features), np.float64)

    def _in_chunks(self, function, shape, dtype, n_each=1):
        result = np.empty(shape, dtype=dtype)
        at_once = CHUNK if self.device.type == "cpu" else _CHUNK_ON_GPU
        if not self.dense and self.device.type == "cpu":
            at_once = max(_MULTIPLE * n_each, _FEW_AT_ONCE)
        at_once = min(at_once // n_each, _CELLS_AT_ONCE // (n_each * self.widest))
        at_once = max(_MULTIPLE, at_once // _MULTIPLE * _MULTIPLE)
        with (
            isolated(self.parts, 0, self.device, gradients=False),
            few_threads(self.n_weights, self.device),
        ):
            for part in slices(shape[0], at_once):
                values = function(part)[: part.stop - part.start, : shape[1]].cpu().numpy()
                result[part] = rounded(values)
        return result


class _TablePart:
    """Some rows of a table."""

    def __init__(self, inference, values):
        self.inference = inference
        self._scaled = torch.from_numpy(inference.columns.scale(values))

    @property
    def rows(self):
        """Scaled cells as they are, Tensor of shape (n, n_features), float64."""
        return self._scaled.to(self.inference.device)

    @property
    def seen(self):
        """Scaled cells as an encoder sees them, in the precision of the network.

        Tensor of shape (at least n, n_features): rows of zeros fill it up to a multiple of 16. See
        :meth:`Columns.limit`. Where fit saw no missing cells, they count as 0.
        """
        inference, limit = self.inference, self.inference.columns.limit
        n, width = self._scaled.shape
        rows = torch.zeros((_padded(n), width), dtype=inference.dtype, device="cpu")
        blind = inference.network.inputs is None  # to what is missing
        if inference.dtype == torch.float64:
            limited = limit(self._scaled.numpy())
            rows[:n] = torch.from_numpy(np.nan_to_num(limited) if blind else limited)
        else:
            filled = rows[:n].copy_(self._scaled)
            beyond = torch.clamp(filled, inference.low, inference.high).sub_(filled)
            distances = torch.linalg.vector_norm(beyond, dim=1)
            if distances.any():
                far = distances.nonzero()[:, 0]
                limited = limit(self._scaled[far].numpy())
                limited = np.nan_to_num(limited) if blind else limited
                filled[far] = torch.from_numpy(limited).float()
        return rows.to(inference.device)


def rebuilt(estimator):
    """The trained network, float32, on the CPU, in evaluation mode."""
    network = estimator._build(estimator._plan, new_generator(0))
    network.load_state_dict(to_tensors(estimator._arrays))
    return network.eval()


def _with_zeros(estimator):
    """The trained network, widened with zeros to multiples of 16."""
    plan = estimator._plan
    wide = {name: _padded(plan[name]) for name in estimator._domain.widened}
    network = estimator._build(
        {**plan, **wide, "hidden": tuple(map(_padded, plan["hidden"]))}, new_generator(0)
    )
    arrays, last = to_tensors(estimator._arrays), _last_layers(network.encoder)
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        for name, target in network.state_dict().items():
            if arrays[name].shape == target.shape:
                target.copy_(arrays[name])
                continue
            n_parts = estimator._code_parts if name.startswith(last) else 1
            array = arrays[name].reshape(n_parts, -1, *arrays[name].shape[1:])
            corner = (slice(None), *map(slice, array.shape[1:]))
            target.view(n_parts, -1, *target.shape[1:])[corner] = array
        # Sums may be of any length: the input needs no zeros.
        for layer in _first_layers(network.encoder):
            layer.weight = nn.Parameter(layer.weight[:, : plan["n_inputs"]].contiguous())
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
        alone = coded(torch.cat([rows[-1:], torch.zeros_like(rows[: _MULTIPLE - 1])]))
        return torch.equal(together[order], apart) and torch.equal(together[-1], alone[0])


def _padded(number):
    return number + -number % _MULTIPLE
