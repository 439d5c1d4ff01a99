"""The promises that all three transformers make."""

import copy
import gc
import inspect
import io
import pickle
import random
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from quick import quick
from repeatability import global_state, weights
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, Freezer, TrainEndCheckpoint
from torch import nn

from sklearn_replearn import AutoencoderTransformer, ContrastiveTransformer, VAETransformer
from sklearn_replearn.augmentations import GaussianNoise, SwapNoise
from sklearn_replearn.objectives import (
    BYOL,
    L1Sparsity,
    NTXent,
    SimSiam,
    TopKSparsity,
)
from sklearn_replearn.rows import Table

TRANSFORMERS = [AutoencoderTransformer, VAETransformer, ContrastiveTransformer]
VARIANTS = [
    AutoencoderTransformer(corruption=SwapNoise()),
    VAETransformer(),
    ContrastiveTransformer(),
    ContrastiveTransformer(objective=BYOL()),
    ContrastiveTransformer(objective=NTXent(queue_size=50)),
]
AWKWARD = [((17,), 2), ((50,), 3), ((100, 50), 2), ((33,), 8), ((64,), 2), ((), 5)]

all_transformers = pytest.mark.parametrize("cls", TRANSFORMERS)
all_variants = pytest.mark.parametrize(
    "variant", VARIANTS, ids=["denoising", "vae", "simclr", "byol", "queue"]
)


def small(variant, **params):
    return quick(variant, **{"hidden_layer_sizes": (17,), "max_epochs": 3, **params})


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(120, 7)) * 10.0 ** np.arange(-3, 4)


# ---------------------------------------------------------------- the same model each time


@all_variants
def test_order_and_container_of_the_rows_do_not_matter(variant, X):
    expected = small(variant).fit(X)
    order = np.random.default_rng(1).permutation(len(X))
    for same in (
        X[order],
        np.asfortranarray(X),
        X.tolist(),
        pd.DataFrame(X, columns=list("abcdefg")),
        np.repeat(X, 2, axis=1)[:, ::2],
    ):
        assert weights(small(variant).fit(same)) == weights(expected)


@all_variants
def test_large_tables_read_batch_by_batch_give_the_same_model(variant, X, monkeypatch):
    X[:, 1] = 0.1
    kept, read = [], []
    for most_kept, bits in ((2**20, kept), (0, read)):
        monkeypatch.setattr("sklearn_replearn._dataset.batches._MOST_KEPT", most_kept)
        for table in (X, np.asfortranarray(X), X.astype(np.float32)):
            params = {"early_stopping": True}
            bits.append(weights(small(variant, **params).fit(table, sample_weight=X[:, 0] > -1)))
    assert kept == read
    assert kept[0] == kept[1] != kept[2]  # rounded values are other values


@all_variants
def test_the_precision_of_equal_values_does_not_matter(variant, X):
    single = X.astype(np.float32)
    expected = small(variant).fit(single)
    double = small(variant).fit(single.astype(np.float64))
    assert weights(double) == weights(expected)
    assert np.array_equal(double.transform(single), expected.transform(single))


@all_variants
def test_fits_in_eight_threads_are_the_serial_fit(variant, X):
    expected = weights(small(variant).fit(X))
    with ThreadPoolExecutor(8) as pool:
        fits = list(pool.map(lambda _: weights(small(variant).fit(X)), range(8)))
    assert fits == [expected] * 8


@all_transformers
def test_the_number_of_threads_does_not_matter(cls, X):
    expected = weights(small(cls()).fit(X))
    torch.set_num_threads(2)
    try:
        fitted = small(cls()).fit(X)
        fitted.score_samples(X)
        assert torch.get_num_threads() == 2
        with pytest.raises(ZeroDivisionError):
            small(cls(callbacks=[Failing()])).fit(X)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert weights(fitted) == expected


@all_variants
def test_weight_two_is_a_repeated_row(variant, X):
    counts = np.random.default_rng(1).integers(0, 4, size=len(X))
    weighted = small(variant).fit(X, sample_weight=counts)
    assert weights(weighted) == weights(small(variant).fit(np.repeat(X, counts, axis=0)))


@all_transformers
def test_another_seed_gives_another_model(cls, X):
    assert weights(small(cls()).fit(X)) != weights(small(cls(random_state=1)).fit(X))
    assert weights(small(cls(random_state=None)).fit(X)) != weights(
        small(cls(random_state=None)).fit(X)
    )


@all_transformers
def test_a_random_state_instance_advances(cls, X):
    instance = np.random.RandomState(0)
    first, second = (small(cls()).set_params(random_state=instance).fit(X) for _ in range(2))
    assert weights(first) != weights(second)


