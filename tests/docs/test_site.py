"""The site is built by its one command without a warning, from what is in the repository."""

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from pages import DOCS, ROOT
from test_docs import MODULES, names_of

EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("plot_*.py"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A build of a copy, so that nothing of earlier builds is in it and nothing is left behind."""
    (command,) = re.findall(r"&& python (-m sphinx .*)", (ROOT / "README.md").read_text())
    assert command in (ROOT / "CONTRIBUTING.md").read_text()
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("docs", "examples", "benchmarks/results"):
        made = shutil.ignore_patterns("_build", "gallery", "generated", "figures")
        shutil.copytree(ROOT / name, copy / name, ignore=made)
    shutil.copy(ROOT / "CHANGELOG.md", copy)
    built = subprocess.run(
        [sys.executable, *command.split()], cwd=copy, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    return copy / "docs" / "_build"


@pytest.fixture(scope="module")
def texts(site):
    return {path: path.read_text() for path in site.rglob("*.html")}


def test_every_public_name_has_a_page(site):
    for module in MODULES:
        for name in names_of(module):
            homes = {module.__name__, "sklearn_replearn"}
            pages = [site / f"reference/generated/{home}.{name}.html" for home in homes]
            assert any(page.exists() for page in pages), f"{module.__name__}.{name}"


def test_the_reference_lists_what_the_modules_have():
    for module in MODULES:
        stem = module.__name__.rpartition(".")[2]
        page = (DOCS / "reference" / f"{stem}.rst").read_text()
        listed = set(re.findall(r"^   (\w+)$", page, flags=re.MULTILINE))
        elsewhere = {"OutlierDetector"} if stem == "outliers" else set()  # at the top level
        assert listed == set(names_of(module)) - elsewhere


@pytest.mark.parametrize("stem", EXAMPLES)
def test_every_example_was_drawn(site, stem):
    assert list((site / "_images").glob(f"sphx_glr_{stem}_001*.png"))
    page = (site / "gallery" / f"{stem}.html").read_text()
    assert "Traceback (most recent call last)" not in page


def test_the_gallery_shows_every_example_once(site):
    page = (site / "gallery" / "index.html").read_text()
    shown = re.findall(r"sphx_glr_(plot_\w+)_thumb\.png", page)
    assert sorted(shown) == EXAMPLES


def test_nothing_is_fetched_from_elsewhere(site, texts):
    fetched = re.compile(
        r"<(?:script|img|source|iframe)\b[^>]*?\s(?:src|srcset)=\"(?:https?:)?//"
        r"|<link\b(?![^>]*rel=\"(?:canonical|author|license)\")[^>]*?href=\"(?:https?:)?//"
    )
    assert [path for path, text in texts.items() if fetched.search(text)] == []
    styles = {path: path.read_text() for path in site.rglob("*.css")}
    remote = re.compile(r"url\(['\"]?(?:https?:)?//|@import ['\"](?:https?:)?//")
    assert [path for path, text in styles.items() if remote.search(text)] == []


def test_links_within_the_site_lead_somewhere(site, texts):
    anchors = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in texts.items()}
    dead = set()
    for path, text in texts.items():
        for link in re.findall(r'\s(?:href|src)="([^"]+)"', text):
            if re.match(r"[a-z]+:|//", link):
                continue
            target, _, anchor = unquote(link.partition("?")[0]).partition("#")
            at = (path.parent / target).resolve() if target else path
            at = at / "index.html" if at.is_dir() else at
            if not at.exists() or (anchor and at.suffix == ".html" and anchor not in anchors[at]):
                dead.add(f"{path.relative_to(site)}: {link}")
    assert sorted(dead) == []


def test_the_search_knows_words_of_the_guide(site):
    index = (site / "searchindex.js").read_text()
    for word in ("imput", "anomali", "latentmapdisplay"):
        assert word in index


def test_classes_link_to_pages_that_are_there(site):
    documentation = importlib.import_module("sklearn_replearn._runtime.documentation")
    for module in MODULES:
        for name in names_of(module):
            cls = getattr(module, name)
            if isinstance(cls, type) and hasattr(cls, "_get_doc_link"):
                place = documentation.place_of(cls)
                page = documentation.PAGE.format(**place).removeprefix(documentation.DOCUMENTATION)
                assert (site / Path(page)).exists()
