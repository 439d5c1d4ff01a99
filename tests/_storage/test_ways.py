"""Twelve kinds of fitted estimators by seven ways out: the table of docs/guide/storing.md."""

import io
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import onnxruntime
import pandas as pd
import pytest
import scipy.sparse as sp
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    OutlierDetector,
    VAETransformer,
    load,
    save,
    trusted_types,
)
from sklearn_replearn.onnx import inputs_for, to_onnx
from sklearn_replearn.rows import Images, Tokens

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "storing.md"
ROWS = 48
quick = {"latent_dim": 2, "max_epochs": 2}
small = quick | {"hidden_layer_sizes": (8,)}
rng = np.random.default_rng(0)
numeric = rng.normal(size=(ROWS, 4))
mixed = pd.DataFrame(
    {"amount": np.exp(numeric[:, 0]), "kind": rng.choice(["a", "b", "c"], ROWS)}
).assign(since=pd.date_range("2024", periods=ROWS))
missing = mixed.where(rng.random((ROWS, 3)) > 0.2)
y = np.tile(["no", "yes"], ROWS // 2)
pipeline = make_pipeline(VAETransformer(**small), LogisticRegression())
KINDS = {
    "numeric": (AutoencoderTransformer(**small), numeric),
    "mixed": (VAETransformer(**small), mixed),
    "missing": (AutoencoderTransformer(**small), missing),
    "sparse": (VAETransformer(**small), sp.csr_matrix(rng.poisson(0.5, (ROWS, 12)) * 1.0)),
    "image": (AutoencoderTransformer(**quick, rows=Images((1, 8, 8))), rng.random((ROWS, 64))),
    "token": (AutoencoderTransformer(**quick, rows=Tokens(9)), rng.integers(0, 9, (ROWS, 5))),
    "contrastive": (ContrastiveTransformer(**small), numeric),
    "detector": (OutlierDetector(), numeric),
    "detector of frames": (OutlierDetector(), mixed),
    "classifier": (EncoderClassifier(ContrastiveTransformer(**small)), mixed),
    "pipeline": (pipeline, mixed),
    "search": (GridSearchCV(pipeline, {"vaetransformer__latent_dim": [1, 2]}, cv=2), mixed),
}
WAYS = ("pickle", "joblib", "skops", "save", "MLflow", "ONNX", "without pyarrow")


def results(model, X):
    """What an estimator says of rows."""
    for method in ("predict_proba", "decision_function", "transform"):
        if hasattr(model, method):
            return getattr(model, method)(X)
    raise AssertionError(model)


def ways_of_python(model, folder):
    """The model after each way within Python."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    save(model, folder / "model.safetensors")
    skops.io.dump(model, folder / "model.skops")
    assert set(skops.io.get_untrusted_types(file=folder / "model.skops")) <= set(trusted_types())
    return {
        "pickle": pickle.loads(pickle.dumps(model)),
        "joblib": joblib.load(buffer),
        "skops": skops.io.load(folder / "model.skops", trusted=trusted_types()),
        "save": load(folder / "model.safetensors"),
    }


def by_onnx(model, X):
    """What ONNX says of rows, or the text of the error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of skl2onnx, about names of its own
            converted = to_onnx(model, X)
    except (NotImplementedError, TypeError, ValueError) as error:
        return str(error)
    session = onnxruntime.InferenceSession(converted.SerializeToString())
    return session.run(None, inputs_for(session, X))[-1]


IN_ANOTHER_PROCESS = """
import sys, warnings
sys.path[:0] = {paths!r}
if sys.argv[2] == "without pyarrow":
    from hiding import hide_pyarrow
    hide_pyarrow()
import joblib
from pathlib import Path
import numpy as np
import pandas as pd
folder = Path(sys.argv[1])
from sklearn_replearn import load, trusted_types
def results(model, X):
    for method in ("predict_proba", "decision_function", "transform"):
        if hasattr(model, method):
            return getattr(model, method)(X)
wrong = []
for name, model, X, expected in joblib.load(folder / "all.joblib"):
    X = pd.DataFrame(X) if isinstance(X, dict) else X
    if sys.argv[2] == "MLflow":
        warnings.simplefilter("ignore")
        import mlflow.pyfunc, mlflow.sklearn
        path = str(folder / name)
        mlflow.sklearn.save_model(
            model, path, skops_trusted_types=trusted_types(), pip_requirements=[],
        )
        others = [mlflow.sklearn.load_model(path)]
        if hasattr(model, "predict"):  # of transformers pyfunc calls nothing
            labels = mlflow.pyfunc.load_model(path).predict(X)
            assert np.array_equal(labels, model.predict(X))
    else:
        others = [model, load(folder / (name + ".safetensors"))]
    if not all(np.array_equal(results(other, X), expected) for other in others):
        wrong.append(name)
print("wrong:", wrong)
"""


@pytest.fixture(scope="module")
def fitted():
    found = {}
    for name, (model, X) in KINDS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # so few rows, so short
            model.fit(X, y)
        found[name] = model, X, results(model, X)
    return found


@pytest.fixture(scope="module")
def table(fitted, tmp_path_factory):
    """What each kind of estimator gives after each way: "same", or a text."""
    folder = tmp_path_factory.mktemp("ways")
    found = {name: {} for name in fitted}
    for name, (model, X, expected) in fitted.items():
        for way, back in ways_of_python(model, folder).items():
            found[name][way] = "same" if np.array_equal(results(back, X), expected) else "other"
        (folder / "model.safetensors").rename(folder / f"{name}.safetensors")
        said = by_onnx(model, X)
        if not isinstance(said, str):
            difference = np.abs(np.reshape(said, expected.shape) - expected).max()
            said = "1e-5" if difference <= 1e-5 * max(1, np.abs(expected).max()) else "other"
        found[name]["ONNX"] = said
    # Frames as lists, because those of pandas need pyarrow to be read, whatever the model needs.
    parts = [
        (name, model, X.to_dict("list") if isinstance(X, pd.DataFrame) else X, expected)
        for name, (model, X, expected) in fitted.items()
    ]
    joblib.dump(parts, folder / "all.joblib")
    for way in ("MLflow", "without pyarrow"):
        here = Path(__file__)
        code = IN_ANOTHER_PROCESS.format(paths=[str(here.parents[2]), str(here.parent)])
        ended = subprocess.run(
            [sys.executable, "-c", code, str(folder), way], capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr[-3000:]
        assert ended.stdout.strip().endswith("wrong: []"), ended.stdout
        for name in found:
            found[name][way] = "same"
    return found


def test_the_table_of_the_page(table):
    rows = re.findall(r"^\| ([a-z ]+?) \| (.*) \|$", PAGE.read_text(), flags=re.M)
    page = {name: cells.split(" | ") for name, cells in rows if name in KINDS}
    said = {name: [ways[way] for way in WAYS] for name, ways in table.items()}
    assert page == said, "\n".join(
        f"| {name} | {' | '.join(cells)} |" for name, cells in said.items()
    )
