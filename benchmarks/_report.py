"""The results of speed.py as Markdown: what is asked and whether it is met, then the tables."""

import math
from collections import defaultdict
from statistics import mean, median

from _contenders import BARE, FLOOR, NOTES, OURS

WORKLOADS = ("S", "M", "L", "L3")


def markdown(results):
    sections = [heading(results), what_is_asked(results)]
    sections += [
        write(results[part], results) for part, write in SECTIONS.items() if part in results
    ]
    return "\n\n".join(sections) + "\n"


def readme_table(results):
    """Autoencoder fits: seconds, times the bare loop, and final loss, by workload."""
    measured, middle = results["fit"]["autoencoder"], medians(results)
    workloads = [workload for workload in ("S", "M", "L") if workload in measured]
    header = [""]
    for workload in workloads:
        header += [f"{size_of(workload, results)}: s", "x bare", "loss"]
    rows = []
    for name in measured[workloads[0]]:
        cells = [name]
        for workload in workloads:
            at = f"fit/autoencoder/{workload}"
            seconds = middle[f"{at}/{name}/seconds"]
            loss = middle[f"{at}/{name}/losses"]
            over = seconds / middle[f"{at}/{BARE}/seconds"]
            cells += [number(seconds), number(over), number(loss, 4)]
        rows.append(cells)
    return table(header, rows)


def table(header, rows):
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def number(value, digits=3):
    """Three significant digits, without an exponent; nothing for NaN."""
    if math.isnan(value):
        return ""
    if isinstance(value, int) or abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def size_of(workload, results):
    size = results["workloads"][workload]
    epochs = "1 epoch" if size["epochs"] == 1 else f"{size['epochs']} epochs"
    return f"{workload} {size['n_rows']:,}x{size['n_columns']}, {epochs}"


def medians(results):
    """The median of all measurements of one thing, by a path such as "grid/ours".

    Of losses the mean: they differ by initial weights and order of the rows, without outliers. NaN
    for what was not measured or has no value: what is computed from it is NaN too.
    """
    found = defaultdict(lambda: math.nan)

    def walk(path, tree):
        if isinstance(tree, dict):
            for name, branch in tree.items():
                walk(f"{path}/{name}" if path else name, branch)
        elif isinstance(tree, list) and tree and all(isinstance(v, int | float) for v in tree):
            found[path] = mean(tree) if path.endswith("/losses") else median(tree)
        elif isinstance(tree, int | float):
            found[path] = tree

    walk("", results)
    return found


# ------------------------------------------------------------------------- what is asked


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
        for workload in WORKLOADS if job == "autoencoder" else WORKLOADS[:3]:
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
    for workload in WORKLOADS[:3]:
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


# ------------------------------------------------------------------------- sections


def heading(results):
    machine, on_gpu = results["machine"], results["device"] == "cuda"
    counted = "seconds by the clock, kernels included" if on_gpu else "CPU seconds on one thread"
    lines = [
        f"# Speed: {machine['gpu'] if on_gpu else machine['cpu']}",
        "",
        f"Measured {results['date']} by `{results['command']}`: {counted}, medians of "
        f"{results['repeats']} rounds (fits on S: 4 times as many), contenders in turn.",
        "",
        f"- Machine: {listed(machine)}",
        f"- Versions: {listed(results['versions'])}",
        "- Network d-256-16-256-d with ReLU, Adam at 1e-3, batches of 256 rows, float32.",
        f"- Workloads: {'; '.join(size_of(workload, results) for workload in WORKLOADS)}",
        "- Ours takes raw rows: its validation, scaling and history are in its time; the seconds "
        "in epochs (by the clock) are without them. The bare loop and others that do not scale "
        "get standardised rows for nothing.",
        *(f"- {line}." for line in results["skipped"]),
    ]
    if results["rows_scale"] != 1:
        lines.append("- **Fewer rows than the workloads have: a trial of the program only.**")
    return "\n".join(lines)


def listed(described):
    return ", ".join(f"{name} {value}" for name, value in described.items())


def fit_section(measured, results):
    parts = ["## Fit"]
    for job, by_workload in measured.items():
        parts.append(f"### {job}")
        parts += [fit_table(workload, by_name) for workload, by_name in by_workload.items()]
        parts.append("\n".join(f"- {line}" for line in NOTES[job]))
    return "\n\n".join(parts)


