"""Rows beside what is decoded from their codes."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._runtime.typing import TableLike
from ._axes import colour_bar, inches, new_axes, new_panels, short
from ._columns import as_text, frame_of, is_category, with_unit
from ._fitted import categories_of, decoder_of
from ._images import as_images, image_shape_of
from ._marginals import as_numbers
from ._rows import some_rows, taken

_MOST_WITH_TEXT = 16
_ROOM_OF_TEXT = (0.8, 0.28)  # inches: width and height of a cell whose values are written
_UNIT = "error (1: guessing from the column)"


class ReconstructionDisplay:
    """Rows above what is decoded from their codes: images, or the cells of a table.

    An image stands above its reconstruction, both on one scale of grey or colour. Of a table, each
    row is a column of the picture and has a cell for each column of the table: the value above, the
    decoded one below, and as colour the error between them in units of the column, in which
    guessing from the column alone costs 1 on average. Missing cells have no error and are grey.

    Parameters
    ----------
    original, reconstruction : DataFrame of shape (n_rows, n_features) or ndarray of shape \
(n_rows, height, width) or (n_rows, height, width, 3)
        Rows of a table, or images.
    error : ndarray of shape (n_rows, n_features), default=None
        Of each cell, in units of the column; of tables.

    Attributes
    ----------
    original, reconstruction, error
        As given.
    shown : ndarray of int
        Columns of a table that are drawn; after :meth:`plot`.
    image_ : matplotlib.image.AxesImage
        The heat map of errors, of tables.
    images_ : list of matplotlib.image.AxesImage
        Of images, first the originals.
    ax_ : matplotlib.axes.Axes
    axes_ : ndarray of matplotlib.axes.Axes
        Of images, one for each.
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    sklearn_replearn.AutoencoderTransformer.reconstruction_error : The errors of all rows.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import AutoencoderTransformer
    >>> from sklearn_replearn.inspection import ReconstructionDisplay
    >>> X = load_wine(as_frame=True).data
    >>> encoder = AutoencoderTransformer(latent_dim=2, max_epochs=5).fit(X)
    >>> display = ReconstructionDisplay.from_estimator(encoder, X, n_rows=4)
    >>> display.original.shape, display.error.shape, len(display.shown)
    ((4, 13), (4, 13), 13)
    """

    axes_: Any
    ax_: Any
    figure_: Any

    def __init__(
        self,
        *,
        original: pd.DataFrame | NDArray[Any],
        reconstruction: pd.DataFrame | NDArray[Any],
        error: NDArray[Any] | None = None,
    ) -> None:
        self.original = original
        self.reconstruction = reconstruction
        self.error: Any = error

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: TableLike,
        *,
        n_rows: int = 8,
        image_shape: Sequence[int] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Encode and decode rows by a fitted estimator, and draw both.

        Parameters
        ----------
        estimator : estimator
            A fitted transformer with ``inverse_transform``, or a predictor, pipeline or search that
            has one.
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        n_rows : int, default=8
            The first so many rows are drawn.
        image_shape : tuple of int, default=None
            Of rows that are images: (height, width), (channels, height, width) or (height, width,
            channels). Not needed with ``rows=Images(...)``.
        ax : matplotlib.axes.Axes or array of them, default=None
            Where to draw, see :meth:`plot`.
        **kwargs
            See :meth:`plot`.

        Returns
        -------
        ReconstructionDisplay
        """
        encoder = decoder_of(estimator)
        some = _first(X, n_rows)
        decoded = encoder.inverse_transform(encoder.transform(some))
        if image_shape is None:
            image_shape = image_shape_of(encoder)
        error = None
        if image_shape is None and hasattr(encoder, "reconstruction_error"):
            error = np.asarray(encoder.reconstruction_error(some), dtype=np.float64)
        return cls._of(some, decoded, error, image_shape, categories_of(encoder)).plot(
            ax=ax, **kwargs
        )

    @classmethod
    def from_predictions(
        cls,
        X: TableLike,
        reconstruction: TableLike,
        *,
        error: ArrayLike | None = None,
        n_rows: int = 8,
        image_shape: Sequence[int] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw rows and what was decoded.

        Parameters
        ----------
        X, reconstruction : array-like, frame or sparse matrix of shape (n_samples, n_features)
        error : array-like of shape (n_samples, n_features), default=None
            Of each cell. None takes the squared difference in units of the variance that the column
            has in ``X``, and for categories 0 where both are the same and 1 where not.
        n_rows : int, default=8
            The first so many rows are drawn.
        image_shape : tuple of int, default=None
            Of rows that are images: (height, width), (channels, height, width) or (height, width,
            channels).
        ax : matplotlib.axes.Axes or array of them, default=None
            Where to draw, see :meth:`plot`.
        **kwargs
            See :meth:`plot`.

        Returns
        -------
        ReconstructionDisplay
        """
        some, decoded = _first(X, n_rows), _first(reconstruction, n_rows)
        if error is not None:
            error = np.asarray(error, dtype=np.float64)[:n_rows]
        elif image_shape is None:
            whole, _ = some_rows(X, None, 0)
            return cls._of(some, decoded, None, None, (), frame_of(whole)).plot(ax=ax, **kwargs)
        return cls._of(some, decoded, error, image_shape, ()).plot(ax=ax, **kwargs)

    @classmethod
    def _of(cls, X, decoded, error, image_shape, categories, table=None):
        if image_shape is not None:
            original, reconstruction = (
                as_images(frame_of(part).to_numpy(np.float64), image_shape) for part in (X, decoded)
            )
            return cls(original=original, reconstruction=reconstruction)
        original = frame_of(X, categories=categories)
        reconstruction = frame_of(decoded, categories=categories)
        if original.shape != reconstruction.shape:
            raise ValueError(
                f"a row and its reconstruction have the same columns; got shapes {original.shape} "
                f"and {reconstruction.shape}."
            )
        reconstruction.columns = original.columns
        if error is None:
            error = _errors(original if table is None else table, original, reconstruction)
        if error.shape != original.shape:
            raise ValueError(
                f"error must have a number for each cell of X, shape {original.shape}; got shape "
                f"{error.shape}."
            )
        return cls(original=original, reconstruction=reconstruction, error=error)

    def plot(self, ax: Any = None, *, n_columns: int = 16, **kwargs: Any) -> Self:
        """Draw the rows.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or array of them, default=None
            One, which is divided for images. None makes a figure.
        n_columns : int, default=16
            Of a wide table, so many columns are drawn: those of the largest errors, in their order.
        **kwargs
            Of images and heat maps, as ``Axes.imshow`` takes them.

        Returns
        -------
        ReconstructionDisplay
            Itself, with ``ax_``, ``figure_`` and ``image_``, or ``axes_`` and ``images_``.
        """
        if isinstance(self.original, pd.DataFrame):
            self._draw_cells(ax, n_columns, kwargs)
        else:
            self._draw_images(ax, kwargs)
        return self

    def _draw_images(self, ax, options):
        original, reconstruction = np.asarray(self.original), np.asarray(self.reconstruction)
        n = len(original)
        axes = new_panels(self, ax, 2 * n, n, size=(1.1, 1.2))
        ends = {"vmin": np.nanmin(original), "vmax": np.nanmax(original)}
        self.images_: list[Any] = []
        for panel, image in zip(axes, [*original, *reconstruction], strict=True):
            if image.ndim == 3:
                low, width = ends["vmin"], (ends["vmax"] - ends["vmin"]) or 1.0
                drawn = panel.imshow(np.clip((image - low) / width, 0, 1), **options)
            else:
                drawn = panel.imshow(image, **({"cmap": "gray"} | ends | options))
            self.images_.append(drawn)
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
        for panel, words in ((axes[0], "original"), (axes[n], "decoded")):
            panel.set_ylabel(words)

    def _draw_cells(self, ax, n_columns, options):
        errors, n_features = self.error, self.original.shape[1]
        means = np.nan_to_num(np.nanmean(np.where(np.isnan(errors).all(0), 0.0, errors), axis=0))
        self.shown = np.sort(np.argsort(-means, kind="stable")[:n_columns])
        n_rows, shown = len(errors), errors[:, self.shown].T
        width = 1.05 if n_rows <= _MOST_WITH_TEXT else 0.16
        size = (2.9 + max(width * n_rows, 2.5), max(2.8, 1.3 + 0.44 * len(shown)))
        ax = new_axes(self, ax, figsize=size)
        room = np.divide(inches(ax), (n_rows, len(shown)))
        with_text = bool((room >= _ROOM_OF_TEXT).all())
        # One cell that is far off must not make all others look alike.
        end = max(1.0, float(np.nanquantile(shown, 0.95)) if np.isfinite(shown).any() else 1.0)
        looks = {"aspect": "auto", "cmap": "Oranges", "vmin": 0.0, "vmax": end} | options
        self.image_ = ax.imshow(np.ma.masked_invalid(shown), **looks)
        self.image_.cmap = self.image_.cmap.with_extremes(bad="0.88")
        names = [short(with_unit(self.original, self.original.columns[j])) for j in self.shown]
        ax.set_yticks(range(len(names)), names)
        ax.set_xticks(range(n_rows) if n_rows <= _MOST_WITH_TEXT else [])
        words = ["row", *(["value above, decoded value below"] if with_text else [])]
        ax.set_xlabel("; ".join([*words, *(["grey: missing"] if np.isnan(shown).any() else [])]))
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        if len(shown) < n_features:
            ax.set_title(f"the {len(shown)} of {n_features} columns with the largest errors")
        beyond = "max" if np.nanmax(np.append(shown, 0.0)) > end else "neither"
        colour_bar(self.image_, ax, _UNIT, extend=beyond)
        if with_text:
            self._write_values(ax, shown, end)

    def _write_values(self, ax, errors, end):
        for place, j in enumerate(self.shown):
            above, below = (
                as_text(part.iloc[:, j]) for part in (self.original, self.reconstruction)
            )
            for row, pair in enumerate(zip(above, below, strict=True)):
                dark = np.nan_to_num(errors[place, row]) > 0.6 * end
                text = "\n".join(short(value, 13) for value in pair)
                color = "white" if dark else "black"
                ax.text(row, place, text, ha="center", va="center", fontsize=8, color=color)


def _first(X, n_rows):
    """The first rows of a table."""
    if n_rows < 1:
        raise ValueError(f"n_rows must be at least 1; got {n_rows!r}.")
    X, rows = some_rows(X, None, 0)
    return taken(X, rows[:n_rows])


def _errors(table, original, reconstruction):
    """Error of each cell in units of what its column varies in a table."""
    errors = np.empty(original.shape)
    for j in range(original.shape[1]):
        a, b = original.iloc[:, j], reconstruction.iloc[:, j]
        if is_category(a) or is_category(b):
            same = np.array(as_text(a), dtype=object) == np.array(as_text(b), dtype=object)
            errors[:, j] = np.where(a.isna(), np.nan, ~same)
            continue
        whole, a, b = (as_numbers(column) for column in (table.iloc[:, j], a, b))
        deviation = np.nanstd(whole) if np.isfinite(whole).any() else 1.0
        errors[:, j] = ((a - b) / (deviation or 1.0)) ** 2
    return errors
