"""A bad value for any parameter of anything public is refused in words that name the parameter.

The walk finds what is public by itself: a parameter that is new and not checked fails here. Values
that are fine for a parameter are in ``FINE``, and each is tried, so that none outlives its reason.
"""

import inspect
import linecache
import warnings
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.decomposition import PCA

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
    likelihoods,
    losses,
    metrics,
    modules,
    objectives,
    outliers,
    priors,
    rows,
)
from sklearn_replearn.objectives.base import checked_heads

TABLE = np.random.RandomState(0).normal(size=(12, 4))
CLASSES = np.arange(12) % 2
CODES = np.zeros((12, 2))
QUICK = {"latent_dim": 2, "hidden_layer_sizes": (4,), "max_epochs": 1}


def takes_six(a, b, c, d, e, f):
    """A function that nothing here can call."""


BAD = {
    "none": None,
    "true": True,
    "minus one": -1,
    "zero": 0,
    "one": 1,
    "fraction": 1.5,
    "nan": float("nan"),
    "inf": float("inf"),
    "minus inf": float("-inf"),
    "400 digits": 10**400,
    "minus 400 digits": -(10**400),
    "complex": 1 + 2j,
    "beyond float32": 1e300,
    "word": "nonsense",
    "digits": "5",
    "bytes": b"nonsense",
    "empty list": [],
    "words": ["non", "sense"],
    "dict": {"non": "sense"},
    "set": {0.25, 0.5},
    "matrix": np.eye(2),
    "object": object(),
    "class": dict,
    "function": takes_six,
}
NO_ARRAYS = {
    "number": 5,
    "word": "nonsense",
    "bytes": b"nonsense",
    "object": object(),
    "class": dict,
    "function": takes_six,
    "dict": {"non": "sense"},
    "set": {1.0, 2.0},
}
BAD_TABLES = {
    "none": None,
    **NO_ARRAYS,
    "generator": (row for row in TABLE),
    "empty list": [],
    "one axis": TABLE[0],
    "three axes": TABLE[:, :, None],
    "ragged": [[1.0, 2.0, 3.0, 4.0], [1.0]],
    "no rows": TABLE[:0],
    "no columns": TABLE[:, :0],
    "a column more": np.hstack([TABLE, TABLE[:, :1]]),
    "complex": TABLE + 1j,
    "inf": np.where(TABLE > 1, np.inf, TABLE),
    "words": np.full(TABLE.shape, "nonsense"),
    "400 digits": [[10**400] * 4] * 12,
}
BAD_COLUMNS = {
    **NO_ARRAYS,
    "empty list": [],
    "too short": np.ones(11),
    "too long": np.ones(13),
    "matrix": np.ones((12, 2)),
    "three axes": np.ones((12, 1, 1)),
    "ragged": [[1.0], *[[1.0, 2.0]] * 11],
    "none": None,
    "objects": [object() for _ in range(12)],
    "complex": np.ones(12) + 1j,
    "inf": np.full(12, np.inf),
    "lists": [[1, 2], [3]] * 6,
}
BAD_TENSORS = {
    **{name: BAD[name] for name in ("none", "one", "word", "empty list", "matrix", "object")},
    "class": torch.Tensor,
    "whole": torch.ones((3, 2), dtype=torch.int64),
    "no axes": torch.tensor(1.0),
    "one axis": torch.ones(5),
    "three axes": torch.ones(3, 2, 2),
    "complex": torch.ones(3, 2, dtype=torch.complex64),
}


class Use(NamedTuple):
    """Something public: what it takes, how it is used, and good values for some parameters."""

    takes: object
    call: object
    good: dict = {}

    def parameters(self):
        """Names of parameters, with a good value for those that have one."""
        for name, parameter in inspect.signature(self.takes).parameters.items():
            kind = parameter.kind
            if name != "self" and kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                yield name, self.good.get(name, parameter.default)

    def required(self):
        """Good values for parameters that need one."""
        parameters = inspect.signature(self.takes).parameters.values()
        return {
            p.name: self.good[p.name]
            for p in parameters
            if p.default is p.empty and p.name in self.good
        }


