"""docs/architecture.md names every folder and file, in the order of imports, on one page."""

import re
from pathlib import Path

from test_layers import JUDGES, LAYERS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def entries():
    """Folders and files of the root, each with its files, as the list of the page names them."""
    listed = PAGE.split("## Folders and files")[1].split("\n## ")[0]
    for entry in re.split(r"^- ", listed, flags=re.MULTILINE)[1:]:
        name, rest = re.match(r"\*\*`(.*?)`\*\*(.*)", entry, flags=re.DOTALL).groups()
        parts = [] if name.endswith(".py") else rest.partition(":")[2].split(" ·")
        files = [re.search(r"`(.*?)`", part)[1] for part in parts]
        yield name.removesuffix(".py").strip("/"), files


def test_every_folder_and_file_is_named_in_the_order_of_imports():
    folders = {name: files for name, files in LAYERS.items() if name}
    expected = [*folders.items(), ("outliers/judges", JUDGES)]
    assert list(entries()) == expected


def test_paths_on_the_page_are_there():
    package = ROOT / "sklearn_replearn"
    found = set(re.findall(r"`([a-z_]+/(?:[a-z_]+/)?[a-z_]*(?:\.py)?)`", PAGE))
    assert len(found) > 20
    missing = [path for path in found if not ((package / path).exists() or (ROOT / path).exists())]
    assert missing == []


def test_it_is_one_page():
    assert len(PAGE.splitlines()) <= 120