class Dropping(nn.Module):
    """A user's module, which draws from torch's global generator."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_in, 9), nn.Dropout(0.3), nn.Linear(9, n_out))

    def forward(self, rows):
        return self.layers(rows)


def shaken(rows, generator):
    """A user's augmentation, which draws from every global generator."""
    return rows + torch.randn(rows.shape) * random.random() * np.random.rand()


@pytest.mark.parametrize(
    "params",
    [{}, {"encoder": Dropping, "decoder": Dropping}, {"rows": Table(scaling="quantile")}],
    ids=str,
)
@all_transformers
def test_global_generators_stay_as_they_were(cls, params, X):
    before = global_state()
    fitted = small(cls(**params)).fit(X)
    fitted.score(X)
    fitted.inverse_transform(fitted.transform(X))
    assert global_state() == before


class Restless(nn.Linear):
    """Draws from the global generator after training, too."""

    def forward(self, rows):
        return super().forward(rows) + 0 * torch.rand(1)


@all_transformers
def test_a_module_that_always_draws_leaves_no_trace_in_transform(cls, X):
    fitted = small(cls(encoder=Restless)).fit(X)
    before = global_state()
    fitted.transform(X)
    assert global_state() == before


@all_transformers
def test_default_dtype_does_not_reach_networks_of_ones_own(cls, X):
    expected = weights(small(cls(encoder=nn.Linear)).fit(X))
    torch.set_default_dtype(torch.float64)
    try:
        fitted = small(cls(encoder=nn.Linear)).fit(X)
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert weights(fitted) == expected


def test_foreign_parts_repeat_and_leave_no_trace(X):
    before = global_state()
    for estimator in (
        ContrastiveTransformer(augmentation=shaken),
        AutoencoderTransformer(corruption=shaken, encoder=Dropping),
    ):
        with ThreadPoolExecutor(4) as pool:
            fits = list(pool.map(lambda _, e=estimator: weights(small(e).fit(X)), range(4)))
        assert len(set(fits)) == 1
        fitted = small(estimator).fit(X)
        assert fitted.score(X) == fitted.score(X)
    assert global_state() == before


class Failing(Callback):
    def __init__(self, error=ZeroDivisionError):
        self.error = error

    def on_batch_end(self, net, **kwargs):
        random.random(), np.random.rand(), torch.rand(())
        raise self.error


@all_transformers
def test_an_exception_leaves_no_trace(cls, X):
    before = global_state()
    with pytest.raises(ZeroDivisionError):
        small(cls(callbacks=[Failing()])).fit(X)
    assert global_state() == before


@pytest.mark.parametrize(
    "ambience",
    [
        torch.inference_mode,
        torch.no_grad,
        lambda: torch.autocast("cpu", dtype=torch.bfloat16),
        lambda: torch.device("meta"),
    ],
    ids=["inference_mode", "no_grad", "autocast", "device"],
)
@all_variants
def test_what_a_caller_switched_on_changes_nothing(variant, ambience, X):
    expected = small(variant).fit(X)
    codes = expected.transform(X)
    with ambience():
        fitted = small(variant).fit(X)
        assert np.array_equal(expected.transform(X), codes)
        scores = fitted.score_samples(X)
    assert weights(fitted) == weights(expected)
    assert np.array_equal(scores, expected.score_samples(X))


@all_variants
def test_default_dtype_changes_nothing(variant, X):
    expected = small(variant).fit(X)
    torch.set_default_dtype(torch.float64)
    try:
        fitted = small(variant).fit(X)
        codes = fitted.transform(X)
    finally:
        torch.set_default_dtype(torch.float32)
    assert weights(fitted) == weights(expected)
    assert np.array_equal(codes, expected.transform(X))


# ---------------------------------------------------------------- a row is a row


@pytest.mark.parametrize(("hidden", "latent_dim"), AWKWARD, ids=str)
@all_transformers
def test_a_row_does_not_depend_on_its_neighbours(cls, hidden, latent_dim):
    X = np.random.default_rng(0).normal(size=(1100, 13))
    fitted = cls(latent_dim, hidden_layer_sizes=hidden, max_epochs=1).fit(X)
    codes, scores = fitted.transform(X), fitted.score_samples(X)
    back = fitted.inverse_transform(codes)
    for some in ([0], [1099], range(5, 8), range(1000, 1100), [7, 3, 1050]):
        some = list(some)
        assert np.array_equal(fitted.transform(X[some]), codes[some])
        assert np.array_equal(fitted.score_samples(X[some]), scores[some])
        assert np.array_equal(fitted.inverse_transform(codes[some]), back[some])


@all_transformers
def test_transform_in_eight_threads_is_the_serial_one(cls, X):
    fitted = small(cls()).fit(X)
    expected = fitted.transform(X)
    loaded = pickle.loads(pickle.dumps(fitted))
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: loaded.transform(X), range(16)))
    assert all(np.array_equal(codes, expected) for codes in results)