GENERATOR = torch.Generator().manual_seed(0)
TENSOR, IMAGES, IDS = torch.rand(3, 2), torch.rand(3, 1, 4, 4), torch.tensor([[1, 2], [3, 0]])


def of_estimators():
    """Their constructors, which ``fit`` checks, and their methods."""
    for name in sklearn_replearn.__all__:
        cls = getattr(sklearn_replearn, name)
        if not isinstance(cls, type) or not hasattr(cls, "fit"):
            continue
        yield name, Use(cls, lambda cls=cls, **params: fitted_with(cls, **params))
        for method, function in inspect.getmembers(cls, callable):
            function = getattr(function, "__wrapped__", function)
            ours = (getattr(function, "__module__", None) or "").startswith("sklearn_replearn")
            if ours and not method.startswith("_") and method not in NOT_WALKED:
                good = {
                    "X": CODES if method == "inverse_transform" else TABLE,
                    "y": CLASSES,
                    "sample_weight": np.ones(12),
                    "groups": CLASSES,
                    "times": np.arange(12),
                    "x": TABLE[0],
                    "x_a": TABLE[0],
                    "x_b": TABLE[0],
                    "dimension": 0,
                    "alpha": 0.5,
                    "given": {0: 1.0},
                }
                yield f"{name}.{method}", Use(function, partial(asked, cls, method), good)


def fitted_with(cls, **params):
    """A small estimator, fitted to ``TABLE``."""
    if cls is OutlierDetector:
        little = (
            {} if {"estimator", "judges"} & params.keys() else {"judges": [outliers.LowDensity(1)]}
        )
    elif issubclass(cls, EncoderClassifier | EncoderRegressor):
        little = {"transformer": AutoencoderTransformer(**QUICK)}
    elif cls is RepresentationImputer:
        little = {"estimator": AutoencoderTransformer(**QUICK)}
    else:
        little = QUICK
    return cls(**{**little, **params}).fit(TABLE, CLASSES)


@cache
def fitted(cls):
    return fitted_with(cls)


def asked(cls, method, **params):
    """A method of an estimator that is fitted, or is a new one for ``fit``."""
    made = fitted(cls)
    return getattr(clone(made) if method == "fit" else made, method)(**params)


def of_augmentations():
    """Their constructors, which the first call checks, and their calls."""
    for name in augmentations.__all__:
        cls = getattr(augmentations, name)
        made = {
            "MaskTokens": {"mask_id": 9},
            "Compose": {"steps": [augmentations.SwapNoise()]},
        }.get(name, {})
        given = {
            "rows": TENSOR,
            "images": torch.rand(3, 3, 4, 4),
            "tokens": IDS,
            "generator": GENERATOR,
        }
        call = Use(cls.__call__, cls(**made), given)
        yield f"augmentations.{name}()", call

        def use(cls=cls, made=made, call=call, **params):
            return cls(**{**made, **params})(**call.required())

        yield f"augmentations.{name}", Use(cls, use, made)


def of_objectives():
    """Their constructors, which the fit of a transformer checks."""
    for name in objectives.__all__:
        cls = getattr(objectives, name)
        if hasattr(cls, "penalties"):

            def use(cls=cls, **params):
                return fitted_with(AutoencoderTransformer, sparsity=cls(**params))
        elif getattr(cls, "uses_posterior", False):

            def use(cls=cls, **params):
                return fitted_with(VAETransformer, objective=cls(**params))
        elif name == "Reconstruction":  # of a transformer of its own

            def use(cls=cls, **params):
                return checked_heads(cls(**params), torch.nn.Identity(), GENERATOR)
        else:

            def use(cls=cls, **params):
                return fitted_with(ContrastiveTransformer, objective=cls(**params))

        yield f"objectives.{name}", Use(cls, use)


def of_priors():
    """Their constructors, which the fit of a VAE checks."""
    for name in priors.__all__:
        cls = getattr(priors, name)

        def use(cls=cls, **params):
            return fitted_with(VAETransformer, prior=cls(**params))

        yield f"priors.{name}", Use(cls, use)


