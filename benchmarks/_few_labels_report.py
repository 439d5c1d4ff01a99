"""The record of few_labels.py as Markdown and as a figure."""

import numpy as np
import pandas as pd
from _few_labels_gaps import BASES, gaps
from _few_labels_methods import (
    BOOSTED,
    DEFAULT,
    NAMES,
    ORDER,
    QUANTILES,
    RAW,
    REFERENCE,
    SELF_TRAINED,
    SHARES,
    SPREAD,
    TUNED,
    VECTORIZED,
    title,
)
from _few_labels_sets import TABLES
from _halves import half
from _markdown import table_of

from sklearn_replearn.inspection._axes import CLASS_COLORS, MARKERS

OTHERS = ("batches", "steps")
TITLES = tuple(map(title, SHARES))


def markdown(record):
    """The whole record as text."""
    tables = {name: record[name] for name in TABLES if name in record}
    parts = [
        "# Few labels",
        "One core and thread, default settings, encoders fitted to all training rows without "
        "labels. Mean and standard error over five draws of the labels (one draw with all labels, "
        "and of fine-tuning on images and texts). LR is `LogisticRegression`; `EncoderClassifier` "
        "is that on `ContrastiveTransformer`, of tables with raw columns beside the codes. Codes "
        "of tables have 32 columns, and 16 where it says so. A cell without figure was not run. "
        "Sets with 10 % of the labels are of an earlier run, which kept means only and "
        "standardised the codes of PCA.",
        "## Mean rank on the mixed tables",
        "By AUROC; lower is better.",
        table_of(ranks(record), shown),
        "## Beside the best of raw columns, raw quantiles and PCA",
        "The tables, and each half of them, by a checksum of their names. Of each table the gap is "
        f"that of the AUROC to the best of {', '.join(BASES)} (of as many columns) on average over "
        "draws: the worst, on how many tables it is behind by more than .005 (all labels) or a "
        "standard error of the gap, and the mean. The gain is that of the mean over tables to the "
        "mean of the one of the three that is best on average.",
    ]
    for share in TITLES:
        rows = gaps(tables, share)
        parts += [f"### {share} of the labels", table_of(rows, shown)] if rows else []
    seeds = seed_rows(record)
    if seeds:
        parts += [
            "## Seeds",
            "LR on codes of three seeds of the encoder: mean AUROC over draws, and in brackets the "
            "range over seeds.",
            table_of(seeds, shown),
        ]
    if "steps" in record:
        parts += [
            "## Steps",
            "Three epochs of `ContrastiveTransformer` (the difference of fits of six and of three) "
            "beside a PyTorch loop by hand over scaled rows with the same networks, views and "
            "fused AdamW, in turn; medians of five.",
            table_of(record["steps"], shown),
        ]
    if "batches" in record:
        parts += [
            "## Negatives on MNIST",
            "Two epochs each, so equal rows seen; accuracy of LR on 64 codes.",
            table_of(batch_rows(record), shown),
        ]
    for name, rows in record.items():
        if name not in OTHERS:
            where = f"{name} ({half(name)} half)" if name in TABLES else name
            for measure in ("auroc", "accuracy") if name in TABLES else ("accuracy",):
                parts += [f"## {where}: {measure}", table_of(shares_of(rows, measure), shown)]
    return "\n\n".join(parts) + "\n"


def batch_rows(record):
    return [
        {
            "negatives": row["method"],
            "100 labels": row["accuracy"]["100"],
            "all labels": row["accuracy"]["all"],
            "CPU s": row["seconds"],
        }
        for row in record["batches"]
    ]


def shares_of(rows, measure):
    """A row for each method of a set, with its figures at each share of labels."""
    titles = dict.fromkeys(share for row in rows for share in row[measure])
    return [
        {
            "method": row["method"],
            **{share: with_error(row[measure].get(share)) for share in titles},
            "fit s": row["fit s"],
            "head s": row["head s"],
        }
        for row in rows
    ]


def seed_rows(record):
    """A row for each table, with the figures of each encoder at each share."""
    result = []
    for name in TABLES:
        cells = {}
        for row in record.get(name, ()):
            for share, each in row.get("seeds", {}).items():
                low, high = min(each), max(each)
                cells[f"{row['method'][:4]}…, {share}"] = (
                    f"{np.mean(each):.3f} ({low:.3f} to {high:.3f})"
                )
        if cells:
            result.append({"table": name, **cells})
    return result


def ranks(record):
    """Mean rank of each method by AUROC at each share, over the tables."""
    tables = [record[name] for name in TABLES if name in record]
    if not tables:
        return []
    methods = [name for name in ORDER if name not in (SELF_TRAINED, SPREAD)]
    mean = {}
    for share in TITLES:
        areas = [
            {
                row["method"]: np.mean(row["auroc"][share])
                for row in rows
                if row["method"] in methods
            }
            for rows in tables
        ]
        mean[share] = pd.DataFrame(areas).rank(axis=1, ascending=False).mean()
    frame = pd.DataFrame(mean).loc[[name for name in methods if name in mean[TITLES[0]].index]]
    return [{"method": name, **row} for name, row in frame.to_dict("index").items()]


