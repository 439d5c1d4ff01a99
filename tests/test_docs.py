"""Every public name is documented, with an example that runs (doctests run them)."""

import importlib
import inspect
import re
from pathlib import Path

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc

import sklearn_replearn
from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    VAETransformer,
    augmentations,
    densities,
    inspection,
    likelihoods,
    losses,
    metrics,
    modules,
    objectives,
    onnx,
    outliers,
    priors,
    rows,
)

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()

MODULES = [
    sklearn_replearn,
    augmentations,
    densities,
    inspection,
    likelihoods,
    losses,
    metrics,
    modules,
    objectives,
    onnx,
    outliers,
    priors,
    rows,
]


def names_of(module):
    """Public names; without ``__all__`` those of what is written in the module."""
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]
    return [name for name in names if name != "__version__"]


def public(module):
    things = [getattr(module, name) for name in names_of(module)]
    return [thing for thing in things if callable(thing)]


OBJECTS = [thing for module in MODULES for thing in public(module)]
CLASSES = [thing for thing in OBJECTS if inspect.isclass(thing)]
by_name = pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: thing.__name__)


@by_name
def test_there_is_an_example(thing):
    assert ">>> " in inspect.getdoc(thing)


@by_name
def test_every_parameter_is_described(thing):
    doc = ClassDoc(thing) if inspect.isclass(thing) else FunctionDoc(thing)
    described = {n.strip(" *") for item in doc["Parameters"] for n in item.name.split(",")}
    taken = set(inspect.signature(thing).parameters) - {"self"}
    assert described == taken
    assert all(item.type for item in doc["Parameters"])


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_public_method_is_described(cls):
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        if not name.startswith("_") and method.__module__.startswith("sklearn_replearn"):
            assert inspect.getdoc(method), f"{cls.__name__}.{name}"


@pytest.mark.parametrize("name", sklearn_replearn.__all__[:-1])
def test_methods_of_estimators_describe_their_parameters(name):
    cls = getattr(sklearn_replearn, name)
    for method_name, method in inspect.getmembers(cls, inspect.isfunction):
        if method_name.startswith("_") or not method.__module__.startswith("sklearn_replearn"):
            continue
        doc = FunctionDoc(method)
        described = {n.strip(" *") for item in doc["Parameters"] for n in item.name.split(",")}
        assert described == set(inspect.signature(method).parameters) - {"self"}, method_name
        assert doc["Returns"], method_name


def test_the_version_is_that_of_the_installed_package():
    metadata = importlib.import_module("importlib.metadata")
    assert metadata.version("sklearn_replearn") == sklearn_replearn.__version__


def test_shared_parameters_are_described_in_the_same_words():
    ours = (AutoencoderTransformer, VAETransformer, ContrastiveTransformer)
    described = [
        {item.name: (item.type, item.desc) for item in ClassDoc(cls)["Parameters"]} for cls in ours
    ]
    shared = set.intersection(*map(set, described)) - {
        "decoder",
        "encoder",
        "gradient_clip",
        "latent_dim",
    }
    assert {"rows", "hidden_layer_sizes", "max_epochs", "lr", "callbacks"} <= shared
    for name in shared:
        assert described[0][name] == described[1][name] == described[2][name], name


# ---------------------------------------------------------------- for who contributes


def test_code_of_the_page_for_contributors_runs():
    blocks = re.findall(r"```python\n(.*?)```", CONTRIBUTING, flags=re.DOTALL)
    assert len(blocks) == 2  # an objective, a likelihood
    session = {"__name__": "contributing"}
    for block in blocks:
        exec(compile(block, "CONTRIBUTING.md", "exec"), session)


def test_templates_ask_for_what_the_pages_say():
    report = (ROOT / ".github" / "ISSUE_TEMPLATE" / "bug_report.md").read_text()
    assert report.startswith("---\nname: ") and "`python -m sklearn_replearn`" in report
    request = (ROOT / ".github" / "pull_request_template.md").read_text()
    named = re.findall(r"`([\w./]+\.(?:py|md))`", request)
    assert named and all((ROOT / name).exists() for name in named)
    assert "python -m ruff check . && python -m ruff format ." in request
    assert "python -m ruff check . && python -m ruff format ." in CONTRIBUTING
    assert max(len(page.splitlines()) for page in (report, request)) <= 25


def test_what_the_page_for_contributors_names_is_there():
    named = set(re.findall(r"`([\w./]+(?:\.py|\.md|\.toml|\.cff|/))`", CONTRIBUTING))
    named |= set(re.findall(r" (tests/\S+\.py|\.ci/\S+\.txt)", CONTRIBUTING))
    assert len(named) > 12
    folders = ROOT, ROOT / "sklearn_replearn"
    assert [name for name in named if not any((at / name).exists() for at in folders)] == []
    assert len(CONTRIBUTING.splitlines()) <= 120  # two pages


def test_the_commands_are_those_of_the_readme_and_of_the_oldest_versions():
    (oldest,) = re.findall(r"^PIP_CONSTRAINT.*", CONTRIBUTING, flags=re.MULTILINE)
    assert f"# {oldest}" in (ROOT / ".ci" / "oldest.txt").read_text().splitlines()
    for command in re.findall(r"^python -m pip install .*", CONTRIBUTING, flags=re.MULTILINE):
        assert command in (ROOT / "README.md").read_text()


def test_there_is_one_version():
    cited = re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), flags=re.MULTILINE)
    assert cited[1] == sklearn_replearn.__version__
