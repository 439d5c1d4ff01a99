"""Fitted estimators in one file: arrays as safetensors, all else as JSON in its metadata."""

import copy
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import nn

from . import torch_forms
from .plain import Reader, Unreadable, Writer, is_made_of_its_state
from .sealed import opened, sealed, write_whole
from .stored import check_version, version

_FORMAT = "sklearn_replearn 1"


def save(estimator: BaseEstimator, path: str | os.PathLike) -> None:
    """Write a fitted estimator to one file that executes nothing when it is read.

    The file is one of safetensors: arrays of numbers, and JSON. It is written beside ``path`` and
    takes its place when it is whole.

    Parameters
    ----------
    estimator : estimator
        One of this package, or a Pipeline or search of scikit-learn with estimators of this package
        and those of scikit-learn that are made of arrays (scalers, most linear models; no trees).
    path : path-like
        Such as ``"model.safetensors"``.

    Raises
    ------
    TypeError
        If it holds something that is neither of this package nor of scikit-learn and has no name to
        import it by, such as a lambda or a tree of scikit-learn.
    FileNotFoundError
        If there is no folder to write into.

    See Also
    --------
    load : Read it.
    trusted_types : For skops, which writes all estimators of scikit-learn.

    Notes
    -----
    Classes and functions of a user's own, such as ``encoder=MyEncoder``, are not in the file, but
    the names by which they are imported: :func:`load` asks for them. Of an instance of
    ``torch.nn.Module`` there are the weights. Levels of text columns are in the file: of a column
    of names, all of these names.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import AutoencoderTransformer, load, save
    >>> X = load_wine().data
    >>> encoder = AutoencoderTransformer(latent_dim=2, max_epochs=5).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(encoder, Path(folder) / "wines.safetensors")
    ...     loaded = load(Path(folder) / "wines.safetensors")
    >>> bool((loaded.transform(X) == encoder.transform(X)).all())
    True
    """
    if not isinstance(estimator, BaseEstimator) or isinstance(estimator, type):
        raise TypeError(
            f"save writes an estimator, such as a fitted AutoencoderTransformer; got {estimator!r}."
        )
    writer = FileWriter()
    root = writer.plain(estimator)
    model = {"version": version(), "root": root, "objects": writer.objects}
    write_whole(Path(path), sealed(_FORMAT, model, writer.arrays))


def load(path: str | os.PathLike, objects: Mapping[str, object] | None = None) -> BaseEstimator:
    """Read an estimator that :func:`save` has written.

    Nothing in the file is executed; what it names of this package or of scikit-learn is imported.

    Parameters
    ----------
    path : path-like
    objects : mapping of str to object, default=None
        Classes, functions and modules of one's own that the file names, by name. An error says
        which are missing.

    Returns
    -------
    estimator : estimator
        Its results are those of the one that was saved, to the last bit on a like machine.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is none of :func:`save`, is damaged or was altered, or names objects that are
        not given.

    Warns
    -----
    InconsistentVersionWarning
        If another major version of this package has written it (before 1.0: another minor one).

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_replearn import VAETransformer, load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(VAETransformer(latent_dim=3), Path(folder) / "model.safetensors")
    ...     load(Path(folder) / "model.safetensors")
    VAETransformer(latent_dim=3)
    """
    data, writer = Path(path).read_bytes(), ""
    try:
        model, arrays = opened(_FORMAT, data)
        if model["version"] != version():
            writer = f" It was written by version {model['version']}, and this is {version()}."
        reader = FileReader(model["objects"], arrays, objects or {})
        estimator = reader.value(model["root"])
        reader.check()
        if not isinstance(estimator, BaseEstimator):
            raise Unreadable("it holds no estimator")
        check_version(type(estimator).__name__, model["version"])
    except (_Missing, Warning):
        raise
    except Exception as problem:  # whatever can be wrong with a file
        text = f"{os.fspath(path)!r} cannot be read: {_cause(problem)}.{writer}"
        raise ValueError(text) from problem
    return estimator


class _Missing(ValueError):
    """Objects that a file names are not given."""


