"""What can be measured only in processes of their own: memory, imports, the first fit."""

import ctypes
import gc
import importlib.util
import json
import re
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import torch
from _speed_contenders import BARE, JOBS, OURS
from _speed_measuring import in_fresh_process, keep_to_one_core, left_out_if_it_fails
from _speed_task import FEWEST_ROWS, Table, make_rows, scaled, standardise


def measure_memory(options, results):
    """Peak memory of one epoch of L above what was held before it, each in its own process."""
    n_rows, n_columns, _ = scaled("L", options)
    measured = {}
    for name in (OURS, BARE, "skorch", "PyOD", "pythae"):
        call = f"print_memory({name!r}, {n_rows}, {n_columns}, {options.device!r})"
        with left_out_if_it_fails(name, results):
            if name not in (OURS, BARE) and not importlib.util.find_spec(name.lower()):
                raise ImportError
            measured[name] = in_fresh_process(f"import _speed_processes; _speed_processes.{call}")
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
