"""Which columns a code depends on, by permuting them."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._runtime.arrays import evenly, slices
from .._runtime.parameters import SEED, Whole, validated
from .._runtime.randomness import draw_seed
from .._runtime.typing import Seed, TableLike
from .._tables.frames import as_pandas
from .._tables.names import column_number, names_or_numbers
from .._tables.results import in_library
from ._axes import new_axes
from ._fitted import codes_of, encoder_of
from ._heat_map import BAR, CELL, NAMES, heat_map
from ._rows import Exchangeable

_AT_ONCE = 2**15  # rows that are encoded together


@validated(
    {
        "groups": [Mapping, None],
        "n_repeats": [Whole()],
        "max_samples": [Whole(2)],
        "random_state": SEED,
    }
)
def code_dependence(
    estimator: Any,
    X: TableLike,
    *,
    groups: Mapping[str, Sequence[Any]] | None = None,
    n_repeats: int = 5,
    max_samples: int = 1000,
    random_state: Seed = 0,
) -> Any:
    r"""Share of each code that depends on each column, by permuting the column.

    A column's cells are exchanged among the rows, and the rows encoded again. With :math:`r` the
    rank of a row's code among those of all rows before, and :math:`r'` the rank that the new code
    has among the same, the share is
    :math:`\mathrm{mean}\,(r - r')^2 / (2\,\mathrm{Var}\,r)`, at most 1: 0 where the code does not
    depend on the column, 1 where the column alone decides. It is the total effect index of Sobol in
    Jansen's form: where a code is a sum of terms, each of one column that is independent of the
    others, shares add up to about 1; where columns act together the sum is larger.

    Parameters
    ----------
    estimator : fitted transformer
        Ours, or any other with ``transform``, such as a pipeline.
    X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        At least two rows.
    groups : mapping of str to list, default=None
        Columns, by name or number, that are exchanged together. Columns that tell the same vouch
        for each other: exchanged one at a time each of them seems to matter little. Columns of no
        group are exchanged by themselves.
    n_repeats : int, default=5
        Permutations of each column, over which the share is a mean.
    max_samples : int, default=1000
        Of more rows so many are looked at, which are spread evenly over the codes.
    random_state : int, RandomState instance or None, default=0
        Of the permutations. With an int the result is the same each time, for rows in any order.

    Returns
    -------
    ndarray or frame of shape (n_features, n_codes)
        A frame for frames, with the names of the codes; those of the columns are the index, or
        without pandas the first column, ``"feature"``. Cells of images are columns one by one. A
        code that is the same for all rows depends on none.

    See Also
    --------
    CodeDependenceDisplay : Draws it.
    sklearn.inspection.permutation_importance : Of a score.

    References
    ----------
    Breiman (2001), *Random forests*: permutation importance. Fisher, Rudin and Dominici (2019),
    *All models are wrong, but many are useful*: model reliance. Jansen (1999), *Analysis of
    variance designs for model output*.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.inspection import code_dependence
    >>> X = load_wine(as_frame=True).data
    >>> vae = VAETransformer(latent_dim=2, max_epochs=20).fit(X)
    >>> code_dependence(vae, X).shape
    (13, 2)
    """
    rows = Exchangeable(X)
    if len(rows) < 2:
        raise ValueError(f"X must have at least 2 rows to exchange cells between; got {len(rows)}.")
    estimator = encoder_of(estimator)
    every = codes_of(estimator, rows.given)
    # In an order that follows from the rows, so that theirs does not matter.
    order = np.lexsort((rows.hashes(), *every.T[::-1]))
    order = order[evenly(len(order), max_samples)]
    rows, codes = rows.take(order), every[order]
    exchanged = _grouped(rows, groups)
    random = np.random.RandomState(draw_seed(random_state))
    shares = np.empty((len(exchanged), codes.shape[1]))
    for share, columns in zip(shares, exchanged.values(), strict=True):
        donors = np.concatenate([random.permutation(len(codes)) for _ in range(n_repeats)])
        share[:] = _share(estimator, rows, codes, columns, donors)
    return _in_container(rows, shares, list(exchanged), _names(estimator, codes.shape[1]))


def _share(estimator, rows, codes, columns, donors):
    """Share of each code that depends on some columns; ``donors``: rows that cells come from."""
    before = [np.sort(code) for code in codes.T]
    ranks = np.column_stack(list(map(_ranks, before, codes.T)))
    spread, moved = ranks.var(axis=0), np.zeros(codes.shape[1])
    receivers = np.resize(np.arange(len(codes)), len(donors))
    for part in slices(len(donors), _AT_ONCE):
        changed = rows.take(receivers[part]).exchanged(columns, rows.take(donors[part]))
        after = codes_of(estimator, changed)
        new = np.column_stack(list(map(_ranks, before, after.T)))
        moved += np.square(new - ranks[receivers[part]]).sum(axis=0)
    shares = moved / len(donors) / np.where(spread > 0, 2 * spread, 1.0)
    return np.where(spread > 0, np.minimum(shares, 1.0), 0.0)


def _ranks(sorted_values, values):
    """Places of values among sorted ones, in the middle of those that are equal."""
    low, high = (np.searchsorted(sorted_values, values, side=side) for side in ("left", "right"))
    return (low + high) / 2


def _grouped(rows, groups):
    """What is exchanged together: names, and numbers of columns."""
    names = rows.names
    if groups is None:
        return _without_doubles([(name, [j]) for j, name in enumerate(names)])
    of_group, labels = {}, names if rows.is_frame else None
    for group, columns in groups.items():
        if isinstance(columns, str) or not len(columns):
            raise ValueError(
                f"groups must give a list of columns for each group; got {columns!r} for {group!r}."
            )
        for column in columns:
            j = column_number(column, len(names), labels, "groups")
            if j in of_group:
                raise ValueError(f"groups names column {column!r} twice. Name each column once.")
            of_group[j] = group
    together = {}
    for j in range(len(names)):
        key = ("group", of_group[j]) if j in of_group else ("column", j)
        together.setdefault(key, []).append(j)
    named = [
        (key if kind == "group" else names[key], numbers)
        for (kind, key), numbers in together.items()
    ]
    return _without_doubles(named)


def _without_doubles(named):
    """A dict, in which a name that comes again is told apart by its place."""
    result = {}
    for place, (name, numbers) in enumerate(named):
        result[name if name not in result else f"{name} ({place})"] = numbers
    return result


def _names(transformer, n_codes):
    """Names of codes, those of ``set_output`` where there are such."""
    try:
        names = list(map(str, transformer.get_feature_names_out()))
    except (AttributeError, ValueError, TypeError):  # as of a FunctionTransformer
        names = []
    return names if len(names) == n_codes else [f"code{j}" for j in range(n_codes)]


def _in_container(rows, shares, features, codes):
    if not rows.is_frame:
        return shares
    frame = pd.DataFrame(shares, index=features, columns=codes)
    if isinstance(rows.rows, pd.DataFrame):
        return frame
    first = "feature" if "feature" not in codes else "feature of X"
    return in_library(frame.rename_axis(first), rows.rows.implementation)


def _as_frame(dependence):
    """What :func:`code_dependence` has given as a frame of pandas, its columns in the index."""
    found = as_pandas(dependence)
    if found is not None:
        by_index = isinstance(dependence, pd.DataFrame)
        return found[0] if by_index else found[0].set_index(found[0].columns[0])
    values = np.asarray(dependence, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(
            "dependence must be of shape (n_features, n_codes), as code_dependence gives it; got "
            f"an array of shape {values.shape}."
        )
    n_features, n_codes = values.shape
    features, codes = names_or_numbers(None, n_features), [f"code{j}" for j in range(n_codes)]
    return pd.DataFrame(values, index=features, columns=codes)


class CodeDependenceDisplay:
    """Which columns each code depends on, as a heat map.

    Best made by :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    dependence : ndarray of shape (n_features, n_codes)
        Shares, as :func:`code_dependence` gives them.
    features : list of str
        Names of the columns.
    codes : list of str
        Names of the codes.

    Attributes
    ----------
    image_ : matplotlib.image.AxesImage
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_replearn import VAETransformer
    >>> from sklearn_replearn.inspection import CodeDependenceDisplay
    >>> X = load_wine(as_frame=True).data
    >>> vae = VAETransformer(latent_dim=2, max_epochs=20).fit(X)
    >>> display = CodeDependenceDisplay.from_estimator(vae, X)
    >>> display.dependence.shape
    (13, 2)
    """

    image_: Any
    ax_: Any
    figure_: Any

    def __init__(
        self, *, dependence: NDArray[np.float64], features: Sequence[str], codes: Sequence[str]
    ) -> None:
        self.dependence = dependence
        self.features = features
        self.codes = codes

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: TableLike,
        *,
        groups: Mapping[str, Sequence[Any]] | None = None,
        n_repeats: int = 5,
        max_samples: int = 1000,
        random_state: Seed = 0,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Compute :func:`code_dependence` and draw it.

        Parameters
        ----------
        estimator : fitted transformer
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        groups, n_repeats, max_samples, random_state
            Of :func:`code_dependence`.
        ax : matplotlib.axes.Axes, default=None
        **kwargs
            Of :meth:`plot`.

        Returns
        -------
        CodeDependenceDisplay
        """
        dependence = code_dependence(
            estimator,
            X,
            groups=groups,
            n_repeats=n_repeats,
            max_samples=max_samples,
            random_state=random_state,
        )
        shares = _as_frame(dependence)
        codes = [f"code {j}" for j in range(shares.shape[1])]
        return cls.from_predictions(shares, codes=codes, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        dependence: ArrayLike | Any,
        *,
        features: Sequence[str] | None = None,
        codes: Sequence[str] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw what :func:`code_dependence` has given.

        Parameters
        ----------
        dependence : ndarray or frame of shape (n_features, n_codes)
        features, codes : list of str, default=None
            Names instead of those of the frame, or of x0, x1 … and code0, code1 …
        ax : matplotlib.axes.Axes, default=None
        **kwargs
            Of :meth:`plot`.

        Returns
        -------
        CodeDependenceDisplay

        Raises
        ------
        ValueError
            If ``dependence`` is no such matrix, or names are not as many as it has.
        """
        shares, named = _as_frame(dependence), []
        for what, names, own in (
            ("features", features, shares.index),
            ("codes", codes, shares.columns),
        ):
            names = list(map(str, own if names is None else names))
            if len(names) != len(own):
                raise ValueError(f"{what} must be {len(own)} names; got {len(names)}.")
            named.append(names)
        values = shares.to_numpy(np.float64)
        return cls(dependence=values, features=named[0], codes=named[1]).plot(ax=ax, **kwargs)

    @validated({"max_features": [Whole()], "max_codes": [Whole()]})
    def plot(
        self,
        ax: Any = None,
        *,
        max_features: int = 30,
        max_codes: int = 16,
        cmap: str = "Blues",
    ) -> Self:
        """Draw it: a row a column of the table, those that a code depends on most on top.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            None makes a figure.
        max_features, max_codes : int
            Of more columns those are shown that a code depends on most; of more codes those that
            depend most on a column.
        cmap : str, default="Blues"

        Returns
        -------
        self : CodeDependenceDisplay
        """
        values = np.asarray(self.dependence)
        rows = np.argsort(-values.max(axis=1), kind="stable")[:max_features]
        codes = np.sort(np.argsort(-values.max(axis=0), kind="stable")[:max_codes])
        height, width = CELL * len(rows) + 1.2, 2.4 * CELL * len(codes) + NAMES + BAR
        ax = new_axes(self, ax, figsize=(max(width, 4.5), max(height, 2.5)))
        shown = values[np.ix_(rows, codes)]
        top = max(float(shown.max()), 0.1)  # what is hardly there shall not look dark
        self.image_ = heat_map(
            ax,
            shown,
            [self.features[j] for j in rows],
            [self.codes[j] for j in codes],
            label="share of the code that depends on it",
            cmap=cmap,
            vmin=0,
            vmax=top,
        )
        for (i, j), share in np.ndenumerate(shown):
            if share >= 0.05:
                color = "white" if share > 0.6 * top else "black"
                text = f"{share:.2f}".removeprefix("0")
                ax.text(j, i, text, ha="center", va="center", fontsize=7, color=color)
        left_out = len(values) - len(rows)
        if left_out:
            ax.set_ylabel(f"columns ({left_out} more depend less)", fontsize=8)
        return self
