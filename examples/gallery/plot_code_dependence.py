"""
Which columns a code depends on
===============================

A column's cells are exchanged among the rows, and the rows are encoded again: how far do they move
in the ranks of a code? 0 is not at all, 1 is as far as by chance.
"""

# %%
# Every code beside every column
# ------------------------------

from sklearn.datasets import load_wine

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn.inspection import CodeDependenceDisplay, code_dependence

X = load_wine(as_frame=True).data
encoder = AutoencoderTransformer(latent_dim=4, max_epochs=40).fit(X)
CodeDependenceDisplay.from_estimator(encoder, X)

# %%
# Columns that belong together
# ----------------------------
# Columns that tell the same vouch for each other: exchange one of them, and the code still knows
# from the others. Exchanged together they show what they weigh.

phenols = {"phenols": ["total_phenols", "flavanoids", "nonflavanoid_phenols", "proanthocyanins"]}
CodeDependenceDisplay.from_estimator(encoder, X, groups=phenols)

# %%
# As a frame, of which the column that matters most for each code:

print(code_dependence(encoder, X, groups=phenols).idxmax())
