"""Scores of a search against the width of the code."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from .._runtime.parameters import is_number
from ._axes import COLORS, new_axes

_WIDE = 5  # more than so many times as wide: widths are spaced by their logarithm


class LatentDimDisplay:
    """Score against ``latent_dim``, with one standard error over the folds.

    Best made by :meth:`from_estimator`, of a search, or :meth:`from_predictions`. Marked are the
    best width, and the smallest whose mean score is within one standard error of the best: folds do
    not tell them apart, so the narrower code is preferred (the rule of Breiman et al.).

    Parameters
    ----------
    latent_dims : ndarray of shape (n_widths,)
        Ascending.
    scores : ndarray of shape (n_widths, n_folds)
        Higher is better.
    score_name : str, default="score"
    param_name : str, default="latent_dim"
        What widths are called.

    Attributes
    ----------
    errorbar_ : matplotlib.container.ErrorbarContainer
    best_, one_se_ : matplotlib.lines.Line2D
        Marks of the two widths.
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    References
    ----------
    Breiman, Friedman, Olshen and Stone (1984), *Classification and regression trees*, 3.4.3.

    Examples
    --------
    >>> from sklearn_replearn.inspection import LatentDimDisplay
    >>> scores = [[0.70, 0.74], [0.89, 0.93], [0.90, 0.96], [0.88, 0.94]]
    >>> display = LatentDimDisplay.from_predictions([2, 4, 8, 16], scores)
    >>> display.best_latent_dim, display.latent_dim_1se
    (8, 4)
    """

    errorbar_: Any
    best_: Any
    one_se_: Any
    ax_: Any
    figure_: Any

    def __init__(
        self,
        *,
        latent_dims: NDArray[Any],
        scores: NDArray[np.float64],
        score_name: str = "score",
        param_name: str = "latent_dim",
    ) -> None:
        self.latent_dims = latent_dims
        self.scores = scores
        self.score_name = score_name
        self.param_name = param_name

    @property
    def mean_scores(self) -> NDArray[np.float64]:
        """Mean over folds, ndarray of shape (n_widths,)."""
        return self.scores.mean(axis=1)

    @property
    def standard_errors(self) -> NDArray[np.float64]:
        """Of the means, ndarray of shape (n_widths,); NaN of one fold."""
        n_folds = self.scores.shape[1]
        if n_folds == 1:
            return np.full(len(self.scores), np.nan)
        return self.scores.std(axis=1, ddof=1) / np.sqrt(n_folds)

    @property
    def best_latent_dim(self) -> Any:
        """The width with the highest mean score; of equal ones the smallest."""
        return self.latent_dims[np.nanargmax(self.mean_scores)].item()

    @property
    def threshold(self) -> float:
        """The highest mean score less one standard error of it."""
        best = np.nanargmax(self.mean_scores)
        return float(self.mean_scores[best] - np.nan_to_num(self.standard_errors[best]))

    @property
    def latent_dim_1se(self) -> Any:
        """The smallest width whose mean score is within one standard error of the best."""
        return self.latent_dims[np.argmax(self.mean_scores >= self.threshold)].item()

    @classmethod
    def from_estimator(
        cls,
        search: Any,
        *,
        param: str | None = None,
        scoring: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw what a search has found.

        Parameters
        ----------
        search : fitted GridSearchCV, RandomizedSearchCV or another with ``cv_results_``
            Where it varies other parameters, too, each width has the scores of the candidate that
            is best at this width, on average over folds. Of one that halves candidates, the first
            round counts, in which all had the same rows.
        param : str, default=None
            Name of the parameter, such as ``"enc__latent_dim"`` or ``"pca__n_components"``. None:
            the one that the search varies of which the name is or ends in ``latent_dim``.
        scoring : str, default=None
            Name of the score, of a search that has several. None: the one it refits by.
        ax : matplotlib.axes.Axes, default=None
        **kwargs
            Of ``errorbar``.

        Returns
        -------
        LatentDimDisplay

        Raises
        ------
        ValueError
            If the search varies no such parameter, or has several scores and none is named.
        """
        check_is_fitted(search, "cv_results_")
        results = search.cv_results_
        name = _varied(results["params"], param)
        metric = _metric(search, results, scoring)
        folds = np.column_stack(
            [results[f"split{fold}_test_{metric}"] for fold in range(search.n_splits_)]
        )
        first_round = np.asarray(results.get("iter", np.zeros(len(folds)))) == 0
        best: dict[Any, Any] = {}
        for parameters, scores, counts in zip(results["params"], folds, first_round, strict=True):
            if counts and name in parameters:
                width = _width(parameters[name], name)
                before = best.get(width)
                # What failed in a fold has no mean, and is not the best.
                if before is None or np.isnan(before.mean()) or scores.mean() > before.mean():
                    best[width] = scores
        called = metric if metric != "score" else search.scoring
        return cls.from_predictions(
            list(best),
            list(best.values()),
            score_name=called.replace("_", " ") if isinstance(called, str) else "score",
            param_name=name.split("__")[-1],
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        latent_dims: ArrayLike,
        scores: ArrayLike,
        *,
        score_name: str = "score",
        param_name: str = "latent_dim",
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw scores.

        Parameters
        ----------
        latent_dims : array-like of shape (n_widths,)
            In any order.
        scores : array-like of shape (n_widths, n_folds)
            Higher is better, as those of ``cross_val_score``. NaN: a fit that failed; widths with
            such are left out.
        score_name : str, default="score"
        param_name : str, default="latent_dim"
            What widths are called.
        ax : matplotlib.axes.Axes, default=None
        **kwargs
            Of ``errorbar``.

        Returns
        -------
        LatentDimDisplay
        """
        widths, folds = np.asarray(latent_dims), np.asarray(scores, dtype=np.float64)
        if widths.ndim != 1 or widths.dtype.kind not in "iuf" or not np.isfinite(widths).all():
            raise ValueError(
                f"latent_dims must be numbers of shape (n_widths,); got {latent_dims!r}."
            )
        if folds.ndim != 2 or len(folds) != len(widths) or not folds.size:
            raise ValueError(
                "scores must be of shape (n_widths, n_folds), a row for each of the "
                f"{len(widths)} latent_dims; got shape {folds.shape}."
            )
        if len(np.unique(widths)) < len(widths):
            raise ValueError(f"latent_dims must differ; got {widths.tolist()}.")
        if not np.isfinite(folds).all(axis=1).any():
            raise ValueError("scores must be finite at one width at least; all fits have failed.")
        folds = np.where(np.isfinite(folds), folds, np.nan)
        order = np.argsort(widths)
        display = cls(
            latent_dims=widths[order],
            scores=folds[order],
            score_name=score_name,
            param_name=param_name,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw it.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            None makes a figure.
        **kwargs
            Of ``errorbar``.

        Returns
        -------
        self : LatentDimDisplay
        """
        ax = new_axes(self, ax, figsize=(5.6, 3.8))
        widths, means, errors = self.latent_dims, self.mean_scores, self.standard_errors
        spread = f"mean of {self.scores.shape[1]} folds, one standard error"
        how = {"color": COLORS[0], "marker": "o", "capsize": 3, "label": spread, **kwargs}
        bars = None if np.isnan(errors).all() else errors
        self.errorbar_ = ax.errorbar(widths, means, bars, **how)
        ax.axhline(self.threshold, color="0.6", linestyle="--", linewidth=1, zorder=0)
        self.best_ = self._mark(self.best_latent_dim, "best", "*", COLORS[1])
        self.one_se_ = self._mark(self.latent_dim_1se, "smallest within one error", "s", COLORS[2])
        if widths.min() > 0 and widths.max() > _WIDE * widths.min():
            ax.set_xscale("log", base=2)
        ax.set_xticks(widths, [f"{width:g}" for width in widths])
        ax.minorticks_off()
        ax.set(xlabel=self.param_name, ylabel=self.score_name)
        # Above, because the best score stands wherever it stands.
        ax.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0.0, 1.0))
        return self

    def _mark(self, width, label, marker, color):
        place = np.flatnonzero(self.latent_dims == width)
        (line,) = self.ax_.plot(
            self.latent_dims[place],
            self.mean_scores[place],
            marker,
            color=color,
            markersize=15 if marker == "*" else 11,
            markerfacecolor="none" if marker == "s" else color,
            markeredgewidth=2 if marker == "s" else 0,
            zorder=4,
            label=f"{label}: {width:g}",
        )
        return line


