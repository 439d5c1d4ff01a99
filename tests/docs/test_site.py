"""The site is built by its one command without a warning, from what is in the repository."""

import importlib
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from pages import DOCS, ROOT
from test_docs import MODULES, names_of

ELSEWHERE = re.compile(r"(?:https?:)?//")
FETCHED_BY_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?([^"')\s]+)""")
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


class Page(HTMLParser):
    """What a page links to, and what a browser fetches to show it."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.fetched, self.nested = set(), [], [], []
        self.open = []  # links that have not ended
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = {name: value for name, value in attrs if value}
        self.ids.add(given.get("id"))
        if tag == "a":
            link = given.get("href", "")
            self.links.append(link)
            self.nested += [link] if self.open else []
            self.open.append(link)
        elif given.get("rel") not in {"canonical", "author", "license"}:
            self.fetched += [given[name] for name in ("src", "href", "data") if name in given]
            self.fetched += [each.split()[0] for each in given.get("srcset", "").split(",") if each]
            self.fetched += FETCHED_BY_STYLE.findall(given.get("style", ""))

    def handle_endtag(self, tag):
        if tag == "a":
            self.open.pop()

    def handle_data(self, data):
        if self.cdata_elem == "style":
            self.fetched += FETCHED_BY_STYLE.findall(data)
        elif self.cdata_elem == "script":
            self.fetched += re.findall(r"""["'`]((?:https?:)?//[^"'`]+)""", data)


@pytest.fixture(scope="module")
def pages(site):
    written = (path for path in site.rglob("*.html") if "_static" not in path.parts)
    return {path: Page(path.read_text()) for path in written}


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


def test_nothing_is_fetched_from_elsewhere(site, pages):
    fetched = {(path.name, at) for path, page in pages.items() for at in page.fetched}
    sheets = {path.name: path.read_text() for path in site.rglob("*.css")}
    fetched |= {
        (name, at) for name, text in sheets.items() for at in FETCHED_BY_STYLE.findall(text)
    }
    assert len(fetched) > 1000
    assert [(name, at) for name, at in fetched if ELSEWHERE.match(at)] == []


def test_links_within_the_site_lead_somewhere(site, pages):
    dead = set()
    for path, page in pages.items():
        for link in page.links + page.fetched:
            if ELSEWHERE.match(link) or re.match(r"[a-z]+:", link):
                continue
            target, _, anchor = unquote(link.partition("?")[0]).partition("#")
            at = (path.parent / target).resolve() if target else path
            at = at / "index.html" if at.is_dir() else at
            if not at.exists() or (anchor and at in pages and anchor not in pages[at].ids):
                dead.add(f"{path.relative_to(site)}: {link}")
    assert sorted(dead) == []


def test_no_link_is_within_another(pages):
    assert {(path.name, link) for path, page in pages.items() for link in page.nested} == set()


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
