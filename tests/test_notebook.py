"""What a notebook shows of an estimator: links and tooltips."""

import importlib
import inspect
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import sklearn
from quick import quick
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_html_repr
from test_docs import OBJECTS, ROOT

import sklearn_replearn
from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    OutlierDetector,
    RepresentationImputer,
    VAETransformer,
)
from sklearn_replearn._runtime.documentation import DOCUMENTATION, PAGE, place_of
from sklearn_replearn.augmentations import Compose, GaussianNoise, SwapNoise
from sklearn_replearn.objectives import IWAE
from sklearn_replearn.outliers import LowDensity, NearestDistance, Trimmed
from sklearn_replearn.rows import Table

#: Scikit-learn shows parameters in a table since 1.7, and what each means since 1.8.
describes = pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 8), reason="it shows no table"
)
WITH_PARAMETERS = [
    cls
    for cls in dict.fromkeys(OBJECTS)
    if inspect.isclass(cls) and issubclass(cls, BaseEstimator) and not inspect.isabstract(cls)
]
SMALL = quick(AutoencoderTransformer)
NESTED = [
    VAETransformer(rows=Table(scaling="robust"), objective=IWAE(), latent_dim=2, max_epochs=2),
    AutoencoderTransformer(corruption=Compose([SwapNoise(), GaussianNoise()]), max_epochs=2),
    quick(ContrastiveTransformer),
    RepresentationImputer(quick(VAETransformer)),
    OutlierDetector(judges=[NearestDistance(), Trimmed(LowDensity())]),
    EncoderClassifier(SMALL),
    EncoderRegressor(SMALL, fine_tune="full"),
    make_pipeline(RepresentationImputer(SMALL), EncoderClassifier(SMALL)),
    GridSearchCV(EncoderClassifier(SMALL), {"fine_tune": [False]}, cv=2),
]


def instance(cls):
    """One with default parameters, and 3 for those that have none."""
    parameters = inspect.signature(cls).parameters.values()
    wanted = [p.name for p in parameters if p.default is p.empty and p.kind != p.VAR_POSITIONAL]
    return cls(**dict.fromkeys(wanted, 3))


def undescribed(shown):
    """Names in the tables of a view without a tooltip."""
    cells = re.findall(r'<td class="param">(.*?)</td>', shown, flags=re.DOTALL)
    bare = [cell for cell in cells if "param-doc-description" not in cell]
    return len(cells), [re.sub("<.*?>", "", cell).strip() for cell in bare]


@pytest.mark.parametrize("cls", WITH_PARAMETERS, ids=lambda cls: cls.__name__)
def test_every_class_links_to_where_it_is_described(cls):
    link = instance(cls)._get_doc_link()
    assert f'href="{link}"' in estimator_html_repr(instance(cls))
    module, name = place_of(cls)["module"], cls.__name__
    assert link == f"{PAGE.split('{')[0]}{module}.{name}.html"
    listed = (ROOT / "docs" / "reference" / f"{module.rpartition('.')[2]}.rst").read_text()
    assert f"\n   {name}\n" in listed  # from which the page is made, see tests/docs


@describes
@pytest.mark.parametrize("cls", WITH_PARAMETERS, ids=lambda cls: cls.__name__)
def test_every_parameter_has_a_link_and_a_tooltip(cls):
    shown = estimator_html_repr(instance(cls))
    n_shown, bare = undescribed(shown)
    names = inspect.signature(cls).parameters
    assert (n_shown, bare) == (len(names), [])
    page = Path(inspect.getsourcefile(cls)).read_text().replace("\\\n", "").replace("`", "")
    for name, text in re.findall(r'#:~:text=([^",]+),-([^"]+)"', shown):
        assert f"    {name} : {unquote(text)}" in page


@describes
@pytest.mark.parametrize("estimator", NESTED, ids=lambda estimator: type(estimator).__name__)
def test_parts_and_what_fit_learned_have_tooltips_too(estimator):
    X = np.random.default_rng(0).normal(size=(40, 4))
    fitted = estimator.fit(X, np.arange(40) % 2)
    shown = estimator_html_repr(fitted)
    n_shown, bare = undescribed(shown)
    assert n_shown > len(fitted.get_params(deep=False))
    assert bare == []
    for name, value in estimator.get_params().items():
        if isinstance(value, Table | IWAE):  # its parameters stand below, and are copied by name
            assert f"<summary>{name}: {type(value).__name__}</summary>" in shown
            assert all(f"'{name}__{inner}'" in shown for inner in value.get_params())


def test_a_class_of_a_users_links_to_no_page_of_ours():
    class Own(AutoencoderTransformer):
        pass

    assert Own()._get_doc_link() == ""
    assert "Own" in estimator_html_repr(Own())


def test_classes_are_named_by_the_module_they_are_imported_from():
    for cls in WITH_PARAMETERS:
        place = place_of(cls)
        assert getattr(importlib.import_module(place["module"]), place["name"]) is cls
        assert "._" not in place["module"]
    assert place_of(OutlierDetector)["module"] == "sklearn_replearn"


def test_the_documentation_is_where_the_project_says():
    project = (ROOT / "pyproject.toml").read_text()
    assert f'Documentation = "{DOCUMENTATION}"' in project
    assert set(sklearn_replearn.__all__) > {cls.__name__ for cls in map(type, NESTED[:6])}
