"""What each code does: rows decoded along it, the other codes at their mean."""

from collections.abc import Sequence
from typing import Any, Self

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._runtime.parameters import Each, Number, Whole, validated
from .._runtime.typing import TableLike
from .._tables.frames import eager
from ._axes import new_axes, plain, short
from ._decoding import IMAGE_AXES, decoded_along, effects, levels_among, parts_of
from ._fitted import decoder_of
from ._heat_map import BAR, CELL, NAMES, heat_map, largest, width_of_cells
from ._images import image_shape_of
from ._rows import Exchangeable

_CHARACTER, _MOST_CHARACTERS = 0.047, 3.6  # inches of one of a level; how many of them in a step
_KEYS, _OF_TRAVERSAL = ["code", "deviations"], " of traversal"

_STEPS = {"codes": [Each(Whole(0), least=1), None], "n_steps": [Whole(2)], "width": [Number(0)]}


@validated(_STEPS)
def code_traversal(
    estimator: Any,
    X: TableLike,
    *,
    codes: Sequence[int] | None = None,
    n_steps: int = 7,
    width: float = 2.0,
) -> Any:
    """Rows decoded along each code, the other codes at their mean, as one table.

    Parameters
    ----------
    estimator : fitted transformer
        Ours, or any other with ``transform`` and ``inverse_transform``, such as a pipeline.
    X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        Rows whose codes say what the mean of each code is, and its standard deviation.
    codes : list of int, default=None
        Numbers of the codes; None is all.
    n_steps : int, default=7
        Rows for each code, at least 2.
    width : float, default=2.0
        The code goes from ``-width`` to ``width`` standard deviations around its mean.

    Returns
    -------
    ndarray or frame
        What ``inverse_transform`` gives, the steps of a code behind each other. A frame of pandas
        has the number of the code and the deviations from its mean as its index, a frame of another
        library as columns ``"code"`` and ``"deviations"`` in front (with ``" of traversal"`` behind
        the name where the table has such a column). An array is of shape
        (n_codes, n_steps, n_features), or what rows are instead of n_features.

    See Also
    --------
    TraversalDisplay : Draws it.
    VAETransformer.traverse : Around the code of a row, along one of its values.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import AutoencoderTransformer
    >>> from sklearn_replearn.inspection import code_traversal
    >>> X = load_wine(as_frame=True).data
    >>> encoder = AutoencoderTransformer(latent_dim=2, max_epochs=20).fit(X)
    >>> code_traversal(encoder, X, n_steps=3).shape
    (6, 13)
    """
    numbers, deviations, decoded = decoded_along(decoder_of(estimator), X, codes, n_steps, width)
    decoded = Exchangeable(decoded).take(np.arange(1, len(numbers) * n_steps + 1))
    table = decoded.rows
    repeated, steps = np.repeat(numbers, n_steps), np.tile(deviations, len(numbers))
    if isinstance(table, pd.DataFrame):
        index = pd.MultiIndex.from_arrays([repeated, steps], names=_KEYS)
        return table.set_axis(index, axis=0)
    if isinstance(table, nw.DataFrame):
        backend, series = table.implementation, []
        for name, cells in zip(_KEYS, (repeated, steps), strict=True):
            name = name if name not in table.columns else name + _OF_TRAVERSAL
            series.append(nw.new_series(name, cells.tolist(), backend=backend))
        return (
            table.with_columns(*series)
            .select(*(one.name for one in series), *table.columns)
            .to_native()
        )
    return table.reshape(len(numbers), n_steps, *table.shape[1:])


