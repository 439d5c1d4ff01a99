"""The record of few_labels.py as Markdown and as a figure."""

import pandas as pd
from _few_labels_methods import ORDER, OURS, SHARES, TUNED
from _few_labels_sets import TABLES
from _markdown import table_of

OTHERS = ("batches", "steps")


def markdown(record):
    """The whole record as text."""
    parts = [
        "# Few labels",
        "One core and thread, default settings, encoders fitted to all training rows without "
        "labels. Mean over five draws of the labels (fine-tuning on images and texts: one; 100 %: "
        "one). LR is `LogisticRegression`; a cell without figure was not run.",
        "## Mean rank on the mixed tables",
        "By AUROC; lower is better.",
        table_of(ranks(record), shown),
        "HistGradientBoosting predicts a constant below forty labels (its `min_samples_leaf`): for "
        "titanic and german_credit at up to 5 %, for hypothyroid at 1 %.",
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
            for measure in ("auroc", "accuracy") if name in TABLES else ("accuracy",):
                parts += [f"## {name}: {measure}", table_of(shares_of(rows, measure), shown)]
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
    """A row for each method of a set, with the figure at each share of labels."""
    return [
        {
            "method": row["method"],
            **{f"{share:.0%}": row[measure].get(f"{share:.0%}") for share in SHARES},
            "fit s": row["fit s"],
            "head s": row["head s"],
        }
        for row in rows
    ]


def ranks(record):
    """Mean rank of each method by AUROC at each share, over the tables."""
    tables = [record[name] for name in TABLES if name in record]
    methods = [name for name in ORDER if name != "raw, self-training"]
    mean = {}
    for share in SHARES:
        areas = [
            {
                row["method"]: row["auroc"][f"{share:.0%}"]
                for row in rows
                if row["method"] in methods
            }
            for rows in tables
        ]
        mean[f"{share:.0%}"] = pd.DataFrame(areas).rank(axis=1, ascending=False).mean()
    frame = pd.DataFrame(mean).loc[[name for name in methods if name in mean["5%"].index]]
    return [{"method": name, **row} for name, row in frame.to_dict("index").items()]


def readme_tables(record):
    """What the README shows."""
    tables = [record[name] for name in TABLES]
    areas = pd.DataFrame(
        [{row["method"]: row["auroc"]["5%"] for row in rows} for rows in tables], index=TABLES
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
    names = [name for name in ("mnist", "cifar10_subset", "newsgroups20") if name in record]
    by_method = {}
    for name in names:
        for row in record[name]:
            by_method.setdefault(row["method"], {}).update(
                {f"{name}, {share}": row["accuracy"].get(share) for share in ("1%", "100%")}
            )
    return [{"method": method, **cells} for method, cells in by_method.items()]


def shown(cell):
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, str):
        return cell
    return f"{cell:.3f}" if cell < 2 else f"{cell:.2f}" if cell < 20 else f"{cell:.0f}"


# One colour for each method in all panels: ours are lines that go through, others are broken.
COLOURS = {name: f"C{number}" for number, name in enumerate([*ORDER, "counts, TruncatedSVD, LR"])}


def figure(record, path):
    """Accuracy against the share of labels, a panel for each set."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = [name for name in record if name not in OTHERS]
    if not names:
        return
    n_rows = -(-len(names) // 4)
    whole, axes = plt.subplots(n_rows, 4, figsize=(16, 3.2 * n_rows), squeeze=False)
    lines = {}
    for name, ax in zip(names, axes.flat, strict=False):
        for row in record[name]:
            if row["accuracy"]:
                method, share = row["method"], [float(s.rstrip("%")) for s in row["accuracy"]]
                style = "-" if method in (TUNED, *(cls.__name__ for cls in OURS)) else "--"
                (lines[method],) = ax.plot(
                    share, list(row["accuracy"].values()), style, marker="o", color=COLOURS[method]
                )
        ax.set(title=name, xscale="log", xlabel="labels, %", ylabel="accuracy")
    for ax in axes.flat[len(names) :]:
        ax.axis("off")
    methods = [method for method in COLOURS if method in lines]
    whole.legend([lines[method] for method in methods], methods, loc="upper center", ncols=5)
    plt.tight_layout(rect=(0, 0, 1, 1 - 0.6 / (3.2 * n_rows)))
    plt.savefig(path, dpi=80)
    plt.close()
