"""
A Pipeline without Python: ONNX
===============================

Does a fitted pipeline give the same when it is computed by ``onnxruntime``, which
also runs in C++, Java, JavaScript or on a phone, and how long does one row take?
"""

# %%
# Convert and run
# ---------------
# A raw table goes in: numbers, strings and missing cells. The model has an input for
# each column; ``inputs_for`` makes them of a frame.

import time

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
import pandas as pd
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn.onnx import inputs_for, to_onnx

X, y = load_wine(return_X_y=True, as_frame=True)
levels = ["light", "mid", "strong"]
X["alcohol"] = pd.cut(X["alcohol"], [0, 12.5, 13.5, 20], labels=levels)
X.loc[::7, "hue"] = np.nan
train, test = X[::2], X[1::2]

encoder = AutoencoderTransformer(latent_dim=8, max_epochs=60)
pipeline = make_pipeline(encoder, LogisticRegression()).fit(train, y[::2])


def session_of(fitted):
    model = to_onnx(fitted, train)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


session = session_of(pipeline)
labels, probabilities = session.run(None, inputs_for(session, test))
print("labels are equal:", np.array_equal(labels, pipeline.predict(test)))
for entry in session.get_inputs()[:2]:
    print(entry.name, entry.type, entry.shape)

# %%
# The same codes
# --------------
# A transformer alone has a model, too. Its codes lie on those of ``transform``: the
# largest difference is in the title.

encoder_session = session_of(pipeline[0])
(codes,) = encoder_session.run(None, inputs_for(encoder_session, test))
expected = pipeline[0].transform(test)

figure, ax = plt.subplots(figsize=(4.5, 4), layout="constrained")
ax.plot(expected.ravel(), codes.ravel(), ".", alpha=0.5)
ax.axline((0, 0), slope=1, color="0.7", linewidth=1, zorder=0)
ax.set(xlabel="codes by transform", ylabel="codes by onnxruntime", aspect="equal")
ax.set_title(f"off by at most {np.abs(codes - expected).max():.0e}")

# %%
# How long it takes
# -----------------
# ``predict_proba`` checks and reads a frame first, which takes about as long for one
# row as for a hundred; a model has its inputs given. The more rows there are, the
# less this counts.


def milliseconds(call, given, n_runs):
    """Median time of a call."""
    seconds = []
    for _ in range(n_runs):
        start = time.perf_counter()
        call(given)
        seconds.append(time.perf_counter() - start)
    return 1000 * np.median(seconds)


def run(inputs):
    return session.run(None, inputs)


sizes = [1, 10, 100, 1000, 10_000]
python, onnx = [], []
for size in sizes:
    rows = test.sample(size, replace=True, random_state=0)
    n_runs = 30 if size < 1000 else 5
    python.append(milliseconds(pipeline.predict_proba, rows, n_runs))
    onnx.append(milliseconds(run, inputs_for(session, rows), n_runs))

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.loglog(sizes, python, "o-", label=f"predict_proba: {python[0]:.2g} ms for one row")
ax.loglog(sizes, onnx, "s-", label=f"onnxruntime: {onnx[0]:.2g} ms for one row")
ax.set(xlabel="rows", ylabel="milliseconds (one thread)")
ax.legend()

# %%
# When not: as long as Python serves the model, ``predict_proba`` needs no second file
# to be kept in step, and for tables of many rows there is little to be gained. Some
# things have no model, such as ``impute``, ``sample`` and the ``score_samples`` of
# ``VAETransformer``: ``to_onnx`` then says so.
