"""Raw tables: codes, density, imputation, drawn tables, counts of words, speed of encoding.

    python benchmarks/tables.py --data FOLDER
    python benchmarks/tables.py --data FOLDER --only density imputation

FOLDER holds the data sets and a ``load.py`` with ``load_table``, ``load_anomaly`` and
``load_sparse``. Everything stands beside what a user would take otherwise, in one run, with our
default settings, and losses are shown; the spline flow of ``density`` needs zuko. It writes
results/tables.json and results/tables.md; parts that are not measured anew are kept. All of it
takes about an hour and a half on one core.
"""

import argparse
import sys
import warnings
from functools import partial
from pathlib import Path

import torch
from _record import RESULTS, read, write
from _tables_codes import adult, counts, scalings
from _tables_density import density, mixed_density
from _tables_encoding import encoding
from _tables_imputation import categories, imputation
from _tables_known import conditions, coverage
from _tables_report import markdown
from _tables_synthesis import synthesis

PARTS = {
    part.__name__: part
    for part in (
        adult,
        scalings,
        density,
        mixed_density,
        imputation,
        categories,
        coverage,
        synthesis,
        conditions,
        counts,
        encoding,
    )
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with load.py")
    parser.add_argument("--only", choices=sorted(PARTS), nargs="*", default=sorted(PARTS))
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    args = parser.parse_args()
    sys.path.insert(0, args.data)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    record = read("tables", args.results)
    for part in args.only:
        print(f"\n# {part}", flush=True)
        record[part] = [row for row in PARTS[part]() if not print(row, flush=True)]
        write("tables", record, partial(markdown, parts=PARTS), args.results)


if __name__ == "__main__":
    main()
