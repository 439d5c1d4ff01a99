"""Are p-values what they say? False alarms among normal rows that come later, on many tables.

    python benchmarks/p_values.py
    python benchmarks/p_values.py --repetitions 5 --tables constant counts --modes unlabelled

Each repetition draws a table (see _p_values_tables.py), fits OutlierDetector() with default
settings, and asks about 500 rows that are drawn as those of the table; where it holds copies, these
have none. Modes are those of the detector: normal (novelty=True) and unlabelled (novelty=False). It
writes results/p_values.json and results/p_values.md; what is not measured anew is kept. All of it
takes about an hour on one core.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
from _markdown import table_of
from _p_values_tables import TABLES
from _record import RESULTS, read, write
from scipy.stats import false_discovery_control

from sklearn_replearn import OutlierDetector

LATER, LISTS = 500, 10
MODES = {"normal": True, "unlabelled": False}
LOW, HIGH = 0.03, 0.07


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=40)
    parser.add_argument("--tables", nargs="*", choices=list(TABLES), default=list(TABLES))
    parser.add_argument("--modes", nargs="*", choices=list(MODES), default=list(MODES))
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    record = {mode: {} for mode in MODES} | read("p_values", args.results)
    for mode in args.modes:
        for name in args.tables:
            detector = OutlierDetector(novelty=MODES[mode])
            runs = [run(detector, name, seed) for seed in range(args.repetitions)]
            record[mode][name] = {key: [one[key] for one in runs] for key in runs[0]}
            print(mode, "|", name, summary(record[mode][name]), flush=True)
            write("p_values", record, markdown, args.results)


def run(detector, name, seed):
    """Shares of later rows with small p-values, for one table."""
    n, draw, draw_later = TABLES[name]
    random = np.random.RandomState(seed)
    detector = detector.set_params(random_state=seed).fit(draw(n, random))
    later = draw_later(LATER, random)
    p_values, at_random = (detector.p_values(later, ties=ties) for ties in ("count", "random"))
    lists = np.array_split(p_values, LISTS)
    # Of normal rows only every discovery is a false one.
    false = np.mean([(false_discovery_control(some) <= 0.1).any() for some in lists])
    return {
        "alarms at .05": round(float((p_values <= 0.05).mean()), 4),
        "alarms at .01": round(float((p_values <= 0.01).mean()), 4),
        "FDR at .1": round(float(false), 4),
        "ties at random: at .05": round(float((at_random <= 0.05).mean()), 4),
        "ties at random: at .01": round(float((at_random <= 0.01).mean()), 4),
    }


def summary(runs):
    """Means over repetitions, and what is to be said of them."""
    row = {key: float(np.mean(values)) for key, values in runs.items()}
    alarms, error = row["alarms at .05"], np.std(runs["alarms at .05"])
    row["± (standard error)"] = float(error / np.sqrt(len(runs["alarms at .05"])))
    row[f"within {LOW}-{HIGH}"] = "above" if alarms > HIGH else "below" if alarms < LOW else "yes"
    return row


def markdown(record):
    sections = [
        "# False alarms\n\nWritten by `benchmarks/p_values.py`, whose docstring says how; means "
        f"over repetitions, {LATER} normal rows each. FDR is of lists of {LATER // LISTS} of them. "
        "By default p-values count ties: where rows take few values they take few, too, and alarms "
        'stay below the rate that was asked for. `p_values(X, ties="random")` draws among ties.'
    ]
    for mode, found in record.items():
        rows = [{"table": name, **summary(runs)} for name, runs in found.items()]
        sections.append(f"## {mode} (novelty={MODES[mode]})\n\n{table_of(rows)}")
    return "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    main()
