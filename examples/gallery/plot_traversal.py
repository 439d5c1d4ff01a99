"""
What each code does
===================

Rows decoded along one code, the other codes at their mean: a latent traversal. Images stand side by
side; of a table it shows which columns change, and by how many of their standard deviations.
"""

# %%
# Images
# ------
# The digits are flat rows of 64 pixels, so the display is told what they are. Those codes are shown
# along which the images change most.

from sklearn.datasets import load_digits, load_wine

from sklearn_replearn import VAETransformer
from sklearn_replearn.inspection import TraversalDisplay, code_traversal

digits = load_digits().data
vae = VAETransformer(latent_dim=8, max_epochs=10).fit(digits[:900])
TraversalDisplay.from_estimator(vae, digits[:900], image_shape=(8, 8))

# %%
# A table
# -------
# Red is more of a column, blue is less. Here a measurement was cut into three levels: of categories
# the level is written that is decoded, on grey where it is another one than at the mean.

wine = load_wine(as_frame=True).data
levels = ["light", "medium", "strong"]
wine["alcohol"] = [levels[(x > 12.5) + (x > 13.5)] for x in wine["alcohol"]]
vae = VAETransformer(latent_dim=4, max_epochs=40).fit(wine)
display = TraversalDisplay.from_estimator(vae, wine)

# %%
# The same as a table, in the units of its columns:

print(code_traversal(vae, wine, codes=[0], n_steps=5).iloc[:, :5].round(2))
