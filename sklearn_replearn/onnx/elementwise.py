"""Nodes of torch functions that compute each number by itself."""

import torch

from .recording import DTYPES


def _elementwise(kind):
    def write(r, out, a, b, *, alpha=1):
        if alpha != 1:
            raise ValueError("There is no ONNX for alpha in sums here; multiply instead.")
        return r.node(kind, r.name(a, out.dtype), r.name(b, out.dtype))

    return write


def _reversed(kind):
    def write(r, out, a, b):
        return r.node(kind, r.name(b, out.dtype), r.name(a, out.dtype))

    return write


def _comparison(kind, negated=False):
    def write(r, out, a, b):
        dtype = torch.result_type(a, b)
        dtype = torch.int64 if dtype == torch.bool else dtype
        compared = r.node(kind, r.name(a, dtype), r.name(b, dtype))
        return r.node("Not", compared) if negated else compared

    return write


def _unary(kind, **attributes):
    def write(r, out, x, *_, **__):
        return r.node(kind, r.name(x, out.dtype), **attributes)

    return write


def _same(r, out, x, *_, **__):
    return r.name(x, out.dtype)


def _isnan(r, out, x):
    return r.node("IsNaN", r.name(x))


def _log1p(r, out, x):
    one = r.name(1.0, out.dtype)
    return r.node("Log", r.node("Add", r.name(x), one))


def _expm1(r, out, x):
    return r.node("Sub", r.node("Exp", r.name(x)), r.name(1.0, out.dtype))


def _square(r, out, x):
    return r.node("Mul", r.name(x), r.name(x))


def _silu(r, out, x, inplace=False):
    return r.node("Mul", r.name(x), r.node("Sigmoid", r.name(x)))


def _gelu(r, out, x, approximate="none"):
    if approximate != "none":
        raise ValueError("There is no ONNX for an approximate gelu() here; use the exact one.")
    share = r.node("Erf", r.node("Mul", r.name(x), r.name(0.5**0.5, out.dtype)))
    share = r.node("Mul", r.node("Add", share, r.name(1.0, out.dtype)), r.name(0.5, out.dtype))
    return r.node("Mul", r.name(x), share)


def _elu(r, out, x, alpha=1.0, inplace=False):
    return r.node("Elu", r.name(x), alpha=float(alpha))


def _leaky_relu(r, out, x, negative_slope=0.01, inplace=False):
    return r.node("LeakyRelu", r.name(x), alpha=float(negative_slope))


def _log_sigmoid(r, out, x):
    return r.node("Neg", r.node("Softplus", r.node("Neg", r.name(x))))


def _softmax(kind):
    def write(r, out, x, dim=None, *_, **__):
        return r.node(kind, r.name(x), axis=int(dim))

    return write


def _floordiv(r, out, a, b, *_, **__):
    # Of whole numbers a node cuts off; by way of float64, in which whole numbers are exact.
    share = r.node("Div", r.name(a, torch.float64), r.name(b, torch.float64))
    return r.graph.cast(r.node("Floor", share), DTYPES[out.dtype])


def _remainder(r, out, a, b):
    if not out.dtype.is_floating_point:
        return r.node("Mod", r.name(a, out.dtype), r.name(b, out.dtype))
    a, b = r.name(a, out.dtype), r.name(b, out.dtype)
    return r.node("Sub", a, r.node("Mul", b, r.node("Floor", r.node("Div", a, b))))


def _pow(r, out, a, b):
    return r.node("Pow", r.name(a, out.dtype), r.name(b, out.dtype))


def _where(r, out, condition, a, b):
    return r.node("Where", r.name(condition), r.name(a, out.dtype), r.name(b, out.dtype))


def _masked_fill(r, out, x, mask, value):
    return _where(r, out, mask, value, x)


def _nan_to_num(r, out, x, nan=0.0, posinf=None, neginf=None):
    x = r.name(x)
    return r.node("Where", r.node("IsNaN", x), r.name(nan, out.dtype), x)


def _clamp(r, out, x, min=None, max=None):
    name = r.name(x, out.dtype)
    if min is not None:
        name = r.node("Max", name, r.name(min, out.dtype))
    return name if max is None else r.node("Min", name, r.name(max, out.dtype))


#: Each gets a recording, what torch returned and what it was given, and returns names.
ELEMENTWISE = {
    **dict.fromkeys(["add", "radd"], _elementwise("Add")),
    "sub": _elementwise("Sub"),
    **dict.fromkeys(["mul", "rmul"], _elementwise("Mul")),
    **dict.fromkeys(["div", "truediv"], _elementwise("Div")),
    "rsub": _reversed("Sub"),
    **dict.fromkeys(["rdiv", "rtruediv"], _reversed("Div")),
    "maximum": _elementwise("Max"),
    "minimum": _elementwise("Min"),
    **dict.fromkeys(["floordiv", "floor_divide"], _floordiv),
    **dict.fromkeys(["remainder", "mod"], _remainder),
    "pow": _pow,
    "eq": _comparison("Equal"),
    "ne": _comparison("Equal", negated=True),
    "lt": _comparison("Less"),
    "le": _comparison("LessOrEqual"),
    "gt": _comparison("Greater"),
    "ge": _comparison("GreaterOrEqual"),
    **dict.fromkeys(["and", "logical_and", "bitwise_and"], _elementwise("And")),
    **dict.fromkeys(["or", "logical_or", "bitwise_or"], _elementwise("Or")),
    **dict.fromkeys(["invert", "logical_not", "bitwise_not"], _unary("Not")),
    **{
        kind.lower(): _unary(kind)
        for kind in (
            *("Abs", "Neg", "Exp", "Log", "Sqrt", "Sigmoid", "Tanh", "Relu", "Sign", "Round"),
            *("Floor", "Ceil", "Erf", "Softplus", "Reciprocal", "Selu"),
        )
    },
    "isnan": _isnan,
    "log1p": _log1p,
    "expm1": _expm1,
    "square": _square,
    "silu": _silu,
    "gelu": _gelu,
    "elu": _elu,
    "leaky_relu": _leaky_relu,
    "softmax": _softmax("Softmax"),
    "log_softmax": _softmax("LogSoftmax"),
    **dict.fromkeys(["log_sigmoid", "logsigmoid"], _log_sigmoid),
    "where": _where,
    "masked_fill": _masked_fill,
    "nan_to_num": _nan_to_num,
    **dict.fromkeys(["clamp", "clip", "clamp_min"], _clamp),
    "clamp_max": lambda r, out, x, max: _clamp(r, out, x, max=max),
    **dict.fromkeys(
        ["to", "type_as", "double", "float", "long", "int", "bool", "contiguous", "detach"], _same
    ),
    **dict.fromkeys(["dropout", "clone"], _same),
}
