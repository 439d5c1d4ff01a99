"""Speed of codes and scores, of many rows and of one."""

import time
from functools import partial

import numpy as np
import pandas as pd
import torch
from _speed_contenders import FLOOR, OURS, estimator_of_ours
from _speed_measuring import left_out_if_it_fails, seconds_of
from _speed_packages import mlp_regressor, pyod_detector, quiet, skorch_regressor
from _speed_task import HIDDEN, LATENT, WORKLOADS, Table, make_rows, scaled
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from sklearn_replearn import AutoencoderTransformer

AS_IT_IS = "float32 network as it is, on scaled rows"


def measure_inference(options, results):
    """transform and scores of all rows of L, beside the matrix products alone and other packages.

    How well the models were trained does not matter here: they saw few rows.
    """
    n_rows, n_columns, _ = scaled("L", options)
    table, few = Table(n_rows, n_columns), slice(0, 20_000)
    rows, standard, device = table.raw, table.scaled, options.device
    encoder = estimator_of_ours(AutoencoderTransformer, 1, 0, device).fit(rows[few])
    as_it_is = network_as_it_is(encoder, device)
    transform = {
        FLOOR: products_of_encoder(standard, device),
        OURS: partial(encoder.transform, rows),
        AS_IT_IS: partial(as_it_is, standard),
    }
    print(" transform")
    measured = {"transform": seconds_of(transform, options)}
    print(" score_samples")
    score = {OURS: partial(encoder.score_samples, rows)}
    for name, build in SCORERS.items():
        with left_out_if_it_fails(name, results), quiet():
            score[name] = build(rows, standard, few, device)
    measured["score"] = seconds_of(score, options)
    measured["company"] = company(rows[few], standard[few], device)
    return measured


def network_as_it_is(encoder, device):
    """The float32 network applied to scaled rows, 1,024 at a time, and nothing around it."""
    network = encoder.network_.to(device)

    @torch.inference_mode()
    def run(rows):
        codes = np.empty((len(rows), encoder.latent_dim), np.float32)
        for start in range(0, len(rows), 1024):
            part = torch.from_numpy(rows[start : start + 1024]).to(device)
            codes[start : start + 1024] = network.encode(part).cpu().numpy()
        return codes

    return run


def products_of_encoder(rows, device):
    """The float32 matrix products of the encoder, in chunks, into outputs allocated beforehand."""
    rows = torch.from_numpy(rows).to(device)
    first = torch.randn(HIDDEN, rows.shape[1], device=device).T
    second = torch.randn(LATENT, HIDDEN, device=device).T
    hidden = torch.empty(1024, HIDDEN, device=device)
    codes = torch.empty(len(rows), LATENT, device=device)
    chunks = list(zip(rows.split(1024), codes.split(1024), strict=True))

    @torch.inference_mode()
    def run():
        for part, code in chunks:
            between = hidden[: len(part)]
            torch.mm(part, first, out=between)
            torch.mm(between, second, out=code)

    return run


def pyod_scorer(rows, standard, few, device):
    return partial(pyod_detector(1, 0, device).fit(rows[few]).decision_function, rows)


def sklearn_scorer(rows, standard, few, device):
    regressor = mlp_regressor(1, 0).fit(standard[few], standard[few])
    return lambda: np.square(regressor.predict(standard) - standard).mean(1)


def skorch_scorer(rows, standard, few, device):
    net = skorch_regressor(rows.shape[1], 1, device).fit(standard[few], standard[few])
    return lambda: np.square(net.predict(standard) - standard).mean(1)


SCORERS = {
    "PyOD, decision_function": pyod_scorer,
    "MLPRegressor, predict and error": sklearn_scorer,
    "skorch, predict and error": skorch_scorer,
}


def company(rows, standard, device):
    """How codes change with the rows beside them, in networks of even and of odd widths."""
    changes = {}
    for n_hidden, latent_dim in ((HIDDEN, LATENT), (50, 3)):
        encoder = AutoencoderTransformer(
            latent_dim, hidden_layer_sizes=(n_hidden,), max_epochs=1, device=device
        ).fit(rows)
        widths = f"{rows.shape[1]}-{n_hidden}-{latent_dim}"
        changes[f"ours, {widths}"] = change_of_company(encoder.transform, rows)
        as_it_is = network_as_it_is(encoder, device)
        changes[f"{AS_IT_IS}, {widths}"] = change_of_company(as_it_is, standard)
    return changes


def change_of_company(transform, rows):
    rows = rows[:5_000]
    together = transform(rows)
    apart = np.vstack([transform(rows[i : i + 37]) for i in range(0, len(rows), 37)])
    changed = (together != apart).any(axis=1).mean()
    return {"changed": float(changed), "largest": float(np.abs(together - apart).max())}


def measure_latency(options, results, calls=200):
    """Microseconds of single calls with one row: 10 rounds of 200 calls."""
    rows = make_rows(20_000, WORKLOADS["L"].n_columns)
    one = rows[:1]
    encoder = estimator_of_ours(AutoencoderTransformer, 1, 0, options.device).fit(rows)
    functions = {OURS: partial(encoder.transform, one)}
    functions["PCA"] = partial(PCA(LATENT).fit(rows).transform, one)
    with left_out_if_it_fails("PyOD", results), quiet():
        detector = pyod_detector(1, 0, options.device).fit(rows)
        functions["PyOD, decision_function"] = partial(detector.decision_function, one)
    microseconds = {name: [] for name in functions}
    for _ in range(10):
        for name, function in functions.items():
            for _ in range(calls):
                start = time.perf_counter()
                function()
                microseconds[name].append(round(1e6 * (time.perf_counter() - start), 1))
    for name, values in microseconds.items():
        print(f"  {name}: {np.median(values):.0f} µs", flush=True)
    return microseconds


def measure_table(options, results):
    """A DataFrame to scaled rows, seen through the narrowest network: a linear map to one code."""
    n_rows = scaled("L", options).n_rows
    array = make_rows(n_rows, 20).astype(np.float64)
    frame = pd.DataFrame(array, columns=[f"column {i}" for i in range(20)])
    device = options.device
    narrow = {"hidden_layer_sizes": (), "max_epochs": 1, "device": device}
    of_array, of_frame = (
        AutoencoderTransformer(1, **narrow).fit(rows[:1000]) for rows in (array, frame)
    )
    scaler = StandardScaler().fit(frame)
    print("  columns of numbers only: those of categories are in tables.py, part encoding")
    functions = {
        "ours, array": partial(of_array.transform, array),
        "ours, DataFrame": partial(of_frame.transform, frame),
        "StandardScaler, DataFrame to float32": lambda: scaler.transform(frame).astype(np.float32),
    }
    return seconds_of(functions, options)
