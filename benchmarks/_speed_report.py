"""The results of speed.py as Markdown: what is asked and whether it is met, then the tables."""

from statistics import mean, median

from _markdown import table
from _speed_asked import what_is_asked
from _speed_contenders import BARE, FLOOR, NOTES, OURS
from _speed_figures import medians, number, size_of
from _speed_task import WORKLOADS


def markdown(results):
    sections = [heading(results), what_is_asked(results)]
    sections += [
        write(results[part], results) for part, write in SECTIONS.items() if part in results
    ]
    return "\n\n".join(sections) + "\n"


def page_table(results):
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
        + "\n\nColumns of categories are in tables.md, part encoding."
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
