"""Which cells make rows anomalous: bars of one row, a heat map of several."""

import textwrap
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._runtime.parameters import Whole, validated
from .._runtime.typing import TableLike
from .._tables.frames import as_pandas
from .._tables.names import names_or_numbers
from ._axes import COLORS, new_axes, plain
from ._fitted import last_with_rows
from ._heat_map import BAR, CELL, NAMES, heat_map, largest
from ._labels import are_normal
from ._rows import Exchangeable

_BARS, _COLUMNS = 8, 20
_WRAPPED = 50  # characters of a line beside a bar


class ReasonsDisplay:
    """What each cell adds to the surprise at its row, in nats.

    Best made by :meth:`from_estimator` or :meth:`from_predictions`. One row is drawn as bars, which
    say what its cells are and what was expected; several are a heat map.

    Parameters
    ----------
    contributions : ndarray of shape (n_samples, n_features)
        Positive where a cell speaks for an anomaly.
    columns : list of str
        Names of the columns.
    rows : list of str
        Names of the rows.
    reasons : ndarray of shape (n_samples, n_features) of str, default=None
        What stands beside bars. None: the names of the columns.
    y : ndarray of shape (n_samples,), default=None
        -1 marks a row as an anomaly, 1 as normal.

    Attributes
    ----------
    bars_ : matplotlib.container.BarContainer
        Of one row.
    image_ : matplotlib.image.AxesImage
        Of several.
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.inspection import ReasonsDisplay
    >>> x = np.random.RandomState(0).normal(size=(300, 1))
    >>> detector = OutlierDetector().fit(np.hstack([x, 2 * x, -x]))
    >>> display = ReasonsDisplay.from_estimator(detector, [[1.0, -2.0, -1.0]])
    >>> display.contributions.shape, int(display.contributions.argmax())
    ((1, 3), 1)
    """

    bars_: Any
    image_: Any
    ax_: Any
    figure_: Any

    def __init__(
        self,
        *,
        contributions: NDArray[np.float64],
        columns: Sequence[str],
        rows: Sequence[str],
        reasons: NDArray[Any] | None = None,
        y: NDArray[Any] | None = None,
    ) -> None:
        self.contributions = contributions
        self.columns = columns
        self.rows = rows
        self.reasons = reasons
        self.y = y

    @classmethod
    def from_estimator(
        cls,
        detector: Any,
        X: TableLike,
        y: ArrayLike | None = None,
        *,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Explain rows and draw it.

        Parameters
        ----------
        detector : fitted OutlierDetector
            Or a pipeline that ends in one.
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Rows to explain, top to bottom; named by their index if they have one.
        y : array-like of shape (n_samples,), default=None
            -1 marks rows as anomalies, 1 as normal ones.
        ax : matplotlib.axes.Axes, default=None
        **kwargs
            Of :meth:`plot`.

        Returns
        -------
        ReasonsDisplay
        """
        index = X.index if isinstance(X, pd.DataFrame) else None
        judge, X = last_with_rows(detector, X)
        if not hasattr(judge, "explain"):
            raise TypeError(
                f"detector must be an OutlierDetector, or have explain; {type(judge).__name__} "
                "does not. Contributions from elsewhere go to ReasonsDisplay.from_predictions."
            )
        rows = Exchangeable(X)
        contributions = _frame(judge.explain(rows.given))
        reasons = None
        if len(rows) == 1:
            reasons = [_cell_texts(contributions.columns, rows)]
            told = getattr(judge, "reasons_by_column", None)
            for j, text in () if told is None else told(rows.given)[0].items():
                reasons[0][j] = text
        names = None if index is None or len(index) != len(contributions) else list(map(str, index))
        return cls.from_predictions(
            contributions, reasons=reasons, rows=names, y=y, ax=ax, **kwargs
        )

    @classmethod
    def from_predictions(
        cls,
        contributions: ArrayLike | Any,
        *,
        reasons: ArrayLike | None = None,
        rows: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        y: ArrayLike | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw what ``explain`` of an OutlierDetector has given.

        Parameters
        ----------
        contributions : ndarray or frame of shape (n_samples, n_features)
        reasons : array-like of shape (n_samples, n_features), default=None
            Texts that stand beside the bars of one row, in place of the names of columns.
        rows, columns : list of str, default=None
            Names; None: those of the frame, or numbers and x0, x1 …
        y : array-like of shape (n_samples,), default=None
            -1 marks rows as anomalies, 1 as normal ones.
        ax : matplotlib.axes.Axes, default=None
        **kwargs
            Of :meth:`plot`.

        Returns
        -------
        ReasonsDisplay

        Raises
        ------
        ValueError
            If shapes or names do not fit each other, or numbers are missing.
        """
        frame = _frame(contributions)
        values = frame.to_numpy(dtype=np.float64)
        if not values.size or not np.isfinite(values).all():
            raise ValueError(
                "contributions must be finite numbers, at least one row of them; got shape "
                f"{values.shape}{'' if not values.size else ' with missing ones'}."
            )
        rows = list(map(str, frame.index if rows is None else rows))
        columns = list(map(str, frame.columns if columns is None else columns))
        texts = None if reasons is None else np.asarray(reasons, dtype=object)
        for name, found, wanted in (
            ("rows", (len(rows),), values.shape[:1]),
            ("columns", (len(columns),), values.shape[1:]),
            ("reasons", None if texts is None else texts.shape, values.shape),
        ):
            if found is not None and found != wanted:
                raise ValueError(f"{name} must be of shape {wanted}; got {found}.")
        labels = None if y is None else np.where(are_normal(y, len(values)), 1, -1)
        display = cls(contributions=values, columns=columns, rows=rows, reasons=texts, y=labels)
        return display.plot(ax=ax, **kwargs)

    @validated({"max_columns": [Whole(), None]})
    def plot(self, ax: Any = None, *, max_columns: int | None = None, cmap: str = "RdBu_r") -> Self:
        """Draw it.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            None makes a figure.
        max_columns : int, default=None
            Columns that are shown, those that add or take most; the others are one together. None:
            8 bars, 20 columns of a heat map.
        cmap : str, default="RdBu_r"
            Of the heat map; its middle is 0.

        Returns
        -------
        self : ReasonsDisplay
        """
        self.bars_ = self.image_ = None
        if len(self.contributions) == 1:
            self._plot_bars(ax, _BARS if max_columns is None else max_columns)
        else:
            self._plot_heat_map(ax, _COLUMNS if max_columns is None else max_columns, cmap)
        return self

    def _shown(self, most):
        """Columns by what they add, and of the others the sum; what these are called."""
        size = np.abs(self.contributions).mean(axis=0)
        kept = np.argsort(-size, kind="stable")
        # One that is left over is shown rather than called "1 other column".
        kept = kept if len(kept) <= most + 1 else kept[:most]
        kept = kept[np.argsort(-self.contributions[:, kept].mean(axis=0), kind="stable")]
        values = self.contributions[:, kept]
        n_others = self.contributions.shape[1] - len(kept)
        if not n_others:
            return kept, values, None
        others = self.contributions.sum(axis=1, keepdims=True) - values.sum(axis=1, keepdims=True)
        return kept, np.hstack([values, others]), f"{n_others} other columns"

    def _plot_bars(self, ax, most):
        kept, (values,), others = self._shown(most)
        texts = self.columns if self.reasons is None else self.reasons[0]
        texts = [str(texts[j]) or self.columns[j] for j in kept]
        texts = ["\n".join(textwrap.wrap(_unbroken(text), _WRAPPED)[:3]) for text in texts]
        texts += [] if others is None else [others]
        height = sum(0.2 * (1 + text.count("\n")) + 0.14 for text in texts) + 1.0
        ax = new_axes(self, ax, figsize=(7.5, height))
        places = np.arange(len(values))
        colors = [COLORS[1] if value > 0 else COLORS[0] for value in values]
        self.bars_ = ax.barh(places, values, color=colors, height=0.62)
        ax.bar_label(self.bars_, fmt="%.2f", padding=3, fontsize=8)
        ax.set_yticks(places, list(map(plain, texts)), fontsize=9)
        ax.invert_yaxis()
        ax.margins(x=0.14)
        ax.axvline(0, color="0.3", linewidth=0.8)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        marked = self.y is not None and self.y[0] == -1
        ax.set_title(f"row {plain(self.rows[0])}{' (anomaly)' if marked else ''}", fontsize=10)
        ax.set_xlabel(f"nats of surprise; all cells: {self.contributions.sum():.2f}")

    def _plot_heat_map(self, ax, most, cmap):
        kept, values, others = self._shown(most)
        columns = [self.columns[j] for j in kept] + ([] if others is None else [others])
        anomalous = np.zeros(len(values), bool) if self.y is None else np.asarray(self.y) == -1
        rows = [
            f"{name} ●" if marked else name
            for name, marked in zip(self.rows, anomalous, strict=True)
        ]
        height = CELL * min(len(rows), 60) + 1.6
        ax = new_axes(self, ax, figsize=(2 * CELL * len(columns) + NAMES + BAR, height))
        end = largest(values)
        self.image_ = heat_map(
            ax,
            values,
            rows,
            columns,
            label="nats (red speaks for an anomaly)" if cmap == "RdBu_r" else "nats",
            cmap=cmap,
            vmin=-end,
            vmax=end,
        )
        if self.y is not None:
            ax.set_ylabel("rows (● anomalies)")


def _frame(contributions):
    """Contributions as a frame of pandas."""
    found = as_pandas(contributions)
    if found is not None:
        return found[0]
    values = np.asarray(contributions, dtype=np.float64)
    values = values[None] if values.ndim == 1 else values
    if values.ndim != 2:
        raise ValueError(
            "contributions must be of shape (n_samples, n_features), as explain gives them; got "
            f"shape {values.shape}."
        )
    return pd.DataFrame(values, columns=names_or_numbers(None, values.shape[1]))


def _unbroken(text):
    """A text in which a mean and its deviation stay on one line."""
    return text.replace(" ± ", "\xa0±\xa0")


def _cell_texts(names, rows):
    """What the cells of one row are."""
    return [
        f"{name} = {_shown(cell)}" for name, cell in zip(names, rows.pandas().iloc[0], strict=True)
    ]


def _shown(cell):
    if pd.isna(cell):
        return "missing"
    return f"{cell:,.4g}" if isinstance(cell, float | np.floating) else str(cell)