def _varied(candidates: Sequence[dict[str, Any]], param: str | None) -> str:
    """The name of the parameter that is the width."""
    names = sorted({name for candidate in candidates for name in candidate})
    if param is not None:
        if param not in names:
            raise ValueError(f"param names {param!r}, which the search does not vary: {names}.")
        return param
    found = [name for name in names if name.split("__")[-1] == "latent_dim"]
    if len(found) != 1:
        what = "none" if not found else ", ".join(found)
        raise ValueError(
            "The search must vary one parameter latent_dim, or param say which one is meant; "
            f"found {what} among {names}."
        )
    return found[0]


def _metric(search, results, scoring):
    """The part of the keys of results that stands for the score."""
    known = [key.removeprefix("mean_test_") for key in results if key.startswith("mean_test_")]
    if scoring is None:
        refit = getattr(search, "refit", None)
        scoring = known[0] if len(known) == 1 else refit
    if scoring not in known and known == ["score"] and scoring == search.scoring:
        return "score"
    if scoring not in known:
        raise ValueError(
            f"scoring must say which of the scores of the search is meant, one of {known}; got "
            f"{scoring!r}."
        )
    return scoring


def _width(value, name):
    if not is_number(value):
        raise ValueError(f"{name} must be a number in all candidates; got {value!r}.")
    return value.item() if isinstance(value, np.generic) else value
