"""
Can noise be taken out of images?
=================================

A denoising autoencoder is given rows with noise and learns to give back the rows
without it. It is told what kind of noise: that is the ``corruption``.
"""

# %%
# Rows of fit are clean: the corruption is drawn anew in each update. Pixels are shares
# of the brightest one, with cross-entropy as the error, so that they are not scaled.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn.augmentations import GaussianNoise

X = load_digits().data / 16
train, test = X[:1200], X[1200:]
noise = np.random.RandomState(0).normal(size=test.shape)

noise_of_fit = GaussianNoise(0.25)
encoder = AutoencoderTransformer(loss="bce", corruption=noise_of_fit, max_epochs=150)
encoder.fit(train)


def cleaned(model, rows):
    return model.inverse_transform(model.transform(rows))


# %%
# Digits that fit has not seen, drawn from white (0 and below) to black (1 and above).
# PCA is given the number of components that is best for these very rows.
noisy = test + 0.25 * noise
rows = {
    "clean": test,
    "noisy": noisy,
    "PCA": cleaned(PCA(20).fit(train), noisy),
    "autoencoder": cleaned(encoder, noisy),
}
_, axes = plt.subplots(4, 10, figsize=(8, 3.4), layout="constrained")
for line, (name, images) in zip(axes, rows.items(), strict=True):
    for ax, image in zip(line, images[::60], strict=True):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")

# %%
# Other strengths of noise: the autoencoder stays the one of 0.25, of PCA it is the best
# for each. With little noise PCA is better: digits lose more in the narrow code than
# noise takes from them. Do without where noise is weak, or of a kind you cannot make.
strengths = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4]
pcas = [PCA(k).fit(train) for k in (4, 6, 8, 10, 15, 20, 30, 40, 64)]


def error(model, strength):
    return np.sqrt(np.mean((cleaned(model, test + strength * noise) - test) ** 2))


_, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.plot(strengths, strengths, ":", color="grey", label="noisy")
best = [min(error(pca, strength) for pca in pcas) for strength in strengths]
ax.plot(strengths, best, "s-", label="PCA, best of nine widths")
errors = [error(encoder, strength) for strength in strengths]
ax.plot(strengths, errors, "o-", label="autoencoder")
ax.axvline(0.25, color="grey", lw=0.8)
ax.set_xlabel("deviation of the noise (line: that of fit)")
ax.set_ylabel("error of a pixel (RMS)")
ax.legend()
print(f"error at 0.25: PCA {best[5]:.3f}, autoencoder {errors[5]:.3f}")
