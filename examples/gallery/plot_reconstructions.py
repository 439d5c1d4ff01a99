"""
Rows and what is decoded from their codes
=========================================

``ReconstructionDisplay`` draws rows above their reconstruction: images, or the cells of a table
with the error of each as colour.
"""

from sklearn.datasets import load_digits, load_wine

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn.inspection import ReconstructionDisplay

# %%
# Images of 64 pixels, decoded from 8 numbers each.
digits = load_digits().data
encoder = AutoencoderTransformer(latent_dim=8, max_epochs=40).fit(digits)
ReconstructionDisplay.from_estimator(encoder, digits, image_shape=(8, 8), n_rows=10)

# %%
# The cells of a table: an error of 1 is what guessing from the column alone costs on average.
wine = load_wine(as_frame=True).data
encoder = AutoencoderTransformer(latent_dim=3, max_epochs=60).fit(wine)
display = ReconstructionDisplay.from_estimator(encoder, wine[::30])
print(display.error.mean().round(2))
