"""
How wide should the code be?
============================

The score of a search against ``latent_dim``, with one standard error over the folds. The narrowest
code whose score is within one standard error of the best is marked: folds do not tell the two apart.
"""

# %%
# A classifier behind the encoder, or the encoder's own likelihood: any search will do.

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn.inspection import LatentDimDisplay

X, y = load_digits(return_X_y=True)
steps = [("enc", AutoencoderTransformer(max_epochs=5)), ("clf", LogisticRegression(max_iter=500))]
search = GridSearchCV(Pipeline(steps), {"enc__latent_dim": [2, 4, 8, 16, 32, 64]}, cv=4)
search.fit(X[:500], y[:500])

display = LatentDimDisplay.from_estimator(search)
print(f"best: {display.best_latent_dim}, within one standard error: {display.latent_dim_1se}")
plt.show()
