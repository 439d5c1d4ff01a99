"""
Codes of images from views that are alike
=========================================

A contrastive encoder sees two changed views of each image and learns to tell that they
are the same image. What views have in common is what its codes keep.
"""

# %%
# The views
# ---------
# By default they are crops with changes of brightness and contrast. They are named here
# in order to draw them. What a view changes, codes forget: do not mirror digits.

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits

from sklearn_replearn import ContrastiveTransformer
from sklearn_replearn.augmentations import ColorJitter, Compose, RandomResizedCrop
from sklearn_replearn.metrics import linear_probe
from sklearn_replearn.rows import Images

X, y = load_digits(return_X_y=True)
X = X / 16
train, test, y_train, y_test = X[:1200], X[1200:], y[:1200], y[1200:]
views = Compose([RandomResizedCrop(), ColorJitter()])

images = torch.tensor(train[:8].reshape(-1, 1, 8, 8), dtype=torch.float32)
generator = torch.Generator().manual_seed(0)
_, axes = plt.subplots(4, 8, figsize=(8, 4), layout="constrained")
for i, line in enumerate(axes):
    drawn = views(images, generator) if i else images
    for ax, image in zip(line, drawn, strict=True):
        ax.imshow(image[0].numpy(), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel("view" if i else "image", rotation=0, ha="right", va="center")

# %%
# What they are good for
# ----------------------
# Accuracy of a linear classifier, mean of five draws of the labels. With few labels
# codes are ahead of pixels. The more labels there are, the less is gained: with all of
# them, pixels do nearly as well in a fraction of the time.
encoder = ContrastiveTransformer(
    latent_dim=32,
    rows=Images((1, 8, 8)),
    augmentation=views,
    max_epochs=15,
)
sides = {
    "codes": (encoder.fit_transform(train), encoder.transform(test)),
    "pixels": (train, test),
}
n_labels = [1, 2, 5, 10, 20, 50]


def accuracy(halves, n, n_draws):
    rows, test_rows = halves
    arguments = rows, y_train, test_rows, y_test, n
    return np.mean([linear_probe(*arguments, draw) for draw in range(n_draws)])


_, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
for name, halves in sides.items():
    ax.plot(n_labels, [accuracy(halves, n, 5) for n in n_labels], "o-", label=name)
    print(f"{name}: {accuracy(halves, None, 1):.3f} with all labels")
ax.set(xscale="log", xlabel="labels a class", ylabel="accuracy on rows held out")
ax.set_xticks(n_labels, map(str, n_labels))
ax.minorticks_off()
ax.legend()
