"""Whether p-values are what they should be: uniform for normal rows."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._runtime.parameters import Number, Whole, validated
from .._runtime.typing import TableLike
from ._axes import COLORS, new_axes
from ._fitted import last_with_rows
from ._labels import are_normal


class PValueDisplay:
    r"""P-values of rows as a cumulative share, beside the uniform with the band that chance allows.

    Best made by :meth:`from_estimator` or :meth:`from_predictions`. P-values are calibrated if
    those of normal rows are uniform: then at any threshold ``alpha`` that share of them is a false
    alarm, and the curve goes along the diagonal. Above it there are more false alarms than
    promised, below it fewer. How far up that of anomalies goes is the share that is found.

    Parameters
    ----------
    p_values : ndarray of shape (n_normal,)
        Of normal rows.
    anomaly_p_values : ndarray of shape (n_anomalies,), default=None
        Of anomalies.
    n_calibration : int, default=None
        Of so many rows the p-values are shares. None: of so many that it adds nothing to the band.
    confidence_level : float, default=0.95
        Probability that a calibrated curve stays within the band everywhere.

    Attributes
    ----------
    line_, anomalies_line_ : matplotlib.lines.Line2D
        Curves; the second is None where there are no anomalies.
    band_ : matplotlib.collections.PolyCollection
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    Notes
    -----
    The band is that of Dvoretzky, Kiefer and Wolfowitz, :math:`\sqrt{\log(2/\delta)/2n}` to
    either side, with Massart's constant. Conformal p-values are shares of m calibration rows, which
    they have in common, so that they are not independent: :math:`1/n` becomes :math:`1/n + 1/m`, as
    for two samples, and the band does not vanish with many rows.

    References
    ----------
    Massart (1990), *The tight constant in the Dvoretzky–Kiefer–Wolfowitz inequality*. Wei and
    Dudley (2012), *Two-sample Dvoretzky–Kiefer–Wolfowitz inequalities*. Bates et al. (2023),
    *Testing for outliers with conformal p-values*.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.inspection import PValueDisplay
    >>> rows = np.random.RandomState(0).normal(size=(400, 2))
    >>> detector = OutlierDetector().fit(rows[:200])
    >>> display = PValueDisplay.from_estimator(detector, rows[200:])
    >>> shares = display.share_below([0.05, 0.5])
    >>> bool((abs(shares - [0.05, 0.5]) < display.half_width).all())
    True
    """

    line_: Any
    anomalies_line_: Any
    band_: Any
    ax_: Any
    figure_: Any

    def __init__(
        self,
        *,
        p_values: NDArray[np.float64],
        anomaly_p_values: NDArray[np.float64] | None = None,
        n_calibration: int | None = None,
        confidence_level: float = 0.95,
    ) -> None:
        self.p_values = p_values
        self.anomaly_p_values = anomaly_p_values
        self.n_calibration = n_calibration
        self.confidence_level = confidence_level

    @property
    def half_width(self) -> float:
        """How far the band goes to either side of the diagonal."""
        samples = 1 / len(self.p_values)
        samples += 0 if self.n_calibration is None else 1 / self.n_calibration
        return float(np.sqrt(np.log(2 / (1 - self.confidence_level)) * samples / 2))

    def share_below(self, alpha: ArrayLike) -> NDArray[np.float64]:
        """Share of normal rows with a p-value of at most ``alpha``: that of false alarms.

        Parameters
        ----------
        alpha : array-like

        Returns
        -------
        ndarray of the shape of ``alpha``
        """
        p_values = np.sort(self.p_values)
        return np.searchsorted(p_values, np.asarray(alpha), side="right") / len(p_values)

    @classmethod
    def from_estimator(
        cls,
        detector: Any,
        X: TableLike,
        y: ArrayLike | None = None,
        *,
        ties: str = "count",
        confidence_level: float = 0.95,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Compute p-values and draw them.

        Parameters
        ----------
        detector : fitted OutlierDetector
            Or any other with ``p_values``.
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            Rows that fit has not seen.
        y : array-like of shape (n_samples,), default=None
            1 for normal rows, -1 for anomalies, as ``predict`` gives them. None: all are normal.
        ties : {"count", "random"}, default="count"
            Of :meth:`OutlierDetector.p_values <sklearn_replearn.OutlierDetector.p_values>`.
        confidence_level : float, default=0.95
        ax : matplotlib.axes.Axes, default=None
        **kwargs
            Of the curves, such as ``linewidth``.

        Returns
        -------
        PValueDisplay
        """
        judge, X = last_with_rows(detector, X)
        if not hasattr(judge, "p_values"):
            raise TypeError(
                f"detector must be an OutlierDetector, or have p_values; {type(judge).__name__} "
                "does not. P-values from elsewhere go to PValueDisplay.from_predictions."
            )
        how = {} if ties == "count" else {"ties": ties}
        return cls.from_predictions(
            judge.p_values(X, **how),
            y,
            n_calibration=getattr(judge, "n_calibration_", None),
            confidence_level=confidence_level,
            ax=ax,
            **kwargs,
        )

    @classmethod
    @validated({"n_calibration": [Whole(), None], "confidence_level": [Number(0, 1)]})
    def from_predictions(
        cls,
        p_values: ArrayLike,
        y: ArrayLike | None = None,
        *,
        n_calibration: int | None = None,
        confidence_level: float = 0.95,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw p-values.

        Parameters
        ----------
        p_values : array-like of shape (n_samples,)
        y : array-like of shape (n_samples,), default=None
            1 for normal rows, -1 for anomalies. None: all are normal.
        n_calibration : int, default=None
            Of so many rows the p-values are shares, if they are conformal.
        confidence_level : float, default=0.95
        ax : matplotlib.axes.Axes, default=None
        **kwargs
            Of the curves, such as ``linewidth``.

        Returns
        -------
        PValueDisplay

        Raises
        ------
        ValueError
            If there are p-values out of [0, 1], labels other than 1 and -1, or no normal rows.
        """
        values = np.asarray(p_values, dtype=np.float64)
        if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
            raise ValueError(
                "p_values must be numbers from 0 to 1, of shape (n_samples,), none missing; got "
                f"shape {values.shape}"
                + (f" and a range of {values.min()} to {values.max()}." if values.size else ".")
            )
        normal = are_normal(y, len(values))
        if not normal.any():
            raise ValueError("p_values of at least one normal row are needed; got none.")
        return cls(
            p_values=values[normal],
            anomaly_p_values=None if normal.all() else values[~normal],
            n_calibration=n_calibration,
            confidence_level=confidence_level,
        ).plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw it.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            None makes a figure.
        **kwargs
            Of the curves, such as ``linewidth``.

        Returns
        -------
        self : PValueDisplay
        """
        ax = new_axes(self, ax, figsize=(4.8, 4.6))
        width = self.half_width
        # Many places, for a band on a logarithmic axis is no polygon.
        grid = np.unique(np.concatenate([np.linspace(0, 1, 201), np.geomspace(1e-5, 1, 201)]))
        self.band_ = ax.fill_between(
            grid,
            np.maximum(grid - width, 0),
            np.minimum(grid + width, 1),
            color="0.88",
            linewidth=0,
            label=f"uniform, {self.confidence_level:.0%} band",
        )
        ax.plot([0, 1], [0, 1], color="0.55", linewidth=1)
        self.line_ = _curve(ax, self.p_values, "normal rows", color=COLORS[0], **kwargs)
        self.anomalies_line_ = None
        if self.anomaly_p_values is not None:
            self.anomalies_line_ = _curve(
                ax,
                self.anomaly_p_values,
                "anomalies",
                **{"color": COLORS[1], "linestyle": (0, (4, 1.5)), **kwargs},
            )
        ax.set(xlabel="p-value", ylabel="share of rows with at most this p-value")
        ax.set(xlim=(0, 1), ylim=(0, 1.01), aspect="equal")
        ax.legend(frameon=False, loc="lower right", fontsize=9)
        return self


def _curve(ax, p_values, label, **kwargs):
    values = np.sort(p_values)
    shares = np.arange(1, len(values) + 1) / len(values)
    x, y = np.concatenate([[0], values, [1]]), np.concatenate([[0], shares, [1]])
    label = f"{label} ({len(values):,})"
    (line,) = ax.plot(x, y, **{"drawstyle": "steps-post", "label": label, **kwargs})
    return line
