"""What a GPU is for: large tables, images, large batches, mixed tables, the detector, a grid.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --pieces S M --seconds 240
    python benchmarks/gpu.py --device cpu --rows-scale 0.001 --name try

It goes on where the last call ended: what is in results/NAME.json is not measured again (--again
does), every figure is written as soon as it is there, and nothing new begins after --seconds. So it
may be run in parts of ten minutes. On one GPU stand beside each other: our fit, a loop by hand, the
same loop as a CUDA graph (the least that starting kernels one by one can be brought to), skorch and
PyOD if they are installed, and our fit on a CPU. Seconds are by the clock, with all kernels ended;
rows are made and standardised before it runs. A table of 10,000,000 rows takes 8 GB of memory.
"""

import argparse
import time
from functools import partial

import numpy as np
import pandas as pd
import torch
from _markdown import table as markdown_table
from _record import RESULTS, read, write
from _speed_contenders import OURS, estimator_of_ours, ours
from _speed_loops import autoencoder, bare_autoencoder, mlp, nt_xent, swapped
from _speed_measuring import left_out_if_it_fails, machine, timed, versions
from _speed_packages import pyod_autoencoder, skorch_autoencoder
from _speed_task import BATCH, FEWEST_ROWS, HIDDEN, LATENT, LR, Table
from sklearn.model_selection import GridSearchCV, KFold
from torch.nn import functional as F

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    OutlierDetector,
    VAETransformer,
)
from sklearn_replearn.rows import Images

BARE, GRAPHED, ON_CPU = "loop by hand", "loop as a CUDA graph", "ours, on the CPU"
#: Rows, columns and epochs of tables of numbers.
TABLES = {
    "S": (2_000, 30, 50),
    "M": (50_000, 50, 5),
    "L": (500_000, 100, 1),
    "10M": (10_000_000, 100, 1),
}
CONTRASTIVE_BATCH, LATENT_DIMS, FOLDS = 4096, [2, 4, 8, 16, 32, 64], 5


def graphed_autoencoder(table, epochs, seed, device):
    """The loop by hand, its step recorded once and played for each batch; the rest of rows waits.

    The last batch of an epoch, which is smaller, is left out, as a graph has one size.
    """
    rows = torch.from_numpy(table.scaled).to(device)
    network = autoencoder(table.n_columns).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=LR, fused=True, capturable=True)
    batch = rows[:BATCH].clone()

    def step():
        optimizer.zero_grad(set_to_none=False)
        F.mse_loss(network(batch), batch).backward()
        optimizer.step()

    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):  # kernels are chosen before they are recorded
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    for _ in range(epochs):
        for part in torch.randperm(len(rows), device=device).split(BATCH):
            if len(part) == BATCH:
                torch.index_select(rows, 0, part, out=batch)
                graph.replay()


def contrastive_by_hand(rows, batch_size, device):
    """One epoch of views told from each other, without the decoder that ours trains beside it."""
    rows = torch.from_numpy(rows).to(device)
    encoder, project = (
        mlp(rows.shape[1], HIDDEN, LATENT).to(device),
        mlp(LATENT, 128, 64).to(device),
    )
    weights = [*encoder.parameters(), *project.parameters()]
    optimizer = torch.optim.Adam(weights, lr=LR, fused=True)
    for index in torch.randperm(len(rows), device=device).split(batch_size):
        x = rows[index]
        optimizer.zero_grad()
        nt_xent(project(encoder(torch.cat([swapped(x), swapped(x)])))).backward()
        optimizer.step()