@pytest.mark.parametrize("size", [1e9, 1e22, 1e100])
@all_transformers
def test_extreme_rows_have_finite_codes_and_ordered_scores(cls, size, X):
    fitted = small(cls(rows=Table(scaling="standard"))).fit(X)
    rows = np.tile(X[:1], (3, 1))
    rows[:, 3] = [0, size, 10 * size]
    scores = fitted.score_samples(rows)
    assert np.isfinite(fitted.transform(rows)).all()
    assert np.isfinite(scores).all()
    assert scores[0] > scores[1] > scores[2]


@all_transformers
def test_codes_that_may_not_be_written_to_are_decoded(cls, X):
    fitted = small(cls()).set_output(transform="pandas").fit(X)
    codes = fitted.transform(X)
    expected = fitted.inverse_transform(codes.to_numpy())
    frozen = codes.to_numpy()
    frozen.setflags(write=False)
    assert np.array_equal(fitted.inverse_transform(codes), expected)
    assert np.array_equal(fitted.inverse_transform(frozen), expected)


@all_transformers
def test_dtype_in_is_dtype_out(cls, X):
    fitted = small(cls()).fit(X)
    for dtype, expected in (("f4", "f4"), ("f8", "f8"), ("f2", "f8"), ("i8", "f8"), ("?", "f8")):
        codes = fitted.transform((X > 0).astype(dtype))
        assert codes.dtype == expected
        assert fitted.inverse_transform(codes).dtype == expected
    assert np.array_equal(
        fitted.transform(X.astype(np.float32)),
        fitted.transform(X.astype(np.float32).astype(float)).astype(np.float32),
    )


SHAPES = {
    "3 rows, 1 column": np.array([[1.0], [2.0], [4.0]]),
    "2 rows": np.array([[1.0, 2.0], [3.0, 5.0]]),
    "1,000 rows, 1 column": np.random.default_rng(0).normal(size=(1000, 1)),
    "20 rows, 2,000 columns": np.random.default_rng(0).normal(size=(20, 2000)),
    "a remainder of one row": np.random.default_rng(0).normal(size=(257, 3)),
    "all constant": np.full((10, 3), 0.1),
    "units far apart": np.random.default_rng(0).normal(size=(50, 2)) * [1e-12, 1e12],
    "0 and 1": np.random.default_rng(0).integers(0, 2, size=(40, 4)).astype(bool),
    "one extreme cell": np.vstack([np.random.default_rng(0).normal(size=(50, 2)), [[1e9, 0]]]),
}


@pytest.mark.parametrize("params", [{}, {"early_stopping": True, "validation_fraction": 0.4}])
@pytest.mark.parametrize("shape", SHAPES)
@all_variants
@pytest.mark.filterwarnings("ignore:The codes collapsed")
def test_small_and_odd_tables_work(variant, shape, params):
    X = SHAPES[shape]
    fitted = small(variant, **params)
    if params and len(np.unique(X, axis=0)) < 3:
        with pytest.raises(ValueError, match=r"validation_fraction=0.4 of . distinct rows leaves"):
            fitted.fit(X)
        return
    codes = fitted.fit_transform(X)
    back = fitted.inverse_transform(codes)
    assert codes.shape == (len(X), 3)
    assert back.shape == X.shape
    assert np.isfinite(codes).all()
    assert np.isfinite(back).all()
    scores = fitted.score_samples(X)
    assert np.isfinite(scores).all()
    assert fitted.score(X) == pytest.approx(scores.mean())
    assert np.array_equal(fitted.transform(X[-1:]), codes[-1:])
    assert np.array_equal(fitted.score_samples(X[-1:]), scores[-1:])
    if shape == "all constant":
        assert np.array_equal(back, X)


# ---------------------------------------------------------------- what is stored


@all_transformers
def test_copies_give_the_same_codes(cls, X):
    fitted = small(cls()).fit(X)
    buffer = io.BytesIO()
    joblib.dump(fitted, buffer)
    buffer.seek(0)
    for other in (pickle.loads(pickle.dumps(fitted)), joblib.load(buffer), copy.deepcopy(fitted)):
        assert np.array_equal(other.transform(X), fitted.transform(X))
        assert np.array_equal(other.score_samples(X), fitted.score_samples(X))
        assert other.history_["train_loss"].tolist() == fitted.history_["train_loss"].tolist()
        assert other.history_["seconds"].isna().all()


@all_variants
def test_identical_fits_are_stored_in_identical_bytes(variant, X):
    first, second = (pickle.dumps(small(variant).fit(X)) for _ in range(2))
    assert first == second
    assert pickle.dumps(pickle.loads(first)) == first


