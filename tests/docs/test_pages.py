"""The code of all pages runs, and prints what the page says."""

import ast
import re

import pytest
from pages import DOCS, fences, name, pages, session_of

#: Their own tests look at what is there after the last block.
ELSEWHERE = {
    *("guide/dask", "guide/ray", "guide/spark"),
    *("guide/extending", "guide/onnx", "guide/progress", "guide/storing"),
}


def has_code(page):
    return any(language == "python" for language, _, _ in fences(page))


@pytest.mark.parametrize(
    "page", [each for each in pages() if has_code(each) and name(each) not in ELSEWHERE], ids=name
)
def test_the_code_runs_and_prints_what_is_said(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session_of(page)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("page", pages(), ids=name)
def test_code_of_other_packages_is_python(page):
    for language, text, _ in fences(page):
        if language == "{code-block} python":
            ast.parse(text)


@pytest.mark.parametrize("page", pages(), ids=name)
def test_no_code_is_hidden_from_the_tests(page):
    hidden = r"^[ \t]+```python|^\s*(?:~~~|```(?:py|python3|pycon|ipython)\b|:+\{code-block\}).*"
    assert re.findall(hidden, page.read_text(), flags=re.MULTILINE) == []


def test_pages_with_tests_of_their_own_are_there():
    assert {name(page) for page in pages()} >= ELSEWHERE
    assert (DOCS / "index.md").exists()
