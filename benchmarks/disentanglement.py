"""Which objective of a VAE finds the factors that images were made from, and at which cost.

    python benchmarks/disentanglement.py

Sprites are made here: a bright ellipse on 16 x 16 pixels, of four factors that are drawn apart
from each other: position across and down, size, and angle. Five seeds an objective, 10 values of
code, the default network of tables. Of 1,000 images that were not trained on: the mutual
information gap and DCI of the codes, the bound of the log-likelihood in nats, values of the code
that are used, seconds of the fit. It writes results/disentanglement.json and .md, in about eight
minutes on one core.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from _markdown import table_of
from _record import RESULTS, write

from sklearn_replearn import VAETransformer
from sklearn_replearn.metrics import dci, mutual_information_gap
from sklearn_replearn.objectives import ELBO, IWAE, BetaTCVAE, CapacityELBO, InfoVAE

FACTORS, SIDE, SEEDS = ("x", "y", "size", "angle"), 16, 5
N_TRAIN, N_TEST, N_SCORED = 3000, 1000, 300
OBJECTIVES = {
    "ELBO": ELBO(),
    "ELBO, beta 4": ELBO(beta=4.0),
    "BetaTCVAE, beta 6": BetaTCVAE(beta=6.0),
    "InfoVAE": InfoVAE(),
    "CapacityELBO, 10 nats": CapacityELBO(capacity=10.0),
    "IWAE, 8 samples": IWAE(n_samples=8),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    runs = []
    for seed in range(SEEDS):
        for name, objective in OBJECTIVES.items():
            runs.append({"objective": name, "seed": seed, **measured(objective, seed)})
            print(runs[-1], flush=True)
    write("disentanglement", {"runs": runs}, markdown, args.results)


def sprites(n, seed):
    """Images, flat, of pixels within [0, 1], and the factors they were made from."""
    random = np.random.RandomState(seed)
    factors = random.uniform(size=(n, len(FACTORS)))
    x, y, size, angle = factors.T[:, :, None, None]
    down, across = np.mgrid[:SIDE, :SIDE] + 0.5
    across, down = across - (4 + 8 * x), down - (4 + 8 * y)
    # Half a turn would bring the ellipse back to itself; of a third it is told which.
    turn = np.pi / 3 * angle
    long, short = (
        np.cos(turn) * across + np.sin(turn) * down,
        np.cos(turn) * down - np.sin(turn) * across,
    )
    radius = 1.5 + 1.5 * size
    distance = np.sqrt((long / (1.5 * radius)) ** 2 + (short / (0.75 * radius)) ** 2)
    images = 1 / (1 + np.exp(6 * (distance - 1)))
    return images.reshape(n, -1), factors


def measured(objective, seed):
    """Figures of one fit."""
    images, factors = sprites(N_TRAIN + N_TEST, seed)
    train, test = images[:N_TRAIN], images[N_TRAIN:]
    vae = VAETransformer(
        10, objective=objective, likelihood="bernoulli", prior="normal", random_state=seed
    )
    start = time.process_time()
    vae.fit(train)
    seconds = time.process_time() - start
    mean, std = vae.posterior(test)
    kl = 0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std)).mean(axis=0)
    told = dci(mean, factors[N_TRAIN:])
    return {
        "MIG": mutual_information_gap(mean, factors[N_TRAIN:]),
        **told._asdict(),
        "bound": vae.score(test[:N_SCORED]),
        "kl": float(kl.sum()),
        "used": int((kl > 0.1).sum()),
        "s": seconds,
    }


def markdown(record):
    """What the runs of each objective have in common."""
    rows = []
    for name in OBJECTIVES:
        runs = [run for run in record["runs"] if run["objective"] == name]
        row = {"objective": name}
        for figure in list(runs[0])[2:]:
            values = np.array([run[figure] for run in runs], dtype=float)
            row[figure] = f"{values.mean():.3g} ± {values.std():.1g}"
            if figure == "bound":
                row[figure] = f"{values.mean():.2f} ± {values.std():.2f}"
        rows.append(row)
    return (
        "# Disentanglement\n\nWritten by `benchmarks/disentanglement.py`: 3,000 sprites of "
        f"{SIDE} x {SIDE} pixels and four factors ({', '.join(FACTORS)}), 10 values of code; mean "
        f"and deviation over {SEEDS} seeds. MIG and DCI of the posterior means of 1,000 images "
        "that were not trained on; the bound is in nats an image, of 300 of them. Used are values "
        f"of the code that tell more than 0.1 nats.\n\n{table_of(rows)}\n"
    )


if __name__ == "__main__":
    main()
