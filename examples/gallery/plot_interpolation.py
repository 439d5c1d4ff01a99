"""
What lies between two digits?
=============================

Half of one row and half of another is no row: a mean of pixels shows both digits at
once. Between their codes the decoder makes an image for each step.
"""

# %%
# ``interpolate`` decodes codes along the straight line between those of two rows.
# Beside it the pixels themselves are mixed.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from sklearn_replearn import VAETransformer

X, y = load_digits(return_X_y=True)
X = X / 16
train, test, digit = X[:1200], X[1200:], y[1200:]
vae = VAETransformer(latent_dim=16, likelihood="bernoulli", max_epochs=200).fit(train)


def mixed(a, b, n_steps):
    share = np.linspace(0, 1, n_steps)[:, None]
    return (1 - share) * a + share * b


pairs = [[test[digit == one][1] for one in pair] for pair in ((0, 4), (3, 8), (2, 7))]
_, axes = plt.subplots(6, 9, figsize=(8, 5.6), layout="constrained")
lines = [between(a, b, 9) for a, b in pairs for between in (vae.interpolate, mixed)]
for i, (line, images) in enumerate(zip(axes, lines, strict=True)):
    for ax, image in zip(line, images, strict=True):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    name = "pixels" if i % 2 else "codes"
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")

# %%
# Which is more like a digit? For 300 pairs of unlike digits, the distance from each
# step to the nearest digit of fit. In the middle codes are nearer. Some of that is
# blur: at the ends, too, a decoded digit is nearer than the digit itself. Look at a
# model in this way; to make new rows, draw them with ``sample``.
nearest = NearestNeighbors(n_neighbors=1).fit(train)
random = np.random.RandomState(0)
ways = {"codes": vae.interpolate, "pixels": mixed}
distances: dict[str, list] = {name: [] for name in ways}
while len(distances["pixels"]) < 300:
    a, b = random.choice(len(test), size=2)
    if digit[a] != digit[b]:
        for name, between in ways.items():
            steps = between(test[a], test[b], 9)
            distances[name].append(nearest.kneighbors(steps)[0][:, 0])
_, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for name, of_pairs in distances.items():
    ax.plot(np.linspace(0, 1, 9), np.mean(of_pairs, axis=0), "o-", label=name)
ax.set(xlabel="share of the second digit", ylabel="distance to the nearest digit")
ax.legend()
