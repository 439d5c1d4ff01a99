"""How far our methods are behind the best of what one has without them, table by table."""

import numpy as np
from _few_labels_methods import DEFAULT, NAMES, NARROW, QUANTILES, RAW, REFERENCE, TUNED
from _halves import HALVES, half

BASES = (RAW, QUANTILES, REFERENCE)
_METHODS = (*NAMES, *(name + NARROW for name in NAMES), DEFAULT, DEFAULT + NARROW, TUNED)
_ALLOWED = 0.005  # with all labels; with few a standard error of the gap


def gaps(tables, share):
    """A row for each of our methods and each half of the tables.

    Parameters
    ----------
    tables : dict of str to list of dict
        The record of each.
    share : str
    """
    areas = {
        name: {row["method"]: np.array(row["auroc"].get(share, [])) for row in rows}
        for name, rows in tables.items()
    }
    result = []
    for method in _METHODS:
        narrow = NARROW if method.endswith(NARROW) else ""
        bases = [base + narrow if base == REFERENCE else base for base in BASES]
        known = {
            name: of_table
            for name, of_table in areas.items()
            if all(len(of_table.get(each, ())) for each in (method, *bases))
        }
        for which in ("all", *HALVES):
            some = {
                name: of_table for name, of_table in known.items() if which in ("all", half(name))
            }
            if some:
                result.append({"method": method, "half": which, **_row(some, method, bases)})
    return result


def _row(areas, method, bases):
    gaps_of, behind = {}, 0
    for name, of_table in areas.items():
        best = max(bases, key=lambda base, of_table=of_table: of_table[base].mean())
        gap = of_table[method] - of_table[best]
        allowed = _ALLOWED if len(gap) == 1 else gap.std(ddof=1) / len(gap) ** 0.5
        behind += int(gap.mean() < -allowed)
        gaps_of[name] = float(gap.mean())
    worst = min(gaps_of, key=gaps_of.get)
    means = {
        each: np.mean([of_table[each].mean() for of_table in areas.values()])
        for each in (method, *bases)
    }
    return {
        "tables": len(areas),
        "worst gap": f"{gaps_of[worst]:+.3f} {worst}",
        "behind": behind,
        "mean gap": f"{np.mean(list(gaps_of.values())):+.3f}",
        "gain on the mean": f"{means[method] - max(means[base] for base in bases):+.3f}",
    }
