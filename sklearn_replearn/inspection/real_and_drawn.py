"""Rows of a table beside rows that a model drew."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from .._runtime.typing import TableLike
from ._axes import COLORS, colour_bar, new_panels, pyplot_for, short
from ._columns import alike, frame_of, is_category, is_date, with_unit
from ._fitted import categories_of, last_with_rows
from ._marginals import Marginal, associations, marginal_of
from ._rows import some_rows

_KINDS = ("marginals", "associations", "pairs")
_REAL, _DRAWN = "0.72", COLORS[1]


class SampleDisplay:
    """Real rows against rows that a model drew: column by column, and by pairs of columns.

    ``kind="marginals"`` has a panel for each column, with the share of rows in common bins: numbers
    and dates as histograms, categories as bars, of the most frequent levels. Real rows are grey,
    drawn ones an orange line or bar. Where cells are missing the title says which share.
    ``kind="associations"`` has three matrices of how columns depend on each other, those of the
    real and the drawn table and their difference. ``kind="pairs"`` has scatter plots of
    two columns of numbers, real rows beside drawn ones.

    Parameters
    ----------
    real, drawn : DataFrame
        Of the same columns, float64, dates or of a categorical dtype.

    Attributes
    ----------
    real, drawn
        As given.
    marginals : dict of str to Marginal
        Of each column: ``kind``, ``bins`` (edges, or names of levels), ``real`` and ``drawn``
        (shares of the cells in each), ``missing`` (shares of the rows) and ``distance`` (total
        variation, from 0 to 1).
    associations : tuple of two ndarray of shape (n_features, n_features)
        Of the real and the drawn table: Spearman's correlation of two columns of numbers, the
        correlation ratio of a category and ranks of numbers, Cramér's V of two categories, the last
        two corrected for chance. NaN where a column is constant.
    shown : list of str or of tuple of str
        Columns, or pairs of them, that are drawn; after :meth:`plot`.
    axes_ : ndarray of matplotlib.axes.Axes
    ax_ : matplotlib.axes.Axes
        The first of them.
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    sklearn_replearn.VAETransformer.sample : Draws rows.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.inspection import SampleDisplay
    >>> X = load_wine(as_frame=True).data
    >>> vae = VAETransformer(latent_dim=2, max_epochs=5).fit(X)
    >>> display = SampleDisplay.from_estimator(vae, X, n_columns=4)
    >>> display.drawn.shape, len(display.shown), display.associations[0].shape
    ((178, 13), 4, (13, 13))
    """

    axes_: Any
    ax_: Any
    figure_: Any

    def __init__(self, *, real: pd.DataFrame, drawn: pd.DataFrame) -> None:
        self.real = real
        self.drawn = drawn

    @cached_property
    def marginals(self) -> dict[str, Marginal]:
        """How the cells of each column are distributed in both tables."""
        return {
            name: marginal_of(name, self.real.iloc[:, j], self.drawn.iloc[:, j])
            for j, name in enumerate(self.real.columns)
        }

    @cached_property
    def associations(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How columns depend on each other in both tables."""
        return associations(self.real), associations(self.drawn)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: TableLike,
        *,
        n_samples: int | None = None,
        subsample: int | None = 5000,
        random_state: int = 0,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw rows by a fitted estimator, and show them against real ones.

        Parameters
        ----------
        estimator : VAETransformer
            Fitted; or a pipeline that ends in one, whose steps before it transform ``X``, or a
            search.
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Real rows, best those that fit has not seen.
        n_samples : int, default=None
            Rows to draw; None draws as many as are shown of ``X``. Cells are left missing as often
            as they were in fit.
        subsample : int or None, default=5000
            At most so many real rows are shown; None shows all.
        random_state : int, default=0
            Chooses them, and draws.
        ax : matplotlib.axes.Axes or array of them, default=None
            Where to draw, see :meth:`plot`.
        **kwargs
            See :meth:`plot`.

        Returns
        -------
        SampleDisplay
        """
        some, _ = some_rows(X, subsample, random_state)
        fitted, some = last_with_rows(estimator, some)
        if not hasattr(fitted, "sample") or not hasattr(fitted, "posterior"):
            raise TypeError(
                "estimator must draw rows by sample, as VAETransformer does; "
                f"{type(fitted).__name__} does not. Rows drawn by another are shown by "
                "SampleDisplay.from_predictions(X, drawn)."
            )
        check_is_fitted(fitted)
        categories, names = categories_of(fitted), getattr(fitted, "feature_names_in_", None)
        fitted.to_numbers(some)  # says what is wrong with columns
        real = frame_of(some, names, categories)
        n_samples = len(real) if n_samples is None else n_samples
        drawn = fitted.sample(n_samples, random_state=random_state, missing="as_fit")
        drawn = frame_of(drawn, list(real.columns), categories)
        real, drawn = alike(real, drawn)
        return cls(real=real, drawn=drawn).plot(ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        X: TableLike,
        drawn: TableLike,
        *,
        subsample: int | None = 5000,
        random_state: int = 0,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Show drawn rows, of any model, against real ones.

        Parameters
        ----------
        X, drawn : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Of the same columns, in the same order.
        subsample : int or None, default=5000
            At most so many rows of each are shown; None shows all.
        random_state : int, default=0
            Chooses them.
        ax : matplotlib.axes.Axes or array of them, default=None
            Where to draw, see :meth:`plot`.
        **kwargs
            See :meth:`plot`.

        Returns
        -------
        SampleDisplay
        """
        real, drawn = (frame_of(some_rows(part, subsample, random_state)[0]) for part in (X, drawn))
        real, drawn = alike(real, drawn)
        return cls(real=real, drawn=drawn).plot(ax=ax, **kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        kind: Literal["marginals", "associations", "pairs"] = "marginals",
        columns: Sequence[Any] | None = None,
        n_columns: int = 12,
    ) -> Self:
        """Draw real rows against drawn ones.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or array of them, default=None
            One, which is divided, or one for each panel. None makes a figure.
        kind : {"marginals", "associations", "pairs"}, default="marginals"
        columns : list of str, or of tuple of two str, default=None
            Columns to show, or for ``kind="pairs"`` pairs of columns. None shows all of them, of a
            wide table those whose marginals differ most (``distance``), in their order; of pairs
            the three that depend most on each other in the real table.
        n_columns : int, default=12
            So many columns at most, where ``columns`` is None; of ``"associations"`` three times
            as many.

        Returns
        -------
        SampleDisplay
            Itself, with ``ax_``, ``axes_``, ``figure_`` and ``shown``.
        """
        self._own_figure = ax is None
        if kind not in _KINDS:
            raise ValueError(f"kind must be one of {', '.join(_KINDS)}; got {kind!r}.")
        if kind == "pairs":
            return self._draw_pairs(ax, columns)
        if kind == "associations":
            return self._draw_associations(ax, self._chosen(columns, 3 * n_columns))._titled(
                columns
            )
        return self._draw_marginals(ax, self._chosen(columns, n_columns))._titled(columns)

    def _chosen(self, columns, most):
        """Names of columns to show."""
        names = list(self.real.columns)
        if columns is not None:
            return [self._named(column) for column in columns]
        if len(names) <= most:
            return names
        apart = {name: marginal.distance for name, marginal in self.marginals.items()}
        kept = set(sorted(names, key=lambda name: -apart[name])[:most])
        return [name for name in names if name in kept]

    def _named(self, column):
        names = list(self.real.columns)
        if str(column) not in names:
            known = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
            raise ValueError(f"There is no column {column!r}; there are {known}.")
        return str(column)

    def _draw_marginals(self, ax, names):
        self.shown, marginals = names, self.marginals
        axes = new_panels(self, ax, len(names), min(4, len(names)), size=(3.1, 2.5))
        for panel, name in zip(axes, names, strict=True):
            marginal, title = marginals[name], [short(with_unit(self.real, name), 30)]
            draw_bars = _levels if marginal.kind == "category" else _histogram
            handles = draw_bars(panel, marginal)
            if any(marginal.missing):
                title.append("missing: {:.0%} real,\n{:.0%} drawn".format(*marginal.missing))
            if marginal.beyond:
                title.append(f"{marginal.beyond:.1%} of real\ncells are beyond")
            panel.set_title("\n".join(title).replace("%", " %"), fontsize="medium")
        # Bars may fill the panel: names stay readable on them.
        looks = {"framealpha": 0.8, "edgecolor": "none", "fontsize": "small", "handlelength": 1.2}
        axes[0].legend(handles=handles, **looks)
        return self

    def _titled(self, columns):
        """Itself, its figure with a title that says which columns were chosen, if any were."""
        n_shown, n_columns = len(self.shown), self.real.shape[1]
        if columns is None and n_shown < n_columns and self._own_figure:
            self.figure_.suptitle(f"the {n_shown} of {n_columns} columns that differ most")
        return self

    def _draw_associations(self, ax, names):
        self.shown = names
        some = [list(self.real.columns).index(name) for name in names]
        real, drawn = (matrix[np.ix_(some, some)] for matrix in self.associations)
        side = 1.2 + max(2.0, 0.22 * len(names))
        axes = new_panels(self, ax, 3, 3, size=(side + 0.8, side))
        apart = drawn - real
        end = max(0.1, float(np.nanmax(np.abs(apart), initial=0.0)))
        unknown = "grey: of one value only" if np.isnan(apart).any() else ""
        matrices = ((real, "real", 1.0), (drawn, "drawn", 1.0), (apart, "drawn - real", end))
        self.images_: list[Any] = []
        for panel, (matrix, title, scale) in zip(axes, matrices, strict=True):
            # Orange and purple are told apart by all, and both from the grey of no value.
            cmap = pyplot_for(self).get_cmap("PuOr").with_extremes(bad="0.85")
            cells = np.ma.masked_invalid(matrix)
            self.images_.append(panel.imshow(cells, cmap=cmap, vmin=-scale, vmax=scale))
            panel.set_title(title)
            panel.set_xlabel(unknown)
            labels = [short(name, 16) for name in names]
            panel.set_xticks(range(len(names)), labels, rotation=90, fontsize="small")
            panel.set_yticks(range(len(names)), labels if panel is axes[0] else [])
            panel.tick_params(length=0, labelsize="small")
            panel.spines[:].set_visible(False)
        colour_bar(self.images_[1], list(axes[:2]), "association")
        colour_bar(self.images_[2], axes[2], "difference")
        return self

    def _draw_pairs(self, ax, pairs):
        numbers = [n for n in self.real.columns if not is_category(self.real[n])]
        if pairs is None:
            pairs = self._strongest(numbers)
        elif any(isinstance(pair, str) or len(pair) != 2 for pair in pairs):
            raise ValueError(
                'columns must be pairs of names for kind="pairs", such as [("age", "income")]; got '
                f"{pairs!r}."
            )
        self.shown = [tuple(self._named(name) for name in pair) for pair in pairs]
        leveled = [name for pair in self.shown for name in pair if name not in numbers]
        if leveled or not self.shown:
            few = f"the table has {len(numbers)}"
            raise ValueError(
                'kind="pairs" draws columns of numbers or dates against each other, of which there '
                f"must be two; {', '.join(leveled) + ' has none' if leveled else few}. Use "
                'kind="associations".'
            )
        axes = new_panels(self, ax, 2 * len(self.shown), 2, size=(3.4, 2.9))
        sides = ((self.real, "0.35", "real"), (self.drawn, _DRAWN, "drawn"))
        for place, (a, b) in enumerate(self.shown):
            panels = axes[2 * place : 2 * place + 2]
            # Beside each other: points drawn over others would hide them.
            for panel, (frame, color, words) in zip(panels, sides, strict=True):
                size = np.clip(3000 / max(len(frame), 1), 4, 25)
                looks = {"s": size, "color": color, "alpha": 0.6, "linewidths": 0}
                panel.scatter(frame[a].to_numpy(), frame[b].to_numpy(), **looks)
                labels = [short(with_unit(self.real, name), 30) for name in (a, b)]
                panel.set(xlabel=labels[0], ylabel=labels[1], title=words)
            for side, name in (("x", a), ("y", b)):
                ends = [getattr(panel, f"get_{side}lim")() for panel in panels]
                low, high = min(end[0] for end in ends), max(end[1] for end in ends)
                for panel in panels:
                    getattr(panel, f"set_{side}lim")(low, high)
                    if is_date(self.real[name]):
                        _write_dates(getattr(panel, f"{side}axis"), low, high)
        return self

    def _strongest(self, numbers):
        """The pairs of columns of numbers that depend most on each other."""
        matrix = np.nan_to_num(np.abs(associations(self.real[numbers])))
        rows, columns = np.tril_indices(len(numbers), -1)
        order = np.argsort(-matrix[rows, columns], kind="stable")[:3]
        return [(numbers[columns[place]], numbers[rows[place]]) for place in order]


