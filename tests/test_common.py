"""scikit-learn's own checks, on every transformer with every objective and corruption."""

import importlib
import math
import os

import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_replearn import (
    AutoencoderTransformer,
    ContrastiveTransformer,
    EncoderClassifier,
    EncoderRegressor,
    OutlierDetector,
    RepresentationImputer,
    VAETransformer,
)
from sklearn_replearn.augmentations import (
    Compose,
    CutMix,
    FeatureSubsets,
    GaussianNoise,
    Identity,
    MaskFeatures,
    MixUp,
    SwapNoise,
)
from sklearn_replearn.objectives import (
    BYOL,
    DCL,
    BarlowTwins,
    KLSparsity,
    L1Sparsity,
    NTXent,
    SimSiam,
    TopKSparsity,
    VICReg,
)
from sklearn_replearn.rows import Table

small = {"latent_dim": 2, "hidden_layer_sizes": (8,), "max_epochs": 3}
# A check wants a regressor to explain half of the targets that it learned from.
able = {"latent_dim": 10, "hidden_layer_sizes": (64,), "max_epochs": 40}

ESTIMATORS = [
    AutoencoderTransformer(**small),
    AutoencoderTransformer(**small, loss="bce", rows=Table(scaling="minmax")),
    AutoencoderTransformer(**small, corruption=GaussianNoise()),
    AutoencoderTransformer(**small, corruption=MaskFeatures()),
    AutoencoderTransformer(**small, corruption=SwapNoise()),
    AutoencoderTransformer(**small, corruption=MaskFeatures(value=math.nan)),
    AutoencoderTransformer(**small, corruption=Compose([SwapNoise(), GaussianNoise()])),
    AutoencoderTransformer(**small, sparsity=L1Sparsity()),
    AutoencoderTransformer(**small, sparsity=KLSparsity()),
    AutoencoderTransformer(**small, sparsity=TopKSparsity(k=1)),
    AutoencoderTransformer(
        **small, rows=Table(scaling="robust"), gradient_clip=1.0, optimizer="sgd"
    ),
    VAETransformer(**small),
    VAETransformer(**small, beta=4.0, scale=0.5, rows=Table(scaling="quantile")),
    VAETransformer(**small, likelihood="bernoulli", rows=Table(scaling="minmax")),
    ContrastiveTransformer(**small),
    ContrastiveTransformer(**small, augmentation=(Identity(), SwapNoise(0.6))),
    ContrastiveTransformer(**small, augmentation=CutMix()),
    ContrastiveTransformer(**small, augmentation=MixUp()),
    ContrastiveTransformer(**small, augmentation=FeatureSubsets()),
    ContrastiveTransformer(**small, augmentation=MaskFeatures(value=math.nan)),
    ContrastiveTransformer(**small, objective=DCL()),
    ContrastiveTransformer(**small, objective=NTXent(learn_temperature=True)),
    ContrastiveTransformer(**small, objective=NTXent(queue_size=64)),
    ContrastiveTransformer(**small, objective=NTXent(beta=1.0, tau_plus=0.1)),
    ContrastiveTransformer(**small, objective=BYOL()),
    ContrastiveTransformer(**small, objective=SimSiam()),
    ContrastiveTransformer(**small, objective=BarlowTwins()),
    ContrastiveTransformer(**small, objective=VICReg()),
    EncoderClassifier(AutoencoderTransformer(**small)),
    EncoderClassifier(AutoencoderTransformer(**small), fine_tune="linear_probe"),
    EncoderClassifier(AutoencoderTransformer(**small), fine_tune="full"),
    EncoderRegressor(AutoencoderTransformer(**able)),
    EncoderRegressor(AutoencoderTransformer(**able), fine_tune="linear_probe"),
    EncoderRegressor(AutoencoderTransformer(**able), fine_tune="full"),
    RepresentationImputer(VAETransformer(**small)),
    RepresentationImputer(AutoencoderTransformer(**small), add_indicator=True),
    OutlierDetector(),
    OutlierDetector(novelty=False),
    OutlierDetector(VAETransformer(**small)),
    OutlierDetector(AutoencoderTransformer(**small), novelty=False),
    OutlierDetector(PCA(1)),
]

# What scikit-learn runs on its own estimators and leaves out of check_estimator.
KEPT_TO_ITSELF = [
    "check_dataframe_column_names_consistency",
    "check_estimators_overwrite_params",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_inplace_ensure_writeable",
    "check_n_features_in_after_fitting",
    "check_param_validation",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]

pytestmark = [
    # The checks fit on tables of noise, on which a code may rightly be called collapsed.
    pytest.mark.filterwarnings("ignore:The codes collapsed"),
    # Of fewer than 19 rows none can be called anomalous.
    pytest.mark.filterwarnings("ignore:No row can be called anomalous at alpha=0.05"),
    # Raised by scikit-learn, for tables that a check passes without names on purpose.
    pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names"),
]


@parametrize_with_checks(ESTIMATORS)
def test_check_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", KEPT_TO_ITSELF)
@pytest.mark.parametrize(
    "estimator",
    [AutoencoderTransformer(**small), VAETransformer(**small), ContrastiveTransformer(**small)],
    ids=lambda estimator: type(estimator).__name__,
)
def test_checks_scikit_learn_keeps_to_itself(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


def test_nothing_is_skipped_for_want_of_a_package_or_a_variable():
    assert os.environ["SCIPY_ARRAY_API"] == "1"
    for package in ("array_api_strict", "pandas", "polars", "pyarrow"):
        importlib.import_module(package)