def of_rows():
    """Their constructors, which the fit of an estimator checks."""
    for name in rows.__all__:
        cls = getattr(rows, name)
        good = {
            "Images": {"shape": (1, 2, 2)},
            "Arrays": {"shape": (2, 2)},
            "Tokens": {"vocabulary_size": 9},
        }.get(name, {})
        beside = {} if name in ("Table", "Rows", "Arrays") else {"hidden_layer_sizes": "auto"}
        X = np.abs(TABLE.round()) if name == "Tokens" else TABLE

        def use(cls=cls, good=good, beside=beside, X=X, **params):
            made = cls(**{**good, **params})
            return AutoencoderTransformer(**{**QUICK, **beside}, rows=made).fit(X)

        yield f"rows.{name}", Use(cls, use, good)


def of_judges():
    """Their constructors, which the fit of the detector checks, and what they say."""
    for name in outliers.__all__:
        cls = getattr(outliers, name)
        if name not in ("Observations", "OutlierDetector", "Judge"):
            good = {
                "EstimatorScore": {"estimator": PCA(1)},
                "Trimmed": {"judge": outliers.LowDensity(1)},
            }.get(name, {})

            def use(cls=cls, good=good, **params):
                return OutlierDetector(judges=[cls(**{**good, **params})]).fit(TABLE)

            yield f"outliers.{name}", Use(cls, use, good)


def of_modules():
    """Constructors of networks and likelihoods, and functions that build layers."""
    square = {
        "encoder": torch.nn.Identity(),
        "decoder": torch.nn.Identity(),
        "likelihood": likelihoods.Gaussian(2),
        "latent_dim": 2,
    }
    two = {"deep": modules.linear(2, 2, GENERATOR), "direct": modules.linear(2, 2, GENERATOR)}
    sizes = {
        "n_in": 2,
        "n_out": 2,
        "length": 3,
        "vocabulary_size": 4,
        "generator": GENERATOR,
        "image_shape": (1, 4, 4),
        "mean": [0.5],
        "scale": [0.5],
        "sizes": (2, 3),
        "activation": "relu",
        "k": 1,
    }
    encoding = {
        "n_levels": [0, 2],
        "missing": [True, False],
        "shares": [0.5, 0.5],
        "rarity": [1.0, 0.0],
    }
    special = {
        "ColumnEncoding": encoding,
        "LinearSkip": two,
        "Autoencoder": square,
        "VariationalAutoencoder": square,
    }
    for name in modules.__all__:
        made = getattr(modules, name)
        good = special.get(name, sizes)
        yield f"modules.{name}", Use(made, partial(called_with, made, good), good)
    cells = {
        "n_features": 2,
        "n_levels": [2, 3],
        "rates": [1.0, 2.0],
        "frequencies": [0.0, 0.5, 0.5],
        "shares": [0.5, 0.5],
        "parts": [(likelihoods.Gaussian(1), [0])],
        "intervals": [([0.0], [-1.0], [1.0])],
        "words": "numbers",
        "has_density": True,
    }
    for name in likelihoods.__all__:
        made = getattr(likelihoods, name)
        if isinstance(made, type):
            good = (
                {**cells, "shares": [[0.5, 0.5], [0.2, 0.3, 0.5]]} if name == "Ordinal" else cells
            )
            yield f"likelihoods.{name}", Use(made, partial(called_with, made, good), good)


def called_with(made, good, **params):
    """A call in which good values stand for parameters that are not given and have no default."""
    return made(**{**Use(made, made, good).required(), **params})