def page_tables(record):
    """What the page shows."""
    tables = [record[name] for name in TABLES]
    areas = pd.DataFrame(
        [{row["method"]: np.mean(row["auroc"]["5%"]) for row in rows} for rows in tables],
        index=TABLES,
    )
    rank = {row["method"]: row for row in ranks(record)}
    few = [
        {"method": name, **areas[name].to_dict(), "mean rank": rank[name]["5%"]}
        for name in ORDER
        if name in rank
    ]
    return [table_of(rows, shown) for rows in (few, other_rows(record), batch_rows(record))]


def other_rows(record):
    """Accuracy on images and texts."""
    names = [
        name
        for name in ("mnist", "cifar10_subset", "shapes", "patches", "newsgroups20")
        if name in record
    ]
    by_method = {}
    for name in names:
        for row in record[name]:
            by_method.setdefault(row["method"], {}).update(
                {
                    f"{name}, {share}": float(np.mean(row["accuracy"][share]))
                    for share in ("10 a class", "1%", "100%")
                    if share in row["accuracy"]
                }
            )
    columns = dict.fromkeys(
        f"{name}, {share}"
        for name in names
        for share in ("10 a class", "1%", "100%")
        if any(f"{name}, {share}" in cells for cells in by_method.values())
    )
    return [
        {"method": method, **{column: cells.get(column) for column in columns}}
        for method, cells in by_method.items()
    ]


def with_error(figures):
    """Mean and standard error of the figures of several draws."""
    if not figures:
        return None
    if len(figures) == 1:
        return figures[0]
    error = np.std(figures, ddof=1) / len(figures) ** 0.5
    return f"{np.mean(figures):.3f} ± {error:.3f}"


def shown(cell):
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, str | int):
        return str(cell)
    return f"{cell:.3f}" if cell < 2 else f"{cell:.2f}" if cell < 20 else f"{cell:.0f}"


# One colour and one marker for each method in all panels: ours are lines that go through, others
# are broken. They are those of the page's table, but for codes of 16 columns.
_OURS = (*NAMES, DEFAULT, TUNED)
_DRAWN = (*NAMES, RAW, QUANTILES, DEFAULT, TUNED, VECTORIZED, BOOSTED, REFERENCE)
# Grey in place of yellow, of which lines are faint on white.
COLOURS = {**dict(zip(_DRAWN, CLASS_COLORS, strict=True)), BOOSTED: "#888888"}
_MARKS = dict(zip(_DRAWN, MARKERS, strict=True))
# By how many labels they are: of the sets that have ten a class, 1 % is fewer.
_BY_LABELS = ("1%", "10 a class", "5%", "10%", "100%")


def figure(record, path):
    """What the tables show against the number of labels, a panel for each set."""
    if any(name not in OTHERS for name in record):
        drawn(record).savefig(path, dpi=80)


def drawn(record):
    """The figure: AUROC of tables, of images and texts accuracy."""
    from matplotlib.figure import Figure

    names = [name for name in record if name not in OTHERS]
    n_rows = -(-len(names) // 4)
    whole = Figure(figsize=(16, 3.3 * n_rows + 0.8), layout="constrained")
    whole.get_layout_engine().set(h_pad=0.1)
    axes = whole.subplots(n_rows, 4, squeeze=False)
    lines = {}
    for name, ax in zip(names, axes.flat, strict=False):
        measure = "auroc" if name in TABLES else "accuracy"
        rows = [row for row in record[name] if row[measure] and row["method"] in COLOURS]
        shares = [s for s in _BY_LABELS if any(s in row[measure] for row in rows)]
        for row in rows:
            method, figures = row["method"], row[measure]
            (lines[method],) = ax.plot(
                [place for place, share in enumerate(shares) if share in figures],
                [np.mean(figures[share]) for share in shares if share in figures],
                "-" if method in _OURS else "--",
                marker=_MARKS[method],
                markersize=7,
                color=COLOURS[method],
                label=method,
            )
        ax.set(title=name, ylabel="AUROC" if measure == "auroc" else "accuracy")
        ax.set_xticks(range(len(shares)), shares)
        ax.spines[["top", "right"]].set_visible(False)
    for ax in axes.flat[len(names) :]:
        ax.axis("off")
    whole.supxlabel("rows of training that keep their label")
    methods = [method for method in ORDER if method in lines]
    handles = [lines[method] for method in methods]
    whole.legend(handles, methods, loc="outside upper center", ncols=5, fontsize=12)
    return whole
