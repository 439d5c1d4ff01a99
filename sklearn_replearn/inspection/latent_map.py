"""Codes of rows as a map of two axes."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._runtime.typing import TableLike
from .._tables.frames import as_pandas
from ..rows import Tokens
from ._axes import COLORS, colour_bar, in_lines, inches, new_panels, short
from ._columns import frame_of
from ._fitted import categories_of, codes_of, encoder_of, kind_of_rows
from ._labels import are_classes, classes, labels_of
from ._maps import SPREAD, map_of, principal_components, standardised
from ._rows import n_rows_of, some_rows


class LatentMapDisplay:
    """A map of codes: a point a row, close where the codes are alike.

    Two code columns are the axes themselves. Of more, the map is their first two principal
    components, which keep distances as far as two axes can and say how much that is, or UMAP, which
    keeps neighbours and no distances. A single code column has one axis, and rows are spread beside
    it at random, so that they do not cover each other.

    Beside it may stand the principal components of the table itself, to see what the codes add.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
        Where each row is on the map.
    axis_names : sequence of two str
    y : ndarray of shape (n_samples,), default=None
        A class or a number of each row. Strings, booleans and at most 20 whole numbers are classes,
        which have a colour and a marker each; the 10 most frequent ones are named, as no more can
        be told apart. Other numbers are colours of a scale. Missing ones are grey.
    y_name : str, default=None
        What ``y`` is: the title of the legend, the label of the colour bar.
    beside : ndarray of shape (n_samples, 2), default=None
        Where each row is on the map of the table.
    beside_names : sequence of two str, default=None
        Its axes.

    Attributes
    ----------
    points, axis_names, y, y_name, beside, beside_names
        As given.
    rows : ndarray of shape (n_samples,), int
        Which rows of the table are drawn, of displays made from a table.
    points_ : list of list of matplotlib.collections.PathCollection
        What is drawn in each panel, one for each class; after :meth:`plot`.
    axes_ : ndarray of matplotlib.axes.Axes
    ax_ : matplotlib.axes.Axes
        The first of them.
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    HistoryDisplay : How training went.
    sklearn_replearn.metrics.knn_probe : How well neighbours agree, in all columns of a code.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import AutoencoderTransformer
    >>> from sklearn_replearn.inspection import LatentMapDisplay
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> encoder = AutoencoderTransformer(latent_dim=2, max_epochs=5).fit(X)
    >>> display = LatentMapDisplay.from_estimator(encoder, X, y, beside="pca")
    >>> display.points.shape, display.axis_names
    ((178, 2), ('code 0', 'code 1'))
    >>> display.beside_names[0]
    'first principal component (36 % of variance)'
    """

    axes_: Any
    ax_: Any
    figure_: Any

    def __init__(
        self,
        *,
        points: NDArray[Any],
        axis_names: Sequence[str],
        y: NDArray[Any] | None = None,
        y_name: str | None = None,
        beside: NDArray[Any] | None = None,
        beside_names: Sequence[str] | None = None,
    ) -> None:
        self.points = points
        self.axis_names = axis_names
        self.y = y
        self.y_name = y_name
        self.beside = beside
        self.beside_names = beside_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: TableLike,
        y: ArrayLike | None = None,
        *,
        method: Literal["pca", "umap"] = "pca",
        beside: Literal["pca"] | None = None,
        subsample: int | None = 2000,
        random_state: int = 0,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the codes that a fitted estimator gives rows.

        Parameters
        ----------
        estimator : estimator
            A fitted transformer, or a predictor, pipeline or search that has one.
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
            A class or a number of each row, to colour it by.
        method : {"pca", "umap"}, default="pca"
            The map of more than two code columns. "umap" needs the package umap-learn.
        beside : {"pca"} or None, default=None
            "pca" draws the principal components of the table beside it: numbers and dates
            standardised, missing ones at their mean, an indicator of each level of a category
            divided by the root of its share (factor analysis of mixed data).
        subsample : int or None, default=2000
            At most so many rows are drawn; None draws all.
        random_state : int, default=0
            Chooses them, and starts UMAP: the same number gives the same map.
        ax : matplotlib.axes.Axes or array of them, default=None
            Where to draw, see :meth:`plot`.
        **kwargs
            Of all points, see :meth:`plot`.

        Returns
        -------
        LatentMapDisplay

        References
        ----------
        McInnes et al. (2018), *UMAP: Uniform manifold approximation and projection*.
        Pagès (2014), *Multiple factor analysis by example using R*.
        """
        if beside not in (None, "pca"):
            raise ValueError(f'beside must be "pca" or None; got {beside!r}.')
        encoder = encoder_of(estimator)
        some, rows = some_rows(X, subsample, random_state)
        codes = codes_of(encoder, some)
        y, y_name = labels_of(y, X, rows)
        points, names = map_of(codes, method, random_state)
        display = cls(points=points, axis_names=names, y=y, y_name=y_name)
        display.rows = rows
        if beside is not None:
            display.beside, display.beside_names = _of_table(encoder, some, random_state)
        return display.plot(ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        codes: TableLike,
        y: ArrayLike | None = None,
        *,
        method: Literal["pca", "umap"] = "pca",
        X: TableLike | None = None,
        subsample: int | None = 2000,
        random_state: int = 0,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw codes.

        Parameters
        ----------
        codes : array-like or frame of shape (n_samples, n_codes)
            As ``transform`` gives them.
        y : array-like of shape (n_samples,), default=None
            A class or a number of each row, to colour it by.
        method : {"pca", "umap"}, default="pca"
            The map of more than two code columns. "umap" needs the package umap-learn.
        X : array-like, frame or sparse matrix of shape (n_samples, n_features), default=None
            The table of these rows, whose principal components are drawn beside if it is given.
        subsample : int or None, default=2000
            At most so many rows are drawn; None draws all.
        random_state : int, default=0
            Chooses them, and starts UMAP.
        ax : matplotlib.axes.Axes or array of them, default=None
            Where to draw, see :meth:`plot`.
        **kwargs
            Of all points, see :meth:`plot`.

        Returns
        -------
        LatentMapDisplay
        """
        some, rows = some_rows(codes, subsample, random_state)
        given, y_name = labels_of(y, codes, rows)
        frame = as_pandas(some)
        some = np.asarray(some if frame is None else frame[0], dtype=np.float64)
        if some.ndim == 1:
            some = some[:, None]
        if some.ndim != 2 or not np.isfinite(some).all():
            raise ValueError(
                "codes must be finite numbers of shape (n_samples, n_codes), as transform gives "
                f"them; got shape {some.shape}{'' if some.ndim != 2 else ' with NaN or inf'}."
            )
        points, names = map_of(some, method, random_state)
        display = cls(points=points, axis_names=names, y=given, y_name=y_name)
        display.rows = rows
        if X is not None:
            table, _ = some_rows(X, None, 0)
            if n_rows_of(table) != n_rows_of(codes):
                raise ValueError(
                    f"X must have a row for each row of codes, {n_rows_of(codes)}; it has "
                    f"{n_rows_of(table)}."
                )
            table, _ = some_rows(X, subsample, random_state)
            display.beside, display.beside_names = principal_components(
                standardised(frame_of(table)), random_state
            )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or array of two, default=None
            One, which is divided where the table stands beside the codes. None makes a figure.
        **kwargs
            Of all points, as ``Axes.scatter`` takes them.

        Returns
        -------
        LatentMapDisplay
            Itself, with ``ax_``, ``axes_``, ``figure_`` and ``points_``.
        """
        maps = [(self.points, self.axis_names, "codes")]
        if self.beside is not None:
            maps.append((self.beside, self.beside_names, "the table itself"))
        axes = new_panels(self, ax, len(maps), 2, size=(4.8, 4.2))
        size = np.clip(8000 / max(len(self.points), 1), 12, 40)
        options = {"s": size, "alpha": 0.85, "linewidths": 0.0} | kwargs
        self.points_: list[list[Any]] = []
        for panel, (points, names, title) in zip(axes, maps, strict=True):
            self.points_.append(self._draw(panel, points, options))
            labels = [
                in_lines(short(name, 60), room)
                for name, room in zip(names, inches(panel), strict=True)
            ]
            panel.set(xlabel=labels[0], ylabel=labels[1])
            if names[1] == SPREAD:
                panel.set_yticks([])
                panel.set_ylim(-1, 1)
            if len(maps) > 1:
                panel.set_title(title)
        if self.y is None:
            return self
        name = None if self.y_name is None else short(self.y_name)
        if are_classes(self.y):
            handles = self.points_[0]
            where = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
            # Written afterwards: before matplotlib 3.10 legends leave out names such as "_a".
            numbers = map(str, range(len(handles)))
            legend = axes[-1].legend(handles, numbers, title=name, frameon=False, **where)
            names = [label for label, *_ in classes(self.y, ~pd.isna(self.y))]
            for text, label in zip(legend.get_texts(), names, strict=True):
                text.set_text(label)
            for handle in legend.legend_handles:
                handle.set(alpha=1.0, sizes=[36])
        else:
            missing = "grey: missing" if pd.isna(self.y).any() else ""
            label = ", ".join(filter(None, [name, missing]))
            bar = colour_bar(self.points_[-1][-1], list(axes), label)
            bar.solids.set(alpha=1.0)
        return self

    def _draw(self, panel, points, options):
        if self.y is None:
            return [panel.scatter(*points.T, **({"color": COLORS[0]} | options))]
        known, drawn = ~pd.isna(self.y), []
        if are_classes(self.y):
            for name, which, color, marker in classes(self.y, known):
                looks = {"color": color, "marker": marker, "label": name}
                looks["zorder"] = 1 if marker == "." else 2  # below those that have a name
                looks |= options
                drawn.append(panel.scatter(*points[which].T, **looks))
        else:
            if not known.all():
                drawn.append(panel.scatter(*points[~known].T, **({"color": "0.75"} | options)))
            numbers = self.y[known].astype(np.float64)
            looks = {"c": numbers, "cmap": "viridis"} | options
            drawn.append(panel.scatter(*points[known].T, **looks))
        return drawn


def _of_table(encoder, X, random_state):
    """The map of a table whose rows an encoder takes."""
    # Of a pipeline, the columns that the table has are others than those its last step saw.
    if isinstance(kind_of_rows(encoder), Tokens):
        raise ValueError(
            'beside="pca" needs columns that are numbers or categories; token ids are neither. '
            "Leave beside at None."
        )
    columns = standardised(frame_of(X, categories=categories_of(encoder)))
    return principal_components(columns, random_state)