@pytest.mark.parametrize(
    ("n", "params"),
    [
        (1000, {}),
        (30_000, {"max_epochs": 2}),
        (1000, {"early_stopping": True}),
    ],
    ids=str,
)
@all_transformers
def test_the_stored_state_is_little_more_than_the_weights(cls, n, params):
    X = np.random.default_rng(0).normal(size=(n, 30))
    fitted = cls(hidden_layer_sizes=(16,), **{"max_epochs": 5, **params}).fit(X)
    size = sum(p.numel() * 4 for p in fitted.network_.parameters())
    assert len(pickle.dumps(fitted)) <= size + 20_000


def arrays_and_plain_values(stored):
    """Arrays of a stored state, which holds nothing but such and plain values."""
    if isinstance(stored, dict):
        assert all(type(name) is str for name in stored)
        return [array for value in stored.values() for array in arrays_and_plain_values(value)]
    if isinstance(stored, list):
        return [array for value in stored for array in arrays_and_plain_values(value)]
    if isinstance(stored, np.ndarray):
        assert stored.dtype.kind in "biuf"
        return [stored]
    assert stored is None or type(stored) in (str, int, float, bool)
    return []


@all_transformers
def test_the_stored_state_is_parameters_and_arrays(cls, X):
    state = small(cls()).fit(X).__getstate__()
    arrays = arrays_and_plain_values(state.pop("_learned"))
    assert state.keys() - cls().get_params() == {"_sklearn_replearn_version"}
    assert not any(len(X) in array.shape for array in arrays)


def test_a_model_trained_on_a_device_that_is_not_here_loads(X):
    fitted = small(AutoencoderTransformer()).fit(X)
    state = pickle.loads(pickle.dumps(fitted)).set_params(device="cuda:7")
    assert np.array_equal(pickle.loads(pickle.dumps(state)).transform(X), fitted.transform(X))


@all_transformers
def test_parameters_set_after_fit_do_not_touch_the_fitted_model(cls, X):
    fitted = small(cls()).fit(X)
    expected = fitted.transform(X)
    fitted.set_params(latent_dim=9, hidden_layer_sizes=(3, 3), activation="tanh")
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).transform(X), expected)


def test_parameters_of_parts_set_after_fit_do_not_touch_the_fitted_model(X):
    fitted = small(AutoencoderTransformer(sparsity=TopKSparsity(1))).fit(X)
    fitted.set_params(sparsity__k=3)
    assert (np.count_nonzero(pickle.loads(pickle.dumps(fitted)).transform(X), axis=1) == 1).all()


# ---------------------------------------------------------------- training


@all_transformers
def test_training_lowers_the_loss(cls):
    X = load_wine().data
    history = cls(max_epochs=60).fit(X).history_
    assert history["train_loss"].iloc[-5:].mean() < history["train_loss"].iloc[:5].mean()
    assert history.index.name == "epoch"
    assert history["seconds"].gt(0).all()


@all_transformers
def test_the_loss_is_the_sum_of_its_terms(cls, X):
    fitted = small(cls(early_stopping=True)).fit(X)
    history = fitted.history_
    for part in ("train", "valid"):
        terms = [c for c in history if c.startswith(part) and c != part + "_loss"]
        if cls is ContrastiveTransformer:  # the decoder learns beside the objective
            terms.remove(part + "_reconstruction")
            terms = [c for c in terms if not c.endswith(("_alignment", "_uniformity"))]
        assert np.allclose(history[terms].sum(axis=1), history[part + "_loss"], rtol=1e-5)
    assert fitted.n_iter_ == len(history) == len(fitted.loss_curve_)


@all_transformers
def test_early_stopping_keeps_the_best_weights(cls, X):
    params = {"early_stopping": True, "n_iter_no_change": 3, "lr": 0.05, "lr_schedule": None}
    if cls is VAETransformer:
        params["kl_warmup"] = 0.0  # otherwise its length follows from max_epochs
    stopped = small(cls(**params), max_epochs=400, tol=0).fit(X)
    best = int(stopped.history_["valid_loss"].idxmin())
    assert stopped.n_iter_ == best + 3 < 400
    until_best = small(cls(**params), max_epochs=best).fit(X)
    assert np.array_equal(stopped.transform(X), until_best.transform(X))


@all_transformers
def test_early_stopping_looks_only_after_the_warm_up(cls):
    X = load_wine().data[::2]
    stopped = cls(early_stopping=True).fit(X)
    # One batch an epoch and 500 epochs: the learning rate rises for 25 of them, the KL for 50.
    assert stopped.n_iter_ > (50 if cls is VAETransformer else 25) + 50


