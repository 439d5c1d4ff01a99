"""What tables.py says of its record: tables in Markdown, and the ones that its page shows."""

import inspect
from functools import partial

import numpy as np
from _markdown import table_of, three_digits
from _tables_contenders import seconds


def markdown(record, parts):
    """All parts, each with what its function says of it.

    Parameters
    ----------
    record : dict of str to list of dict
    parts : dict of str to function
        That gave the rows of the record.
    """
    sections = ["# Raw tables\n\nWritten by `benchmarks/tables.py`; default settings, one thread."]
    for name, part in parts.items():
        if name in record:
            shown = SHOWN.get(name, table_of)(record[name])
            sections.append(f"## {name}\n\n{inspect.getdoc(part)}\n\n{shown}")
    return "\n\n".join(sections) + "\n"


def page_tables(record):
    """What the page shows of the record, by name."""
    wide = {}
    for row in record["adult"]:
        name = "PCA of one-hot" if row["encoder"] == "PCA of it" else row["encoder"]
        wide.setdefault(name, {"encoder": name})[f"{row['columns']} columns"] = row["AUROC"]
    wide["one-hot, standardised"]["16 columns"] = ""
    order = ["encoder", "16 columns", "32 columns", "all columns"]
    return {
        "adult": table_of([{name: row.get(name, "") for name in order} for row in wide.values()]),
        "density": without_seconds(record["density"], two_digits),
        "imputation": table_of(imputation_summary(record["imputation"])),
        "synthesis": table_of(record["synthesis"]),
        "counts": table_of(record["counts"]),
    }


# ---------------------------------------------------------------- contenders side by side


def two_digits(cell):
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def side_by_side(rows, wins, shown=three_digits):
    """A row a table, and below what contenders do on average, and in what time."""
    return f"{without_seconds(rows, shown)}\n\n{table_of(summary(rows, wins), shown)}"


def without_seconds(rows, shown=three_digits):
    contenders = contenders_of(rows)
    kept = [{k: v for k, v in row.items() if k not in map(seconds, contenders)} for row in rows]
    return table_of(kept, shown)


def contenders_of(rows):
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if seconds(name) in names]


def summary(rows, wins):
    """A row a contender.

    Parameters
    ----------
    rows : list of dict
    wins : callable
        Of the figures of all contenders, ndarray of shape (n_tables, n_contenders): for each
        whether it is as good as the best, and in words what that is.
    """
    contenders = contenders_of(rows)
    figures, took = (
        np.array([[row.get(name, np.nan) for name in names] for row in rows])
        for names in (contenders, [seconds(name) for name in contenders])
    )
    won, words = wins(figures)
    columns = figures.mean(axis=0), won.sum(axis=0).tolist(), took.mean(axis=0)
    return [
        {"contender": name, "mean": float(mean), words: count, "mean s": float(s)}
        for name, mean, count, s in zip(contenders, *columns, strict=True)
    ]


def imputation_summary(rows):
    """A row a contender, the mechanisms side by side."""
    wide = {}
    for mechanism in dict.fromkeys(row["cells"] for row in rows):
        for row in summary([row for row in rows if row["cells"] == mechanism], near_least):
            name = row.pop("contender")
            renamed = {f"{mechanism}, {what}": cell for what, cell in row.items()}
            wide.setdefault(name, {"contender": name}).update(renamed)
    return list(wide.values())


def near_greatest(figures):
    return figures >= np.nanmax(figures, axis=1, keepdims=True) - 0.3, "within .3 nats of the best"


def near_least(figures):
    return figures <= 1.01 * np.nanmin(figures, axis=1, keepdims=True), "best to 1 %"


def greatest(figures):
    return figures == np.nanmax(figures, axis=1, keepdims=True), "best"


def _imputation(rows):
    return f"{without_seconds(rows)}\n\n{table_of(imputation_summary(rows))}"


SHOWN = {
    "density": partial(side_by_side, wins=near_greatest, shown=two_digits),
    "mixed_density": partial(side_by_side, wins=near_greatest, shown=two_digits),
    "imputation": _imputation,
    "categories": partial(side_by_side, wins=greatest),
}
