"""What is asked of the package, beside what speed.py measured."""

import math

from _markdown import table
from _speed_contenders import BARE, FLOOR, OURS
from _speed_figures import medians, number
from _speed_task import WORKLOADS

SHORT = [name for name in WORKLOADS if name != "L3"]  # what all jobs are measured on


def what_is_asked(results):
    """Every figure that the package is asked for, with its limit; the numbers are those asked."""
    middle, rows, missing, met, wanted = medians(results), [], [], 0, 0
    asked = [*ask_of_fit(middle), *ask_of_corruption(middle), *ask_of_inference(middle)]
    asked += [*ask_of_processes(middle), *ask_of_quality(middle)]
    for line, what, figure, limit, stretch, unit in sorted(asked, key=lambda row: row[0]):
        if math.isnan(figure):
            missing.append(f"{what} ({line})")
            continue
        verdicts = [verdict(figure, bound, unit) for bound in (limit, stretch)]
        rows.append([line, what, number(figure) + unit, *verdicts])
        wanted += limit is not None
        met += verdicts[0].endswith(": met")
    return (
        f"## What is asked: {met} of {wanted} met\n\n"
        + table(["", "figure", "measured", "asked", "hoped for"], rows)
        + (f"\n\nNot measured in this run: {'; '.join(missing)}." if missing else "")
        + "\n\nThat fits repeat bit by bit, that codes do not depend on other rows, and that the "
        "estimators conform (9) is for the tests to say."
    )


def at_most(limit):
    return "at most", limit


def at_least(limit):
    return "at least", limit


def verdict(figure, bound, unit):
    if bound is None:
        return ""
    side, limit = bound
    met = figure <= limit if side == "at most" else figure >= limit
    said = f"{side} {limit}{unit}"
    return f"{said}: met" if met else f"**{said}: not met**"


def ask_of_fit(middle):
    for job in ("autoencoder", "vae", "contrastive"):
        kernel = job != "contrastive"  # what a hand-written step is hoped to reach
        for workload in WORKLOADS if job == "autoencoder" else SHORT:
            at, name = f"fit/{job}/{workload}", f"{job} {workload}"
            ours = middle[f"{at}/{OURS}/seconds"]
            against = {
                peer: middle[f"{at}/{peer}/seconds"] / ours
                for peer in ("PyOD", "skorch", "pythae", "MLPRegressor")
            }
            limit = at_most(1.25 if (job, workload) == ("autoencoder", "L") else 1.10)
            bare, floor = (middle[f"{at}/{peer}/seconds"] for peer in (BARE, FLOOR))
            hoped = at_most(0.8) if kernel else None
            yield "1", f"fit / bare loop, {name}", ours / bare, limit, hoped, "x"
            if kernel:
                hoped = at_most(1.6 if workload == "S" else 1.4)
                yield "1", f"fit / floor, {name}", ours / floor, None, hoped, "x"
            if job == "autoencoder" and workload in ("S", "M"):
                for peer in ("PyOD", "skorch"):
                    limits = at_least(2.5), at_least(4)
                    yield "2", f"{peer} / ours, {name}", against[peer], *limits, "x"
            if job == "vae":
                for peer in ("PyOD", "pythae"):
                    yield "2", f"{peer} / ours, {name}", against[peer], at_least(2), None, "x"
            if job == "autoencoder" and workload != "L3":
                limits = at_least(1), at_least(1.6)
                yield "2", f"MLPRegressor / ours, {name}", against["MLPRegressor"], *limits, "x"
            more = middle[f"{at}/{OURS}/losses"] / middle[f"{at}/{BARE}/losses"] - 1
            what = f"final loss beside the bare loop's, {name}"
            yield "8", what, 100 * abs(more), at_most(1), None, " %"


def ask_of_corruption(middle):
    for workload in SHORT:
        pairs = {
            name: (f"denoising/{workload}/ours, {name}", f"denoising/{workload}/{OURS}")
            for name in ("SwapNoise", "MaskFeatures", "GaussianNoise")
        }
        pairs["two views, contrastive"] = (
            f"contrastive/{workload}/{OURS}",
            f"contrastive/{workload}/ours, views as they are",
        )
        for name, (with_it, without) in pairs.items():
            # Of the epochs alone: validation and scaling are no part of a step.
            share = 1 - middle[f"fit/{without}/in_epochs"] / middle[f"fit/{with_it}/in_epochs"]
            what = f"share of a step, {name} {workload}"
            yield "3", what, 100 * share, at_most(15), None, " %"


def ask_of_inference(middle):
    at = "inference/transform"
    over = middle[f"{at}/{OURS}"] / middle[f"{at}/{FLOOR}"]
    yield "4", "transform / its float32 products", over, at_most(2), at_most(1.2), "x"
    at = "inference/score"
    faster = middle[f"{at}/PyOD, decision_function"] / middle[f"{at}/{OURS}"]
    yield "4", "PyOD / ours, scores", faster, at_least(3), None, "x"
    yield "4", "transform of one row", middle[f"latency/{OURS}"], at_most(150), None, " µs"


def ask_of_processes(middle):
    share = middle[f"memory/{OURS}/rise"] / middle[f"memory/{OURS}/table"]
    yield "5", "peak memory of fit on L / table", share, at_most(0.6), None, "x"
    ours, skorch = (middle[f"import/imports/{name}/seconds"] for name in (OURS, "skorch"))
    yield "6", "import, beyond that of skorch", ours - skorch, at_most(0.1), None, " s"
    unwanted = middle["import/unwanted"]
    yield "6", "packages loaded that scikit-learn does not need", unwanted, at_most(0), None, ""
    ours, bare = (
        middle[f"import/twice/{name}/first"] - middle[f"import/twice/{name}/second"]
        for name in (OURS, BARE)
    )
    what = f"first fit beyond the second (a bare loop: {number(bare)} s)"
    yield "6", what, ours, at_most(0.3), None, " s"
    for peer in ("PyOD", "skorch"):
        faster = middle[f"grid/{peer}"] / middle[f"grid/{OURS}"]
        yield "7", f"{peer} / ours, grid search", faster, at_least(2.5), None, "x"


def ask_of_quality(middle):
    for name in ("AutoencoderTransformer", "VAETransformer", "ContrastiveTransformer"):
        digits = 0.945 if name == "ContrastiveTransformer" else 0.93
        for dataset, limit in (("digits", digits), ("breast cancer", 0.955)):
            accuracy = middle[f"quality/{dataset}/{name}"]
            yield "8", f"accuracy, {dataset}, {name}", accuracy, at_least(limit), None, ""