def test_early_stopping_helps_where_the_model_is_too_large():
    X = np.random.default_rng(0).normal(size=(120, 30))
    full, stopped = (
        VAETransformer(early_stopping=early_stopping).fit(X[:80])
        for early_stopping in (False, True)
    )
    assert stopped.score(X[80:]) > full.score(X[80:])


@all_transformers
def test_rows_too_heavy_for_the_validation_part_stay_in_training(cls, X):
    counts = np.ones(len(X))
    counts[:5] = 400
    assert small(cls(early_stopping=True)).fit(X, sample_weight=counts).n_iter_ >= 1


@pytest.mark.parametrize("fraction", [0.001, 0.999])
@all_transformers
def test_a_validation_fraction_that_leaves_no_rows_is_refused(cls, fraction, X):
    params = {"early_stopping": True, "validation_fraction": fraction}
    with pytest.raises(ValueError, match=r"leaves .* for training .* for validation"):
        small(cls(**params)).fit(X[:20])


@all_variants
def test_warm_start_goes_on(variant, X):
    once = small(variant, warm_start=True, max_epochs=20, lr_schedule=None).fit(X)
    loss = once.history_["train_reconstruction"].iloc[-1]
    again = copy.deepcopy(once).fit(X)
    assert again.n_iter_ == 40
    assert abs(again.history_["train_reconstruction"].iloc[20] - loss) < abs(
        once.history_["train_reconstruction"].iloc[0] - loss
    )
    assert np.array_equal(pickle.loads(pickle.dumps(once)).fit(X).transform(X), again.transform(X))
    assert weights(small(variant, max_epochs=20, lr_schedule=None).fit(X)) == weights(once)


@all_transformers
def test_warm_start_with_another_network_is_refused(cls, X):
    fitted = small(cls(warm_start=True)).fit(X)
    before = weights(fitted)
    with pytest.raises(ValueError, match="latent_dim changed"):
        fitted.set_params(latent_dim=5).fit(X)
    assert weights(fitted) == before
    assert weights(fitted.set_params(warm_start=False).fit(X)) != before


@all_transformers
def test_warm_start_on_wider_rows_encodes_what_it_was_trained_on(cls):
    X = load_wine().data
    fitted = cls(4, warm_start=True, max_epochs=30).fit(X[:30]).fit(X)
    if cls is not VAETransformer:
        assert fitted.transform(X).mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-3)
        assert fitted.transform(X).std(axis=0) == pytest.approx(np.ones(4), abs=1e-2)
    assert fitted.n_iter_ == 60


@all_transformers
def test_warm_start_takes_the_new_training_parameters(cls, X):
    fitted = small(cls(warm_start=True, lr_schedule=None)).fit(X)
    before = {
        name: array.copy()
        for name, array in fitted._model.resumable["module"].items()
        if isinstance(array, np.ndarray)
    }
    fitted.set_params(lr=1e-12).fit(X)
    for name, array in before.items():
        if "encoder" in name and "target" not in name:
            assert fitted._model.resumable["module"][name] == pytest.approx(array, abs=1e-9)
    fitted.set_params(optimizer="sgd", lr=1e-3, early_stopping=True).fit(X)
    assert fitted.n_iter_ == 9
    assert fitted.history_["valid_loss"].notna().tolist() == [False] * 6 + [True] * 3


def test_warm_start_with_another_objective_is_refused(X):
    fitted = small(ContrastiveTransformer(warm_start=True)).fit(X)
    with pytest.raises(ValueError, match="objective changed"):
        fitted.set_params(objective=BYOL()).fit(X)


class Noting(Callback):
    """Notes how often it was told of a batch."""

    def __init__(self, seen):
        self.seen = seen

    def on_batch_end(self, net, **kwargs):
        self.seen += 1
        SEEN.append(self.seen)


SEEN = []


@all_transformers
def test_callbacks_are_called_and_not_changed(cls, X):
    SEEN.clear()
    callback = Noting(0)
    small(cls(callbacks=[callback])).fit(X)
    assert list(range(1, 13)) == SEEN
    assert callback.seen == 0


@all_transformers
def test_callbacks_may_freeze_parts(cls, X):
    frozen = [Freezer("network.encoder.*")]
    params = {"warm_start": True, "lr_schedule": None, "weight_decay": 0.1}
    short, long = (
        small(cls(**params, callbacks=frozen), max_epochs=epochs).fit(X) for epochs in (1, 5)
    )
    for part, moves in (("encoder", False), ("decoder", True)):
        name = f"network.{part}.0.weight"
        before, after = (fit._model.resumable["module"][name] for fit in (short, long))
        assert np.array_equal(before, after) != moves


