"""
A map of codes
==============

``LatentMapDisplay`` draws a point for each row, close where their codes are alike, and the
principal components of the table itself beside it.
"""

from sklearn.datasets import load_diabetes, load_digits

from sklearn_replearn import AutoencoderTransformer, VAETransformer
from sklearn_replearn.inspection import LatentMapDisplay
from sklearn_replearn.rows import Table

# %%
# Two code columns are the axes of the map. Colours and markers are the digits, which the encoder
# has not seen. Pixels lie between white and black: for columns with limits there is "bernoulli".
# Other settings draw other maps: of eight, this one was chosen by eye.
X, y = load_digits(return_X_y=True)
encoder = VAETransformer(
    latent_dim=2, likelihood="bernoulli", rows=Table(scaling="minmax"), max_epochs=40
).fit(X)
LatentMapDisplay.from_estimator(encoder, X, y, beside="pca")

# %%
# Of more columns the map has the first two principal components, and says how much of the variance
# they show. ``method="umap"`` draws neighbours instead, with the package umap-learn. Labels that
# are numbers are colours of a scale.
table, progression = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
encoder = AutoencoderTransformer(latent_dim=4, max_epochs=40).fit(table)
display = LatentMapDisplay.from_estimator(encoder, table, progression)
print(display.axis_names)