class FileWriter(Writer):
    """Writes what JSON has no word for, too.

    Attributes
    ----------
    arrays : dict of str to ndarray
        Those that were met, by number.
    """

    def __init__(self):
        super().__init__()
        self.arrays = {}
        self._names = {}  # of modules
        self._own = {}  # objects of users, and what modules of theirs are like, by name

    def plain(self, value):
        if type(value) is float and not math.isfinite(value):
            return self.tagged("float", {"text": str(value)})
        if type(value) is dict:
            self._names |= {id(v): name for name, v in value.items() if isinstance(v, nn.Module)}
        return super().plain(value)

    def _array(self, array):
        return self._once(array, lambda: self._tensor(array))

    def _tensor(self, array):
        # Sums over other strides are of other bits: an array is read in the order that it had.
        turned = array.flags.f_contiguous and not array.flags.c_contiguous
        # A file has one order of bytes.
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if array.dtype.str not in _DTYPES:
            raise TypeError(
                f"save has no way to write an array of {array.dtype}, which files of safetensors "
                "do not know. Store the estimator by joblib.dump."
            )
        number = str(len(self.arrays))
        self.arrays[number] = np.asarray(array.T if turned else array, order="C")
        return self.tagged("numbers", {"number": number, "turned": turned})

    def unknown(self, value):
        for form in torch_forms.FORMS:
            parts = form.of(value)
            if parts is not None:
                return self.tagged(form.name, parts)
        if isinstance(value, nn.Module):
            return self._once(value, lambda: self._module(value))
        if isinstance(value, np.ufunc) or "<lambda>" not in getattr(
            value, "__qualname__", "<lambda>"
        ):
            return self.tagged("own", {"name": self._name(value)})
        kind = type(value)
        if is_made_of_its_state(kind) and kind.__module__.partition(".")[0] not in _NEVER:
            of = {"own": self._name(kind)}
            return self._once(value, lambda: self.object(value, of))
        raise TypeError(
            f"save has no way to write {value!r} ({kind.__module__}.{kind.__qualname__}). Store "
            "the estimator by skops.io.dump, or by joblib.dump if only you will load it."
        )

    def _module(self, module):
        name = self._names.get(id(module), type(module).__name__)
        weights = _weights(module)
        like = repr(module), {part: weight.shape for part, weight in weights.items()}
        if self._own.setdefault(name, like) != like:
            raise TypeError(
                f"save names a torch.nn.Module by its parameter, and two that are not alike are "
                f"named {name!r}. Give classes or functions that make them."
            )
        return self.tagged("module", {"name": name, "weights": weights})

    def _name(self, value):
        """The name by which a user imports a class or function."""
        if isinstance(value, np.ufunc):  # before NumPy 2.2 it did not know where it is
            name = f"numpy.{value.__name__}"
        else:
            name = f"{value.__module__}.{value.__qualname__}"
        if name.startswith(f"{__name__.partition('.')[0]}."):
            raise TypeError(f"save has no way to write {name}, which is none of a model's.")
        if self._own.setdefault(name, value) is not value:
            raise TypeError(
                f"save names what is yours by where it was defined, and two things are named "
                f"{name}. Give them names of their own in a module."
            )
        return name


#: Of arrays in files of safetensors.
_DTYPES = {"|b1", *(f"{'|' if n == 1 else '<'}{k}{n}" for k in "iu" for n in (1, 2, 4, 8))}
_DTYPES |= {"<f2", "<f4", "<f8"}

#: Objects of these packages are made of more than their attributes.
_NEVER = ("builtins", "numpy", "torch", "functools", "types")


def _weights(module):
    return {name: w.detach().cpu().numpy() for name, w in module.state_dict().items()}


class FileReader(Reader):
    """Reads what a :class:`FileWriter` has written.

    Parameters
    ----------
    objects : list of dict
    arrays : dict of str to ndarray
    given : mapping of str to object
        What is a user's, by name.
    """

    def __init__(self, objects, arrays, given):
        super().__init__(objects)
        self._arrays, self._given, self._modules = arrays, given, {}

    def value(self, plain):
        # As literals are: what was loaded is pickled to the same bytes as what was saved.
        return sys.intern(plain) if type(plain) is str else super().value(plain)

    def class_of(self, text):
        return self._own(**text) if isinstance(text, dict) else super().class_of(text)

    def other(self, name, *parts):
        made = {
            "float": float,
            "numbers": self._array,
            "own": self._own,
            "module": self._module,
            **{form.name: form.value for form in torch_forms.FORMS},
        }
        return made[name](*parts) if name in made else super().other(name, *parts)

    def _array(self, number, turned):
        return self._arrays[number].T if turned else self._arrays[number]

    def _own(self, own):
        if own not in self._given:
            raise _Missing(
                f"The file names {own!r}, which is yours and not in it. Give it: "
                f"load(path, objects={{{own!r}: …}})."
            )
        return self._given[own]

    def _module(self, name, weights):
        module = copy.deepcopy(self._own(name))
        if not isinstance(module, nn.Module):
            raise _Missing(
                f"The file has the weights of a torch.nn.Module for {name!r}; got {module!r}. Give "
                f"load(path, objects={{{name!r}: …}}) one that is made like the one of fit."
            )
        # A parameter and what fit keeps of it are one module, as they were.
        same = name, *map(id, weights.values())
        if same not in self._modules:
            module.load_state_dict({n: torch.from_numpy(w.copy()) for n, w in weights.items()})
            self._modules[same] = module
        return self._modules[same]


def _cause(problem):
    if isinstance(problem, Unreadable):
        return str(problem)
    return f"what it holds does not fit together ({type(problem).__name__}: {problem})"
