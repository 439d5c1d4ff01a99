"""Every public signature is annotated, and type checkers take what the README and examples do."""

import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import sklearn_replearn

ROOT = Path(__file__).parents[1]
TYPED = ROOT / "tests" / "typed"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]

PUBLIC = [
    sklearn_replearn,
    *(
        importlib.import_module(f"sklearn_replearn.{name}")
        for name in (
            "augmentations",
            "densities",
            "inspection",
            "likelihoods",
            "losses",
            "metrics",
            "model_selection",
            "modules",
            "objectives",
            "onnx",
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
                # fit_transform and such are scikit-learn's, with its signature.
                if inspect.isfunction(value) and value.__module__.startswith("sklearn_replearn"):
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


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """A folder with what is checked: the README's blocks as one session, examples, public names."""
    folder = tmp_path_factory.mktemp("typed")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert len(blocks) >= 5
    (folder / "readme.py").write_text("\n".join(blocks))
    for path in [*(ROOT / "examples").rglob("*.py"), *TYPED.glob("*.py")]:
        (folder / path.name).write_text(path.read_text())
    return folder


#: Lines on which there is a slip.
SLIPS = {
    number
    for number, line in enumerate((TYPED / "slips.py").read_text().splitlines(), start=1)
    if line and not line.startswith(("from", '"""'))
}


def test_pyright_finds_the_slips_and_no_other(checked):
    settings = {**SETTINGS["pyright"], "include": ["."], "exclude": [], "extraPaths": [str(ROOT)]}
    (checked / "pyrightconfig.json").write_text(json.dumps(settings))
    result = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable, "--outputjson"],
        cwd=checked,
        capture_output=True,
        text=True,
    )
    report = json.loads(result.stdout)
    assert report["summary"]["filesAnalyzed"] >= 6
    found = report["generalDiagnostics"]
    others = [one for one in found if Path(one["file"]).name != "slips.py"]
    assert others == [], json.dumps(others, indent=2)
    assert {one["range"]["start"]["line"] + 1 for one in found} == SLIPS


def test_mypy_finds_the_slips_and_no_other(checked):
    result = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")),
            *("--cache-dir", str(checked / "cache"), "--no-error-summary", "--hide-error-context"),
            *sorted(path.name for path in checked.glob("*.py")),
        ],
        cwd=checked,
        capture_output=True,
        text=True,
        env={**os.environ, "MYPYPATH": str(ROOT)},
    )
    errors = [line for line in result.stdout.splitlines() if ": error: " in line]
    others = [line for line in errors if not line.startswith("slips.py:")]
    assert others == [] and result.stderr == "", "\n".join([*others, result.stderr])
    assert {int(line.split(":")[1]) for line in errors} == SLIPS
