"""How speed.py measures: one core, clocks, turns, processes of their own, and on which machine."""

import gc
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import torch
from _speed_contenders import BARE, FLOOR, OURS
from threadpoolctl import threadpool_limits

PEERS = ["skorch", "pyod", "pythae", "cebra"]


def keep_to_one_core():
    if hasattr(os, "sched_setaffinity"):  # Linux; subprocesses inherit it
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    threadpool_limits(1)


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
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(process.stdout.splitlines()[-1])


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
