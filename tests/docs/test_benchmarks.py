"""The tables of pages and results are those of the records."""

import importlib
import json

import numpy as np
import pytest
from pages import DOCS, ROOT


def page(name):
    return (DOCS / "benchmarks" / f"{name}.md").read_text()


def test_every_result_has_a_page():
    results = {path.stem for path in (ROOT / "benchmarks" / "results").glob("*.md")}
    assert results == {path.stem for path in (DOCS / "benchmarks").glob("*.md")} - {"index"}
    for name in results:
        assert f"{{include}} ../../benchmarks/results/{name}.md" in page(name)
        assert f"]({name}.md)" in page("index") and "Measured again by" in page(name)
        assert "**Where " in page(name)


def test_the_table_of_speed_is_that_of_the_record(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    report = importlib.import_module("_speed_report")
    record = json.loads((ROOT / "benchmarks" / "results" / "cpu.json").read_text())
    assert report.page_table(record) in page("cpu")
    assert report.markdown(record) == (ROOT / "benchmarks" / "results" / "cpu.md").read_text()


def test_the_tables_of_quality_are_those_of_the_record(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    tables = importlib.import_module("tables")
    report = importlib.import_module("_tables_report")
    record = json.loads((ROOT / "benchmarks" / "results" / "tables.json").read_text())
    assert set(record) == set(tables.PARTS)
    for table in report.page_tables(record).values():
        assert table in page("tables")
    written = (ROOT / "benchmarks" / "results" / "tables.md").read_text()
    assert report.markdown(record, tables.PARTS) == written


def test_the_table_of_anomalies_is_that_of_the_record(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    anomaly = importlib.import_module("anomaly")
    report = importlib.import_module("_anomaly_report")
    record = json.loads((ROOT / "benchmarks" / "results" / "anomaly.json").read_text())
    assert set(record["protocols"]) == set(anomaly.PROTOCOLS)
    assert report.page_table(record) in page("anomaly")


def test_the_table_of_reasons_is_that_of_the_record(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    reasons = importlib.import_module("reasons")
    record = json.loads((ROOT / "benchmarks" / "results" / "reasons.json").read_text())
    assert reasons.page_table(record) in page("reasons")


@pytest.mark.parametrize(
    "name", ["anomaly", "anomaly_speed", "engines", "kills", "objectives", "p_values", "reasons"]
)
def test_what_is_said_is_what_was_measured(name, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    benchmark, results = importlib.import_module(name), ROOT / "benchmarks" / "results"
    record = json.loads((results / f"{name}.json").read_text())
    assert benchmark.markdown(record) == (results / f"{name}.md").read_text()


def test_the_tables_of_few_labels_are_those_of_the_record(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    few = importlib.import_module("few_labels")
    report = importlib.import_module("_few_labels_report")
    record = json.loads((ROOT / "benchmarks" / "results" / "few_labels.json").read_text())
    assert set(record) == set(few.SETS)
    for table in report.page_tables(record):
        assert table in page("few_labels")
    written = (ROOT / "benchmarks" / "results" / "few_labels.md").read_text()
    assert report.markdown(record) == written


def test_methods_of_few_labels_look_the_same_in_all_panels_and_show_what_the_table_does(
    monkeypatch,
):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    report = importlib.import_module("_few_labels_report")
    record = json.loads((ROOT / "benchmarks" / "results" / "few_labels.json").read_text())
    some = {name: record[name] for name in ("adult", "digits", "mnist", "newsgroups20", "steps")}
    figure, looks = report.drawn(some), {}
    for ax in figure.axes[:4]:
        measure = "auroc" if ax.get_title() in report.TABLES else "accuracy"
        assert ax.get_ylabel().lower() == measure
        of_set = {row["method"]: row[measure] for row in record[ax.get_title()]}
        for line in ax.get_lines():
            method = line.get_label()
            look = line.get_color(), line.get_marker(), line.get_linestyle()
            assert looks.setdefault(method, look) == look
            means = [np.mean(each) for each in of_set[method].values()]
            np.testing.assert_allclose(sorted(line.get_ydata()), sorted(means))
    assert len(set(looks.values())) == len({color for color, *_ in looks.values()}) == len(looks)
    (legend,) = figure.legends
    for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True):
        assert looks[text.get_text()][0] == line.get_color()
    assert set(report.NAMES) <= set(looks)