@all_transformers
def test_callbacks_may_write_checkpoints(cls, X, tmp_path):
    callbacks = [
        Checkpoint(monitor="train_loss_best", dirname=tmp_path / "best"),
        TrainEndCheckpoint(dirname=tmp_path / "end"),
    ]
    small(cls(callbacks=callbacks)).fit(X)
    assert (tmp_path / "best" / "params.pt").exists()
    assert (tmp_path / "end" / "train_end_params.pt").exists()


@all_transformers
def test_warm_start_with_other_settings_of_the_optimizer_starts_its_moments_anew(cls, X):
    fitted = small(cls(warm_start=True)).fit(X)
    for params in ({"amsgrad": True}, {"foreach": True}, {"betas": (0.8, 0.9)}):
        fitted.set_params(optimizer=partial(torch.optim.AdamW, **params)).fit(X)
    assert fitted.n_iter_ == 12


@all_transformers
def test_callbacks_of_skorch_may_end_training(cls, X):
    callbacks = [EarlyStopping(monitor="train_loss", patience=2, threshold=1e9, sink=str)]
    fitted = small(cls(callbacks=callbacks, max_epochs=50), max_epochs=50).fit(X)
    assert fitted.n_iter_ == 3


@all_transformers
def test_an_interruption_leaves_the_estimator_as_it_was(cls, X):
    estimator = small(cls(callbacks=[Failing(KeyboardInterrupt)]))
    before = dict(vars(estimator))
    with pytest.raises(KeyboardInterrupt, match=r"interrupted in epoch 1; .* is as it was before"):
        estimator.fit(X)
    assert vars(estimator) == before
    fitted = small(cls()).fit(X)
    expected = fitted.transform(X)
    fitted.set_params(callbacks=[Failing(KeyboardInterrupt)])
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(X[:, :3])
    assert np.array_equal(fitted.transform(X), expected)


class InterruptedLate(Callback):
    def on_epoch_end(self, net, **kwargs):
        raise KeyboardInterrupt


@all_transformers
def test_an_interruption_at_the_end_of_an_epoch_is_one_too(cls, X):
    with pytest.raises(KeyboardInterrupt, match="interrupted in epoch 1"):
        small(cls(callbacks=[InterruptedLate()])).fit(X)


@all_transformers
def test_a_loss_that_is_not_finite_is_an_error_with_a_remedy(cls):
    X = np.random.default_rng(0).normal(size=(50, 3)) * [1, 1, 1e13]
    frame = pd.DataFrame(X, columns=["age", "height", "salary"])
    with pytest.raises(ValueError, match=r"became NaN or infinite in epoch .*'salary'.*quantile"):
        small(cls(rows=Table(scaling=None), lr=1e30, gradient_clip=None), max_epochs=50).fit(frame)


@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "sgd", "lr": 1e-2},
        {"optimizer": "adam", "weight_decay": 0.1},
        {"optimizer": partial(torch.optim.RMSprop, alpha=0.9)},
        {"gradient_clip": 0.1},
        {"lr_schedule": None},
        {"activation": "tanh"},
        {"hidden_layer_sizes": 12},
        {"verbose": 1},
    ],
    ids=str,
)
@all_transformers
def test_parameters_of_training_have_an_effect(cls, params, X, capsys):
    fitted = small(cls(), **params).fit(X)
    printed = capsys.readouterr().out
    if "verbose" in params:
        assert "train_loss" in printed
    else:
        assert printed == ""
        assert weights(fitted) != weights(small(cls()).fit(X))


class Leaving(Callback):
    """Leaves before the first epoch, and notes how many there were to be."""

    def on_train_begin(self, net, **kwargs):
        SEEN.append(net.max_epochs)
        raise KeyboardInterrupt


@pytest.mark.parametrize(("n", "epochs"), [(150, 500), (20_000, 13), (200_000, 5)])
@all_transformers
def test_the_number_of_epochs_follows_from_the_number_of_rows(cls, n, epochs):
    SEEN.clear()
    X = np.random.default_rng(0).normal(size=(n, 1))
    with pytest.raises(KeyboardInterrupt):
        cls(2, hidden_layer_sizes=(2,), callbacks=[Leaving()]).fit(X)
    assert [epochs] == SEEN


