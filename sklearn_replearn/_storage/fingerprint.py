"""A fingerprint of values of any kind, the same in every process, to know them again.

Unlike a file it need not be read back: an object is what its pickle would be made of, and functions
and classes of a user are told by their code, too, for under the same name it may have changed; so
may what that code names: functions, classes and plain values of the same package.
"""

import hashlib
from types import CodeType, FunctionType, MethodType

import numpy as np
import torch

# What these packages have is told by its name, and by the version that is named beside it.
_KNOWN = {"sklearn_replearn", "torch", "numpy", "scipy", "sklearn", "skorch", "pandas", "builtins"}
_KNOWN |= {"functools", "pathlib", "copyreg", "collections", "_codecs", "operator"}

# Of a class: what counts, and what of that does not.
_OF_CODE = FunctionType, int, float, str, tuple, type(None)
_BESIDE_CODE = {"__module__", "__doc__", "__firstlineno__"}


def fingerprint(*values):
    """Hexadecimal digits that other values do not have.

    Parameters
    ----------
    *values : object

    Returns
    -------
    str

    Raises
    ------
    TypeError
        If a value is not made of what could be told again in another process.
    """
    found = _Fingerprint()
    found.add(values)
    return found.hash.hexdigest()[:32]


class _Fingerprint:
    def __init__(self):
        self.hash = hashlib.sha256()
        self.within = []  # identities of what is being added, which may hold itself
        self.told = {}  # functions and classes by identity: of several users of one, once is enough

    def mark(self, *texts):
        for text in texts:
            data = str(text).encode()
            self.hash.update(f"{len(data)}:".encode() + data)

    def add(self, value):
        kind = type(value)
        if value is None or kind in (bool, int, float, complex, str):
            self.mark(kind.__name__, repr(value))
        elif kind is bytes:
            self.mark("bytes", len(value))
            self.hash.update(value)
        elif isinstance(value, np.ndarray) and value.dtype != object:
            self.mark("array", value.dtype.str, value.shape)
            self.hash.update(np.ascontiguousarray(value).data.cast("B") if value.size else b"")
        elif kind is CodeType:
            self.add((value.co_code, value.co_consts, value.co_names))
        elif id(value) in self.within:
            self.mark("itself", self.within.index(id(value)))
        else:
            self.within.append(id(value))
            self._composed(value, kind)
            self.within.pop()

    def _composed(self, value, kind):
        if isinstance(value, torch.Tensor):
            self.add(("tensor", value.detach().cpu().numpy()))
        elif kind in (list, tuple):
            self.mark(kind.__name__, len(value))
            for item in value:
                self.add(item)
        elif kind is dict:
            self.add(("dict", *value.items()))
        elif kind in (set, frozenset):
            self.add(("set", *sorted(fingerprint(item) for item in value)))
        elif isinstance(value, type) or kind is FunctionType:
            self._code(value)
        elif kind is np.ufunc:
            self.mark("ufunc", value.__name__)
        elif kind is MethodType:
            self.add((value.__func__, value.__self__))
        else:
            self._reduced(value)

    def _code(self, value):
        """A function or class by its name and, if that does not tell what it does, its code."""
        self.mark("named", value.__module__, value.__qualname__)
        if _package(value) in _KNOWN:
            return
        if id(value) in self.told:
            self.mark("told", list(self.told).index(id(value)))
            return
        self.told[id(value)] = value
        (self._class if isinstance(value, type) else self._function)(value)

    def _class(self, value):
        self.add(value.__bases__)
        for name, held in vars(value).items():
            held = getattr(held, "fget", getattr(held, "__func__", held))
            if name not in _BESIDE_CODE and isinstance(held, _OF_CODE):
                self.add((name, held))

    def _function(self, value):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        self.add([value.__code__, value.__defaults__, value.__kwdefaults__, cells])
        for name in sorted(_names_in(value.__code__) & value.__globals__.keys()):
            held = value.__globals__[name]
            if isinstance(held, FunctionType | type):
                if _package(held) == _package(value):
                    self.add((name, held))
            elif isinstance(held, _OF_CODE):
                self.add((name, held))

    def _reduced(self, value):
        """What a pickle of it would be made of."""
        try:
            reduced = value.__reduce_ex__(4)
        except Exception as problem:
            raise TypeError(f"{value!r} is not made of what can be stored") from problem
        if isinstance(reduced, str):  # the name of a value that is there once
            self.mark("global", type(value).__module__, type(value).__qualname__, reduced)
            return
        made, given, *state = reduced
        self.add((made, given))
        for part in state:
            self.add(list(part) if hasattr(part, "__next__") else part)


def _package(value):
    return (value.__module__ or "").partition(".")[0]


def _names_in(code):
    """What code names, and code within it."""
    within = (_names_in(part) for part in code.co_consts if isinstance(part, CodeType))
    return set(code.co_names).union(*within)
