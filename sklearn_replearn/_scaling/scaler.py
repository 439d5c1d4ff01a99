"""Columns to scaled rows and back."""

import copy

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import MinMaxScaler, RobustScaler

from .._tables.levels import Levels
from .._tables.names import name_columns
from .affine import is_affine, shift_and_factor
from .cells import check_unit_interval, reject_other_than_counts
from .differences import log_slope_by_differences
from .limits import (
    fitted_to,
    is_ordinary,
    reject_extreme,
    reject_flat,
    reject_unrepresentable,
    rows_to_fit,
)
from .normal_scores import normal_scores
from .profile import Profile
from .support import LEVELS, REAL

#: By name.
SCALINGS = ("auto", "standard", "robust", "quantile", "minmax")
_CELLS_FOR_TRANSFORMERS = 2**22
_FARTHEST = 1e140  # its square, summed, is still a float64


class Scaler:
    """How the columns of a table are scaled, and back.

    The cells of a table become *scaled cells*: a number in units that suit a network, a category as
    it is (the number of its level), NaN where a cell is missing. The table is read a few rows at a
    time; no copy of it is made, unless a transformer of scikit-learn has to see it as a whole.

    Parameters
    ----------
    scaling : {"auto", "standard", "robust", "quantile", "minmax"}, transformer or None
    multiset : Multiset
        The training rows.
    names : ndarray of str or None
    seed : int
        For transformers that sample rows.
    profile : Profile, default=None
        Of the training rows; None finds it.
    supports : sequence of Support, default=None
        Of the likelihood of each column. None: real numbers and categories.
    by_ranks : ndarray of shape (n_features,), bool, default=None
        Columns that ``scaling="auto"`` scales by their ranks. None: heavy-tailed ones.
    by_value : ndarray of shape (n_features,), bool, default=None
        Columns of which, scaled by their ranks, each repeated value is told apart. None: none.
    levels : Levels, default=None
        None: all columns are numbers.

    Attributes
    ----------
    constant : ndarray of shape (n_features,), bool
        Columns of numbers that held one value only, up to rounding.
    missing : ndarray of shape (n_features,), bool
        Columns with missing cells.
    whole : ndarray of shape (n_features,), bool
        Columns of numbers that held whole numbers, as far as was looked at.
    grain : Grain
        Steps of the columns of numbers, in original units.
    ranked : dict of int to NormalScores
        Columns that are scaled by their ranks.
    idle : ndarray of shape (n_features,), bool
        Columns of numbers that held one value only when scaled; their cells are 0.
    transformer : transformer or None
        None where scaling is ``(X - shift) * factor``, but for columns of counts and ranks.
    low, high : ndarray of shape (n_features,), float32
        Range of each scaled training column.
    spread : ndarray of shape (n_features,), float32
        Standard deviation of each scaled training column, entropy of categories in nats; 1 where it
        is zero.
    rates : ndarray of shape (n_features,), float32, or None
        Mean of each column, where some are of counts.
    rarity : ndarray of shape (n_features,), float32, or None
        Of columns of counts of a sparse table: their inverse document frequency.
    levels : Levels
        With the shares of the levels.
    n_rows : float
        Weight of all rows.
    curves : ScoreCurves or None
        Normal scores that an encoder sees beside scaled cells.
    fits_float32 : bool
        Whether float32 has room for the numbers of all columns.

    Raises
    ------
    ValueError
        If the scaled rows cannot be represented in float32, or are none of a support.
    """

    def __init__(
        self,
        scaling,
        multiset,
        names,
        seed,
        *,
        profile=None,
        supports=None,
        by_ranks=None,
        by_value=None,
        levels=None,
    ):
        n_features = multiset.width
        levels = Levels.none(n_features) if levels is None else levels
        profile = Profile(multiset, levels) if profile is None else profile
        if supports is None:
            supports = [REAL if number else LEVELS for number in levels.numbers]
        by_ranks = profile.heavy if by_ranks is None else by_ranks
        by_value = np.zeros(n_features, dtype=bool) if by_value is None else by_value
        self.names, self._n_features = names, n_features
        self.fits_float32 = profile.fits_float32
        self.levels, entropies = levels.counted(multiset)
        self._mixed = levels.any  # asked for each row that is encoded alone
        self._dense = np.array([support.has_density for support in supports])
        self._as_given = np.array([support.as_given for support in supports])
        self.missing, self.whole, self.grain = profile.missing, profile.whole, profile.grain
        self.constant, self.rounding = profile.constant, profile.rounding[profile.constant]
        self.fixed = np.where(profile.empty, np.nan, profile.low)[self.constant]
        counted = np.array([support.logarithmic for support in supports]) & ~self.constant
        self.counted = counted if counted.any() else None
        self.rates = None if self.counted is None else profile.mean.astype(np.float32)
        self.rarity = profile.rarity(counted) if profile.sparse and counted.any() else None
        self.idle, self.resting = np.zeros(n_features, dtype=bool), np.empty(0)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            scaled = self.numbers & ~counted & ~self.constant
            reject_extreme(profile, names)
            self._learn_scaling(scaling, scaled, profile, by_ranks, by_value, multiset, seed)
            low, high, variance = self._learn_ranges(profile, multiset)
            reject_unrepresentable(low, high, self.factor, multiset, names)
            reject_flat(scaled & ~self._as_given, variance, profile.unit, names)
        self.idle = (low == high) & self.numbers
        self.resting = low[self.idle]
        low[self.idle] = high[self.idle] = 0.0
        low[~self.numbers], high[~self.numbers] = 0.0, levels.sizes[~self.numbers]
        self.low, self.high = low.astype(np.float32), high.astype(np.float32)
        spread = np.sqrt(variance).astype(np.float32)
        spread[~self.numbers] = entropies[~self.numbers]
        self.n_rows = multiset.total
        self.spread = np.where(self.idle | (spread == 0), np.float32(1), spread)

    curves = None

    #: Whether a cell of a column with a grain stands for all numbers that are nearest to it.
    grained = True

    @property
    def with_density(self):
        """Columns whose cells have a density, which depends on their units."""
        return ~self.constant & self._dense

    @property
    def numbers(self):
        """Columns that are no categories, ndarray of shape (n_features,), bool."""
        return self.levels.numbers

    @property
    def mixed(self):
        """Whether there are categories."""
        return self._mixed

    @property
    def plain(self):
        """Whether an encoder takes the scaled cells as they are."""
        return not self.mixed and self.rarity is None and not self.missing.any()

    @property
    def as_is(self):
        """Columns of numbers that are not scaled."""
        moved = (self.shift != 0) | (self.factor != 1)
        moved[list(self.ranked)] = True
        if self.counted is not None:
            moved |= self.counted
        if self.transformer is not None:
            moved |= self._given
        return np.where(self.constant, self._own_units, ~moved)

    def _learn_scaling(self, scaling, scaled, profile, by_ranks, by_value, multiset, seed):
        """How each column is moved; ``scaled`` are those that may be."""
        named = scaling if isinstance(scaling, str) else None
        self._own_units = scaling is None or named == "auto"
        kept = self._as_given if named == "auto" else self._as_given & profile.zero_one
        scaled = scaled & ~kept
        by_ranks = scaled & (by_ranks if named == "auto" else named == "quantile")
        self.ranked = normal_scores(multiset, np.flatnonzero(by_ranks), by_value)
        self.shift, self.factor = np.zeros((2, self._n_features))
        self.factor += 1.0
        self.transformer, scaled = None, scaled & ~by_ranks
        if named in ("auto", "standard"):
            self.shift = np.where(scaled, profile.mean, 0.0)
            varies = scaled & (profile.deviation > 0)
            self.factor = np.where(varies, 1.0 / profile.deviation, 1.0)
        elif scaling is not None and named != "quantile" and scaled.any():
            self._learn_from_transformer(scaling, scaled, profile, multiset, seed)
        if self.transformer is None:
            # The mean of equal numbers need not be that number: take the number.
            self.shift[self.constant] = np.nan_to_num(self.fixed)
            self.factor[self.constant] = 1.0

    @property
    def _affine(self):
        return self.transformer is None and not self.ranked and self.counted is None

    def _learn_ranges(self, profile, multiset):
        """Range and variance of the scaled columns."""
        if self._affine:
            low, high = map(np.nan_to_num, self._range_between(profile.low, profile.high))
            return low, high, np.square(profile.deviation * self.factor)
        found = self._moments_of_scaled(multiset)
        return map(np.nan_to_num, (found.low, found.high, found.variance))

    def _learn_from_transformer(self, scaling, scaled, profile, multiset, seed):
        named = {"robust": RobustScaler, "minmax": MinMaxScaler}
        scaler = named[scaling]() if isinstance(scaling, str) else clone(scaling)
        random = [name for name in scaler.get_params() if name.endswith("random_state")]
        scaler.set_params(**dict.fromkeys(random, seed))
        # A user's transformer sees constant columns, too.
        kept = np.zeros_like(self.constant)
        kept[np.flatnonzero(self.constant)] = ~np.isnan(self.fixed)
        self._given = scaled if isinstance(scaling, str) else scaled | kept
        columns = np.flatnonzero(self._given)
        rows = rows_to_fit(multiset, columns, profile)
        ordinary = is_ordinary(profile.unit[columns])
        if not is_affine(scaler):
            self.transformer = fitted_to(scaler, rows, ~ordinary, columns, self.names)
            return
        units = np.where(ordinary, 1.0, profile.unit[columns])
        shift, factor = shift_and_factor(scaler.fit(rows / units), rows.shape[1])
        self.shift[self._given], self.factor[self._given] = shift * units, factor / units

    def _range_between(self, low, high):
        """Range of the scaled columns from that of the original ones, by a linear scaling."""
        ends = self.scale(np.stack([low, high]))
        return ends.min(axis=0), ends.max(axis=0)

    def _moments_of_scaled(self, multiset):
        # A transformer takes its time for each call, however few the rows.
        parts = multiset.parts(_CELLS_FOR_TRANSFORMERS)
        return multiset.moments(lambda part: self.scale(multiset.values(part)), parts)

    def scale(self, X):
        """Original units to the units of the network, in float64; idle columns at 0."""
        X = np.array(X, dtype=np.float64, order="C")
        if self.transformer is not None and len(self.fixed):
            X[:, self.constant] = self._snapped(X[:, self.constant])
        parts = {j: scores.forward(X[:, j]) for j, scores in self.ranked.items()}
        with np.errstate(over="ignore", invalid="ignore"):  # an encoder sees a limit, see below
            rows = self._transformed(X) if self.transformer is not None else self._moved(X)
            if self.counted is not None:
                self._logarithm(rows)
        for j, scores in parts.items():
            rows[:, j] = scores
        if self.transformer is None and len(self.fixed):
            cells = rows[:, self.constant]
            cells = np.where(np.abs(cells) <= self.rounding, 0.0, cells)
            # Of a column of which fit saw no cell nothing can be said.
            rows[:, self.constant] = np.where(np.isnan(self.fixed), np.nan, cells)
        if self.resting.any():
            rows[:, self.idle] -= self.resting
        # Beyond that nothing can be computed with, and nothing is any farther.
        return np.clip(rows, -_FARTHEST, _FARTHEST, out=rows)

    def _logarithm(self, rows):
        """Of 1 + count, in place."""
        if self.counted.all():
            np.log1p(np.maximum(rows, 0.0, out=rows), out=rows)
        else:
            rows[:, self.counted] = np.log1p(np.maximum(rows[:, self.counted], 0.0))

    def _moved(self, X):
        rows = np.subtract(X, self.shift, out=X)
        rows *= self.factor
        return rows

    def _transformed(self, X):
        given = X[:, self._given]
        rows = np.array(self.transformer.transform(given), dtype=np.float64)
        if rows.shape != given.shape:
            raise ValueError(
                f"scaling must keep the number of columns: it got {given.shape[1]} and returned "
                f"{rows.shape[1]}."
            )
        X[:, self._given] = rows
        return X

    def _snapped(self, cells):
        """Cells of constant columns, the constant where they are equal to it up to rounding."""
        same = np.abs(cells - self.fixed) <= self.rounding
        return np.where(same | np.isnan(self.fixed), self.fixed, cells)

    def limit(self, rows):
        """Scaled rows as an encoder sees them: beyond what fit saw, they grow as a logarithm.

        A column that hardly varied in fit makes huge values of small differences, and a network is
        arbitrary where it has seen nothing. Rows of fit are not changed.
        """
        inside = np.minimum(np.maximum(rows, self.low), self.high)
        beyond = rows - inside
        distance = np.minimum(np.abs(beyond), np.finfo(np.float64).max)
        return inside + np.copysign(np.log1p(distance), beyond)

    def widened(self, multiset):
        """A copy that has seen the rows of this multiset, too."""
        if self._affine:
            found = multiset.moments(multiset.values)
            low, high = self._range_between(found.low, found.high)
        else:
            found = self._moments_of_scaled(multiset)
            low, high = found.low, found.high
        if self.plain and found.missing.any():
            raise ValueError(
                f"{name_columns(self.names, np.flatnonzero(found.missing))}: no cell was missing "
                "in the first fit, and the network, which goes on, has no input for them. Fill "
                "them, or start anew with rows, or columns_from, in which some are missing."
            )
        wider = copy.copy(self)
        wider.low = np.where(self.numbers, np.fmin(self.low, low), self.low).astype(np.float32)
        wider.high = np.where(self.numbers, np.fmax(self.high, high), self.high).astype(np.float32)
        return wider

    def check_unit_interval(self, setting, other):
        """Refuse columns given as log-odds that are not within [0, 1] as a network sees them.

        Raises
        ------
        ValueError
            Names the columns.
        """
        asked = self._as_given
        shown = np.nan_to_num(self.unscale(np.stack([self.low, self.high])))
        low, high = (
            np.where(asked, np.where(self.as_is, original, end), 0.5)
            for end, original in zip((self.low, self.high), shown, strict=True)
        )
        check_unit_interval(low, high, *shown, self.names, setting, other)

    def check_counts(self, table):
        """Refuse columns of counts that hold something else.

        Raises
        ------
        ValueError
            Names the columns.
        """
        if self.counted is not None:
            reject_other_than_counts(table, self.counted, self.names)

    def unscale(self, rows):
        """Back to original units, in float64; constant columns as they were."""
        rows = np.array(rows, dtype=np.float64)
        rows[:, self.idle] += self.resting
        if self.transformer is None or not len(rows):  # of which transformers want one
            X = np.clip(rows, -_FARTHEST, _FARTHEST) / self.factor
            X += self.shift
        else:
            X = rows.copy()
            given = rows[:, self._given]
            X[:, self._given] = np.array(self.transformer.inverse_transform(given))
        for j, scores in self.ranked.items():
            X[:, j] = scores.backward(rows[:, j])
        if self.counted is not None:
            X[:, self.counted] = np.expm1(rows[:, self.counted])
        X[:, self.constant] = self.fixed
        return X

    def original(self, rows):
        """Scaled cells in original units, on the steps that the columns have.

        For what is shown to a user: prices have two decimals again, dates are days, and whole
        numbers whole.
        """
        return self.on_steps(self.unscale(rows))

    def on_steps(self, X):
        """A copy of cells in original units, on the steps that the columns have."""
        X = self.grain.snapped(X)
        X[:, self.whole] = np.rint(X[:, self.whole])
        return X

    def inside(self, rows):
        """Scaled cells within the range of fit."""
        # Ends are stored rounded: the next float32 inside is not beyond the end itself.
        low = np.where(self.numbers, np.nextafter(self.low, self.high), self.low)
        high = np.where(self.numbers, np.nextafter(self.high, self.low), self.high)
        return np.clip(rows, low, high)

    def log_slope(self, X):
        """Logarithm of d(scaled)/d(original) of each cell.

        Added to a log-density of scaled cells it gives the log-density in original units. It is 0
        for what has a probability and no density: categories, counts, 0 and 1; and for missing
        cells and columns that were constant.

        Returns
        -------
        ndarray of shape (n_samples, n_features) or (1, n_features), float64
            One row if it is the same for all rows.

        Notes
        -----
        Exact for scalings that shift and divide, and for ranks. For others each column is taken to
        be scaled by itself and the derivative is a central difference over a thousandth of its
        spread, floored where a scaling is flat: the less, the farther a cell is from those of fit,
        so that a density still has a total.
        """
        if self.transformer is None:
            slopes = np.log(np.abs(self.factor))[None]
        else:
            slopes = log_slope_by_differences(self, X)
        if self.ranked:
            slopes = np.repeat(slopes, len(X) // len(slopes), axis=0)
            for j, scores in self.ranked.items():
                slopes[:, j] = scores.log_slope(np.ravel(X[:, j]).astype(np.float64))
        return np.where(self.with_density, slopes, 0.0)

    def spread_in_original_units(self):
        """Width of a column that ``spread`` stands for in the middle of the scaled cells."""
        middle = np.zeros((1, len(self.spread)))
        width = self.unscale(middle + self.spread) - self.unscale(middle - self.spread)
        return np.where(self.constant | ~(width[0] > 0), 1.0, np.abs(width[0]) / 2)
