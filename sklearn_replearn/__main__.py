"""``python -m sklearn_replearn``: what runs here, for reports of bugs."""

import os
import platform
from importlib import metadata

import torch

from ._runtime.documentation import DOCUMENTATION, ISSUES
from ._runtime.isolation import resolve_device
from ._storage.stored import version

_NEEDED = (
    "scikit-learn",
    "torch",
    "skorch",
    "numpy",
    "scipy",
    "pandas",
    "narwhals",
    "safetensors",
    "threadpoolctl",
)
_OPTIONAL = (
    "polars",
    "pyarrow",
    "matplotlib",
    "rich",
    "tqdm",
    "onnxruntime",
    "skl2onnx",
    "skops",
    "joblib",
)


def main() -> None:
    """Print versions, devices, threads, and where the documentation is."""
    print(f"sklearn_replearn {version()}\n")
    _print_lines(
        {
            "Python": platform.python_version(),
            "system": platform.platform(),
            **{name: _version(name) for name in _NEEDED},
        }
    )
    print("\nOptional")
    _print_lines({name: _version(name) for name in _OPTIONAL})
    print("\nDevices and threads")
    _print_lines(_of_torch())
    print("\nWhere to read on")
    _print_lines({"documentation": DOCUMENTATION, "issues": ISSUES})


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _of_torch():
    """What torch computes on, or why it cannot say."""
    threads = f"{torch.get_num_threads()} of torch, {os.cpu_count()} cores"
    asked = {name: os.environ[name] for name in ("OMP_NUM_THREADS",) if name in os.environ}
    lines = {"threads": ", ".join([threads, *(f"{name}={n}" for name, n in asked.items())])}
    try:
        names = [torch.cuda.get_device_name(j) for j in range(torch.cuda.device_count())]
        lines["GPU"] = f"{', '.join(names)} (CUDA {torch.version.cuda})" if names else "none"
        lines['device="auto"'] = str(resolve_device("auto"))
    except (RuntimeError, AssertionError) as problem:  # of a driver
        lines["GPU"] = f"not to be asked: {problem}"
    return lines


def _print_lines(lines):
    for name, text in lines.items():
        print(f"  {name:<16}{text}")


if __name__ == "__main__":
    main()
