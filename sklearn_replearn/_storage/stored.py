"""The state of estimators: public parameters, and what fit has learned as plain values."""

import inspect
import sys
import warnings

from sklearn.exceptions import InconsistentVersionWarning

from .._runtime.sklearn import CALLBACKS, CALLBACKS_AT_WORK, parameter_names
from .plain import Reader, Writer

_VERSION = "_sklearn_replearn_version"
_LEARNED = "_learned"


class OtherVersionWarning(InconsistentVersionWarning):
    """A model was stored by a version that need not be of the same mind."""

    def __str__(self):
        return (
            f"This {self.estimator_name} was stored by sklearn_replearn "
            f"{self.original_sklearn_version} and is read by {self.current_sklearn_version}. "
            "Between versions of which the first number differs (before 1.0 the second) its "
            "results may change: compare them with known ones, or fit again."
        )


def version():
    """Of this package."""
    return sys.modules[__name__.partition(".")[0]].__version__


def check_version(name, stored):
    """Warn if a model was stored by another major version.

    Parameters
    ----------
    name : str
        Of the class.
    stored : str
    """
    if _major(stored) != _major(version()):
        warnings.warn(
            OtherVersionWarning(
                estimator_name=name,
                current_sklearn_version=version(),
                original_sklearn_version=stored,
            ),
            stacklevel=3,
        )


def _major(text):
    first, _, rest = text.partition(".")
    return (first, rest.partition(".")[0]) if first == "0" else first


class Stored:
    """An estimator that is stored as its parameters and, plainly, what it has learned.

    What is stored holds no object of pandas, pyarrow, narwhals or torch but those that a user gave
    as parameters: it is read on another machine, and by another version of these libraries.
    """

    #: Attributes that are made again when they are needed.
    _made_when_needed = ()

    def _state(self):
        left_out = {*self._made_when_needed, CALLBACKS, *CALLBACKS_AT_WORK}
        return {k: v for k, v in vars(self).items() if k not in left_out}

    def _restore(self, state):
        vars(self).update({sys.intern(name): value for name, value in state.items()})
        for name, default in self._defaults().items():
            vars(self).setdefault(name, default)

    def _check_stored(self):
        """Fail if parts of what was learned do not fit together."""

    @classmethod
    def _defaults(cls):
        """Of parameters, those that were added since among them."""
        signature = inspect.signature(cls.__init__).parameters.values()
        return {p.name: p.default for p in signature if p.default is not p.empty}

    def __getstate__(self):
        state, names = self._state(), parameter_names(self)
        stored = {name: state.pop(name) for name in names if name in state}
        stored[_VERSION] = version()
        if CALLBACKS in vars(self):  # a search takes them to other processes
            stored[CALLBACKS] = vars(self)[CALLBACKS]
        if state:
            writer = Writer()
            learned = writer.plain(state)
            stored[_LEARNED] = {"attributes": learned, "objects": writer.objects}
        return stored

    def __setstate__(self, state):
        state, name = dict(state), type(self).__name__
        stored, learned = state.pop(_VERSION, None), state.pop(_LEARNED, None)
        names = [*parameter_names(self), CALLBACKS]
        if stored is None and any(held not in names for held in state):
            raise ValueError(
                f"This {name} was stored by a version of sklearn_replearn before 0.2, which wrote "
                "what it had learned in another way. Load it with that version, or fit again."
            )
        if stored is not None:
            check_version(name, stored)
        self._restore({held: state[held] for held in state if held in names})
        if learned is not None:
            self._restore(Reader(learned["objects"]).value(learned["attributes"]))
