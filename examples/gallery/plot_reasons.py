"""
What makes rows anomalous
=========================

A detector shares the surprise at a row among its cells. One row is drawn as bars, which say what
was expected; several are a heat map.
"""

# %%
# One row
# -------
# Measurements of a benign tumour, one of which was changed.

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

from sklearn_replearn import OutlierDetector
from sklearn_replearn.inspection import ReasonsDisplay

data = load_breast_cancer(as_frame=True)
benign = data.data[data.target == 1].iloc[:, :10]
malignant = data.data[data.target == 0].iloc[:, :10]
detector = OutlierDetector().fit(benign[:250])

row = benign[250:251].copy()
row["mean area"] = 1000.0
ReasonsDisplay.from_estimator(detector, row)

# %%
# Several rows
# ------------
# Rows are named by their index; a dot marks those that are known to be anomalies.

rows = pd.concat([malignant[:8], benign[250:258]])
ReasonsDisplay.from_estimator(detector, rows, np.repeat([-1, 1], 8))
