"""The record of clusters.py as Markdown."""

from _clusters_methods import ISOMETRIC, OURS
from _clusters_sets import STANDARDISED
from _markdown import table_of

MEASURES = ("kNN", "KMeans", "HDBSCAN")


def markdown(record):
    """The whole record as text."""
    parts = [
        "# Neighbours and clusters",
        "At most 4,000 rows of a set; encoders have default settings, and isometric=True where it "
        "says so, were fitted to all rows without labels, and have 16 columns for tables, 32 for "
        "digits, 64 for images, as PCA has. "
        "kNN is the accuracy of ten neighbours in five folds; KMeans (as many clusters as classes, "
        "ten starts, mean of three seeds) and HDBSCAN (clusters of at least 1 % of the rows, noise "
        "as a cluster of its own) are adjusted Rand indices. Those of our encoders are means of "
        "three seeds, with their standard deviation. Codes are as `transform` gives them, and PCA "
        "is not whitened.",
        "## Ahead of PCA",
        "Difference to PCA of standardised columns; for images, of pixels. Behind by more than "
        "0.02 is bold.",
        table_of([row for name in record for row in ahead(name, record[name])], str),
    ]
    for name, rows in record.items():
        parts += [f"## {name}", table_of([shown_row(row) for row in rows], str)]
    return "\n\n".join(parts) + "\n"


def ahead(name, rows):
    """A row for each measure of a set, with how far each encoder is ahead of PCA."""
    found = {row["method"]: row for row in rows}
    ours = [name for name in (*(cls.__name__ for cls in OURS), *ISOMETRIC) if name in found]
    reference = found.get(f"PCA, {STANDARDISED}") or found["PCA, pixels"]
    for measure in MEASURES:
        gaps = {method: found[method][measure] - reference[measure] for method in ours}
        cells = {
            method: f"**{gap:+.3f}**" if gap < -0.02 else f"{gap:+.3f}"
            for method, gap in gaps.items()
        }
        yield {"set": name, "measure": measure, "PCA": f"{reference[measure]:.3f}", **cells}


def shown_row(row):
    """Cells of a method, with the spread of seeds where there are several."""
    spread = row.get("spread", {})
    cells = {
        key: f"{row[key]:.3f}" + (f" ± {spread[key]:.3f}" if key in spread else "")
        for key in (*MEASURES, "noise")
    }
    seconds = "" if row["fit s"] is None else f"{row['fit s']:.1f}"
    return {"method": row["method"], **cells, "fit s": seconds}
