"""Nodes of torch functions that choose, join and arrange numbers."""

import numpy as np

_END = np.iinfo(np.int64).max


def ints(*values):
    """Whole numbers, as nodes take them."""
    return np.array(values, dtype=np.int64)


def _index_select(r, out, x, dim, index):
    return r.node("Gather", r.name(x), r.name(index), axis=dim)


def _gather(r, out, x, dim, index):
    name = r.name(x)
    if dim and not r.depends(x):  # a constant that was expanded to the rows
        name = r.node("Expand", r.name(x[:1]), _rows_like(r, index, x))
    return r.node("GatherElements", name, r.name(index), axis=dim)


def _scatter(r, out, x, dim, index, src):
    return r.node("ScatterElements", r.name(x), r.name(index), r.name(src), axis=dim)


def _embedding(r, out, ids, weight, *_, **__):
    return r.node("Gather", r.name(weight), r.name(ids), axis=0)


def _getitem(r, out, x, key):
    name, axis, gone, new = r.name(x), 0, [], []
    keys = list(key) if isinstance(key, tuple) else [key]
    if Ellipsis in keys:
        place = keys.index(Ellipsis)
        left = x.dim() - sum(k is not None for k in keys) + 1
        keys[place : place + 1] = [slice(None)] * left
    for place, one in enumerate(keys):
        if one is None:
            new.append(place - len(gone))
            continue
        if isinstance(one, int):
            gone.append(axis)
            name = r.node("Gather", name, ints(one), axis=axis)
        elif not isinstance(one, slice):
            raise ValueError("There is no ONNX for an index that is a tensor here; use gather().")
        elif one != slice(None):
            start, step = one.start or 0, one.step or 1
            stop = _END if one.stop is None else one.stop
            name = r.node("Slice", name, ints(start), ints(stop), ints(axis), ints(step))
        axis += 1
    if gone:
        name = r.node("Squeeze", name, ints(*gone))
    return r.node("Unsqueeze", name, ints(*new)) if new else name


def _pieces(r, outs, x, *args, dim=None, **kwargs):
    dim = (args[1] if len(args) > 1 else 0) if dim is None else dim
    if len(outs) == 1:
        return [r.name(x)]
    sizes = ints(*(out.shape[dim] for out in outs))
    return r.graph.nodes("Split", len(outs), r.name(x), sizes, axis=dim)


def _cat(r, out, tensors, dim=0):
    names = [r.name(x, out.dtype) for x in tensors if x.shape[dim]]
    return names[0] if len(names) == 1 else r.node("Concat", *names, axis=dim)


def _stack(r, out, tensors, dim=0):
    names = [r.node("Unsqueeze", r.name(x, out.dtype), ints(dim)) for x in tensors]
    return r.node("Concat", *names, axis=dim)


def _reshape(r, out, x, *_, **__):
    if out.shape == x.shape:
        return r.name(x)
    return r.node("Reshape", r.name(x), r.shape_of(x, out))


def _unsqueeze(r, out, x, dim):
    return r.node("Unsqueeze", r.name(x), ints(dim))


def _permuted(r, x, order):
    return r.node("Transpose", r.name(x), perm=[axis % x.dim() for axis in order])


def _permute(r, out, x, *order):
    return _permuted(r, x, order[0] if isinstance(order[0], list | tuple) else order)


def _transpose(r, out, x, a, b):
    order = list(range(x.dim()))
    order[a], order[b] = order[b], order[a]
    return _permuted(r, x, order)


def _t(r, out, x):
    return _permuted(r, x, range(x.dim())[::-1])


def _expand(r, out, x, *_, **__):
    shape = r.shape_of(x, out)
    return r.node("Expand", r.name(x), np.where(shape == 0, 1, shape))


def _full_like(value):
    def write(r, out, x, *_, **__):
        shape = r.node("Shape", r.name(x))
        return r.node("Expand", r.name(value, out.dtype), shape)

    return write


def _new(value=None):
    def write(r, out, x, *args, **_):
        value_of = args[-1] if value is None else value
        return r.node("Expand", r.name(value_of, out.dtype), _rows_like(r, x, out))

    return write


def _rows_like(r, x, out):
    """The shape of ``out``, with as many rows as ``x`` has."""
    rows = r.node("Shape", r.name(x), start=0, end=1)
    return r.node("Concat", rows, ints(*out.shape[1:]), axis=0)


def _argsort(r, out, x, dim=-1, descending=False, **_):
    size, largest = ints(x.shape[dim]), int(descending)
    return r.graph.nodes("TopK", 2, r.name(x), size, axis=dim, largest=largest)[1]


def _topk(r, outs, x, k, dim=-1, largest=True, sorted=True):
    return r.graph.nodes("TopK", 2, r.name(x), ints(k), axis=dim, largest=int(largest))


def _diff(r, out, x, n=1, dim=-1):
    later = r.node("Slice", r.name(x), ints(1), ints(_END), ints(dim))
    return r.node("Sub", later, r.node("Slice", r.name(x), ints(0), ints(-1), ints(dim)))


#: As those of :mod:`.elementwise`.
INDEXING = {
    "index_select": _index_select,
    "gather": _gather,
    "scatter": _scatter,
    "embedding": _embedding,
    "getitem": _getitem,
    **dict.fromkeys(["chunk", "split", "tensor_split"], _pieces),
    **dict.fromkeys(["cat", "concat"], _cat),
    "stack": _stack,
    **dict.fromkeys(["flatten", "unflatten", "reshape", "view", "squeeze"], _reshape),
    "unsqueeze": _unsqueeze,
    "permute": _permute,
    "transpose": _transpose,
    "t": _t,
    "expand": _expand,
    "zeros_like": _full_like(0),
    "ones_like": _full_like(1),
    "new_zeros": _new(0),
    "new_ones": _new(1),
    "new_full": _new(),
    "diff": _diff,
    "argsort": _argsort,
    "topk": _topk,
}
