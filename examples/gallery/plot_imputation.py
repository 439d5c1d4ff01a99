"""
Filling missing cells, beside other imputers
============================================

A fifth of the cells of three tables is removed, and filled in again. How far off is
what is filled in, and does it vary as much as what was removed?
"""

# %%
# Each imputer on each table
# --------------------------
# What ``impute`` fills in are expected values; with ``n_draws`` it draws from what a
# cell may have been. ``IterativeImputer`` can draw, too.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import VAETransformer

tables = {
    "diabetes": load_diabetes().data,
    "breast cancer": load_breast_cancer().data,
    "digits": load_digits().data[:400, 18:46],
}
imputers = {
    "SimpleImputer": SimpleImputer(),
    "KNNImputer": KNNImputer(),
    "IterativeImputer": IterativeImputer(max_iter=50, tol=0.05),
}
imputers["IterativeImputer, drawn"] = IterativeImputer(
    max_iter=5, sample_posterior=True, random_state=0
)
random = np.random.default_rng(0)
error, spread = pd.DataFrame(), pd.DataFrame()
for name, X in tables.items():
    X = pd.DataFrame(StandardScaler().fit_transform(X))
    removed = random.random(X.shape) < 0.2
    left = X.mask(removed).to_numpy()
    filled = {title: imputer.fit_transform(left) for title, imputer in imputers.items()}
    vae = VAETransformer(latent_dim=8, max_epochs=40).fit(left)
    filled["VAETransformer"] = vae.impute(left)
    filled["VAETransformer, drawn"] = vae.impute(left, n_draws=1, random_state=0)[0]
    true = X.where(removed)
    for title, table in filled.items():
        cells = pd.DataFrame(table).where(removed)
        error.loc[title, name] = np.sqrt(np.nanmean((cells - true) ** 2))
        spread.loc[title, name] = np.sqrt(cells.var().sum() / true.var().sum())

# %%
# Left: the root mean squared error, in standard deviations of a column. Each of three
# imputers is the best on one table. Right: the standard deviation of what is filled
# in, in parts of that of the cells removed. Expected values mostly vary less than
# cells do, and those of ``SimpleImputer`` not at all. Draws keep the spread, and are
# further off.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, figures in zip(axes, (error, spread), strict=True):
    for (of_table, column), marker in zip(figures.items(), "osD", strict=True):
        ax.plot(column, column.index, marker, label=of_table)
    ax.grid(axis="y", color="0.9")
    ax.set_axisbelow(True)
axes[0].invert_yaxis()
axes[0].set_xlabel("error, in deviations of the column")
axes[1].axvline(1, color="0.7", linewidth=1)
axes[1].set_xlabel("spread, in parts of the true one")
axes[1].legend()

# %%
# What this means for two columns
# -------------------------------
# Half of a column is removed. Expected values lie on a line, and a correlation
# computed from them is too strong. Drawn cells scatter as the true ones do, within
# the range of the cells that were left, and their correlation is about the true one.
# Compute an estimate on several drawn tables: how much it differs among them says
# what the missing cells leave open.

X = load_diabetes(as_frame=True, scaled=False).data[["bmi", "bp", "s3", "s4", "s6"]]
removed = random.random(len(X)) < 0.5
left = X.assign(s4=X["s4"].mask(removed))
vae = VAETransformer(latent_dim=4, max_epochs=150).fit(left)
draws = vae.impute(left, n_draws=3, random_state=0)

figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), sharey=True, layout="constrained")
shown = {"true": X, "impute": vae.impute(left), "impute, drawn": draws[0]}
for ax, (title, table) in zip(axes, shown.items(), strict=True):
    ax.plot(table["s3"][~removed], table["s4"][~removed], ".", color="0.8")
    ax.plot(table["s3"][removed], table["s4"][removed], ".", color="C1")
    correlation = table["s3"].corr(table["s4"])
    ax.set(title=title, xlabel=f"s3 (correlation {correlation:.2f})", ylim=(1, 10))
axes[0].set_ylabel("s4 (orange: removed)")
print("of each drawn table:", *(f"{d['s3'].corr(d['s4']):.2f}" for d in draws))

# %%
# When not: a step that takes missing cells itself, such as gradient boosting, needs
# no imputer. Where columns depend on each other linearly, as in the measurements of
# breast cancer, take ``IterativeImputer``. And cells that are missing *because* of
# what is in them, such as high incomes, no imputer fills in rightly.
