"""Which rows of a table are anomalous, why, and how sure that is."""

import contextlib
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.stats import false_discovery_control
from sklearn.base import is_outlier_detector
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._dataset.columns import row_weights
from .._dataset.hashing import draws_of
from .._dataset.multiset import canonical
from .._estimators.names_elsewhere import DETECTOR
from .._runtime.arrays import slices
from .._runtime.following import followed
from .._runtime.isolation import OnOneThread
from .._runtime.other_names import Estimator
from .._runtime.parameters import SEED, VERBOSE, Instance, Number, Whole, validated
from .._runtime.randomness import draw_integer, draw_seed, new_generator
from .._runtime.sklearn import (
    CallbackSupportMixin,
    OutlierMixin,
    StrOptions,
    fit_context,
    safe_indexing,
)
from .._runtime.transaction import in_one_step
from .._runtime.typing import Seed, TableLike
from .._storage.stored import Stored
from .._tables.agreement import check_same_rows
from .._tables.frames import as_pandas
from .._tables.given import TakesTables
from .._tables.names import names_or_numbers
from .._tables.results import named_results
from .._tables.validation import names_of, read_table
from ..rows import Table
from ..rows.base import KIND_OF_ROWS, Rows, table_of
from ..rows.table import input_tags
from .chosen_judges import chosen_judges
from .committee import Committee
from .explanations import contributions
from .judges.base import Judge
from .judges.estimator import wraps_ours
from .observations import Observations, training_rows
from .repeats import units_of
from .similar import Similar
from .spaces import Space
from .wording import reasons, weightiest_in_words

__all__ = ["OutlierDetector"]

_CELLS_AT_ONCE, _FEWEST_AT_ONCE, _ROWS_FOR_ESTIMATORS = 2**17, 2**7, 2**14
_SIMILAR = 20
_SPACES = ("standard", "quantile")


