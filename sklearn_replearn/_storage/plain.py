"""Values of any type as plain ones, and back.

Plain are arrays of numbers, strings, numbers, truth, None, and lists and dicts of such. A value of
another type becomes a dict of its parts, tagged with the name of its form; an object of ours or of
scikit-learn becomes an entry of a list of objects, so that what two hold in common is written once.
"""

import sys

import numpy as np

from .._runtime.sklearn import CALLBACKS
from . import forms, frame_forms
from .names import is_named, named, path_of

_TAG = "!"
_FORMS = (*frame_forms.FORMS, *forms.FORMS)
_BY_NAME = {form.name: form for form in _FORMS}


class Unreadable(ValueError):
    """What was stored cannot be made into a value again."""


class Writer:
    """Writes values plainly; what it does not know stays as it is.

    Attributes
    ----------
    objects : list of dict
        The class and the state of each object, in the order in which they were met.
    """

    def __init__(self):
        self.objects = []
        self._stands = {}
        self._kept = []  # or another value could get the identity of one
        self._texts = {}

    def plain(self, value):
        """A value written plainly."""
        kind = type(value)
        if value is None or kind in (bool, int, float):
            return value
        if kind is str:
            return self.text(value)
        if kind is list:
            return [self.plain(item) for item in value]
        if kind is dict and _TAG not in value and all(type(key) is str for key in value):
            return {self.text(key): self.plain(item) for key, item in value.items()}
        if _is_of_numbers(value):
            return self._array(value)
        for form in _FORMS:
            parts = form.of(value)
            if parts is not None:
                return self.tagged(form.name, parts)
        if is_named(value):
            return self._once(value, lambda: self.tagged("ours", {"text": path_of(value)}))
        if is_object(value):
            return self._once(value, lambda: self.object(value, path_of(kind)))
        return self.unknown(value)

    def object(self, value, of):
        """What stands for an object of a class, written plainly; it is added to the objects."""
        written = {self.text("class"): self.plain(of)}
        self.objects.append(written)
        stands = self.tagged("object", {"number": len(self.objects) - 1})
        self._keep(value, stands)  # before its state, which may hold it
        written[self.text("state")] = self.plain(state_of(value))
        return stands

    def unknown(self, value):
        """What stands for a value that is none of ours."""
        return value

    def tagged(self, name, parts):
        """A dict of parts with the name of a form."""
        return {self.text(_TAG): self.text(name)} | {
            self.text(part): self.plain(value) for part, value in parts.items()
        }

    def text(self, text):
        # Equal strings are one object, which nothing outside has: pickles of equal models are of
        # equal bytes, whether they were fitted or loaded.
        if text not in self._texts:
            self._texts[text] = (text + " ")[:-1]
        return self._texts[text]

    def _array(self, array):
        # A view, because of arrays that were loaded not even the dtype is the same object.
        return self._once(array, lambda: np.asarray(array).view(np.dtype(array.dtype.str)))

    def _once(self, value, write):
        """What stands for a value, the same each time."""
        if id(value) not in self._stands:
            self._keep(value, write())
        return self._stands[id(value)]

    def _keep(self, value, stands):
        self._stands[id(value)] = stands
        self._kept.append(value)


class Reader:
    """Makes values of plain ones.

    Parameters
    ----------
    objects : list of dict
        As a :class:`Writer` has them.
    """

    def __init__(self, objects):
        self._written = objects
        self.objects = {}

    def value(self, plain):
        """The value that was written plainly."""
        kind = type(plain)
        if kind is list:
            return [self.value(item) for item in plain]
        if kind is not dict:
            return plain
        if _TAG not in plain:
            return {key: self.value(item) for key, item in plain.items()}
        name, *parts = (self.value(part) for part in plain.values())
        if name == "object":
            return self._object(*parts)
        if name == "ours":
            return _known(*parts)
        if name in _BY_NAME:
            return _BY_NAME[name].value(*parts)
        return self.other(name, *parts)

    def check(self):
        """Refuse objects whose parts do not fit together."""
        for made in self.objects.values():
            if hasattr(type(made), "_check_stored"):
                made._check_stored()

    def other(self, name, *parts):
        """A value of a form that is none of these."""
        raise Unreadable(f"it holds a value of an unknown form, {name!r}")

    def class_of(self, text):
        """The class of an object that was written."""
        return _known(text)

    def _object(self, number):
        if number not in self.objects:
            written = self._written[number]
            of = self.class_of(self.value(written["class"]))
            made = self.objects[number] = object.__new__(of)
            restore(made, self.value(written["state"]))
        return self.objects[number]


def _is_of_numbers(value):
    """Whether a value is an array of numbers."""
    kinds = getattr(getattr(value, "dtype", None), "kind", "")
    masked = isinstance(value, np.ma.MaskedArray)
    return isinstance(value, np.ndarray) and not masked and kinds in "biufc"


def state_of(value):
    """What an object holds."""
    # Of the class, because a frozen estimator has all attributes of the one in it.
    if hasattr(type(value), "_state"):
        return value._state()
    state = value.__getstate__()
    if isinstance(state, dict):  # callbacks are of fits, not of what was fitted
        state = {name: held for name, held in state.items() if name != CALLBACKS}
    return state


def restore(value, state):
    """Give an object what it held."""
    if hasattr(type(value), "_restore"):
        value._restore(state)
    elif hasattr(type(value), "__setstate__"):
        value.__setstate__(state)
    else:
        vars(value).update({sys.intern(name): held for name, held in (state or {}).items()})


def is_object(value):
    """Whether a value is an object of ours or of scikit-learn, and made of what it holds."""
    return is_named(type(value)) and is_made_of_its_state(type(value))


def is_made_of_its_state(kind):
    """Whether objects of a class are made of their state alone."""
    own = (object.__reduce__, object.__reduce_ex__, object.__new__)
    return (kind.__reduce__, kind.__reduce_ex__, kind.__new__) == own


def _known(path):
    found = named(path)
    if found is None:
        raise Unreadable(f"it names {path!r}, which is nothing that a model is made of")
    return found