def mixed_table(n_rows):
    """Numbers, levels, counts with many zeros, and missing cells."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(Table(n_rows, 6).raw).add_prefix("number")
    for name, n_levels in (("few", 4), ("some", 30), ("many", 300)):
        frame[name] = np.char.add("level", draw.integers(n_levels, size=n_rows).astype(str))
    frame["count"] = draw.poisson(2.0, n_rows) * (draw.random(n_rows) < 0.5)
    return frame.mask(draw.random(frame.shape) < 0.02)


def grid(table, device, n_jobs=None):
    encoder = estimator_of_ours(AutoencoderTransformer, TABLES["S"][2], 0, device)
    search = GridSearchCV(
        encoder, {"latent_dim": LATENT_DIMS}, cv=KFold(FOLDS), refit=False, n_jobs=n_jobs
    )
    search.fit(table.raw)


# Each piece gives contenders by name, functions without arguments, and what they are asked to do.


def table_piece(name, options):
    n_rows, n_columns, epochs = TABLES[name]
    n_rows = scaled(n_rows, options)
    table = Table(n_rows, n_columns)
    _ = table.scaled
    device, fits = options.device, {OURS: ours(AutoencoderTransformer), BARE: bare_autoencoder}
    if device == "cuda":
        fits[GRAPHED] = graphed_autoencoder
    if name != "10M":  # these would take an hour
        fits |= {"skorch": skorch_autoencoder, "PyOD": pyod_autoencoder}
    contenders = {what: partial(fit, table, epochs, 0, device) for what, fit in fits.items()}
    contenders[ON_CPU] = partial(ours(AutoencoderTransformer), table, epochs, 0, "cpu")
    return contenders, f"autoencoder, {n_rows:,} x {n_columns}, {epochs} epochs"


def on_both(fit, options):
    return {OURS: partial(fit, options.device), ON_CPU: partial(fit, "cpu")}


def images_piece(options):
    n_rows = scaled(20_000, options)
    X = np.random.default_rng(0).random((n_rows, 1, 28, 28), dtype=np.float32)

    def fit(device):
        ContrastiveTransformer(rows=Images(X.shape[1:]), max_epochs=1, device=device).fit(X)

    return on_both(fit, options), f"contrastive, {n_rows:,} images of 28 x 28, 1 epoch"


def contrastive_piece(options):
    n_rows = scaled(500_000, options)
    table = Table(n_rows, 100)
    size = min(CONTRASTIVE_BATCH, n_rows)

    def fit(device):
        encoder = estimator_of_ours(ContrastiveTransformer, 1, 0, device)
        encoder.set_params(batch_size=size).fit(table.raw)

    contenders = on_both(fit, options)
    contenders[BARE] = partial(contrastive_by_hand, table.scaled, size, options.device)
    return contenders, f"contrastive, {n_rows:,} x 100, batches of {size:,}, 1 epoch"


def mixed_piece(options):
    n_rows = scaled(200_000, options)
    frame = mixed_table(n_rows)

    def fit(device):
        VAETransformer(max_epochs=1, device=device).fit(frame)

    return on_both(fit, options), f"VAE, {n_rows:,} rows of 10 mixed columns, 1 epoch"


def detector_piece(options):
    n_rows = scaled(50_000, options)
    frame = mixed_table(n_rows)

    def fit(device):
        OutlierDetector(VAETransformer(device=device)).fit(frame)

    return on_both(fit, options), f"detector around a VAE, {n_rows:,} rows of 10 mixed columns"


def grid_piece(options):
    n_rows = scaled(TABLES["S"][0], options)
    table = Table(n_rows, TABLES["S"][1])
    _ = table.raw
    contenders = {OURS: partial(grid, table, options.device)}
    contenders[f"{ON_CPU}, two cores"] = partial(grid, table, "cpu", 2)
    return contenders, f"grid of {len(LATENT_DIMS) * FOLDS} fits of S"


PIECES = {
    **{name: partial(table_piece, name) for name in TABLES},
    "images": images_piece,
    "contrastive": contrastive_piece,
    "mixed": mixed_piece,
    "detector": detector_piece,
    "grid": grid_piece,
}


def scaled(n_rows, options):
    return max(FEWEST_ROWS, int(n_rows * options.rows_scale))


def main(arguments=None, folder=RESULTS):
    options = parse(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("There is no GPU here. --device cpu --rows-scale 0.001 tries the program.")
    deadline = time.monotonic() + options.seconds
    record = {} if options.again else read(options.name, folder)
    record |= {"machine": machine(options.device), "versions": versions()}
    record |= {"device": options.device, "rows_scale": options.rows_scale}
    record.setdefault("skipped", [])
    pieces = record.setdefault("pieces", {})
    for first in (bare_autoencoder, ours(AutoencoderTransformer)):
        # What a first fit of a process loads is no part of what is measured.
        first(Table(FEWEST_ROWS, 8), 1, 0, options.device)
    for name in options.pieces:
        if all_there(pieces.get(name), options):
            continue
        if time.monotonic() > deadline:
            print(f"{name}, and what follows, is for the next call", flush=True)
            break
        contenders, asked = PIECES[name](options)
        piece = pieces.setdefault(name, {"asked": asked, "contenders": [], "seconds": {}})
        piece["contenders"] = list(contenders)
        for what, function in contenders.items():
            done = piece["seconds"].setdefault(what, [])
            while len(done) < options.repeats and time.monotonic() < deadline:
                with left_out_if_it_fails(what, record):
                    done.append(timed(function, options.device)[0])
                if not done:
                    piece["contenders"].remove(what)
                    break
                print(f"{name}: {what} {done[-1]:.3g} s", flush=True)
                write(options.name, record, markdown, folder)
    write(options.name, record, markdown, folder)
    return record


def all_there(piece, options):
    """Whether each contender of a piece has been measured as often as asked."""
    return piece is not None and all(
        len(piece["seconds"].get(what, [])) >= options.repeats for what in piece["contenders"]
    )


def markdown(record):
    """Medians of the rounds, and how much of the time of ours each takes."""
    lines = [
        f"# What a GPU is for: {record['machine'].get('gpu', 'tried on a CPU')}",
        "",
        "Seconds by the clock, kernels included, medians; `python benchmarks/gpu.py`.",
        "",
        *(f"- {what}: {', '.join(map(str, values.items()))}" for what, values in said(record)),
        *(f"- {line}" for line in record["skipped"]),
    ]
    for name, piece in record["pieces"].items():
        medians = {what: np.median(s) for what, s in piece["seconds"].items() if s}
        rows = [
            [what, f"{median:.3g}", f"{median / medians.get(OURS, np.nan):.2f}"]
            for what, median in medians.items()
        ]
        lines += ["", f"## {name}: {piece['asked']}", ""]
        lines.append(markdown_table(["", "s", "x ours"], rows))
    return "\n".join(lines) + "\n"


def said(record):
    return [(what, record[what]) for what in ("machine", "versions")]


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", default="gpu_large", help="of the files written to results/")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--pieces", nargs="+", choices=PIECES, default=list(PIECES))
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=500.0, help="nothing begins after these")
    parser.add_argument("--rows-scale", type=float, default=1.0, help="share of the rows")
    parser.add_argument("--again", action="store_true", help="forget what was measured before")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
