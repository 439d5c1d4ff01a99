"""The README's code blocks run, in order, as one session; its table is that of the record."""

import importlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_code_blocks_run(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) >= 5
    session = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), session)
    printed = capsys.readouterr().out
    accuracy = float(printed.split()[0])
    assert accuracy >= 0.93
    assert float(re.search(r"AUROC ([\d.]+)", printed)[1]) > 0.9
    assert session["codes"].shape == (899, 32)
    assert session["new_rows"].shape == (5, 64)
    table = session["table"]
    for name in ("back", "filled", "drawn", "third"):
        assert session[name].dtypes.equals(table.dtypes)
        assert session[name].notna().all(axis=None)
    assert (session["third"]["cultivar"] == "class_2").all()
    assert len(session["draws"]) == 5


def test_there_are_two_commands_near_the_top():
    commands = re.findall(r"^python -m pip install.*", README, flags=re.MULTILINE)
    assert commands == [
        'python -m pip install -e ".[plots]" && python examples/quickstart.py',
        'python -m pip install -e ".[test]" && python -m pytest',
    ]
    assert README.index(commands[1]) < 1000


def test_every_estimator_and_objective_is_in_the_table():
    import sklearn_replearn
    from sklearn_replearn import objectives

    names = [*sklearn_replearn.__all__, *objectives.__all__]
    inner = {"__version__", "Objective", "Reconstruction", "ELBO"}
    assert all(name in README for name in names if name not in inner)


def test_the_table_of_speed_is_that_of_the_record(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    report = importlib.import_module("_speed_report")
    record = json.loads((ROOT / "benchmarks" / "results" / "cpu.json").read_text())
    assert report.readme_table(record) in README
    assert report.markdown(record) == (ROOT / "benchmarks" / "results" / "cpu.md").read_text()


def test_the_tables_of_quality_are_those_of_the_record(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    tables = importlib.import_module("tables")
    report = importlib.import_module("_tables_report")
    record = json.loads((ROOT / "benchmarks" / "results" / "tables.json").read_text())
    assert set(record) == set(tables.PARTS)
    for table in report.readme_tables(record).values():
        assert table in README
    written = (ROOT / "benchmarks" / "results" / "tables.md").read_text()
    assert report.markdown(record, tables.PARTS) == written


def test_the_table_of_anomalies_is_that_of_the_record(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    anomaly = importlib.import_module("anomaly")
    report = importlib.import_module("_anomaly_report")
    record = json.loads((ROOT / "benchmarks" / "results" / "anomaly.json").read_text())
    assert set(record["protocols"]) == set(anomaly.PROTOCOLS)
    assert report.readme_table(record) in README


def test_the_table_of_reasons_is_that_of_the_record(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    reasons = importlib.import_module("reasons")
    record = json.loads((ROOT / "benchmarks" / "results" / "reasons.json").read_text())
    assert reasons.readme_table(record) in README


@pytest.mark.parametrize("name", ["anomaly", "anomaly_speed", "p_values", "reasons"])
def test_what_is_said_of_anomalies_is_what_was_measured(name, monkeypatch):
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
    for table in report.readme_tables(record):
        assert table in README
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
