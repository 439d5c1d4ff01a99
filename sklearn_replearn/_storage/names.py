"""Which classes and functions a stored model may name.

A name in a file comes from whoever wrote the file. What it may stand for is therefore harmless
whatever it is called with and whatever its objects hold: it reads and writes no file, imports
nothing, and calls nothing but what it was given, which a file names, too.
"""

import importlib
from types import FunctionType

_PACKAGE = __name__.partition(".")[0]
#: Functions of these modules compute scores, distances and layers.
_FUNCTIONS_OF = (
    f"{_PACKAGE}.metrics",
    f"{_PACKAGE}.modules",
    "sklearn.feature_selection",
    "sklearn.metrics",
)
#: Below these nothing is named: they read and write, import by name, or run tests.
_CLOSED = {"_storage", "onnx", "datasets", "experimental", "externals", "conftest", "tests"}
#: Private modules and tools of scikit-learn are closed but for what its estimators hold.
_HELD = "sklearn.utils._metadata_requests"


def path_of(value):
    """The module and the name of a class or function."""
    return f"{value.__module__}:{value.__qualname__}"


def is_named(value):
    """Whether a value is a class or function that a stored model may name."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        return False
    return _is_open(module) and _is_harmless(value, module, name)


def named(path):
    """The class or function of a path; None if it is nothing that a stored model may name."""
    module, _, name = path.partition(":")
    # Before it is imported, which runs what is in it.
    if not _is_open(module):
        return None
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError:
        return None
    mine = (getattr(found, "__module__", None), getattr(found, "__qualname__", None))
    return found if mine == (module, name) and _is_harmless(found, module, name) else None


def _is_open(module):
    """Whether a module is one of ours or of scikit-learn in which something may be named."""
    package, *parts = module.split(".")
    if not all(map(str.isidentifier, parts)) or not _CLOSED.isdisjoint(parts):
        return False
    if package == "sklearn":
        return module == _HELD or (bool(parts) and not parts[0].startswith(("_", "utils")))
    return package == _PACKAGE


def _is_harmless(value, module, name):
    # A name with a dot is a method or what is inside a function, and neither is a value of a model.
    if not name.isidentifier():
        return False
    if isinstance(value, type):
        return True
    return (
        isinstance(value, FunctionType)
        and not name.startswith("_")
        and f"{module}.".startswith(tuple(f"{of}." for of in _FUNCTIONS_OF))
    )
