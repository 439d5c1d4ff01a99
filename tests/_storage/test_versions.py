"""What other versions stored: read, warned of, or refused with a sentence."""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning

import sklearn_replearn
from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    OutlierDetector,
    RepresentationImputer,
    VAETransformer,
    load,
    save,
)

FILES = Path(__file__).parent / "files"
X = np.random.default_rng(0).normal(size=(30, 3))
small = {"latent_dim": 2, "hidden_layer_sizes": (4,), "max_epochs": 2}
ESTIMATORS = [
    AutoencoderTransformer(**small),
    VAETransformer(**small),
    ContrastiveTransformer(**small),
    OutlierDetector(),
    EncoderClassifier(AutoencoderTransformer(**small)),
    RepresentationImputer(AutoencoderTransformer(**small)),
]
every_estimator = pytest.mark.parametrize(
    "estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__
)


@pytest.fixture
def stored(estimator):
    return clone(estimator).fit(X, np.arange(30) % 2)


@every_estimator
def test_the_version_is_stored_and_another_major_one_warns(stored, tmp_path, monkeypatch):
    path = tmp_path / "model"
    data = pickle.dumps(stored)
    save(stored, path)
    assert sklearn_replearn.__version__.encode() in data
    for version in ("0.2.9", "0.2.0rc1"):
        monkeypatch.setattr(sklearn_replearn, "__version__", version)
        assert type(pickle.loads(data)) is type(load(path)) is type(stored)
    for version in ("0.3.0", "1.0.0", "0.20.1"):
        monkeypatch.setattr(sklearn_replearn, "__version__", version)
        for read in (lambda: pickle.loads(data), lambda: load(path)):
            with pytest.warns(
                InconsistentVersionWarning, match=rf"stored by sklearn_replearn 0\.2.*by {version}"
            ):
                assert read().get_params().keys() == stored.get_params().keys()


def test_from_the_first_version_on_the_first_number_counts(monkeypatch):
    monkeypatch.setattr(sklearn_replearn, "__version__", "1.0.0")
    data = pickle.dumps(AutoencoderTransformer())
    monkeypatch.setattr(sklearn_replearn, "__version__", "1.7.3")
    pickle.loads(data)
    monkeypatch.setattr(sklearn_replearn, "__version__", "2.0.0")
    with pytest.warns(InconsistentVersionWarning):
        pickle.loads(data)


@every_estimator
def test_parameters_that_came_since_have_their_defaults(stored):
    state = stored.__getstate__()
    name = next(iter(stored.get_params(deep=False)))
    default = type(stored)().get_params()[name]
    del state[name]
    state["gone_since"] = 3
    again = object.__new__(type(stored))
    again.__setstate__(state)
    assert again.get_params()[name] == default
    assert repr(again) and clone(again).get_params()[name] == default
    assert not hasattr(again, "gone_since")


@pytest.mark.parametrize(
    "name",
    [
        "0.1.0-array.pickle",
        pytest.param(
            "0.1.0.pickle",
            marks=pytest.mark.skipif(
                int(pd.__version__[0]) < 3,
                reason="it holds a dtype of pandas 3, which pandas 2 cannot read",
            ),
        ),
    ],
)
def test_what_was_stored_before_0_2_is_refused_with_a_sentence(name):
    with pytest.raises(ValueError, match=r"before 0\.2.*fit again"):
        pickle.loads((FILES / name).read_bytes())


@pytest.mark.parametrize("version", ["0.2.0"])
def test_models_of_each_release_are_read(version):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        models = [
            load(FILES / f"{version}.safetensors"),
            pickle.loads((FILES / f"{version}.pickle").read_bytes()),
        ]
    rows = np.load(FILES / f"{version}.npz")
    table = models[0].inverse_transform(rows["codes"])
    for model in models:
        np.testing.assert_allclose(model.transform(table), rows["codes_again"], rtol=1e-5)
        np.testing.assert_allclose(model.score_samples(table), rows["scores"], rtol=1e-4)
