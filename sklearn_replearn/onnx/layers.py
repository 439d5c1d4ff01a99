"""Nodes of torch functions that sum over numbers: layers, reductions."""

import numpy as np
import torch
from torch.nn import functional as F

from .indexing import ints


def _reduced(kind):
    def write(r, out, x, dim=None, keepdim=False, **_):
        axes = range(x.dim()) if dim is None else dim
        axes = ints(*([axes] if isinstance(axes, int) else axes))
        return r.node(kind, r.name(x, out.dtype), axes, keepdims=int(keepdim))

    return write


def _any(r, out, x, dim=None, keepdim=False):
    found = r.node("ReduceMax", r.name(x, torch.int64), ints(dim), keepdims=int(keepdim))
    return r.graph.cast(found, bool)


def _norm(r, out, x, ord=2, dim=None, keepdim=False, **_):
    if ord != 2:
        raise ValueError("There is no ONNX for norms but that of squares here.")
    return _reduced("ReduceL2")(r, out, x, dim, keepdim)


def _argmax(r, out, x, dim=None, keepdim=False):
    return r.node("ArgMax", r.name(x), axis=dim, keepdims=int(keepdim))


def _cumsum(r, out, x, dim):
    return r.node("CumSum", r.name(x, out.dtype), np.int64(dim))


def _linear(r, out, x, weight, bias=None):
    if x.dim() == 2 and bias is not None:
        return r.node("Gemm", r.name(x), r.name(weight), r.name(bias), transB=1)
    product = r.node("MatMul", r.name(x), r.name(weight.t()))
    return product if bias is None else r.node("Add", product, r.name(bias))


def _matmul(r, out, a, b):
    return r.node("MatMul", r.name(a), r.name(b))


def _conv(n_axes):
    def pair(value):
        return [value] * n_axes if isinstance(value, int) else list(value)

    def write(r, out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        if isinstance(padding, str):
            raise ValueError("There is no ONNX for padding by name here; give numbers of cells.")
        inputs = [r.name(x), r.name(weight), *([] if bias is None else [r.name(bias)])]
        sizes = {"strides": pair(stride), "dilations": pair(dilation), "pads": 2 * pair(padding)}
        return r.node("Conv", *inputs, group=groups, **sizes)

    return write


def _max_pool(r, out, x, size, stride=None, padding=0, dilation=1, ceil_mode=False, *_, **__):
    def pair(value):
        return [value] * (x.dim() - 2) if isinstance(value, int) else list(value)

    sizes = {"strides": pair(size if stride in (None, [], ()) else stride)}
    sizes.update(kernel_shape=pair(size), pads=2 * pair(padding), dilations=pair(dilation))
    return r.node("MaxPool", r.name(x), ceil_mode=int(ceil_mode), **sizes)


def _global_mean(r, out, x, size):
    if any(out.shape[2:][axis] != 1 for axis in range(x.dim() - 2)):
        raise ValueError("There is no ONNX for adaptive means of several cells here; use 1.")
    return r.node("GlobalAveragePool", r.name(x))


def _batch_norm(r, out, x, mean, var, weight=None, bias=None, training=False, *_, eps=1e-5, **__):
    weight = torch.ones_like(mean) if weight is None else weight
    bias = torch.zeros_like(mean) if bias is None else bias
    given = [r.name(part) for part in (x, weight, bias, mean, var)]
    return r.node("BatchNormalization", *given, epsilon=float(eps))


def _layer_norm(r, out, x, shape, weight=None, bias=None, eps=1e-5):
    weight = torch.ones(shape, dtype=out.dtype) if weight is None else weight
    given = [r.name(part) for part in (x, weight, bias) if part is not None]
    return r.node("LayerNormalization", *given, axis=-len(shape), epsilon=float(eps))


def _interpolate(r, out, x, *_, mode="nearest", **__):
    if mode != "nearest":
        raise ValueError(f"There is no ONNX for interpolate() by mode={mode!r} here; use nearest.")
    name = r.name(x)
    for axis in range(2, x.dim()):
        # As torch chooses neighbours, which nodes may round otherwise.
        cells = torch.arange(float(x.shape[axis]))[None, None]
        chosen = F.interpolate(cells, size=out.shape[axis])[0, 0].long()
        name = r.node("Gather", name, chosen.numpy(), axis=axis)
    return name


#: As those of :mod:`.elementwise`.
LAYERS = {
    "sum": _reduced("ReduceSum"),
    "mean": _reduced("ReduceMean"),
    "amax": _reduced("ReduceMax"),
    "amin": _reduced("ReduceMin"),
    "any": _any,
    "logsumexp": _reduced("ReduceLogSumExp"),
    "linalg_vector_norm": _norm,
    "argmax": _argmax,
    "cumsum": _cumsum,
    "linear": _linear,
    "matmul": _matmul,
    "conv1d": _conv(1),
    "conv2d": _conv(2),
    **dict.fromkeys(["max_pool1d", "max_pool2d"], _max_pool),
    **dict.fromkeys(["adaptive_avg_pool1d", "adaptive_avg_pool2d"], _global_mean),
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "interpolate": _interpolate,
}
