"""What is released: an sdist from which the tests run, and a wheel that needs no checkout."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOT_RELEASED = (
    ".git",
    "*.egg-info",
    "build",
    "dist",
    "__pycache__",
    ".*_cache",
    "shared",
)
#: What examples and the site leave in a checkout: a file of each place, and the place.
BUILT = {
    "examples/figures/drawn.png": "examples/figures",
    "docs/_build/index.html": "docs/_build",
    "docs/gallery/index.rst": "docs/gallery",
    "docs/reference/generated/name.rst": "docs/reference/generated",
    "docs/sg_execution_times.rst": "docs/sg_execution_times.rst",
}


def called(*command, **settings):
    """Run a command, and give back what it prints."""
    result = subprocess.run(command, capture_output=True, text=True, **settings)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def not_released(folder, names):
    """Of the names in a folder those that a copy for the sdist leaves out."""
    place = Path(folder).relative_to(ROOT)
    built = {name for name in names if (place / name).as_posix() in BUILT.values()}
    return built | shutil.ignore_patterns(*NOT_RELEASED)(folder, names)


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The sdist of a copy of the checkout, and the wheel that is built from the sdist.

    A copy, so that nothing is left in the checkout and nothing old goes in.
    """
    folder = tmp_path_factory.mktemp("released") / "checkout"
    shutil.copytree(ROOT, folder, ignore=not_released)
    for name in BUILT:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("built")
    # Without isolation, which would download setuptools anew.
    called(sys.executable, "-m", "build", "--no-isolation", cwd=folder)
    (sdist,), (wheel,) = (folder / "dist").glob("*.tar.gz"), (folder / "dist").glob("*.whl")
    return sdist, wheel


@pytest.fixture
def wheel(released):
    return released[1]


def test_the_description_is_as_the_index_wants_it(released):
    printed = called(sys.executable, "-m", "twine", "check", "--strict", *map(str, released))
    assert printed.count("PASSED") == 2


def test_every_file_of_the_checkout_is_in_the_sdist(released):
    with tarfile.open(released[0]) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    expected = {
        path.relative_to(released[0].parents[1]).as_posix()
        for path in released[0].parents[1].rglob("*")
        if path.is_file() and not {"dist", "build", "sklearn_replearn.egg-info"} & set(path.parts)
    }
    assert expected - packed - {".gitignore"} == set(BUILT)
    assert {".ci/run", "tests/conftest.py", "benchmarks/results/cpu.json"} <= expected


def test_the_tests_run_from_the_sdist(released, tmp_path):
    with tarfile.open(released[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    # All are collected, and some run: those that read what stands beside the package.
    some = "(test_readme and not code_blocks) or test_layers or test_architecture"
    command = [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", "-k", some]
    without = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    printed = called(*command, cwd=folder, env=without)
    assert int(re.search(r"(\d+) passed", printed)[1]) > 100
    assert int(re.search(r"(\d+) deselected", printed)[1]) > 3000


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    files = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "sklearn_replearn").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]
    assert len(files) > 50
    packed = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert sorted(packed) == sorted(files)


@pytest.fixture
def fresh(wheel, tmp_path):
    """Python of a new environment, in which the wheel is; what it needs is taken from here."""
    folder = tmp_path / "fresh"
    venv.create(folder, with_pip=False)
    scripts = "Scripts" if os.name == "nt" else "bin"
    python = str(folder / scripts / "python")
    there = called(python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])")
    (Path(there.strip()) / "beside.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    called(*pip, str(wheel))
    return python


def test_a_fresh_environment_imports_and_fits_where_no_checkout_is(wheel, fresh, tmp_path):
    script = (
        "import sys, pickle, pkgutil, importlib, numpy as np\n"
        "from importlib.metadata import metadata, version\n"
        "import sklearn_replearn\n"
        "assert sklearn_replearn.__file__.startswith(sys.prefix), sklearn_replearn.__file__\n"
        "for found in pkgutil.walk_packages(sklearn_replearn.__path__, 'sklearn_replearn.'):\n"
        "    importlib.import_module(found.name)\n"
        "X = np.random.default_rng(0).normal(size=(40, 3))\n"
        "fitted = sklearn_replearn.VAETransformer(2, max_epochs=2).fit(X)\n"
        "codes = pickle.loads(pickle.dumps(fitted)).transform(X)\n"
        "assert (codes == fitted.transform(X)).all()\n"
        "assert set(metadata('sklearn_replearn').get_all('Provides-Extra')) >= set(sys.argv[1:])\n"
        "print(version('sklearn_replearn'), sklearn_replearn.__version__, codes.shape)\n"
    )
    (tmp_path / "elsewhere").mkdir()
    without = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [fresh, "-W", "error", "-c", script, "plot", "onnx", "all", "test", "docs"]
    built = wheel.name.split("-")[1]
    printed = called(*command, cwd=tmp_path / "elsewhere", env=without)
    assert printed.split() == [built, built, "(40,", "2)"]