def fit_table(workload, contenders):
    reference = BARE if BARE in contenders else OURS
    base, rows = contenders[reference]["seconds"], []
    for name, measured in contenders.items():
        seconds, losses, epochs = measured["seconds"], measured["losses"], measured["in_epochs"]
        ratios = [one / other for one, other in zip(seconds, base, strict=True)]
        cells = [number(median(seconds)), number(median(seconds) / median(base)), spread(ratios)]
        cells.append("" if None in epochs else number(median(epochs)))
        cells += ["", ""] if None in losses else [number(mean(losses), 4), spread(losses, 4)]
        rows.append([name, *cells])
    header = [workload, "s", f"x {reference}", "in each round", "s in epochs"]
    header += ["mean loss", "in each round"]
    return table(header, rows)


def spread(values, digits=3):
    return f"{number(min(values), digits)} to {number(max(values), digits)}"


def compared(title, seconds, reference):
    base = median(seconds[reference])
    rows = [[name, number(median(s)), number(median(s) / base)] for name, s in seconds.items()]
    return table([title, "s", f"x {reference}"], rows)


def inference_section(measured, results):
    size = results["workloads"]["L"]
    alone = [
        f"- {name}: {100 * one['changed']:.1f} % of the rows, by at most {one['largest']:.1e}"
        for name, one in measured["company"].items()
    ]
    return "\n\n".join(
        [
            f"## Inference on {size['n_rows']:,}x{size['n_columns']}",
            compared("transform", measured["transform"], FLOOR),
            compared("score of each row", measured["score"], OURS),
            "The floor is the float32 matrix products of the encoder, in chunks of 1,024 rows. "
            "Ours validates and scales the rows, limits them to what was seen in fit and computes "
            "them in a network widened with zeros, so that a row's code is its own. What that "
            "buys, in networks with one hidden layer: of 5,000 rows that are encoded 37 at a time "
            "instead of together, these change their codes:",
            "\n".join(alone),
        ]
    )


def latency_section(measured, results):
    rows = []
    for name, values in measured.items():
        late = sorted(values)[int(0.95 * len(values))]
        rows.append([name, f"{median(values):.0f}", f"{late:.0f}"])
    return "## One row\n\n" + table(["µs by the clock", "median", "95th percentile"], rows)


def memory_section(measured, results):
    rows = [
        [
            name,
            f"{one['rise'] / 1e6:.0f}",
            f"{one['rise'] / one['table']:.2f}",
            f"{one['on_device'] / 1e6:.0f}" if "on_device" in one else "",
        ]
        for name, one in measured.items()
    ]
    size = measured[OURS]["table"] / 1e6
    title = f"## Peak memory of fit above what was held before: L, a table of {size:.0f} MB\n\n"
    return title + table(["", "MB", "x table", "MB on the GPU"], rows)


def import_section(measured, results):
    imports = [
        [name, number(median(one["seconds"])), ", ".join(one["loaded"])]
        for name, one in measured["imports"].items()
    ]
    twice = [
        [name, number(median(one["first"])), number(median(one["second"]))]
        for name, one in measured["twice"].items()
    ]
    return "\n\n".join(
        [
            "## Import and first fit: CPU seconds of fresh processes",
            table(["import", "s", "loads"], imports),
            table(["work on 256x10", "first time, s", "second time, s"], twice),
            "The first optimiser of torch's in a process imports torch._dynamo, for which the bare "
            "loop pays; ours has an Adam of its own.",
        ]
    )


def grid_section(measured, results):
    rows = [[name, number(s), number(s / measured[OURS])] for name, s in measured.items()]
    title = "## Grid search: 6 widths of the code, 5 folds of S, run once each\n\n"
    return title + table(["", "s", "x ours"], rows)


def table_section(measured, results):
    n_rows = results["workloads"]["L"]["n_rows"]
    return (
        f"## A table of {n_rows:,} rows and 20 columns to scaled rows (and one linear code)\n\n"
        + compared("transform", measured, "ours, array")
        + "\n\nColumns of categories and missing cells come with a later version."
    )


def quality_section(measured, results):
    names = list(measured["digits"])
    rows = [[dataset, *(f"{one[name]:.3f}" for name in names)] for dataset, one in measured.items()]
    title = "## Accuracy of logistic regression on codes of default settings, unseen half\n\n"
    return title + table(["", *names], rows)


SECTIONS = {
    "fit": fit_section,
    "inference": inference_section,
    "latency": latency_section,
    "memory": memory_section,
    "import": import_section,
    "grid": grid_section,
    "table": table_section,
    "quality": quality_section,
}