# ---------------------------------------------------------------- bad parameters


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"latent_dim": 0}, "'latent_dim' parameter"),
        ({"latent_dim": 2.0}, "'latent_dim' parameter"),
        ({"hidden_layer_sizes": (0,)}, "each an int in the range"),
        ({"hidden_layer_sizes": (8, 2.5)}, "each an int in the range"),
        ({"lr": -1e-3}, "'lr' parameter"),
        ({"device": "gpu"}, "device='gpu' is not available here"),
        ({"device": "meta"}, "holds no numbers"),
        ({"encoder": nn.Linear(3, 3)}, r"zeros of shape \(2, 7\)"),
        ({"decoder": nn.Linear(3, 6)}, r"\(n, 7\); zeros of shape \(2, 3\) became shape \(2, 6\)"),
        ({"rows": Table(scaling="log")}, "Table: scaling must be one of auto, .*got 'log'"),
        ({"max_epochs": 0}, "'max_epochs' parameter"),
        ({"validation_fraction": 1.0}, "'validation_fraction' parameter"),
        ({"optimizer": "newton"}, "'optimizer' parameter"),
    ],
    ids=str,
)
@all_transformers
def test_bad_parameters_are_refused(cls, params, message, X):
    with pytest.raises(ValueError, match=message):
        small(cls(), **params).fit(X)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (ContrastiveTransformer(objective=NTXent), "must be an objective .* such as NTXent"),
        (AutoencoderTransformer(corruption=SwapNoise), r"such as SwapNoise\(\) .* Got <class"),
        (AutoencoderTransformer(corruption=lambda rows, g: rows[:1]), r"it returned \(1, 7\)"),
        (ContrastiveTransformer(augmentation=lambda rows, g: rows[:1]), r"it returned \(1, 7\)"),
        (VAETransformer(encoder=lambda n_in: None), r"called with the widths \(7, 6\), raised"),
        (VAETransformer(callbacks=["EarlyStopping"]), "must be skorch callbacks; got 'EarlyStop"),
        (VAETransformer(callbacks=[EarlyStopping()]), "set early_stopping=True, or monitor="),
        (AutoencoderTransformer(sparsity=L1Sparsity(-1.0)), "'weight' parameter .* Got -1.0"),
    ],
    # Not str: two workers must find the same names, and a lambda shows its address.
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_parts_that_cannot_work_are_refused(estimator, message, X):
    with pytest.raises(ValueError, match=message):
        small(estimator).fit(X)


class Peeking(Callback):
    """Transforms with the estimator that is being fitted, as another thread might."""

    def on_epoch_end(self, net, **kwargs):
        SEEN.append(FITTED[0].transform(FITTED[1]))


FITTED = []


@all_transformers
def test_a_fitted_model_serves_until_the_next_fit_is_done(cls, X):
    SEEN.clear()
    fitted = small(cls()).fit(X)
    expected = fitted.transform(X)
    FITTED[:] = [fitted, X]
    fitted.set_params(random_state=1, callbacks=[Peeking()]).fit(X / 2)
    assert len(SEEN) == 3
    assert all(np.array_equal(codes, expected) for codes in SEEN)
    assert not np.array_equal(fitted.transform(X), expected)


@all_transformers
def test_a_fitted_estimator_does_not_hold_the_table(cls, X):
    table = X.copy()
    gone = weakref.ref(table)
    fitted = small(cls()).fit(table)
    fitted.transform(table)
    del table
    gc.collect()
    assert gone() is None


@all_transformers
def test_cells_that_are_not_finite_after_fit_are_refused(cls, X):
    fitted = small(cls()).fit(X)
    for n in (1, 120):  # few cells and many are looked at in two ways
        rows = np.repeat(X, 10, axis=0)[: 10 * n].copy()
        rows[-1, 3] = np.inf
        with pytest.raises(ValueError, match=r"inf \(infinite values\) in column 3"):
            fitted.transform(rows)


@all_transformers
def test_bad_tables_after_fit_are_refused(cls, X):
    frame = pd.DataFrame(X, columns=list("abcdefg"))
    fitted = small(cls()).fit(frame)
    with pytest.raises(ValueError, match="expecting 7 features"):
        small(cls()).fit(X).transform(X[:, :5])
    with pytest.raises(ValueError, match="should match those that were passed during fit"):
        fitted.transform(frame[list("bacdefg")])
    with pytest.raises(ValueError, match="should match those that were passed during fit"):
        fitted.score_samples(frame.rename(columns={"a": "z"}))
    with pytest.raises(ValueError, match=r"shape \(n_samples, 3\).*got shape \(120, 7\)"):
        fitted.inverse_transform(X)
    with pytest.raises(ValueError, match="zero"):
        small(cls()).fit(X, sample_weight=np.zeros(len(X)))
    with pytest.raises(ValueError, match="Negative"):
        small(cls()).fit(X, sample_weight=-np.ones(len(X)))
    with pytest.raises(ValueError, match="sample_weight leaves one row"):
        small(cls()).fit(X, sample_weight=np.eye(len(X))[0])


