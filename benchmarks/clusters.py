"""Neighbours and clusters of codes, beside those of PCA, UMAP and the columns themselves.

    python benchmarks/clusters.py --data FOLDER
    python benchmarks/clusters.py --data FOLDER --only digits wine --results ELSEWHERE

FOLDER holds the data sets and a ``load.py`` with ``load_table`` and ``load_images``. Of each set
at most 4,000 rows; encoders have default settings, see no labels and are fitted with three seeds;
for tables also with ``isometric=True``.
It writes clusters.json and clusters.md; sets that are not measured anew are kept. Needs umap-learn.
Tables take about half an hour on one core, images one and a half hours.
"""

import argparse
import sys
import warnings
from pathlib import Path

import torch
from _clusters_methods import compared
from _clusters_report import markdown
from _clusters_sets import SETS
from _record import RESULTS, read, write


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with load.py")
    parser.add_argument("--only", choices=SETS, nargs="*", default=SETS)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    args = parser.parse_args()
    sys.path.insert(0, args.data)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for name in args.only:
        print(f"\n# {name}", flush=True)
        rows = compared(SETS[name]())
        # Another run may have written in the meantime.
        record = read("clusters", args.results) | {name: rows}
        write("clusters", record, markdown, args.results)


if __name__ == "__main__":
    main()
