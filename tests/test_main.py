"""What ``python -m sklearn_replearn`` prints for a report of a bug."""

import importlib.metadata
import runpy
import sys
from pathlib import Path

import pytest
import torch

import sklearn_replearn
from sklearn_replearn._runtime.documentation import DOCUMENTATION, ISSUES

PROJECT = (Path(__file__).parents[1] / "pyproject.toml").read_text()


@pytest.fixture
def printed(capsys):
    def run():
        sys.modules.pop("sklearn_replearn.__main__", None)
        runpy.run_module("sklearn_replearn", run_name="__main__")
        return capsys.readouterr().out

    return run


def test_versions_devices_threads_and_addresses(printed):
    text = printed()
    assert text.startswith(f"sklearn_replearn {sklearn_replearn.__version__}\n")
    for name in (
        "scikit-learn",
        "torch",
        "skorch",
        "numpy",
        "pandas",
        "polars",
        "matplotlib",
        "tqdm",
    ):
        assert f"  {name:<16}{importlib.metadata.version(name)}\n" in text
    assert f"{torch.get_num_threads()} of torch" in text
    assert ('device="auto"   cuda' in text) is torch.cuda.is_available()
    assert DOCUMENTATION in text and ISSUES in text
    assert f'Issues = "{ISSUES}"' in PROJECT


def test_every_package_that_is_needed_is_named(printed):
    (needed,) = (block.split("]")[0] for block in PROJECT.split("dependencies = [")[1:2])
    names = [line.split('"')[1].split(">")[0] for line in needed.splitlines() if '"' in line]
    text = printed()
    assert len(names) > 8 and all(f"\n  {name} " in text for name in names)


def test_what_is_missing_or_broken_is_said(printed, monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    def broken():
        raise RuntimeError("the driver is too old")

    monkeypatch.setattr(importlib.metadata, "version", missing)
    monkeypatch.setattr(torch.cuda, "device_count", broken)
    text = printed()
    assert "  polars          not installed\n" in text
    assert "not to be asked: the driver is too old\n" in text
