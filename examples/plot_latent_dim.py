"""
How wide should the code be?
============================

The score of a search against ``latent_dim``, with one standard error over the folds. The narrowest
code whose score is within one standard error of the best is marked: folds do not tell these apart.
"""

# %%
# Here the score is the log-likelihood of rows held out. A search over a pipeline, with
# ``enc__latent_dim``, is drawn in the same way.

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from sklearn_replearn import VAETransformer
from sklearn_replearn.inspection import LatentDimDisplay

X, _ = load_digits(return_X_y=True)
search = GridSearchCV(VAETransformer(max_epochs=10), {"latent_dim": [1, 2, 4, 8, 16, 32]}, cv=4)
search.fit(X[:400])

display = LatentDimDisplay.from_estimator(search)
display.ax_.set_ylabel("log-likelihood of a row held out (nats)")
print(f"best: {display.best_latent_dim}, within one standard error: {display.latent_dim_1se}")
plt.show()
