"""What skops has to trust to read our estimators."""

import importlib
import inspect
import pkgutil
import sys

#: Of scikit-learn, what its searches hold and skops does not trust by itself.
_OF_SEARCHES = (
    ("sklearn.model_selection", lambda kind: hasattr(kind, "get_n_splits")),
    ("sklearn.metrics._scorer", lambda kind: kind.__name__.endswith("Scorer")),
    ("sklearn.utils._metadata_requests", lambda kind: kind.__name__.endswith("MetadataRequest")),
)


def trusted_types() -> list[str]:
    """Types to trust when skops reads an estimator of this package.

    Returns
    -------
    types : list of str
        Names of the public classes of this package, and of what searches of scikit-learn hold: its
        splitters and scorers. None of them executes what a file holds.

    Examples
    --------
    >>> from sklearn_replearn import trusted_types
    >>> "sklearn_replearn._estimators.vae.VAETransformer" in trusted_types()
    True

    With skops installed::

        skops.io.dump(pipe, "model.skops")
        pipe = skops.io.load("model.skops", trusted=trusted_types())
    """
    package = sys.modules[__name__.partition(".")[0]]
    names = set()
    for module in [package, *_public_modules(package)]:
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.isclass(found) and found.__module__.startswith(package.__name__ + "."):
                names.add(f"{found.__module__}.{found.__qualname__}")
    for module, held in _OF_SEARCHES:
        module = importlib.import_module(module)
        for found in vars(module).values():
            if inspect.isclass(found) and found.__module__.startswith("sklearn.") and held(found):
                names.add(f"{found.__module__}.{found.__qualname__}")
    return sorted(names)


def _public_modules(package):
    for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        name = found.name.rpartition(".")[2]
        # Of functions alone, and importing it takes an extra that need not be installed.
        if name.startswith("_") or name == "onnx":
            continue
        module = importlib.import_module(found.name)
        if hasattr(module, "__all__"):
            yield module
        if found.ispkg:
            yield from _public_modules(module)
