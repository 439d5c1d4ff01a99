"""Names of all kinds can be read: as they are, told apart, and within the figure."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from inspected_tables import mixed_table

from sklearn_replearn import OutlierDetector, VAETransformer
from sklearn_replearn.inspection import (
    CodeDependenceDisplay,
    LatentMapDisplay,
    ReasonsDisplay,
    ReconstructionDisplay,
    SampleDisplay,
    TraversalDisplay,
)
from sklearn_replearn.inspection._axes import short

pytest.importorskip("matplotlib").use("agg")

NAMES = ["$\\bad{$", "$x_1^2$", "_hidden", "a $", "flag"]


def plots(table):
    """Each display of a table, drawn."""
    encoder = VAETransformer(latent_dim=2, max_epochs=2).fit(table)
    detector = OutlierDetector().fit(table)
    yield LatentMapDisplay.from_estimator(encoder, table, table.iloc[:, min(2, table.shape[1] - 1)])
    yield ReconstructionDisplay.from_estimator(encoder, table)
    for kind in ("marginals", "associations"):
        yield SampleDisplay.from_estimator(encoder, table, kind=kind)
    yield TraversalDisplay.from_estimator(encoder, table)
    yield CodeDependenceDisplay.from_estimator(encoder, table, n_repeats=1)
    for rows in (table[:1], table[:3]):
        yield ReasonsDisplay.from_estimator(detector, rows)


@pytest.fixture(autouse=True)
def closed():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_names_are_no_formulas():
    table = mixed_table(40).set_axis(NAMES, axis=1)
    table["_hidden"] = table["_hidden"].cat.rename_categories(["$\\frac$", "_b"])
    table.index = [f"$\\row{{{n}$" for n in range(len(table))]
    for display in plots(table):
        display.figure_.draw_without_rendering()
        axes = display.figure_.axes
        texts = [text for ax in axes for text in [*ax.get_xticklabels(), *ax.get_yticklabels()]]
        texts += [text for ax in axes for text in [ax.title, *ax.texts]]
        texts += [t for ax in axes if ax.get_legend() for t in ax.get_legend().get_texts()]
        written = [text.get_text() for text in texts if "$" in text.get_text()]
        assert written and all(text.count("$") == text.count(r"\$") for text in written)


@pytest.mark.parametrize("name", ["mean of sensor, {}", "{} of the sensor", "é" * 40 + "{}"])
def test_long_names_stay_apart(name):
    names = [name.format(f"{'x' * 30} {n}") for n in range(9)]
    names += [name.format(f"{n} {'x' * 30}") for n in range(9)]
    cut = [short(text, 24) for text in names]
    assert all(len(text) == 24 for text in cut) and len(set(cut)) >= 9


def test_with_little_room_names_are_their_beginning():
    assert [short("Month-to-month", n) for n in (2, 6, 14)] == ["M…", "Month…", "Month-to-month"]


def _within(figure):
    """Labels, titles and names of colour bars that are not within their figure."""
    for _ in range(2):  # the layout settles in the second
        figure.draw_without_rendering()
    width, height = figure.bbox.size
    for ax in figure.axes:
        for text in (ax.xaxis.label, ax.yaxis.label, ax.title):
            if text.get_text() and text.get_visible():
                box = text.get_window_extent()
                if min(box.x0, box.y0) < -1 or box.x1 > width + 1 or box.y1 > height + 1:
                    yield text.get_text()


@pytest.mark.parametrize("columns", [["size"], ["kind"], ["sold"], None], ids=str)
def test_labels_are_within_their_figure(columns):
    table = mixed_table(40)
    for display in plots(table if columns is None else table[columns].assign(also=1.0)):
        assert list(_within(display.figure_)) == [], type(display).__name__


def test_titles_of_cells_that_are_missing_are_within_their_figure():
    table = mixed_table(40)
    levels = ["a level of a long name", "another level of a long name"]
    table["kind"] = table["kind"].cat.rename_categories(levels)
    table = pd.concat([table[["kind"]].add_prefix(f"{n} ") for n in range(4)], axis=1)
    display = SampleDisplay.from_predictions(table, table[::2])
    assert list(_within(display.figure_)) == []


def test_categories_alone_have_no_bar_of_colours():
    encoder = VAETransformer(latent_dim=2, max_epochs=2).fit(mixed_table(40)[["kind", "sold"]])
    display = TraversalDisplay.from_estimator(encoder, mixed_table(40)[["kind", "sold"]])
    assert display.figure_.axes == [display.ax_]


def test_what_does_not_fit_into_small_axes_is_left_out():
    import matplotlib.pyplot as plt

    table = mixed_table(40)
    encoder = VAETransformer(latent_dim=2, max_epochs=2).fit(table)
    _, (small, large) = plt.subplots(1, 2, figsize=(14, 4), width_ratios=(1, 4))
    assert not ReconstructionDisplay.from_estimator(encoder, table, ax=small).ax_.texts
    assert ReconstructionDisplay.from_estimator(encoder, table, ax=large).ax_.texts
    _, axes = plt.subplots(1, 3, figsize=(6, 3))
    maps = LatentMapDisplay.from_estimator(encoder, table, beside="pca", ax=axes[1])
    assert "\n" in maps.axes_[1].get_xlabel()


def test_grey_is_said_to_be_of_one_value():
    table = mixed_table(40).assign(same=1.0)
    for X, said in ((table, "grey: of one value only"), (table.drop(columns="same"), "")):
        display = SampleDisplay.from_predictions(X, X).plot(kind="associations")
        assert {panel.get_xlabel() for panel in display.axes_} == {said}


@pytest.mark.parametrize("n", [0, 1])
def test_pairs_say_how_many_columns_of_numbers_there_are(n):
    X = mixed_table(20)[["kind", "sold", *["size"][:n]]]
    with pytest.raises(ValueError, match=f"the table has {n}. Use"):
        SampleDisplay.from_predictions(X, X, kind="pairs")


def test_columns_that_change_no_more_are_not_said_to_change_less():
    decoded = [np.zeros((3, 40))]
    display = TraversalDisplay.from_predictions(decoded, np.eye(40)[:9]).plot(max_columns=5)
    assert "35 other columns change no more" in display.ax_.get_xlabel()


@pytest.mark.parametrize("library", ["pandas", "polars", "objects"])
def test_durations_are_in_days(library):
    waited = pd.Series(pd.to_timedelta(np.arange(30) * 7.0, unit="h"))
    table = pd.DataFrame({"waited": waited, "size": np.arange(30.0)})
    if library == "polars":
        table = pl.from_pandas(table)
    elif library == "objects":
        table["waited"] = [one.to_pytimedelta() for one in waited]
    for columns in (None, ["waited"]):
        display = SampleDisplay.from_predictions(table, table, columns=columns)
        assert display.axes_[0].get_title() == "waited [days]"
    display.plot(kind="pairs", columns=[("waited", "size")])
    axes = display.axes_[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("waited [days]", "size")
    display = ReconstructionDisplay.from_predictions(table, table)
    named = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert named == ["waited [days]", "size"]


def test_classes_of_all_names_are_in_the_legend():
    names = np.array(["_a", "", "b", "0"])
    codes = np.random.RandomState(0).normal(size=(40, 2))
    display = LatentMapDisplay.from_predictions(codes, np.repeat(names, 10))
    texts = display.ax_.get_legend().get_texts()
    assert sorted(text.get_text() for text in texts) == ['""', "0", "_a", "b"]
