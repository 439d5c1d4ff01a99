"""How the terms of an objective went, epoch by epoch."""

import itertools
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from .._tables.frames import as_pandas
from ..objectives.units import NATS, SQUARED_ERROR_OF_Y, UNITS
from ._axes import COLORS, new_panels, plain
from ._fitted import last_of

_OF_A_SUM = "sum of the terms"


class HistoryDisplay:
    """Curves of training: each term of the objective by epoch, with validation rows beside.

    Terms of one unit share a panel. The loss and the terms that it is the sum of have one unit, and
    stand in the first panel: nats per row for VAEs and contrastive encoders, the mean error of a
    cell for autoencoders, whose columns are scaled. What is recorded and is no part of the loss
    stands in a panel of its unit: the error of a decoder beside a contrastive objective,
    ``alignment`` and ``uniformity``, a learned temperature. Training rows are solid lines,
    validation rows dashed ones of the same colour. The epoch that early stopping went back to is
    marked.

    Where the loss has one term only, the two are one curve, named by both.

    Parameters
    ----------
    epochs : ndarray of shape (n_epochs,)
    train : dict of str to ndarray of shape (n_epochs,)
        Terms of training rows by name, ``"loss"`` among them.
    valid : dict of str to ndarray of shape (n_epochs,), default=None
        Those of validation rows.
    units : dict of str to str, default=None
        Unit of each term; terms of one unit share a panel, in the order in which they are here.
    kept_epoch : int, default=None
        The epoch whose weights early stopping went back to.

    Attributes
    ----------
    epochs, train, valid, units, kept_epoch
        As given.
    lines_ : dict of str to matplotlib.lines.Line2D
        By the column of the history, such as ``"train_loss"``; after :meth:`plot`.
    axes_ : ndarray of matplotlib.axes.Axes
        One for each unit.
    ax_ : matplotlib.axes.Axes
        The first of them, with the loss.
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    LatentMapDisplay : Codes of rows as a map.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.inspection import HistoryDisplay
    >>> vae = VAETransformer(latent_dim=2, max_epochs=3, early_stopping=True)
    >>> display = HistoryDisplay.from_estimator(vae.fit(load_wine().data))
    >>> sorted(display.lines_), display.ax_.get_ylabel()
    (['train_kl', 'train_loss', 'train_reconstruction', 'valid_kl', 'valid_loss',
      'valid_reconstruction'], 'nats per row')
    """

    axes_: Any
    ax_: Any
    figure_: Any

    def __init__(
        self,
        *,
        epochs: NDArray[Any],
        train: Mapping[str, NDArray[Any]],
        valid: Mapping[str, NDArray[Any]] | None = None,
        units: Mapping[str, str] | None = None,
        kept_epoch: int | None = None,
    ) -> None:
        self.epochs = epochs
        self.train = train
        self.valid = valid
        self.units = units
        self.kept_epoch = kept_epoch

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the ``history_`` of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted transformer of ours, or an :class:`~sklearn_replearn.EncoderClassifier` or
            :class:`~sklearn_replearn.EncoderRegressor`: its fine-tuning or, without it, the
            training of its transformer. In a pipeline the last step, in a search the best
            estimator; a frozen one, too.
        ax : matplotlib.axes.Axes or array of them, default=None
            Where to draw, see :meth:`plot`.
        **kwargs
            Of all lines, see :meth:`plot`.

        Returns
        -------
        HistoryDisplay
        """
        fitted = last_of(estimator)
        check_is_fitted(fitted)
        if not hasattr(fitted, "history_") and hasattr(fitted, "transformer_"):
            fitted = last_of(fitted.transformer_)
        elif not hasattr(fitted, "history_") and hasattr(fitted, "estimator_"):  # of an imputer
            fitted = last_of(fitted.estimator_)
        if not hasattr(fitted, "history_"):
            raise TypeError(
                f"estimator must have a history_ of training; {type(estimator).__name__} has none. "
                "Give an AutoencoderTransformer, VAETransformer or ContrastiveTransformer, or a "
                "predictor around one."
            )
        units = {}
        if hasattr(fitted, "transformer_"):
            units["prediction"] = NATS if is_classifier(fitted) else SQUARED_ERROR_OF_Y
            kept = getattr(fitted, "_kept_epoch", None)
        else:
            kept = fitted._model.history.kept
        return cls.from_predictions(fitted.history_, units=units, kept_epoch=kept, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        history: Any,
        *,
        units: Mapping[str, str] | None = None,
        kept_epoch: int | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw a table such as ``history_`` of a fitted estimator.

        Parameters
        ----------
        history : frame
            A row an epoch, columns named ``train_loss``, ``valid_loss``, ``train_`` or ``valid_``
            and the name of a term; others, such as ``seconds``, are left out. Epochs are the index
            of a frame of pandas, a column ``epoch`` of others, or 1, 2, ….
        units : dict of str to str, default=None
            Unit of terms by name, before those that are known.
        kept_epoch : int, default=None
            The epoch to mark. A table does not say it; :meth:`from_estimator` knows.
        ax : matplotlib.axes.Axes or array of them, default=None
            Where to draw, see :meth:`plot`.
        **kwargs
            Of all lines, see :meth:`plot`.

        Returns
        -------
        HistoryDisplay
        """
        found = as_pandas(history)
        if found is None:
            raise TypeError(
                "history must be a frame with a row an epoch, as history_ of a fitted estimator; "
                f"got {type(history).__name__}."
            )
        frame = found[0]
        train, valid = (_terms(frame, part) for part in ("train_", "valid_"))
        if "loss" not in train:
            raise ValueError(
                "history must have a column 'train_loss', as history_ of a fitted estimator; its "
                f"columns are {', '.join(map(str, frame.columns))}."
            )
        if not len(frame):
            raise ValueError("history has no epoch: give one of at least 1 row.")
        display = cls(
            epochs=_epochs(frame),
            train=train,
            valid=valid,
            units=_units(train, valid, units or {}),
            kept_epoch=kept_epoch,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or array of them, default=None
            One, which is divided if there are several units, or one for each of ``units``. None
            makes a figure.
        **kwargs
            Of all lines, as ``Axes.plot`` takes them.

        Returns
        -------
        HistoryDisplay
            Itself, with ``ax_``, ``axes_``, ``figure_`` and ``lines_``.
        """
        valid = self.valid or {}
        units = self.units or dict.fromkeys([*self.train, *valid], _OF_A_SUM)
        panels: dict[str, list[str]] = {}
        for term, unit in units.items():
            panels.setdefault(unit, []).append(term)
        axes = new_panels(self, ax, len(panels), 2, size=(4.6, 3.8))
        self.lines_: dict[str, Any] = {}
        for panel, (unit, terms) in zip(axes, panels.items(), strict=True):
            self._draw(panel, terms, valid, kwargs)
            panel.set(xlabel="epoch", ylabel=unit)
            panel.xaxis.get_major_locator().set_params(integer=True)
        return self

    def _draw(self, panel, terms, valid, options):
        """The curves of terms of one unit, and what they mean above them."""
        same, entries, styles = _same_as_the_loss(self.train, valid, terms), {}, {}
        shown = [term for term in terms if term != same]
        for term, color in zip(shown, itertools.cycle(COLORS)):
            name = f"loss = {same}" if term == "loss" and same else term.replace("_", " ")
            width = 2.2 if term == "loss" else 1.4
            # A line through one point is not seen.
            looks = {"color": color, "linewidth": width, "label": name}
            looks["marker"] = "o" if len(self.epochs) == 1 else None
            for values, rows, style in ((self.train, "train", "-"), (valid, "valid", "--")):
                if term in values:
                    drawn = looks | {"linestyle": style} | options
                    (line,) = panel.plot(self.epochs, values[term], **drawn)
                    self.lines_[f"{rows}_{term}"] = line
                    entries.setdefault(name, line)
                    styles[rows] = style
        for rows, style in styles.items():
            words = "training rows" if rows == "train" else "validation rows"
            (entries[words],) = panel.plot([], [], color="0.45", linestyle=style)
        if self.kept_epoch is not None:
            mark = panel.axvline(self.kept_epoch, color="0.3", lw=1.3, ls=":", zorder=0)
            entries[f"kept: epoch {self.kept_epoch}"] = mark
        handles, names = list(entries.values()), list(entries)
        above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 2, "borderaxespad": 0.3}
        panel.legend(handles, list(map(plain, names)), frameon=False, fontsize="small", **above)


def _terms(frame, part):
    return {
        str(name).removeprefix(part): frame[name].to_numpy(np.float64)
        for name in frame.columns
        if str(name).startswith(part)
    }


def _epochs(frame):
    if "epoch" in frame.columns:
        return frame["epoch"].to_numpy()
    if frame.index.name == "epoch" and not isinstance(frame.index, pd.MultiIndex):
        return frame.index.to_numpy()
    return np.arange(1, len(frame) + 1)


def _units(train, valid, given):
    """Unit of each term: first those of the loss, which share its, then others."""
    known = {**UNITS, **given}
    parts = _parts_of_the_loss(train)
    others = [name for name in dict.fromkeys([*train, *valid]) if name not in ("loss", *parts)]
    named = [known[name] for name in parts if name in known]
    # What is added up has one unit; an error beside nats is in nats.
    unit = NATS if NATS in named else next(iter(named), _OF_A_SUM)
    unit = given.get("loss", unit)
    units = {"loss": unit, **dict.fromkeys(parts, unit)}
    return units | {name: known.get(name, name.replace("_", " ")) for name in others}


def _parts_of_the_loss(train):
    """Names of the terms that the loss is the sum of, read off the numbers.

    Which are, an objective decides; of its own terms a user may leave some aside, too.
    """
    names = [name for name in train if name != "loss"]
    loss = train["loss"]
    there = np.isfinite(loss)
    for n_aside in range(min(len(names), 3) + 1):
        for aside in itertools.combinations(names, n_aside):
            parts = [name for name in names if name not in aside]
            total = sum((train[name][there] for name in parts), np.zeros(there.sum()))
            size = sum((np.abs(train[name][there]) for name in parts), np.abs(loss[there]))
            if parts and (np.abs(total - loss[there]) <= 1e-5 * size + 1e-12).all():
                return parts
    return []


def _same_as_the_loss(train, valid, terms):
    """The one other term of the panel of the loss, if it is the loss; else None."""
    if "loss" not in terms or len(terms) != 2:
        return None
    (other,) = (term for term in terms if term != "loss")
    alike = all(
        other in values and np.allclose(values["loss"], values[other], rtol=1e-5, equal_nan=True)
        for values in (train, valid)
        if "loss" in values
    )
    return other if alike else None
