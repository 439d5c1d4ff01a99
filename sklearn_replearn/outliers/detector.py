"""Which rows of a table are anomalous, why, and how sure that is."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._dataset.multiset import canonical
from .._estimators.base import RepresentationTransformer
from .._runtime.arrays import slices
from .._runtime.randomness import draw_integer, draw_seed, new_generator
from .._runtime.sklearn import HasMethods, Interval, StrOptions, fit_context, safe_indexing
from .._runtime.transaction import in_one_step
from .._tables.frames import as_pandas
from .._tables.validation import names_of, read_table
from .calibration import rejected
from .committee import of_contaminated_rows, of_estimator, of_normal_rows, references, training_rows
from .neighbors import Neighbors
from .observations import Seen
from .spaces import Space
from .wording import told

__all__ = ["OutlierDetector"]

_CELLS_AT_ONCE, _FEWEST_AT_ONCE, _ROWS_FOR_ESTIMATORS = 2**17, 2**7, 2**14
_SIMILAR = 20


class OutlierDetector(OutlierMixin, BaseEstimator):
    """Finds anomalous rows of raw tables, says which cells make them so, and how sure that is.

    By default several judges are asked, each of which turns what it sees into nats of surprise by
    comparing with training rows that it has not seen: how far the nearest training row is, on
    standardised columns and on ranks; how rare each cell is given each other cell; how low the
    density of a Gaussian mixture; and how badly an autoencoder reconstructs the row. The harmonic
    mean of the tail probabilities is the row's. No setting is chosen by labels.

    Parameters
    ----------
    transformer : estimator, default=None
        Judges in place of the default: one of our three transformers, or any other estimator with
        ``score_samples``, such as ``PCA``, ``FactorAnalysis``, ``KernelDensity`` or a pipeline that
        ends in one. It is cloned and fitted; one that is fitted already is taken as it is, and then
        ``fit`` only compares with the rows it gets, which should be others than the estimator's
        (wrap it in ``sklearn.frozen.FrozenEstimator`` where the detector itself is cloned).
    novelty : bool, default=True
        Whether the training rows are all normal and other rows are to be judged. False: there are
        anomalies among the training rows. Then the bulk of the rows is fitted and the rest left
        out; by default by Gaussian mixtures, which on such tables find more than anything else that
        was tried (see benchmarks/results/anomaly.md); a ``transformer`` is fitted three times, the
        second and third time without the quarter of the rows that fitted worst.
    contamination : "auto" or float, default="auto"
        The share of the training rows that ``predict`` calls anomalous, in (0, 0.5]. "auto" leaves
        it to ``alpha``.
    alpha : float, default=0.05
        With ``contamination="auto"``, the rate of false alarms of ``predict``: about this share of
        normal rows is called anomalous, on average over training tables.
    categorical_features : "from_dtype", array-like of bool, int or str, or None, \
