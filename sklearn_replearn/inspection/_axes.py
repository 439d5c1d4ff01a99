"""What displays draw on; the only place that imports matplotlib."""

from typing import Any

#: Colours that colour-blind people can tell, in the order of use (Okabe and Ito 2008, *Color
#: universal design*): blue, vermilion, bluish green, orange, sky blue, reddish purple, black.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#000000")


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
