"""
What does a sparse code stand for?
==================================

In a sparse code few columns are active in a row, so that a single column can stand for
a single thing. Here it is known which things there are: images are made from bars.
"""

# %%
# Each of 16 bars, 8 across and 8 down, is in an eighth of the images, more or less
# bright. Two are in an image on average.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn.objectives import KLSparsity, L1Sparsity, TopKSparsity

random = np.random.RandomState(0)
is_there = random.uniform(size=(2000, 16)) < 1 / 8
bars = is_there * random.uniform(0.5, 1, size=(2000, 16))
X = (bars[:, :8, None] + bars[:, None, 8:]).reshape(-1, 64)
train, test = X[:1000], X[1000:]

encoders = {
    "none": AutoencoderTransformer(latent_dim=16),
    "L1": AutoencoderTransformer(latent_dim=16, sparsity=L1Sparsity(0.1)),
    "KL": AutoencoderTransformer(latent_dim=16, sparsity=KLSparsity(0.06)),
    "top 4": AutoencoderTransformer(latent_dim=16, sparsity=TopKSparsity(4)),
}
for encoder in encoders.values():
    encoder.set_params(max_epochs=120).fit(train)

# %%
# What a column stands for: it alone is moved, from its median to its farthest value,
# and the change of the image is drawn, red for brighter, blue for darker. Without
# sparsity a column is a mixture of bars. With it some are a single bar, and with KL
# sparsity or only the four largest values kept, most are.
_, axes = plt.subplots(4, 16, figsize=(9, 2.6), layout="constrained")
n_active = {}
for line, (name, encoder) in zip(axes, encoders.items(), strict=True):
    codes = encoder.transform(test)
    middle = np.median(codes, axis=0)
    away = codes - middle
    farthest = away[np.abs(away).argmax(axis=0), np.arange(16)]
    n_active[name] = (np.abs(away) > np.abs(farthest) / 4).sum(axis=1)
    moved = encoder.inverse_transform(middle + np.diag(farthest))
    changes = moved - encoder.inverse_transform(middle[None])
    for ax, change in zip(line, changes, strict=True):
        ax.imshow(change.reshape(8, 8), cmap="RdBu_r", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")

# %%
# How many columns are active in an image: away from their median by more than a
# quarter of the farthest that they go. Sparse codes come nearer to the number of bars.
_, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
n_bars = is_there[1000:].sum(axis=1)
ax.bar(np.arange(17), np.bincount(n_bars, minlength=17), color="0.85", label="bars")
for (name, counts), marker in zip(n_active.items(), "osD^", strict=True):
    ax.plot(np.bincount(counts, minlength=17), marker=marker, label=name)
ax.set(xlabel="active columns, or bars, of an image", ylabel="images", xlim=(-1, 13))
ax.legend()

# %%
# Sparsity costs precision. Leave it out if nobody is to read the columns, or if rows
# are not made from a few of many things.
for name, encoder in encoders.items():
    print(f"{name:6} variance lost: {-encoder.score(test):.2%}")