def _write_dates(axis, low, high):
    """The first and the last day of an axis."""
    from matplotlib.dates import num2date

    form = "%Y-%m-%d" if high - low > 2 else "%m-%d %H:%M"
    shown = np.quantile([low, high], [0.1, 0.9])
    axis.set_ticks(shown, [num2date(tick).strftime(form) for tick in shown])


def _histogram(panel, marginal):
    edges = marginal.bins
    if marginal.kind == "date":
        from matplotlib.dates import date2num

        edges = date2num(edges)
    real = panel.stairs(marginal.real, edges, fill=True, color=_REAL, label="real")
    drawn = panel.stairs(marginal.drawn, edges, color=_DRAWN, linewidth=1.6, label="drawn")
    panel.set_ylabel("share of cells")
    panel.set_ylim(bottom=0)
    if marginal.kind == "date":
        _write_dates(panel.xaxis, edges[0], edges[-1])
    else:
        panel.locator_params(axis="x", nbins=4)
        panel.ticklabel_format(axis="x", scilimits=(-3, 4))
    return [real, drawn]


def _levels(panel, marginal):
    places = np.arange(len(marginal.bins))[::-1]
    real = panel.barh(places + 0.2, marginal.real, 0.4, color=_REAL, label="real")
    drawn = panel.barh(places - 0.2, marginal.drawn, 0.4, color=_DRAWN, label="drawn")
    panel.set_yticks(places, [short(level, 18) for level in marginal.bins], fontsize="small")
    panel.set_xlabel("share of cells")
    return [real, drawn]
