"""Are p-values what they say? False alarms among normal rows that come later, on many tables.

    python benchmarks/p_values.py
    python benchmarks/p_values.py --repetitions 5 --tables constant counts --modes unlabelled

Each repetition draws a table (see _p_values_tables.py), fits OutlierDetector() with default
settings, and asks about 500 rows that are drawn as those of the table; where it holds copies, these
have none. False discoveries are counted in lists of 50: of these rows alone, and with anomalies in
place of five of them. Where a table drifts, later rows go on from where the training rows end.
Modes are those of the detector: normal (novelty=True) and unlabelled (novelty=False). It writes
results/p_values.json and results/p_values.md; what is not measured anew is kept. All of it takes
about half an hour on one core.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
from _markdown import table_of
from _p_values_tables import TABLES, made_anomalous
from _record import RESULTS, read, write
from scipy.stats import false_discovery_control

from sklearn_replearn import OutlierDetector

LATER, LISTS, ANOMALIES = 500, 10, 5
MODES = {"normal": True, "unlabelled": False}
BOUNDS = {".05": (0.03, 0.07), ".01": (0.003, 0.02)}


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
    strange = detector.p_values(made_anomalous(draw_later(LISTS * ANOMALIES, random), random))
    return {
        "alarms at .05": share(p_values <= 0.05),
        "alarms at .01": share(p_values <= 0.01),
        **false_discoveries(np.array_split(p_values, LISTS), np.array_split(strange, LISTS)),
        "ties at random: at .05": share(at_random <= 0.05),
        "ties at random: at .01": share(at_random <= 0.01),
    }


def share(true):
    return round(float(np.mean(true)), 4)


def false_discoveries(lists, anomalies):
    """Mean share of false discoveries at a rate of .1 in lists, without and with anomalies."""
    # Of normal rows only every discovery is a false one.
    alone = [(false_discovery_control(normal) <= 0.1).any() for normal in lists]
    shares, found = [], []
    for normal, strange in zip(lists, anomalies, strict=True):
        together = np.concatenate([strange, normal[len(strange) :]])
        discovered = false_discovery_control(together) <= 0.1
        true = discovered[: len(strange)]
        shares.append((discovered.sum() - true.sum()) / max(discovered.sum(), 1))
        found.append(true.mean())
    return {
        "FDR at .1": share(alone),
        "FDR at .1, a tenth anomalous": share(shares),
        "of these found": share(found),
    }


def summary(runs):
    """Means over repetitions, and what is to be said of them."""
    row = {key: float(np.mean(values)) for key, values in runs.items()}
    alarms = runs["alarms at .05"]
    row["± (standard error)"] = float(np.std(alarms) / np.sqrt(len(alarms)))
    for rate, (low, high) in BOUNDS.items():
        alarms = row[f"alarms at {rate}"]
        said = "above" if alarms > high else "below" if alarms < low else "yes"
        row[f"within {low}-{high}"] = said
    return row


def markdown(record):
    sections = [
        "# False alarms\n\nWritten by `benchmarks/p_values.py`, whose docstring says how; means "
        f"over repetitions, {LATER} normal rows each. FDR is of lists of {LATER // LISTS} of them, "
        f"alone and with {ANOMALIES} anomalies in place of some. By default p-values count ties: "
        "where rows take few values they take few, too, and alarms stay below the rate that was "
        'asked for. `p_values(X, ties="random")` draws among ties. Nothing is promised of tables '
        "that drift: they show what p-values are worth then."
    ]
    for mode, found in record.items():
        rows = [{"table": name, **summary(runs)} for name, runs in found.items()]
        sections.append(f"## {mode} (novelty={MODES[mode]})\n\n{table_of(rows)}")
    return "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    main()
