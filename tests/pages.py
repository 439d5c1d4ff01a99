"""Pages of the documentation as sessions: their code blocks run in order, and print what is said.

A ``python`` block runs; a ``text`` block right after it is its output, in which ``...`` stands for
what may differ. What cannot run here, because it is of a package that is not installed, stands in
a ``{code-block}``.
"""

import contextlib
import doctest
import io
import re
import warnings
from pathlib import Path

import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FENCE = re.compile(r"^```(\S[^\n]*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
SAID = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def pages():
    """The pages in Markdown, but for what a build leaves in their folder."""
    built = {"_build", "gallery"}
    found = sorted(DOCS.rglob("*.md"))
    return [page for page in found if not built & set(page.relative_to(DOCS).parts)]


def name(page):
    return page.relative_to(DOCS).with_suffix("").as_posix()


def fences(page):
    """Language, text, and whether it follows right after the one before, of each block."""
    text, end = page.read_text(), 0
    for block in FENCE.finditer(text):
        yield block[1].strip(), block[2], not text[end : block.start()].strip()
        end = block.end()


def session_of(page, passed_over=()):
    """What the names of a page stand for after its last block, and all that it printed.

    Warnings are errors, but for these: message and category of what other packages warn of
    themselves.
    """
    session, printed, everything = {"__name__": page.stem}, None, ""
    for language, text, follows in fences(page):
        said = language == "text" and follows and printed is not None
        if said and not doctest.OutputChecker().check_output(text, printed, SAID):
            raise AssertionError(f"{page.name} says\n{text}\nand printed was\n{printed}")
        printed = None
        if language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as output, warnings.catch_warnings():
                warnings.simplefilter("error")
                for message, category in passed_over:
                    warnings.filterwarnings("ignore", message, category)
                exec(compile(text, str(page), "exec"), session)
            printed = output.getvalue()
            everything += printed
    plt.close("all")
    return session, everything
