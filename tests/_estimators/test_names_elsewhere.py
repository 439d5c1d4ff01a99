"""What is typed in other libraries is answered with what to type here, and nothing else changes."""

import copy
import inspect
import pickle
import re

import pytest
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.metaestimators import available_if

import sklearn_replearn
from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    OutlierDetector,
    RepresentationImputer,
    VAETransformer,
    augmentations,
    metrics,
    objectives,
    outliers,
    rows,
)
from sklearn_replearn._runtime.other_names import Estimator

TRANSFORMERS = [AutoencoderTransformer, ContrastiveTransformer, VAETransformer]
ESTIMATORS = [
    *TRANSFORMERS,
    OutlierDetector,
    EncoderClassifier,
    EncoderRegressor,
    RepresentationImputer,
]
NAMES = [(cls, name) for cls in ESTIMATORS for name in cls._other_names]
of_all = pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)


def own(cls):
    return {*inspect.signature(cls).parameters, *dir(cls)}


def test_these_are_all_estimators():
    public = {getattr(sklearn_replearn, name) for name in sklearn_replearn.__all__}
    assert {c for c in public if isinstance(c, type) and issubclass(c, BaseEstimator)} == set(
        ESTIMATORS
    )


@pytest.mark.parametrize(("cls", "name"), NAMES, ids=lambda part: getattr(part, "__name__", part))
def test_a_name_of_another_library_is_answered(cls, name):
    sentence = cls._other_names[name].format(cls=cls.__name__)
    assert name not in own(cls)
    first = re.escape(f"{cls.__name__}.__init__() got an unexpected keyword argument '{name}'. ")
    if cls is EncoderRegressor:  # whose parameters are those of the class below it
        first = first.replace("EncoderRegressor", "EncoderPredictor", 1)
    with pytest.raises(TypeError, match=f"^{first}{re.escape(sentence)}$"):
        cls(**{name: 1})
    first = re.escape(f"Invalid parameter '{name}' for estimator {cls.__name__}()")
    with pytest.raises(ValueError, match=f"^{first}.* {re.escape(sentence)}$"):
        cls().set_params(**{name: 1})
    first = re.escape(f"'{cls.__name__}' object has no attribute '{name}'. ")
    with pytest.raises(AttributeError, match=f"^{first}{re.escape(sentence)}$") as caught:
        getattr(cls(), name)
    assert caught.value.name == name
    assert not hasattr(cls(), name)


