"""What to type instead, said in the error about a name that is none of ours."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import wraps
from inspect import Parameter, isfunction, signature
from typing import TYPE_CHECKING, Any, Self

from .sklearn import BaseEstimator, parameter_names

#: Methods whose unknown keywords are answered; the frame about them is nothing beside their work.
_ASKED = ("__init__", "fit", "sample")


class Estimator(BaseEstimator):
    """An estimator whose errors about keywords and attributes say what to type instead.

    Nothing is looked up before something has failed, and signatures are what they were.
    """

    #: What is said to a name, as a sentence in which {cls} is the class.
    _other_names: Mapping[str, str] = {}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name in _ASKED:
            if isfunction(written := vars(cls).get(name)):  # a subclass may have a descriptor
                setattr(cls, name, answering(written))

    def set_params(self, **params: Any) -> Self:
        """Set parameters of the estimator, and of those within it.

        Parameters
        ----------
        **params
            ``<name>=value``, or ``<name>__<its name>=value`` for a parameter of a part.

        Returns
        -------
        self : object
        """
        try:
            return super().set_params(**params)
        except ValueError as error:
            typed = [key.partition("__")[0] for key in params]
            answers = _answers(self, typed, parameter_names(self))
            if not answers:
                raise
            raise ValueError(f"{error} {_joined(answers)}") from None

    if not TYPE_CHECKING:  # checkers refuse attributes that are not there

        def __getattr__(self, name):
            # What is mixed into a subclass may have it; else this fails as it did before.
            missing = getattr(super(), "__getattr__", super().__getattribute__)
            try:
                return missing(name)
            except AttributeError as error:
                sentence = type(self)._other_names.get(name)
                # A property, or a method that is there at times, has words of its own.
                if sentence is None or hasattr(type(self), name):
                    raise
                answer = sentence.format(cls=type(self).__name__)
                raise AttributeError(f"{error}. {answer}", name=name, obj=self) from None


def answering(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method whose unknown keywords are answered by the class that it is called on."""

    described = signature(function)

    @wraps(function)
    def asked(self, *args, **kwargs):
        try:
            return function(self, *args, **kwargs)
        except TypeError:
            parameters = described.parameters
            unknown = [name for name in kwargs if name not in parameters]
            if not unknown or any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values()):
                raise
            answers = _answers(self, unknown, list(parameters)[1:])
            if not answers:
                raise
            got = f"got an unexpected keyword argument {next(iter(answers))!r}"
            raise TypeError(f"{function.__qualname__}() {got}. {_joined(answers)}") from None

    asked.__signature__ = described  # type: ignore[attr-defined]  # for those who do not unwrap
    return asked


def _answers(owner: Any, names: Iterable[str], known: list[str]) -> dict[str, str]:
    """What is said to those names that are unknown, if anything is."""
    said = {name: _sentence(owner, name, known) for name in names if name not in known}
    return {name: sentence for name, sentence in said.items() if sentence}


def _joined(answers: Mapping[str, str]) -> str:
    """Each sentence once."""
    return " ".join(dict.fromkeys(answers.values()))


def _sentence(owner: Any, name: str, known: list[str]) -> str:
    cls = type(owner).__name__
    sentence = owner._other_names.get(name)
    if sentence is not None:
        return sentence.format(cls=cls)
    if name in parameter_names(owner):
        return f"It is a parameter of the estimator: {cls}({name}=...)."
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.7)
    return f"Did you mean {near[0]}?" if near else ""
