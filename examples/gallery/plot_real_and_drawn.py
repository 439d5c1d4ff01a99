"""
Real rows against drawn ones
============================

``SampleDisplay`` shows what a model draws beside what it was fitted to: each column, how columns
depend on each other, and pairs of them.
"""

from sklearn.datasets import load_diabetes

from sklearn_replearn import VAETransformer
from sklearn_replearn.inspection import SampleDisplay

X = load_diabetes(as_frame=True, scaled=False).data
X["sex"] = X["sex"].map({1.0: "one", 2.0: "two"})
vae = VAETransformer(latent_dim=6, max_epochs=60).fit(X)

# %%
# Each column in common bins: numbers as histograms, categories as bars.
display = SampleDisplay.from_estimator(vae, X)
print({name: round(column.distance, 2) for name, column in display.marginals.items()})

# %%
# Pairs of columns: a model can have each column right and not what they say about each other.
display.plot(kind="associations")

# %%
display.plot(kind="pairs", columns=[("s1", "s2"), ("s3", "s4")])
