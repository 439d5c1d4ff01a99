"""What displays draw on; the only place that imports matplotlib."""

import textwrap
from typing import Any

import numpy as np

#: Colours that colour-blind people can tell, in the order of use (Okabe and Ito 2008, *Color
#: universal design*): blue, vermilion, bluish green, orange, sky blue, reddish purple, black.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#000000")
#: Of classes, with wine, yellow and brown, and the marker that each has beside its colour.
CLASS_COLORS = (*COLORS, "#882255", "#F0E442", "#7F5539")
MARKERS = "os^Dv<>pX*"
#: Inches: of a letter of a label, and what stands above and below bars.
_CHARACTER, _ROOM = 0.07, 0.3
_FEWEST_IN_LINE = 12  # letters
_FEWEST_OF_BOTH_ENDS = 16


def new_axes(display: object, ax: Any = None, **of_figure: Any) -> Any:
    """Axes to draw on: those given, or those of a new figure.

    Sets ``ax_`` and ``figure_`` of the display, as scikit-learn's do.

    Parameters
    ----------
    display : object
    ax : matplotlib.axes.Axes, default=None
    **of_figure
        Of ``plt.subplots`` where there are none, such as ``figsize`` in inches.

    Raises
    ------
    ImportError
        If matplotlib is not installed; says how to install it.
    """
    if ax is None:
        _, ax = pyplot_for(display).subplots(layout="constrained", **of_figure)
        ax.spines[["top", "right"]].set_visible(False)
    display.ax_, display.figure_ = ax, ax.figure  # type: ignore[attr-defined]
    return ax


def pyplot_for(display: object) -> Any:
    """``matplotlib.pyplot``, imported when a display draws."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as missing:
        raise ImportError(
            f"{type(display).__name__}.plot draws with matplotlib, which is not installed: "
            'pip install "sklearn_replearn[plot]". What is drawn is in the attributes of the '
            "display, without it."
        ) from missing
    return plt


def new_panels(
    display: object, ax: Any, n_panels: int, n_columns: int, *, size: tuple[float, float]
) -> Any:
    """Several axes, row by row, in a new figure or where a user says.

    Sets ``axes_``, all of them, ``ax_``, the first, and ``figure_`` of the display.

    Parameters
    ----------
    display : object
    ax : matplotlib.axes.Axes, array of them or None
        None makes a figure; one is divided, as scikit-learn's displays do it, where there are
        several panels.
    n_panels, n_columns : int
    size : tuple of float
        Inches of a panel, width and height.

    Returns
    -------
    ndarray of shape (n_panels,) of matplotlib.axes.Axes
    """
    plt = pyplot_for(display)
    if ax is not None and np.size(ax) not in (1, n_panels):
        raise ValueError(
            f"ax must be one of matplotlib's axes, or {n_panels} of them, one for each panel; got "
            f"{np.size(ax)}."
        )
    if ax is not None and np.size(ax) == n_panels:
        axes = np.ravel(np.asarray(ax, dtype=object))
    else:
        n_columns = min(n_columns, n_panels)
        shape = (-(-n_panels // n_columns), n_columns)
        if ax is None:
            figsize = (size[0] * shape[1], size[1] * shape[0])
            figure = plt.figure(layout="constrained", figsize=figsize)
            grid = figure.add_gridspec(*shape)
        else:
            (whole,) = np.ravel(np.asarray(ax, dtype=object))
            if whole.get_subplotspec() is None:
                raise ValueError(
                    "ax was placed by hand and cannot be divided into panels. Give one of "
                    f"plt.subplots(), or {n_panels} axes."
                )
            whole.set_axis_off()
            figure, grid = whole.figure, whole.get_subplotspec().subgridspec(*shape)
        axes = np.empty(n_panels, dtype=object)
        for number in range(n_panels):
            axes[number] = figure.add_subplot(grid[divmod(number, n_columns)])
            axes[number].spines[["top", "right"]].set_visible(False)
    display.axes_, display.ax_ = axes, axes[0]  # type: ignore[attr-defined]
    display.figure_ = axes[0].figure  # type: ignore[attr-defined]
    return axes


def colour_bar(image: Any, axes: Any, label: str, **of_bar: Any) -> Any:
    """A bar beside axes that says what colours mean, in lines that its height has room for.

    Parameters
    ----------
    image : matplotlib.cm.ScalarMappable
    axes : matplotlib.axes.Axes or list of them
    label : str
        With the unit.
    **of_bar
        As ``Figure.colorbar`` takes it.
    """
    first = axes[0] if isinstance(axes, list) else axes
    label = in_lines(label, inches(first)[1] - _ROOM)
    return first.figure.colorbar(image, ax=axes, label=label, **of_bar)


def inches(ax: Any) -> tuple[float, float]:
    """Width and height of axes, before what stands beside them is written."""
    place, (width, height) = ax.get_position(), ax.figure.get_size_inches()
    return float(place.width * width), float(place.height * height)


def in_lines(label: str, room: float) -> str:
    """A label in lines for which there is room, in inches."""
    return "\n".join(textwrap.wrap(label, max(_FEWEST_IN_LINE, int(room / _CHARACTER))))


def plain(name: object) -> str:
    """A name as text: what stands between two dollars is no formula."""
    return str(name).replace("$", r"\$")


def short(name: object, longest: int = 24) -> str:
    """A name that has room beside what it names; of a long one its beginning and its end.

    Names that begin alike, as those of one survey or sensor do, stay apart. Where there is little
    room it is the beginning alone.
    """
    text = str(name)
    if len(text) > longest:
        n_last = (longest - 1) // 2 if longest >= _FEWEST_OF_BOTH_ENDS else 0
        text = text[: longest - 1 - n_last] + "…" + text[len(text) - n_last :]
    return plain(text)
