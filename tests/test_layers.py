"""Imports go one way: a folder imports only from folders above it, a file only from files above."""

import ast
from pathlib import Path

import pytest

import sklearn_replearn
from sklearn_replearn._runtime.sklearn import (
    CALLBACKS,
    CALLBACKS_AT_WORK,
    BaseEstimator,
    CallbackSupportMixin,
)

PACKAGE = Path(sklearn_replearn.__file__).parent

# Folders and files of the root along the way of a row, and in each folder its files.
LAYERS = {
    "_runtime": [
        "typing",
        "documentation",
        "sklearn",
        "other_names",
        "namespaces",
        "parameters",
        "arrow",
        "arrays",
        "memory",
        "processes",
        "turns",
        "pausing",
        "randomness",
        "isolation",
        "transaction",
        "tasks",
        "callbacks",
        "progress",
        "following",
    ],
    "_storage": [
        "names",
        "forms",
        "frame_forms",
        "torch_forms",
        "plain",
        "stored",
        "sealed",
        "files",
        "fingerprint",
        "trusted",
    ],
    "_dataset": [
        "sparse",
        "hashing",
        "stretches",
        "multiset",
        "kept",
        "stored_rows",
        "columns",
        "labels",
        "pairing",
        "metadata",
        "epochs",
        "splitting",
        "batches",
    ],
    "_tables": [
        "names",
        "frames",
        "raw_rows",
        "results",
        "readers",
        "parquet",
        "parts",
        "given",
        "holes",
        "arrays",
        "levels",
        "contents",
        "dates",
        "looks",
        "column_types",
        "schema",
        "conditions",
        "agreement",
        "validation",
        "witnesses",
        "part_forms",
        "part_by_part",
    ],
    "_scaling": [
        "cells",
        "limits",
        "affine",
        "normal_scores",
        "score_curves",
        "grain",
        "profile",
        "support",
        "differences",
        "scaler",
        "measure",
        "shared_scale",
        "token_ids",
        "latent_semantics",
    ],
    "losses": [],
    "metrics": [],
    "_mixtures": [],
    "augmentations": [
        "_ranges",
        "_calling",
        "_binding",
        "composition",
        "tables",
        "images",
        "tokens",
    ],
    "modules": [
        "layers",
        "foreign",
        "encoding",
        "autoencoders",
        "images",
        "tokens",
        "expressions",
        "scaling",
    ],
    "likelihoods": [
        "base",
        "masses",
        "continuous",
        "categorical",
        "counts",
        "names",
        "tokens",
        "joint",
    ],
    "priors": [],
    "objectives": [
        "base",
        "heads",
        "sparsity",
        "reconstruction",
        "elbo",
        "aggregate",
        "contrastive",
        "decorrelation",
        "distillation",
        "decoding",
        "supervised",
        "units",
    ],
    "rows": ["base", "arrays", "image_views", "images", "table", "tokens"],
    "_training": [
        "history",
        "schedule",
        "early_stopping",
        "following",
        "optimizers",
        "handwritten",
        "sharing",
        "net",
        "checkpoints",
        "stacked",
        "together",
        "train",
        "divergence",
    ],
    "densities": [
        "slots",
        "triangular",
        "parents",
        "mixture",
        "network",
        "training",
        "gaussian",
        "prediction_cells",
        "prediction_network",
        "prediction_training",
        "masked_prediction",
        "conversions",
        "autoregressive",
        "drawing",
        "sampling",
    ],
    "_estimators": [
        "model",
        "code_statistics",
        "code_geometry",
        "importance",
        "code_priors",
        "likelihood_bounds",
        "missingness",
        "quantile_maps",
        "sampling",
        "padding",
        "inference",
        "completion",
        "conditional",
        "drawing",
        "warm_start",
        "cell_errors",
        "validation_rows",
        "novelties",
        "training_table",
        "fitting",
        "streaming",
        "row_modules",
        "names_elsewhere",
        "base",
        "fine_tuning",
        "autoencoder",
        "minimised",
        "row_density",
        "vae",
        "contrastive",
        "imputer",
        "raw_columns",
        "linear_heads",
        "metadata_shares",
        "predictor",
        "semi_supervised",
    ],
    "outliers": [
        "spaces",
        "neighbors",
        "observations",
        "surprise",
        "calibration",
        "explanations",
        "wording",
        "repeats",
        "similar",
        "judges",
        "chosen_judges",
        "committee",
        "detector_module",
        "detector",
    ],
    "onnx": [
        "graph",
        "recording",
        "elementwise",
        "indexing",
        "layers",
        "operators",
        "columns",
        "tables",
        "converters",
        "inputs",
        "conversion",
    ],
    "model_selection": ["meeting", "stacked_search"],
    "inspection": [
        "_axes",
        "_rows",
        "_fitted",
        "_columns",
        "_images",
        "_maps",
        "_labels",
        "_marginals",
        "history",
        "latent_map",
        "reconstructions",
        "real_and_drawn",
        "_heat_map",
        "code_dependence",
        "_decoding",
        "traversal",
        "reasons",
        "p_values",
        "latent_dim",
    ],
    "": [],
    "__main__": [],
}
JUDGES = ["base", "held_out", "nearest", "pairs", "density", "trimmed", "estimator"]


