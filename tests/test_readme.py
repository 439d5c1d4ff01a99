"""The README is short, its code runs, and its figures are those of the records."""

import importlib
import json
import re

from pages import ROOT, session_of

README = (ROOT / "README.md").read_text()


def test_it_is_short():
    assert len(README.splitlines()) <= 120


def test_the_code_blocks_run():
    session, printed = session_of(ROOT / "README.md")
    assert float(re.search(r"accuracy ([\d.]+)", printed)[1]) >= 0.93
    assert float(re.search(r"found ([\d.]+)", printed)[1]) > 0.6
    codes, raw = map(float, re.search(r"codes ([\d.]+), raw ([\d.]+)", printed).groups())
    assert codes > raw
    table = session["table"]
    for name in ("filled", "drawn"):
        assert session[name].dtypes.equals(table.dtypes)
        assert session[name].notna().all(axis=None)
    assert (session["drawn"]["cultivar"] == "class_2").all()


def test_its_commands_are_these_and_the_first_two_near_the_top():
    commands = re.findall(r"^python -m pip install.*", README, flags=re.MULTILINE)
    assert commands == [
        'python -m pip install -e ".[plots]" && python examples/quickstart.py',
        'python -m pip install -e ".[test]" && python -m pytest',
        'python -m pip install -e ".[docs]" && python -m sphinx -W -j auto docs docs/_build',
    ]
    assert README.index(commands[1]) < 1200


def test_what_it_links_to_is_there():
    links = re.findall(r"\]\((?!http)([^)#]+)", README)
    assert len(links) > 12
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_its_figures_are_those_of_the_records(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    headlines = importlib.import_module("_headlines").headlines
    results = ROOT / "benchmarks" / "results"
    names = ("tables", "few_labels", "anomaly", "cpu")
    assert headlines(*(json.loads((results / f"{n}.json").read_text()) for n in names)) in README
