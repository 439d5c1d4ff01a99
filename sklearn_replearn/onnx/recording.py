"""A torch module as nodes: it computes a few rows, and each of its steps is written down."""

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

_N_ROWS = 5

DTYPES = {
    torch.float64: np.float64,
    torch.float32: np.float32,
    torch.int64: np.int64,
    torch.int32: np.int32,
    torch.bool: np.bool_,
}


#: What tells of a tensor the same for all values; "__get__" is an attribute such as its shape.
_OF_LAYOUT = {"__get__", "__len__", "dim", "is_contiguous", "is_floating_point", "numel", "size"}


def record(graph, operators, module, name, shape, dtype=torch.float64):
    """Write what a module computes into a graph.

    What does not depend on the rows, such as weights, becomes constants. So this knows only what
    torch functions a module calls, and of each what nodes it is; which are the same in all versions
    of torch.

    Parameters
    ----------
    graph : Graph
    operators : dict of str to callable
        Makes nodes of torch functions, by name.
    module : torch.nn.Module
        Of one tensor, in evaluation mode, the same for each row whatever its values.
    name : str
        Of the rows in the graph.
    shape : tuple of int
        Of one row.
    dtype : torch.dtype, default=torch.float64
        Of the rows.

    Returns
    -------
    str
        Name of what the module gives.

    Raises
    ------
    ValueError
        If the module calls a torch function of which no node is known, looks at values or writes
        into a tensor.
    """
    rows = torch.zeros((_N_ROWS, *shape), dtype=dtype, device="cpu")
    recording = Recording(graph, operators, {id(rows): (rows, name)})
    with torch.no_grad(), recording:
        out = module(rows)
    return recording.name(out)


class Recording(TorchFunctionMode):
    """Sees each call of a torch function, and writes down those that depend on the rows."""

    def __init__(self, graph, operators, known):
        super().__init__()
        self.graph, self._operators = graph, operators
        self._known = known  # tensors are kept: another one could get the same id

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Compute, and write down."""
        kwargs = kwargs or {}
        out = function(*args, **kwargs)
        given = [*args, *kwargs.values()]
        parts = [part for x in given for part in (x if isinstance(x, list | tuple) else [x])]
        if any(self.depends(part) for part in parts):
            self._write(function.__name__, out, args, kwargs)
        return out

    def depends(self, x):
        """Whether something is a tensor that depends on the rows."""
        return id(x) in self._known

    def _write(self, name, out, args, kwargs):
        outs = list(out) if isinstance(out, list | tuple) else [out]
        if not all(isinstance(x, torch.Tensor) for x in outs):
            if name in _OF_LAYOUT:
                return
            raise ValueError(
                f"The network looks at values of its rows, or writes into them ({name}), which a "
                "graph does not. Compute all cases, and choose with torch.where."
            )
        name = name.strip("_") if name.startswith("__") else name
        if name not in self._operators:
            raise ValueError(
                f"There is no ONNX for torch's {name}() here, which the network calls. Use another "
                "layer, or torch.onnx.export(fitted.encoder_module(), ...)."
            )
        names = self._operators[name](self, out, *args, **kwargs)
        names = [names] if isinstance(names, str) else names
        for tensor, known in zip(outs, names, strict=True):
            self._known[id(tensor)] = tensor, known

    def name(self, x, dtype=None):
        """Name of a tensor or number in the graph, in a dtype of torch's if one is given."""
        if self.depends(x):
            tensor, name = self._known[id(x)]
            if dtype in (None, tensor.dtype):
                return name
            return self.graph.cast(name, DTYPES[dtype])
        if isinstance(x, torch.Tensor):
            x = x.detach().to(dtype or x.dtype)
            return self.graph.constant(x.numpy())
        return self.graph.constant(np.array(x, dtype=DTYPES[dtype]))

    def node(self, kind, *inputs, **attributes):
        """See :meth:`Graph.node`."""
        return self.graph.node(kind, *inputs, **attributes)

    def shape_of(self, x, out):
        """Shape that a tensor is given in a graph, in which there may be any number of rows."""
        shape = list(out.shape)
        if len(shape) and x.dim() and shape[0] == x.shape[0] == _N_ROWS:
            shape[0] = 0  # as it is
        return np.array(shape, dtype=np.int64)
