"""What is installed is the whole package, and works without the checkout."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILDS = ["pyproject.toml", "README.md", "LICENSE", "sklearn_replearn"]


def called(*command, **settings):
    """Run a command, and give back what it prints."""
    result = subprocess.run(command, capture_output=True, text=True, **settings)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel of a copy of the checkout, so that nothing is left there and nothing old goes in."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in BUILDS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    build = "import setuptools.build_meta as b; print(b.build_wheel('dist'))"
    called(sys.executable, "-c", build, cwd=folder)
    (built,) = (folder / "dist").glob("*.whl")
    return built


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    files = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "sklearn_replearn").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]
    assert len(files) > 50
    packed = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert sorted(packed) == sorted(files)


def test_an_unpacked_wheel_imports_and_fits_where_no_checkout_is(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    script = (
        "import sys, pickle, pkgutil, importlib, numpy as np\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import sklearn_replearn\n"
        "assert sklearn_replearn.__file__.startswith(sys.argv[1]), sklearn_replearn.__file__\n"
        "for found in pkgutil.walk_packages(sklearn_replearn.__path__, 'sklearn_replearn.'):\n"
        "    importlib.import_module(found.name)\n"
        "X = np.random.default_rng(0).normal(size=(40, 3))\n"
        "fitted = sklearn_replearn.VAETransformer(2, max_epochs=2).fit(X)\n"
        "codes = pickle.loads(pickle.dumps(fitted)).transform(X)\n"
        "assert (codes == fitted.transform(X)).all()\n"
        "print(sklearn_replearn.__version__, codes.shape)\n"
    )
    (tmp_path / "elsewhere").mkdir()
    command = [sys.executable, "-W", "error", "-c", script, str(tmp_path / "installed")]
    version = wheel.name.split("-")[1]
    assert called(*command, cwd=tmp_path / "elsewhere").split() == [version, "(40,", "2)"]
