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
prints the table of the README. All of it takes about three quarters of an hour on a CPU.
"""

import argparse
import ctypes
import datetime
import gc
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from _contenders import (
    BARE,
    BATCH,
    FLOOR,
    HIDDEN,
    JOBS,
    LATENT,
    OURS,
    Table,
    estimator_of_ours,
    make_rows,
    mlp_regressor,
    pyod_detector,
    quiet,
    skorch_regressor,
    standardise,
)
from _report import markdown, readme_table
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"


class Workload(NamedTuple):
    n_rows: int
    n_columns: int
    epochs: int


WORKLOADS = {
    "S": Workload(2_000, 30, 50),
    "M": Workload(50_000, 50, 5),
    "L": Workload(500_000, 100, 1),
    "L3": Workload(500_000, 100, 3),
}
FEWEST_ROWS = 2 * BATCH  # PyOD fails without a full batch
MORE_ROUNDS = {"S": 4}  # times as many: its losses differ by up to 2 % from seed to seed
AS_IT_IS = "float32 network as it is, on scaled rows"

PEERS = ["skorch", "pyod", "pythae", "cebra"]


def main():
    options = parse()
    RESULTS.mkdir(exist_ok=True)
    if options.render:
        results = json.loads((RESULTS / f"{options.name}.json").read_text())
        print(readme_table(results))
        write(options.name, results)
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
        write(options.name, results)  # after each part: an interruption loses no other
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


def write(name, results):
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(markdown(results))


# ------------------------------------------------------------------------- measuring


def keep_to_one_core():
    if hasattr(os, "sched_setaffinity"):  # Linux; subprocesses inherit it
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    threadpool_limits(1)


def scaled(workload, options):
    """The workload with its rows cut down by --rows-scale."""
    n_rows, n_columns, epochs = WORKLOADS[workload]
    return Workload(max(FEWEST_ROWS, int(n_rows * options.rows_scale)), n_columns, epochs)


def clock(device):
    if device == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def timed(function, device):
    """Seconds, and what the function returned."""
    gc.collect()
    start = clock(device)
    result = function()
    return clock(device) - start, result


def seconds_of(functions, options):
    """Seconds of each function, called in turn, round after round; a first call does not count."""
    for function in functions.values():
        function()
    seconds = {name: [] for name in functions}
    for _ in range(options.repeats):
        for name, function in functions.items():
            seconds[name].append(timed(function, options.device)[0])
    for name, values in seconds.items():
        print(f"  {name}: {np.median(values):.4g} s", flush=True)
    return seconds


def in_fresh_process(code):
    """The last line that Python code prints in a process of its own, from JSON."""
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=HERE, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(process.stdout.splitlines()[-1])


def working(contenders, options, results):
    """The contenders that are installed and can be run; each is run once on a tiny table."""
    tiny, able = Table(FEWEST_ROWS, 8), {}
    for name, fit in contenders.items():
        with left_out_if_it_fails(name, results):
            fit(tiny, epochs=1, seed=0, device=options.device)()
            able[name] = fit
    return able


@contextmanager
def left_out_if_it_fails(name, results):
    """A package that is missing or fails is left out, and a line says so."""
    try:
        yield
    except Exception as error:
        if name.startswith((OURS, BARE, FLOOR)):
            raise
        missing = isinstance(error, ImportError)
        reason = "is not installed" if missing else f"fails with {type(error).__name__}: {error}"
        note(f"{name} is left out: it {reason}", results)


def note(line, results):
    """Say what is not measured and why, here and in the results."""
    print(f"  {line}", flush=True)
    if line not in results["skipped"]:
        results["skipped"].append(line)


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


# ------------------------------------------------------------------------- inference


def measure_inference(options, results):
    """transform and scores of all rows of L, beside the matrix products alone and other packages.

    How well the models were trained does not matter here: they saw few rows.
    """
    n_rows, n_columns, _ = scaled("L", options)
    table, few = Table(n_rows, n_columns), slice(0, 20_000)
    rows, standard, device = table.raw, table.scaled, options.device
    encoder = estimator_of_ours(AutoencoderTransformer, 1, 0, device).fit(rows[few])
    as_it_is = network_as_it_is(encoder, device)
    transform = {
        FLOOR: products_of_encoder(standard, device),
        OURS: partial(encoder.transform, rows),
        AS_IT_IS: partial(as_it_is, standard),
    }
    print(" transform")
    measured = {"transform": seconds_of(transform, options)}
    print(" score_samples")
    score = {OURS: partial(encoder.score_samples, rows)}
    for name, build in SCORERS.items():
        with left_out_if_it_fails(name, results), quiet():
            score[name] = build(rows, standard, few, device)
    measured["score"] = seconds_of(score, options)
    measured["company"] = company(rows[few], standard[few], device)
    return measured


def network_as_it_is(encoder, device):
    """The float32 network applied to scaled rows, 1,024 at a time, and nothing around it."""
    network = encoder.network_.to(device)

    @torch.inference_mode()
    def run(rows):
        codes = np.empty((len(rows), encoder.latent_dim), np.float32)
        for start in range(0, len(rows), 1024):
            part = torch.from_numpy(rows[start : start + 1024]).to(device)
            codes[start : start + 1024] = network.encode(part).cpu().numpy()
        return codes

    return run


def products_of_encoder(rows, device):
    """The float32 matrix products of the encoder, in chunks, into outputs allocated beforehand."""
    rows = torch.from_numpy(rows).to(device)
    first = torch.randn(HIDDEN, rows.shape[1], device=device).T
    second = torch.randn(LATENT, HIDDEN, device=device).T
    hidden = torch.empty(1024, HIDDEN, device=device)
    codes = torch.empty(len(rows), LATENT, device=device)
    chunks = list(zip(rows.split(1024), codes.split(1024), strict=True))

    @torch.inference_mode()
    def run():
        for part, code in chunks:
            between = hidden[: len(part)]
            torch.mm(part, first, out=between)
            torch.mm(between, second, out=code)

    return run


def pyod_scorer(rows, standard, few, device):
    return partial(pyod_detector(1, 0, device).fit(rows[few]).decision_function, rows)


def sklearn_scorer(rows, standard, few, device):
    regressor = mlp_regressor(1, 0).fit(standard[few], standard[few])
    return lambda: np.square(regressor.predict(standard) - standard).mean(1)


def skorch_scorer(rows, standard, few, device):
    net = skorch_regressor(rows.shape[1], 1, device).fit(standard[few], standard[few])
    return lambda: np.square(net.predict(standard) - standard).mean(1)


SCORERS = {
    "PyOD, decision_function": pyod_scorer,
    "MLPRegressor, predict and error": sklearn_scorer,
    "skorch, predict and error": skorch_scorer,
}


def company(rows, standard, device):
    """How codes change with the rows beside them, in networks of even and of odd widths."""
    changes = {}
    for n_hidden, latent_dim in ((HIDDEN, LATENT), (50, 3)):
        encoder = AutoencoderTransformer(
            latent_dim, hidden_layer_sizes=(n_hidden,), max_epochs=1, device=device
        ).fit(rows)
        widths = f"{rows.shape[1]}-{n_hidden}-{latent_dim}"
        changes[f"ours, {widths}"] = change_of_company(encoder.transform, rows)
        as_it_is = network_as_it_is(encoder, device)
        changes[f"{AS_IT_IS}, {widths}"] = change_of_company(as_it_is, standard)
    return changes


def change_of_company(transform, rows):
    rows = rows[:5_000]
    together = transform(rows)
    apart = np.vstack([transform(rows[i : i + 37]) for i in range(0, len(rows), 37)])
    changed = (together != apart).any(axis=1).mean()
    return {"changed": float(changed), "largest": float(np.abs(together - apart).max())}


def measure_latency(options, results, calls=200):
    """Microseconds of single calls with one row: 10 rounds of 200 calls."""
    rows = make_rows(20_000, WORKLOADS["L"].n_columns)
    one = rows[:1]
    encoder = estimator_of_ours(AutoencoderTransformer, 1, 0, options.device).fit(rows)
    functions = {OURS: partial(encoder.transform, one)}
    functions["PCA"] = partial(PCA(LATENT).fit(rows).transform, one)
    with left_out_if_it_fails("PyOD", results), quiet():
        detector = pyod_detector(1, 0, options.device).fit(rows)
        functions["PyOD, decision_function"] = partial(detector.decision_function, one)
    microseconds = {name: [] for name in functions}
    for _ in range(10):
        for name, function in functions.items():
            for _ in range(calls):
                start = time.perf_counter()
                function()
                microseconds[name].append(round(1e6 * (time.perf_counter() - start), 1))
    for name, values in microseconds.items():
        print(f"  {name}: {np.median(values):.0f} µs", flush=True)
    return microseconds


# ------------------------------------------------------------------------- memory


def measure_memory(options, results):
    """Peak memory of one epoch of L above what was held before it, each in its own process."""
    n_rows, n_columns, _ = scaled("L", options)
    measured = {}
    for name in (OURS, BARE, "skorch", "PyOD", "pythae"):
        call = f"print_memory({name!r}, {n_rows}, {n_columns}, {options.device!r})"
        with left_out_if_it_fails(name, results):
            if name not in (OURS, BARE) and not importlib.util.find_spec(name.lower()):
                raise ImportError
            measured[name] = in_fresh_process(f"import speed; speed.{call}")
            rise, share = measured[name]["rise"], measured[name]["rise"] / measured[name]["table"]
            print(f"  {name}: {rise / 1e6:.0f} MB, {share:.2f} x table", flush=True)
    return measured


def print_memory(name, n_rows, n_columns, device):
    """For the process of its own: bytes of the table, and how far memory rose above it."""
    if device == "cpu":
        keep_to_one_core()
    fit = JOBS["autoencoder"][name]
    fit(Table(FEWEST_ROWS, 8), 1, 0, device)
    # One table, in the units that this contender takes.
    table = Table(n_rows, n_columns)
    rows = make_rows(n_rows, n_columns)
    table.raw = table.scaled = rows if name in (OURS, "PyOD") else standardise(rows)
    gc.collect()
    with suppress(OSError, AttributeError):  # glibc: give back what was freed
        ctypes.CDLL(None).malloc_trim(0)
    before, peak = resident_bytes()
    fit(table, 1, 0, device)
    measured = {"table": rows.nbytes, "rise": peak() - before}
    if device == "cuda":
        measured["on_device"] = torch.cuda.max_memory_allocated()
    print(json.dumps(measured))


def resident_bytes():
    """Bytes of memory held now, and a function that gives the peak from now on."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    except OSError:
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        highest = lambda: unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # noqa: E731
        return highest(), highest
    return _status("VmRSS"), partial(_status, "VmHWM")


