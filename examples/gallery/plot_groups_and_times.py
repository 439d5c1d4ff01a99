"""
Which rows are alike: groups and times
======================================

A contrastive encoder calls two views of one row alike. Where rows belong to a person,
or follow each other in time, such rows can be called alike instead: codes then keep
what these rows have in common, and little else.
"""

# %%
# Visits of a person
# ------------------
# Each of 60 people came 12 times. Behind 16 measurements are four traits of the
# person and, half as strong again, four conditions of the day. ``groups`` says who is
# who. With ``reconstruction_weight=0`` nothing else is asked of the codes; by default
# codes of a table are also to make its rows decodable, which keeps some of the day.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from sklearn_replearn import ContrastiveTransformer

random = np.random.default_rng(0)
person = np.repeat(np.arange(60), 12)
trait = random.normal(size=(60, 4))[person]
day = 1.5 * random.normal(size=(len(person), 4))
X = np.hstack([trait, day]) @ random.normal(size=(8, 16))
X += 0.3 * random.normal(size=X.shape)
known = person < 40  # the other 20 people are new

encoder = ContrastiveTransformer(latent_dim=4, reconstruction_weight=0, max_epochs=40)
codes = {
    "views of a row": encoder.fit(X[known]).transform(X),
    "visits of a person": encoder.fit(X[known], groups=person[known]).transform(X),
}

# %%
# Six of the people whom fit has not seen, a colour and a marker each: with ``groups``
# their visits lie together. Below is how often the nearest of all visits of the 20
# new people is one of the same person.


def nearest_is_same(rows, person):
    """Share of rows whose nearest other row is of the same person."""
    _, nearest = NearestNeighbors(n_neighbors=1).fit(rows).kneighbors()
    return np.mean(person[nearest[:, 0]] == person)


figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
for ax, (title, code) in zip(axes, codes.items(), strict=True):
    plane = PCA(n_components=2).fit(code[known]).transform(code)
    for number, marker in zip(range(40, 46), "osD^vP", strict=True):
        ax.scatter(*plane[person == number].T, marker=marker, s=25)
    share = nearest_is_same(code[~known], person[~known])
    ax.set(title=title, xticks=[], yticks=[])
    ax.set_xlabel(f"nearest visit is of the same person: {share:.0%}")

print(f"measurements as they are: {nearest_is_same(X[~known], person[~known]):.0%}")

# %%
# Neighbours in time
# ------------------
# A machine goes through a cycle of 200 rows, while its load differs from row to row.
# ``times`` makes up to ten rows before and after each row alike
# (``n_time_neighbors``).

time = np.arange(800)
turn = 2 * np.pi * time / 200
load = random.normal(size=(len(time), 2))
X = np.column_stack([np.cos(turn), np.sin(turn), load]) @ random.normal(size=(4, 10))
X += 0.1 * random.normal(size=X.shape)

encoder = ContrastiveTransformer(latent_dim=2, reconstruction_weight=0, max_epochs=40)
codes = {
    "views of a row": encoder.fit(X).transform(X),
    "neighbours in time": encoder.fit(X, times=time).transform(X),
}
figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
for ax, (title, code) in zip(axes, codes.items(), strict=True):
    ax.scatter(*code.T, c=time % 200, s=8, cmap="twilight")
    ax.set(title=title, xlabel="code 0", ylabel="code 1")
figure.colorbar(axes[0].collections[0], ax=axes, label="place in the cycle")

# %%
# When not: what differs within a group, here the day, is what these codes forget. If
# the next step asks about it, leave ``groups`` out. And rows of one group belong on
# one side of a split (``GroupKFold``), or scores are those of people whom fit knew.