class TraversalDisplay:
    """What each code does: rows decoded along it, the other codes at their mean.

    Best made by :meth:`from_estimator` or :meth:`from_predictions`. Images stand side by side.
    Of tables it shows how columns change: numbers and dates in units of their standard deviation,
    categories by the level that is decoded, grey where it is another one than at the mean.

    Parameters
    ----------
    deviations : ndarray of shape (n_steps,)
        From the mean of the code, in its standard deviations.
    codes : list of str
        Names of the codes.
    images : ndarray of shape (n_codes, n_steps, height, width) or \
(n_codes, n_steps, height, width, 3), default=None
        Of tables None.
    changes : ndarray of shape (n_codes, n_steps, n_features), default=None
        Of images None. For categories 0 where the level is that at the mean, else 1.
    levels : ndarray of shape (n_codes, n_steps, n_features) of str, default=None
        Of categories; "" for numbers.
    columns : list of str, default=None
        Names of the columns.

    Attributes
    ----------
    image_ : matplotlib.image.AxesImage
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    References
    ----------
    Higgins et al. (2017), *beta-VAE*: latent traversals.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.inspection import TraversalDisplay
    >>> X = load_digits().data[:300]
    >>> vae = VAETransformer(latent_dim=4, max_epochs=10).fit(X)
    >>> display = TraversalDisplay.from_estimator(vae, X, image_shape=(8, 8))
    >>> display.images.shape
    (4, 7, 8, 8)
    """

    image_: Any
    ax_: Any
    figure_: Any

    def __init__(
        self,
        *,
        deviations: NDArray[np.float64],
        codes: Sequence[str],
        images: NDArray[Any] | None = None,
        changes: NDArray[np.float64] | None = None,
        levels: NDArray[Any] | None = None,
        columns: Sequence[str] | None = None,
    ) -> None:
        self.deviations = deviations
        self.codes = codes
        self.images = images
        self.changes = changes
        self.levels = levels
        self.columns = columns

    @classmethod
    @validated({**_STEPS, "max_codes": [Whole()], "image_shape": [Each(Whole()), None]})
    def from_estimator(
        cls,
        estimator: Any,
        X: TableLike,
        *,
        codes: Sequence[int] | None = None,
        max_codes: int = 6,
        n_steps: int = 7,
        width: float = 2.0,
        image_shape: Sequence[int] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Decode along codes and draw it.

        Parameters
        ----------
        estimator : fitted transformer
            Ours, or any other with ``transform`` and ``inverse_transform``, such as a pipeline.
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Rows whose codes say what the mean of each code is, and its standard deviation, and
            whose columns have the units.
        codes : list of int, default=None
            Numbers of the codes, top to bottom. None: those along which rows change most.
        max_codes : int, default=6
            At most so many, where ``codes`` is None.
        n_steps, width
            Of :func:`code_traversal`.
        image_shape : tuple of int, default=None
            (height, width), or with channels in front or behind, where rows are flat images and
            the estimator has no ``rows=Images(shape)`` that says so.
        ax : matplotlib.axes.Axes, default=None
        **kwargs
            Of :meth:`plot`.

        Returns
        -------
        TraversalDisplay
        """
        encoder = decoder_of(estimator)
        rows = Exchangeable(X)
        numbers, deviations, decoded = decoded_along(encoder, rows.given, codes, n_steps, width)
        image_shape = image_shape_of(encoder) if image_shape is None else image_shape
        shape, categories = (len(numbers), n_steps), levels_among(encoder, len(rows.names))
        found = parts_of(decoded, rows, shape, image_shape, categories)
        if codes is None:
            kept = np.argsort(-effects(found), kind="stable")[:max_codes]
            numbers = numbers[kept]
            found = {key: v[kept] if key != "columns" else v for key, v in found.items()}
        names = [f"code {number}" for number in numbers]
        return cls(deviations=deviations, codes=names, **found).plot(ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        decoded: Any,
        X: TableLike | None = None,
        *,
        deviations: Any = None,
        image_shape: Sequence[int] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw rows that were decoded along codes.

        Parameters
        ----------
        decoded : list of arrays or frames of shape (n_steps, n_features), or ndarray
            One for each code, as
            :meth:`VAETransformer.traverse <sklearn_replearn.VAETransformer.traverse>` gives them,
            or what :func:`code_traversal` gives. Changes are from the middle step.
        X : array-like, frame or sparse matrix of shape (n_samples, n_features), default=None
            Rows whose columns have the units. None: the decoded ones.
        deviations : array-like of shape (n_steps,), default=None
            From the mean of the code. None: those of a table of :func:`code_traversal`, else from
            -2 to 2.
        image_shape : tuple of int, default=None
            Where rows are flat images.
        ax : matplotlib.axes.Axes, default=None
        **kwargs
            Of :meth:`plot`.

        Returns
        -------
        TraversalDisplay
        """
        numbers, steps, decoded = _by_code(decoded)
        deviations = steps if deviations is None else deviations
        tables = [Exchangeable(table) for table in decoded]
        if not tables or len({len(table) for table in tables}) > 1:
            raise ValueError(
                "decoded must hold a table for each code, all of as many steps; got "
                f"{[len(table) for table in tables]} steps."
            )
        n_steps = len(tables[0])
        deviations = np.linspace(-2, 2, n_steps) if deviations is None else np.asarray(deviations)
        if deviations.shape != (n_steps,):
            raise ValueError(f"deviations must be {n_steps} numbers; got {deviations.shape}.")
        middle = tables[0].take(np.array([n_steps // 2]))
        natives = [middle.given, *(table.given for table in tables)]
        if not tables[0].is_frame:
            every = np.concatenate(natives)
        elif isinstance(natives[0], pd.DataFrame):
            every = pd.concat(natives, ignore_index=True)
        else:
            every = nw.concat([eager(one) for one in natives]).to_native()
        shape = (len(tables), n_steps)
        seen = Exchangeable(every if X is None else X)
        found = parts_of(every, seen, shape, image_shape)
        numbers = range(len(tables)) if numbers is None else numbers
        names = [f"code {number}" for number in numbers]
        return cls(deviations=deviations, codes=names, **found).plot(ax=ax, **kwargs)

    @validated({"max_columns": [Whole()]})
    def plot(self, ax: Any = None, *, max_columns: int = 24, cmap: str | None = None) -> Self:
        """Draw it.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            None makes a figure.
        max_columns : int, default=24
            Of a table with more columns those that change most.
        cmap : str, default=None
            None: "gray_r" for images, "RdBu_r" for changes, whose middle is 0.

        Returns
        -------
        self : TraversalDisplay
        """
        if self.images is not None:
            self._plot_images(ax, cmap or "gray_r")
        else:
            self._plot_changes(ax, max_columns, cmap or "RdBu_r")
        return self

    def _plot_images(self, ax, cmap):
        n_codes, n_steps, height, width = self.images.shape[:4]
        gap = max(1, height // 10)
        side = max(0.45, min(0.9, 7 / n_steps))
        size = (n_steps * side + 0.9, n_codes * side * height / width + 0.6)
        ax = new_axes(self, ax, figsize=size)
        colored = self.images.ndim > IMAGE_AXES + 1
        low, high = float(self.images.min()), float(self.images.max())
        images = self.images.astype(np.float64)
        if colored:
            images = (images - low) / ((high - low) or 1.0)
        shape = (n_codes * (height + gap) - gap, n_steps * (width + gap) - gap)
        canvas = np.full((*shape, *images.shape[4:]), 1.0 if colored else np.nan)
        for i, j in np.ndindex(n_codes, n_steps):
            top, left = i * (height + gap), j * (width + gap)
            canvas[top : top + height, left : left + width] = images[i, j]
        limits = {} if colored else {"vmin": low, "vmax": high, "cmap": cmap}
        self.image_ = ax.imshow(canvas, interpolation="nearest", **limits)
        middles = (height - 1) / 2 + np.arange(n_codes) * (height + gap)
        ax.set_yticks(middles, list(map(plain, self.codes)), fontsize=9)
        middles = (width - 1) / 2 + np.arange(n_steps) * (width + gap)
        ax.set_xticks(middles, list(map(_signed, self.deviations)), fontsize=8)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_xlabel("standard deviations from the mean of the code")

    def _plot_changes(self, ax, max_columns, cmap):
        changes, levels = self.changes, self.levels
        most = np.abs(changes).max(axis=(0, 1))
        shown = np.sort(np.argsort(-most, kind="stable")[:max_columns])
        if len(shown) < len(most) and most.any():
            shown = shown[most[shown] > 0]
        n_codes, n_steps = changes.shape[:2]
        leveled = (levels != "").any(axis=(0, 1))
        numbers = np.where(leveled, np.nan, changes)
        # A column of nothing stands between codes.
        canvas = np.full((len(shown), n_codes * (n_steps + 1) - 1), np.nan)
        for code in range(n_codes):
            start = code * (n_steps + 1)
            canvas[:, start : start + n_steps] = numbers[code][:, shown].T
        width = min(16.0, 0.17 * canvas.shape[1] + NAMES + BAR)
        ax = new_axes(self, ax, figsize=(max(width, 5.0), CELL * len(shown) + 1.4))
        room = min(_MOST_CHARACTERS, width_of_cells(ax, canvas.shape[1]) / _CHARACTER)
        end = largest(canvas)
        self.image_ = heat_map(
            ax,
            canvas,
            [self.columns[j] for j in shown],
            [],
            label="change / standard deviation",
            cmap=cmap,
            vmin=-end,
            vmax=end,
        )
        for code in range(n_codes):
            start = code * (n_steps + 1)
            for row, j in enumerate(shown):
                if leveled[j]:
                    _write_levels(ax, row, start, levels[code, :, j], changes[code, :, j], room)
            ax.text(
                start + (n_steps - 1) / 2,
                -0.75,
                plain(self.codes[code]),
                ha="center",
                va="bottom",
                fontsize=9,
            )
        ends = [(0, 0), (n_steps // 2, n_steps // 2), (n_steps - 1, n_steps - 1)]
        places = [code * (n_steps + 1) + at for code in range(n_codes) for at, _ in ends]
        labels = [_signed(self.deviations[at]) for _ in range(n_codes) for at, _ in ends]
        ax.set_xticks(places, labels, fontsize=7)
        left_out = len(most) - len(shown)
        ax.set_xlabel(
            "standard deviations from the mean of the code"
            + (f"; {left_out} other columns change no more" if left_out else "")
        )


def _by_code(decoded):
    """Numbers of codes, deviations and tables of a frame of :func:`code_traversal`.

    Of anything else None, None and itself.
    """
    if isinstance(decoded, pd.DataFrame):
        if list(decoded.index.names) != _KEYS:
            return None, None, decoded
        codes, steps = (decoded.index.get_level_values(key).to_numpy() for key in _KEYS)
        table = decoded.reset_index(drop=True)
    else:
        table = nw.from_native(decoded, eager_only=True, pass_through=True)
        if not isinstance(table, nw.DataFrame):
            return None, None, decoded
        keys = table.columns[:2]
        if [key.removesuffix(_OF_TRAVERSAL) for key in keys] != _KEYS:
            return None, None, decoded
        codes, steps = (table[key].to_numpy() for key in keys)
        table = table.drop(keys).to_native()
    numbers, rows = pd.unique(codes), Exchangeable(table)
    places = [np.flatnonzero(codes == number) for number in numbers]
    return numbers.tolist(), steps[places[0]], [rows.take(place).given for place in places]


def _signed(deviation):
    return f"{deviation:+.1f}" if abs(deviation) >= 0.05 else "0"


def _write_levels(ax, row, start, levels, changed, room):
    """Levels of a category along a code, each once where it begins and ends.

    So many characters have room in a step.
    """
    breaks = np.flatnonzero(levels[1:] != levels[:-1]) + 1
    for run in np.split(np.arange(len(levels)), breaks):
        middle, n = start + run.mean(), len(run)
        if changed[run[0]]:
            ax.barh(row, n, left=start + run[0] - 0.5, height=0.9, color="0.82", zorder=0)
        text = short(levels[run[0]], max(2, int(room * n)))
        color = "black" if changed[run[0]] else "0.45"
        ax.text(middle, row, text, ha="center", va="center", fontsize=6, color=color)