class OutlierDetector(
    TakesTables, OnOneThread, Stored, CallbackSupportMixin, OutlierMixin, Estimator
):
    """Finds anomalous rows of raw tables, says which cells make them so, and how sure that is.

    By default four judges are asked, each of which turns what it sees into nats of surprise by
    comparing with training rows that it has not seen: how far the nearest training row is, on
    standardised columns and on ranks; how low the density of the cells, alone and in pairs; and how
    low that of a Gaussian mixture of the ranks. A mean of their tail probabilities, of power -1/2,
    is the row's. No setting is chosen by labels.

    Parameters
    ----------
    estimator : estimator, default=None
        Judge in place of the default ones: one of our three transformers, or any other estimator
        with ``score_samples``, such as ``PCA``, ``FactorAnalysis``, ``KernelDensity`` or a pipeline
        that ends in one. It is cloned and fitted; one that is fitted already is taken as it is, and
        then ``fit`` only compares with the rows it gets, which should be others than the
        estimator's (wrap it in ``sklearn.frozen.FrozenEstimator`` where the detector itself is
        cloned).
    judges : list of Judge, default=None
        Judges in place of the default ones, those of ``sklearn_replearn.outliers`` or your own; see
        :class:`~sklearn_replearn.outliers.Judge`. None: with ``novelty=True`` those named above,
        ``[NearestDistance("standard"), NearestDistance("quantile"), PairDensity(), LowDensity()]``.
        An ``estimator`` among them is ``EstimatorScore(estimator)``.
    novelty : bool, default=True
        Whether the training rows are all normal and other rows are to be judged. False: there are
        anomalies among the training rows. Then judges, or an ``estimator``, are fitted to the bulk
        of the rows, see :class:`~sklearn_replearn.outliers.Trimmed`; by default densities, because
        to distances a cluster of anomalies vouches for itself, and where there are categories,
        which to mixtures are points, distances beside them. ``judges`` that are given say by
        themselves what rows they are for, so novelty stays True with them.
    contamination : "auto" or float, default="auto"
        The share of the training rows that ``predict`` calls anomalous, in (0, 0.5]. "auto" leaves
        it to ``alpha``.
    alpha : float, default=0.05
        With ``contamination="auto"``, the share of rows like those of fit that ``predict`` calls
        anomalous, on average over training tables. With ``novelty=True`` it is the rate of false
        alarms; with ``novelty=False`` anomalies count among these rows, so that false alarms are
        fewer by those that are found: where a share of ``alpha`` is found, there are hardly any.
    rows : Rows, default=None
        What a row is: None is :class:`~sklearn_replearn.rows.Table`, whose parameters say which
        columns of numbers are categories. Judges see rows of all kinds as tables and scale columns
        for themselves; an ``estimator`` sees rows as they are given, and has ``rows`` of its own:
        for images give both.
    random_state : int, RandomState instance or None, default=0
        An int gives the same detector each time, for any order of the rows. It also seeds what in
        an ``estimator`` or in ``judges`` has ``random_state=None``.
    verbose : int, default=0
        1 shows how far the fit is, by judges and folds: a bar where there is a terminal or a
        notebook, else a plain line each tenth of the way.

    Attributes
    ----------
    offset_ : float
        ``score_samples`` below it is anomalous. Minus infinity where there are too few training
        rows for any to be, at this ``alpha``, of which ``fit`` warns.
    estimator_ : estimator or None
        The fitted ``estimator``.
    judges_ : list of Judge
        The fitted judges.
    n_calibration_ : int
        Of so many rows, each judged by what has not seen it, p-values are shares. Where training
        rows are copies of each other, as many as there are without.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if they all had one that is a string.

    See Also
    --------
    VAETransformer.score_samples : A likelihood alone.

    Notes
    -----
    Of more than 65,536 training rows (fewer where there are many columns) a sample counts. The
    fitted detector keeps up to 8,192 of them, to compare with: it is no safeguard of privacy.
    Training rows score somewhat better than others, because the judges have seen them. What fit has
    not seen is anomalous: leave out columns that go on by themselves, such as dates, and names that
    every row has for itself.

    Training rows are judged by models that have not seen them, fitted without a tenth of the rows,
    a fifth of more than 2,048: all of them, or 4,000 and more. That gives the scale of the nats and
    the p-values. Later rows are judged by models of all training rows.

    References
    ----------
    Aggarwal and Sathe (2017), *Outlier ensembles*. Bates et al. (2023), *Testing for outliers with
    conformal p-values*.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_replearn import OutlierDetector
    >>> x = np.random.RandomState(0).normal(size=(300, 1))
    >>> rows = np.hstack([x, 2 * x])  # the second column is twice the first
    >>> detector = OutlierDetector(alpha=0.01).fit(rows)
    >>> detector.predict([[1.0, 2.0], [1.0, -2.0]])
    array([ 1, -1])
    """

    offset_: float
    estimator_: Any
    judges_: Sequence[Judge]
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    _other_names = DETECTOR

    _parameter_constraints = {
        "estimator": [
            Instance(["fit", "score_samples"], "an estimator (no class) with score_samples"),
            None,
        ],
        "judges": [list, tuple, None],
        "novelty": ["boolean"],
        "contamination": [StrOptions({"auto"}), Number(0, 0.5, closed="right")],
        "alpha": [Number(0, 1)],
        "rows": [KIND_OF_ROWS, None],
        "random_state": SEED,
        "verbose": VERBOSE,
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        judges: Sequence[Judge] | None = None,
        novelty: bool = True,
        contamination: float | Literal["auto"] = "auto",
        alpha: float = 0.05,
        rows: Rows | None = None,
        random_state: Seed = 0,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.judges = judges
        self.novelty = novelty
        self.contamination = contamination
        self.alpha = alpha
        self.rows = rows
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: TableLike, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Learn what normal rows are like.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            At least two rows. Columns of frames hold numbers, booleans, dates, strings or
            categories; missing cells are NaN, None, NaT or NA.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; those of weight 0 are left out.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If ``X`` has infinite cells, columns that mix types or fewer than two rows; or from the
            ``estimator``, such as for missing cells where it takes none. After any exception the
            detector is as it was before.
        TypeError
            If ``X`` is sparse and the ``estimator`` takes no such; or if what is among the
            ``judges`` is none.

        Warns
        -----
        UserWarning
            If there are too few rows for any to be called anomalous at this ``alpha``, or too many
            equal ones at this ``contamination``.
        """
        with followed(self, X, y, sample_weight=sample_weight):
            in_one_step(self, lambda fresh: fresh._fit(X, sample_weight))
        return self

    def _fit(self, X, sample_weight):
        takes_sparse = self.estimator is None or get_tags(self.estimator).input_tags.sparse
        if sp.issparse(X) and not takes_sparse:
            raise TypeError(
                f"Sparse data was passed, which {type(self.estimator).__name__} may not take. "
                "Make it dense with X.toarray()."
            )
        self._rows = (Table() if self.rows is None else self.rows).in_form_of(X)
        if self._rows.scaling != "auto":
            raise ValueError(
                "The judges scale columns for themselves, so that scaling has no effect: leave it "
                f'at "auto"; got {self._rows!r}. An estimator has rows of its own.'
            )
        table = self._learned_table(X)
        weights = row_weights(sample_weight, table)
        if self._schema.kinds is not None and not weights.all():
            # A level of rows that count nothing has not been seen.
            counting = np.flatnonzero(weights)
            X, weights = safe_indexing(_sliceable(X), counting), weights[counting]
            table = self._learned_table(X)
        if self.estimator is None:  # whose own fit warns
            self._schema.warn_of_looks()
        multiset = canonical(table, weights)
        if multiset.n_draws < 2:
            raise ValueError("sample_weight leaves one row; at least 2 are needed to learn from.")
        check_same_rows("X", multiset, schema=self._schema)
        self._seed = draw_seed(self.random_state)
        generator = new_generator(self._seed)
        self._spaces = {
            name: Space(name, multiset, self._schema, names_of(self), draw_integer(generator))
            for name in _SPACES
        }
        rows = training_rows(multiset, self._spaces["standard"].width)
        values = multiset.values(rows)
        training = Observations(
            values,
            self._spaces,
            self._decode,
            original=lambda: safe_indexing(_sliceable(X), multiset.numbers[rows]),
            units=units_of(values, self._schema.levels(multiset.width).sizes > 0),
        )
        judges = chosen_judges(self.estimator, self.judges, self.novelty, training)
        self._committee = Committee(judges, training, generator)
        self._similar = Similar(training)
        self.judges_ = self._committee.judges
        self.estimator_ = None
        if self.estimator is not None:
            (judge,) = self.judges_
            self.estimator_ = (judge if self.novelty else judge.judge_).estimator_
        self.offset_ = self._committee.calibration.threshold(self.alpha)
        if self.contamination == "auto":
            self._warn_of_too_small(self.alpha)
            return
        self._call_a_share_anomalous(-self._surprise(table, X), multiset)

    def _call_a_share_anomalous(self, scores, multiset):
        counting = scores[multiset.numbers[multiset.draws()]]
        self.offset_ = float(np.percentile(counting, 100.0 * self.contamination))
        if not (scores < self.offset_).any():
            warnings.warn(
                f"contamination={self.contamination} calls none of the {len(scores)} training rows "
                "anomalous, because more of them than this share have the lowest score: many are "
                'equal. Give a larger contamination, or leave it at "auto" and choose alpha.',
                stacklevel=2,
            )

    def _learned_table(self, X):
        """Rows as numbers, and what their columns hold."""
        given = table_of(self._rows, X)
        table, self._schema = read_table(self, given, self._rows.categorical_features)
        self._rows.check(table, self._schema)
        return table

    def _warn_of_too_small(self, alpha):
        smallest = self._committee.calibration.smallest
        if alpha < smallest:
            warnings.warn(
                f"No row can be called anomalous at alpha={alpha}: with so few training rows no "
                f"p-value is below {smallest:.3g}. Give a larger alpha, or more rows: at least "
                f"{int(np.ceil(1 / alpha - 1e-9)) - 1} without copies.",
                stacklevel=2,
            )

    def score_samples(self, X: TableLike) -> NDArray[np.float64]:
        """How normal rows are: minus their surprise in nats.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), float64
            About 0 for a typical row, and lower for less normal ones: a row that is to the judges
            as rare as one in a thousand normal rows has ``-log(500)``, for half of the rows are
            rarer than the median. A row's score does not depend on the rows beside it.

        Raises
        ------
        ValueError
            If the columns are not those of fit or hold something else than in fit, or a cell is
            infinite.
        """
        return -self._surprise(self._table(X), X)

    def _table(self, X):
        check_is_fitted(self)
        table, _ = read_table(self, table_of(self._rows, X), schema=self._schema)
        self._rows.check(table, self._schema)
        return table

    def _decode(self, table):
        return self._rows.from_table(self._schema.decode(table))

    def _surprise(self, table, X=None):
        """Nats of rows, some at a time; ``X``: the same rows as they were given."""
        surprise, X = np.empty(len(table)), None if X is None else _sliceable(X)
        for part in slices(len(table), self._rows_at_once()):
            numbers = np.arange(part.start, part.stop)
            given = None if X is None else partial(safe_indexing, X, numbers)
            rows = Observations(table[part], self._spaces, self._decode, given)
            surprise[part] = self._committee.surprise(rows)
        return surprise

    def _check_stored(self):
        if hasattr(self, "_committee"):
            # A judge of a user's may ask for frames, whose library need not be here.
            with contextlib.suppress(ImportError):
                self._surprise(self._similar.table[:1])

    def _rows_at_once(self):
        if self.estimator is not None:
            return _ROWS_FOR_ESTIMATORS
        return max(_FEWEST_AT_ONCE, _CELLS_AT_ONCE // self._spaces["standard"].width)

    def decision_function(self, X: TableLike) -> NDArray[np.float64]:
        """``score_samples(X) - offset_``: negative for anomalous rows.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), float64
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: TableLike) -> NDArray[np.int_]:
        """Say which rows are anomalous.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), int
            -1 for anomalous rows, 1 for normal ones.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    @property
    def n_calibration_(self) -> int:
        """Of so many rows p-values are shares."""
        check_is_fitted(self)
        return max(1, round(1 / self._committee.calibration.smallest - 1))

    @validated({"ties": [StrOptions({"count", "random"})]})
    def p_values(
        self, X: TableLike, *, ties: Literal["count", "random"] = "count"
    ) -> NDArray[np.float64]:
        """How likely a normal row is to be at least as anomalous (conformal p-values).

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        ties : {"count", "random"}, default="count"
            Whether training rows with the same score count as as low, or a share of them that is
            drawn for each row (by its cells, the detector's ``random_state`` and, of equal rows in
            ``X``, which it is: the same each time, whatever other rows are beside it). Where many
            rows are equal, the former is the larger p-value, and the latter nearer to uniform.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            ``(1 + m) / (1 + n)``, where m of the n held-out training rows score as low or lower,
            each judged by what has not seen it. For normal rows like those of fit they are about
            uniform, or a little larger, also where many rows are equal; none is below
            ``1 / (1 + n)``. Where training rows are copies of each other, each of which is there w
            times on average, w stands in place of 1.
            With ``novelty=False`` the anomalies among the training rows make them larger.

        Raises
        ------
        ValueError
            If ``ties`` is none of these.
        """
        table, calibration = self._table(X), self._committee.calibration
        scores = -self._surprise(table, X)
        if ties == "count":
            return calibration.p_values(scores)
        of_equals = -self._committee.repeated.of_equals(-scores, table)
        return calibration.p_values_at_random(scores, of_equals, draws_of(table, self._seed))

    @validated({"alpha": [Number(0, 1)], "control": [StrOptions({"fpr", "fdr"})]})
    def predict_at(
        self, X: TableLike, alpha: float, control: Literal["fpr", "fdr"] = "fpr"
    ) -> NDArray[np.int_]:
        """Say which rows are anomalous, at another rate of errors than ``predict``.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        alpha : float
            In (0, 1).
        control : {"fpr", "fdr"}, default="fpr"
            Of which errors ``alpha`` is the rate: the false positive rate, the share of normal rows
            that are called anomalous; or the false discovery rate, the share of normal rows among
            those called anomalous, on average, by the procedure of Benjamini and Hochberg (1995).
            The latter depends on all rows of ``X``.

        Returns
        -------
        ndarray of shape (n_samples,), int
            -1 for anomalous rows, 1 for normal ones. All are 1 where there are too few training
            rows for so small an ``alpha``. With "fdr" k rows among n can be called so only if there
            are more than n / (k alpha) held-out rows, ``n_calibration_``.

        Warns
        -----
        UserWarning
            If ``alpha`` is so small.

        Raises
        ------
        ValueError
            If ``alpha`` or ``control`` is none of these.
        """
        p_values = self.p_values(X)
        self._warn_of_too_small(alpha)
        if control == "fdr":
            p_values = false_discovery_control(p_values)
        return np.where(p_values <= alpha, -1, 1)

    def explain(self, X: TableLike) -> Any:
        """What each cell adds to the surprise at its row.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        frame of shape (n_samples, n_features), float64
            Of the library that fit saw, pandas for arrays. Nats, positive where a cell speaks for
            an anomaly; each row adds up to ``-score_samples``.

        Notes
        -----
        What is due to a cell is how much the surprise drops with what training rows that are
        similar in all other columns have in its place, on average over eight of them; where a row
        has more than 64 columns, in those in which it differs most often from rows that are similar
        in all. What the drops together leave of the surprise all cells share alike. That asks the
        judges about eight rows for each cell.
        """
        values = self._explained(self._table(X))
        return named_results(values, self._labels(), X, self._schema.container)

    def _explained(self, table):
        values, step = np.empty(table.shape), max(1, _CELLS_AT_ONCE // table.shape[1] ** 2)
        for part in slices(len(table), step):
            values[part] = contributions(self._surprise, table[part], self._similar)
        return values

    def _labels(self):
        return names_or_numbers(self._schema.names, self.n_features_in_)

    @validated({"n": [Whole()]})
    def top_reasons(self, X: TableLike, n: int = 3) -> Any:
        """The cells that speak most for an anomaly, in words.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        n : int, default=3
            At most so many for each row.

        Returns
        -------
        frame of shape (n_samples, n), str
            Of the library that fit saw, pandas for arrays. Such as ``"amount = 9,120 (expected 312
            ± 140)"``, the weightiest first; "" where no further cell speaks for an anomaly. What is
            expected is the mean and the standard deviation (or the most frequent level and its
            share) in the 20 training rows that are most similar in all other columns. Cells that
            are within half a deviation of it, and levels that are there more than half as often,
            are left out, for they are no reason by themselves.

        Raises
        ------
        ValueError
            If ``n`` is no whole number of at least 1.
        """
        n = min(n, self.n_features_in_)
        _, texts = self._worded(X, n)
        texts_first = np.argsort(texts == "", axis=1, kind="stable")[:, :n]
        names = [f"reason {rank + 1}" for rank in range(n)]
        told = np.take_along_axis(texts, texts_first, axis=1)
        return named_results(told, names, X, self._schema.container)

    def reasons_by_column(self, X: TableLike) -> list[dict[int, str]]:
        """All reasons of each row, as :meth:`top_reasons` words them.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        list of dict
            For each row the numbers of the columns whose cells speak for an anomaly, the weightiest
            first, and the texts.
        """
        order, texts = self._worded(X, self.n_features_in_)
        return [
            {int(j): text for j, text in zip(columns, of_row, strict=True) if text}
            for columns, of_row in zip(order, texts, strict=True)
        ]

    def _worded(self, X, n):
        """The weightiest cells of each row: numbers of their columns, texts.

        Three times as many as asked for, as some turn out to be as expected: their text is "".
        """
        table = self._table(X)

        def texts_of(rows, j):
            parts = slices(len(rows), _FEWEST_AT_ONCE)
            return [text for part in parts for text in self._reasons(table[rows[part]], j)]

        return weightiest_in_words(self._explained(table), 3 * n, texts_of)

    def _reasons(self, table, j):
        """Texts about one cell of each of some rows."""
        similar = self._similar.to(table, _SIMILAR, without=j)
        kind = None if self._schema.kinds is None else self._schema.kinds[j]
        there = [self._similar.table[numbers, j] for numbers in similar]
        return reasons(str(self._labels()[j]), kind, table[:, j], there)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_committee")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = ours = input_tags(self.rows)
        if self.estimator is not None:
            theirs = get_tags(self.estimator).input_tags
            for name in ("allow_nan", "sparse", "string", "categorical"):
                setattr(ours, name, getattr(ours, name) and getattr(theirs, name))
            # Others say whether they are fitted to sparse rows, not whether they score them.
            scores = is_outlier_detector(self.estimator) or wraps_ours(self.estimator)
            ours.sparse = ours.sparse and scores
        return tags


def _sliceable(X):
    """A table of which rows can be taken."""
    if sp.issparse(X):
        return X.tocsr()
    if isinstance(X, list | np.ndarray) or as_pandas(X) is not None:
        return X
    return np.asarray(X)