def _status(field):
    kilobytes = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text()).group(1)
    return 1024 * int(kilobytes)


# ------------------------------------------------------------------------- import, first fit

IMPORTS = {
    OURS: "import sklearn_replearn",
    "skorch": "from skorch import NeuralNet",
    "torch": "import torch",
    "scikit-learn": "from sklearn.decomposition import PCA",
}
# What none of them should load unless scikit-learn itself does: plots, other kinds of tables, other
# packages like ours, torch's compiler.
_HEAVY = ["matplotlib", "narwhals", "polars", "pyarrow", "pyod", "pythae", "cebra", "torch._dynamo"]
_IMPORT = """
import json, sys, time
start = time.process_time()
{statement}
seconds = time.process_time() - start
heavy = {heavy}
print(json.dumps([seconds, [name for name in heavy if name in sys.modules]]))
"""

TWICE = {
    OURS: """
import numpy as np
from sklearn_replearn import AutoencoderTransformer
X = np.random.default_rng(0).normal(size=(256, 10))
def work():
    AutoencoderTransformer(16, max_epochs=2, device="cpu").fit(X)
""",
    BARE: """
import torch
from torch import nn
rows = torch.randn(256, 10)
def work():
    network = nn.Sequential(nn.Linear(10, 256), nn.SiLU(), nn.Linear(256, 10))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    for _ in range(2):
        optimizer.zero_grad()
        (network(rows) - rows).square().mean().backward()
        optimizer.step()
""",
    "torch.optim.Adam([...])": """
import torch
weight = torch.nn.Parameter(torch.zeros(1))
def work():
    torch.optim.Adam([weight])
""",
}
_TWICE = """
import json, time
{work}
seconds = {{}}
for which in ("first", "second"):
    start = time.process_time()
    work()
    seconds[which] = time.process_time() - start
print(json.dumps(seconds))
"""


