"""What estimators say that they take is what they take."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from quick import quick
from sklearn.base import clone
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    OutlierDetector,
    RepresentationImputer,
    VAETransformer,
)
from sklearn_replearn.rows import Arrays, Images, Rows, Table, Tokens


class Own(Rows):
    """Rows of a user's, without an encoding of missing cells."""


KINDS = {
    "default": None,
    "own": Own(),
    "arrays": Arrays((2, 4)),
    "images": Images((1, 2, 4)),
    "tokens": Tokens(5),
}
TRANSFORMERS = [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
CELLS = np.random.default_rng(0).integers(0, 5, size=(24, 8)).astype(float)
Y = np.arange(24) % 2


def wrapped(transformer):
    """Everything that is fitted to what a transformer takes."""
    return [
        RepresentationImputer(transformer),
        OutlierDetector(transformer, rows=transformer.rows),
        EncoderClassifier(transformer),
        EncoderRegressor(transformer, fine_tune="full"),
    ]


ESTIMATORS = [
    pytest.param(estimator, id=f"{kind}-{type(estimator).__name__}")
    for kind, rows in KINDS.items()
    for estimator in (
        *(quick(cls, rows=rows, max_epochs=1) for cls in TRANSFORMERS),
        *wrapped(quick(AutoencoderTransformer, rows=rows, max_epochs=1)),
    )
]
OTHERS = [
    OutlierDetector(),
    OutlierDetector(rows=Images((1, 2, 4))),
    OutlierDetector(PCA(2)),
    EncoderClassifier(PCA(2)),
    EncoderRegressor(TruncatedSVD(2)),
    EncoderClassifier(quick(AutoencoderTransformer), passthrough=True),
]


def tables():
    """By the tag that says whether it is taken."""
    holes = CELLS.copy()
    holes[3, 2] = np.nan
    words = pd.DataFrame(CELLS).assign(**{"0": np.array(list("abcde"))[CELLS[:, 0].astype(int)]})
    words = words.drop(columns=0).rename(columns=str)
    return {
        "two_d_array": CELLS,
        "allow_nan": holes,
        "sparse": sp.csr_array(CELLS),
        "string": words,
        "categorical": words.astype({"0": "category"}),
        "three_d_array": CELLS.reshape(-1, 2, 4),
    }


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "estimator", ESTIMATORS + [pytest.param(e, id=type(e).__name__) for e in OTHERS]
)
def test_tags_say_what_fit_takes(estimator):
    tags = get_tags(estimator).input_tags
    for name, X in tables().items():
        if getattr(tags, name):
            assert get_tags(clone(estimator).fit(X, Y)).input_tags == tags
        else:
            with pytest.raises((TypeError, ValueError)):
                clone(estimator).fit(X, Y)


def test_tables_are_of_strings_and_categories_and_images_are_not():
    of_tables, of_images = (get_tags(VAETransformer(rows=KINDS[k])) for k in ("default", "images"))
    for name in ("allow_nan", "sparse", "string", "categorical"):
        assert getattr(of_tables.input_tags, name)
        assert not getattr(of_images.input_tags, name)
    assert get_tags(VAETransformer(rows=Table())).input_tags == of_tables.input_tags


def test_a_frozen_transformer_takes_what_it_took():
    fitted = quick(AutoencoderTransformer, rows=Images((1, 2, 4))).fit(CELLS)
    around = (
        EncoderClassifier(FrozenEstimator(fitted)),
        RepresentationImputer(FrozenEstimator(fitted)),
    )
    for estimator in around:
        assert get_tags(estimator).input_tags == get_tags(fitted).input_tags


def test_tags_can_be_asked_for_before_a_parameter_is_refused():
    assert get_tags(VAETransformer(rows="no rows")).input_tags.string