def of_functions():
    """Losses of tensors, and metrics of arrays."""
    tensors = {
        name: TENSOR
        for name in (
            "left",
            "right",
            "mean",
            "log_variance",
            "negatives",
            "queries",
            "keys",
            "prediction",
            "x",
            "codes",
            "others",
        )
    }
    tensors |= {"temperature": 0.5, "activity": torch.rand(2), "labels": torch.tensor([0, 0, 1])}
    tensors |= {"log_shares": torch.zeros(3), "n_rows": 5}
    arrays = {name: TABLE for name in ("left", "right", "codes", "test_codes")} | {
        "y": CLASSES,
        "test_y": CLASSES,
        "factors": TABLE,
    }
    for module, good in ((losses, tensors), (metrics, arrays)):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                of = {**good, "target": 0.5 if name == "bernoulli_kl" else TENSOR}
                call = partial(called_with, function, of)
                if name == "procrustes_r2":
                    call = lambda codes: metrics.procrustes_r2(codes, TABLE)  # noqa: E731
                yield f"{module.__name__.rpartition('.')[2]}.{name}", Use(function, call, of)


#: Not walked: what only hands on, and what nobody but the detector calls.
NOT_WALKED = {"get_metadata_routing"}
PUBLIC = {
    name: use
    for walk in (
        of_estimators,
        of_augmentations,
        of_objectives,
        of_priors,
        of_rows,
        of_judges,
        of_modules,
        of_functions,
    )
    for name, use in walk()
}


def bad_values(good):
    """Bad values for a parameter for which this one is good."""
    if isinstance(good, torch.Tensor):
        return BAD_TENSORS
    if good is TABLE or good is CODES:
        return BAD_TABLES
    if isinstance(good, np.ndarray):
        return BAD_COLUMNS
    return BAD


# Values that are fine after all, and for which parameters: by name, or of one owner.
FINE_FOR = {
    # Counts and widths.
    ("one",): """
        latent_dim max_epochs batch_size n_iter_no_change n_time_neighbors n n_importance_samples
        n_samples
        n_subsets mask_id predictor_size k n_components n_in n_out length width n_features
        n_neighbors modules.TokenEncoder.vocabulary_size losses.log_aggregate_posterior.n_rows""",
    (): "likelihoods.Tokens.n_features",  # which has as many shares
    ("one", "empty list"): "hidden_layer_sizes",
    ("none", "one"): "n_draws n_labels n_states n_outputs kernel_size",
    ("zero", "one"): "dimension warmup_steps queue_size kl_warmup p overlap momentum",
    # Numbers.
    ("zero",): "tau_plus",
    ("one", "fraction"): """
        lr temperature augmentations.MixUp.alpha losses.alignment.alpha metrics.alignment.alpha
        t""",
    ("fraction", "one"): "objectives.InfoVAE.lambda_param",
    ("minus one", "zero", "one"): "objectives.InfoVAE.alpha",
    ("none", "one", "fraction"): """
        bandwidth gradient_clip total VAETransformer.scale likelihoods.Gaussian.scale
        likelihoods.PointMasses.scale metrics.info_nce_bits.temperature""",
    ("zero", "one", "fraction"): """
        weight_decay tol beta brightness contrast saturation degrees lambda_param weight floor
        invariance_weight variance_weight covariance_weight reconstruction_weight n_rows
        augmentations.GaussianNoise.scale gamma capacity objectives.BetaTCVAE.alpha""",
    ("minus one", "zero", "one", "fraction"): "VAETransformer.traverse.width",
    ("minus one", "zero", "one", "fraction", "nan"): "value",
    ("minus one", "zero", "one", "fraction", "minus inf"): "low",
    ("minus one", "zero", "one", "fraction", "inf"): "high",
    # Switches, for which 0 and 1 are no values.
    ("true",): """
        early_stopping return_std warm_start novelty learn_temperature batch_norm has_density
        isometric whole as_given add_indicator logarithmic passthrough""",
    ("true", "zero", "one"): "verbose",
    ("none", "zero", "one"): "random_state",
    # Where None stands for something.
    ("none",): """
        AutoencoderTransformer.encoder AutoencoderTransformer.decoder VAETransformer.encoder
        VAETransformer.decoder ContrastiveTransformer.encoder ContrastiveTransformer.decoder
        AutoencoderTransformer.rows VAETransformer.rows ContrastiveTransformer.rows
        OutlierDetector.rows EncoderClassifier.estimator EncoderRegressor.estimator
        RepresentationImputer.estimator input_features
        OutlierDetector.estimator modules.Autoencoder.activation likelihoods.Ordinal.shares
        corruption sparsity lr_schedule objective augmentation transformer class_weight judges
        given VAETransformer.sample.missing VAETransformer.sample_in_parts.missing
        categories rows.Table.scaling inputs rarity rates times
        curves losses.nt_xent.negatives modules.VariationalAutoencoder.prior X_val columns_from
        y_val groups_val
        sample_weight_val times_val""",
    ("none", "empty list"): "callbacks categorical_features",
    # Sequences that may be empty, texts that may be any, tables of any width or of text.
    ("empty list",): "steps special_ids",
    ("word", "digits"): "words",
    ("a column more", "words"): """
        AutoencoderTransformer.fit.X VAETransformer.fit.X ContrastiveTransformer.fit.X
        EncoderClassifier.fit.X EncoderRegressor.fit.X OutlierDetector.fit.X
        RepresentationImputer.fit.X""",
    ("a column more",): """
        metrics.mutual_information_gap.codes metrics.mutual_information_gap.factors
        metrics.dci.codes metrics.dci.factors metrics.effective_rank.codes
        metrics.procrustes_r2.codes metrics.uniformity.codes""",
    ("none", "number"): "sample_weight",
    ("matrix",): "EncoderRegressor.fit.y",
    ("none", "complex", "inf"): "groups",
    ("whole",): "tokens",
    ("one axis",): "activity",
    # Documented as ignored, or handed back as it is.
    (*BAD, *BAD_TABLES, *BAD_COLUMNS, *BAD_TENSORS): """
        AutoencoderTransformer.fit.y AutoencoderTransformer.partial_fit.y VAETransformer.fit.y
        VAETransformer.partial_fit.y ContrastiveTransformer.fit.y
        ContrastiveTransformer.partial_fit.y
        RepresentationImputer.fit.y
        OutlierDetector.fit.y AutoencoderTransformer.score.y VAETransformer.score.y
        ContrastiveTransformer.score.y augmentations.Identity().rows
        augmentations.Identity().generator""",
}
FINE = {name: set(shown) for shown, names in FINE_FOR.items() for name in names.split()}


