"""
Windows of a time series as rows
================================

A sensor's two signals belong together. When do they no longer? Windows of the series
are rows of a kind of their own, with a convolutional network, and a detector judges
each.
"""

# %%
# A kind of row
# -------------
# A class says what networks such rows have. They get flat rows: ``plan`` says how
# many numbers go in and out.

import matplotlib.pyplot as plt
import numpy as np
from torch import nn

from sklearn_replearn import AutoencoderTransformer, OutlierDetector
from sklearn_replearn.rows import Arrays


class Windows(Arrays):
    hidden_layer_sizes = None  # there are none: an estimator then refuses them

    def encoder(self, plan, n_out, generator):
        channels, length = self.shape
        return nn.Sequential(
            nn.Unflatten(1, (channels, length)),
            nn.Conv1d(channels, 16, 5, padding=2),
            nn.ReLU(),
            nn.Conv1d(16, 16, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * length // 2, n_out),
        )

    def decoder(self, plan, generator):
        channels, length = self.shape
        return nn.Sequential(
            nn.Linear(plan.latent_dim, 16 * length // 2),
            nn.ReLU(),
            nn.Unflatten(1, (16, length // 2)),
            nn.Upsample(scale_factor=2),
            nn.Conv1d(16, channels, 5, padding=2),
            nn.Flatten(),
        )


# %%
# Fit to windows in which all was well
# ------------------------------------
# Two signals of changing speed. In the part that is judged, one lags behind the other
# for a while, and later both are clipped. Windows do not overlap, so that each is a
# row by itself; arrays have channels first.

random = np.random.default_rng(0)
length, n_good, n_new = 32, 250, 60
time = np.arange((n_good + n_new) * length)
turn = np.cumsum(2 * np.pi / 20 * (1 + 0.2 * np.sin(time / 240)))
lags, clipped = (slice(start, start + 200) for start in (8400, 9200))
lag = np.ones(len(time))
lag[lags] += 1.5
series = np.stack([np.sin(turn), np.sin(turn - lag) + 0.4 * np.sin(2 * turn)])
series[:, clipped] = series[:, clipped].clip(-0.5, 0.5)
series += 0.2 * random.normal(size=series.shape)

windows = series.reshape(2, -1, length).transpose(1, 0, 2)
good, new = windows[:n_good], windows[n_good:]
encoder = AutoencoderTransformer(latent_dim=6, rows=Windows((2, length)), max_epochs=25)
detector = OutlierDetector(encoder, rows=Windows((2, length))).fit(good)
flat = OutlierDetector().fit(good.reshape(n_good, -1))
p_values = {
    "autoencoder of windows": detector.p_values(new),
    "default detector of flat rows": flat.p_values(new.reshape(n_new, -1)),
}

# %%
# P-values along time
# -------------------
# Both detectors find the lag (the first grey stretch). The autoencoder does not find
# the clipped stretch: what is smaller than usual it can decode as well. The p-values
# of the default detector, which needs no network, are all below 0.05 there.

begin = n_good * length
figure, axes = plt.subplots(3, figsize=(7, 5), sharex=True, layout="constrained")
axes[0].plot(time[begin:], series[:, begin:].T, linewidth=0.7)
axes[0].set_ylabel("signals")
for ax, (title, p) in zip(axes[1:], p_values.items(), strict=True):
    ax.semilogy(time[begin::length] + length / 2, p, ".-")
    ax.axhline(0.01, color="0.5", linewidth=1)
    ax.set(title=title, ylabel="p-value")
for ax in axes:
    for stretch in (lags, clipped):
        ax.axvspan(stretch.start, stretch.stop, color="0.9")
axes[-1].set_xlabel("time")

# %%
# When not: try the default detector on flat rows first. A kind of row of your own is
# for networks that the package does not have, and serves all three transformers, also
# as a step of a Pipeline. Windows that overlap are no rows by themselves: where the
# detector holds out one, others hold the same cells, and p-values are not to be relied
# on. Where the level of a series moves, by season or drift, windows move with it and are
# called anomalous: take the level of each window away first. As a DataFrame, whose
# columns are named by signal and hour, windows have reasons that can be read.
