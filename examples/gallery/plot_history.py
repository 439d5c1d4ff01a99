"""
How training went
=================

``history_`` of a fitted estimator has a row for each epoch. ``HistoryDisplay`` draws it: terms of
one unit in one panel, validation rows dashed, and the epoch that early stopping went back to.
"""

from sklearn.datasets import load_wine

from sklearn_replearn import ContrastiveTransformer, VAETransformer
from sklearn_replearn.inspection import HistoryDisplay

X = load_wine(as_frame=True).data

# %%
# The two terms of a VAE are both in nats: what is gained in reconstruction is paid for in
# divergence from the prior.
vae = VAETransformer(latent_dim=4, early_stopping=True, max_epochs=80).fit(X)
display = HistoryDisplay.from_estimator(vae)
print(display.units, "kept:", display.kept_epoch)

# %%
# A contrastive encoder also records what is no part of its loss: how close views of a row are
# (alignment), how evenly codes are spread (uniformity), and the error of a decoder beside it.
contrastive = ContrastiveTransformer(latent_dim=4, early_stopping=True, max_epochs=80).fit(X)
HistoryDisplay.from_estimator(contrastive)
