"""Imports go one way: a file imports only from files above it in this list."""

import ast
from pathlib import Path

import pytest

import sklearn_replearn

PACKAGE = Path(sklearn_replearn.__file__).parent

LAYERS = [
    "_sklearn",
    "_random",
    "_ambient",
    "_atomic",
    "_rows",
    "_marks",
    "_frames",
    "_kinds",
    "_ranks",
    "_schema",
    "_tables",
    "_profile",
    "_columns",
    "_alike",
    "_spaces",
    "_neighbors",
    "_mixtures",
    "_pairs",
    "_tails",
    "_conformal",
    "_explanations",
    "_words",
    "_batches",
    "losses",
    "metrics",
    "likelihoods._base",
    "likelihoods._numbers",
    "likelihoods._levels",
    "likelihoods._counts",
    "likelihoods._mixed",
    "likelihoods._tokens",
    "likelihoods",
    "augmentations._base",
    "augmentations._tables",
    "augmentations._images",
    "augmentations._tokens",
    "augmentations",
    "modules._layers",
    "modules._inputs",
    "modules._networks",
    "modules._images",
    "modules._tokens",
    "modules",
    "_ends",
    "objectives._base",
    "objectives._heads",
    "objectives._reconstruction",
    "objectives._contrast",
    "objectives._distillation",
    "objectives._decorrelation",
    "objectives._beside",
    "objectives._supervised",
    "objectives",
    "_domains",
    "_history",
    "_optimizers",
    "_handwritten",
    "_net",
    "_codes",
    "_inference",
    "_synthesis",
    "_documentation",
    "_representation",
    "_fine_tuning",
    "_autoencoder",
    "_vae",
    "_contrastive",
    "_predictors",
    "_seen",
    "_given",
    "_judges",
    "_committee",
    "outliers",
    "",
]


def module_name(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported_layers(path):
    """Names of our own modules that a file imports, relative to the package."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [part for part in package if part][: len(package) + 1 - node.level]
            if node.module:
                yield ".".join([*base, node.module])
            else:
                yield from (".".join([*base, alias.name]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.startswith("sklearn_replearn") for name in names), path


# Files that may be deleted without touching another.
OPTIONAL = {"_handwritten"}

FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_file_has_its_layer():
    assert {module_name(path) for path in FILES} | OPTIONAL == set(LAYERS)


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_go_one_way(path):
    place = LAYERS.index(module_name(path))
    for name in imported_layers(path):
        assert LAYERS.index(name) < place, f"{module_name(path)} imports {name}"


def test_the_parser_sees_imports():
    assert "_net" in imported_layers(PACKAGE / "_representation.py")
    assert "objectives._base" in imported_layers(PACKAGE / "objectives" / "_contrast.py")
    assert "losses" in imported_layers(PACKAGE / "objectives" / "_contrast.py")


def test_private_names_of_scikit_learn_are_touched_in_one_file():
    for path in FILES:
        if module_name(path) == "_sklearn":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sklearn"):
                names = [*node.module.split("."), *(alias.name for alias in node.names)]
                assert not any(name.startswith("_") for name in names), f"{path.name}: {names}"
