"""
Are p-values what they promise?
===============================

Of normal rows a share ``alpha`` should have a p-value of at most ``alpha``: that is the rate of
false alarms. Their curve should go along the diagonal, within the band that chance allows.
"""

# %%
# Rows that fit has not seen, some of which are anomalies:

import numpy as np
from sklearn.datasets import load_breast_cancer

from sklearn_replearn import OutlierDetector
from sklearn_replearn.inspection import PValueDisplay

X, is_benign = load_breast_cancer(return_X_y=True)
random = np.random.RandomState(0)
benign = random.permutation(np.flatnonzero(is_benign))
detector = OutlierDetector().fit(X[benign[:200]])

rows = np.concatenate([benign[200:], np.flatnonzero(is_benign == 0)])
y = np.where(is_benign[rows], 1, -1)
display = PValueDisplay.from_estimator(detector, X[rows], y)

# %%
# False alarms at a few thresholds, and how far they may be off by chance:

for alpha in (0.01, 0.05, 0.2):
    print(f"alpha {alpha}: {display.share_below(alpha):.3f} of normal rows")
print(f"within the band: ± {display.half_width:.3f}")