def in_order():
    """Dotted names of all modules, a folder's own name behind its files."""
    for folder, files in LAYERS.items():
        for file in files:
            if (folder, file) == ("outliers", "judges"):
                yield from (f"outliers.judges.{judge}" for judge in JUDGES)
            yield f"{folder}.{file}"
        yield folder


ORDER = list(in_order())


def module_name(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported_layers(path):
    """Names of our own modules that a file imports, relative to the package."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    package = [part for part in package if part]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) + 1 - node.level]
            if node.module:
                yield ".".join([*base, node.module])
            else:
                yield from (".".join([*base, alias.name]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.startswith("sklearn_replearn") for name in names), path


# Files that may be deleted without touching another.
OPTIONAL = {"_training.handwritten"}

FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_file_has_its_layer():
    assert {module_name(path) for path in FILES} | OPTIONAL == set(ORDER)


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_go_one_way(path):
    place = ORDER.index(module_name(path))
    for name in imported_layers(path):
        assert ORDER.index(name) < place, f"{module_name(path)} imports {name}"


def test_the_parser_sees_imports():
    assert "_training.net" in imported_layers(PACKAGE / "_estimators" / "fitting.py")
    assert "objectives.base" in imported_layers(PACKAGE / "objectives" / "contrastive.py")
    assert "losses" in imported_layers(PACKAGE / "objectives" / "contrastive.py")


# Attributes of scikit-learn's estimators, those of estimators with callbacks among them.
PRIVATE = {
    name
    for name in dir(type("_", (CallbackSupportMixin, BaseEstimator), {}))
    if name.startswith("_") and not name.startswith("__")
} | {CALLBACKS, *CALLBACKS_AT_WORK}


def test_private_names_of_scikit_learn_are_touched_in_one_file():
    for path in FILES:
        if module_name(path) == "_runtime.sklearn":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sklearn."):
                names = [*node.module.split("."), *(alias.name for alias in node.names)]
                assert not any(name.startswith("_") for name in names), f"{path.name}: {names}"
            name = getattr(node, "attr", None) or getattr(node, "value", None)
            assert not (isinstance(name, str) and name in PRIVATE), f"{path.name}: {name}"


def test_the_root_is_small():
    assert len(list(PACKAGE.glob("*.py"))) <= 6


def lines_of_code(path):
    """Lines that are neither blank nor comments nor docstrings."""
    text = path.read_text()
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = sum(
        node.body[0].end_lineno - node.body[0].lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, documented) and ast.get_docstring(node)
    )
    lines = [line.strip() for line in text.splitlines()]
    return sum(1 for line in lines if line and not line.startswith("#")) - docstrings


def test_files_are_short():
    sizes = {module_name(path): lines_of_code(path) for path in FILES}
    long = {name for name, size in sizes.items() if size > 250}
    assert long <= OPTIONAL, long
    assert sorted(sizes.values())[len(sizes) // 2] < 100