def fine_for(owner, name):
    """The entry of ``FINE`` for a parameter, and what it holds."""
    key = f"{owner}.{name}" if f"{owner}.{name}" in FINE else name
    return key, FINE.get(key, set())


def verdict(use, name, value):
    """None where a value was refused clearly; else what happened."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            use.call(**{**use.required(), name: value})
    except (ValueError, TypeError, FileNotFoundError) as error:
        frame = error.__traceback__
        while frame.tb_next is not None:
            frame = frame.tb_next
        file = frame.tb_frame.f_code.co_filename
        raised = linecache.getline(file, frame.tb_lineno).strip().startswith("raise")
        by_us = any(package in file for package in ("sklearn_replearn", "sklearn/"))
        named = name in str(error) or name in ("X", "codes")
        return None if raised and by_us and named else f"bare: {type(error).__name__}: {error}"
    except Exception as error:
        return f"bare: {type(error).__name__}: {error}"
    return "accepted"


def triples(owner):
    for name, good in PUBLIC[owner].parameters():
        _, fine = fine_for(owner, name)
        for shown, value in bad_values(good).items():
            yield name, shown, value, shown in fine


@pytest.mark.parametrize("owner", PUBLIC)
def test_bad_values_are_refused_in_words(owner):
    failures = []
    for name, shown, value, fine in triples(owner):
        found = verdict(PUBLIC[owner], name, value)
        if found != ("accepted" if fine else None):
            failures.append(f"{name} = {shown}: {found or 'refused, though fine'}"[:300])
    assert not failures, "\n".join(failures)


def test_every_exception_is_of_something_public():
    used = {
        fine_for(owner, name)[0] for owner, use in PUBLIC.items() for name, _ in use.parameters()
    }
    assert set(FINE) <= used


def test_the_walk_is_long():
    assert sum(not fine for owner in PUBLIC for *_, fine in triples(owner)) >= 1500
