"""How fast anomalies are found: seconds and memory of OutlierDetector beside kNN and IForest.

    python benchmarks/anomaly_speed.py --data FOLDER
    python benchmarks/anomaly_speed.py --data FOLDER --repeats 1 --only fit one_row

FOLDER holds the data sets and a ``load.py`` with ``load_table``. The process is kept on one core
and one thread, CPU seconds are counted, and contenders take turns: medians of the rounds. Rows are
low-rank with noise, 30 columns of float32, those of speed.py; the mixed ones are the 32,561
training rows of adult. Others than ours get standardised rows, and mixed ones encoded, for nothing.
Memory is measured in processes of their own. It writes results/anomaly_speed.json and
results/anomaly_speed.md; what is not measured anew is kept. All of it takes about ten minutes.
"""

import argparse
import gc
import json
import sys
import warnings
from functools import partial
from pathlib import Path
from statistics import median

from _markdown import table
from _record import RESULTS, read, write
from _speed_figures import number
from _speed_measuring import in_fresh_process, keep_to_one_core, machine, seconds_of, timed
from _speed_processes import resident_bytes
from _speed_task import make_rows, standardise
from _tables_sets import ADULT_TRAIN, mixed_table, one_hot
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors

from sklearn_replearn import OutlierDetector

OURS, COLUMNS, FITTED, SCORED, MANY = "ours", 30, 10_000, 20_000, 1_000_000
# What is asked of ours: of seconds at most, of rows a second at least.
ASKED = {
    "fit, 10,000 rows": 2.0,
    "fit, 50,000 rows": 5.0,
    "fit, adult": 15.0,
    "score, rows a second": 100_000,
    "score one row, ms": 2.0,
}


class Neighbours(NearestNeighbors):
    """The distance to the fifth neighbour as a detector."""

    def score_samples(self, X):
        return -self.kneighbors(X)[0][:, -1]


CONTENDERS = {
    OURS: OutlierDetector,
    "kNN (brute)": partial(Neighbours, algorithm="brute"),
    "kNN (auto)": partial(Neighbours, algorithm="auto"),
    "IForest": partial(IsolationForest, random_state=0),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with load.py")
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--repeats", type=int, default=5, help="rounds (default: 5)")
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    args.device = "cpu"
    sys.path.insert(0, args.data)
    keep_to_one_core()
    warnings.simplefilter("ignore")
    record = read("anomaly_speed", args.results) | {"machine": machine("cpu")}
    record["repeats"] = args.repeats
    for part in args.only:
        print(f"\n{part}", flush=True)
        record |= PARTS[part](args)
        write("anomaly_speed", record, markdown, args.results)


def rows_for(contender, n_rows):
    rows = make_rows(n_rows, COLUMNS)
    return rows if contender == OURS else standardise(rows)


def fit(options):
    """Seconds of fits, by table and contender."""
    adult = mixed_table("adult").iloc[:ADULT_TRAIN].reset_index(drop=True)
    encoded = one_hot().fit_transform(adult)
    tables = {
        f"fit, {n:,} rows": {name: rows_for(name, n) for name in CONTENDERS}
        for n in (FITTED, 5 * FITTED)
    }
    tables["fit, adult"] = {name: adult if name == OURS else encoded for name in CONTENDERS}
    found = {}
    for title, rows in tables.items():
        found[title] = {name: [] for name in CONTENDERS}
        for _ in range(options.repeats):
            for name, make in CONTENDERS.items():
                seconds, _ = timed(lambda make=make, X=rows[name]: make().fit(X), "cpu")
                found[title][name].append(seconds)
        print(f"  {title}", {name: median(of) for name, of in found[title].items()}, flush=True)
    return found


def score(options):
    """Rows scored a second after a fit on 10,000."""
    functions = {}
    for name, make in CONTENDERS.items():
        rows = rows_for(name, FITTED + SCORED)
        functions[name] = partial(make().fit(rows[:FITTED]).score_samples, rows[FITTED:])
    seconds = seconds_of(functions, options)
    return {"score, rows a second": {k: [SCORED / s for s in of] for k, of in seconds.items()}}


def one_row(options):
    """Milliseconds for a row alone, of a hundred that are scored one by one."""
    functions = {}
    for name, make in CONTENDERS.items():
        rows = rows_for(name, FITTED + 100)
        functions[name] = partial(one_by_one, make().fit(rows[:FITTED]), rows[FITTED:])
    seconds = seconds_of(functions, options)
    return {"score one row, ms": {k: [10.0 * s for s in of] for k, of in seconds.items()}}


def one_by_one(detector, rows):
    for row in rows:
        detector.score_samples(row[None])


def memory(options):
    """Megabytes by which memory rises above the table and the model while rows are scored."""
    found = {}
    for n in (MANY // 10, MANY):
        title = f"memory of scoring {n:,} rows, MB"
        found[title] = {}
        for name in CONTENDERS:
            call = f"import anomaly_speed; anomaly_speed.print_memory({name!r}, {n})"
            found[title][name] = [in_fresh_process(call)]
            print(f"  {title}: {name} {found[title][name][0]:.0f}", flush=True)
    return found


def print_memory(name, n_rows):
    """For the process of its own."""
    keep_to_one_core()
    rows = rows_for(name, n_rows)
    detector = CONTENDERS[name]().fit(rows[:FITTED])
    detector.score_samples(rows[:FITTED])
    gc.collect()
    before, peak = resident_bytes()
    detector.score_samples(rows)
    print(json.dumps((peak() - before) / 1e6))


PARTS = {part.__name__: part for part in (fit, score, one_row, memory)}


def markdown(record):
    described, rows = record["machine"], []
    titles = [title for title, found in record.items() if isinstance(found, dict) and OURS in found]
    for title in titles:
        middle = {name: median(values) for name, values in record[title].items()}
        cells = [number(middle[name]) for name in CONTENDERS]
        rows.append([title, *cells, *verdict(title, middle[OURS])])
    sections = [
        "# Speed of finding anomalies\n\nWritten by `benchmarks/anomaly_speed.py`, whose docstring "
        f"says how; CPU seconds on one core and thread of {described['cpu']} "
        f"({described['instructions']}), medians of {record['repeats']} rounds. Where no unit is "
        f"named it is seconds; {COLUMNS} columns, scores after a fit on {FITTED:,} rows. Memory is "
        "what scoring needs above the model and the table, which has "
        f"{4 * MANY * COLUMNS / 1e6:.0f} MB for {MANY:,} rows.",
        table(["", *CONTENDERS, "asked of ours", "met"], rows),
    ]
    return "\n\n".join(sections) + "\n"


def verdict(title, figure):
    """What is asked and whether it is met."""
    if title not in ASKED:
        return "", ""
    asked = ASKED[title]
    if title.endswith("a second"):
        return f"at least {asked:,}", "yes" if figure >= asked else "no"
    return f"at most {asked:g}", "yes" if figure <= asked else "no"


if __name__ == "__main__":
    main()
