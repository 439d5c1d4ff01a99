"""How fast sklearn_replearn is beside a hand-written PyTorch loop, other packages and the floor.

    python benchmarks/speed.py --name cpu
    python benchmarks/speed.py --name gpu --device cuda
    python benchmarks/speed.py --name quick --only fit --jobs autoencoder --workloads S --repeats 2

Contenders take turns in one process, round after round, on the same rows with the same network,
batch size and epochs. On a CPU the process is kept on one core and one thread and CPU seconds are
counted; on a GPU seconds by the clock, up to the end of all kernels. Medians over the rounds are
compared; final losses stand beside them, so that equal work can be seen. Packages that are not
installed are left out, with a line that says so.

It writes results/NAME.json, with every single measurement, and results/NAME.md, which begins with
what is asked of the package, met or not. ``--render`` writes the Markdown from the JSON again and
prints the table of the page. All of it takes about three quarters of an hour on a CPU.
"""

import argparse
import datetime
import sys
from functools import partial

import torch
from _record import read, write
from _speed_contenders import BARE, FLOOR, JOBS, OURS, estimator_of_ours
from _speed_inference import measure_inference, measure_latency, measure_table
from _speed_measuring import (
    keep_to_one_core,
    left_out_if_it_fails,
    machine,
    timed,
    versions,
)
from _speed_packages import pyod_detector, quiet, skorch_regressor
from _speed_processes import measure_import, measure_memory
from _speed_report import markdown, page_table
from _speed_task import FEWEST_ROWS, WORKLOADS, Table, scaled
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer

MORE_ROUNDS = {"S": 4}  # times as many: its losses differ by up to 2 % from seed to seed


def main():
    options = parse()
    if options.render:
        results = read(options.name)
        print(page_table(results))
        write(options.name, results, markdown)
        return
    if options.device == "cpu":
        keep_to_one_core()
    results = {
        "date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"),
        "command": "python benchmarks/speed.py " + " ".join(sys.argv[1:]),
        "machine": machine(options.device),
        "versions": versions(),
        "device": options.device,
        "repeats": options.repeats,
        "rows_scale": options.rows_scale,
        "workloads": {name: scaled(name, options)._asdict() for name in WORKLOADS},
        "skipped": [],
    }
    for part in options.only:
        print(f"\n{part}", flush=True)
        results[part] = PARTS[part](options, results)
        write(options.name, results, markdown)  # after each part: an interruption loses no other
    print("\n" + markdown(results))


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", default="latest", help="of the files written to results/")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--repeats", type=int, default=5, help="rounds (default: 5)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS), help="parts of fit")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument(
        "--rows-scale",
        type=float,
        default=1.0,
        help=f"share of the rows (at least {FEWEST_ROWS}), to try the program itself",
    )
    parser.add_argument("--render", action="store_true", help="measure nothing: see above")
    parser.epilog = f"parts: {', '.join(PARTS)}"
    return parser.parse_args()


# ------------------------------------------------------------------------- fit


def measure_fit(options, results):
    """Seconds and final losses of each contender in each round, by job and workload."""
    measured = {}
    for job in options.jobs:
        contenders = working(JOBS[job], options, results)
        measured[job] = {}
        for workload in options.workloads:
            competing = contenders
            if workload == "L3":  # says how what is paid once weighs beside more epochs
                if job != "autoencoder":
                    continue
                competing = {name: contenders[name] for name in (BARE, OURS, FLOOR)}
            measured[job][workload] = fit_rounds(job, workload, competing, options)
    return measured


