"""
How wide should the code be?
============================

The score of a search against ``latent_dim``, with one standard error over the folds. The narrowest
code whose score is within one standard error of the best is marked: folds do not tell these apart.
"""

# %%
# Here the score is the accuracy of a classifier on codes of rows held out. A search for the
# transformer alone, by its own score, is drawn in the same way.

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn.inspection import LatentDimDisplay

X, y = load_digits(return_X_y=True)
encoder = AutoencoderTransformer(max_epochs=20)
pipe = Pipeline([("enc", encoder), ("clf", LogisticRegression())])
search = GridSearchCV(pipe, {"enc__latent_dim": [2, 4, 8, 16, 32]}, cv=4).fit(X[:400], y[:400])

display = LatentDimDisplay.from_estimator(search)
display.ax_.set_ylabel("accuracy on rows held out")
print(f"best: {display.best_latent_dim}, within one standard error: {display.latent_dim_1se}")