@pytest.mark.parametrize(
    ("cls", "name", "here"),
    [
        *((cls, name, "latent_dim=") for cls in ESTIMATORS for name in ("n_components", "z_dim")),
        *((cls, name, "max_epochs=") for cls in ESTIMATORS for name in ("epochs", "max_iter")),
        *((cls, "learning_rate", "lr=") for cls in ESTIMATORS),
        *((cls, "contamination", "OutlierDetector(") for cls in TRANSFORMERS),
        (ContrastiveTransformer, "temperature", "NTXent(temperature="),
        (VAETransformer, "kl_weight", "beta="),
        (VAETransformer, "seed", "sample(n_samples=100, random_state="),
        *((cls, "module", "encoder and decoder") for cls in TRANSFORMERS),
        (OutlierDetector, "decision_scores_", "-detector.score_samples(X)"),
        (OutlierDetector, "labels_", "detector.predict(X)"),
        (OutlierDetector, "threshold_", "-detector.offset_"),
        (AutoencoderTransformer, "sample", "VAETransformer().fit(X).sample("),
        (AutoencoderTransformer, "reconstruct", "inverse_transform(transform(X))"),
    ],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_the_answer_is_what_to_type(cls, name, here):
    assert here in cls._other_names[name].format(cls=cls.__name__)


HERE = {
    name: getattr(module, name)
    for module in (sklearn_replearn, augmentations, metrics, objectives, outliers, rows)
    for name in dir(module)
    if inspect.isclass(getattr(module, name))
} | {cls.__name__: cls for cls in (IsolationForest, GridSearchCV, LogisticRegression, Ridge)}


def calls(sentence):
    """Calls of classes in a sentence, from the name to the bracket that ends it."""
    for found in re.finditer(r"(?<![\w.])[A-Z]\w*\(", sentence):
        depth = 0
        for end in range(found.end() - 1, len(sentence)):
            depth += {"(": 1, ")": -1}.get(sentence[end], 0)
            if not depth:
                yield sentence[found.start() : end + 1]
                break


@of_all
def test_what_is_to_be_typed_can_be_typed(cls):
    for sentence in {s.format(cls=cls.__name__) for s in cls._other_names.values()}:
        for call in calls(sentence):
            if "torch." not in call:
                eval(call, dict(HERE))
        for name in re.findall(r"\b([a-z][a-z_]+_|[a-z_]+(?=\(X\)))(?![\w=])", sentence):
            of = [c for c in ESTIMATORS if c is cls or c.__name__ in sentence]
            of += TRANSFORMERS if "ransformer_" in sentence or "estimator_." in sentence else []
            known = any(hasattr(c, name) or name in inspect.getdoc(c) for c in of)
            assert known, (name, sentence)


def test_the_example_with_a_network_of_torch_trains():
    torch = pytest.importorskip("torch")
    sentence = VAETransformer._other_names["dropout"].format(cls="VAETransformer")
    (call,) = (call for call in calls(sentence) if call.startswith("VAE"))
    encoder = eval(call, {**HERE, "torch": torch}).set_params(latent_dim=1, max_epochs=1)
    assert encoder.fit_transform([[0.0, 1.0], [1.0, 0.5], [2.0, 0.0]]).shape == (3, 1)


# ---------------------------------------------------------------- any other name


@pytest.mark.parametrize(
    ("cls", "typed", "near"),
    [
        *((cls, "hidden_layers_size", "hidden_layer_sizes") for cls in TRANSFORMERS),
        *((cls, "Latent_Dim", "latent_dim") for cls in TRANSFORMERS),
        (OutlierDetector, "contaminaton", "contamination"),
        (EncoderClassifier, "pass_through", "passthrough"),
        (EncoderRegressor, "estimater", "estimator"),
        (RepresentationImputer, "add_indicators", "add_indicator"),
    ],
)
def test_a_slip_is_answered_with_the_nearest_name(cls, typed, near):
    with pytest.raises(TypeError, match=rf"keyword argument '{typed}'\. Did you mean {near}\?$"):
        cls(**{typed: 1})
    with pytest.raises(ValueError, match=rf"^Invalid parameter '{typed}'.* Did you mean {near}\?$"):
        cls().set_params(**{typed: 1})


@of_all
def test_a_name_that_nothing_is_known_of_fails_as_ever(cls):
    with pytest.raises(TypeError, match=r"got an unexpected keyword argument 'zzz'$"):
        cls(zzz=1)
    with pytest.raises(ValueError, match=r"Valid parameters are: \[.*\]\.$"):
        cls().set_params(zzz=1)
    with pytest.raises(AttributeError, match=r"object has no attribute 'zzz'$"):
        _ = cls().zzz


def test_each_of_several_names_is_answered_once():
    with pytest.raises(TypeError, match=r"'n_components'.*latent_dim=.*max_epochs=") as caught:
        VAETransformer(n_components=2, z_dim=2, epochs=3)
    assert str(caught.value).count("latent_dim=") == 1
    with pytest.raises(TypeError, match=r"argument 'epochs'\. The number of passes"):
        VAETransformer(zzz=2, epochs=3)


def test_methods_are_asked_too():
    with pytest.raises(TypeError, match=r"^VAETransformer.sample\(\).*'num_rows'.*n_samples="):
        VAETransformer().sample(num_rows=3)
    with pytest.raises(TypeError, match=r"fit\(\).*'epochs'.*VAETransformer\(max_epochs="):
        VAETransformer().fit([[0.0], [1.0]], epochs=3)
    with pytest.raises(TypeError, match=r"fit\(\).*'epochs'.*max_epochs="):
        VAETransformer().fit_transform([[0.0], [1.0]], epochs=3)


def test_a_parameter_of_the_estimator_is_none_of_fit():
    with pytest.raises(TypeError, match=r"estimator: OutlierDetector\(contamination=...\)\.$"):
        OutlierDetector().fit([[0.0], [1.0]], contamination=0.1)
    with pytest.raises(TypeError, match=r"estimator: VAETransformer\(max_epochs=...\)\.$"):
        VAETransformer().fit([[0.0], [1.0]], max_epochs=3)


def test_parts_answer_for_themselves():
    with pytest.raises(ValueError, match=r"VAETransformer\(max_epochs=100\)\.$"):
        OutlierDetector(VAETransformer()).set_params(estimator__epochs=3)
    pipeline = make_pipeline(AutoencoderTransformer(), LinearSVC())
    with pytest.raises(ValueError, match=r"AutoencoderTransformer\(latent_dim=8\)\.$"):
        pipeline.set_params(autoencodertransformer__n_components=3)


# ---------------------------------------------------------------- what has words of its own


def test_what_is_there_at_times_has_words_of_its_own():
    for cls in TRANSFORMERS:
        with pytest.raises(NotFittedError, match="not fitted yet"):
            _ = cls().history_
    with pytest.raises(
        AttributeError, match=r"^This 'EncoderClassifier' has no .*'predict_proba'$"
    ):
        _ = EncoderClassifier(estimator=LinearSVC()).predict_proba


class WithNames(VAETransformer, ClusterMixin):
    """What others have is had by a subclass of a user's."""

    def __init__(self, n_components=2, **others):
        super().__init__(n_components, **others)
        self.n_components = n_components

    @property
    def components_(self):
        raise AttributeError("no components of mine")

    @property
    def labels_(self):
        return [0, 1]


def test_a_subclass_may_have_names_of_others():
    mine = WithNames(n_components=3, beta=2.0)
    assert (mine.n_components, mine.latent_dim, mine.labels_) == (3, 3, [0, 1])
    assert callable(mine.fit_predict)
    with pytest.raises(AttributeError, match=r"^no components of mine$"):
        _ = mine.components_
    with pytest.raises(TypeError, match=r"'epochs'.*WithNames"):
        WithNames(epochs=3)

    class Strict(AutoencoderTransformer):
        def __init__(self, latent_dim=2, *, depth=1):
            super().__init__(latent_dim, hidden_layer_sizes=(8,) * depth)
            self.depth = depth

    assert clone(Strict(3, depth=2)).depth == 2
    with pytest.raises(TypeError, match=r"Strict\.__init__\(\).*'n_components'.*Strict\(latent"):
        Strict(n_components=3)


class Elsewhere:
    """Has names that are not written down."""

    def __getattr__(self, name):
        if name == "components_":
            return "found"
        raise AttributeError(f"nothing is called {name}")


class Mixed(VAETransformer, Elsewhere):
    """A function is one of the kinds of things that a class has by these names."""

    sample = None

    @available_if(lambda self: self.latent_dim == 1)
    def fit(self, X, y=None):
        return self


class Static(VAETransformer):
    @staticmethod
    def sample(n):
        return n


def test_a_subclass_may_have_anything_by_these_names():
    assert Mixed(1).fit([[0.0]]).sample is None and Static().sample(3) == 3
    assert not hasattr(Mixed(2), "fit")
    assert Mixed().components_ == "found"
    with pytest.raises(AttributeError, match=r"^nothing is called zzz$"):
        _ = Mixed().zzz
    with pytest.raises(AttributeError, match=r"^nothing is called labels_\. Anomalies are"):
        _ = Mixed().labels_


# ---------------------------------------------------------------- what does not change


@of_all
def test_signatures_are_as_they_are_written(cls):
    init = inspect.unwrap(cls.__init__)
    asked = list(inspect.signature(init).parameters.values())
    assert asked == list(inspect.signature(cls.__init__).parameters.values())
    assert asked[1:] == list(inspect.signature(cls).parameters.values())
    assert inspect.getfullargspec(cls.__init__) == inspect.getfullargspec(init)
    assert inspect.signature(cls.fit) == inspect.signature(inspect.unwrap(cls.fit))
    assert cls._get_param_names() == sorted(parameter.name for parameter in asked[1:])


@of_all
def test_copies_and_pickles_know_nothing_of_it(cls):
    bare = cls.__new__(cls)
    assert not hasattr(bare, "n_components")
    assert not hasattr(bare, "_model") and not hasattr(bare, "__array__")
    estimator = cls(verbose=1)
    for other in (
        copy.deepcopy(estimator),
        pickle.loads(pickle.dumps(estimator)),
        clone(estimator),
    ):
        assert vars(other) == vars(estimator)
        assert repr(other) == f"{cls.__name__}(verbose=1)"
    assert b"other_names" not in pickle.dumps(estimator)
    assert not set(cls._other_names) & set(dir(cls()))


def test_nothing_is_looked_up_for_names_that_are_there(monkeypatch):
    answer, missing = Estimator.__getattr__, []

    def noted(self, name):
        missing.append(name)
        return answer(self, name)

    monkeypatch.setattr(Estimator, "__getattr__", noted)
    fitted = AutoencoderTransformer(1, max_epochs=1).fit([[0.0], [1.0]])
    assert fitted.transform([[0.5]]).shape == (1, 1) and fitted.n_iter_ == 1
    public = {name for name in missing if not name.startswith("_")}
    assert public == {"feature_names_in_"}  # which arrays have not