def fit_rounds(job, workload, contenders, options):
    n_rows, n_columns, epochs = scaled(workload, options)
    table = Table(n_rows, n_columns)
    _ = table.scaled  # made before the clock runs
    measured = {name: {"seconds": [], "in_epochs": [], "losses": []} for name in contenders}
    for number in range(options.repeats * MORE_ROUNDS.get(workload, 1)):
        for name, fit in contenders.items():
            torch.manual_seed(number)
            work = partial(fit, table, epochs, number, options.device)
            seconds, loss = timed(work, options.device)
            final = loss()
            measured[name]["seconds"].append(seconds)
            measured[name]["in_epochs"].append(getattr(loss, "seconds_in_epochs", None))
            measured[name]["losses"].append(final)
            shown = f"{seconds:.4g} s" + ("" if final is None else f", loss {final:.4g}")
            print(f"  {job} {workload} round {number + 1}: {name} {shown}", flush=True)
    return measured


def working(contenders, options, results):
    """The contenders that are installed and can be run; each is run once on a tiny table."""
    tiny, able = Table(FEWEST_ROWS, 8), {}
    for name, fit in contenders.items():
        with left_out_if_it_fails(name, results):
            fit(tiny, epochs=1, seed=0, device=options.device)()
            able[name] = fit
    return able


# ------------------------------------------------------------------------- grid search

LATENT_DIMS = [2, 4, 8, 16, 32, 64]


def measure_grid(options, results):
    """Seconds of a grid search, 6 widths of the code in 5 folds of S; once each, it takes long."""
    n_rows, n_columns, epochs = scaled("S", options)
    table = Table(n_rows, n_columns)
    _ = table.scaled
    functions = {
        OURS: partial(grid_of_ours, table, epochs, options.device),
        "skorch": partial(grid_of_skorch, table, epochs, options.device),
        "PyOD": partial(grid_of_pyod, table, epochs, options.device),
    }
    tiny = Table(FEWEST_ROWS, n_columns)
    _ = tiny.scaled
    measured = {}
    for name, function in functions.items():
        with left_out_if_it_fails(name, results):
            function.func(tiny, 1, options.device)  # imports are no part of a search
            measured[name], _ = timed(function, options.device)
            print(f"  {name}: {measured[name]:.3g} s", flush=True)
    return measured


def grid_of_ours(table, epochs, device):
    encoder = estimator_of_ours(AutoencoderTransformer, epochs, 0, device)
    GridSearchCV(encoder, {"latent_dim": LATENT_DIMS}, cv=KFold(5), refit=False).fit(table.raw)


@quiet()
def grid_of_skorch(table, epochs, device):
    GridSearchCV(
        skorch_regressor(table.n_columns, epochs, device),
        {"module__latent_dim": LATENT_DIMS},
        cv=KFold(5),
        scoring="neg_mean_squared_error",
        refit=False,
    ).fit(table.scaled, table.scaled)


@quiet()
def grid_of_pyod(table, epochs, device):
    """A detector has no score without labels, so this loop is written out."""
    for latent_dim in LATENT_DIMS:
        for train, test in KFold(5).split(table.raw):
            detector = pyod_detector(epochs, 0, device, latent_dim).fit(table.raw[train])
            detector.decision_function(table.raw[test]).mean()


# ------------------------------------------------------------------------- quality


def measure_quality(options, results):
    """Accuracies of a classifier on codes of the default settings: speed must not cost them."""
    measured = {}
    for dataset, load in (("digits", load_digits), ("breast cancer", load_breast_cancer)):
        X, y = load(return_X_y=True)
        X_train, X_test, y_train, y_test = train_test_split(
            X, y, test_size=0.5, stratify=y, random_state=0
        )
        measured[dataset] = {}
        for cls in (AutoencoderTransformer, VAETransformer, ContrastiveTransformer):
            pipe = make_pipeline(cls(device=options.device), LogisticRegression())
            accuracy = pipe.fit(X_train, y_train).score(X_test, y_test)
            measured[dataset][cls.__name__] = accuracy
            print(f"  {dataset}, {cls.__name__}: {accuracy:.3f}", flush=True)
    return measured


PARTS = {
    "fit": measure_fit,
    "inference": measure_inference,
    "latency": measure_latency,
    "memory": measure_memory,
    "import": measure_import,
    "grid": measure_grid,
    "table": measure_table,
    "quality": measure_quality,
}

if __name__ == "__main__":
    main()
