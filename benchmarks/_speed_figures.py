"""The figures of speed.py's record: medians by name, and how they are written."""

import math
from collections import defaultdict
from statistics import mean, median


def number(value, digits=3):
    """Three significant digits, without an exponent; nothing for NaN."""
    if math.isnan(value):
        return ""
    if isinstance(value, int) or abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def size_of(workload, results):
    size = results["workloads"][workload]
    epochs = "1 epoch" if size["epochs"] == 1 else f"{size['epochs']} epochs"
    return f"{workload} {size['n_rows']:,}x{size['n_columns']}, {epochs}"


def medians(results):
    """The median of all measurements of one thing, by a path such as "grid/ours".

    Of losses the mean: they differ by initial weights and order of the rows, without outliers. NaN
    for what was not measured or has no value: what is computed from it is NaN too.
    """
    found = defaultdict(lambda: math.nan)

    def walk(path, tree):
        if isinstance(tree, dict):
            for name, branch in tree.items():
                walk(f"{path}/{name}" if path else name, branch)
        elif isinstance(tree, list) and tree and all(isinstance(v, int | float) for v in tree):
            found[path] = mean(tree) if path.endswith("/losses") else median(tree)
        elif isinstance(tree, int | float):
            found[path] = tree

    walk("", results)
    return found
