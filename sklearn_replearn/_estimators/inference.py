"""A fitted network applied to rows or codes, so that a row's result is its own.

Small networks of ours compute in float32, widened with zeros (see :mod:`.padding`). Large ones,
those of users, and all where a machine's kernels are of another kind are computed in float64 and
rounded to the precision of float32. On a GPU all are computed in float32 as they are.
"""

import copy

import numpy as np
import torch

from .._runtime.arrays import CHUNK, MULTIPLE, padded_size, rounded, slices
from .._runtime.isolation import few_threads, is_foreign, isolated, resolve_device
from .._runtime.memory import fewer_rows_asked
from .model import n_weights
from .padding import padded

_CHUNK_ON_GPU = 2**16
_CHUNK_OF_DRAWS = 2**12
_CELLS_AT_ONCE = 2**21  # of wide tables
_FARTHEST = 1e145
_FEW_AT_ONCE = 128  # images and others that compute long, and need much memory


class Prepared:
    """Keeps the :class:`Inference` of a model, made when it is first needed, never stored."""

    def __init__(self):
        self.inference = None

    def of(self, model, device):
        """That of the model on the device that is asked for now."""
        inference = self.inference
        if inference is None or inference.asked_for != device:
            inference = self.inference = Inference(model, device)
        return inference


class Inference:
    """The network of a model, ready to be applied.

    Parameters
    ----------
    model : Model
    device : str or torch.device
        As a user asks for it; the CPU where this machine does not have it.
    """

    def __init__(self, model, device):
        self.asked_for = device
        try:
            self.device = resolve_device(device)
        except ValueError:
            # Trained on a device that this machine does not have: the CPU serves as well.
            self.device = torch.device("cpu")
        plan, self.scaler = model.plan, model.scaler
        # Asked once: each row that is encoded alone would ask again.
        self.parts = list(filter(is_foreign, model.parts))
        self.quiet = set()  # functions in which those parts have drawn nothing
        self.n_features = plan.n_features
        self.widest = max(plan.n_features, plan.n_inputs, plan.n_outputs)
        # Copies, because torch refuses what may not be written to, such as a memory map.
        ends = (np.array(end) for end in (self.scaler.low, self.scaler.high))
        self.low, self.high = map(torch.from_numpy, ends)
        self.dtype = torch.float32
        self.dense = model.rows.dense
        with isolated(self.parts, 0, torch.device("cpu"), gradients=True):
            network = model.network()
            self.n_weights = n_weights(network)
            if self.device.type == "cpu":
                widened = padded(model, self.n_weights, self.device)
                network = network.double() if widened is None else widened
                self.dtype = torch.float64 if widened is None else torch.float32
        self.network = network.to(self.device).requires_grad_(False)

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
            watched=function.__code__,
        )

    def of_codes(self, function, codes):
        """Apply ``function(network, codes)`` to codes, some at a time; gives scaled cells."""

        def of_part(part):
            shape = padded_size(part.stop - part.start), self.network.latent_dim
            tensor = torch.zeros(shape, dtype=self.dtype, device="cpu")
            tensor[: part.stop - part.start, : codes.shape[1]] = torch.from_numpy(
                np.array(codes[part])  # a copy, because torch refuses what may not be written to
            )
            return function(self.network, tensor.to(self.device))

        shape = len(codes), self.n_features
        return self._in_chunks(of_part, shape, np.float64, watched=function.__code__)

    def _in_chunks(self, function, shape, dtype, n_each=1, *, watched):
        result = np.empty(shape, dtype=dtype)
        at_once = CHUNK if self.device.type == "cpu" else _CHUNK_ON_GPU
        if n_each > 1:  # what is computed for each row is given to a network in parts
            at_once = max(at_once, _CHUNK_OF_DRAWS)
        if not self.dense and self.device.type == "cpu":
            at_once = max(MULTIPLE * n_each, _FEW_AT_ONCE)
        room = _CELLS_AT_ONCE // (n_each * self.widest)
        at_once = max(MULTIPLE, min(at_once // n_each, room) // MULTIPLE * MULTIPLE)
        if n_each > 1:  # of many draws for wide rows, so many would not fit into memory
            at_once = min(at_once, max(1, room))
        # Threads take turns in what draws from global generators; few networks do after fit.
        plain = torch.get_default_dtype() == torch.float32
        parts = () if plain and watched in self.quiet else self.parts
        with (
            isolated(parts, 0, self.device, gradients=False) as drew,
            few_threads(self.n_weights, self.device),
            fewer_rows_asked(self.device),
        ):
            for part in slices(shape[0], at_once):
                values = function(part)[: part.stop - part.start, : shape[1]].cpu().numpy()
                result[part] = rounded(values)
            if not drew():
                self.quiet.add(watched)
        return result


class _TablePart:
    """Some rows of a table.

    Attributes
    ----------
    values : ndarray of shape (n, n_features)
        Cells of the table.
    """

    def __init__(self, inference, values):
        self.inference, self.values = inference, values
        self._scaled = torch.from_numpy(inference.scaler.scale(values))

    def take(self, which):
        """Some of these rows, by their numbers."""
        part = copy.copy(self)
        part.values, part._scaled = self.values[which], self._scaled[which]
        return part

    def completed(self, completion):
        """The same rows, their missing numbers filled with what is expected of them.

        Cells are shown as they are limited, which makes one that is far off no reason to fill
        others with what fit has not seen.
        """
        scaler, part = self.inference.scaler, copy.copy(self)
        which = scaler.numbers & ~scaler.constant & ~scaler.idle
        rows = self._scaled.numpy()
        filled = scaler.inside(completion.completed(scaler.limit(rows), which))
        part._scaled = torch.from_numpy(np.where(np.isnan(rows), filled, rows))
        return part

    @property
    def rows(self):
        """Scaled cells as they are, Tensor of shape (n, n_features), float64.

        But for what no square can be taken of.
        """
        return self._scaled.clamp(-_FARTHEST, _FARTHEST).to(self.inference.device)

    @property
    def seen(self):
        """Scaled cells as an encoder sees them, in the precision of the network.

        Tensor of shape (at least n, n_features): rows of zeros fill it up to a multiple of 16. See
        :meth:`Scaler.limit`. Where fit saw no missing cells, they count as 0.
        """
        inference, limit = self.inference, self.inference.scaler.limit
        n, width = self._scaled.shape
        rows = torch.zeros((padded_size(n), width), dtype=inference.dtype, device="cpu")
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
