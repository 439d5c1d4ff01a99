"""Codes of rows as a map of two axes."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA

from .._runtime.namespaces import as_numpy
from .._runtime.typing import TableLike
from .._tables.frames import as_pandas
from ._axes import CLASS_COLORS, COLORS, MARKERS, new_panels
from ._columns import frame_of, is_category, is_date, n_rows_of, some_rows
from ._fitted import codes_of, encoder_of, last_of

_MOST_CLASSES, _MOST_NUMBERS = len(CLASS_COLORS), 20
_SPREAD = "spread at random"
_PCA = ("first principal component", "second principal component")


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
        y, y_name = _labels(y, X, rows)
        points, names = _map(codes, method, random_state)
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
        given, y_name = _labels(y, codes, rows)
        frame = as_pandas(some)
        some = np.asarray(some if frame is None else frame[0], dtype=np.float64)
        if some.ndim == 1:
            some = some[:, None]
        if some.ndim != 2 or not np.isfinite(some).all():
            raise ValueError(
                "codes must be finite numbers of shape (n_samples, n_codes), as transform gives "
                f"them; got shape {some.shape}{'' if some.ndim != 2 else ' with NaN or inf'}."
            )
        points, names = _map(some, method, random_state)
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
            panel.set(xlabel=names[0], ylabel=names[1])
            if names[1] == _SPREAD:
                panel.set_yticks([])
                panel.set_ylim(-1, 1)
            if len(maps) > 1:
                panel.set_title(title)
        if self.y is None:
            return self
        if _are_classes(self.y):
            handles = self.points_[0]
            where = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
            legend = axes[-1].legend(handles=handles, title=self.y_name, frameon=False, **where)
            for handle in legend.legend_handles:
                handle.set(alpha=1.0, sizes=[36])
        else:
            bar = self.figure_.colorbar(self.points_[-1][-1], ax=list(axes), label=self.y_name)
            bar.solids.set(alpha=1.0)
        return self

    def _draw(self, panel, points, options):
        if self.y is None:
            return [panel.scatter(*points.T, **({"color": COLORS[0]} | options))]
        known, drawn = ~pd.isna(self.y), []
        if _are_classes(self.y):
            for name, which, color, marker in _classes(self.y, known):
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


def _map(codes, method, random_state):
    """Points of a map of codes, and what its axes are."""
    if method not in ("pca", "umap"):
        raise ValueError(f'method must be "pca" or "umap"; got {method!r}.')
    if codes.shape[1] == 2:
        return codes, ("code 0", "code 1")
    if codes.shape[1] == 1:
        return _on_a_line(codes[:, 0], random_state), ("code 0", _SPREAD)
    if method == "umap":
        return _umap(codes, random_state), ("first axis of UMAP", "second axis of UMAP")
    return principal_components(codes, random_state)


def _on_a_line(values, random_state):
    """Points of one axis, spread beside it so that they do not cover each other."""
    spread = np.random.RandomState(random_state).uniform(-0.4, 0.4, len(values))
    return np.column_stack([values, spread])


def principal_components(
    columns: NDArray[Any], random_state: int
) -> tuple[NDArray[Any], tuple[str, str]]:
    """The first two of columns of numbers, and their names with the share of variance."""
    n_components = min(2, *columns.shape)
    if not columns.size or not columns.std(axis=0).any():
        return np.zeros((len(columns), 2)), (f"{_PCA[0]} (no variance)", _SPREAD)
    pca = PCA(n_components, random_state=random_state).fit(columns)
    shares = np.nan_to_num(pca.explained_variance_ratio_)
    names = [
        f"{name} ({100 * share:.0f} % of variance)"
        for name, share in zip(_PCA, shares, strict=False)
    ]
    points = pca.transform(columns)
    if n_components == 1:
        return _on_a_line(points[:, 0], random_state), (names[0], _SPREAD)
    return points, (names[0], names[1])


def standardised(frame: pd.DataFrame) -> NDArray[np.float64]:
    """A table as columns for principal components: factor analysis of mixed data.

    Numbers and dates have mean 0 and variance 1, missing ones are at the mean. A level of a
    category is a column of 0 and 1, centred and divided by the root of its share; where the
    category is missing it is at its mean, too.
    """
    columns = []
    for j in range(frame.shape[1]):
        column = frame.iloc[:, j]
        missing = column.isna().to_numpy()
        if is_category(column):
            codes = column.cat.codes.to_numpy()
            cells = (codes[:, None] == np.arange(len(column.cat.categories))).astype(np.float64)
            share = cells.mean(axis=0, keepdims=True, where=~missing[:, None]) if len(cells) else 0
            cells, share = cells[:, share[0] > 0], share[:, share[0] > 0]
            cells = (cells - share) / share**0.5
        else:
            cells = (
                column.to_numpy().astype("M8[s]").astype(np.int64) if is_date(column) else column
            )
            cells = np.where(missing, np.nan, np.asarray(cells, np.float64))[:, None]
            if missing.all():
                continue
            # Divided first: squares of what is far from 1 have no float.
            unit = np.nanmax(np.abs(cells)) or 1.0
            cells = cells / unit
            deviation = np.nanstd(cells)
            if not deviation > 1e-12:
                continue
            cells = (cells - np.nanmean(cells)) / deviation
        columns.append(np.where(missing[:, None], 0.0, cells))
    return np.hstack(columns) if columns else np.zeros((len(frame), 0))


def _of_table(encoder, X, random_state):
    """The map of a table whose rows an encoder takes."""
    model = getattr(last_of(encoder), "_model", None)
    # Of a pipeline, the columns that the table has are others than those its last step saw.
    own = model is not None and not hasattr(encoder, "steps")
    if own and not model.rows.tabular and model.scaler.levels.any:
        raise ValueError(
            'beside="pca" needs columns that are numbers or categories; token ids are neither. '
            "Leave beside at None."
        )
    kinds = (model.schema.kinds or ()) if own else ()
    categories = [j for j, kind in enumerate(kinds) if kind.n_levels]
    columns = standardised(frame_of(X, categories=categories))
    return principal_components(columns, random_state)


def _umap(codes, random_state):
    """Two axes by UMAP."""
    try:
        from umap import UMAP
    except ImportError as missing:
        raise ImportError(
            'method="umap" needs the package umap-learn: pip install umap-learn. method="pca" '
            "needs none."
        ) from missing
    if len(codes) < 5:
        raise ValueError(
            f'method="umap" compares neighbours, of at least 5 rows; got {len(codes)}. Use '
            'method="pca".'
        )
    neighbors = min(15, len(codes) - 1)
    few = {} if len(codes) > 20 else {"init": "random"}  # eigenvectors need more rows
    reducer = UMAP(n_neighbors=neighbors, random_state=random_state, n_jobs=1, **few)
    return np.asarray(reducer.fit_transform(codes), dtype=np.float64)


def _labels(y, X, rows):
    """Classes or numbers of the rows that are drawn, and what they are called."""
    if y is None:
        return None, None
    found = as_pandas(y)
    if found is not None:
        y = found[0].iloc[:, 0] if found[0].shape[1] == 1 else found[0]
    name = getattr(y, "name", None)
    y = np.asarray(y if isinstance(y, pd.Series) else as_numpy(y))
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    n = n_rows_of(X)
    if y.shape != (n,):
        raise ValueError(
            f"y must have a class or a number for each of the {n} rows; got shape {y.shape}."
        )
    if y.dtype == object:
        y = pd.Series(y).infer_objects().to_numpy()
    return y[rows], None if name is None else str(name)


def _are_classes(y):
    """Whether labels are classes rather than numbers."""
    if y.dtype.kind not in "iuf":
        return True
    known = np.unique(y[~pd.isna(y)])
    whole = y.dtype.kind != "f" or (known == np.round(known)).all()
    return bool(whole and len(known) <= _MOST_NUMBERS)


def _classes(y, known):
    """Name, rows, colour and marker of each class; of the many the most frequent ones."""
    numbers, levels = pd.factorize(y[known], sort=True)
    counts = np.bincount(numbers, minlength=len(levels))
    codes = np.full(len(y), -1)
    codes[known] = numbers
    kept = np.arange(len(levels))
    if len(levels) > _MOST_CLASSES:
        kept = np.sort(np.argsort(-counts, kind="stable")[: _MOST_CLASSES - 1])
    rest = known & ~np.isin(codes, kept)
    for place, number in enumerate(kept):
        name = levels[number]
        name = f"{name:g}" if isinstance(name, float | np.floating) else str(name)
        name = name if len(name) <= 24 else name[:23] + "…"
        yield name, codes == number, CLASS_COLORS[place], MARKERS[place]
    if rest.any():
        yield f"{len(levels) - len(kept)} other classes", rest, "0.6", "."
    if not known.all():
        yield "no label", ~known, "0.8", "."
