"""Few labels: codes of all rows and a head on those with a label, beside what one would take else.

    python benchmarks/few_labels.py --data FOLDER
    python benchmarks/few_labels.py --data FOLDER --only mnist adult --results ELSEWHERE

FOLDER holds the data sets and a ``load.py`` with ``load_table``, ``load_images`` and ``load_text``.
All training rows are unlabelled rows for the encoders; some keep their label, in five draws: 1 and
5 % (at least two in a class), of images ten a class and 1 %; and all. Encoders are fitted once for
each set, with default settings (those of tables three times, with other seeds): they do not see
labels. It writes few_labels.json, few_labels.md and few_labels.png; sets that are not measured anew
are kept. One baseline is of skrub. Tables take about 25 minutes on one core, all about an hour and
a half.
"""

import argparse
import sys
import warnings
from functools import partial
from pathlib import Path

import torch
from _few_labels_report import figure, markdown
from _few_labels_sets import TABLES, digits, images, newsgroups, table
from _few_labels_steps import batches, steps
from _image_sets import patches, shapes, stored
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
        rows = SETS[name]()
        # Another run may have written in the meantime.
        record = read("few_labels", args.results) | {name: rows}
        write("few_labels", record, markdown, args.results)
        figure(record, args.results / "few_labels.png")


SETS = {
    **{name: partial(table, name) for name in TABLES},
    "digits": digits,
    "shapes": partial(images, shapes),
    "patches": partial(images, patches),
    "cifar10_subset": partial(images, partial(stored, "cifar10_subset")),
    "mnist": partial(images, partial(stored, "mnist")),
    "newsgroups20": newsgroups,
    "batches": batches,
    "steps": steps,
}

if __name__ == "__main__":
    main()