def test_the_three_signatures_agree():
    shared = set.intersection(*(set(inspect.signature(cls).parameters) for cls in TRANSFORMERS))
    assert {"latent_dim", "encoder", "rows", "max_epochs", "random_state", "verbose"} <= shared
    for name in shared:
        defaults = [inspect.signature(cls).parameters[name].default for cls in TRANSFORMERS]
        if name == "gradient_clip":  # the likelihood's gradient has no bound
            assert defaults == [None, 10.0, None]
        else:
            assert defaults[0] == defaults[1] == defaults[2], name
    for cls in TRANSFORMERS:
        own = [name for name in inspect.signature(cls).parameters if name not in shared]
        order = [name for name in inspect.signature(cls).parameters if name in shared]
        assert order == [p for p in inspect.signature(VAETransformer).parameters if p in shared]
        assert own


# ---------------------------------------------------------------- custom networks


def own_encoder(n_in, n_out):
    return nn.Sequential(nn.Linear(n_in, 11), nn.Tanh(), nn.BatchNorm1d(11), nn.Linear(11, n_out))


@all_transformers
def test_networks_of_ones_own_are_used_and_not_changed(cls, X):
    width = 6 if cls is VAETransformer else 3
    module = own_encoder(7, width)
    before = copy.deepcopy(module.state_dict())
    for encoder in (module, own_encoder):
        fitted = small(cls(encoder=encoder)).fit(X)
        assert [type(layer) for layer in fitted.network_.encoder] == [type(m) for m in module]
        loaded = pickle.loads(pickle.dumps(fitted))
        assert np.array_equal(loaded.transform(X), fitted.transform(X))
        assert np.array_equal(fitted.transform(X[:1]), fitted.transform(X)[:1])
    after = module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.filterwarnings("ignore:The codes collapsed")
def test_an_encoder_without_weights_works_with_moving_averages():
    X = np.random.default_rng(0).normal(size=(50, 4))
    for objective in (BYOL(), NTXent(queue_size=20), SimSiam()):
        estimator = ContrastiveTransformer(
            latent_dim=4, encoder=nn.Identity(), objective=objective, max_epochs=2
        )
        # The code is the row: what comes out is standardised twice, inside and as a code.
        codes = (X - X.mean(axis=0)) / X.std(axis=0)
        assert estimator.fit_transform(X) == pytest.approx(codes, abs=1e-5)


# ---------------------------------------------------------------- in scikit-learn


@all_transformers
def test_a_grid_search_is_the_same_in_two_processes(cls):
    X, y = load_wine(return_X_y=True)
    labels = np.array(["a", "b", "c"])[y]
    pipe = Pipeline([("enc", cls(max_epochs=5)), ("clf", LogisticRegression())])
    serial, parallel = (
        GridSearchCV(pipe, {"enc__latent_dim": [2, 8]}, cv=3, n_jobs=n_jobs).fit(X, labels)
        for n_jobs in (1, 2)
    )
    scores = [s.cv_results_["mean_test_score"].tolist() for s in (serial, parallel)]
    assert scores[0] == scores[1]
    assert np.array_equal(
        serial.best_estimator_[0].transform(X), parallel.best_estimator_[0].transform(X)
    )


def test_parameters_of_parts_can_be_searched_over(X):
    search = GridSearchCV(
        small(ContrastiveTransformer(objective=NTXent(), augmentation=SwapNoise())),
        {"objective__temperature": [0.1, 1.0], "augmentation__p": [0.1, 0.5]},
        cv=2,
    )
    scores = search.fit(X).cv_results_["mean_test_score"]
    assert len({score for score in scores if np.isfinite(score)}) == 4  # each candidate its own


@all_transformers
def test_reconstruction_error_is_in_standardised_units(cls):
    X = load_wine().data
    errors = cls(latent_dim=2, max_epochs=1).fit(X).reconstruction_error(X)
    assert errors.shape == X.shape
    X = X + 1e-3 * np.random.default_rng(0).normal(size=X.shape)  # decoded to no step
    fitted = cls(latent_dim=13, max_epochs=30).fit(X)
    gap = (X - fitted.inverse_transform(fitted.transform(X))) / X.std(axis=0)
    assert np.allclose(fitted.reconstruction_error(X), gap**2, rtol=1e-3, atol=1e-6)


@all_transformers
def test_a_far_row_scores_lower(cls):
    X = load_wine().data
    fitted = cls(max_epochs=60).fit(X)
    far = X.mean(axis=0) + 20 * X.std(axis=0) * np.resize([1, -1], 13)
    assert fitted.score_samples([far])[0] < fitted.score_samples(X).min()


def test_denoising_uses_its_corruption():
    X = np.random.default_rng(0).normal(size=(60, 3))
    plain, noisy = (
        small(AutoencoderTransformer(corruption=corruption)).fit(X)
        for corruption in (None, GaussianNoise(0.5))
    )
    assert weights(plain) != weights(noisy)
