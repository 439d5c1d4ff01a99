"""Rows of a table as judges see them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .._runtime.arrays import evenly
from .._runtime.sklearn import safe_indexing
from ..outliers.spaces import Space

_MOST_ROWS, _MOST_CELLS, _FEWEST_ROWS = 2**16, 2**24, 2**10


class Observations:
    """Some rows of a table, and what judges ask of them, each computed when it is first asked for.

    Judges get them from :class:`OutlierDetector`; nobody else needs to make any.

    Parameters
    ----------
    table : ndarray of shape (n, n_features)
        Numbers as they are, dates and durations as numbers, categories as numbers of levels
        (0 for one that fit has not seen), NaN for missing cells.
    spaces : dict of str to Space
    decode : callable
        Turns a table of numbers into rows like those of fit.
    units : ndarray of shape (n,), int, default=None
        Rows of one number are copies of each other, which are held out together. None: there are
        no copies.
    original : callable, default=None
        Returns the same rows as the user gave them.

    Attributes
    ----------
    known : ndarray of shape (n, n_features), bool
        Cells that are not missing.
    n_known : ndarray of shape (n,), int
        How many cells of a row are not missing, at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> from sklearn_replearn.outliers import Judge
    >>> class NumberOfMissingCells(Judge):
    ...     def statistic(self, rows):
    ...         return (~rows.known).sum(axis=1)
    >>> detector = OutlierDetector(judges=[NumberOfMissingCells()]).fit(np.ones((100, 2)))
    >>> detector.predict([[1.0, np.nan], [1.0, 1.0]])
    array([-1,  1])
    """

    def __init__(
        self,
        table: NDArray[np.float64],
        spaces: Mapping[str, Space],
        decode: Callable[..., Any],
        original: Callable[[], Any] | None = None,
        units: NDArray[Any] | None = None,
    ) -> None:
        self.table, self.spaces, self._decode = _read_only(table), spaces, decode
        self.units = np.arange(len(table)) if units is None else units
        self.known = ~np.isnan(table)
        self.n_known = np.maximum(self.known.sum(axis=1), 1)
        self._original = original
        self._whole, self._points, self._answers = None, {}, {}

    def __len__(self) -> int:
        return len(self.table)

    @property
    def is_categorical(self) -> NDArray[np.bool_]:
        """Which columns are categories, ndarray of shape (n_features,), bool."""
        return ~self.spaces["standard"].columns.numbers

    def points(self, space: Literal["standard", "quantile"] = "standard") -> NDArray[np.float64]:
        """The rows as points, between which distances mean something.

        Parameters
        ----------
        space : {"standard", "quantile"}, default="standard"
            How numbers are scaled: to variance 1, or by their ranks. Missing cells are at the mean.

        Returns
        -------
        ndarray of shape (n, width), float64
            A number has one coordinate, a category several.
        """
        if space not in self._points:
            if self._whole is None:
                self._points[space] = _read_only(self._space(space).points(self.table))
            else:  # computed once for all that are taken from it
                rows, numbers = self._whole
                self._points[space] = _read_only(rows.points(space)[numbers])
        return self._points[space]

    def known_points(
        self, space: Literal["standard", "quantile"] = "standard"
    ) -> NDArray[np.bool_] | None:
        """Which coordinates are not of missing cells; None where all are there."""
        return None if self.known.all() else self.known[:, self._space(space).owner]

    def _space(self, name):
        if name not in self.spaces:
            raise ValueError(f"space must be one of {list(self.spaces)}; got {name!r}.")
        return self.spaces[name]

    def original(self) -> Any:
        """The rows as the user gave them; where nothing else is at hand, decoded."""
        if self._original is None:
            return self._decode(self.table.astype(np.float64))
        return self.once(self._original)

    def _some_original(self, numbers):
        return safe_indexing(self.original(), numbers)

    def take(self, numbers: NDArray[Any]) -> "Observations":
        """Some of these rows.

        Parameters
        ----------
        numbers : ndarray of int

        Returns
        -------
        Observations
        """
        original = None if self._original is None else partial(self._some_original, numbers)
        table, units = self.table[numbers], self.units[numbers]
        some = Observations(table, self.spaces, self._decode, original, units)
        some._whole = self, numbers
        return some

    def once(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """``function(*arguments)``, remembered: for what several judges ask of these rows."""
        key = function, *arguments
        if key not in self._answers:
            self._answers[key] = function(*arguments)
        return self._answers[key]


def _read_only(array):
    """A view that nobody writes to, for several judges see the array."""
    array = array.view()
    array.flags.writeable = False
    return array


def training_rows(multiset, width):
    """Numbers, within the multiset, of the rows to learn from; equal ones stand side by side."""
    draws = multiset.draws()
    most = int(np.clip(_MOST_CELLS // width, _FEWEST_ROWS, _MOST_ROWS))
    return draws[evenly(len(draws), most)]
