"""Matrices as coloured cells with named rows and columns."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._axes import colour_bar, inches, short

_MOST_LABELS, _LONGEST = 60, 26
CELL, NAMES, BAR = 0.22, 2.4, 1.1  # inches: of a cell, and what stands beside cells
_CHARACTER = 0.075
_ALONE = 0.775  # share of a figure's width that its only axes have, before names are written


def heat_map(
    ax: Any,
    values: NDArray[Any],
    rows: list[str],
    columns: list[str],
    *,
    label: str,
    **of_colors: Any,
) -> Any:
    """Draw a matrix, with a bar that says what colours mean, if there are any.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    values : ndarray of shape (n_rows, n_columns)
        NaN stays white.
    rows, columns : list of str
        Their names; of many rows only some are written.
    label : str
        Of the bar, with the unit.
    **of_colors
        Of ``imshow``, such as ``cmap``, ``vmin`` and ``vmax``.

    Returns
    -------
    matplotlib.image.AxesImage
    """
    image = ax.imshow(values, aspect="auto", interpolation="nearest", **of_colors)
    step = max(1, -(-len(rows) // _MOST_LABELS))
    names = [short(name, _LONGEST) for name in rows[::step]]
    ax.set_yticks(range(0, len(rows), step), names, fontsize=8)
    step = max(1, -(-len(columns) // _MOST_LABELS))
    names = [short(name, _LONGEST) for name in columns[::step]]
    ax.set_xticks(range(0, len(columns), step), names, fontsize=8)
    if max(map(len, names), default=0) * _CHARACTER > width_of_cells(ax, len(names)):
        # By their ends, so that a label stands below its own column.
        for text in ax.get_xticklabels():
            text.set(rotation=45, ha="right", rotation_mode="anchor")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if np.isfinite(values).any():
        colour_bar(image, ax, label, shrink=min(1.0, 12 / max(len(rows), 1)))
    return image


def width_of_cells(ax: Any, n_columns: int) -> float:
    """Inches of a cell of a heat map beside which names and a bar stand."""
    return float((inches(ax)[0] / _ALONE - NAMES - BAR) / max(n_columns, 1))


def largest(values: NDArray[Any]) -> float:
    """The end of a scale around zero."""
    known = np.abs(values[np.isfinite(values)])
    return float(known.max()) if known.size and known.max() > 0 else 1.0