def measure_import(options, results):
    """CPU seconds of imports, and of the first and second fit of a process; always on the CPU."""
    imports = {name: {"seconds": []} for name in IMPORTS}
    twice = {name: {"first": [], "second": []} for name in TWICE}
    for _ in range(options.repeats):
        for name, statement in IMPORTS.items():
            code = _IMPORT.format(statement=statement, heavy=_HEAVY)
            seconds, imports[name]["loaded"] = in_fresh_process(code)
            imports[name]["seconds"].append(seconds)
        for name, work in TWICE.items():
            for which, seconds in in_fresh_process(_TWICE.format(work=work)).items():
                twice[name][which].append(seconds)
    unwanted = set(imports[OURS]["loaded"]) - set(imports["scikit-learn"]["loaded"])
    for name, measured in imports.items():
        print(f"  import {name}: {np.median(measured['seconds']):.3g} s", *measured["loaded"])
    for name, both in twice.items():
        first, second = (np.median(both[which]) for which in ("first", "second"))
        print(f"  {name}: first {first:.3g} s, second {second:.3g} s", flush=True)
    return {"imports": imports, "unwanted": len(unwanted), "twice": twice}


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


# ------------------------------------------------------------------------- tables, quality


def measure_table(options, results):
    """A DataFrame to scaled rows, seen through the narrowest network: a linear map to one code."""
    n_rows = scaled("L", options).n_rows
    array = make_rows(n_rows, 20).astype(np.float64)
    frame = pd.DataFrame(array, columns=[f"column {i}" for i in range(20)])
    device = options.device
    narrow = {"hidden_layer_sizes": (), "max_epochs": 1, "device": device}
    of_array, of_frame = (
        AutoencoderTransformer(1, **narrow).fit(rows[:1000]) for rows in (array, frame)
    )
    scaler = StandardScaler().fit(frame)
    print("  columns of numbers only: mixed columns come with a later version")
    functions = {
        "ours, array": partial(of_array.transform, array),
        "ours, DataFrame": partial(of_frame.transform, frame),
        "StandardScaler, DataFrame to float32": lambda: scaler.transform(frame).astype(np.float32),
    }
    return seconds_of(functions, options)


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


# ------------------------------------------------------------------------- where it was measured


def machine(device):
    described = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    with suppress(OSError, AttributeError):
        cpuinfo = Path("/proc/cpuinfo").read_text()
        described["cpu"] = re.search(r"model name\s*:\s*(.+)", cpuinfo).group(1)
    described["instructions"] = torch.backends.cpu.get_cpu_capability()
    described["system"] = platform.platform()
    if device == "cuda":
        described["gpu"] = torch.cuda.get_device_name()
    return described


def versions():
    found = {"python": platform.python_version()}
    for package in ["sklearn_replearn", "numpy", "torch", "scikit-learn", *PEERS]:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


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