default="from_dtype"
        Columns of numbers that are categories, as a mask, by number or by name. Columns of strings
        and of a categorical dtype are categories anyway.
    random_state : int, RandomState instance or None, default=0
        An int gives the same detector each time, for any order of the rows. It also seeds what in a
        ``transformer`` has ``random_state=None``.

    Attributes
    ----------
    offset_ : float
        ``score_samples`` below it is anomalous. Minus infinity where there are too few training
        rows for any to be, at this ``alpha``.
    estimator_ : estimator or None
        The fitted ``transformer``.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if they all had one that is a string.

    See Also
    --------
    VAETransformer.score_samples : A likelihood alone.

    Notes
    -----
    Of more than 65,536 training rows (fewer where there are many columns) a sample counts. The
    fitted detector keeps up to 8,192 of them, to compare with: it is no safeguard of privacy. With
    ``novelty=True`` training rows score somewhat better than others, because most of the judges
    have seen them. What fit has not seen is anomalous: leave out columns that go on by themselves,
    such as dates, and names that every row has for itself.

    Models of one fold less judge: four folds, and up to ten where there are few rows. Each training
    row is judged by the models that have not seen it, which gives the scale of the nats and the
    p-values.

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

    _parameter_constraints = {
        "transformer": [HasMethods(["fit", "score_samples"]), None],
        "novelty": ["boolean"],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "categorical_features": [StrOptions({"from_dtype"}), "array-like", None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        transformer=None,
        *,
        novelty=True,
        contamination="auto",
        alpha=0.05,
        categorical_features="from_dtype",
        random_state=0,
    ):
        self.transformer = transformer
        self.novelty = novelty
        self.contamination = contamination
        self.alpha = alpha
        self.categorical_features = categorical_features
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Learn what normal rows are like.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            At least two rows. Columns of frames hold numbers, booleans, dates, strings or
            categories; missing cells are NaN, None, NaT or NA.
        y : None
            Ignored.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If ``X`` has infinite cells, columns that mix types or fewer than two rows; or from the
            ``transformer``, such as for missing cells where it takes none. After any exception the
            detector is as it was before.
        TypeError
            If ``X`` is sparse and the ``transformer`` is not one of ours.
        """
        in_one_step(self, lambda fresh: fresh._fit(X))
        return self

    def _fit(self, X):
        if sp.issparse(X) and not self.__sklearn_tags__().input_tags.sparse:
            raise TypeError(
                f"Sparse data was passed, which {type(self.transformer).__name__} may not take. "
                "Make it dense with X.toarray()."
            )
        table, self._schema = read_table(self, X, self.categorical_features)
        multiset = canonical(table, np.ones(len(table)))
        generator = new_generator(draw_seed(self.random_state))
        by_default = self.transformer is None and self.novelty
        spaces = ("standard", "quantile") if by_default else ("standard",)
        self._spaces = {
            name: Space(name, multiset, self._schema, names_of(self), draw_integer(generator))
            for name in spaces
        }
        width = self._spaces["standard"].width
        rows = training_rows(multiset, width)
        seen = Seen(multiset.values(rows), self._spaces)
        kept = references(len(seen), width)
        neighbors = {name: Neighbors(seen.points(name)[kept]) for name in spaces}
        self._similar = seen.table[kept], neighbors["standard"]
        self.estimator_ = None
        if self.transformer is not None:
            self._committee = of_estimator(
                self.transformer,
                _sliceable(X),
                multiset.numbers[rows],
                seen,
                self._schema,
                self.novelty,
                generator,
            )
            self.estimator_ = self._committee.judges[0].estimator
        elif self.novelty:
            copies = multiset.weights[rows]
            self._committee = of_normal_rows(seen, copies, kept, neighbors, generator)
        else:
            self._committee = of_contaminated_rows(seen, generator)
        self.offset_ = self._committee.calibration.threshold(self.alpha)
        if self.contamination != "auto":
            scores = self._scores(X, table)
            self.offset_ = float(np.percentile(scores, 100.0 * self.contamination))

    def score_samples(self, X):
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
        return self._scores(X, self._table(X))

    def _table(self, X):
        check_is_fitted(self)
        return read_table(self, X, schema=self._schema)[0]

    def _scores(self, X, table):
        surprise = [self._committee.surprise(seen) for _, seen in self._parts(X, table)]
        return -np.concatenate(surprise)

    def _parts(self, X, table):
        """The rows some at a time, with their places."""
        given, width = self.estimator_ is not None, self._spaces["standard"].width
        raw = _sliceable(X) if given else None
        at_once = _ROWS_FOR_ESTIMATORS if given else max(_FEWEST_AT_ONCE, _CELLS_AT_ONCE // width)
        for part in slices(len(table), at_once):
            some = safe_indexing(raw, np.arange(part.start, part.stop)) if given else None
            yield part, Seen(table[part], self._spaces, some)

    def decision_function(self, X):
        """``score_samples(X) - offset_``: negative for anomalous rows.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), float64
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X):
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

    def p_values(self, X):
        """How likely a normal row is to be at least as anomalous (conformal p-values).

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), float64
            ``(1 + m) / (1 + n)``, where m of the n training rows score as low or lower, each judged
            by what has not seen it. For normal rows like those of fit they are about uniform; none
            is below ``1 / (1 + n)``. With ``novelty=False`` the anomalies among the training rows
            make them larger.
        """
        scores = self.score_samples(X)
        return self._committee.calibration.p_values(scores)

    def predict_at(self, X, alpha, control="false_alarms"):
        """Say which rows are anomalous, at another rate of errors than ``predict``.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        alpha : float
            In (0, 1).
        control : {"false_alarms", "false_discoveries"}, default="false_alarms"
            Of which errors ``alpha`` is the rate: the share of normal rows that are called
            anomalous, or the share of normal rows among those called anomalous, on average, by the
            procedure of Benjamini and Hochberg (1995). The latter depends on all rows of ``X``.

        Returns
        -------
        ndarray of shape (n_samples,), int
            -1 for anomalous rows, 1 for normal ones. All are 1 where there are too few training
            rows for so small an ``alpha``.

        Raises
        ------
        ValueError
            If ``alpha`` or ``control`` is none of these.
        """
        if not isinstance(alpha, Real) or not 0 < alpha < 1:
            raise ValueError(
                f"alpha must be a number between 0 and 1, such as 0.05; got {alpha!r}."
            )
        if control not in ("false_alarms", "false_discoveries"):
            raise ValueError(
                f'control must be "false_alarms" or "false_discoveries"; got {control!r}.'
            )
        p_values = self.p_values(X)
        if control == "false_alarms":
            return np.where(p_values <= alpha, -1, 1)
        return np.where(rejected(p_values, alpha), -1, 1)

    def explain(self, X):
        """What each cell adds to the surprise at its row.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        DataFrame of shape (n_samples, n_features), float64
            Nats, positive where a cell speaks for an anomaly; each row adds up to
            ``-score_samples``.

        Notes
        -----
        Each judge's nats are shared in proportion to how much evidence it sees, column by column,
        beyond what it sees on average: squared differences from the nearest row that those of the
        other columns do not tell, surprise given other columns, squared deviations from what the
        other columns tell under the mixture, and errors of reconstruction. The more surprised a
        judge, the more its shares count. For estimators that are not ours it is how much less
        anomalous the row would be with the column's median or most frequent level.
        """
        return self._explained(X, self._table(X))

    def _explained(self, X, table):
        values = np.empty(table.shape)
        for part, seen in self._parts(X, table):
            values[part] = self._committee.contributions(seen)
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(values, columns=self._labels(), index=index)

    def _labels(self):
        names = self._schema.names
        return [f"x{j}" for j in range(self.n_features_in_)] if names is None else list(names)

    def top_reasons(self, X, n=3):
        """The cells that speak most for an anomaly, in words.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        n : int, default=3
            At most so many for each row.

        Returns
        -------
        DataFrame of shape (n_samples, n), str
            Such as ``"amount = 9,120 (expected 312 ± 140)"``, the weightiest first; "" where no
            further cell speaks for an anomaly. What is expected is the mean and the standard
            deviation (or the most frequent level and its share) in the 20 training rows that are
            most similar in all other columns. Cells that are within half a deviation of it are left
            out, for they are no reason by themselves.

        Raises
        ------
        ValueError
            If ``n`` is no whole number of at least 1.
        """
        if not isinstance(n, Integral) or isinstance(n, bool) or n < 1:
            raise ValueError(f"n must be a whole number of at least 1; got {n!r}.")
        table = self._table(X)
        contributions = self._explained(X, table)
        values, n = contributions.to_numpy(), min(n, self.n_features_in_)
        # Some of them turn out to be as expected.
        first = np.argsort(-values, axis=1, kind="stable")[:, : 3 * n]
        texts = np.full(first.shape, "", dtype=object)
        speaks = np.take_along_axis(values, first, axis=1) > 0
        for j in np.unique(first[speaks]):
            rows, ranks = np.nonzero(speaks & (first == j))
            for part in slices(len(rows), _FEWEST_AT_ONCE):
                texts[rows[part], ranks[part]] = self._reasons(table[rows[part]], int(j))
        told_first = np.argsort(texts == "", axis=1, kind="stable")[:, :n]
        names = [f"reason {rank + 1}" for rank in range(n)]
        return pd.DataFrame(
            np.take_along_axis(texts, told_first, axis=1), columns=names, index=contributions.index
        )

    def _reasons(self, table, j):
        """Texts about one cell of each of some rows."""
        space, (rows, neighbors) = self._spaces["standard"], self._similar
        known = ~np.isnan(table[:, space.owner]) & (space.owner != j)
        nearest = neighbors.nearest(space.points(table), known, count=_SIMILAR)
        kind = None if self._schema.kinds is None else self._schema.kinds[j]
        name = str(self._labels()[j])
        return [
            told(name, kind, float(cell), rows[similar, j])
            for cell, similar in zip(table[:, j], nearest, strict=True)
        ]

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_committee")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        if self.transformer is not None:
            given = get_tags(self.transformer).input_tags
            tags.input_tags.allow_nan = given.allow_nan
            tags.input_tags.sparse = isinstance(self.transformer, RepresentationTransformer)
        return tags


def _sliceable(X):
    """A table of which rows can be taken."""
    if sp.issparse(X):
        return X.tocsr()
    if isinstance(X, list | np.ndarray) or as_pandas(X) is not None:
        return X
    return np.asarray(X)
