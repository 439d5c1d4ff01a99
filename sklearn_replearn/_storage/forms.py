"""How values that are not plain are written as such: those of Python and of NumPy."""

import datetime
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class Form:
    """How the values of a type are written.

    Attributes
    ----------
    name : str
        It stands in files: to change it is to break them.
    kind : type
        Of the values, and not of their subclasses unless ``inherited``.
    parts : callable
        From a value to what it is made of, a dict by name; None if it is none of this form.
    value : callable
        From these parts, in their order, to the value.
    inherited : bool
    """

    name: str
    kind: type
    parts: Callable
    value: Callable
    inherited: bool = False

    def of(self, value):
        """The parts of a value, or None."""
        mine = isinstance(value, self.kind) if self.inherited else type(value) is self.kind
        return self.parts(value) if mine else None


def by_text(name, kind, to_text=str, from_text=None):
    """The form of values that a text stands for."""
    return Form(name, kind, lambda value: {"text": to_text(value)}, from_text or kind)


def by_attributes(name, kind, *attributes):
    """The form of values that are made of their attributes."""
    return Form(name, kind, lambda value: {a: getattr(value, a) for a in attributes}, kind)


def _items(name, kind, ordered=list):
    return Form(name, kind, lambda value: {"items": ordered(value)}, kind)


def _in_one_order(items):
    return sorted(items, key=repr)


def _array(value):
    """Of other cells than numbers; None for numbers, which are plain."""
    kind, shape = value.dtype.kind, list(value.shape)
    if kind == "O":
        return {"dtype": "O", "shape": shape, "cells": value.ravel().tolist()}
    if kind in "US":
        return {"dtype": value.dtype.str, "shape": shape, "cells": value.ravel().tolist()}
    if kind in "mM":
        cells = np.ascontiguousarray(value).view(np.int64)
        return {"dtype": value.dtype.str, "shape": shape, "cells": cells.reshape(shape)}
    return None


def _array_made(dtype, shape, cells):
    if dtype == "O":
        array = np.empty(len(cells), dtype=object)
        array[:] = cells
        return array.reshape(shape)
    if isinstance(cells, np.ndarray):
        return np.array(cells, dtype=np.int64).view(dtype)
    return np.array(cells, dtype=dtype).reshape(shape)


def _masked(value):
    return {"data": value.data, "mask": np.ma.getmaskarray(value), "fill": value.fill_value}


def _masked_made(data, mask, fill):
    return np.ma.MaskedArray(data, mask, fill_value=fill)


def _dtype(value):
    return {"text": value.str} if value.names is None and value.subdtype is None else None


_BUILTIN = {kind.__name__: kind for kind in (bool, int, float, complex, str, bytes, object)}


def _builtin(value):
    return {"text": value.__name__} if _BUILTIN.get(value.__name__) is value else None


def _scalar_type(value):
    return {"text": np.dtype(value).name} if issubclass(value, np.generic) else None


_SPARSE = {
    f"{name}_{kind}": getattr(sp, f"{name}_{kind}")
    for name in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
    for kind in ("array", "matrix")
}


def _sparse_type(value):
    return {"text": value.__name__} if _SPARSE.get(value.__name__) is value else None


def _compressed(kind):
    """The form of sparse tables of rows or of columns."""
    return Form(
        kind,
        _SPARSE[kind],
        lambda v: {"data": v.data, "indices": v.indices, "indptr": v.indptr, "shape": v.shape},
        lambda *parts: _compressed_made(_SPARSE[kind], *parts),
    )


def _compressed_made(kind, data, indices, indptr, shape):
    made = kind((data, indices, indptr), shape=shape)
    made.check_format(full_check=True)  # or an index beyond the table is one beyond its memory
    return made


def _naive(value):
    return {"text": value.isoformat()} if value.tzinfo is None else None


def _random_state(value):
    return {"state": value.get_state()}


def _random_state_made(state):
    position = state[2]
    if not 0 <= position <= 624:  # NumPy would read beyond its memory
        raise ValueError(f"A RandomState has positions from 0 to 624; got {position}.")
    random_state = np.random.RandomState()
    random_state.set_state(state)
    return random_state


FORMS = (
    _items("tuple", tuple),
    _items("set", set, _in_one_order),
    _items("frozenset", frozenset, _in_one_order),
    Form(
        "dict",
        dict,
        lambda value: {"keys": list(value), "values": list(value.values())},
        lambda keys, values: dict(zip(keys, values, strict=True)),
    ),
    Form("masked array", np.ma.MaskedArray, _masked, _masked_made),
    Form("array", np.ndarray, _array, _array_made, inherited=True),
    Form(
        "scalar",
        np.generic,
        lambda value: {"cells": np.array([value])},
        lambda cells: cells[0],
        inherited=True,
    ),
    Form("dtype", np.dtype, _dtype, np.dtype, inherited=True),
    Form("type", type, _builtin, _BUILTIN.__getitem__),
    Form("sparse type", type, _sparse_type, _SPARSE.__getitem__, inherited=True),
    *map(_compressed, ("csc_array", "csc_matrix", "csr_array", "csr_matrix")),
    Form("scalar type", type, _scalar_type, lambda text: np.dtype(text).type),
    Form(
        "bytes",
        bytes,
        lambda value: {"cells": np.frombuffer(value, np.uint8)},
        lambda cells: cells.tobytes(),
    ),
    Form("slice", slice, lambda v: {"start": v.start, "stop": v.stop, "step": v.step}, slice),
    Form(
        "partial",
        partial,
        lambda value: {"function": value.func, "given": value.args, "named": value.keywords},
        lambda function, given, named: partial(function, *given, **named),
    ),
    Form("RandomState", np.random.RandomState, _random_state, _random_state_made),
    by_attributes("complex", complex, "real", "imag"),
    by_attributes("range", range, "start", "stop", "step"),
    by_attributes("timedelta", datetime.timedelta, "days", "seconds", "microseconds"),
    Form("datetime", datetime.datetime, _naive, datetime.datetime.fromisoformat),
    Form("time", datetime.time, _naive, datetime.time.fromisoformat),
    by_text("date", datetime.date, from_text=datetime.date.fromisoformat),
    by_text("decimal", Decimal),
    by_text("uuid", uuid.UUID),
)
