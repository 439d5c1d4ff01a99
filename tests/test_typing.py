"""Every public signature is annotated, and type checkers take what the README and examples do."""

import importlib
import inspect
from pathlib import Path

import pytest

import sklearn_replearn

PUBLIC = [
    sklearn_replearn,
    *(
        importlib.import_module(f"sklearn_replearn.{name}")
        for name in (
            "augmentations",
            "densities",
            "likelihoods",
            "losses",
            "metrics",
            "modules",
            "objectives",
            "outliers",
            "priors",
            "rows",
        )
    ),
]
CALLED = ("__init__", "__call__", "__len__")


def public(module):
    """Public functions and classes of a module."""
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]
    return [thing for thing in (getattr(module, name) for name in names) if callable(thing)]


def functions(thing):
    """Public functions of a class with their names, its own and those of its bases of ours."""
    if not inspect.isclass(thing):
        yield thing.__name__, thing
        return
    for cls in thing.__mro__:
        for name, value in vars(cls).items():
            if not cls.__module__.startswith("sklearn_replearn"):
                continue
            if not name.startswith("_") or name in CALLED:
                value = value.fget if isinstance(value, property) else value
                value = getattr(value, "fn", getattr(value, "__func__", value))
                if inspect.isfunction(value):
                    yield f"{cls.__name__}.{name}", value


THINGS = {thing for module in PUBLIC for thing in public(module)}


@pytest.mark.parametrize("thing", sorted(THINGS, key=repr), ids=lambda thing: thing.__name__)
def test_every_public_signature_is_annotated(thing):
    found = dict(functions(thing))
    assert found
    for name, function in found.items():
        signature = inspect.signature(function)
        without = [
            parameter.name
            for parameter in signature.parameters.values()
            if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls")
        ]
        assert without == [], name
        assert signature.return_annotation is not signature.empty, name


def test_type_checkers_are_told_that_there_are_annotations():
    assert (Path(sklearn_replearn.__file__).parent / "py.typed").read_text() == ""
